"""Signatures (section 5), the core of CHAL (4.4) and successions (11)."""

from e2epeer import claims as C
from e2epeer import labels as L
from e2epeer.card import Card
from e2epeer.cbor import decode, encode, is_bstr, is_uint
from e2epeer.cose import make_sign1, parse_sign1, protected_map, sig_structure
from e2epeer.crypto import sha256
from e2epeer.errors import Failure

from .failures import NotTheRelay, Violation

TYP = {name: "application/e2e-" + rest for name, rest in {
    "server": "relay-server", "auth": "relay-auth", "ack": "relay-ack",
    "record": "relay-record", "storage": "storage+cwt",
    "succession": "succession+cwt"}.items()}
ROOT = -65674
ZERO = bytes(32)
LIMITS = {1: 67108864, 2: 2592000, 3: 1073741824, 4: 100000, 5: 0}
STORAGE = {L.IAT: ("iat", "m", C.uint), ROOT: ("root", "m", C.bstr(32))}
SUCCESSION = {1: ("old", "m", C.bstr(32)), L.IAT: ("iat", "m", C.uint),
              L.CNF: ("new", "m", C.confirm_id)}


def sign(name, key, payload):
    """A COSE_Sign1 over a payload, given as an array or map, or encoded."""
    encoded = payload if isinstance(payload, bytes) else encode(payload)
    return make_sign1(key, TYP[name], encoded)


def is_signed(name, key, payload, raw):
    """True if raw is a signature by this key over exactly this payload."""
    protected, encoded = encode(protected_map(key, TYP[name])), encode(payload)
    front = L.TAG_SIGN1 + b"\x84" + encode(protected) + b"\xa0" + encode(encoded)
    if not raw.startswith(front):
        return False
    try:
        signature = decode(raw[len(front):])
    except Failure:
        return False
    return is_bstr(signature) and key.verify(signature, sig_structure(protected, b"", encoded))


def server_payload(hello, core, binding):
    """What the relay signs in CHAL."""
    return ["e2e-relay server", sha256(hello), sha256(core), binding]


def auth_payload(relay_id, mailbox, hello, chal, binding):
    """What the owner of a mailbox signs in AUTH."""
    return ["e2e-relay auth", relay_id, mailbox, sha256(hello + chal), binding]


def ack_payload(session, ranges, ids):
    """What the owner signs in ACK; ids in ascending order of seq."""
    return ["e2e-relay ack", session, ranges, sha256(b"".join(ids))]


def record_payload(hello, chal, number, query, record):
    """What the relay signs in RECORD; record is [card, revocations, registered]."""
    return ["e2e-relay record", sha256(hello + chal), number, query, sha256(encode(record))]


def make_succession(old, new_id, iat):
    """[old card, succession] for the core."""
    claims = {1: old.id, L.IAT: iat, L.CNF: {5: new_id}}
    return [old.card.raw, sign("succession", old.signing_key, claims)]


class Core:
    """The checked shape of a core."""

    def __init__(self, raw):
        try:
            item = decode(raw)
        except Failure as failure:
            raise Violation("core: %s" % failure) from None
        if not isinstance(item, list) or len(item) != 6:
            raise Violation("core: shape")
        self.version, self.card_raw, self.successions, self.snonce, self.time, self.limits = item
        pairs = self.successions
        good = is_uint(self.version) and is_bstr(self.card_raw) and is_bstr(self.snonce, 32) and \
            is_uint(self.time) and isinstance(self.limits, dict) and \
            set(self.limits) == set(LIMITS) and all(map(is_uint, self.limits.values())) and \
            self.limits[5] <= 2 and isinstance(pairs, list) and len(pairs) <= 8 and \
            all(isinstance(p, list) and len(p) == 2 and all(map(is_bstr, p)) for p in pairs)
        if not good:
            raise Violation("core: elements")

    def predecessors(self, relay_id):
        """The ids from which this one is proved to descend, newest first."""
        found, heir = [], relay_id
        for card_raw, succession in self.successions:
            try:
                card = Card(card_raw).verify()
                sign1 = parse_sign1(succession, TYP["succession"], SUCCESSION)
            except Failure:
                break
            claims = sign1.claims
            if sign1.kid != card.id or claims[1] != card.id or sign1.alg != card.key.alg or \
                    claims[L.CNF][5] != heir or not sign1.verifies(card.key):
                break
            found.append(card.id)
            heir = card.id
        return found


def check_chal(hello, elements, versions, binding, pin):
    """(core, card, successor) after the four steps of 6.2."""
    core_raw, signature = elements
    core = Core(core_raw)
    if core.version not in versions:
        raise Violation("a version that was not offered")
    try:
        card = Card(core.card_raw).verify()
    except Failure as failure:
        raise Violation("card of the relay: %s" % failure) from None
    if not is_signed("server", card.key, server_payload(hello, core_raw, binding), signature):
        raise NotTheRelay("signature of CHAL")
    successor = pin is not None and card.id != pin
    if successor and pin not in core.predecessors(card.id):
        raise NotTheRelay("another relay than the pinned one")
    return core, card, successor
