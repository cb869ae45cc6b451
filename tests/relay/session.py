"""The client's end of a session, written from docs/PROTOCOL.md alone, and able
to misbehave at every step. Blocking, in the clear."""

import hashlib
import os
import socket

import lab                         # noqa: F401  finds e2epeer
from e2epeer.cbor import Decoder, Raw, encode
from e2epeer.cose import make_sign1
from e2epeer.errors import Failure

TAG = bytes.fromhex("da65326533")
(HELLO, CHAL, AUTH, READY, MSG, ACK, ACKED, GET, DATA, PUT, RECEIPT, REGISTER,
 LOOKUP, REVOKE, RECORD, PING, PONG, GOAWAY, ERROR, EMPTY,
 CREDIT) = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
            20, 21]
AUTH_TYP = "application/e2e-relay-auth"
ACK_TYP = "application/e2e-relay-ack"
NO_BINDING = bytes(32)


class Ended(Exception):
    """The relay closed the connection."""


def frame(*items):
    """The bytes of one."""
    return TAG + encode(list(items))


def sha256(*parts):
    """Of all of them, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


class Session:
    """One connection. identity: a Person's, or None for no mailbox."""

    def __init__(self, connection, identity=None, credit=(1 << 40, 1 << 50),
                 binding=NO_BINDING):
        self.socket = connection
        self.identity = identity
        self.mailbox = identity.id if identity else None
        self.credit = credit
        self.binding = binding
        self.buffer = b""
        self.hello = self.chal = self.auth = b""
        self.relay_id = None

    def close(self):
        """Without a word."""
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- bytes ----

    def send(self, data):
        """All of it."""
        self.socket.sendall(data)
        return data

    def _more(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Ended(self.buffer)
        self.buffer += data

    def raw(self, n):
        """So many bytes."""
        while len(self.buffer) < n:
            self._more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def receive(self):
        """(items, bytes) of the next frame; a PING is answered."""
        while True:
            items, size = self._parse()
            if items is None:
                self._more()
                continue
            whole, self.buffer = self.buffer[:size], self.buffer[size:]
            if items[0] != PING:
                return items, whole
            self.send(frame(PONG, items[1]))

    def _parse(self):
        if len(self.buffer) < len(TAG):
            return None, 0
        if not self.buffer.startswith(TAG):
            raise ValueError("not a frame: %r" % self.buffer[:60])
        dec = Decoder(self.buffer[:65536 + 8], len(TAG))
        try:
            return dec.item(), dec.pos
        except Failure:
            if len(self.buffer) > 65536:
                raise
            return None, 0

    def expect(self, kind):
        """The next frame has to be of this type."""
        items, whole = self.receive()
        if items[0] != kind:
            raise ValueError("frame %r, not of type %d" % (items, kind))
        return items, whole

    # ---- handshake ----

    def greet(self, cnonce=None):
        """HELLO and CHAL."""
        self.hello = self.send(frame(HELLO, [1], self.mailbox,
                                     cnonce or os.urandom(32), *self.credit))
        items, self.chal = self.expect(CHAL)
        core = Decoder(items[1]).item()
        self.relay_id = relay_id(core[1])
        return core

    def auth_frame(self, key=None, relay=None, mailbox=None, transcript=None,
                   card=None):
        """AUTH, right where nothing else is asked for."""
        payload = encode([
            "e2e-relay auth", relay or self.relay_id, mailbox or self.mailbox,
            transcript or sha256(self.hello, self.chal), self.binding])
        return frame(AUTH, make_sign1(key or self.identity.signing_key,
                                      AUTH_TYP, payload), card)

    def login(self, **wrong):
        """The whole handshake: what READY says."""
        self.greet()
        self.auth = self.send(self.auth_frame(**wrong))
        return self.expect(READY)[0]

    @property
    def hash(self):
        """Of the session."""
        return sha256(self.hello, self.chal, self.auth)

    # ---- mail ----

    def message(self):
        """(seq, id, bytes) of the next MSG; None at EMPTY."""
        items, _ = self.receive()
        if items[0] == EMPTY:
            return None
        if items[0] != MSG:
            raise ValueError("frame %r, not MSG" % items)
        return items[1], items[2], self.raw(items[5])

    def ack_frame(self, kept, key=None, session=None, ids=None):
        """ACK of [(seq, id)], ascending."""
        ranges = []
        for seq, _ in kept:
            if ranges and ranges[-1][1] == seq - 1:
                ranges[-1][1] = seq
            else:
                ranges.append([seq, seq])
        ids = sha256(*(ids or [i for _, i in kept]))
        payload = encode(["e2e-relay ack", session or self.hash, ranges, ids])
        return frame(ACK, ranges, make_sign1(
            key or self.identity.signing_key, ACK_TYP, payload))

    def fetch(self, acknowledge=True, every=100, on_message=None,
              on_acked=None):
        """[(seq, id of the bytes)] of all that waits, to its EMPTY; told one
        by one, and acknowledged so many at a time."""
        kept, fresh, asked = [], [], []

        def acknowledge_all():
            if fresh:
                self.send(self.ack_frame(fresh))
                asked.append([i for _, i in fresh])
                fresh.clear()
        empty = False
        while not empty or asked:
            items, _ = self.receive()
            if items[0] == MSG:
                ident = sha256(self.raw(items[5]))
                if on_message:
                    on_message(ident)
                kept.append((items[1], ident))
                fresh.append(kept[-1])
                if acknowledge and len(fresh) >= every:
                    acknowledge_all()
            elif items[0] == EMPTY:
                empty = True
                if acknowledge:
                    acknowledge_all()
            elif items[0] == GOAWAY:
                raise Ended(items)
            elif items[0] == ACKED and asked:
                confirmed = asked.pop(0)
                if on_acked:
                    on_acked(confirmed)
            else:
                raise ValueError("frame %r is not expected" % items)
        return kept

    def put(self, data, mailboxes=()):
        """PUT; the line of the receipt."""
        self.send(frame(PUT, list(mailboxes)) + data)
        return self.expect(RECEIPT)[0][1]

    def ask(self, *items):
        """Another frame; what comes back."""
        self.send(frame(*items))
        return self.receive()[0]


def relay_id(card):
    """The identity id of a card: its kid."""
    dec = Decoder(card, 1)
    return Decoder(dec.item()[0]).item()[4]


def connect(relay, identity=None, patience=lab.PATIENCE, **more):
    """A session over TCP, not yet greeted."""
    return Session(relay.connect(patience), identity, **more)


def connect_unix(path, identity=None, patience=lab.PATIENCE, **more):
    """And over the Unix socket."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(patience)
    s.connect(path)
    return Session(s, identity, **more)


__all__ = ["Raw"]
