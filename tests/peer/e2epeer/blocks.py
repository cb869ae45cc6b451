"""Rewrap blocks as a reader sees them (section 10)."""

from dataclasses import dataclass

from . import claims as C
from . import crypto
from . import labels as L
from .card import MAX_CARD
from .cbor import encode
from .cose import Sign1, parse_sign1
from .errors import malformed

KEY_INFO = encode(["e2e1 rewrap key"])
TABLE = {
    L.IAT: ("iat", "m", C.uint),
    L.CARD: ("card", "o", C.bstr(most=MAX_CARD)),
    L.TO: ("to", "o", C.array_of(C.bstr(32))),
    L.ORIGINAL_RH: ("original rh", "m", C.bstr(32)),
}


def rewrap_key(cek):
    """rk."""
    return crypto.hkdf(cek, KEY_INFO)


def rewrap_aad(protected, iv, ciphertext, recipients):
    """X; recipients are those of the new R, encoded."""
    core = encode([protected, iv, ciphertext])
    return encode(["e2e1 rewrap", crypto.sha256(core), crypto.sha256(recipients)])


@dataclass
class Block:
    """A parsed block; `sign1` is None in bare ones."""

    claims: dict
    aad: bytes
    sign1: Sign1 = None


def open_block(header, cek):
    """The parsed block of a header that has one; None where its tag is wrong."""
    iv, sealed = header.rewrap
    aad = rewrap_aad(header.protected, header.iv, header.ciphertext, header.recipients)
    plain = crypto.gcm_open(rewrap_key(cek), iv, sealed, aad)
    return None if plain is None else parse_block(plain, aad)


def parse_block(data, aad):
    """Checks form and claims; not yet the carried card and who signed."""
    if data[:1] == L.TAG_SIGN1:
        sign1 = parse_sign1(data, L.TYP_REWRAP, TABLE)
        return Block(sign1.claims, aad, sign1)
    claims = C.read_claims(data, TABLE)
    if L.CARD in claims:
        raise malformed("rewrap block: a card in a bare one")
    return Block(claims, aad)
