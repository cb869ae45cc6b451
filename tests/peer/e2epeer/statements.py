"""Revocations and delivery receipts (section 11)."""

import time

from . import armor
from . import claims as C
from . import crypto
from . import labels as L
from .cbor import encode
from .cose import make_sign1, parse_sign1
from .errors import bad_sender, malformed, not_authentic, over_limit

MAX_REVOCATION = MAX_DELIVERY = 4096
TABLE = {
    1: ("by", "m", C.bstr(32)),
    L.IAT: ("iat", "m", C.uint),
    L.CTI: ("cti", "m", C.bstr(16)),
    L.CNF: ("whom", "m", C.confirm_id),
    L.REASON: ("reason", "m", C.uint),
    L.INVALID_SINCE: ("invalid since", "o", C.uint),
    L.CERT_SERIAL: ("serial", "o", C.bstr(16)),
}


DELIVERY = {
    L.IAT: ("iat", "m", C.uint),
    L.CTI: ("cti", "m", C.bstr(16)),
    L.MESSAGE_ID: ("message id", "m", C.bstr(16)),
    L.MESSAGE_CH: ("ch", "m", C.bstr(32)),
    L.DATA_HASH: ("hash of the data", "m", C.bstr(32)),
}


class Revocation:
    """A parsed revocation."""

    def __init__(self, raw):
        if len(raw) > MAX_REVOCATION:
            raise over_limit("revocation: too long")
        self.sign1 = parse_sign1(raw, L.TYP_REVOCATION, TABLE)
        self.claims = self.sign1.claims
        self.by, self.whom = self.claims[1], self.claims[L.CNF][5]
        if self.sign1.kid != self.by:
            raise malformed("revocation: kid is not claim 1")

    def verify(self, cards):
        """Checks the signature with a card of the signer."""
        card = next((c for c in cards if c.id == self.by), None)
        if card is None:
            raise bad_sender("revocation: signer not known")
        if self.sign1.alg != card.key.alg:
            raise malformed("revocation: alg is not that of the card")
        if not self.sign1.verifies(card.key):
            raise not_authentic("revocation: signature")
        return self

    @property
    def ends_identity(self):
        """The id that it ends, or None where it ends none."""
        alone = L.CERT_SERIAL not in self.claims
        return self.whom if alone and self.by == self.whom else None


def make_revocation(identity, reason=0, invalid_since=None, iat=None, cti=None):
    """The COSE_Sign1 by which an identity revokes itself."""
    claims = {1: identity.id, L.IAT: int(time.time()) if iat is None else iat,
              L.CTI: cti or crypto.random(16), L.CNF: {5: identity.id},
              L.REASON: reason}
    if invalid_since is not None:
        claims[L.INVALID_SINCE] = invalid_since
    return make_sign1(identity.signing_key, L.TYP_REVOCATION, encode(claims))


def write_revocation(raw, comments=()):
    """The armored form."""
    return armor.encode(armor.REVOCATION, raw, comments)


def read_revocation(text):
    """A parsed revocation of an identity by itself, from its armor."""
    made = Revocation(armor.decode(armor.REVOCATION, text, comments=True))
    if made.ends_identity is None:
        raise malformed("revocation: not of an identity by itself")
    return made


class Delivery:
    """A delivery receipt out of an envelope that is signed with `kid`."""

    def __init__(self, raw, kid):
        if len(raw) > MAX_DELIVERY:
            raise over_limit("delivery receipt: too long")
        self.sign1 = parse_sign1(raw, L.TYP_DELIVERY, DELIVERY)
        self.claims = self.sign1.claims
        self.by = self.sign1.kid
        self.what = tuple(self.claims[k] for k in (L.MESSAGE_ID, L.MESSAGE_CH, L.DATA_HASH))
        if self.by != kid:
            raise malformed("delivery receipt: by another than its envelope")

    def verify(self, card):
        """Checks the signature."""
        if self.sign1.alg != card.key.alg:
            raise malformed("delivery receipt: alg is not that of the card")
        if not self.sign1.verifies(card.key):
            raise not_authentic("delivery receipt: signature")
        return self


def delivery_claims(message_id, ch, data, iat=None, cti=None):
    """The claims of a delivery receipt."""
    return {L.IAT: int(time.time()) if iat is None else iat, L.CTI: cti or crypto.random(16),
            L.MESSAGE_ID: message_id, L.MESSAGE_CH: ch, L.DATA_HASH: crypto.sha256(data)}


def make_delivery(identity, claims):
    """The COSE_Sign1 of a delivery receipt."""
    return make_sign1(identity.signing_key, L.TYP_DELIVERY, encode(claims))
