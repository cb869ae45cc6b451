"""A connection as a buffer from which items are pulled as they arrive."""

import time

from e2epeer import labels as L
from e2epeer.cbor import ARRAY, MAP, Decoder
from e2epeer.errors import Failure, over_limit
from e2epeer.header import MAX_HEADER, PUBLIC_KEY_KINDS, parse_header
from e2epeer.payload import BREAK, FULL

from .failures import Ended, Refused

PIECE = 1 << 16


class Stream:
    """Reads from and writes to a socket (or an SSL socket)."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self.ended = False

    def fill(self, n):
        """Waits until the buffer holds n bytes."""
        while len(self.buffer) < n:
            piece = b"" if self.ended else self.sock.recv(PIECE)
            if not piece:
                self.ended = True
                raise Ended("end of input")
            self.buffer += piece

    def take(self, n):
        """The next n bytes."""
        self.fill(n)
        part = bytes(self.buffer[:n])
        del self.buffer[:n]
        return part

    def line(self, most=256):
        """A line without its LF."""
        while b"\n" not in self.buffer:
            if len(self.buffer) > most:
                raise Refused("line", "too long")
            self.fill(len(self.buffer) + 1)
        line = self.take(self.buffer.index(b"\n") + 1)[:-1]
        return line.decode("ascii")

    def at_end(self):
        """Waits; True if the other side has ended."""
        try:
            self.fill(1)
        except Ended:
            return True
        return False

    def send(self, data):
        """Writes all."""
        self.sock.sendall(data)

    def drain(self, seconds):
        """Reads and throws away for so long, or until the end."""
        self.sock.settimeout(seconds)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end and self.sock.recv(PIECE):
                pass
        except OSError:
            pass


class Puller(Decoder):
    """A strict decoder of items that are still arriving; `most` bounds them."""

    def __init__(self, stream, most):
        super().__init__(stream.buffer, 0, most)
        self.stream = stream

    def _need(self, n):
        if self.pos + n > self.limit:
            raise over_limit("longer than its limit")
        self.stream.fill(self.pos + n)

    def expect(self, literal, text):
        """As in Decoder; the first byte that differs decides."""
        for byte in literal:
            super().expect(bytes([byte]), text)

    def head(self):
        """As in Decoder; what is declared counts at once."""
        major, n = super().head()
        if major in (ARRAY, MAP) and self.pos + n > self.limit:
            raise over_limit("declares more than its limit")
        return major, n

    def done(self):
        """The bytes so far, taken from the stream."""
        return self.stream.take(self.pos)


class Deposit:
    """An envelope that arrived, and the mailboxes that it names by itself."""

    def __init__(self, raw, header):
        self.raw = raw
        self.kids = sorted({e.kid for e in header.entries
                            if e.kind in PUBLIC_KEY_KINDS and e.kid is not None})


def _chunk(pull):
    """Skips a chunk; its length."""
    length = pull.open(2, "not a chunk")
    if not 16 <= length <= FULL:
        raise Refused("syntax", "length of a chunk")
    pull.take(length)
    return length


def read_envelope(stream, most):
    """The next Deposit; Refused if it is none, or larger than most."""
    pull = Puller(stream, most)
    try:
        pull.expect(L.TAG_ENVELOPE + b"\x9f", "not an envelope")
        start = pull.pos
        pull.limit = min(most, start + MAX_HEADER)
        pull.expect(L.TAG_ENCRYPT + b"\x84", "not a header")
        for _ in range(4):
            pull.item(2)
        header = parse_header(bytes(stream.buffer[:pull.pos]), start, 1)
        pull.limit = most
        if pull.open(2, "not a preamble") != 56:
            raise Refused("syntax", "length of the preamble")
        pull.take(56)
        while _chunk(pull) == FULL:
            pass
        pull.expect(BREAK, "something after a short chunk")
    except Failure as failure:
        beyond = pull.limit == most and failure.status == 6
        raise Refused("size" if beyond else "syntax", str(failure)) from None
    return Deposit(pull.done(), header)
