#!/usr/bin/python3
"""Command line of the independent implementation (see e2epeer).

Exits with the status classes of section 1.7 of docs/FORMAT.md, with 64 for a
wrong command line and 70 for a mistake in this program.
"""

import argparse
import json
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from e2epeer import armor, crypto, labels as L, payload, receipts  # noqa: E402
from e2epeer import statements, wrapping  # noqa: E402
from e2epeer.card import parse_lines  # noqa: E402
from e2epeer.errors import Failure  # noqa: E402
from e2epeer.header import parse_header  # noqa: E402
from e2epeer.identity import new_identity, read_file, write_file  # noqa: E402
from e2epeer.opening import Reader, frame_start, open_envelope, unarmor  # noqa: E402
from e2epeer.rewrapping import rewrap  # noqa: E402
from e2epeer.sealing import DEFAULT_SEGMENT, Plan, Sealer  # noqa: E402
from e2epeer.state import State  # noqa: E402

CLAIM_NAMES = {
    L.EXP: "exp", L.IAT: "iat", L.CTI: "cti", L.MODE: "mode",
    L.SEGMENT_SIZE: "segment_size", L.CONVERSATION: "conversation",
    L.SEQUENCE: "sequence", L.MEDIA_TYPE: "type", L.FILE_NAME: "file_name",
    L.REPLY_TO: "reply_to", L.CARD: "card", L.PADDED: "padded",
    L.RECEIPT: "receipt", L.TO: "to",
}


def read(path):
    """All bytes of a file."""
    with open(path, "rb") as f:
        return f.read()


def write(path, data, mode=0o644):
    """A new file with these bytes."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as f:
        os.fchmod(fd, mode)
        f.write(data)


def jsonable(x):
    """x with byte strings in hexadecimal."""
    if isinstance(x, bytes):
        return x.hex()
    if isinstance(x, dict):
        return {str(k): jsonable(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [jsonable(v) for v in x]
    return x


def show(x, path=None):
    """Prints x as JSON, or writes it to a file."""
    text = json.dumps(jsonable(x), indent=1) + "\n"
    if path:
        write(path, text.encode())
    else:
        sys.stdout.write(text)


def raw(text):
    """The bytes of a passphrase on the command line."""
    return None if text is None else os.fsencode(text)


def hexbytes(text):
    """Type of an argument in hexadecimal."""
    return bytes.fromhex(text)


def load_cards(paths):
    """The cards of several files of public key lines."""
    return [c for path in paths or () for c in parse_lines(read(path))]


def load_keys(paths, passphrase):
    """The identities of secret key files."""
    return [read_file(read(path), raw(passphrase)) for path in paths or ()]


def load_groups(paths, identities):
    """The group keys of wrapped keys for these identities."""
    return [wrapping.read_wrapped(read(path), Reader(identities)) for path in paths or ()]


def load_state(path):
    """What is remembered; None where nothing shall be."""
    if path is None:
        return None
    return State.load(read(path).decode()) if os.path.exists(path) else State()


def save_state(path, state):
    """Remembers."""
    if state is not None:
        write(path, state.dump().encode(), 0o600)


def put(data, label, armored):
    """A result to standard output."""
    sys.stdout.buffer.write(armor.encode(label, data) if armored else data)


def cmd_keygen(a):
    """Makes a secret key file and a public key line."""
    identity = new_identity(a.type, a.name, exp=a.exp)
    cost = {} if a.passphrase is None else {"cost": (a.t, a.m, a.p)}
    write(a.key, write_file(identity, raw(a.passphrase), **cost), 0o600)
    write(a.pub, identity.card.line + b"\n")
    if a.revocation:
        made = statements.make_revocation(identity)
        write(a.revocation, statements.write_revocation(made))


def cmd_seal(a):
    """Standard input to an envelope on standard output."""
    sender = None
    if a.sender:
        sender = read_file(read(a.sender), raw(a.sender_passphrase))
    cards = load_cards(a.recipient)
    groups = load_groups(a.group, [sender] if sender else [])
    if a.self_copy and sender:
        cards.append(sender.card)
    claims = {L.EXP: a.exp, L.FILE_NAME: a.file_name, L.MEDIA_TYPE: a.type,
              L.REPLY_TO: a.reply_to, L.CONVERSATION: a.conversation,
              L.SEQUENCE: a.sequence, L.RECEIPT: True if a.receipt else None}
    claims = {k: v for k, v in claims.items() if v is not None}
    plan = Plan(cards, raw(a.passphrase), (a.t, a.m, a.p), sender=sender,
                hidden=a.hidden, mode=a.mode, segment_size=a.segment_size,
                pad=a.pad, carry_card=not a.no_card, claims=claims, groups=groups)
    run, data, state = Sealer(plan), sys.stdin.buffer.read(), load_state(a.state)
    result = run.seal(data)
    if a.receipt and state is not None:
        state.sends(run.state.cti, run.state.ch, crypto.sha256(data))
    save_state(a.state, state)
    put(result, armor.MESSAGE, a.armor)


def parse_sender(text):
    """--from: "any", a fingerprint, an id in hexadecimal, or a public key file."""
    if text in (None, "any"):
        return text
    if os.path.exists(text):
        return parse_lines(read(text))[0].id
    if len(text) == 64:
        return bytes.fromhex(text)
    return armor.parse_fingerprint(text)


def cmd_open(a):
    """An envelope on standard input to its data."""
    identities = load_keys(a.key, a.key_passphrase)
    known = load_cards(a.known)
    revocations = [statements.read_revocation(read(r)) for r in a.revocation or ()]
    reader = Reader(identities, raw(a.passphrase), known, revocations,
                    parse_sender(a.sender), a.now, groups=load_groups(a.group, identities),
                    old_epoch=a.old_epoch, forwarded=a.forwarded, state=load_state(a.state))
    opened = open_envelope(sys.stdin.buffer.read(), reader)
    if a.receipt:
        write(a.receipt, receipts.answer(opened, identities[0]))
    save_state(a.state, reader.state)
    if a.json_info:
        claims = {CLAIM_NAMES.get(k, str(k)): v
                  for k, v in opened.metadata.claims.items()
                  if k not in (L.IK, L.PADDING)}
        signer, block = opened.metadata.sign1, opened.block
        show({"forwarded": block is not None,
              "forwarded_by": block.sign1.kid if block and block.sign1 else None,
              "missing": list(opened.missing), "late": opened.late,
              "receipt_for": opened.receipt and opened.receipt.what[0],
              "confirmed": opened.confirmed, "mode": opened.metadata.mode, "sender": opened.sender,
              "signed_by": signer.kid if signer else None,
              "opened_by": opened.opened_by, "own_id": opened.own_id,
              "recipients": len(opened.header.entries), "ch": opened.ch,
              "size": len(opened.data), "claims": claims}, a.json_info)
    sys.stdout.buffer.write(opened.data)


def cmd_wrap_key(a):
    """A wrapped key for a new group, or for one that changes."""
    maker, cards = read_file(read(a.maker), raw(a.key_passphrase)), load_cards(a.member)
    if a.group:
        group = load_groups([a.group], [maker])[0]
    if a.group and a.add:
        made = wrapping.add_member(group, maker, cards, load_cards([a.add])[0])
    elif a.group:
        made = wrapping.remove_member(group, maker, cards, load_cards([a.remove])[0].id)
    else:
        made = wrapping.new_group(maker, cards, a.name, read(a.secret) if a.secret else None)
    put(made, armor.WRAPPED_KEY, a.armor)


def cmd_unwrap_key(a):
    """A wrapped key on standard input to its 32 bytes."""
    reader = Reader(load_keys(a.key, a.key_passphrase), known=load_cards(a.known),
                    sender=parse_sender(a.sender))
    group = wrapping.read_wrapped(sys.stdin.buffer.read(), reader)
    if a.json_info:
        show({"kid": group.kid, "maker": group.maker, "name": group.name,
              "epoch": group.epoch, "members": group.members}, a.json_info)
    sys.stdout.buffer.write(group.key)


def cmd_rewrap(a):
    """An envelope on standard input for new recipients."""
    own = load_keys(a.key, a.key_passphrase)
    reader = Reader(own, raw(a.passphrase), groups=load_groups(a.group, own))
    plan = Plan(load_cards(a.recipient), sender=own[0] if a.sign else None, hidden=a.hidden,
                carry_card=not a.no_card, groups=load_groups(a.to_group, own))
    put(rewrap(sys.stdin.buffer.read(), reader, plan), armor.MESSAGE, a.armor)


def cmd_inspect(_):
    """What an envelope shows without a key."""
    data = unarmor(sys.stdin.buffer.read())
    start = frame_start(data)
    header = parse_header(data, start, 1, rewrap=True)
    entries = [{k: v for k, v in (
        ("kind", e.kind), ("kid", e.kid), ("salt", e.salt), ("cost", e.cost),
        ("length", None if e.wrapped is None else len(e.wrapped))) if v is not None}
        for e in header.entries]
    show({"header_size": header.size, "kc": header.kc, "iv": header.iv,
          "rh": header.rh, "rewrapped": header.rewrap is not None,
          "metadata_size": len(header.ciphertext) - 16, "recipients": entries,
          "ch": payload.core_hash(header.protected, header.iv, header.ciphertext,
                                  header.rh),
          "size": len(data)})


def cmd_card(a):
    """The cards of a file of public key lines."""
    show([{"id": c.id, "fingerprint": armor.fingerprint(c.id), "name": c.name,
           "iat": c.claims[L.IAT], "exp": c.claims.get(L.EXP), "serial": c.serial,
           "alg": c.key.alg, "signing_key": c.key.params,
           "encryption_keys": [k.params for k in c.enc_keys],
           "thumbprints": [k.thumbprint for k in c.enc_keys]}
          for c in load_cards([a.pub])])


def cmd_revoke(a):
    """The revocation of an identity by itself, on standard output."""
    identity = read_file(read(a.key), raw(a.key_passphrase))
    made = statements.make_revocation(identity, a.reason, a.invalid_since)
    sys.stdout.buffer.write(statements.write_revocation(made))


def cmd_verify_revocation(a):
    """Verifies a revocation on standard input with known cards."""
    r = statements.read_revocation(sys.stdin.buffer.read()).verify(load_cards(a.known))
    show({"by": r.by, "whom": r.whom, "reason": r.claims[L.REASON],
          "iat": r.claims[L.IAT], "invalid_since": r.claims.get(L.INVALID_SINCE),
          "ends_identity": r.ends_identity is not None})


class Parser(argparse.ArgumentParser):
    """argparse, but with a status that is none of the classes."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(64, "%s: %s\n" % (self.prog, message))


def add_cost(parser):
    """Options of Argon2id."""
    parser.add_argument("--m", type=int, default=262144, metavar="KIB")
    parser.add_argument("--t", type=int, default=3)
    parser.add_argument("--p", type=int, default=4)


def add_groups(sub):
    """The commands for groups and for forwarding."""
    w = sub.add_parser("wrap-key")
    w.add_argument("--maker", required=True, metavar="KEY")
    w.add_argument("--key-passphrase")
    w.add_argument("--member", action="append", metavar="PUB")
    w.add_argument("--name")
    w.add_argument("--secret", metavar="FILE")
    w.add_argument("--group", metavar="WRAPPED")
    change = w.add_mutually_exclusive_group()
    change.add_argument("--add", metavar="PUB")
    change.add_argument("--remove", metavar="PUB")
    w.add_argument("--armor", action="store_true")
    w.set_defaults(run=cmd_wrap_key)

    u = sub.add_parser("unwrap-key")
    u.add_argument("--key", action="append", metavar="FILE")
    u.add_argument("--key-passphrase")
    u.add_argument("--known", action="append", metavar="PUB")
    u.add_argument("--from", dest="sender", metavar="any|FPR|HEX|PUB")
    u.add_argument("--json-info", metavar="FILE")
    u.set_defaults(run=cmd_unwrap_key)

    f = sub.add_parser("rewrap")
    f.add_argument("--key", action="append", metavar="FILE")
    f.add_argument("--key-passphrase")
    f.add_argument("--passphrase")
    f.add_argument("--group", action="append", metavar="WRAPPED")
    f.add_argument("--recipient", action="append", metavar="PUB")
    f.add_argument("--to-group", action="append", metavar="WRAPPED")
    for flag in ("--sign", "--hidden", "--no-card", "--armor"):
        f.add_argument(flag, action="store_true")
    f.set_defaults(run=cmd_rewrap)


def make_parser():
    """The command line."""
    top = Parser(description=__doc__)
    sub = top.add_subparsers(dest="command", required=True)

    k = sub.add_parser("keygen")
    k.add_argument("--type", default="x25519",
                   choices=["rsa2048", "rsa3072", "rsa4096", "x25519"])
    k.add_argument("--name")
    k.add_argument("--key", required=True)
    k.add_argument("--pub", required=True)
    k.add_argument("--revocation", metavar="FILE")
    k.add_argument("--exp", type=int)
    k.add_argument("--passphrase")
    add_cost(k)
    k.set_defaults(run=cmd_keygen)

    s = sub.add_parser("seal")
    s.add_argument("--recipient", action="append", metavar="PUB")
    s.add_argument("--sender", metavar="KEY")
    s.add_argument("--sender-passphrase")
    s.add_argument("--passphrase")
    add_cost(s)
    for flag in ("--hidden", "--pad", "--armor", "--no-card", "--receipt"):
        s.add_argument(flag, action="store_true")
    s.add_argument("--self", action="store_true", dest="self_copy")
    s.add_argument("--mode", type=int, choices=[0, 1, 2])
    s.add_argument("--segment-size", type=int, default=DEFAULT_SEGMENT)
    s.add_argument("--exp", type=int)
    s.add_argument("--file-name")
    s.add_argument("--type")
    s.add_argument("--reply-to", type=hexbytes)
    s.add_argument("--conversation", type=hexbytes)
    s.add_argument("--sequence", type=int)
    s.add_argument("--group", action="append", metavar="WRAPPED")
    s.add_argument("--state", metavar="FILE")
    s.set_defaults(run=cmd_seal)

    o = sub.add_parser("open")
    o.add_argument("--key", action="append", metavar="FILE")
    o.add_argument("--key-passphrase")
    o.add_argument("--passphrase")
    o.add_argument("--known", action="append", metavar="PUB")
    o.add_argument("--revocation", action="append", metavar="FILE")
    o.add_argument("--from", dest="sender", metavar="any|FPR|HEX|PUB")
    o.add_argument("--now", type=int)
    o.add_argument("--json-info", metavar="FILE")
    o.add_argument("--group", action="append", metavar="WRAPPED")
    o.add_argument("--old-epoch", action="store_true")
    o.add_argument("--forwarded", action="store_true")
    o.add_argument("--state", metavar="FILE")
    o.add_argument("--receipt", metavar="FILE")
    o.set_defaults(run=cmd_open)

    add_groups(sub)

    sub.add_parser("inspect").set_defaults(run=cmd_inspect)

    c = sub.add_parser("card")
    c.add_argument("pub")
    c.set_defaults(run=cmd_card)

    r = sub.add_parser("revoke")
    r.add_argument("--key", required=True)
    r.add_argument("--key-passphrase")
    r.add_argument("--reason", type=int, default=0)
    r.add_argument("--invalid-since", type=int)
    r.set_defaults(run=cmd_revoke)

    v = sub.add_parser("verify-revocation")
    v.add_argument("--known", action="append", metavar="PUB")
    v.set_defaults(run=cmd_verify_revocation)
    return top


def main(argv=None):
    """Runs one command; returns the exit status."""
    args = make_parser().parse_args(argv)
    if getattr(args, "self_copy", False) and not args.sender:
        print("peer.py: --self needs --sender", file=sys.stderr)
        return 64
    if args.command == "wrap-key" and bool(args.group) != bool(args.add or args.remove):
        print("peer.py: --group needs --add or --remove, and the reverse", file=sys.stderr)
        return 64
    if getattr(args, "sign", False) and not args.key:
        print("peer.py: --sign needs --key", file=sys.stderr)
        return 64
    try:
        args.run(args)
        sys.stdout.flush()
    except Failure as failure:
        print("peer.py: %s (%d)" % (failure, failure.status), file=sys.stderr)
        return failure.status
    except OSError as error:
        print("peer.py: %s" % error, file=sys.stderr)
        return 64
    except Exception:  # a mistake here must not look like a status class
        traceback.print_exc()
        return 70
    return 0


if __name__ == "__main__":
    sys.exit(main())
