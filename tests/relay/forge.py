"""Envelopes that nobody sealed: their frame is right, the rest is random.

A relay cannot open anything and so cannot tell them from sealed ones; thousands
a second can be made, which sealing could not. Sections are those of docs/FORMAT.md.
"""

import hashlib
import os
import struct

PIECE = 16400                      # of a full chunk


def _bstr(n):
    if n < 24:
        return bytes([0x40 | n])
    if n < 256:
        return bytes([0x58, n])
    return b"\x59" + struct.pack(">H", n)


def _recipients(mailboxes):
    """Section 4.3, one entry for each mailbox."""
    n = len(mailboxes)
    head = bytes([0x80 | n]) if n < 24 else bytes([0x98, n]) if n < 256 \
        else b"\x99" + struct.pack(">H", n)
    return head + b"".join(
        b"\x83\x44\xa1\x01\x38\x1e\xa2\x04\x58\x20" + kid +
        b"\x20\xa3\x01\x01\x20\x04\x21\x58\x20" + os.urandom(31) + b"\x10" +
        b"\x58\x28" + os.urandom(40) for kid in mailboxes)


def _header(mailboxes, metadata):
    """Section 3.1."""
    return (b"\xd8\x60\x84\x58\x2a\xa2\x01\x03\x3a\x00\x01\x00\x40\x58\x20" +
            os.urandom(32) + b"\xa1\x05\x4c" + os.urandom(12) +
            _bstr(metadata) + os.urandom(metadata) + _recipients(mailboxes))


def _last(rest):
    """The length of a last chunk that takes so many bytes with its head."""
    for head in (1, 2, 3):
        n = rest - head
        if 16 <= n < PIECE and len(_bstr(n)) == head:
            return n
    return None


def envelope(mailboxes, size=1024):
    """One of exactly `size` bytes, to the mailboxes with these ids."""
    for metadata in range(96, 160):
        front = b"\xda\x65\x32\x65\x31\x9f" + _header(mailboxes, metadata) + \
            b"\x58\x38" + os.urandom(56)
        rest = size - len(front) - 1
        full, rest = divmod(rest, PIECE + 3) if rest > 0 else (0, rest)
        n = _last(rest)
        if n is None and full:
            n, full = _last(rest + PIECE + 3), full - 1
        if n is not None:
            return b"".join([front] + [b"\x59\x40\x10" + os.urandom(PIECE)
                                       for _ in range(full)] +
                            [_bstr(n), os.urandom(n), b"\xff"])
    raise ValueError("no envelope has %d bytes" % size)


class Series:
    """Distinct envelopes, made from one by changing 16 bytes near its end."""

    def __init__(self, mailboxes, size=1024):
        self.front = envelope(mailboxes, size)[:-17]
        self.hash = hashlib.sha256(self.front)
        self.nonce = os.urandom(8)
        self.count = 0

    def next(self):
        """(id, bytes)."""
        self.count += 1
        end = self.nonce + struct.pack(">Q", self.count) + b"\xff"
        h = self.hash.copy()
        h.update(end)
        return h.digest(), self.front + end


if __name__ == "__main__":
    # forge.py SIZE MAILBOX...: one envelope to standard output.
    import sys
    sys.stdout.buffer.write(envelope(
        [bytes.fromhex(a) for a in sys.argv[2:]], int(sys.argv[1])))
