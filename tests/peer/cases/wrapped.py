"""Wrapped keys (section 9)."""

from dataclasses import replace

from e2epeer import armor
from e2epeer import labels as L
from e2epeer.card import make_card
from e2epeer.cbor import Raw, encode, head
from e2epeer.header import wrap_group
from e2epeer.metadata import header_aad, sender_aad
from e2epeer.cose import sig_structure

from .base import COST, PASS, asked, change, fixed, flip, put

MINE = {"key": None, "passphrase": PASS.decode()}


def _adder(c):
    team = c.teams.keys["team"]

    def add(name, status, why, point=None, function=None, expect=None, group=team, **args):
        hooks = {point: function} if point else {}
        c.add(name, status, why, c.teams.wrap(group, hooks=hooks, **args), **(expect or {}))
    return add


def _claims(c, add):
    def claim(name, status, why, **members):
        add("claim-" + name, status, why, "claims", change(**members))

    for name in ("IAT", "CTI", "KEY", "EPOCH", "MEMBERS", "RANDOM"):
        claim(name.lower() + "-missing", 5, "mandatory", **{name: None})
    k = c.teams.keys["team"].key
    key = {1: 4, 3: -5, -1: k}
    for name, value in (("kty", {**key, 1: 1}), ("alg", {**key, 3: 3}),
                        ("no-alg", {1: 4, -1: k}), ("extra", {**key, 2: b"x"}),
                        ("31", {**key, -1: k[1:]}), ("33", {**key, -1: k + b"x"}),
                        ("text", {**key, -1: "k" * 32}), ("raw", k)):
        claim("key-" + name, 5, "shape of the key", KEY=value)
    bob = c.p.bob.id
    claim("iat-negative", 5, "a time is a uint", IAT=-1)
    claim("cti-15", 5, "length", CTI=bytes(15))
    claim("random-15", 5, "length", RANDOM=bytes(15))
    claim("epoch-2-63-1", 0, "L22: just at the limit", EPOCH=2**63 - 1)
    claim("epoch-2-63", 6, "L22", EPOCH=2**63)
    claim("epoch-2-64-1", 6, "L22", EPOCH=2**64 - 1)
    claim("epoch-negative", 5, "no uint", EPOCH=-1)
    claim("epoch-text", 5, "no uint", EPOCH="1")
    claim("name-missing", 0, "optional", GROUP_NAME=None)
    claim("name-255", 0, "L14: just at the limit", GROUP_NAME="a" * 255)
    claim("name-256", 6, "L14", GROUP_NAME="a" * 256)
    claim("name-nul", 5, "U+0000", GROUP_NAME="a\0")
    claim("name-bytes", 5, "not text", GROUP_NAME=b"x")
    claim("name-controls", 0, "text is data", GROUP_NAME="\x1b[31m\u202e\n")
    claim("members-1024", 0, "L2: just at the limit", MEMBERS=[bytes(32)] * 1023 + [bob])
    claim("members-1025", 6, "L2", MEMBERS=[bob] * 1025)
    claim("members-1025-short", 6, "L2 by the number, before the elements",
          MEMBERS=[b""] * 1025)
    claim("members-empty", 3, "nobody is a member", MEMBERS=[])
    claim("members-other", 3, "not a member", MEMBERS=[c.p.alice.id])
    claim("members-31", 5, "length of an element", MEMBERS=[bob, bytes(31)])
    claim("members-map", 5, "no array", MEMBERS={})
    claim("exp-past", 0, "a wrapped key has no exp: ignored", EXP=1)
    claim("ik-and-mode", 0, "not of a wrapped key: ignored", IK=bytes(32), MODE=2)
    add("claim-unknown", 0, "ignored", "claims", put(1000, [None]))

    def cut(payload, _state):
        """The claims end where the members' declared number would need more."""
        end = payload.index(encode(L.MEMBERS)) + 5
        return payload[:end] + head(4, 2**32)
    add("members-declared", 6, "L2 by the declared number; the claims end", "payload", cut)

    def sized(size):
        def apply(claims, state):
            def total(n):
                payload = encode({**claims, 1000: bytes(n)})
                return 69 + len(encode(state.sign_protected)) + len(encode(payload))
            n = size
            while total(n) > size:
                n -= 1
            return {**claims, 1000: bytes(n)}
        return apply
    add("metadata-65536", 0, "L3: just at the limit", "claims", sized(65536))
    add("metadata-65537", 6, "L3", "claims", sized(65537))


def _signatures(c, add):
    alice = c.p.alice
    add("ok", 0, "control")
    add("ok-hidden", 0, "entries without kid", hidden=True)
    add("ok-rsa", 0, "of an RSA maker", maker="dave",
        group=replace(c.teams.keys["team"], maker=c.p.dave.id))
    add("ok-for-rsa", 0, "to an RSA key", to=("bob", "carol"), expect={"key": "carol"})
    add("maker-right", 0, "the maker asked for", expect=asked("alice"))
    add("maker-other", 3, "another maker", expect=asked("dave"))
    add("maker-known", 0, "no card, but known", expect=asked(known=["alice"]), carry_card=False)
    add("maker-unknown", 3, "no card, and not known", carry_card=False)
    add("unsigned", 5, "bare metadata", maker=None)
    add("not-mine", 2, "for another", to=("carol",))
    add("reissued", 0, "by a member, around the key of another group", maker="mallory")
    add("reissued-asked", 3, "and the maker is asked for", maker="mallory",
        expect=asked("alice"))
    for name, typ in (("metadata", L.TYP_METADATA), ("card", L.TYP_CARD),
                      ("rewrap", L.TYP_REWRAP)):
        add("typ-" + name, 5, "another typ", "signed_protected", put(16, typ))
    add("kid-other", 5, "the card is not that of kid", "signed_protected",
        put(4, c.p.mallory.id))
    add("alg-other", 5, "alg does not agree with the key", "signed_protected", put(1, -37))
    add("altered", 1, "signature", "signature", flip(5))
    add("label-sender", 1, "signed as the metadata of an envelope", "signature",
        lambda v, s: alice.signing_key.sign(sig_structure(
            s.sign_protected, sender_aad(s.protected, s.iv, s.rh), s.payload)))
    add("label-header", 2, "encrypted as that of an envelope", "header_aad",
        lambda v, s: header_aad(s.rh))
    raw = alice.card.raw
    add("card-altered", 1, "signature of the card", "claims",
        put(L.CARD, raw[:-1] + bytes([raw[-1] ^ 1])))
    add("card-other", 5, "card of another", "claims", put(L.CARD, c.p.dave.card.raw))
    add("card-empty", 5, "card is empty", "claims", put(L.CARD, b""))
    add("card-16385", 6, "L15", "claims", put(L.CARD, bytes(16385)))
    old = put(L.CARD, make_card(alice.keys, exp=1, serial=2))
    add("card-expired", 0, "nobody asked for the maker", "claims", old)
    add("card-expired-asked", 3, "the maker's card has expired", "claims", old,
        asked())
    add("order-signature-member", 1, "wrong signature, and not a member", "signature",
        fixed(bytes(64)), group=replace(c.teams.keys["team"], members=[]))
    add("order-claims-unknown", 5, "no epoch, and the maker is not known", "claims",
        change(EPOCH=None), carry_card=False)


def _frame(c, add):
    good = c.teams.wrap(c.teams.keys["team"])
    c.add("trailing", 5, "a byte behind it", good + b"\0")
    c.add("twice", 5, "two in one file", good + good)
    c.add("break", 5, "the end of an envelope behind it", good + b"\xff")
    c.add("cut", 5, "ends early", good[:-1])
    c.add("tag-only", 5, "ends early", good[:5])
    c.add("empty", 5, "no bytes", b"")
    c.add("array", 5, "as if it were an envelope", L.TAG_WRAPPED + b"\x9f" + good[5:])
    c.add("tag-e2e1", 5, "tag of envelopes", L.TAG_ENVELOPE + good[5:])
    c.add("envelope", 5, "an envelope", c.make(sender="alice"))
    c.add("armored", 0, "in armor", armor.encode(armor.WRAPPED_KEY, good))
    c.add("armored-message", 5, "in armor of a message", armor.encode(armor.MESSAGE, good))
    c.add("armored-envelope", 5, "an envelope in armor of a wrapped key",
          armor.encode(armor.WRAPPED_KEY, c.make(sender="alice")))
    c.add("armored-twice", 5, "two in one armor", armor.encode(armor.WRAPPED_KEY, good * 2))
    add("rewrap", 5, "a rewrap block", "unprotected", put(L.REWRAP, [bytes(12), bytes(40)]))
    add("iv-other", 2, "IV altered", "unprotected", put(5, bytes(12)))
    add("kc-wrong", 2, "kc of another key", "protected", flip(-1))
    add("recipients-0", 5, "L2: none", "entries", fixed([]))
    add("recipients-1025", 6, "L2", "entries", lambda e, s: e + [[b"", {1: 99}, b"x"]] * 1024)
    add("depth-8", 0, "C11: the header's array is level 1", "entries",
        lambda e, s: [[b"", {9: [[[[]]]]}, b""]] + e)
    add("depth-9", 5, "C11", "entries", lambda e, s: [[b"", {9: [[[[[]]]]]}, b""]] + e)
    for name in ("team", "team-2"):
        group = c.teams.keys[name]
        add("entry-%s-only" % name, 2, "for who has a group key: skipped", "entries",
            lambda e, s, g=group: [wrap_group(s.cek, g, False)], {"groups": [name]})
    add("entry-group", 0, "a group key entry besides: skipped", "entries",
        lambda e, s: [wrap_group(s.cek, c.teams.keys["team"], True)] + e)
    add("entry-group-null", 5, "a known kind that deviates", "entries",
        lambda e, s: [[b"", {1: -5}, None]] + e)
    secret = {"passphrase": PASS, "cost": COST, "to": ()}
    add("passphrase", 0, "opened by no identity: no member is looked for", expect=MINE,
        **secret)
    add("passphrase-missing", 7, "none given", **secret)
    add("payload-array", 5, "payload is no map", "payload", fixed(b"\x80"))
    add("metadata-trailing", 5, "C6", "metadata", lambda m, s: m + b"\0")
    add("metadata-empty", 5, "no metadata", "metadata", fixed(b""))
    add("claims-float", 5, "C8", "claims", put(1000, Raw(b"\xf9\x00\x00")))


def add(c):
    """All cases of this module."""
    adder = _adder(c)
    _claims(c, adder)
    _signatures(c, adder)
    _frame(c, adder)
