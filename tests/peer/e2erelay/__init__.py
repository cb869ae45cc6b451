"""An independent implementation of the relay protocol, version 1.

It is written from docs/PROTOCOL.md and docs/FORMAT.md alone, on top of e2epeer,
and exists to find mistakes in those documents and in other implementations. It
is a test tool: the relay keeps everything in memory and forgets it.
"""
