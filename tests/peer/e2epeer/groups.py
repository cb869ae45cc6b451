"""Group keys and the claims of wrapped keys (section 9)."""

from dataclasses import dataclass

from . import claims as C
from . import crypto
from . import labels as L
from .card import MAX_CARD
from .cbor import encode, is_bstr, is_int
from .errors import malformed
from .header import MAX_RECIPIENTS


def _key(name, value):
    if not isinstance(value, dict) or set(value) != {1, 3, -1} or \
            not is_int(value[1], 4) or not is_int(value[3], L.A256KW) or \
            not is_bstr(value[-1], 32):
        raise malformed(name + ": not {1: 4, 3: -5, -1: k}")


TABLE = {
    L.IAT: ("iat", "m", C.uint),
    L.CTI: ("cti", "m", C.bstr(16)),
    L.CARD: ("card", "o", C.bstr(most=MAX_CARD)),
    L.KEY: ("key", "m", _key),
    L.GROUP_NAME: ("name", "o", C.text(255)),
    L.EPOCH: ("epoch", "m", C.number),
    L.MEMBERS: ("members", "m", C.array_of(C.bstr(32), MAX_RECIPIENTS, 0)),
    L.RANDOM: ("random", "m", C.bstr(16)),
}


def group_kid(maker, random, name, epoch):
    """The kid of a group key; name is None where there is none."""
    return crypto.sha256(encode(["e2e1 group", maker, random, name, epoch]))


@dataclass
class GroupKey:
    """What a wrapped key says; `maker` is his identity id."""

    key: bytes
    maker: bytes
    random: bytes
    name: str
    epoch: int
    members: list

    @classmethod
    def of_claims(cls, maker, claims):
        """From checked claims."""
        return cls(claims[L.KEY][-1], maker, claims[L.RANDOM], claims.get(L.GROUP_NAME),
                   claims[L.EPOCH], claims[L.MEMBERS])

    @property
    def claims(self):
        """The claims that say so."""
        named = {} if self.name is None else {L.GROUP_NAME: self.name}
        return {L.KEY: {1: 4, 3: L.A256KW, -1: self.key}, **named, L.EPOCH: self.epoch,
                L.MEMBERS: self.members, L.RANDOM: self.random}

    @property
    def kid(self):
        """The group kid."""
        return group_kid(self.maker, self.random, self.name, self.epoch)

    @property
    def id(self):
        """What stands for the reader in `to` (5.3)."""
        return self.kid

    @property
    def lineage(self):
        """What all epochs of a group have in common."""
        return self.maker, self.random, self.name

    @property
    def speakers(self):
        """Whose messages are messages to the group."""
        return {self.maker, *self.members}
