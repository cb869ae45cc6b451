"""What all groups of cases share."""

import os

from e2epeer import labels as L
from e2epeer.cbor import Raw, encode, head
from e2epeer.identity import new_identity, read_file, write_file
from e2epeer.sealing import Plan, Sealer

DATA = b"hello\n"
PASS = b"open sesame"
COST = (1, 8192, 1)
KINDS = {"alice": "x25519", "bob": "x25519", "carol": "rsa2048",
         "dave": "rsa2048", "mallory": "x25519"}


class People:
    """Identities by name, from NAME.key in a folder; missing ones are made."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        for name, kind in KINDS.items():
            path = os.path.join(folder, name + ".key")
            if not os.path.exists(path):
                self._make(path, kind, name)
            with open(path, "rb") as f:
                identity = read_file(f.read())
            pub = os.path.join(folder, name + ".pub")
            if not os.path.exists(pub):
                with open(pub, "wb") as f:
                    f.write(identity.card.line + b"\n")
            setattr(self, name, identity)

    @staticmethod
    def _make(path, kind, name):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as f:
            f.write(write_file(new_identity(kind, name)))


class Cases:
    """Collects {name: (bytes, expectation)}, and public key lines by name.

    `teams` are the groups that are written to (see teams.py).
    """

    def __init__(self, people, teams=None):
        self.p = people
        self.items = {}
        self.teams = teams
        self.lines = {n: getattr(people, n).card.line for n in KINDS}

    def add(self, name, status, why, data, **extra):
        """One case from finished bytes."""
        if name in self.items:
            raise ValueError("case twice: " + name)
        self.items[name] = (data, {"status": status, "why": why, **extra})

    def sealer(self, to=("bob",), sender=None, data=DATA, **plan):
        """A finished Sealer for people by name, without the writer's checks."""
        cards = [getattr(self.p, n).card for n in to]
        who = getattr(self.p, sender) if isinstance(sender, str) else sender
        plan.setdefault("cost", COST)
        run = Sealer(Plan(cards, sender=who, strict=False, **plan))
        run.seal(data)
        return run

    def make(self, **args):
        """An envelope."""
        return self.sealer(**args).state.envelope

    def case(self, name, status, why, expect=None, **args):
        """One case from a plan; `expect` holds more members of expect.json."""
        self.add(name, status, why, self.make(**args), **(expect or {}))

    def group_case(self, name, status, why, groups=("team",), expect=None, **args):
        """One case of an envelope to groups by name, opened with the first of them."""
        keys = [self.teams.keys[g] for g in groups]
        self.case(name, status, why, {"groups": [*groups[:1]], **(expect or {})},
                  **{"to": (), "sender": "alice", "mode": 2, "groups": keys, **args})

    def hook(self, name, status, why, point, function, expect=None, **args):
        """One case with a hook on one value."""
        self.case(name, status, why, expect, hooks={point: function}, **args)


def change(**members):
    """A hook that sets members of a map by the names of labels; None deletes."""
    named = {getattr(L, k): v for k, v in members.items()}

    def apply(value, _state):
        result = {**value, **named}
        return {k: v for k, v in result.items() if v is not None}
    return apply


def put(key, value):
    """A hook that sets one member by its number."""
    return lambda m, _state: {**m, key: value}


def fixed(value):
    """A hook that replaces the value."""
    return lambda _value, _state: value


def flip(at=0, bit=1):
    """A hook that inverts one bit of a byte string."""
    def apply(value, _state):
        value = bytearray(value)
        value[at] ^= bit
        return bytes(value)
    return apply


def raw_map(pairs):
    """A map in just this order; keys and values are items."""
    return Raw(head(5, len(pairs)) + b"".join(encode(k) + encode(v) for k, v in pairs))


def nest(levels):
    """Arrays nested so many levels deep."""
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def asked(who="any", **more):
    """Expectation members: the reader asks for this sender."""
    return {"from": who, **more}
