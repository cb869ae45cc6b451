"""Rewrapped envelopes (section 10): alice's mail to bob, forwarded to carol."""

from e2epeer import crypto
from e2epeer import labels as L
from e2epeer.blocks import rewrap_aad, rewrap_key
from e2epeer.cbor import Raw, encode, head
from e2epeer.card import make_card
from e2epeer.cose import sig_structure
from e2epeer.header import make_header, wrap_key
from e2epeer.metadata import sender_aad, to_element
from e2epeer.opening import Reader, unlock
from e2epeer.rewrapping import Rewrapper
from e2epeer.sealing import Plan

from .base import COST, DATA, PASS, asked, change, fixed, flip, put, raw_map

CAROL = {"key": "carol"}
ALLOWED = {**CAROL, "forwarded": True}


class Forwarder:
    """Makes rewrapped envelopes, without the writer's checks."""

    def __init__(self, c):
        self.c = c
        self.first = c.make(sender="alice", mode=2)

    def unlocked(self, envelope=None, who="bob", groups=()):
        """What a reader needs to rewrap."""
        reader = Reader([getattr(self.c.p, who)], PASS,
                        groups=[self.c.teams.keys[g] for g in groups])
        return unlock(envelope or self.first, reader)

    def run(self, envelope=None, to=("carol",), signer=None, who="bob", groups=(), opens=(),
            **plan):
        """A finished Rewrapper."""
        p, keys = self.c.p, self.c.teams.keys
        made = Rewrapper(Plan([getattr(p, n).card for n in to],
                              sender=getattr(p, signer) if signer else None, strict=False,
                              groups=[keys[g] for g in groups], cost=COST, **plan),
                         self.unlocked(envelope, who, opens))
        made.rewrap()
        return made

    def make(self, **args):
        """A rewrapped envelope."""
        return self.run(**args).state.envelope

    def case(self, name, status, why, expect=None, **args):
        """One case; carol opens it where nothing else is said."""
        self.c.add("rewrap-" + name, status, why, self.make(**args), **{**CAROL, **(expect or {})})

    def hook(self, name, status, why, point, function, expect=None, **args):
        """One case with a hook on one value."""
        self.case(name, status, why, expect, hooks={point: function}, **args)


def _good(c, f):
    right = {"sha256": crypto.sha256(DATA).hex()}
    kinds = {
        "mode-2": f.first,
        "mode-1": c.make(sender="alice"),
        "anonymous": c.make(),
        "hidden": c.make(sender="alice", hidden=True, mode=2),
        "anonymous-hidden": c.make(hidden=True),
        "passphrase": c.make(sender="alice", to=(), passphrase=PASS, mode=2),
    }
    for kind, envelope in kinds.items():
        for signer in (None, "bob"):
            for hidden in (False, True):
                title = "%s%s%s" % (kind, "-signed" * bool(signer), "-to-hidden" * hidden)
                data = f.make(envelope=envelope, signer=signer, hidden=hidden)
                alone = kind in ("mode-2", "hidden", "passphrase")
                c.add("rewrap-ok-" + title, 0, "nobody asked for a sender", data,
                      **{**right, **CAROL})
                c.add("rewrap-asked-" + title, 3, "forwarded, and a sender is asked for",
                      data, **{**CAROL, **asked("alice")})
                c.add("rewrap-allowed-" + title, 0 if alone else 3,
                      "forwarded mail is allowed" if alone else "no authenticated sender",
                      data, **{**ALLOWED, **asked("alice")})
    f.case("allowed-other", 3, "forwarded, and from another than asked for",
           {**ALLOWED, **asked("mallory")}, signer="mallory")
    f.case("allowed-forwarder", 3, "who forwarded is not who sent",
           {**ALLOWED, **asked("bob")}, signer="bob")
    f.case("not-mine", 2, "forwarded to another", {"key": "bob"}, signer="bob")
    f.case("to-sender", 0, "back to its sender", {"key": "alice"}, to=("alice",))
    once = f.run(signer="bob").state.envelope
    again = f.run(envelope=once, who="carol", to=("dave",), signer="carol")
    c.add("rewrap-twice", 0, "forwarded by carol, too", again.state.envelope, key="dave", **right)
    hidden = f.run(envelope=again.state.envelope, who="dave", to=("carol", "mallory"),
                   hidden=True)
    c.add("rewrap-thrice", 0, "and by somebody unknown, to hidden ones", hidden.state.envelope,
          key="mallory", **right)
    c.add("rewrap-twice-rh", 2, "rh of the R in between", f.make(
        envelope=once, who="carol", to=("dave",),
        hooks={"claims": put(L.ORIGINAL_RH, crypto.sha256(b""))}), key="dave")
    f.case("passphrase-recipient", 0, "to a passphrase", {
        "key": None, "passphrase": PASS.decode()}, to=(), passphrase=PASS, hidden=True)


def _moved(c, f):
    """A block on another envelope, or over other recipients."""
    for signer in (None, "bob"):
        end = "-signed" if signer else ""
        run = f.run(signer=signer)
        s, block = run.state, [run.state.rewrap_iv, run.state.sealed]
        c.hook("rewrap-moved-envelope" + end, 2, "the block of another envelope",
               "unprotected", put(L.REWRAP, block), CAROL, to=("carol",), sender="alice", mode=2)
        c.hook("rewrap-moved-same-cek" + end, 2, "of another envelope with the same CEK",
               "unprotected", put(L.REWRAP, block), CAROL, to=("carol",), sender="alice",
               mode=2, cek=s.cek)
        entries = encode([wrap_key(s.cek, c.p.dave.enc_keys[0], c.p.dave.id)])
        head_of = make_header(s.protected, s.unprotected, s.ciphertext, entries)
        c.add("rewrap-moved-recipients" + end, 2, "over other recipients, as it is",
              s.envelope.replace(s.header, head_of), key="dave")
        aad = rewrap_aad(s.protected, s.iv, s.ciphertext, entries)
        sealed = crypto.gcm_seal(rewrap_key(s.cek), s.rewrap_iv, s.metadata, aad)
        head_of = make_header(s.protected, {5: s.iv, L.REWRAP: [s.rewrap_iv, sealed]},
                              s.ciphertext, entries)
        c.add("rewrap-moved-by-insider" + end, 1 if signer else 0,
              "over other recipients, encrypted again by one who has the CEK" if signer else
              "a bare block is anybody's", s.envelope.replace(s.header, head_of), key="dave")
    f.hook("moved-signature", 1, "the signature is about another envelope", "signature",
           lambda v, s: c.p.bob.signing_key.sign(sig_structure(
               s.sign_protected, rewrap_aad(s.protected, bytes(12), s.ciphertext, s.recipients),
               s.payload)), signer="bob")
    f.hook("signed-as-metadata", 1, "the signature has the external_aad of metadata",
           "signature", lambda v, s: c.p.bob.signing_key.sign(sig_structure(
               s.sign_protected, sender_aad(s.protected, s.iv, s.rh), s.payload)), signer="bob")
    f.hook("removed", 2, "the block is taken out", "unprotected", lambda m, s: {5: s.iv})


def _frame(c, f):
    def block(name, status, why, value, expect=None, **args):
        f.hook("block-" + name, status, why, "unprotected",
               lambda m, s: {**m, L.REWRAP: value(s) if callable(value) else value},
               expect, **args)

    block("empty", 5, "shape", [])
    block("one", 5, "shape", [bytes(12)])
    block("three", 5, "shape", lambda s: [s.rewrap_iv, s.sealed, b""])
    block("map", 5, "shape", {0: bytes(12), 1: b""})
    block("null", 5, "shape", None)
    block("iv-11", 5, "length", lambda s: [bytes(11), s.sealed])
    block("iv-13", 5, "length", lambda s: [bytes(13), s.sealed])
    block("ct-text", 5, "type", [bytes(12), "x"])
    block("ct-null", 5, "type", [bytes(12), None])
    block("ct-head-long", 5, "C1", lambda s: [s.rewrap_iv, Raw(
        b"\x5a" + len(s.sealed).to_bytes(4, "big") + s.sealed)])
    block("ct-0", 2, "a tag that cannot be right", [bytes(12), b""])
    block("ct-15", 2, "shorter than a tag", lambda s: [s.rewrap_iv, s.sealed[:15]])
    block("ct-16", 2, "nothing but a tag", [bytes(12), bytes(16)])
    block("ct-cut", 2, "altered", lambda s: [s.rewrap_iv, s.sealed[:-1]])
    block("ct-longer", 2, "altered", lambda s: [s.rewrap_iv, s.sealed + b"\0"])
    block("iv-other", 2, "altered", lambda s: [bytes(12), s.sealed])
    block("ct-65552", 2, "L23: just at the limit, and altered", [bytes(12), bytes(65552)])
    block("ct-65553", 6, "L23", [bytes(12), bytes(65553)])
    block("ct-65553-not-mine", 6, "L23 comes before the keys", [bytes(12), bytes(65553)],
          {"key": "bob"})
    block("ct-15-not-mine", 2, "no key fits", [bytes(12), bytes(15)], {"key": "bob"})
    block("ct-declared", 6, "L23 by the declared length",
          [bytes(12), Raw(b"\x5a\x00\x01\x00\x11")])
    block("iv-then-limit", 5, "length of iv12 stands before L23", [bytes(11), bytes(65553)])
    f.hook("block-extra", 5, "closed map", "unprotected", put(-65603, 0))
    f.hook("block-unsorted", 5, "C3", "unprotected",
           lambda m, s: raw_map([(L.REWRAP, m[L.REWRAP]), (5, m[5])]))
    f.hook("block-protected", 5, "in the protected map", "protected", lambda p, s: encode(
        {1: 3, L.KC: p[10:], L.REWRAP: [bytes(12), bytes(40)]}))
    secret = {"to": (), "passphrase": PASS}
    block("passphrase", 7, "the passphrase fits, the block does not: as step 3",
          [bytes(12), bytes(40)], {"key": None, "passphrase": PASS.decode()}, **secret)
    c.hook("rewrap-on-original", 2, "a block where nobody rewrapped", "unprotected",
           put(L.REWRAP, [bytes(12), bytes(40)]))

    def cut(name, status, why, tail):
        run = f.run().state
        at = run.envelope.index(encode(L.REWRAP)) + 5
        c.add("rewrap-cut-" + name, status, why, run.envelope[:at] + tail, key="carol")
    cut("65553", 6, "L23 by the declared length; the file ends",
        b"\x82\x4c" + bytes(12) + head(2, 65553))
    cut("65552", 5, "within L23, and the file ends", b"\x82\x4c" + bytes(12) + head(2, 65552))
    cut("2-63", 6, "L23 by the declared length", b"\x82\x4c" + bytes(12) + head(2, 2**63))


def _claims(c, f):
    def both(name, status, why, **members):
        for signer in (None, "bob"):
            f.hook("claim-%s%s" % (name, "-signed" * bool(signer)), status, why, "claims",
                   change(**members), signer=signer)

    both("iat-missing", 5, "mandatory", IAT=None)
    both("iat-negative", 5, "a time is a uint", IAT=-1)
    both("rh-missing", 5, "mandatory", ORIGINAL_RH=None)
    both("rh-31", 5, "length", ORIGINAL_RH=bytes(31))
    both("rh-wrong", 2, "rh of another R", ORIGINAL_RH=bytes(32))
    both("to-empty", 5, "one or more", TO=[])
    both("to-31", 5, "length of an element", TO=[bytes(31)])
    both("to-not-hidden", 0, "not checked without hidden entries", TO=[bytes(32)])
    both("exp-past", 0, "a block has no exp: ignored", EXP=1)
    f.hook("claim-unknown", 0, "ignored", "claims", put(1000, [None]))
    f.hook("claim-float", 5, "C8", "claims", put(1000, Raw(b"\xf9\x00\x00")))
    f.hook("claim-card-bare", 5, "a card in a bare block", "claims",
           put(L.CARD, c.p.bob.card.raw))
    f.hook("claim-card-16385", 6, "L15", "claims", put(L.CARD, bytes(16385)), signer="bob")
    f.hook("claim-card-bare-16385", 6, "L15, then that it is forbidden", "claims",
           put(L.CARD, bytes(16385)))
    f.hook("rh-new", 2, "rh of the new R", "claims",
           lambda m, s: {**m, L.ORIGINAL_RH: s.rh}, signer="bob")
    f.hook("plain-array", 5, "neither map nor COSE_Sign1", "metadata", fixed(b"\x80"))
    f.hook("plain-empty", 5, "nothing in it", "metadata", fixed(b""))
    f.hook("plain-trailing", 5, "C6", "metadata", lambda m, s: m + b"\0")
    f.hook("plain-trailing-signed", 5, "C6", "metadata", lambda m, s: m + b"\0", signer="bob")
    f.hook("plain-untagged", 5, "no tag", "metadata", lambda m, s: m[1:], signer="bob")
    f.hook("payload-array", 5, "payload is no map", "payload", fixed(b"\x80"), signer="bob")
    f.hook("plain-65536", 0, "L23: just at the limit", "claims",
           lambda m, s: {**m, 1000: bytes(65536 - len(encode({**m, 1000: b""})) - 2)})


def _signatures(c, f):
    bob = c.p.bob

    def signed(name, status, why, point, function, expect=None, **args):
        f.hook("sign-" + name, status, why, point, function, expect,
               **{"signer": "bob", **args})

    f.case("sign-rsa", 0, "control", {"key": "bob"}, who="bob", to=("bob",), signer="dave")
    f.case("sign-unknown", 3, "no card, not known", signer="bob", carry_card=False)
    f.case("sign-unknown-allowed", 3, "no card, not known; forwarded mail is allowed",
           ALLOWED, signer="bob", carry_card=False)
    f.case("sign-known", 0, "no card, but known", {"known": ["bob"]}, signer="bob",
           carry_card=False)
    f.case("sign-own", 0, "no card, but it is the reader's own", signer="carol",
           carry_card=False)
    for name, typ in (("metadata", L.TYP_METADATA), ("wrapped", L.TYP_WRAPPED),
                      ("delivery", L.TYP_DELIVERY)):
        signed("typ-" + name, 5, "another typ", "signed_protected", put(16, typ))
    signed("alg-unknown", 5, "unknown", "signed_protected", put(1, -8))
    signed("alg-other", 5, "alg does not agree with the key", "signed_protected", put(1, -37))
    signed("kid-31", 5, "length", "signed_protected", put(4, bytes(31)))
    signed("kid-other", 5, "the card is not that of kid", "signed_protected",
           put(4, c.p.mallory.id))
    signed("altered", 1, "signature", "signature", flip(5))
    signed("short", 1, "63 bytes", "signature", lambda v, s: v[:-1])
    signed("other-key", 1, "signed by another", "signature",
           lambda v, s: c.p.mallory.signing_key.sign(s.sender_tbs))
    signed("empty-aad", 1, "signed without X", "signature",
           lambda v, s: bob.signing_key.sign(sig_structure(s.sign_protected, b"", s.payload)))
    raw = bob.card.raw
    signed("card-altered", 1, "signature of the card", "claims",
           put(L.CARD, raw[:-1] + bytes([raw[-1] ^ 1])))
    signed("card-other", 5, "card of another", "claims", put(L.CARD, c.p.dave.card.raw))
    signed("card-empty", 5, "card is empty", "claims", put(L.CARD, b""))
    signed("card-expired", 0, "nobody asked for who forwarded", "claims",
           put(L.CARD, make_card(bob.keys, exp=1)))

    def order(name, status, why, envelope, expect=None, **args):
        f.case("order-" + name, status, why, expect, envelope=envelope, **args)

    forged = c.make(sender="alice", mode=2, hooks={"signature": fixed(bytes(64))})
    order("both-signatures", 1, "the metadata's signature comes first", forged, signer="bob",
          carry_card=False)
    silent = c.make(sender="alice", mode=2, carry_card=False)
    order("unknown-sender", 3, "no card of the sender; the block's signature is wrong",
          silent, signer="bob", hooks={"signature": fixed(bytes(64))})
    order("block-then-metadata", 5, "a malformed block, and another rh", f.first,
          hooks={"claims": change(IAT=None, ORIGINAL_RH=bytes(32))})
    forged = put(L.CARD, c.p.alice.card.raw[:-1] + bytes([c.p.alice.card.raw[-1] ^ 1]))
    order("metadata-then-card", 1, "the sender's altered card, then none in the block",
          c.make(sender="alice", mode=2, hooks={"claims": forged}), signer="bob",
          hooks={"claims": put(L.CARD, b"")})
    order("expired", 4, "expired, and forwarded", c.make(claims={L.EXP: 1}))
    order("expired-asked", 3, "forwarded, and expired", c.make(
        sender="alice", mode=2, claims={L.EXP: 1}), {**CAROL, **asked("alice")})


def _to(c, f):
    def case(name, status, why, function, **args):
        for signer in (None, "bob"):
            f.hook("to-%s%s" % (name, "-signed" * bool(signer)), status, why, "claims",
                   function, signer=signer, hidden=True, **args)

    def element(who):
        return lambda m, s: {**m, L.TO: [to_element(s.cti, getattr(c.p, who).id)]}

    case("missing", 3, "no `to` for a hidden entry", change(TO=None))
    case("other", 3, "`to` names another", element("mallory"))
    case("plain-id", 3, "the id itself", put(L.TO, [c.p.carol.id]))
    case("other-message", 3, "with another message id",
         put(L.TO, [to_element(bytes(16), c.p.carol.id)]))
    case("more", 0, "more elements than entries",
         lambda m, s: {**m, L.TO: [bytes(32), *m[L.TO]]})
    case("missing-anonymous", 3, "no `to`, and the metadata is bare", change(TO=None),
         envelope=c.make())
    both = c.make(sender="alice", mode=2, hidden=True, to=("bob", "carol"))
    case("of-metadata", 3, "only the metadata's `to` names the reader", change(TO=None),
         envelope=both)
    f.case("to-metadata-missing", 0, "the metadata's `to` is not looked at", hidden=True,
           envelope=c.make(sender="alice", mode=2, hidden=True, to=("bob",),
                           hooks={"claims": put(L.TO, [bytes(32)])}))
    f.hook("to-swapped", 3, "a hidden entry put in for another reader", "entries",
           lambda e, s: [wrap_key(s.cek, c.p.carol.enc_keys[0])], hidden=True, to=("dave",))


def _groups(c, f):
    team = {"key": "bob", "groups": ["team"]}

    def to_team(name, status, why, expect=None, **args):
        f.case("team-" + name, status, why, {**team, **(expect or {})},
               **{"to": (), "groups": ("team",), "signer": "carol", **args})

    anonymous, mode1 = c.make(), c.make(sender="alice")
    for hidden in (False, True):
        end = "-hidden" * hidden
        to_team("ok" + end, 0, "brought to the group by a member", hidden=hidden)
        to_team("maker" + end, 0, "by its maker", signer="alice", hidden=hidden)
        to_team("bare" + end, 3, "a bare block", signer=None, hidden=hidden)
        to_team("outsider" + end, 3, "by somebody who is not a member", signer="dave",
                hidden=hidden)
        to_team("anonymous" + end, 0, "of anonymous metadata it is the bringer that counts",
                envelope=anonymous, hidden=hidden)
        to_team("mode-1" + end, 0, "the rule of mode 2 falls away", envelope=mode1,
                hidden=hidden)
        to_team("old-epoch" + end, 3, "a newer epoch is at hand",
                {"groups": ["team-2", "team"]}, hidden=hidden)
        to_team("old-epoch-allowed" + end, 0, "old epochs are allowed",
                {"groups": ["team", "team-2"], "old_epoch": True}, hidden=hidden)
    to_team("sender-outside", 0, "the sender is no member, who brought it is",
            envelope=c.make(sender="dave", mode=2))
    to_team("asked", 3, "forwarded, and a sender is asked for", asked("alice"))
    to_team("asked-allowed", 0, "and forwarded mail is allowed",
            {**asked("alice"), "forwarded": True})
    to_team("asked-allowed-mode-1", 3, "mode 1 has no authenticated sender",
            {**asked("alice"), "forwarded": True}, envelope=mode1)
    to_team("no-key", 2, "no group key", {"groups": []})
    to_team("reissued", 3, "a key that a member issued anew", {"groups": ["reissued"]},
            hidden=True)
    to_team("to-missing", 3, "no `to`", hidden=True, hooks={"claims": change(TO=None)})
    to_team("unknown-signer", 3, "no card of who brought it", signer="mallory",
            carry_card=False)
    mail = c.make(to=(), sender="alice", mode=2, groups=[c.teams.keys["team"]])
    out = {"envelope": mail, "opens": ("team",), "signer": "bob", "to": ("dave",)}
    f.case("out-of-team", 0, "a group's mail to somebody outside", {"key": "dave"}, **out)
    f.case("out-of-team-asked", 3, "forwarded", {"key": "dave", **asked("alice")}, **out)
    f.case("out-of-team-allowed", 0, "forwarded mail is allowed",
           {"key": "dave", "forwarded": True, **asked("alice")}, **out)
    f.case("team-to-team-2", 0, "from one epoch to the next", {
        "key": "bob", "groups": ["team", "team-2"]}, envelope=mail, opens=("team",),
        signer="bob", to=(), groups=("team-2",))


def add(c):
    """All cases of this module."""
    f = Forwarder(c)
    _good(c, f)
    _moved(c, f)
    _frame(c, f)
    _claims(c, f)
    _signatures(c, f)
    _to(c, f)
    _groups(c, f)
