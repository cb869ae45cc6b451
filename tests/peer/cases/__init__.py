"""Deliberately wrong (and a few right) files; see hostile.py."""
