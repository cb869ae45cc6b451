"""The worked example of docs/PROTOCOL.md, computed by the second
implementation (tests/peer), from the document's rules and not from the code.
"""
import os
import re
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "peer"))

from e2epeer import crypto  # noqa: E402
from e2epeer.armor import b64url  # noqa: E402
from e2epeer.card import make_card  # noqa: E402
from e2epeer.cbor import encode  # noqa: E402
from e2epeer.cose import make_sign1  # noqa: E402
from e2epeer.keys import ed25519_key, x25519_key  # noqa: E402

FRAME_TAG = bytes.fromhex("da65326533")
HELLO, CHAL, AUTH, READY, MSG, ACK, ACKED = range(1, 8)
PUT, RECEIPT, REGISTER, LOOKUP, REVOKE, RECORD = range(10, 16)
EMPTY = 20
CREATED, NOW = 1700000000, 1700000100
TTL = 2592000


def frame(*elements):
    return FRAME_TAG + encode(list(elements))


def sign(key, kind, payload):
    return make_sign1(key, "application/e2e-" + kind, encode(payload))


def merkle_node(left, right):
    return crypto.sha256(b"\x01" + left + right)


def handshake(relay_key, relay_card, bob):
    """The frames HELLO, CHAL and AUTH, and what lies in them."""
    made = {}
    made["hello"] = frame(HELLO, [1], bob.thumbprint, b"\x10" * 32, 256,
                          8388608)
    made["core"] = encode([1, relay_card, [], b"\x11" * 32, NOW,
                           {1: 67108864, 2: TTL, 3: 1073741824, 4: 100000,
                            5: 0}])
    binding = bytes(32)
    made["server_payload"] = encode([
        "e2e-relay server", crypto.sha256(made["hello"]),
        crypto.sha256(made["core"]), binding])
    made["server_signature"] = make_sign1(
        relay_key, "application/e2e-relay-server", made["server_payload"])
    made["chal"] = frame(CHAL, made["core"], made["server_signature"])
    made["transcript"] = crypto.sha256(made["hello"] + made["chal"])
    made["auth_payload"] = encode([
        "e2e-relay auth", relay_key.thumbprint, bob.thumbprint,
        made["transcript"], binding])
    made["auth_signature"] = make_sign1(
        bob, "application/e2e-relay-auth", made["auth_payload"])
    made["auth"] = frame(AUTH, made["auth_signature"], None)
    made["session"] = crypto.sha256(made["hello"] + made["chal"] +
                                    made["auth"])
    return made


def delivery(made, bob, envelope):
    """One item, its acknowledgement."""
    ident = crypto.sha256(envelope)
    made["envelope_id"] = ident
    made["ready"] = frame(READY, 1, len(envelope), NOW - 50, 0)
    made["msg"] = frame(MSG, 1, ident, NOW - 50, NOW - 50 + TTL,
                        len(envelope))
    made["ack_payload"] = encode(["e2e-relay ack", made["session"], [[1, 1]],
                                  crypto.sha256(ident)])
    made["ack"] = frame(ACK, [[1, 1]], make_sign1(
        bob, "application/e2e-relay-ack", made["ack_payload"]))
    made["acked"] = frame(ACKED, [[1, 1]])
    made["empty"] = frame(EMPTY)


def receipt(made, relay_key, bob, envelope, neighbor):
    """The receipt of that item, the first of two leaves."""
    until = NOW - 50 + TTL
    made["put"] = frame(PUT, [])
    made["leaf"] = encode([crypto.sha256(envelope), [bob.thumbprint], until])
    other = encode([crypto.sha256(neighbor), [bob.thumbprint], until])
    made["leaf_hash"] = crypto.sha256(b"\x00" + made["leaf"])
    made["other_leaf_hash"] = crypto.sha256(b"\x00" + other)
    made["root"] = merkle_node(made["leaf_hash"], made["other_leaf_hash"])
    made["storage_signature"] = sign(relay_key, "storage+cwt",
                                     {6: NOW - 50, -65674: made["root"]})
    made["receipt"] = frame(RECEIPT, line(envelope, until), [
        made["leaf"], 0, 2, [made["other_leaf_hash"]],
        made["storage_signature"]])


def line(envelope, until):
    ident = b64url(crypto.sha256(envelope)).decode()
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
    return f"OK {ident} stored=1 dup=0 unknown=0 until={end}"


def directory(made, relay_key, card):
    """Alice's card, asked for by name."""
    made["lookup"] = frame(LOOKUP, "alice")
    made["record_payload"] = encode([
        "e2e-relay record", made["transcript"], 0, "alice",
        crypto.sha256(encode([card, [], NOW - 60]))])
    made["record"] = frame(RECORD, card, [], NOW - 60, make_sign1(
        relay_key, "application/e2e-relay-record", made["record_payload"]))


def values(of_format):
    """{name: bytes}, from the values of docs/FORMAT.md."""
    keys = [ed25519_key(b"\x0c" * 32), x25519_key(b"\x0d" * 32)]
    old = ed25519_key(b"\x0e" * 32)
    bob = ed25519_key(b"\x03" * 32)
    relay_card = make_card(keys, name="relay", iat=CREATED)
    made = {"relay_id": keys[0].thumbprint, "relay_card": relay_card}
    made.update(handshake(keys[0], relay_card, bob))
    envelope = of_format["anon_envelope"]
    delivery(made, bob, envelope)
    receipt(made, keys[0], bob, envelope, of_format["signed_envelope"])
    directory(made, keys[0], of_format["alice_card"])
    made["old_id"] = old.thumbprint
    made["succession"] = sign(old, "succession+cwt", {
        1: old.thumbprint, 6: CREATED, 8: {5: keys[0].thumbprint}})
    return made


def vectors(text):
    """{name: bytes} of the vector blocks of a document."""
    found = {}
    for block in re.findall(r"^```vector\n(.*?)^```$", text, re.S | re.M):
        for name, value in re.findall(r"^(\w+) =((?:\s+[0-9a-f]+)+)$", block,
                                      re.M):
            found[name] = bytes.fromhex("".join(value.split()))
    return found


def text_of(made, names):
    """A vector block."""
    lines = []
    for name in names:
        digits = made[name].hex()
        if len(name) + 3 + len(digits) <= 146:
            lines.append(f"{name} = {digits}")
        else:
            lines.append(f"{name} =")
            lines += ["  " + digits[i:i + 144]
                      for i in range(0, len(digits), 144)]
    return "```vector\n" + "\n".join(lines) + "\n```\n"


def differences(protocol, of_format):
    """Complaints: values of the document that are not what they should be."""
    shown, made = vectors(protocol), values(vectors(of_format))
    bad = [f"{name} is not shown" for name in made if name not in shown]
    bad += [f"{name} is another" for name, value in shown.items()
            if made.get(name) != value]
    return bad
