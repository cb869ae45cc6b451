"""Cards and public key lines (7.4, 7.5)."""

import time

from . import claims as C
from . import labels as L
from .armor import b64decode_strict, b64url
from .cbor import encode
from .cose import make_sign1, parse_sign1
from .errors import bad_sender, malformed, not_authentic, over_limit
from .keys import ENCRYPTION, SIGNING, check_distinct, parse_key

MAX_CARD = 16384


def _cnf(name, value):
    if not isinstance(value, dict) or set(value) != {1}:
        raise malformed(name + ": not {1: COSE_Key}")
    if parse_key(value[1], private=False).alg not in SIGNING:
        raise malformed(name + ": not a signing key")


def _enc_key(name, value):
    if parse_key(value, private=False).alg not in ENCRYPTION:
        raise malformed(name + ": not an encryption key")


TABLE = {
    2: ("name", "o", C.text(64)),
    L.EXP: ("exp", "o", C.uint),
    L.IAT: ("iat", "m", C.uint),
    L.CNF: ("cnf", "m", _cnf),
    L.ENC_KEYS: ("encryption keys", "m", C.array_of(_enc_key, 16)),
    L.SERIAL: ("serial", "m", C.uint),
    L.CERTIFICATES: ("certificates", "o", C.array_of(C.bstr())),
}


class Card:
    """A parsed card; its signature is checked by verify()."""

    def __init__(self, raw):
        if len(raw) > MAX_CARD:
            raise over_limit("card: too long")
        self.raw = raw
        self.sign1 = parse_sign1(raw, L.TYP_CARD, TABLE)
        self.claims = self.sign1.claims
        self.key = parse_key(self.claims[L.CNF][1], private=False)
        self.enc_keys = [parse_key(k, private=False)
                         for k in self.claims[L.ENC_KEYS]]
        check_distinct([self.key] + self.enc_keys)
        self.id = self.key.thumbprint
        if self.sign1.kid != self.id:
            raise malformed("card: kid is not the thumbprint of its key")
        if self.sign1.alg != self.key.alg:
            raise malformed("card: alg is not that of its key")
        if self.claims.get(L.EXP) == 0:
            raise malformed("card: exp of 0")
        self.name = self.claims.get(2)
        self.serial = self.claims[L.SERIAL]

    def verify(self):
        """Checks the card's own signature."""
        if not self.sign1.verifies(self.key):
            raise not_authentic("card: signature")
        return self

    def check_exp(self, now):
        """A card that is used has to be valid."""
        if L.EXP in self.claims and now >= self.claims[L.EXP]:
            raise bad_sender("card: expired")

    @property
    def line(self):
        """The public key line, without its end."""
        text = b"e2e-pub1 " + b64url(self.raw)
        return text + (b" " + self.name.encode() if self.name else b"")


def make_card(keys, name=None, iat=None, serial=1, exp=None, extra=None):
    """A card for [signing key, + encryption key]."""
    claims = {L.IAT: int(time.time()) if iat is None else iat,
              L.CNF: {1: keys[0].public_map},
              L.ENC_KEYS: [k.public_map for k in keys[1:]], L.SERIAL: serial}
    if name is not None:
        claims[2] = name
    if exp is not None:
        claims[L.EXP] = exp
    claims.update(extra or {})
    return make_sign1(keys[0], L.TYP_CARD, encode(claims))


def parse_lines(data):
    """The verified cards of a file of public key lines."""
    lines = data.split(b"\n")
    cards = []
    for number, line in enumerate(lines):
        # CRLF ends a line; a CR without LF is part of the line.
        if number < len(lines) - 1 and line.endswith(b"\r"):
            line = line[:-1]
        if not line or line.startswith(b"#"):
            continue
        parts = line.split(b" ", 2)
        if len(parts) < 2 or parts[0] != b"e2e-pub1":
            raise malformed("not a public key line")
        cards.append(Card(b64decode_strict(parts[1], url=True)).verify())
    return cards
