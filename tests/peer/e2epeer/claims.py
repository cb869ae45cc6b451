"""Types of claims (1.4), and a checker for claims maps and closed maps."""

from .cbor import MAP, Decoder, is_bstr, is_uint
from .errors import malformed, over_limit


def uint(name, value):
    """A uint; also a time."""
    if not is_uint(value):
        raise malformed(name + ": not a uint")


def bstr(n=None, most=None):
    """A byte string of n bytes, or at most so many (else status 6)."""
    def check(name, value):
        if not is_bstr(value, n):
            raise malformed(name + ": not a bstr of the right length")
        if most is not None and len(value) > most:
            raise over_limit(name + ": too long")
    return check


def text(most=None):
    """A text string of at most so many bytes (else status 6)."""
    def check(name, value):
        if not isinstance(value, str):
            raise malformed(name + ": not text")
        if "\0" in value:
            raise malformed(name + ": U+0000")
        if most is not None and len(value.encode("utf-8")) > most:
            raise over_limit(name + ": too long")
    return check


def flag(name, value):
    """Only true is a valid flag."""
    if value is not True:
        raise malformed(name + ": a flag is true or absent")


def array_of(check_one, most=None):
    """An array of one or more."""
    def check(name, value):
        if not isinstance(value, list) or not value:
            raise malformed(name + ": not an array, or empty")
        if most is not None and len(value) > most:
            raise over_limit(name + ": too many")
        for one in value:
            check_one(name, one)
    return check


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
        claims[key] = dec.item(1)
        if key in table:
            name, _, check = table[key]
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
