"""A client: bare deposits (section 3) and sessions (4 to 10)."""

import socket

from e2epeer.card import Card
from e2epeer.crypto import random, sha256
from e2epeer.errors import Failure
from e2epeer.header import PUBLIC_KEY_KINDS, parse_header
from e2epeer.statements import Revocation

from . import frames as F
from .failures import Ended, GoneAway, NotTheRelay, Refused, Violation
from .merkle import Line, Receipt
from .signatures import (ZERO, ack_payload, auth_payload, check_chal, is_signed, record_payload,
                         sign)
from .stream import Stream

TIMEOUT = 60
CREDIT = (256, 8388608)


def connect(address):
    """A Stream to (host, port) or the path of a Unix socket."""
    if isinstance(address, tuple):
        sock = socket.create_connection(address, TIMEOUT)
    else:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(TIMEOUT)
        sock.connect(address)
    return Stream(sock)


def bare_lines(address, data, half_close=True, wrap=None):
    """All lines that answer these bytes, as text; wrap makes TLS of the socket."""
    stream = connect(address)
    if wrap:
        stream.sock = wrap(stream.sock)
    lines = []
    try:
        try:
            stream.send(data)
            if half_close:
                stream.sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass        # refused before the end: its line may be there
        while not stream.at_end():
            lines.append(stream.line())
    except ConnectionResetError:
        pass
    finally:
        stream.sock.close()
    return lines


def deposit(address, envelopes, **how):
    """Bare mode: the Lines that answer the envelopes, each with its own id."""
    texts = bare_lines(address, b"".join(envelopes), **how)
    if len(texts) != len(envelopes):
        raise Violation("%d lines for %d envelopes" % (len(texts), len(envelopes)))
    lines = [Line(text) for text in texts]
    if [line.id for line in lines] != [sha256(e) for e in envelopes]:
        raise Violation("lines: another envelope")
    return lines


def kids_of(envelope):
    """The mailboxes that an envelope names by itself, ascending."""
    entries = parse_header(envelope, 6, 1).entries
    return sorted({e.kid for e in entries if e.kind in PUBLIC_KEY_KINDS and e.kid is not None})


def to_ranges(seqs):
    """Ranges of exactly these numbers."""
    ranges = []
    for seq in sorted(seqs):
        if ranges and seq == ranges[-1][1] + 1:
            ranges[-1][1] = seq
        else:
            ranges.append([seq, seq])
    return ranges


class Message:
    """An envelope that came by MSG or DATA."""

    def __init__(self, frame, raw):
        if frame.kind == F.MSG:
            self.seq, self.id, self.stored, self.until, self.size = frame.elements
            self.offset = 0
        else:
            self.seq, self.id, self.size, self.offset = frame.elements
        self.raw = raw


class Record:
    """A verified RECORD."""

    def __init__(self, elements):
        self.card_raw, self.revocations_raw, self.registered = elements[:3]
        self.card = self.revocations = None

    def check(self):
        """The card's own signature, and the revocations by it."""
        try:
            if self.card_raw is not None:
                self.card = Card(self.card_raw).verify()
            elif self.revocations_raw or self.registered:
                raise Violation("record: nobody, and more about him")
            self.revocations = [Revocation(r).verify([self.card]) for r in self.revocations_raw]
        except Failure as failure:
            raise Violation("record: %s" % failure) from None
        if any(r.ends_identity != self.card.id for r in self.revocations):
            raise Violation("record: a revocation of somebody else")
        return self


class Client:
    """A session. `identity` names the mailbox; AUTH is sent by authenticate()."""

    def __init__(self, address, identity=None, pin=None, credit=(0, 0), binding=ZERO,
                 versions=(1,), stream=None, mailbox=None):
        self.stream = stream or connect(address)
        self.identity, self.binding, self.pin = identity, binding, pin
        self.mailbox = mailbox or (identity.id if identity else None)
        self.cnonce = random(32)
        self.hello = F.frame(F.HELLO, list(versions), self.mailbox, self.cnonce, *credit)
        self.chal = self.auth = self.ready = None
        self.core = self.card = self.successor = None
        self.records = 0
        self.queue = []
        self.arrived, self.empty, self.acked = {}, 0, []
        self.stream.send(self.hello)
        try:
            chal = self.read(F.CHAL)
            self.chal = chal.raw
            self.core, self.card, self.successor = check_chal(
                self.hello, chal.elements, versions, binding, pin)
        except BaseException:
            self.close()
            raise

    def close(self):
        """Just closes, as a client may that has all it wanted."""
        self.stream.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()

    @property
    def session(self):
        """The session hash."""
        return sha256(self.hello + self.chal + self.auth)

    def send(self, kind, *elements, raw=b""):
        """One frame and the raw bytes behind it."""
        self.stream.send(F.frame(kind, *elements) + raw)

    # Reading

    def _arrived(self, frame):
        """Takes in what comes unasked; what is then known about it."""
        if frame.kind == F.MSG:
            message = Message(frame, self.stream.take(frame.elements[4]))
            if sha256(message.raw) != message.id:
                raise Violation("MSG: hash")
            if message.seq < 1 or message.seq in self.arrived:
                raise Violation("MSG: seq")
            self.arrived[message.seq] = message.id
            return message
        if frame.kind == F.DATA:
            _, _, size, offset = frame.elements
            if offset > size:
                raise Violation("DATA: offset")
            return Message(frame, self.stream.take(size - offset))
        return frame

    def next(self):
        """The next frame or Message; PING is answered, ERROR and GOAWAY are raised."""
        while True:
            frame = F.read_frame(self.stream, from_relay=True)
            if frame.kind == F.PING:
                self.send(F.PONG, *frame.elements)
            elif frame.kind == F.ERROR:
                raise Refused(*frame.elements)
            elif frame.kind == F.GOAWAY:
                raise GoneAway(*frame.elements)
            else:
                return self._arrived(frame)

    def read(self, *kinds):
        """The next of these kinds; messages and EMPTY that come before are queued."""
        for i, item in enumerate(self.queue):
            if self._kind(item) in kinds:
                return self.queue.pop(i)
        while True:
            item = self.next()
            if self._kind(item) in kinds:
                return item
            if self._kind(item) not in (F.MSG, F.EMPTY):
                raise Violation("unexpected %r" % item)
            self.queue.append(item)

    @staticmethod
    def _kind(item):
        return (F.DATA if item.__dict__.get("stored") is None else F.MSG) \
            if isinstance(item, Message) else item.kind

    # Owner

    def authenticate(self, card=None, key=None, payload=None):
        """AUTH; the elements of READY."""
        payload = payload or auth_payload(self.card.id, self.mailbox, self.hello, self.chal,
                                          self.binding)
        signature = sign("auth", key or self.identity.signing_key, payload)
        self.auth = F.frame(F.AUTH, signature, card)
        self.stream.send(self.auth)
        self.ready = self.read(F.READY).elements
        return self.ready

    def send_ack(self, seqs, ids=None, key=None, ranges=None):
        """ACK for these; ids are those of the bytes that arrived."""
        ranges = ranges or to_ranges(seqs)
        ids = ids or [self.arrived[seq] for seq in sorted(seqs)]
        payload = ack_payload(self.session, ranges, ids)
        self.send(F.ACK, ranges, sign("ack", key or self.identity.signing_key, payload))
        return ranges

    def ack(self, seqs, **more):
        """ACK, and the ACKED that has to fit."""
        ranges = self.send_ack(seqs, **more)
        if self.read(F.ACKED).elements != [ranges]:
            raise Violation("ACKED: other ranges")

    def fetch(self):
        """All that waits up to EMPTY, not acknowledged."""
        got = []
        while True:
            item = self.read(F.MSG, F.EMPTY)
            if not isinstance(item, Message):
                return got
            got.append(item)

    def ask_for(self, seq, offset):
        """GET; what came with DATA."""
        self.send(F.GET, seq, offset)
        return self.read(F.DATA)

    def resume(self, seq, have=b""):
        """GET behind these bytes; the whole item as a Message."""
        message = self.ask_for(seq, len(have))
        if message.seq != seq or message.offset != len(have):
            raise Violation("DATA: not what was asked for")
        message.raw = have + message.raw
        if sha256(message.raw) != message.id:
            raise Violation("DATA: hash")
        self.arrived[seq] = message.id
        return message

    # Everybody

    def send_put(self, envelope, mailboxes=()):
        """PUT and the envelope."""
        self.send(F.PUT, list(mailboxes), raw=envelope)

    def receipt(self, envelope, mailboxes=()):
        """The verified Receipt of the oldest PUT that has none."""
        elements = self.read(F.RECEIPT).elements
        return Receipt(elements, sha256(envelope), mailboxes or kids_of(envelope), self.card)

    def put(self, envelope, mailboxes=()):
        """PUT, and its Receipt."""
        self.send_put(envelope, mailboxes)
        return self.receipt(envelope, mailboxes)

    def _record(self, query):
        elements = self.read(F.RECORD).elements
        payload = record_payload(self.hello, self.chal, self.records, query, elements[:3])
        self.records += 1
        if not is_signed("record", self.card.key, payload, elements[3]):
            raise NotTheRelay("signature of RECORD")
        return Record(elements).check()

    def register(self, card, token=None):
        """REGISTER; the Record with exactly this card."""
        self.send(F.REGISTER, card, token)
        record = self._record(self.identity.id)
        if record.card_raw != card:
            raise Violation("REGISTER: another card")
        return record

    def lookup(self, query):
        """LOOKUP; the Record of him who was asked for, or of nobody."""
        self.send(F.LOOKUP, query)
        record = self._record(query)
        if record.card and query != (record.card.name if isinstance(query, str)
                                     else record.card.id):
            raise Violation("LOOKUP: somebody else")
        return record

    def revoke(self, statement, whom):
        """REVOKE; the Record with the revocation."""
        self.send(F.REVOKE, statement)
        record = self._record(whom)
        if record.card is None or record.card.id != whom or not record.revocations:
            raise Violation("REVOKE: not in the record")
        return record

    def ping(self, number):
        """PING; True if PONG has the number."""
        self.send(F.PING, number)
        return self.read(F.PONG).elements == [number]

    def refusal(self):
        """The code of the ERROR that has to come now, and the end behind it."""
        try:
            while True:
                self.next()
        except Refused as refused:
            if not self.stream.at_end():
                raise Violation("something behind ERROR") from None
            return refused.code
        except (Ended, ConnectionResetError):
            return "end"
        except GoneAway as gone:
            return "goaway " + gone.reason
