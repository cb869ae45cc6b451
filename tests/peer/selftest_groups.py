"""Self test, continued: groups, rewrapping, conversations, delivery receipts."""

import os
import random
import subprocess
import sys
from dataclasses import replace

import hostile
from cases.base import COST, PASS
from e2epeer import armor, blocks, crypto, labels as L, opening, receipts, wrapping
from e2epeer.cbor import encode
from e2epeer.errors import Failure
from e2epeer.groups import group_kid
from e2epeer.header import parse_header
from e2epeer.opening import Reader, open_envelope
from e2epeer.rewrapping import rewrap
from e2epeer.sealing import Plan, Sealer, seal
from e2epeer.state import State
from e2epeer.wrapping import add_member, new_group, read_wrapped, remove_member

HERE = os.path.dirname(os.path.abspath(__file__))


def status_of(call):
    """(status, result or None)."""
    try:
        return 0, call()
    except Failure as failure:
        return failure.status, None


def opens(raw, reader):
    """(status, data or None)."""
    status, opened = status_of(lambda: open_envelope(raw, reader))
    return status, opened.data if opened else None


def make_team(p, *members, **args):
    """(wrapped key, group key) of alice and others."""
    raw = new_group(p.alice, [m.card for m in members], **args)
    return raw, read_wrapped(raw, Reader([p.alice]))


def test_wrapped(tap, p):
    """Making, reading, growing and shrinking groups."""
    raw, team = make_team(p, p.bob, p.carol, p.bob, name="team")
    tap.equal((team.maker, team.epoch, team.members, len(team.random)),
              (p.alice.id, 1, [p.alice.id, p.bob.id, p.carol.id], 16), "a new group")
    for who in (p.alice, p.bob, p.carol):
        tap.equal(status_of(lambda w=who: read_wrapped(raw, Reader([w], sender=p.alice.id))),
                  (0, team), "opened by a member")
    tap.equal(status_of(lambda: read_wrapped(raw, Reader([p.mallory])))[0], 2, "and nobody else")
    hexed = "85 6a 653265312067726f7570 5820 %s 50 %s 647465616d 01".replace(" ", "")
    tap.equal(team.kid, crypto.sha256(bytes.fromhex(hexed % (
        team.maker.hex(), team.random.hex()))), "group kid, byte for byte")
    tap.equal(group_kid(bytes(32), bytes(16), None, 2**63 - 1), crypto.sha256(
        encode(["e2e1 group", bytes(32), bytes(16), None, 2**63 - 1])), "without a name")
    text = armor.encode(armor.WRAPPED_KEY, raw)
    tap.equal(read_wrapped(text, Reader([p.bob])), team, "in armor")
    tap.equal(make_team(p, key=b"k" * 32)[1].key, b"k" * 32, "around a given key, alone")
    cards = [p.bob.card, p.carol.card]
    more = read_wrapped(add_member(team, p.alice, cards, p.dave.card), Reader([p.dave]))
    tap.equal((more.kid, more.key, more.members), (team.kid, team.key, team.members + [p.dave.id]),
              "a member more: the same key and epoch")
    less = remove_member(more, p.alice, cards + [p.dave.card], p.bob.id)
    newer = read_wrapped(less, Reader([p.dave]))
    tap.equal((newer.epoch, newer.lineage, newer.members),
              (2, team.lineage, [p.alice.id, p.carol.id, p.dave.id]), "a member less")
    tap.ok(newer.key != team.key and newer.kid != team.kid, "by another key, with another kid")
    tap.equal(status_of(lambda: read_wrapped(less, Reader([p.bob])))[0], 2,
              "which he does not get")
    last = replace(team, epoch=2**63 - 1)
    for name, want, call in (
            ("by a member", 3, lambda: add_member(team, p.bob, cards, p.dave.card)),
            ("a card missing", 5, lambda: add_member(team, p.alice, cards[:1], p.dave.card)),
            ("a card too many", 5, lambda: remove_member(
                team, p.alice, cards + [p.dave.card], p.bob.id)),
            ("removing nobody", 5, lambda: remove_member(team, p.alice, cards, p.dave.id)),
            ("removing the maker", 5, lambda: remove_member(team, p.alice, cards, p.alice.id)),
            ("no epoch left", 6, lambda: remove_member(last, p.alice, cards, p.bob.id)),
            ("name", 6, lambda: new_group(p.alice, [], "a" * 256)),
            ("anonymous envelope", 5, lambda: seal(Plan(groups=[team]), b"")),
            ("envelope in mode 1", 5, lambda: seal(
                Plan(groups=[team], sender=p.bob, mode=1), b"")),
            ("envelope of an outsider", 3, lambda: seal(
                Plan(groups=[team], sender=p.mallory), b""))):
        tap.equal(status_of(call)[0], want, "refused: " + name)


def test_group_mail(tap, p):
    """Envelopes to groups, alone and with all other kinds."""
    rng = random.Random(4)
    _, team = make_team(p, p.bob, p.carol)
    for to in ([], [p.dave]):
        for secret in (None, PASS):
            for hidden in (False, True):
                for sender in (p.alice, p.carol):
                    data = rng.randbytes(rng.choice((0, 5, 70000)))
                    plan = Plan([i.card for i in to], secret, COST, sender=sender, hidden=hidden,
                                groups=[team], segment_size=65536, pad=hidden)
                    run = Sealer(plan)
                    raw = run.seal(data)
                    readers = [Reader([p.bob], groups=[team])] + [Reader([i]) for i in to] + \
                        ([Reader(passphrase=PASS)] if secret else [])
                    for reader in readers:
                        reader.sender = sender.id
                    results = [opens(raw, r) for r in readers]
                    tap.ok(run.state.mode == 2 and all(r == (0, data) for r in results) and
                           opens(raw, Reader([p.bob]))[0] in (2, 7),
                           "to a group%s%s, hidden %d, %d bytes" % (
                               " and a recipient" * len(to), " and a passphrase" * bool(secret),
                               hidden, len(data)), [r[0] for r in results])
    entries = [parse_header(seal(Plan(groups=[team], sender=p.bob, hidden=h), b""), 6, 1)
               for h in (False, True)]
    w = entries[0].recipients[-40:]
    tap.equal(entries[0].recipients, bytes.fromhex("818340a20124045820") + team.kid +
              b"\x58\x28" + w, "the entry with kid")
    tap.equal(entries[1].recipients[:-40], bytes.fromhex("818340a101245828"), "the hidden one")


def test_rewrapping(tap, p):
    """To all kinds of new recipients, from all kinds of envelopes, once and again."""
    _, team = make_team(p, p.bob, p.carol)
    data = os.urandom(70000)
    kinds = {"anonymous": Plan([p.bob.card]), "mode 1": Plan([p.bob.card], sender=p.alice),
             "mode 2": Plan([p.bob.card], sender=p.alice, mode=2, segment_size=65536),
             "hidden": Plan([p.bob.card, p.dave.card], sender=p.alice, hidden=True, pad=True),
             "group": Plan(sender=p.alice, groups=[team])}
    for name, plan in kinds.items():
        raw = seal(plan, data)
        first = open_envelope(raw, Reader([p.bob], groups=[team]))
        for signer in (None, p.bob):
            for hidden in (False, True):
                title = "%s%s%s" % (name, ", signed" * bool(signer), ", to hidden" * hidden)
                to = Plan([p.carol.card, p.mallory.card, p.carol.card], sender=signer,
                          hidden=hidden)
                got = rewrap(raw, Reader([p.bob], groups=[team]), to)
                opened = [open_envelope(got, Reader([i])) for i in (p.carol, p.mallory)]
                tap.ok(all((o.data, o.ch) == (data, first.ch) and len(o.header.entries) == 2 and
                           (o.block.sign1.kid if o.block.sign1 else None) ==
                           (signer.id if signer else None) for o in opened), "rewrapped " + title)
                again = rewrap(got, Reader([p.carol]), Plan(sender=p.carol, groups=[team]))
                o = open_envelope(again, Reader([p.bob], groups=[team]))
                tap.ok((o.data, o.ch, o.block.sign1.kid) == (data, first.ch, p.carol.id),
                       "and again, to a group: " + title)
                asked = [opens(got, Reader([p.carol], sender="any", forwarded=f))[0]
                         for f in (False, True)]
                tap.equal(asked, [3, 0 if first.sender and name != "mode 1" else 3],
                          "a sender is asked for: " + title)
                cut = opens(got[:-9] + got[-8:], Reader([p.carol]))[0]
                tap.equal([opens(got, Reader([p.bob], groups=[team]))[0], cut in (1, 5)],
                          [2, True], "others, and altered: " + title)
    tap.equal(status_of(lambda: rewrap(raw, Reader([p.bob], groups=[team]), Plan()))[0], 5,
              "refused: for nobody")
    tap.equal(status_of(lambda: rewrap(raw, Reader([p.dave]), Plan([p.carol.card])))[0], 2,
              "refused: of somebody else's mail")
    tap.equal(status_of(lambda: rewrap(raw, Reader([p.bob], groups=[team]), Plan(
        sender=p.dave, groups=[team])))[0], 3, "refused: to a group, by an outsider")
    silent = seal(Plan([p.bob.card], sender=p.alice, carry_card=False), data)
    tap.equal(opens(rewrap(silent, Reader([p.bob]), Plan([p.carol.card])), Reader(
        [p.carol], known=[p.alice.card])), (0, data),
        "of a sender whom the rewrapper cannot verify")
    tap.equal(len(blocks.rewrap_aad(b"", b"", b"", b"")), 81, "length of X")


def test_numbers(tap, p):
    """What a reader remembers."""
    state = State()
    conversation = bytes(range(16))

    def arrives(number, raw=None, sender=p.alice, mode=1):
        claims = {L.CONVERSATION: conversation, L.SEQUENCE: number}
        raw = raw or seal(Plan([p.bob.card], sender=sender, claims=claims,
                               mode=mode if sender else 0), b"x")
        status, opened = status_of(lambda: open_envelope(raw, Reader([p.bob], state=state)))
        return (status, (list(opened.missing), opened.late) if opened else None), raw

    (_, first) = got = arrives(1)
    tap.equal(got[0], (0, ([], False)), "number 1")
    for number, want, title in (
            (2, (0, ([], False)), "the next"), (5, (0, ([3, 4], False)), "two are left out"),
            (4, (0, ([], True)), "late"), (4, (4, None), "again, in another envelope"),
            (1029, (0, (list(range(6, 1029)), False)), "far ahead"),
            (6, (0, ([], True)), "1024 numbers back"),
            (5, (4, None), "no longer remembered"), (3, (4, None), "below those remembered"),
            (2**63 - 1, None, "the last number")):
        if want:
            tap.equal(arrives(number)[0], want, "number %d: %s" % (number, title))
    tap.equal(arrives(1, first)[0], (4, None), "the same envelope again")
    tap.equal(arrives(2, sender=p.dave)[0], (0, ([1], False)), "another sender: his own numbers")
    tap.equal([arrives(4, sender=None)[0] for _ in range(2)], [(0, ([], False))] * 2,
              "numbers of nobody are not looked at")
    raw = seal(Plan([p.bob.card], sender=p.alice, claims={
        L.CONVERSATION: conversation, L.SEQUENCE: 2000}), b"x")
    tap.equal(arrives(0, raw[:-1] + b"\0")[0][0], 5, "one that does not verify")
    tap.equal(arrives(0, raw)[0][0], 0, "is not remembered")
    moved = rewrap(raw, Reader([p.bob]), Plan([p.bob.card]))
    tap.equal(arrives(0, moved)[0], (4, None), "rewrapped it is the same message")
    again = State.load(state.dump())
    tap.equal(vars(again), vars(state), "written and read")
    old = seal(Plan([p.bob.card], iat=1000), b"x")
    reader = Reader([p.bob], state=state)
    tap.equal([opens(old, reader)[0], state.forget(2000), opens(old, reader)[0]], [0, None, 4],
              "what is as old as the forgotten")
    dated = [opens(old, Reader([p.bob], oldest=a, newest=b))[0]
             for a, b in ((1001, None), (1000, 1000), (None, 999))]
    tap.equal(dated, [4, 0, 4], "oldest and newest")
    _, team = make_team(p, p.bob)
    mail = seal(Plan(sender=p.alice, groups=[team]), b"x")
    reader.groups = [team]
    tap.equal(opens(mail, reader)[0], 0, "of the newest epoch known")
    state.learn_group(replace(team, epoch=2))
    tap.equal(opens(seal(Plan(sender=p.alice, groups=[team]), b"x"), reader)[0], 3,
              "state remembers a newer one")


def test_receipts(tap, p):
    """Asked for, given, and held against what was sent."""
    run = Sealer(Plan([p.bob.card], sender=p.alice, pad=True, mode=2,
                      claims={L.RECEIPT: True}))
    raw = run.seal(b"data")
    opened = open_envelope(raw, Reader([p.bob]))
    made = receipts.answer(opened, p.bob)
    state = State()
    mine = Reader([p.alice], state=state)
    read = open_envelope(made, Reader([p.alice]))
    tap.equal((read.receipt.what, read.receipt.by, read.confirmed, read.metadata.mode),
              ((run.state.cti, run.state.ch, crypto.sha256(b"data")), p.bob.id, False, 1),
              "a receipt, by a sender who remembers nothing")
    state.sends(run.state.cti, run.state.ch, crypto.sha256(b"data"))
    tap.equal(open_envelope(made, mine).confirmed, True, "and by one who does")
    for name, sent in (("hash", (run.state.ch, crypto.sha256(b"date"))),
                       ("ch", (bytes(32), crypto.sha256(b"data")))):
        other = State()
        other.sends(run.state.cti, *sent)
        tap.equal(opens(made, Reader([p.alice], state=other))[0], 1, "with another " + name)
    moved = rewrap(raw, Reader([p.bob]), Plan([p.carol.card]))
    plain = seal(Plan([p.bob.card], sender=p.alice), b"")
    twice = seal(Plan([p.bob.card], sender=p.alice, claims={
        L.RECEIPT: True, L.MEDIA_TYPE: L.MEDIA_DELIVERY}), open_envelope(made, Reader(
            [p.alice])).data)
    shared = seal(Plan([p.bob.card, p.carol.card], sender=p.alice, mode=1, strict=False,
                       claims={L.RECEIPT: True}), b"")
    for name, raw_, who in (("not asked for", plain, p.bob), ("rewrapped", moved, p.carol),
                            ("sender not authenticated", shared, p.bob)):
        tap.equal(status_of(lambda r=raw_, w=who: receipts.answer(
            open_envelope(r, Reader([w])), w))[0], 3, "no receipt: " + name)
    tap.equal(opens(twice, Reader([p.bob]))[0], 5, "somebody else's receipt as one's own")


def disabled(module, name, value):
    """Replaces a function of the peer; returns what puts it back."""
    old = getattr(module, name)
    setattr(module, name, value)
    return lambda: setattr(module, name, old)


def test_hostile(tap, p):
    """The cases of hostile.py; and that they notice what is left out."""
    kinds = hostile.build_groups(p)
    for name, right, text in hostile.check_groups(p, kinds):
        tap.ok(right, "hostile " + name, text)
    real_aad, real_group = blocks.rewrap_aad, opening.GroupKey
    for title, module, name, value, least in (
            ("without step 8a", opening, "_check_addressed", lambda u, r: None, 40),
            ("without the demands of a sender", opening, "_demand", lambda *a: None, 30),
            ("every envelope's mode counts", opening, "_authenticated",
             lambda u, card: card and card.id, 5),
            ("groups without rules", opening, "GroupKey", type("Never", (), {}), 20),
            ("X without the new R", blocks, "rewrap_aad",
             lambda a, b, c, r: real_aad(a, b, c, b""), 2),
            ("any member", wrapping, "Identity", type("Never", (), {}), 2),
            ("the maker is anybody", wrapping, "demand_signer", lambda *a: None, 2),
            ("wrapped keys tried with group keys", wrapping, "replace", lambda r, **_: r, 1)):
        back = disabled(module, name, value)
        try:
            wrong = [n for n, right, _ in hostile.check_groups(p, kinds) if not right]
        finally:
            back()
        tap.ok(len(wrong) >= least, "control: %s, %d cases are wrong" % (title, len(wrong)))
    tap.ok(opening.GroupKey is real_group and blocks.rewrap_aad is real_aad, "all is put back")


def test_commands(tap, folder):
    """The command line; the keys are those of the cases."""
    def run(*args, data=b""):
        return subprocess.run([sys.executable, os.path.join(HERE, "peer.py"), *args],
                              input=data, cwd=folder, capture_output=True, check=False)

    def keep(name, result):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(result.stdout)
        return result.returncode

    keep("raw", subprocess.run(["printf", "k" * 32], capture_output=True, check=True))
    tap.equal(keep("t1.key", run("wrap-key", "--maker", "alice.key", "--member", "bob.pub",
                                 "--name", "t", "--secret", "raw", "--armor")), 0, "wrap-key")
    tap.equal(keep("t1+.key", run("wrap-key", "--maker", "alice.key", "--group", "t1.key",
                                  "--member", "bob.pub", "--add", "carol.pub")), 0, "--add")
    tap.equal(keep("t2.key", run("wrap-key", "--maker", "alice.key", "--group", "t1+.key",
                                 "--member", "bob.pub", "--member", "carol.pub",
                                 "--remove", "bob.pub")), 0, "--remove")
    with open(os.path.join(folder, "t1.key"), "rb") as f:
        wrapped = f.read()
    tap.equal(run("unwrap-key", "--key", "bob.key", "--from", "alice.pub", "--json-info", "g",
                  data=wrapped).stdout, b"k" * 32, "unwrap-key")
    tap.equal(run("unwrap-key", "--key", "bob.key", "--from", "dave.pub",
                  data=wrapped).returncode, 3, "of another maker")
    mail = run("seal", "--sender", "bob.key", "--group", "t1.key", "--receipt", "--state", "b.s",
               data=b"data").stdout
    back = run("open", "--key", "carol.key", "--group", "t1+.key", "--from", "any", "--state",
               "c.s", "--receipt", "r", "--json-info", "i", data=mail)
    tap.equal((back.returncode, back.stdout), (0, b"data"), "seal and open for a group")
    with open(os.path.join(folder, "r"), "rb") as f:
        tap.equal(run("open", "--key", "bob.key", "--state", "b.s", "--json-info", "j",
                      data=f.read()).returncode, 0, "the receipt")
    with open(os.path.join(folder, "j"), encoding="ascii") as f:
        tap.ok('"confirmed": true' in f.read(), "is about what was sent")
    tap.equal(run("open", "--key", "carol.key", "--group", "t1+.key", "--state", "c.s",
                  data=mail).returncode, 4, "--state")
    both = ("open", "--key", "carol.key", "--group", "t1+.key", "--group", "t2.key")
    tap.equal([run(*both, data=mail).returncode, run(*both, "--old-epoch", data=mail).returncode],
              [3, 0], "--old-epoch")
    moved = run("rewrap", "--key", "bob.key", "--group", "t1.key", "--recipient", "dave.pub",
                "--sign", "--hidden", "--armor", data=mail)
    asked = ("open", "--key", "dave.key", "--from", "bob.pub")
    tap.equal([run(*asked, data=moved.stdout).returncode,
               run(*asked, "--forwarded", data=moved.stdout).stdout], [3, b"data"],
              "rewrap, and --forwarded")
    tap.equal(run("inspect", data=moved.stdout).returncode, 0, "inspect")
    tap.equal(run("wrap-key", "--maker", "alice.key", "--add", "bob.pub").returncode, 64,
              "--add to nothing")
