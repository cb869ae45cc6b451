"""Types of claims (1.4), and a checker for claims maps and closed maps."""

from .cbor import ARRAY, BSTR, MAP, TSTR, Decoder, is_bstr, is_uint
from .errors import malformed, over_limit


MAX_NUMBER = 2**63 - 1


def _declared(check, major, most):
    """Notes the limit that a declared length is held against (1.3)."""
    check.declared = (major, most)
    return check


def uint(name, value):
    """A uint; also a time."""
    if not is_uint(value):
        raise malformed(name + ": not a uint")


def number(name, value):
    """An epoch, or a number that is to be remembered (L22)."""
    uint(name, value)
    if value > MAX_NUMBER:
        raise over_limit(name + ": too large")


def bstr(n=None, most=None):
    """A byte string of n bytes, or at most so many (else status 6)."""
    def check(name, value):
        if not is_bstr(value, n):
            raise malformed(name + ": not a bstr of the right length")
        if most is not None and len(value) > most:
            raise over_limit(name + ": too long")
    return _declared(check, BSTR, most)


def text(most=None):
    """A text string of at most so many bytes (else status 6)."""
    def check(name, value):
        if not isinstance(value, str):
            raise malformed(name + ": not text")
        if "\0" in value:
            raise malformed(name + ": U+0000")
        if most is not None and len(value.encode("utf-8")) > most:
            raise over_limit(name + ": too long")
    return _declared(check, TSTR, most)


def flag(name, value):
    """Only true is a valid flag."""
    if value is not True:
        raise malformed(name + ": a flag is true or absent")


def array_of(check_one, most=None, least=1):
    """An array of one or more, or of at least so many."""
    def check(name, value):
        if not isinstance(value, list) or len(value) < least:
            raise malformed(name + ": not an array, or empty")
        if most is not None and len(value) > most:
            raise over_limit(name + ": too many")
        for one in value:
            check_one(name, one)
    return _declared(check, ARRAY, most)


def zeros(name, value):
    """The padding string."""
    if not is_bstr(value) or any(value):
        raise malformed(name + ": not a bstr of zeros")


def read_claims(data, table):
    """The claims map in data, each member checked where it stands.

    table: {key: (name, presence, check)}, presence one of m, o.
    """
    dec = Decoder(data)
    claims, last = {}, b""
    for _ in range(dec.open(MAP, "claims: no map")):
        key, last = dec.key(last)
        name, _, check = table.get(key, (None, None, None))
        major, most = getattr(check, "declared", (None, None))
        if most is not None and dec.peek()[0] == major and dec.peek()[1] > most:
            raise over_limit(name + ": too long")
        claims[key] = dec.item(1)
        if check:
            check(name, claims[key])
    dec.end()
    for key, (name, presence, _) in table.items():
        if presence == "m" and key not in claims:
            raise malformed(name + ": missing")
    return claims


def confirm_id(name, value):
    """The closed map {5: identity id}."""
    if not isinstance(value, dict) or set(value) != {5} or not is_bstr(value[5], 32):
        raise malformed(name + ": not {5: identity id}")
