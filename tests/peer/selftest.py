#!/usr/bin/python3
"""Self test of the peer, in TAP.

    selftest.py [--doc FORMAT.md] [--slow]

Recomputes every value of the worked examples and the tables of constants in
the document, seals and opens messages of all kinds, refuses altered ones
(sampled), and runs the cases of hostile.py.  Groups, rewrapping, numbers and
receipts are in selftest_groups.py.  --slow adds RSA 4096, 1024
recipients of each kind and 100 MiB.
"""

import argparse
import itertools
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import cbor2  # noqa: E402
import group_examples  # noqa: E402
import hostile  # noqa: E402
import selftest_groups  # noqa: E402
from cases.base import COST, PASS, People  # noqa: E402
from e2epeer import armor, cbor, crypto, header, labels as L, metadata  # noqa: E402
from e2epeer import payload, statements  # noqa: E402
from e2epeer.card import Card, make_card, parse_lines  # noqa: E402
from e2epeer.errors import Failure  # noqa: E402
from e2epeer.identity import (Identity, encode_keyset, make_item,  # noqa: E402
                              make_secret, new_identity, read_file,
                              secret_aad, write_file)
from e2epeer.keys import ed25519_key, x25519_key  # noqa: E402
from e2epeer.opening import Reader, open_envelope  # noqa: E402
from e2epeer.sealing import Plan, Sealer, seal  # noqa: E402

IAT = 1700000000


class Tap:
    """Prints numbered results."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, detail=""):
        """One result."""
        self.count += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, name))
        if not good and detail:
            print("".join("# %s\n" % line for line in str(detail).split("\n")), end="")

    def equal(self, got, want, name):
        """One comparison."""
        self.ok(got == want, name, "got  %s\nwant %s" % (
            got.hex() if isinstance(got, bytes) else got,
            want.hex() if isinstance(want, bytes) else want))

    def run(self, function, *args):
        """A group; an exception in it is a failure."""
        try:
            function(self, *args)
        except Exception:  # any mistake is a failed test
            self.ok(False, function.__name__, traceback.format_exc())


def status_of(data, reader):
    """(status, data or None)."""
    try:
        return 0, open_envelope(data, reader).data
    except Failure as failure:
        return failure.status, None


# --- the document --------------------------------------------------------

def vectors(text):
    """{name: bytes} of all vector blocks."""
    found = {}
    for block in re.findall(r"^```vector\n(.*?)^```", text, re.M | re.S):
        joined = re.sub(r"\n[ \t]+", "", block)
        for line in joined.strip().split("\n"):
            name, value = line.split("=")
            if name.strip() in found:
                raise ValueError("vector twice: " + name)
            found[name.strip()] = bytes.fromhex(value.strip())
    return found


def example_people():
    """Alice and bob of section 15."""
    alice = [ed25519_key(b"\1" * 32), x25519_key(b"\2" * 32)]
    bob = [ed25519_key(b"\3" * 32), x25519_key(b"\4" * 32)]
    return tuple(Identity(Card(make_card(k, n, iat=IAT)), k)
                 for k, n in ((alice, "alice"), (bob, None)))


def example_sealer(**args):
    """A finished writer with the constant values of section 15."""
    run = Sealer(Plan(iat=IAT, cek=b"\5" * 32, iv=b"\6" * 12, ik=b"\x08" * 32,
                      cti=b"\x09" * 16, salt=b"\x0a" * 24, ephemeral=b"\7" * 32, **args))
    run.seal(b"hello\n")
    return run.state


def recompute(alice, bob):
    """{name: bytes} of all vectors, from the inputs of section 15."""
    a, k = example_sealer(cards=[bob.card]), alice.keys[0]
    s = example_sealer(cards=[bob.card], sender=alice, mode=2, segment_size=65536,
                       carry_card=False)
    z = crypto.x25519_shared(b"\7" * 32, bob.keys[1].params[-2])
    kek = header.x25519_kek(z)
    segment = payload.segment_payload(0, True, b"hello\n")
    keyset = encode_keyset(alice.keys)
    fixed = {"cost": (1, 8192, 1), "cek": b"\5" * 32, "iv": b"\6" * 12,
             "salt": b"\x0b" * 16}
    secret = make_secret(keyset, alice.card.raw, b"correct horse", **fixed)
    secret_r = header.parse_header(secret, 0, 1).recipients
    return {
        "alice_thumbprint_input": k.thumbprint_input,
        "alice_id": alice.id,
        "alice_card_protected": alice.card.sign1.protected,
        "alice_card_claims": alice.card.sign1.payload,
        "alice_card": alice.card.raw,
        "bob_id": bob.id,
        "bob_x25519_public": bob.keys[1].params[-2],
        "kc_info": header.KC_INFO,
        "kc": crypto.hkdf(b"\5" * 32, header.KC_INFO),
        "P": a.protected,
        "Z": z,
        "kdf_context": header.KDF_CONTEXT,
        "KEK": kek,
        "W": crypto.kw_wrap(kek, b"\5" * 32),
        "R": a.recipients,
        "rh": a.rh,
        "header_external_aad": a.header_aad,
        "header_enc_structure": a.enc_structure,
        "anon_metadata": a.metadata,
        "anon_ciphertext": a.ciphertext,
        "anon_ch": a.ch,
        "anon_K_N_C": a.key + a.base + a.commitment,
        "anon_envelope": a.envelope,
        "signed_sender_external_aad": s.sender_aad,
        "signed_sig_structure": s.sender_tbs,
        "signed_metadata": s.metadata,
        "signed_ciphertext": s.ciphertext,
        "signed_ch": s.ch,
        "signed_K_N_C": s.key + s.base + s.commitment,
        "signed_segment_payload": segment,
        "signed_segment_sig_structure": payload.segment_tbs(s.sign_protected, s.ch, segment),
        "signed_stream": s.stream,
        "signed_envelope": s.envelope,
        "to_element_bob": metadata.to_element(b"\x09" * 16, bob.id),
        "alice_keyset": keyset,
        "secret_KEK": crypto.argon2id(b"correct horse", b"\x0b" * 16, 1, 8192, 1),
        "secret_R": secret_r,
        "secret_external_aad": secret_aad(alice.card.raw, secret_r),
        "secret_file_item": make_item(alice, b"correct horse", **fixed),
        **group_examples.values(alice, bob, s.ciphertext, s.rh, s.envelope),
    }


def test_vectors(tap, text):
    """Section 15."""
    want, (alice, bob) = vectors(text), example_people()
    got = recompute(alice, bob)
    for name, value in want.items():
        if name in got:
            tap.equal(got[name], value, "vector " + name)
        else:
            tap.ok(False, "vector %s is not recomputed" % name)
    tap.equal(set(got), set(want), "all vectors are in the document")
    tap.equal(header.KDF_CONTEXT, cbor.encode(
        [-5, [None] * 3, [None] * 3, [256, header.X25519_PROTECTED]]), "KDF context")
    found = re.search(r"Fingerprint: `([^`]*)`", text).group(1)
    tap.equal(armor.fingerprint(alice.id), found, "fingerprint")
    for form in (found, found.upper(), found.replace("-", " ")):
        tap.equal(armor.parse_fingerprint(form), alice.id, "reading " + form)
    line = re.search(r"^e2e-pub1 0.*$", text, re.M).group(0)
    tap.equal(alice.card.line.decode(), line, "public key line")
    tap.equal(parse_lines(line.encode())[0].raw, alice.card.raw, "reading that line")
    plain = re.search(r"^-----BEGIN E2E SECRET KEY-----\n.*?END E2E SECRET KEY-----\n",
                      text[text.index("### 15.5"):], re.M | re.S).group(0).encode()
    tap.equal(armor.encode(armor.SECRET_KEY, make_item(alice)), plain, "secret key file")
    tap.equal(read_file(plain).keys, alice.keys, "reading that file")
    sealed = armor.encode(armor.SECRET_KEY, want["secret_file_item"])
    tap.equal(read_file(sealed, b"correct horse\n").keys, alice.keys,
              "reading the encrypted file")
    for name, known in (("anon", []), ("signed", [alice.card])):
        tap.equal(status_of(want[name + "_envelope"], Reader([bob], known=known)),
                  (0, b"hello\n"), "opening %s_envelope" % name)


def test_tables(tap, text):
    """Constants in the tables of the document."""
    rows = [[c.strip() for c in line.strip("|").split("|")]
            for line in text.split("\n") if line.startswith("|")]
    spaces = re.compile(r"\s")
    for row in rows:
        if len(row) < 2:
            continue
        hexed = [spaces.sub("", c.strip("`")) for c in row[1:3]]
        if re.fullmatch(r"-65\d{3}", row[0]) and re.fullmatch(r"3a[0-9a-f]{8}", hexed[0]):
            tap.equal(cbor.encode(int(row[0])), bytes.fromhex(hexed[0]), "label " + row[0])
        elif row[0].startswith("e2e1 ") and len(row) == 3:
            tap.equal(cbor.encode(row[0]), bytes.fromhex(hexed[0]), "string " + row[0])
        elif len(row) == 4 and re.fullmatch(r"-?\d+", row[1]) and \
                re.fullmatch(r"`[0-9a-f ]+`", row[2]):
            tap.equal(cbor.encode(int(row[1])), bytes.fromhex(hexed[1]),
                      "algorithm " + row[0])
    padme = text[text.index("| n | Padme(n + 1) |"):].split("\n\n")[0]
    for n, total in re.findall(r"^\| (\d+) \| (\d+) \|$", padme, re.M):
        tap.equal(payload.padme(int(n) + 1), int(total), "Padme of %s" % n)
    tap.equal(len(payload.INFO) + 24 + 32, 104, "length of the payload's info")
    core = "85 69 6532653120636f7265 582a".replace(" ", "")
    tap.equal(cbor.encode(["e2e1 core", bytes(42)])[1:13].hex(), core[2:26], "core prefix")
    tap.equal(len(metadata.sender_aad(bytes(42), bytes(12), bytes(32))), 104, "sender aad")
    tap.equal(len(metadata.header_aad(bytes(32))), 47, "header aad")
    tap.equal(len(secret_aad(b"", b"")), 81, "secret aad")


# --- CBOR against cbor2 --------------------------------------------------

def random_item(rng, depth=0):
    """Any item that the rules allow."""
    kind = rng.randrange(8 if depth < 5 else 6)
    if kind < 2:
        n = rng.getrandbits(rng.choice((3, 5, 8, 16, 32, 64)))
        return -1 - n if kind else n
    if kind == 2:
        return rng.randbytes(rng.choice((0, 1, 23, 24, 255, 256)))
    if kind == 3:
        return "".join(rng.choice("aä€\U0001f511\0") for _ in range(rng.randrange(30)))
    if kind < 6:
        return rng.choice((True, False, None))
    if kind == 6:
        return [random_item(rng, depth + 1) for _ in range(rng.randrange(30))]
    return {rng.choice((1, -1)) * rng.getrandbits(rng.choice((4, 16, 64))):
            random_item(rng, depth + 1) for _ in range(rng.randrange(6))}


def test_cbor(tap):
    """Own decoding and cbor2 agree; accepted input is the one encoding."""
    rng = random.Random(1)
    good = agreed = 0
    for _ in range(1500):
        item = random_item(rng)
        raw = cbor.encode(item)
        good += cbor.decode(raw) == item and cbor2.loads(raw) == item
        mutated = bytearray(raw)
        for _ in range(rng.randrange(1, 4)):
            mutated[rng.randrange(len(mutated))] = rng.getrandbits(8)
        try:
            value = cbor.decode(bytes(mutated))
        except Failure:
            agreed += 1
            continue
        agreed += cbor.encode(value) == mutated and cbor2.loads(bytes(mutated)) == value
    tap.equal(good, 1500, "items survive encoding and decoding, also by cbor2")
    tap.equal(agreed, 1500, "altered items: refused, or the one encoding as cbor2 has it")
    a = example_sealer(cards=[example_people()[1].card])
    outer = cbor2.loads(a.envelope)
    inner = outer.value[0].value
    tap.equal((outer.tag, outer.value[0].tag, inner[0], inner[1], inner[2], inner[3]),
              (1697801521, 96, a.protected, {5: a.iv}, a.ciphertext,
               cbor.decode(a.recipients)), "an envelope as cbor2 sees it")


# --- messages ------------------------------------------------------------

def test_roundtrips(tap, p):
    """All kinds of messages."""
    everyone = {"x25519": [p.bob], "rsa": [p.carol], "mixed": [p.bob, p.carol],
                "passphrase": [], "all": [p.carol, p.bob]}
    rng = random.Random(2)
    sizes = itertools.cycle((0, 1, 6, 16319, 16320, 16383, 16384, 16385, 65536, 200000))
    senders = {"anonymous": None, "ed25519": p.alice, "ps256": p.dave}
    for (kind, to), (who, sender) in itertools.product(everyone.items(), senders.items()):
        for hidden, pad, mode in itertools.product((0, 1), (0, 1), (None, 1, 2)):
            if mode and (sender is None or (mode == 1 and (len(to) != 1))):
                continue
            secret = PASS if kind in ("passphrase", "all") else None
            data = rng.randbytes(next(sizes))
            plan = Plan([i.card for i in to], secret, COST, sender=sender,
                        hidden=bool(hidden), pad=bool(pad), mode=mode, segment_size=65536)
            run = Sealer(plan)
            raw = run.seal(data)
            name = "%s from %s, mode %s, hidden %d, padded %d, %d bytes" % (
                kind, who, run.state.mode, hidden, pad, len(data))
            asked = "any" if sender else None
            readers = [Reader([p.mallory, i], sender=asked) for i in to]
            if secret:
                readers.append(Reader(passphrase=secret, sender=asked))
            results = [status_of(raw, r) for r in readers]
            size_ok = not pad or len(run.state.metadata) % 512 == 0
            tap.ok(size_ok and all(r == (0, data) for r in results), name,
                   [r[0] for r in results])
            tap.ok(status_of(raw, Reader([p.mallory]))[0] in (2, 7), "not mallory: " + name)


def test_details(tap, p):
    """Claims, limits of the writer, expiry, revocation, armor."""
    claims = {L.EXP: IAT * 2, L.FILE_NAME: "a/b\x1b[1m", L.MEDIA_TYPE: "text/plain",
              L.REPLY_TO: bytes(16), L.CONVERSATION: bytes(16), L.SEQUENCE: 7,
              L.RECEIPT: True}
    raw = seal(Plan([p.bob.card], sender=p.alice, claims=claims), b"x")
    opened = open_envelope(raw, Reader([p.bob], sender=p.alice.id))
    tap.ok(claims.items() <= opened.metadata.claims.items(), "all claims arrive")
    tap.equal(status_of(raw, Reader([p.bob], now=IAT * 2))[0], 4, "exp is the first moment")
    tap.equal(status_of(raw, Reader([p.bob], now=IAT * 2 - 1))[0], 0, "before exp")
    text = armor.encode(armor.MESSAGE, raw)
    tap.equal(status_of(text, Reader([p.bob]))[1], b"x", "armored")
    made = statements.make_revocation(p.alice, 1, IAT)
    again = statements.read_revocation(statements.write_revocation(made, ["alice"]))
    tap.equal(again.verify([p.alice.card]).ends_identity, p.alice.id, "revocation")
    tap.equal([status_of(raw, Reader([p.bob], revocations=[again], sender=who))[0]
               for who in (None, p.alice.id)], [0, 3], "revoked sender, not asked and asked for")
    altered = statements.Revocation(made[:-1] + bytes([made[-1] ^ 1]))
    for name, want, call in (
            ("altered revocation", 1, lambda: altered.verify([p.alice.card])),
            ("revocation by an unknown", 3, lambda: again.verify([p.bob.card])),
            ("card is no revocation", 5, lambda: statements.Revocation(p.alice.card.raw)),
            ("no recipient", 5, lambda: seal(Plan(), b"")),
            ("mode 1 for two", 5, lambda: seal(Plan(
                [p.bob.card, p.carol.card], sender=p.alice, mode=1), b"")),
            ("129 hidden RSA entries", 6, lambda: seal(Plan(
                [p.carol.card] * 129, hidden=True), b"")),
            ("1025 recipients", 6, lambda: seal(Plan([p.bob.card] * 1025), b"")),
            ("segment size", 6, lambda: seal(Plan(
                [p.bob.card], sender=p.alice, mode=2, segment_size=65535), b"")),
            ("file name", 6, lambda: seal(Plan(
                [p.bob.card], claims={L.FILE_NAME: "a" * 256}), b""))):
        try:
            call()
            got = 0
        except Failure as failure:
            got = failure.status
        tap.equal(got, want, "refused: " + name)
    newer = Card(make_card(p.alice.keys, "alice", serial=9, exp=1))
    tap.equal(status_of(raw, Reader([p.bob], known=[newer], sender="any"))[0], 3,
              "a known card with a higher serial counts")
    rsa = new_identity("rsa3072", "erin")
    text = write_file(rsa, b"abc", cost=COST)
    tap.equal(read_file(text, b"abc").keys, rsa.keys, "RSA 3072 key file with passphrase")
    raw = seal(Plan([rsa.card, rsa.card], sender=rsa), b"y")
    tap.equal(status_of(raw, Reader([rsa], sender=rsa.id)), (0, b"y"), "RSA 3072")


def test_mutations(tap, p):
    """Sampled: every altered, shortened or longer envelope is refused."""
    rng = random.Random(3)
    kinds = {
        "anonymous": (Plan([p.bob.card]), Reader([p.bob])),
        "rsa": (Plan([p.carol.card], sender=p.dave), Reader([p.carol])),
        "mixed": (Plan([p.carol.card, p.bob.card], sender=p.alice, hidden=True, pad=True,
                       segment_size=65536), Reader([p.bob])),
        "passphrase": (Plan([], PASS, COST), Reader(passphrase=PASS)),
    }
    for name, (plan, reader) in kinds.items():
        run = Sealer(plan)
        raw = run.seal(rng.randbytes(70000))
        end = 6 + len(run.state.header)
        some = sorted(rng.sample(range(len(raw)), 250)) if name != "passphrase" else \
            sorted(rng.sample(range(len(raw)), 60))
        some += list(range(0, end, 3)) if name != "passphrase" else []
        bad = []
        for at in some:
            altered = bytearray(raw)
            altered[at] ^= 1 << rng.randrange(8)
            status = status_of(bytes(altered), reader)[0]
            wanted = (2, 5, 6, 7) if at < end else (1, 5)
            if status not in wanted:
                bad.append((at, status))
        tap.ok(not bad, "%s: %d altered bits" % (name, len(some)), bad)
        bad = [(at, s) for at in some
               for s in [status_of(raw[:at], reader)[0]] if s != (5 if at < end else 1)]
        tap.ok(not bad, "%s: %d truncations" % (name, len(some)), bad)
        tap.equal(status_of(raw + b"\xff", reader)[0], 5, name + ": a byte more")
        bad = []
        for at in rng.sample(range(len(raw)), 40):
            for altered in (raw[:at] + raw[at + 1:], raw[:at] + b"\0" + raw[at:]):
                if status_of(altered, reader)[0] not in range(1, 8):
                    bad.append(at)
        tap.ok(not bad, name + ": bytes removed or put in", bad)


def test_hostile(tap, p):
    """The cases of hostile.py."""
    for name, right, text in hostile.check(p, hostile.build(p)):
        tap.ok(right, "hostile " + name, text)


def test_commands(tap, folder):
    """The command line."""
    def run(*args, data=b""):
        return subprocess.run([sys.executable, os.path.join(HERE, "peer.py"), *args],
                              input=data, cwd=folder, capture_output=True, check=False)
    fast = ("--m", "8192", "--t", "1", "--p", "1")
    made = run("keygen", "--type", "x25519", "--name", "zoe", "--key", "z.key", "--pub",
               "z.pub", "--passphrase", "pw", "--revocation", "z.rev", *fast)
    tap.equal(made.returncode, 0, "keygen")
    tap.equal(os.stat(os.path.join(folder, "z.key")).st_mode & 0o777, 0o600, "mode 0600")
    sealed = run("seal", "--recipient", "z.pub", "--recipient", "carol.pub", "--sender",
                 "z.key", "--sender-passphrase", "pw", "--hidden", "--pad", "--armor",
                 "--self", "--file-name", "n", data=b"data")
    tap.equal(sealed.returncode, 0, "seal")
    opened = run("open", "--key", "z.key", "--key-passphrase", "pw", "--from", "any",
                 "--json-info", "i.json", data=sealed.stdout)
    tap.equal((opened.returncode, opened.stdout), (0, b"data"), "open")
    with open(os.path.join(folder, "i.json"), encoding="ascii") as f:
        tap.ok('"file_name": "n"' in f.read(), "json info")
    for name, want, args in (
            ("no passphrase", 7, ("--key", "z.key")),
            ("another key", 2, ("--key", "bob.key")),
            ("revoked", 3, ("--key", "carol.key", "--revocation", "z.rev",
                             "--from", "any")),
            ("wrong option", 64, ("--nonsense",))):
        result = run("open", *args, data=sealed.stdout)
        tap.equal((result.returncode, result.stdout), (want, b""), "open: " + name)
    tap.equal(run("inspect", data=sealed.stdout).returncode, 0, "inspect")
    tap.equal(run("card", "z.pub").returncode, 0, "card")
    revoked = run("revoke", "--key", "z.key", "--key-passphrase", "pw", "--reason", "4")
    tap.equal(run("verify-revocation", "--known", "z.pub",
                  data=revoked.stdout).returncode, 0, "revoke and verify-revocation")


def test_slow(tap, p):
    """Large ones."""
    for name, who in (("X25519", p.bob), ("RSA", p.carol)):
        start = time.time()
        raw = seal(Plan([who.card] * 1024, sender=p.alice), b"x")
        tap.equal(status_of(raw, Reader([who])), (0, b"x"),
                  "1024 recipients with %s, %.1f s" % (name, time.time() - start))
    big = new_identity("rsa4096")
    raw = seal(Plan([big.card], sender=big, pad=True, hidden=True), b"x")
    tap.equal(status_of(raw, Reader([big], sender=big.id)), (0, b"x"), "RSA 4096")
    data = os.urandom(1 << 20) * 100
    for mode in (0, 2):
        start = time.time()
        raw = seal(Plan([p.bob.card], sender=p.alice if mode else None, mode=mode), data)
        tap.ok(status_of(raw, Reader([p.bob])) == (0, data),
               "100 MiB in mode %d, %.1f s" % (mode, time.time() - start))


def main():
    """Runs all groups."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doc", default=os.path.join(HERE, "..", "..", "docs", "FORMAT.md"))
    parser.add_argument("--slow", action="store_true")
    args = parser.parse_args()
    with open(args.doc, encoding="utf-8") as f:
        text = f.read()
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        people = People(folder)
        tap.run(test_vectors, text)
        tap.run(test_tables, text)
        tap.run(test_cbor)
        tap.run(test_details, people)
        tap.run(test_roundtrips, people)
        tap.run(test_mutations, people)
        tap.run(test_hostile, people)
        tap.run(test_commands, folder)
        for group in ("wrapped", "group_mail", "rewrapping", "numbers", "receipts", "hostile"):
            tap.run(getattr(selftest_groups, "test_" + group), people)
        tap.run(selftest_groups.test_commands, folder)
        if args.slow:
            tap.run(test_slow, people)
    print("1..%d" % tap.count)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
