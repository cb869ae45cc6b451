"""A small strict CBOR encoder and decoder (section 1.3, rules C1 to C11).

Python types: int, bytes, str, list, dict (integer keys), True, False, None.
Tags are never decoded inside an item: the few places that have one look for
its head themselves.  `Raw` lets a writer put bytes of its own anywhere.
"""

from .errors import malformed, over_limit

MAX_DEPTH = 8

UINT, NINT, BSTR, TSTR, ARRAY, MAP, TAG, SIMPLE = range(8)


class Raw(bytes):
    """Encoded bytes that the encoder copies as they are."""


def head(major, n):
    """The head of an item in its shortest form."""
    top = major << 5
    if n < 24:
        return bytes([top | n])
    for ai, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << (8 * size):
            return bytes([top | ai]) + n.to_bytes(size, "big")
    raise ValueError("integer beyond 64 bits")


def encode(x):
    """Core deterministic encoding of x."""
    if x is None:
        return b"\xf6"
    if x is True:
        return b"\xf5"
    if x is False:
        return b"\xf4"
    if isinstance(x, Raw):
        return bytes(x)
    if isinstance(x, int):
        return head(UINT, x) if x >= 0 else head(NINT, -1 - x)
    if isinstance(x, (bytes, bytearray, memoryview)):
        return head(BSTR, len(x)) + bytes(x)
    if isinstance(x, str):
        raw = x.encode("utf-8")
        return head(TSTR, len(raw)) + raw
    if isinstance(x, (list, tuple)):
        return head(ARRAY, len(x)) + b"".join(encode(i) for i in x)
    if isinstance(x, dict):
        pairs = sorted((encode(k), encode(v)) for k, v in x.items())
        return head(MAP, len(pairs)) + b"".join(k + v for k, v in pairs)
    raise TypeError("cannot encode %r" % type(x))


class Decoder:
    """Pulls strictly encoded items from bytes.

    `limit` is an offset that no item may go beyond; it is checked before the
    end of the data is, and its violation is status 6.
    """

    def __init__(self, data, pos=0, limit=None):
        self.data = data
        self.pos = pos
        self.limit = limit

    def _need(self, n):
        if self.limit is not None and self.pos + n > self.limit:
            raise over_limit("longer than its limit")
        if self.pos + n > len(self.data):
            raise malformed("input ends within an item")

    def take(self, n):
        """The next n bytes."""
        self._need(n)
        part = bytes(self.data[self.pos:self.pos + n])
        self.pos += n
        return part

    def expect(self, literal, text):
        """Consumes exactly these bytes."""
        if self.take(len(literal)) != literal:
            raise malformed(text)

    def head(self):
        """(major, argument) of the next head, shortest form enforced (C1, C2)."""
        first = self.take(1)[0]
        major, ai = first >> 5, first & 31
        if major == SIMPLE:
            if ai in (20, 21, 22):
                return major, ai
            raise malformed("floating point, break or another simple value")
        if ai < 24:
            return major, ai
        if ai > 27:
            raise malformed("indefinite length or reserved head")
        size = 1 << (ai - 24)
        n = int.from_bytes(self.take(size), "big")
        if n < (24 if size == 1 else 1 << (4 * size)):
            raise malformed("head not in its shortest form")
        return major, n

    def peek(self):
        """The next head, which stays where it is."""
        ahead = Decoder(self.data, self.pos, self.limit)
        return ahead.head()

    def open(self, major, text):
        """The argument of a head that has to be of this major type."""
        got, n = self.head()
        if got != major:
            raise malformed(text)
        return n

    def bstr(self, text, exact=None, most=None):
        """A byte string, of exactly or at most so many bytes."""
        n = self.open(BSTR, text)
        if exact is not None and n != exact:
            raise malformed(text + ": wrong length")
        if most is not None and n > most:
            raise over_limit(text + ": too long")
        return self.take(n)

    def item(self, depth=0):
        """Any item; depth is the number of arrays and maps around it."""
        major, n = self.head()
        if major == UINT:
            return n
        if major == NINT:
            return -1 - n
        if major == BSTR:
            return self.take(n)
        if major == TSTR:
            try:
                return self.take(n).decode("utf-8")
            except UnicodeDecodeError:
                raise malformed("text is not UTF-8") from None
        if major == TAG:
            raise malformed("a tag where none belongs")
        if major == SIMPLE:
            return {20: False, 21: True, 22: None}[n]
        if depth >= MAX_DEPTH:
            raise malformed("nested too deep")
        if major == ARRAY:
            return [self.item(depth + 1) for _ in range(n)]
        result, last = {}, b""
        for _ in range(n):
            key, last = self.key(last)
            result[key] = self.item(depth + 1)
        return result

    def key(self, last):
        """(key, its encoding) of a map's next member; last encodes the one before."""
        start = self.pos
        kind, value = self.head()
        if kind not in (UINT, NINT):
            raise malformed("map key is not an integer")
        encoded = bytes(self.data[start:self.pos])
        if encoded <= last:
            raise malformed("map keys unsorted or twice")
        return (value if kind == UINT else -1 - value), encoded

    def end(self):
        """Nothing may be left (C6)."""
        if self.pos != len(self.data):
            raise malformed("bytes after the item")


def decode(data):
    """The one item in data, without tags."""
    dec = Decoder(data)
    result = dec.item()
    dec.end()
    return result


def is_int(x, value=None):
    """True for a CBOR integer (bool is none), equal to value if given."""
    return type(x) is int and (value is None or x == value)


def is_uint(x):
    """True for an item of major type 0."""
    return type(x) is int and x >= 0


def is_bstr(x, n=None):
    """True for a byte string, of n bytes if given."""
    return isinstance(x, bytes) and (n is None or len(x) == n)
