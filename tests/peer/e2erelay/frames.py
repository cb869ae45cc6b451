"""Frames (section 4): their table, writing and strict reading."""

from e2epeer.cbor import ARRAY, encode, is_bstr, is_uint
from e2epeer.errors import Failure

from .failures import Ended, Violation
from .stream import Puller

TAG = bytes.fromhex("da65326533")
MAX_FRAME = 65536
MAX_CARD, MAX_STATEMENT = 16384, 4096


def uint(x):
    """A uint."""
    return is_uint(x)


def text(most=256):
    """Text of at most so many bytes."""
    return lambda x: isinstance(x, str) and len(x.encode()) <= most


def bstr(n=None, most=MAX_FRAME):
    """A byte string."""
    return lambda x: is_bstr(x, n) and len(x) <= most


def array(check, low, high):
    """An array of low to high such elements."""
    return lambda x: isinstance(x, list) and low <= len(x) <= high and all(map(check, x))


def null_or(check):
    """null, or such an element."""
    return lambda x: x is None or check(x)


def ranges(x):
    """1 to 256 ranges that neither overlap nor touch."""
    pair = array(uint, 2, 2)
    return array(pair, 1, 256)(x) and all(a <= b for a, b in x) and \
        all(later[0] >= before[1] + 2 for before, later in zip(x, x[1:]))


def proof(x):
    """The signed part of RECEIPT."""
    checks = (bstr(), uint, uint, array(bstr(32), 0, 32), bstr())
    return isinstance(x, list) and len(x) == len(checks) and \
        all(c(e) for c, e in zip(checks, x))


def question(x):
    """A name or an id."""
    return text(64)(x) or bstr(32)(x)


NAMES = ("HELLO CHAL AUTH READY MSG ACK ACKED GET DATA PUT RECEIPT REGISTER LOOKUP REVOKE "
         "RECORD PING PONG GOAWAY ERROR EMPTY CREDIT").split()
(HELLO, CHAL, AUTH, READY, MSG, ACK, ACKED, GET, DATA, PUT, RECEIPT, REGISTER, LOOKUP, REVOKE,
 RECORD, PING, PONG, GOAWAY, ERROR, EMPTY, CREDIT) = range(1, 22)

TABLE = {
    HELLO: (array(uint, 1, 8), null_or(bstr(32)), bstr(32), uint, uint),
    CHAL: (bstr(), bstr()),
    AUTH: (bstr(), null_or(bstr(most=MAX_CARD))),
    READY: (uint, uint, uint, uint),
    MSG: (uint, bstr(32), uint, uint, uint),
    ACK: (ranges, bstr()),
    ACKED: (ranges,),
    GET: (uint, uint),
    DATA: (uint, bstr(32), uint, uint),
    PUT: (array(bstr(32), 0, 1024),),
    RECEIPT: (text(), null_or(proof)),
    REGISTER: (bstr(most=MAX_CARD), null_or(text())),
    LOOKUP: (question,),
    REVOKE: (bstr(most=MAX_STATEMENT),),
    RECORD: (null_or(bstr(most=MAX_CARD)), array(bstr(most=MAX_STATEMENT), 0, 4), uint, bstr()),
    PING: (uint,),
    PONG: (uint,),
    GOAWAY: (text(), uint),
    ERROR: (text(), text()),
    EMPTY: (),
    CREDIT: (uint, uint),
}
BY_RELAY = {CHAL, READY, MSG, ACKED, DATA, RECEIPT, RECORD, EMPTY}
BY_BOTH = {PING, PONG, GOAWAY, ERROR}


def frame(kind, *elements):
    """An encoded frame, right or wrong."""
    return TAG + encode([kind, *elements])


class Frame:
    """A frame that was read."""

    def __init__(self, kind, elements, raw):
        self.kind = kind
        self.elements = elements
        self.raw = raw

    def __repr__(self):
        return "%s %r" % (NAMES[self.kind - 1], self.elements)


def read_frame(stream, from_relay):
    """The next frame, of those that this side may send; Ended before its first byte."""
    stream.fill(1)
    pull = Puller(stream, MAX_FRAME)
    try:
        pull.expect(TAG, "not a frame")
        count = pull.open(ARRAY, "a frame is an array")
        if not 1 <= count <= 6:
            raise Violation("number of elements")
        kind = pull.item(1)
        if not is_uint(kind) or kind not in TABLE:
            raise Violation("unknown type of frame")
        if kind not in BY_BOTH and (kind in BY_RELAY) != from_relay:
            raise Violation("a frame of the other side")
        if count != 1 + len(TABLE[kind]):
            raise Violation("number of elements of %s" % NAMES[kind - 1])
        elements = []
        for check in TABLE[kind]:
            elements.append(pull.item(1))
            if not check(elements[-1]):
                raise Violation("an element of %s" % NAMES[kind - 1])
    except Failure as failure:
        raise Violation(str(failure)) from None
    except Ended:
        raise Violation("ended within a frame") from None
    return Frame(kind, elements, pull.done())
