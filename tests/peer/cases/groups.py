"""Envelopes under group keys (4.4, 4.6, 5.3 and 9)."""

from dataclasses import replace

from e2epeer import crypto
from e2epeer import labels as L
from e2epeer.cbor import encode
from e2epeer.header import wrap_group
from e2epeer.metadata import to_element

from .base import COST, DATA, PASS, asked, change, put

ALL = ["team", "team-2"]


def _rules(c):
    case = c.group_case
    right = {"sha256": crypto.sha256(DATA).hex()}
    case("ok", 0, "control", expect={**right, **asked("alice")})
    case("ok-hidden", 0, "control", expect={**right, **asked("alice")}, hidden=True)
    case("ok-member", 0, "by a member", expect=asked("mallory"), sender="mallory")
    case("ok-member-rsa", 0, "by a member with an RSA key", sender="carol", pad=True)
    case("sender-other", 3, "by a member, another is asked for", expect=asked("dave"),
         sender="mallory")
    case("no-key", 2, "no group key", expect={"groups": []})
    case("no-key-hidden", 2, "no group key", expect={"groups": []}, hidden=True)
    for hidden in (False, True):
        end = "-hidden" * hidden
        case("anonymous" + end, 3, "not signed", sender=None, mode=0, hidden=hidden)
        case("outsider" + end, 3, "by somebody who is not a member", sender="dave",
             hidden=hidden)
        case("mode-1" + end, 3, "mode 1, although nobody asked for a sender", mode=1,
             hidden=hidden)
        case("mode-1-asked" + end, 3, "mode 1", mode=1, hidden=hidden, expect=asked())
        case("old-epoch" + end, 3, "a newer epoch is at hand", hidden=hidden,
             expect={"groups": ALL})
        case("old-epoch-order" + end, 3, "the newer one is named first", hidden=hidden,
             expect={"groups": ALL[::-1]})
        case("old-epoch-removed" + end, 3, "by a member who was removed", hidden=hidden,
             sender="mallory", expect={"groups": ALL})
        case("old-epoch-allowed" + end, 0, "old epochs are allowed", hidden=hidden,
             expect={"groups": ALL, "old_epoch": True})
        case("new-epoch" + end, 0, "of the newest epoch", ("team-2",), hidden=hidden,
             expect={"groups": ALL})
        case("new-epoch-removed" + end, 3, "by a member who was removed", ("team-2",),
             sender="mallory", hidden=hidden)
    case("old-epoch-not-known", 0, "no newer one is at hand", sender="mallory")
    case("other-group", 0, "another group, of an epoch of its own", ("other",),
         expect={"groups": ["team-2", "other"]})
    case("unknown-sender", 3, "no card, not known", carry_card=False)
    case("order-signature", 1, "not a member, and the signature is wrong", sender="dave",
         hooks={"signature": lambda v, s: bytes(len(v))})
    case("order-exp", 3, "not a member, and expired", sender="dave", claims={L.EXP: 1})
    case("order-exp-old", 3, "an old epoch, and expired", claims={L.EXP: 1},
         expect={"groups": ALL})
    case("expired", 4, "expired", claims={L.EXP: 1})
    team = c.teams.keys["team"]
    case("two-entries", 0, "two groups of the reader", ("other", "team"))
    case("two-entries-outsider", 3, "the first entry that opens decides",
         ("other", "team"), sender="carol", expect={"groups": ["other", "team"]})
    case("with-recipient", 0, "and to bob himself, who is asked first: no rule of groups",
         to=("bob",), sender="dave")
    case("with-recipient-anonymous", 0, "and to bob himself, anonymous", to=("bob",),
         sender=None, mode=0)
    case("group-then-recipient", 3, "the group's entry comes first", to=("bob",),
         sender="dave", hooks={"entries": lambda e, s: e[::-1]})
    case("group-not-mine-then-recipient", 0, "of a group that bob is not in", ("foreign",),
         to=("bob",), sender="dave", hooks={"entries": lambda e, s: e[::-1]},
         expect={"groups": ["team"]})
    case("as-itself", 3, "mallory seals as alice: the signature is hers, not alice's",
         sender="mallory", expect=asked("alice"))
    longer = replace(team, name="teams")
    c.case("kid-of-another-name", 2, "kid of the same key under another name",
           {"groups": ["team"]}, to=(), sender="alice", mode=2, groups=[longer])


def _entries(c):
    case, keys = c.group_case, c.teams.keys

    def entry(name, status, why, make, expect=None, **args):
        case("entry-" + name, status, why, hooks={"entries": make}, expect=expect, **args)

    def kid(ident):
        return lambda e, s: [[b"", {1: L.A256KW, 4: ident}, e[0][2]]]

    entry("kid-other", 2, "kid of another group: no key of it here", kid(keys["other"].kid))
    entry("kid-other-known", 2, "kid of another group, whose key does not unwrap",
          kid(keys["other"].kid), {"groups": ["team", "other"]})
    entry("kid-identity", 2, "the reader's id as kid", kid(c.p.bob.id))
    entry("kid-31", 5, "length of kid", kid(bytes(31)))
    entry("short", 2, "W of 32 bytes", lambda e, s: [[*e[0][:2], e[0][2][:32]]])
    entry("altered", 2, "W altered", lambda e, s: [[*e[0][:2], bytes(40)]])
    entry("altered-hidden", 2, "W altered", lambda e, s: [[*e[0][:2], bytes(40)]], hidden=True)
    entry("altered-first", 0, "an altered one before it",
          lambda e, s: [[*e[0][:2], bytes(40)]] + e)
    entry("extra", 5, "closed map", lambda e, s: [[b"", {**e[0][1], 5: b""}, e[0][2]]])
    entry("null", 5, "W is null", lambda e, s: [[*e[0][:2], None]])
    entry("fourth", 5, "a fourth element", lambda e, s: [e[0] + [[]]])
    entry("cek-24", 2, "W of 32 bytes wraps 24", lambda e, s: [
        [*e[0][:2], crypto.kw_wrap(keys["team"].key, s.cek[:24])]])
    secret = {"passphrase": PASS, "cost": COST}
    case("passphrase-tried", 2, "a group key was tried: no word of a passphrase",
         hooks={"entries": lambda e, s: [[*e[0][:2], bytes(40)], e[1]]}, **secret)
    case("passphrase-not-tried", 7, "no group key was tried", expect={"groups": ["other"]},
         **secret)
    case("passphrase-hidden-tried", 2, "every group key is tried", hidden=True,
         expect={"groups": ["other"]}, **secret)
    case("passphrase-opens", 0, "the passphrase opens it: no rule of groups", sender="dave",
         expect={"groups": ["other"], "passphrase": PASS.decode()}, **secret)


def _to(c):
    case, keys = c.group_case, c.teams.keys
    hidden = {"hidden": True}

    def claim(name, status, why, ident, expect=None, **args):
        case("to-" + name, status, why, expect=expect, **hidden, hooks={
            "claims": lambda m, s: {**m, L.TO: [to_element(s.cti, ident)]}}, **args)

    case("to-missing", 3, "no `to`", hooks={"claims": change(TO=None)}, **hidden)
    case("to-empty", 5, "`to` has one or more", hooks={"claims": put(L.TO, [])}, **hidden)
    claim("identity", 3, "the reader's id, not the group's", c.p.bob.id)
    claim("other-group", 3, "another group", keys["other"].kid)
    claim("next-epoch", 3, "the group's next epoch", keys["team-2"].kid)
    case("reissued", 3, "a key that a member issued anew: `to` does not fit",
         expect={"groups": ["reissued"]}, **hidden)
    case("reissued-first", 3, "that one is named first, and opens it",
         expect={"groups": ["reissued", "team"]}, **hidden)
    case("reissued-last", 0, "the right one is named first",
         expect={"groups": ["team", "reissued"]}, **hidden)
    case("reissued-kid", 2, "kid is of another group", expect={"groups": ["reissued"]})
    case("reissued-kid-both", 0, "kid tells which", expect={"groups": ["reissued", "team"]})
    claim("reissued", 3, "`to` for the group of the member", keys["reissued"].kid,
          sender="mallory")
    claim("reissued-own", 0, "which is a group, too", keys["reissued"].kid,
          {"groups": ["reissued"]}, sender="mallory")
    other = {"entries": lambda e, s: [wrap_group(s.cek, keys["other"], True)]}
    case("to-forwarded", 3, "signed for one group, sent to another", hooks=other,
         expect={"groups": ["other"]}, **hidden)
    case("forwarded-kid", 2, "R was replaced", expect={"groups": ["other"]}, hooks={
        "header": lambda h, s: h.replace(
            s.recipients, encode([wrap_group(s.cek, keys["other"], False)]))})


def add(c):
    """All cases of this module."""
    _rules(c)
    _entries(c)
    _to(c)
