"""A relay in memory, one thread for each connection.

It keeps to the document unless told otherwise: `hooks` maps a name to a function
(value, *context) -> value, which is applied where that value comes into being.

    the name of a frame, such as "CHAL"     list of elements, or bytes to send
    core                                    list, or the encoded core
    SERVER, RECORD, STORAGE: _payload       what is signed
                             _key           the key that signs
                             _typ           the name of the typ
                             _signature     the COSE_Sign1
    leaf, tree                              list; (hashes, index)
    record                                  [card, revocations, registered]
    bytes                                   of an envelope that is sent
    believe                                 does the owner's signature verify?
"""

import re
import socket
import threading
import time

from e2epeer import labels as L
from e2epeer.armor import b64url
from e2epeer.card import Card
from e2epeer.cbor import encode
from e2epeer.crypto import random, sha256
from e2epeer.errors import Failure
from e2epeer.statements import Revocation

from . import frames as F
from .failures import Ended, Refused, Violation
from .merkle import leaf_hash, path_of, root_of
from .signatures import (LIMITS, ROOT, ZERO, ack_payload, auth_payload, is_signed,
                         record_payload, server_payload, sign)
from .stream import Stream, read_envelope
from .timestamps import format_time

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
ENDING = ("syntax", "size", "drain")
GOES_ON = ("gone closed token card name taken rollback conflict revoked unknown statement").split()
PATIENCE = 2


class Mailbox:
    """Items by seq, and what was there before."""

    def __init__(self, registered):
        self.registered = registered
        self.items = {}
        self.next_seq = 1
        self.seen = {}
        self.dropped = 0


class Item:
    """An envelope's place in a mailbox."""

    def __init__(self, ident, raw, stored, until):
        self.id, self.raw, self.stored, self.until = ident, raw, stored, until
        self.attempts = 0


class Session:
    """What the relay knows of one session."""

    def __init__(self, hello):
        self.hello = hello.raw
        self.versions, self.mailbox, _, *credit = hello.elements
        self.granted, self.spent = list(credit), [0, 0]
        self.chal = self.auth = None
        self.card = None
        self.sent, self.last, self.told_empty = {}, 0, False
        self.got = set()
        self.records = 0


class Relay:
    """Listens on 127.0.0.1; `address` is (host, port)."""

    def __init__(self, identity, limits=None, hooks=None, token=None, successions=(), trees=None,
                 gap=1):
        self.identity = identity
        self.limits = {**LIMITS, **(limits or {})}
        self.hooks = hooks or {}
        self.token = token
        self.successions = list(successions)
        self.trees = trees or (lambda leaf: ([leaf], 0))
        self.gap = gap
        self.lock = threading.RLock()
        self.cards, self.names, self.revocations, self.boxes = {}, {}, {}, {}
        self.connections, self.heard = {}, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def id(self):
        """The relay id."""
        return self.identity.id

    def close(self):
        """Ends everything."""
        # A shutdown wakes the thread in accept(); close alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for connection in list(self.connections):
                connection.hang_up()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(60)
            connection = Connection(self, sock)
            with self.lock:
                self.connections[connection] = None
            threading.Thread(target=connection.run, daemon=True).start()

    def hook(self, name, value, *context):
        """The value, or what a hook makes of it."""
        return self.hooks[name](value, *context) if name in self.hooks else value

    def signed(self, name, payload):
        """A signature of the relay."""
        key = self.hook(name + "_key", self.identity.signing_key)
        typ = self.hook(name + "_typ", name)
        raw = sign(typ, key, self.hook(name + "_payload", payload))
        return self.hook(name + "_signature", raw)

    # The store; all under the lock.

    def keep(self, deposit, named):
        """(line, proof or None) for an envelope."""
        with self.lock:
            now = int(time.time())
            until, ident = now + self.limits[2], sha256(deposit.raw)
            stored, dup, known = [], [], [m for m in dict.fromkeys(named) if m in self.boxes]
            try:
                for name in known:
                    self._room(self.boxes[name], ident, deposit.raw)
                if not known:
                    raise Refused("nouser", "none of its recipients is here")
            except Refused as refused:
                return "ERR %s %s" % (refused.code, refused.text), None
            for name in known:
                box = self.boxes[name]
                if ident in box.seen:
                    dup.append(name)
                    until = min(until, box.seen[ident])
                    continue
                box.items[box.next_seq] = Item(ident, deposit.raw, now, until)
                box.next_seq += self.gap
                box.seen[ident] = until
                stored.append(name)
            line = "OK %s stored=%d dup=%d unknown=%d until=%s" % (
                b64url(ident).decode(), len(stored), len(dup), len(set(named)) - len(known),
                format_time(until))
            leaf = encode(self.hook("leaf", [ident, sorted(stored + dup), until]))
            hashes, index = self.hook("tree", self.trees(leaf_hash(leaf)))
            signature = self.signed("storage", {L.IAT: now, ROOT: root_of(hashes)})
            waiting = [c for c, s in self.connections.items() if s and s.auth and
                       s.mailbox in stored]
        for connection in waiting:
            connection.pump()
        return line, [leaf, index, len(hashes), path_of(hashes, index), signature]

    def _room(self, box, ident, raw):
        used = sum(len(i.raw) for i in box.items.values())
        if ident not in box.seen and (len(box.items) >= self.limits[4] or
                                      used + len(raw) > self.limits[3]):
            box.dropped += 1
            raise Refused("quota", "a mailbox is full")

    def register(self, raw, token, owner):
        """Takes in a card; its id."""
        if self.limits[5] == 2:
            raise Refused("closed", "ask the operator")
        if self.limits[5] == 1 and token != self.token:
            raise Refused("token", "ask the operator for one")
        try:
            card = Card(raw).verify()
        except Failure as failure:
            raise Refused("card", str(failure)) from None
        with self.lock:
            name = card.name
            if owner != card.id:
                raise Refused("card", "not the identity of this session")
            if name is not None and not NAME.fullmatch(name):
                raise Refused("name", "characters")
            if self.names.get(name, card.id) != card.id:
                raise Refused("taken", "the name has another owner")
            old = self.cards.get(card.id)
            if old and card.serial < old.serial:
                raise Refused("rollback", "the serial is lower")
            if old and card.serial == old.serial and raw != old.raw:
                raise Refused("conflict", "the serial was used")
            if card.id in self.revocations:
                raise Refused("revoked", "revoked here")
            self.cards[card.id] = card
            self.boxes.setdefault(card.id, Mailbox(int(time.time())))
            self.names = {n: i for n, i in self.names.items() if i != card.id}
            if name:
                self.names[name] = card.id
        return card.id

    def revoke(self, raw):
        """Takes in a revocation; the id that it ends."""
        try:
            made = Revocation(raw)
            if made.ends_identity is None:
                raise Refused("statement", "not by the identity itself")
            with self.lock:
                card = self.cards.get(made.ends_identity)
                if card is None:
                    raise Refused("unknown", "not registered")
                made.verify([card])
                self.revocations.setdefault(card.id, []).append(raw)
                del self.revocations[card.id][1:]
        except Failure as failure:
            raise Refused("statement", str(failure)) from None
        return card.id

    def record(self, query):
        """[card, revocations, registered]."""
        with self.lock:
            ident = self.names.get(query) if isinstance(query, str) else query
            if ident not in self.cards:
                return [None, [], 0]
            return [self.cards[ident].raw, self.revocations.get(ident, []),
                    self.boxes[ident].registered]


class Connection:
    """One connection, bare or a session."""

    def __init__(self, relay, sock):
        self.relay = relay
        self.stream = Stream(sock)
        self.writing = threading.RLock()
        self.session = None

    def hang_up(self):
        """Wakes whoever reads from or writes to it."""
        try:
            self.stream.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def run(self):
        """Until the end."""
        try:
            self.stream.fill(1)
            while len(self.stream.buffer) < 5 and \
                    F.TAG[:4].startswith(bytes(self.stream.buffer[:4])):
                self.stream.fill(len(self.stream.buffer) + 1)
            if self.stream.buffer[:5] == F.TAG:
                self.run_session()
            else:
                self.run_bare()
            self.stream.sock.shutdown(socket.SHUT_WR)
            self.stream.drain(PATIENCE)
        except (Ended, OSError):
            pass
        finally:
            with self.relay.lock:
                del self.relay.connections[self]
                self.count_attempt()
            self.stream.sock.close()

    def count_attempt(self):
        """At the end of a session: the first item that was not acknowledged (7.6)."""
        s = self.session
        box = self.relay.boxes.get(s.mailbox) if s else None
        seq = min((n for n in s.sent if n in box.items), default=None) if box else None
        if seq is None:
            return
        box.items[seq].attempts += 1
        if box.items[seq].attempts == 5:
            item = box.items.pop(seq)
            item.attempts = 0
            box.items[box.next_seq] = item
            box.next_seq += self.relay.gap

    def run_bare(self):
        """Envelopes and lines."""
        while True:
            try:
                deposit = read_envelope(self.stream, self.relay.limits[1])
                line, _ = self.relay.keep(deposit, deposit.kids)
            except Refused as refused:
                line = "ERR %s %s" % (refused.code, refused.text)
            self.stream.send(line.encode() + b"\n")
            if line.split()[1] in ENDING:
                return
            self.stream.sock.settimeout(PATIENCE)
            try:
                if not self.stream.buffer and self.stream.at_end():
                    return
            except TimeoutError:
                return
            self.stream.sock.settimeout(60)

    def send(self, kind, *elements, raw=b""):
        """A frame, through its hook."""
        made = self.relay.hook(F.NAMES[kind - 1], list(elements), self)
        if isinstance(made, list):
            made = F.frame(kind, *made)
        with self.writing:
            self.stream.send(made + raw)
        return made

    def run_session(self):
        """Frames until somebody has enough."""
        try:
            hello = F.read_frame(self.stream, from_relay=False)
            if hello.kind != F.HELLO:
                raise Violation("a session begins with HELLO")
            self.session = Session(hello)
            with self.relay.lock:
                self.relay.connections[self] = self.session
            if 1 not in self.session.versions:
                raise Refused("version", "only 1")
            self.challenge()
            while self.handle_or_refuse(F.read_frame(self.stream, from_relay=False)):
                pass
        except Violation as violation:
            self.send(F.ERROR, "syntax", str(violation))
        except Refused as refused:
            self.send(F.ERROR, refused.code, refused.text)

    def challenge(self):
        """CHAL."""
        relay, s = self.relay, self.session
        core = relay.hook("core", [1, relay.identity.card.raw, relay.successions, random(32),
                                   int(time.time()), relay.limits])
        core = core if isinstance(core, bytes) else encode(core)
        signature = relay.signed("server", server_payload(s.hello, core, ZERO))
        s.chal = self.send(F.CHAL, core, signature)

    def handle_or_refuse(self, frame):
        """One frame; some refusals stand in the place of an answer."""
        try:
            return self.handle(frame)
        except Refused as refused:
            if refused.code not in GOES_ON:
                raise
            self.send(F.ERROR, refused.code, refused.text)
            return True

    def handle(self, frame):
        """One frame; False if it was the last."""
        s, elements = self.session, frame.elements
        self.relay.heard.append(frame.kind)
        if frame.kind == F.AUTH:
            self.authenticate(frame)
        elif frame.kind in (F.ACK, F.GET, F.CREDIT, F.REGISTER) and s.auth is None:
            raise Refused("auth", "%s before AUTH" % F.NAMES[frame.kind - 1])
        elif frame.kind == F.ACK:
            self.acknowledge(*elements)
        elif frame.kind == F.GET:
            self.get(*elements)
        elif frame.kind == F.CREDIT:
            with self.writing:
                s.granted = [a + b for a, b in zip(s.granted, elements)]
            self.pump()
        elif frame.kind == F.PUT:
            return self.put(elements[0])
        elif frame.kind in (F.REGISTER, F.LOOKUP, F.REVOKE):
            self.answer(frame.kind, elements)
        elif frame.kind == F.PING:
            self.send(F.PONG, *elements)
        elif frame.kind == F.PONG:
            pass
        elif frame.kind in (F.GOAWAY, F.ERROR):
            return False
        else:
            raise Violation("out of place: %s" % F.NAMES[frame.kind - 1])
        return True

    def authenticate(self, frame):
        """AUTH, and READY."""
        relay, s = self.relay, self.session
        signature, raw = frame.elements
        if s.mailbox is None or s.auth:
            raise Violation("AUTH out of place")
        try:
            card = Card(raw).verify() if raw is not None else None
        except Failure as failure:
            raise Refused("auth", str(failure)) from None
        with relay.lock:
            card = card or relay.cards.get(s.mailbox)
        if card is None:
            raise Refused("auth", "not registered")
        if card.id != s.mailbox:
            raise Refused("auth", "not the card of this mailbox")
        payload = auth_payload(relay.identity.id, s.mailbox, s.hello, s.chal, ZERO)
        if not relay.hook("believe", is_signed("auth", card.key, payload, signature)):
            raise Refused("auth", "signature")
        s.card = card
        self.replace_older()
        # READY goes before any item, and whoever comes after it finds this session.
        with self.writing:
            with relay.lock:
                s.auth = frame.raw
                box = relay.boxes.get(s.mailbox)
                items = list(box.items.values()) if box else []
                ready = [len(items), sum(len(i.raw) for i in items),
                         min((i.stored for i in items), default=0), box.dropped if box else 0]
                if box:
                    box.dropped = 0
            self.send(F.READY, *ready)
        self.pump()

    def replace_older(self):
        """The newest session has the mailbox, when the older ones have ended: until then
        they may still give an item another seq."""
        with self.relay.lock:
            older = [c for c, t in self.relay.connections.items()
                     if t and t.auth and t.mailbox == self.session.mailbox]
        for connection in older:
            try:
                connection.send(F.GOAWAY, "replaced", 0)
            except OSError:
                pass
            connection.hang_up()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and any(c in self.relay.connections for c in older):
            time.sleep(0.002)

    def pump(self):
        """Sends what the credit allows, and EMPTY."""
        relay, s = self.relay, self.session
        try:
            while True:
                with self.writing:
                    with relay.lock:
                        box = relay.boxes.get(s.mailbox)
                        items = sorted(box.items.items()) if box else []
                    item = next(((n, i) for n, i in items if n > s.last and
                                 n not in s.got), None)
                    if item is None:
                        if not s.told_empty:
                            s.told_empty = True
                            self.send(F.EMPTY)
                        return
                    s.told_empty = False
                    if not all(a < b for a, b in zip(s.spent, s.granted)):
                        return
                    seq, item = item
                    s.last, s.sent[seq] = seq, item.id
                    s.spent = [s.spent[0] + 1, s.spent[1] + len(item.raw)]
                    self.send(F.MSG, seq, item.id, item.stored, item.until, len(item.raw),
                              raw=relay.hook("bytes", item.raw))
        except OSError:
            self.hang_up()

    def acknowledge(self, ranges, signature):
        """ACK, and ACKED."""
        relay, s = self.relay, self.session
        seqs = []
        for first, last in ranges:
            if last - first >= len(s.sent):
                raise Refused("ack", "not sent")
            seqs += range(first, last + 1)
        if any(seq not in s.sent for seq in seqs):
            raise Refused("ack", "not sent")
        payload = ack_payload(sha256(s.hello + s.chal + s.auth), ranges,
                              [s.sent[seq] for seq in seqs])
        if not relay.hook("believe", is_signed("ack", s.card.key, payload, signature)):
            raise Refused("ack", "does not fit")
        with relay.lock:
            for seq in seqs:
                relay.boxes[s.mailbox].items.pop(seq, None)
                del s.sent[seq]
        self.send(F.ACKED, ranges)

    def get(self, seq, offset):
        """GET, and DATA."""
        with self.relay.lock:
            box = self.relay.boxes.get(self.session.mailbox)
            item = box.items.get(seq) if box else None
        if item is None or offset > len(item.raw):
            raise Refused("gone", "no such item")
        self.session.sent[seq] = item.id
        self.session.got.add(seq)
        self.send(F.DATA, seq, item.id, len(item.raw), offset,
                  raw=self.relay.hook("bytes", item.raw)[offset:])

    def put(self, mailboxes):
        """PUT, and RECEIPT; False if that ends the session."""
        try:
            deposit = read_envelope(self.stream, self.relay.limits[1])
            line, proof = self.relay.keep(deposit, mailboxes or deposit.kids)
        except Refused as refused:
            if refused.code == "syntax":
                raise
            line, proof = "ERR %s %s" % (refused.code, refused.text), None
        self.send(F.RECEIPT, line, proof)
        return line.split()[1] not in ENDING

    def answer(self, kind, elements):
        """REGISTER, LOOKUP or REVOKE, and RECORD."""
        relay, s = self.relay, self.session
        if kind == F.REGISTER:
            query = relay.register(*elements, s.mailbox if s.auth else None)
        else:
            query = relay.revoke(*elements) if kind == F.REVOKE else elements[0]
        record = relay.hook("record", relay.record(query), query)
        payload = record_payload(s.hello, s.chal, s.records, query, record)
        s.records += 1
        self.send(F.RECORD, *record, relay.signed("record", payload))
