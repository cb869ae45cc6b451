#!/usr/bin/python3
"""Writes deliberately wrong files (and right ones as a control), with what a
reader has to say to each.

    hostile.py OUT [--keys DIR]        write the files
    hostile.py OUT --check             write them and try the peer on them

DIR (default OUT/keys) holds the secret key files, without passphrase, of five
identities; those missing are made, with the public key line in NAME.pub:

    alice    Ed25519 and X25519, the sender of most messages
    bob      Ed25519 and X25519, the recipient of most messages
    carol    RSA 2048, a recipient
    dave     RSA 2048, a sender
    mallory  Ed25519 and X25519, anybody else

OUT/NAME.e2e is described by the member NAME of OUT/expect.json:

    {"status": N, "why": "..."}

and optional members that say how it has to be opened:

    key         the identity whose NAME.key opens it; "bob" where absent, and
                null for none (then there is a passphrase)
    passphrase  the passphrase of the message to give; null or absent: none
    from        a sender is asked for: "any", or the name of an identity
    known       names whose public key lines the reader knows (OUT/known/NAME.pub);
                none if absent
    sha256      of the data, for status 0

So a test does, for each member of expect.json, the equivalent of

    peer.py open --key keys/bob.key < NAME.e2e

and compares the exit status.  For a status other than 0 nothing may have been
written, except for failures of status 1 or 5 behind the first verified piece
where output is streamed.

OUT/secret/NAME.key is described by OUT/secret/expect.json (status, why,
passphrase of the key file): opens the control OUT/ok-anonymous.e2e with that
key file.  OUT/public/NAME.pub is described by OUT/public/expect.json: seals to
that public key line.  OUT/revocation/NAME.rev is described by
OUT/revocation/expect.json: takes it in, knowing alice, bob and dave.

OUT/group/NAME.e2e is described by OUT/group/expect.json, with the members above
and

    groups      names of the group keys to open it with, in this order, each the
                wrapped key OUT/team/NAME.key (see cases/teams.py)
    old_epoch   true: old epochs are allowed
    forwarded   true: forwarded mail is allowed

OUT/wrapped/NAME.key is described by OUT/wrapped/expect.json, likewise: unwraps
it, where `from` asks for its maker.
"""

import argparse
import hashlib
import itertools
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cases import files, groups, metadata, receipts, recipients, rewraps  # noqa: E402
from cases import streams, structure, wrapped  # noqa: E402
from cases.base import Cases, People  # noqa: E402
from cases.teams import Teams  # noqa: E402
from e2epeer import statements  # noqa: E402
from e2epeer.card import parse_lines  # noqa: E402
from e2epeer.errors import Failure  # noqa: E402
from e2epeer.identity import read_file  # noqa: E402
from e2epeer.opening import Reader, open_envelope  # noqa: E402
from e2epeer.sealing import Plan, seal  # noqa: E402
from e2epeer.wrapping import read_wrapped  # noqa: E402

ENVELOPES = (structure, recipients, metadata, streams)
TO_GROUPS = (groups, rewraps, receipts)
FOLDERS = ("", ".e2e"), ("secret", ".key"), ("public", ".pub"), ("revocation", ".rev")
GROUP_FOLDERS = ("group", ".e2e"), ("wrapped", ".key")


def build(people):
    """Cases of envelopes, key files, public keys and revocations."""
    kinds = envelopes, secret, public, revocations = [Cases(people) for _ in range(4)]
    for module in ENVELOPES:
        module.add(envelopes)
    files.key_files(secret)
    files.pub_files(public)
    files.revocations(revocations)
    return kinds


def build_groups(people):
    """Cases of groups, rewrapping and receipts, and of wrapped keys."""
    teams = Teams(people)
    kinds = envelopes, keys = [Cases(people, teams) for _ in range(2)]
    for module in TO_GROUPS:
        module.add(envelopes)
    wrapped.add(keys)
    return kinds


def save_all(out, kinds, folders=FOLDERS):
    """Writes everything below out, but for the keys."""
    for cases, (folder, ending) in zip(kinds, folders):
        save(os.path.join(out, folder), ending, cases.items)
    teams = kinds[0].teams
    if teams:
        save(os.path.join(out, "team"), ".key", {n: (d, {}) for n, d in teams.files.items()})
    os.makedirs(os.path.join(out, "known"), exist_ok=True)
    for name, line in kinds[0].lines.items():
        with open(os.path.join(out, "known", name + ".pub"), "wb") as f:
            f.write(line + b"\n")


def save(folder, ending, items):
    """Writes the files of one kind and their expect.json."""
    os.makedirs(folder, exist_ok=True)
    for name, (data, _) in items.items():
        path = os.path.join(folder, name + ending)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
            f.write(data)
    with open(os.path.join(folder, "expect.json"), "w", encoding="utf-8") as f:
        json.dump({n: e for n, (_, e) in items.items()}, f, indent=1)
        f.write("\n")


def _encode(text):
    return None if text is None else text.encode()


def reader_for(people, lines, expect, teams=None):
    """The peer's reader for one case."""
    who = expect.get("key", "bob")
    sender = expect.get("from")
    if sender not in (None, "any"):
        sender = getattr(people, sender).id
    own = [getattr(people, who)] if who else []
    groups = [read_wrapped(teams.files[n], Reader(own)) for n in expect.get("groups", ())]
    return Reader(own, _encode(expect.get("passphrase")),
                  [parse_lines(lines[n])[0] for n in expect.get("known", ())],
                  sender=sender, groups=groups, old_epoch=expect.get("old_epoch", False),
                  forwarded=expect.get("forwarded", False))


def try_envelope(data, reader):
    """(status, data or None) of the peer."""
    try:
        return 0, open_envelope(data, reader).data
    except Failure as failure:
        return failure.status, None


def try_wrapped(data, reader):
    """Status of the peer when it unwraps this."""
    try:
        read_wrapped(data, reader)
    except Failure as failure:
        return failure.status
    return 0


def try_secret(control, text, expect):
    """Status of the peer with this key file."""
    try:
        identity = read_file(text, _encode(expect.get("passphrase")))
        open_envelope(control, Reader([identity]))
    except Failure as failure:
        return failure.status
    return 0


def try_public(text):
    """Status of the peer when it seals to this public key line."""
    try:
        seal(Plan(parse_lines(text)), b"x")
    except Failure as failure:
        return failure.status
    return 0


def try_revocation(people, text):
    """Status of the peer when it takes in this revocation."""
    try:
        statements.read_revocation(text).verify(
            [people.alice.card, people.bob.card, people.dave.card])
    except Failure as failure:
        return failure.status
    return 0


def check(people, kinds):
    """Yields (name, right, text) for all cases, by the peer itself."""
    envelopes, secret, public, revocations = (cases.items for cases in kinds)
    control = envelopes["ok-anonymous"][0]
    for name, (data, expect) in envelopes.items():
        got, plain = try_envelope(data, reader_for(people, kinds[0].lines, expect))
        right = got == expect["status"]
        if right and "sha256" in expect:
            right = hashlib.sha256(plain).hexdigest() == expect["sha256"]
        yield name, right, "%d, not %d: %s" % (got, expect["status"], expect["why"])
    for name, (text, expect) in secret.items():
        got = try_secret(control, text, expect)
        yield ("secret/" + name, got == expect["status"],
               "%d, not %d: %s" % (got, expect["status"], expect["why"]))
    for name, (text, expect) in public.items():
        got = try_public(text)
        yield ("public/" + name, got == expect["status"],
               "%d, not %d: %s" % (got, expect["status"], expect["why"]))
    for name, (text, expect) in revocations.items():
        got = try_revocation(people, text)
        yield ("revocation/" + name, got == expect["status"],
               "%d, not %d: %s" % (got, expect["status"], expect["why"]))


def check_groups(people, kinds):
    """Yields (name, right, text) for the cases of build_groups."""
    envelopes, keys = kinds
    for name, (data, expect) in envelopes.items.items():
        reader = reader_for(people, envelopes.lines, expect, envelopes.teams)
        got, plain = try_envelope(data, reader)
        right = got == expect["status"]
        if right and "sha256" in expect:
            right = hashlib.sha256(plain).hexdigest() == expect["sha256"]
        yield "group/" + name, right, "%d, not %d: %s" % (got, expect["status"], expect["why"])
    for name, (data, expect) in keys.items.items():
        got = try_wrapped(data, reader_for(people, keys.lines, expect, keys.teams))
        yield ("wrapped/" + name, got == expect["status"],
               "%d, not %d: %s" % (got, expect["status"], expect["why"]))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--keys")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    people = People(args.keys or os.path.join(args.out, "keys"))
    kinds = build(people)
    to_groups = build_groups(people)
    save_all(args.out, kinds)
    save_all(args.out, to_groups, GROUP_FOLDERS)
    print("%d envelopes, %d key files, %d public keys, %d revocations, "
          "%d envelopes of groups, %d wrapped keys" %
          tuple(len(cases.items) for cases in [*kinds, *to_groups]))
    wrong = 0
    if args.check:
        for name, right, text in itertools.chain(check(people, kinds),
                                                 check_groups(people, to_groups)):
            if not right:
                wrong += 1
                print("%s: %s" % (name, text))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
