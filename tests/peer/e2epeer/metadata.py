"""Metadata: claims, signature, `to`, and its padding (5.1 to 5.4)."""

from dataclasses import dataclass

from . import claims as C
from . import crypto
from . import labels as L
from .card import MAX_CARD, Card
from .cbor import encode
from .cose import Sign1, parse_sign1
from .errors import malformed, over_limit
from .header import MAX_METADATA

BLOCK = 512


def _segment_size(name, value):
    C.uint(name, value)
    if not 65536 <= value <= 16777216:
        raise over_limit(name + ": out of range")


TABLE = {
    L.EXP: ("exp", "o", C.uint),
    L.IAT: ("iat", "m", C.uint),
    L.CTI: ("cti", "m", C.bstr(16)),
    L.IK: ("ik", "m", C.bstr(32)),
    L.MODE: ("mode", "m", C.uint),
    L.SEGMENT_SIZE: ("segment size", "o", _segment_size),
    L.CONVERSATION: ("conversation id", "o", C.bstr(16)),
    L.SEQUENCE: ("sequence number", "o", C.uint),
    L.MEDIA_TYPE: ("media type", "o", C.text(255)),
    L.FILE_NAME: ("file name", "o", C.text(255)),
    L.REPLY_TO: ("in-reply-to", "o", C.bstr(16)),
    L.CARD: ("card", "o", C.bstr(most=MAX_CARD)),
    L.PADDED: ("padded", "o", C.flag),
    L.RECEIPT: ("receipt wanted", "o", C.flag),
    L.TO: ("to", "o", C.array_of(C.bstr(32))),
    L.PADDING: ("padding", "o", C.zeros),
}
SIGNED_ONLY = (L.CARD, L.RECEIPT, L.TO)


def sender_aad(protected, iv, rh, label="e2e1 sender"):
    """The external_aad of the sender's signature."""
    return encode([label, protected, iv, rh])


def header_aad(rh, label="e2e1 header"):
    """The external_aad of the header's encryption."""
    return encode([label, rh])


def to_element(cti, ident):
    """The element of `to` for a hidden entry."""
    return crypto.sha256(encode(["e2e1 to", cti, ident]))


def pad_claims(claims, length):
    """Adds the padding; length(claims) is that of the finished metadata."""
    n = 0
    while length({**claims, L.PADDING: bytes(n)}) % BLOCK:
        n += 1
    return {**claims, L.PADDING: bytes(n)}


@dataclass
class Metadata:
    """Parsed metadata; `sign1` is None in bare ones."""

    claims: dict
    mode: int
    sign1: Sign1 = None

    @property
    def card(self):
        """The carried card, or None."""
        return carried_card(self.sign1) if self.sign1 else None


def carried_card(sign1):
    """The verified card that signed claims carry, or None (5.1)."""
    if L.CARD not in sign1.claims:
        return None
    card = Card(sign1.claims[L.CARD]).verify()
    if card.id != sign1.kid:
        raise malformed("a carried card of another identity")
    return card


def parse_metadata(data):
    """Checks form, claims and mode; not yet the carried card and who signed."""
    if len(data) > MAX_METADATA:
        raise over_limit("metadata: too long")
    signed = data[:1] == L.TAG_SIGN1
    sign1 = parse_sign1(data, L.TYP_METADATA, TABLE) if signed else None
    claims = sign1.claims if signed else C.read_claims(data, TABLE)
    mode = claims[L.MODE]
    if mode not in ((1, 2) if signed else (0,)):
        raise malformed("metadata: mode")
    if (L.SEGMENT_SIZE in claims) != (mode == 2):
        raise malformed("metadata: segment size")
    if not signed and any(k in claims for k in SIGNED_ONLY):
        raise malformed("metadata: a claim of signed metadata alone")
    if (L.CONVERSATION in claims) != (L.SEQUENCE in claims):
        raise malformed("metadata: conversation without number, or the reverse")
    return Metadata(claims, mode, sign1)
