"""An independent implementation of the e2e file and message formats, version 1.

It is written from docs/FORMAT.md alone and exists to find mistakes in that
document and in other implementations.  It is a test tool: it makes no attempt
to keep secrets out of memory, of swap or of the process list.
"""
