"""For interop-relay: the worked examples of PROTOCOL.md, recomputed, and the daemon."""

import os
import re
import selectors
import subprocess
import time

from e2epeer import armor
from e2epeer.card import Card, make_card
from e2epeer.cbor import Raw, encode
from e2epeer.crypto import sha256
from e2epeer.identity import Identity
from e2epeer.keys import ed25519_key, x25519_key
from e2erelay import frames as F
from e2erelay import merkle, signatures as S
from e2erelay.signatures import ZERO


class Daemon:
    """An e2e-relayd with a store of its own."""

    def __init__(self, commands, name, *options):
        self.store = commands.path(name)
        env = dict(os.environ, HOME=commands.folder, XDG_CONFIG_HOME=commands.config)
        self.process = subprocess.Popen(
            [os.path.join(commands.bin, "e2e-relayd"), "--store", self.store, "-l",
             "127.0.0.1:0", *options], env=env, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.log = b""
        ready = self._wait(rb"ready fingerprint=(\S+) listen=127\.0\.0\.1:(\d+)", 60)
        if not ready:
            self.close()
            raise RuntimeError("no ready line: %r" % self.log)
        self.id = armor.parse_fingerprint(ready[1].decode())
        self.address = ("127.0.0.1", int(ready[2]))

    def _wait(self, pattern, seconds):
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stderr, selectors.EVENT_READ)
            while time.monotonic() < end:
                if selector.select(1):
                    piece = os.read(self.process.stderr.fileno(), 65536)
                    self.log += piece
                    if not piece:
                        break
                found = re.search(pattern, self.log)
                if found:
                    return found
        return None

    @property
    def name(self):
        """As the commands take it."""
        return "%s:%d" % self.address

    def close(self):
        """Ends it; the exit status."""
        self.process.terminate()
        try:
            self.log += self.process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.log += self.process.communicate()[1]
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()


def example(seed, secret, name):
    """An identity of the worked examples."""
    keys = [ed25519_key(bytes([seed]) * 32), x25519_key(bytes([secret]) * 32)]
    return Identity(Card(make_card(keys, name, iat=1700000000)), keys)


def recompute(envelope, other):
    """{name: bytes} of all vectors of section 16."""
    v, now = {}, 1700000100
    relay, alice, bob = example(12, 13, "relay"), example(1, 2, "alice"), example(3, 4, None)
    key = relay.signing_key
    v["relay_id"], v["relay_card"] = relay.id, relay.card.raw
    v["hello"] = F.frame(F.HELLO, [1], bob.id, b"\x10" * 32, 256, 8388608)
    v["core"] = encode([1, relay.card.raw, [], b"\x11" * 32, now, S.LIMITS])
    payload = S.server_payload(v["hello"], v["core"], ZERO)
    v["server_payload"], v["server_signature"] = encode(payload), S.sign("server", key, payload)
    v["chal"] = F.frame(F.CHAL, v["core"], v["server_signature"])
    v["transcript"] = sha256(v["hello"] + v["chal"])
    payload = S.auth_payload(relay.id, bob.id, v["hello"], v["chal"], ZERO)
    v["auth_payload"] = encode(payload)
    v["auth_signature"] = S.sign("auth", bob.signing_key, payload)
    v["auth"] = F.frame(F.AUTH, v["auth_signature"], None)
    v["session"] = sha256(v["hello"] + v["chal"] + v["auth"])
    ident, until = sha256(envelope), 1700000050 + S.LIMITS[2]
    v["envelope_id"] = ident
    v["ready"] = F.frame(F.READY, 1, len(envelope), 1700000050, 0)
    v["msg"] = F.frame(F.MSG, 1, ident, 1700000050, until, len(envelope))
    v["empty"] = F.frame(F.EMPTY)
    payload = S.ack_payload(v["session"], [[1, 1]], [ident])
    v["ack_payload"] = encode(payload)
    v["ack"] = F.frame(F.ACK, [[1, 1]], S.sign("ack", bob.signing_key, payload))
    v["acked"] = F.frame(F.ACKED, [[1, 1]])
    v["put"] = F.frame(F.PUT, [])
    v["leaf"] = encode([ident, [bob.id], until])
    v["leaf_hash"] = merkle.leaf_hash(v["leaf"])
    v["other_leaf_hash"] = merkle.leaf_hash(encode([sha256(other), [bob.id], until]))
    v["root"] = merkle.root_of([v["leaf_hash"], v["other_leaf_hash"]])
    v["storage_signature"] = S.sign("storage", key, {6: 1700000050, S.ROOT: v["root"]})
    line = "OK %s stored=1 dup=0 unknown=0 until=2023-12-14T22:14:10Z" % \
        armor.b64url(ident).decode()
    v["receipt"] = F.frame(F.RECEIPT, line, [v["leaf"], 0, 2, [v["other_leaf_hash"]],
                                             v["storage_signature"]])
    v["lookup"] = F.frame(F.LOOKUP, "alice")
    record = [alice.card.raw, [], 1700000040]
    payload = S.record_payload(v["hello"], v["chal"], 0, "alice", record)
    v["record_payload"] = encode(payload)
    v["record"] = F.frame(F.RECORD, *record, S.sign("record", key, payload))
    old = example(14, 15, None)
    v["old_id"] = old.id
    v["succession"] = S.make_succession(old, relay.id, 1700000000)[1]
    return v


def vectors(text):
    """{name: bytes} of all vector blocks."""
    found = {}
    for block in re.findall(r"^```vector\n(.*?)^```", text, re.M | re.S):
        for name, value in re.findall(r"^(\w+) =((?:\s+[0-9a-f]+$)+)", block, re.M):
            found[name] = bytes.fromhex("".join(value.split()))
    return found


def bent_frames():
    """{title: bytes}: frames that no relay takes after CHAL; none needs AUTH."""
    ping = F.frame(F.PING, 1)
    return {
        "a number not in its shortest form": F.TAG + bytes.fromhex("82101801"),
        "an array of indefinite length": F.TAG + bytes.fromhex("9f1001ff"),
        "the head of the tag too long": bytes.fromhex("db0000000065326533821001"),
        "another tag": bytes.fromhex("da65326532821001"),
        "no array": F.TAG + b"\x10",
        "an empty array": F.TAG + b"\x80",
        "a type that is text": F.TAG + encode(["PING", 1]),
        "type 0": F.frame(0),
        "type 22": F.frame(22, 1),
        "type 2^32 + 16": F.frame((1 << 32) + 16, 1),
        "a negative type": F.frame(-16, 1),
        "an element too many": F.frame(F.PING, 1, 1),
        "an element too few": F.frame(F.PING),
        "an element of another type": F.frame(F.PING, "1"),
        "a negative number": F.frame(F.PING, -1),
        "a floating-point number": F.frame(F.PING, Raw(bytes.fromhex("f93c00"))),
        "undefined": F.frame(F.PING, Raw(b"\xf7")),
        "a tag inside": F.frame(F.PING, Raw(b"\xc1\x01")),
        "a frame of the relay": F.frame(F.EMPTY),
        "a second HELLO": F.frame(F.HELLO, [1], None, bytes(32), 0, 0),
        "a name of 65 bytes": F.frame(F.LOOKUP, "a" * 65),
        "an id of 31 bytes": F.frame(F.LOOKUP, bytes(31)),
        "a name that is not UTF-8": F.frame(F.LOOKUP, Raw(b"\x61\xff")),
        "mailboxes of 31 bytes": F.frame(F.PUT, [bytes(31)]),
        "1025 mailboxes": F.frame(F.PUT, [i.to_bytes(32, "big") for i in range(1025)]),
        "a statement of 4097 bytes": F.frame(F.REVOKE, bytes(4097)),
        "a frame of 65537 bytes": F.frame(F.REVOKE, bytes(65537 - 10)),
        "a length of 2^40": F.TAG + bytes.fromhex("820e5b0000010000000000"),
        "a count of 2^40": F.TAG + bytes.fromhex("9b0000010000000000"),
        "AUTH without a mailbox": F.frame(F.AUTH, b"", None),
        "an envelope without PUT": bytes.fromhex("da653265319fd860"),
        "junk behind a good frame": ping + b"junk",
    }
