"""A relay, written from docs/PROTOCOL.md alone, that is honest in everything but
one thing: what its clients must not fall for.

	liar.py LIE ENVELOPE CARD

It takes or hands out the one envelope in the file ENVELOPE, has the card in
the file CARD in its directory, and tells LIE ("none": the control). Prints its
port, and serves one connection after the other.
"""

import base64
import os
import socket
import sys
import time

import session
from session import (ACK, ACKED, AUTH, CHAL, DATA, EMPTY, ERROR, GET, GOAWAY,
                     HELLO, LOOKUP, MSG, PING, PONG, PUT, READY, RECEIPT, RECORD, Ended, frame,
                     sha256)

from e2epeer.card import parse_lines
from e2epeer.cbor import encode
from e2epeer.cose import make_sign1
from e2epeer.identity import new_identity

# Without an end, instead of what comes next.
FLOODS = {"empties-first": EMPTY, "pings-first": PING, "empties": EMPTY,
          "pings": PING, "pongs": PONG, "empties-second": EMPTY}
HIDDEN = "\x1b[2J\u202enow you see it\r\n"


def flood(c, kind):
    """Frames of no meaning, until the client has gone."""
    many = (frame(kind) if kind == EMPTY else frame(kind, 1)) * 1000
    while True:
        c.send(many)


class Liar:
    """What it is and what it has."""

    def __init__(self, lie, envelope, card):
        self.lie = lie
        self.me = new_identity("x25519", "relay")
        self.other = new_identity("x25519", "relay")
        with open(envelope, "rb") as f:
            self.envelope = f.read()
        with open(card, "rb") as f:
            self.card = parse_lines(f.read())[0].raw
        self.box = session.relay_id(self.card)
        self.id = sha256(self.envelope)
        self.visits = 0

    def key_for(self, lie):
        """Somebody else's, when that is the lie."""
        who = self.other if self.lie == lie else self.me
        return who.signing_key

    def serve(self, connection):
        """One client, to its end."""
        c = session.Session(connection)
        self.visits += 1
        _, c.hello = c.expect(HELLO)
        if self.lie == "goaway-first":
            c.send(frame(GOAWAY, "later", 5000))
            raise Ended
        c.send(self.challenge(c))
        self.records = 0
        while True:
            items, whole = c.receive()
            if items[0] == AUTH:
                c.auth = whole
                self.deliver(c)
            elif items[0] == PUT:
                self.take(c, items[1] or [self.box])
            elif items[0] == ACK and self.lie == "ack-unheard":
                raise Ended
            elif items[0] == ACK and self.lie in FLOODS:
                flood(c, FLOODS[self.lie])
            elif items[0] == ACK:
                c.send(frame(ACKED, items[1]))
            elif items[0] == LOOKUP and self.lie in FLOODS:
                flood(c, FLOODS[self.lie])
            elif items[0] == LOOKUP:
                c.send(self.record(c, items[1]))
            elif items[0] == GET:
                self.go_on(c, items[1], items[2])

    def challenge(self, c):
        """Who this is."""
        core = encode([1, self.me.card.raw, [], os.urandom(32),
                       int(time.time()), {1: 1 << 26, 2: 86400, 3: 1 << 30,
                                          4: 1000, 5: 0}])
        hello = sha256(b"x" if self.lie == "chal-replayed" else c.hello)
        payload = encode(["e2e-relay server", hello, sha256(core), bytes(32)])
        c.chal = frame(CHAL, core, make_sign1(
            self.key_for("chal-key"), "application/e2e-relay-server",
            payload))
        return c.chal

    def go_on(self, c, seq, offset):
        """The rest of a download; only under the number that it has now."""
        if self.lie != "renumbered" or seq != self.visits - 1 + 100:
            c.send(frame(ERROR, "gone", "no such message"))
            if self.lie in ("renumbered", "gone-always"):
                self.message(c, self.visits + 100, self.envelope)
            return
        print("from", offset, file=sys.stderr, flush=True)
        c.send(frame(DATA, seq, self.id, len(self.envelope), offset) +
               self.envelope[offset:])
        c.send(frame(EMPTY))

    def message(self, c, seq, data, size=None, end=None):
        """A MSG, perhaps of less than it announces."""
        now = int(time.time())
        c.send(frame(MSG, seq, sha256(data), now, now + 86400,
                     len(data) if size is None else size) + data[:end])

    def deliver_strangely(self, c):
        """READY and several messages. False: not one of these lies."""
        numbers = {"seq-same": (5, 5), "seq-down": (9, 8),
                   "seq-large": (1 << 63,)}.get(self.lie)
        if numbers is None and self.lie not in (
                "break-behind", "msg-beyond", "renumbered", "gone-always",
                "empties-first", "pings-first", "empties-second", "twice",
                "joined"):
            return False
        c.send(frame(READY, 1, len(self.envelope), int(time.time()), 0))
        if self.lie in ("empties-first", "pings-first"):
            flood(c, FLOODS[self.lie])
        for n, seq in enumerate(numbers or ()):
            self.message(c, seq, self.envelope + bytes(n))
        if self.lie == "twice":
            self.message(c, 1, self.envelope)
            self.message(c, 2, self.envelope)
        if self.lie == "joined":
            self.message(c, 1, self.envelope * 2)
            self.message(c, 2, self.envelope[:-20])
            self.message(c, 3, self.envelope[-20:])
            self.message(c, 4, self.envelope)
        if self.lie == "break-behind":
            self.message(c, 1, self.envelope)
            if self.visits == 1:
                self.message(c, 2, self.envelope + b"x", end=100)
                raise Ended
        if self.lie == "msg-beyond":
            self.message(c, 1, self.envelope, size=(1 << 26) + 1)
            raise Ended
        if self.lie in ("renumbered", "gone-always"):
            if self.visits == 1:
                self.message(c, 1, self.envelope, end=2000000)
                raise Ended
            return True
        c.send(frame(EMPTY))
        if self.lie == "empties-second":
            self.message(c, 1, self.envelope)
            flood(c, EMPTY)
        return True

    def deliver(self, c):
        """READY and the one message."""
        if self.deliver_strangely(c):
            return
        if self.lie == "hidden-error":
            c.send(frame(ERROR, "auth", HIDDEN))
        if self.lie == "goaway":
            c.send(frame(GOAWAY, HIDDEN, 1))
        c.send(frame(READY, 1, len(self.envelope), int(time.time()), 0))
        data, size = self.envelope, len(self.envelope)
        if self.lie == "acked-unasked":
            c.send(frame(ACKED, [[1, 1]]))
        if self.lie == "msg-bytes":
            data = data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]
        if self.lie == "msg-huge":
            size = 1 << 62
        if self.lie == "msg-impossible":
            size = (1 << 64) - 1
        c.send(frame(MSG, 1, self.id, int(time.time()),
                     int(time.time()) + 86400, size) + data)
        if self.lie == "msg-huge":
            raise Ended
        c.send(frame(EMPTY))

    def take(self, c, boxes):
        """A deposit and its receipt."""
        if self.lie == "receipt-late":
            time.sleep(1)       # the client's buffers are full by now
        if self.lie in ("receipt-early", "receipt-late"):
            # Nothing of it is read; the client has to notice by itself.
            c.send(frame(RECEIPT, "ERR busy retry=1 not now", None))
            while c.socket.recv(1, socket.MSG_PEEK):
                time.sleep(0.01)
        data = c.raw(len(self.envelope))
        ident = sha256(data)
        text = base64.urlsafe_b64encode(ident).rstrip(b"=").decode()
        until = int(time.time()) + 86400
        line = "OK %s stored=1 dup=0 unknown=0 until=%s" % (
            text, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)))
        if self.lie == "receipt-err-hidden":
            c.send(frame(RECEIPT, "ERR nouser " + "\x1b[31mred", None))
            return
        if self.lie == "receipt-unsigned":
            c.send(frame(RECEIPT, line, None))
            return
        if self.lie == "receipt-id":
            ident = sha256(b"another")
        if self.lie == "receipt-box":
            boxes = [sha256(b"another")]
        if self.lie == "receipt-until":
            until -= 3600
        leaf = encode([ident, boxes, until])
        root = sha256(b"\0" + leaf)
        path = []
        if self.lie == "receipt-root":
            root = sha256(root)
        signature = make_sign1(
            self.key_for("receipt-key"), "application/e2e-storage+cwt",
            encode({6: int(time.time()), -65674: root}))
        c.send(frame(RECEIPT, line, [leaf, 0, 1, path, signature]))

    def record(self, c, asked):
        """The directory's answer."""
        card, number = self.card, self.records
        if self.lie == "record-card":
            card = self.other.card.raw
        if self.lie == "record-number":
            number += 1
        if self.lie == "record-altered":
            card = card[:-1] + bytes([card[-1] ^ 1])
        query = "x" if self.lie == "record-query" else asked
        self.records += 1
        now = int(time.time())
        payload = encode(["e2e-relay record", sha256(c.hello, c.chal), number,
                          query, sha256(encode([card, [], now]))])
        signature = make_sign1(self.key_for("record-key"),
                               "application/e2e-relay-record", payload)
        return frame(RECORD, card, [], now, signature)


def main():
    """Until killed."""
    server = socket.create_server(("127.0.0.1", 0))
    liar = Liar(*sys.argv[1:4])
    print(server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            try:
                liar.serve(connection)
            except (Ended, OSError, ValueError):
                pass


if __name__ == "__main__":
    main()
