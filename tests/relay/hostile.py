"""Clients, and people in the middle, that mean no good; and what must not come
of it. Prints TAP.

While they are at it a well-behaved client goes on depositing and fetching, all
of which has to succeed. Every refusal has its control: the same thing done
right is accepted, so that nothing here passes because everything fails.
"""

import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import forge
import lab
import session
from session import (ACK, ACKED, AUTH, EMPTY, ERROR, LOOKUP, MSG, READY,
                     RECORD, REGISTER, Ended, Session, frame, sha256)

from e2epeer.card import Card, make_card
from e2epeer.cose import make_sign1
from e2epeer.identity import new_identity

sys.path.insert(0, os.path.join(lab.ROOT, "tests", "peer"))
from harness import Tap  # noqa: E402

# Short times, so that waiting for them takes little; the limits for an address
# and a mailbox are what they are.
FLAGS = ("--header-time", "4s", "--linger", "1s", "--idle-time", "4s",
         "--login-time", "4s", "--slow", "1024")
RSS_BOUND = 192 * 1024             # KiB; the budget for what arrives is 64 MiB
OTHER_RELAY = 76


def memory_factor():
    """AddressSanitizer needs a good deal for itself."""
    with open(os.path.join(lab.BIN, "e2e-relayd"), "rb") as f:
        return 8 if b"__asan_init" in f.read() else 1


def refused(s):
    """How a session ended: the code of ERROR, "closed", or the frame."""
    try:
        while True:
            items, _ = s.receive()
            if items[0] == ERROR:
                return items[1]
            return items
    except (Ended, ConnectionError):
        return "closed"


def gone(s, patience=lab.PATIENCE):
    """The relay closes this connection, whatever it says before."""
    s.settimeout(patience)
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    except (socket.timeout, TimeoutError):
        return False
    return True


class Citizen(threading.Thread):
    """Deposits and fetches from an address of its own, all the time."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.lab = place
        self.person = place.people["citizen"]
        self.over = False
        self.deposits = self.fetched = 0
        self.slowest = 0.0
        self.troubles = []

    def run(self):
        series = forge.Series([self.person.id], 1500)
        waiting = set()
        while not self.over:
            try:
                begin = time.monotonic()
                ident, data = series.next()
                lines = self.lab.relay.deposit(data, address="127.0.0.9")
                if len(lines) != 1 or not lines[0].startswith(
                        "OK %s stored=1 " % lab.text_of(ident)):
                    raise ValueError("answer %r" % lines)
                waiting.add(ident)
                self.deposits += 1
                if self.deposits % 5 == 0:
                    with Session(self.lab.relay.connect(address="127.0.0.9"),
                                 self.person) as s:
                        s.login()
                        got = {i for _, i in s.fetch()}
                    if got != waiting:
                        raise ValueError("%d of %d fetched" % (
                            len(got & waiting), len(waiting)))
                    self.fetched += len(got)
                    waiting.clear()
                self.slowest = max(self.slowest, time.monotonic() - begin)
            except Exception as e:  # whatever it is, it should not be
                self.troubles.append("%s: %s" % (type(e).__name__, e))
                waiting.clear()
                time.sleep(0.1)
            time.sleep(0.05)


class Stage:
    """One relay, its people, and what the parts below share."""

    def __init__(self, place, tap):
        self.lab, self.tap = place, tap
        self.relay = place.relay

    def person(self, name):
        """An identity."""
        return self.lab.people[name]

    def login(self, name):
        """A session that is let in."""
        s = session.connect(self.relay, self.person(name))
        s.login()
        return s

    def put_mail(self, name, count, size=600):
        """So many envelopes wait for somebody; their ids."""
        series = forge.Series([self.person(name).id], size)
        made = [series.next() for _ in range(count)]
        lines = self.relay.deposit(b"".join(d for _, d in made))
        if sum(line.startswith("OK ") for line in lines) != count:
            raise ValueError("not taken: %r" % lines)
        return [i for i, _ in made]

    def waiting(self, name):
        """The ids that wait, left where they are."""
        with self.login(name) as s:
            return [i for _, i in s.fetch(acknowledge=False)]

    def empty(self, name):
        """Takes everything."""
        with self.login(name) as s:
            return [i for _, i in s.fetch()]


# ---- slow ones, half ones, many ----

def slow_headers(stage):
    """Byte after byte, from many connections at once."""
    tap, relay = stage.tap, stage.relay
    data = forge.envelope([stage.person("mallory").id], 1024)
    socks = [relay.connect(address="127.0.0.2") for _ in range(150)]
    end = time.monotonic() + lab.PATIENCE
    left, position = dict(enumerate(socks)), 0
    while left and time.monotonic() < end:
        for n in list(left):
            try:
                left[n].sendall(data[position % 200:position % 200 + 1])
                left[n].setblocking(False)
                if left[n].recv(100) == b"":
                    del left[n]
            except BlockingIOError:
                left[n].setblocking(True)
            except OSError:
                del left[n]
        position += 1
        time.sleep(0.2)
    for s in socks:
        s.close()
    tap.ok(not left, "headers byte by byte: all of 150 are closed",
           "%d are open" % len(left))
    # Control: slow, but not too slow.
    with relay.connect(address="127.0.0.2") as s:
        for at in range(0, len(data), 128):
            s.sendall(data[at:at + 128])
            time.sleep(0.05)
        s.shutdown(socket.SHUT_WR)
        lines = lab.read_all(s).decode().splitlines()
    tap.ok(len(lines) == 1 and lines[0].startswith("OK "),
           "control: one that is slow within the limits is served", lines)


def half_envelopes(stage):
    """Some end in the middle, some stay there."""
    tap, relay = stage.tap, stage.relay
    stage.empty("mallory")
    series = forge.Series([stage.person("mallory").id], 60000)
    made = [series.next()[1] for _ in range(60)]
    socks = []
    for n, data in enumerate(made):
        s = relay.connect(address="127.0.0.2")
        s.sendall(data[:random.Random(n).randrange(1, len(data))])
        if n % 2:
            s.shutdown(socket.SHUT_WR)
        socks.append(s)
    tap.ok(all(gone(s) for s in socks), "half envelopes: all are closed")
    for s in socks:
        s.close()
    tap.equal(stage.waiting("mallory"), [], "and none of them is stored")
    line = relay.deposit(made[0], address="127.0.0.2")
    tap.ok(line[0].startswith("OK ") and " stored=1 dup=0 " in line[0],
           "control: the whole of one is", line)
    stage.empty("mallory")


def send_all(s, data):
    """And the end of it."""
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def exchange(relay, address, data, meanwhile=None):
    """Sends and reads at the same time; the lines, as far as they come."""
    answer = bytearray()
    with relay.connect(address=address) as s:
        sender = threading.Thread(target=send_all, args=(s, data))
        sender.start()
        if meanwhile:
            meanwhile()
        try:
            while True:
                more = s.recv(65536)
                if not more:
                    break
                answer += more
        except ConnectionError:
            pass                   # the lines will not be enough
        sender.join()
    return answer.decode().splitlines()


def refusals(stage):
    """Thousands of envelopes from an address that has had its share (of
    `flood`), all there when the relay begins to read: they are refused faster
    than they come, and each is told."""
    tap, relay = stage.tap, stage.relay
    series = forge.Series([os.urandom(32)], 450)
    count = 12000
    data = b"".join(series.next()[1] for _ in range(count))

    def wake():
        time.sleep(0.5)
        relay.process.send_signal(signal.SIGCONT)
    counts = []
    for _ in range(4):             # how bytes and turns meet is chance
        relay.process.send_signal(signal.SIGSTOP)
        lines = exchange(relay, "127.0.0.3", data, wake)
        counts.append(len(lines))
    tap.equal(counts, [count] * 4,
              "%d refusals in a row: each is told" % count)
    tap.ok(all(line.startswith(("ERR nouser ", "ERR rate ")) for line in lines),
           "and each for what it is", lines[:3])
    tap.ok(sum(line.startswith("ERR rate ") for line in lines) > count / 2,
           "control: most of them at once")
    data = forge.envelope([stage.person("mallory").id])
    line = relay.deposit(data, address="127.0.0.6")[0]
    tap.ok(line.startswith("OK "), "control: one for somebody is taken", line)
    stage.empty("mallory")


def flood(stage):
    """More from one address than it may."""
    tap, relay = stage.tap, stage.relay
    series = [forge.Series([stage.person(n).id], 450)
              for n in ("mallory", "crowd1", "crowd2", "crowd3")]
    count, begin = 8000, time.monotonic()
    data = b"".join(series[n % 4].next()[1] for n in range(count))
    lines = exchange(relay, "127.0.0.3", data)
    took = time.monotonic() - begin
    taken = sum(line.startswith("OK ") for line in lines)
    limited = [line for line in lines if line.startswith("ERR rate retry=")]
    tap.equal(len(lines), count, "a flood: every envelope has its line")
    tap.equal(taken + len(limited), count,
              "and each is taken or told ERR rate with a time to wait")
    tap.ok(limited and 2000 <= taken <= 2000 + 200 * (took + 2) + 50,
           "what one address may, and no more", "%d of %d in %.1f s" % (
               taken, count, took))
    data = series[1].next()[1]
    line = relay.deposit(data, address="127.0.0.4")[0]
    tap.ok(line.startswith("OK "), "control: another address is not slowed",
           line)
    for name in ("mallory", "crowd1", "crowd2", "crowd3"):
        stage.empty(name)


def crowd(stage):
    """Thousands of connections that do nothing."""
    tap, relay = stage.tap, stage.relay
    before = relay.rss()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(3000, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    each, socks, closed = 300, [], 0
    for n in range(most):
        s = relay.connect(address="127.0.1.%d" % (n // each + 1))
        s.sendall(b"\xda")
        socks.append(s)
    # Beyond 256 of one address.
    surplus = [s for n, s in enumerate(socks) if n % each >= 256]
    closed = sum(gone(s, 20) for s in surplus)
    tap.equal(closed, len(surplus),
              "%d connections: those beyond 256 of an address are closed" % most)
    grown = relay.rss() - before
    tap.ok(grown < 64 * 1024 * memory_factor(), "they take less than 64 MiB", "%d KiB" % grown)
    tap.ok(all(gone(s) for s in socks), "and all are closed for being idle")
    for s in socks:
        s.close()
    # One that was at its limit may come again.
    line = relay.deposit(forge.envelope([stage.person("mallory").id]),
                         address="127.0.1.1")
    tap.ok(line and line[0].startswith("OK "),
           "control: the address is served again", line)


# ---- what is not an envelope, and not a frame ----

def oversized(stage):
    """Lengths that nobody should believe."""
    tap, relay = stage.tap, stage.relay
    for name, data in (
            ("a frame of a byte string of 2^40",
             session.TAG + b"\x82\x03\x5b\0\0\1\0\0\0\0\0"),
            ("a frame of 70000 bytes",
             frame(REGISTER, bytes(70000), None)),
            ("a frame of a billion elements",
             session.TAG + b"\x9a\x3b\x9a\xca\0" + b"\0" * 1000),
            ("a frame nested a thousand deep",
             session.TAG + b"\x82\x01" + b"\x81" * 1000)):
        s = session.connect(relay)
        try:
            s.send(data)
        except ConnectionError:
            pass
        how = refused(s)
        tap.ok(how in ("syntax", "closed"), "refused: " + name, how)
        s.close()
    with session.connect(relay) as s:
        tap.equal(s.greet()[0], 1, "control: an ordinary frame is answered")
    # Sizes in an envelope's header.
    front = forge.envelope([stage.person("mallory").id])[:6]
    for name, data in (
            ("a header of a string of 2^62",
             front + b"\xd8\x60\x84\x5b\x40\0\0\0\0\0\0\0"),
            ("a million recipients",
             forge.envelope([stage.person("mallory").id])[:6 + 3 + 44 + 15] +
             b"\x58\x20" + bytes(32) + b"\x9a\0\x0f\x42\x40")):
        lines = relay.deposit(data + bytes(2000), address="127.0.0.2")
        tap.ok(len(lines) == 1 and lines[0].startswith("ERR syntax "),
               "refused: " + name, lines)
    large = forge.envelope([stage.person("mallory").id], 3 << 20)
    lines = relay.deposit(large, address="127.0.0.2")
    tap.ok(lines and lines[-1].startswith("OK "),
           "control: 3 MiB that are an envelope are taken", lines)
    stage.empty("mallory")


def too_large(stage):
    """Beyond --envelope-max, which is 4 MiB here."""
    tap, relay = stage.tap, stage.relay
    large = forge.envelope([stage.person("mallory").id], 5 << 20)
    with relay.connect(address="127.0.0.2") as s:
        try:
            s.sendall(large)
            s.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass
        try:
            answer = lab.read_all(s).decode()
        except ConnectionError:
            answer = "ERR size (reset)"
    tap.ok(answer.startswith("ERR size "), "beyond the limit: ERR size",
           answer[:200])
    tap.equal(stage.waiting("mallory"), [], "and nothing of it is stored")


def garbage(stage):
    """Bytes of all kinds."""
    tap, relay = stage.tap, stage.relay
    dice = random.Random(5)
    bad = []
    starts = (b"", b"\xda", b"\xda\x65\x32\x65", b"\xda\x65\x32\x65\x31",
              b"\xda\x65\x32\x65\x31\x9f\xd8\x60\x84\x58\x2a",
              session.TAG, session.TAG + b"\x86\x01", b"GET / HTTP/1.1\r\n",
              b"\x16\x03\x01\x02\x00\x01", b"EHLO x\r\n", b"\0" * 100)
    for n in range(220):
        data = starts[n % len(starts)] + dice.randbytes(
            dice.choice((1, 10, 100, 5000)))
        with relay.connect(address="127.0.0.2") as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                answer = lab.read_all(s)
            except ConnectionError:
                answer = b""
        if b"OK " in answer:
            bad.append((data[:40], answer))
    tap.equal(bad, [], "220 connections of garbage get no OK")
    lines = relay.deposit(b"GET / HTTP/1.1\r\n\r\n", address="127.0.0.2")
    tap.ok(len(lines) == 1 and lines[0].startswith("ERR syntax "),
           "another protocol is told ERR syntax", lines)
    # An envelope with one byte of its frame altered: first half of the header.
    whole = forge.envelope([stage.person("mallory").id], 600)
    taken = 0
    for at in (5, 6, 7, 8, 9, 10, 11, 53, 54, 55):
        lines = relay.deposit(whole[:at] + bytes([whole[at] ^ 0x41]) +
                              whole[at + 1:], address="127.0.0.2")
        taken += any(line.startswith("OK") for line in lines)
    tap.equal(taken, 0, "an envelope with an altered frame is not taken")
    tap.ok(relay.deposit(whole, address="127.0.0.2")[0].startswith("OK "),
           "control: unaltered it is")
    stage.empty("mallory")


# ---- forged signatures ----

def forged_auth(stage):
    """Somebody else, or something else signed."""
    tap = stage.tap
    bob, mallory = stage.person("bob"), stage.person("mallory")
    ids = stage.put_mail("bob", 3)
    wrongs = [
        ("signed by another identity", dict(key=mallory.signing_key)),
        ("signed by another identity, with its card",
         dict(key=mallory.signing_key, card=mallory.card)),
        ("for another relay", dict(relay=os.urandom(32))),
        ("for another mailbox", dict(mailbox=mallory.id)),
        ("over another handshake", dict(transcript=os.urandom(32)))]
    for name, wrong in wrongs:
        with session.connect(stage.relay, bob) as s:
            s.greet()
            s.send(s.auth_frame(**wrong))
            tap.equal(refused(s), "auth", "AUTH " + name)
    for name, change in (
            ("with an altered signature",
             lambda a: a[:-3] + bytes([a[-3] ^ 1]) + a[-2:]),
            ("of the typ of an acknowledgement", None)):
        with session.connect(stage.relay, bob) as s:
            s.greet()
            if change:
                s.send(change(s.auth_frame()))
            else:
                payload = session.encode([
                    "e2e-relay auth", s.relay_id, bob.id,
                    sha256(s.hello, s.chal), s.binding])
                s.send(frame(AUTH, make_sign1(
                    bob.signing_key, session.ACK_TYP, payload), None))
            tap.ok(refused(s) in ("auth", "syntax"), "AUTH " + name)
    with session.connect(stage.relay, bob) as s:
        s.greet()
        s.send(s.ack_frame([(1, ids[0])]))
        tap.ok(refused(s) in ("syntax", "auth"),
               "ACK without AUTH")
    with stage.login("bob") as s:
        tap.equal([i for _, i in s.fetch()], ids,
                  "control: AUTH as it should be is let in")


def replay(stage):
    """What was right once, again."""
    tap, bob = stage.tap, stage.person("bob")
    stage.put_mail("bob", 2)
    with session.connect(stage.relay, bob) as s:
        s.greet()
        auth = s.auth_frame()
        s.auth = s.send(auth)
        tap.equal(s.expect(READY)[0][0], READY, "control: a first time")
        message = s.message()
        ack = s.ack_frame([(message[0], message[1])])
        old_hello, old_chal = s.hello, s.chal
    with session.connect(stage.relay, bob) as s:
        s.hello = s.send(old_hello)
        s.chal = s.expect(session.CHAL)[1]
        tap.ok(s.chal != old_chal, "the same HELLO gets another CHAL")
        s.send(auth)
        tap.equal(refused(s), "auth", "a recorded AUTH is refused")
    with session.connect(stage.relay, bob) as s:
        s.login()
        s.message()
        s.send(ack)
        tap.equal(wait_error(s), "ack", "a recorded ACK is refused")
    tap.equal(len(stage.waiting("bob")), 2, "and deletes nothing")
    tap.equal(len(stage.empty("bob")), 2, "control: a fresh one does")
    tap.equal(stage.waiting("bob"), [], "and nothing waits")


def wait_error(s):
    """The code of the ERROR that comes, behind mail perhaps."""
    try:
        while True:
            items, _ = s.receive()
            if items[0] == MSG:
                s.raw(items[5])
            elif items[0] == ERROR:
                return items[1]
            elif items[0] == ACKED:
                return "ACKED"
    except (Ended, ConnectionError):
        return "closed"


def forged_ack(stage):
    """Acknowledgements of what did not arrive like that."""
    tap, mallory = stage.tap, stage.person("mallory")
    ids = stage.put_mail("bob", 4)

    def attempt(name, make):
        with stage.login("bob") as s:
            kept = [s.message()[:2] for _ in ids]
            s.send(make(s, kept))
            how = wait_error(s)
        tap.equal(how, "ack", "ACK " + name)
    attempt("of other bytes", lambda s, kept: s.ack_frame(
        kept, ids=[os.urandom(32)] + [i for _, i in kept[1:]]))
    attempt("of another session",
            lambda s, kept: s.ack_frame(kept, session=os.urandom(32)))
    attempt("by somebody else",
            lambda s, kept: s.ack_frame(kept, key=mallory.signing_key))
    attempt("of what was never sent", lambda s, kept: s.ack_frame(
        [(kept[-1][0] + 1000, kept[-1][1])]))
    attempt("of one more than was sent", lambda s, kept: s.ack_frame(
        kept + [(kept[-1][0] + 1, kept[-1][1])]))
    attempt("with other ranges than are signed", lambda s, kept: frame(
        ACK, [[kept[0][0], kept[-1][0]]],
        session.Decoder(s.ack_frame(kept[:1]), 5).item()[2]))
    tap.equal(sorted(stage.waiting("bob")), sorted(ids),
              "after all of that everything still waits")
    with stage.login("bob") as s:
        kept = [s.message()[:2] for _ in ids]
        s.send(s.ack_frame(kept[:2]))
        tap.equal(wait_error(s), "ACKED", "control: the right one is confirmed")
    tap.equal(sorted(stage.waiting("bob")), sorted(i for _, i in kept[2:]),
              "control: and what it names is gone")
    stage.empty("bob")


# ---- in the middle ----

class Middle:
    """Between a client and the relay: both ways, bytes as they are but for
    what `alter` makes of the messages."""

    def __init__(self, relay, alter):
        self.relay, self.alter = relay, alter
        self.altered = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        """No more."""
        self.listener.close()

    def serve(self):
        """One connection after the other."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            up = self.relay.connect()
            threading.Thread(target=self.copy, args=(client, up),
                             daemon=True).start()
            threading.Thread(target=self.mangle, args=(up, client),
                             daemon=True).start()

    @staticmethod
    def copy(source, target):
        """What the client says."""
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def mangle(self, source, target):
        """What the relay says."""
        s = Session(source)
        try:
            while True:
                items, size = s._parse()
                if items is None:
                    s._more()
                    continue
                whole, s.buffer = s.buffer[:size], s.buffer[size:]
                if items[0] == MSG:
                    data = s.raw(items[5])
                    whole, data = self.alter(items, whole, data)
                    self.altered += 1
                    whole += data
                target.sendall(whole)
        except (OSError, Ended, ValueError):
            pass
        finally:
            try:
                target.shutdown(socket.SHUT_WR)
            except OSError:
                pass


def in_the_middle(stage):
    """Mail is swapped for junk on its way to e2e-fetch."""
    tap, bob = stage.tap, stage.person("bob")
    ids = stage.put_mail("bob", 5)

    def junk(items, whole, data):
        return whole, data[:-30] + bytes(b ^ 1 for b in data[-30:-1]) + data[-1:]

    def other(items, whole, data):
        # An envelope like any other, and a frame that says so.
        data = forge.envelope([bob.id], len(data))
        return frame(MSG, items[1], sha256(data), *items[3:]), data

    for name, alter in (("bytes of messages are altered", junk),
                        ("messages are swapped, and what is said of them",
                         other)):
        middle = Middle(stage.relay, alter)
        stage.lab.fetch("bob", folder=os.path.join(
            stage.lab.folder, "swapped%d" % middle.port),
            host="127.0.0.1:%d" % middle.port, check=False)
        middle.close()
        tap.ok(middle.altered > 0 and stage.lab.fetched.returncode != 0,
               "e2e-fetch fails when " + name,
               "%d altered, %s" % (middle.altered, stage.lab.fetched))
        tap.equal(sorted(stage.waiting("bob")), sorted(ids),
                  "and all of it still waits")
    middle = Middle(stage.relay, lambda items, whole, data: (whole, data))
    folder = os.path.join(stage.lab.folder, "passed")
    got = stage.lab.fetch("bob", folder=folder, check=False,
                          host="127.0.0.1:%d" % middle.port)
    middle.close()
    tap.ok(stage.lab.fetched.returncode == 0 and
           sorted(i for i, _ in got) == sorted(ids),
           "control: passed on unaltered, it is fetched",
           stage.lab.fetched)
    tap.equal(stage.waiting("bob"), [], "control: and gone from the relay")


def another_relay(stage):
    """The same host and port, another identity."""
    tap, place, relay = stage.tap, stage.lab, stage.relay
    host = "127.0.0.1:%d" % relay.port
    stage.put_mail("bob", 1)
    letter = os.path.join(place.folder, "letter")
    with open(letter, "wb") as f:
        f.write(forge.envelope([stage.person("bob").id]))
    folder = os.path.join(place.folder, "pinned")

    def send():
        return subprocess.run([os.path.join(lab.BIN, "e2e-send"), host, letter],
                              env=place.environment(), capture_output=True,
                              check=False, timeout=lab.PATIENCE).returncode
    place.fetch("bob", folder=folder, host=host, check=False)
    tap.equal(place.fetched.returncode, 0, "control: a first contact, pinned")
    tap.equal(send(), 0, "control: and e2e-send")
    tap.equal(relay.stop(), 0, "the relay ends when told to")
    poser = lab.Relay(place.folder, *relay.flags,
                      store=os.path.join(place.folder, "store2"))
    poser.start(relay.port)
    try:
        place.fetch("bob", folder=folder, host=host, check=False)
        tap.equal(place.fetched.returncode, OTHER_RELAY,
                  "e2e-fetch refuses another relay at the same place")
        tap.equal(send(), OTHER_RELAY, "and so does e2e-send")
    finally:
        poser.kill()
    relay.start(relay.port)
    place.fetch("bob", folder=folder, host=host, check=False)
    tap.equal(place.fetched.returncode, 0, "control: the first one is taken again")
    # The letter came once, though it was sent before and after.
    tap.equal(send(), 0, "control: by e2e-send, too")


# ---- the directory, of a relay with open registration ----

def register(stage, identity, card=None, as_card=True):
    """Logs in as the identity, registers a card; the answer's frame or code."""
    with session.connect(stage.relay, identity) as s:
        s.greet()
        s.auth = s.send(s.auth_frame(
            card=identity.card.raw if as_card else None))
        first = refused(s)
        if not isinstance(first, list) or first[0] != READY:
            return first
        answer = None
        s.send(frame(REGISTER, card or identity.card.raw, None))
        while answer is None or answer[0] in (EMPTY, MSG):
            answer = refused(s)
            if not isinstance(answer, list):
                return answer
        return answer


def lookup(stage, what):
    """The card that is registered under a name or id, or None."""
    with session.connect(stage.relay) as s:
        s.greet()
        answer = s.ask(LOOKUP, what)
        return answer[1]


def directory(stage):
    """Names, ids and keys of others."""
    tap = stage.tap
    bob = new_identity("x25519", "bob")
    mallory = new_identity("x25519", "mallory")
    answer = register(stage, bob)
    tap.equal(answer[0], RECORD, "control: bob registers his card")
    tap.equal(answer[1], bob.card.raw, "control: which is the one")
    tap.equal(register(stage, mallory, card=bob.card.raw), "card",
              "registering somebody else's card")
    taken = new_identity("x25519", "bob")
    tap.equal(register(stage, taken), "taken",
              "a name that belongs to another")
    tap.equal(lookup(stage, "bob"), bob.card.raw, "the name is still bob's")
    tap.equal(lookup(stage, taken.id), None, "and the other one is not there")
    # A card whose encryption key is bob's: it may be there, but his mail
    # goes to him.
    keys = [mallory.signing_key, bob.enc_keys[0]]
    thief = Card(make_card(keys, "mallory2"))
    mallory2 = type(mallory)(thief, keys)
    answer = register(stage, mallory2)
    tap.ok(answer[0] == RECORD or isinstance(answer, str),
           "a card that lists somebody else's encryption key", answer)
    data = forge.envelope([bob.id])
    line = stage.relay.deposit(data)[0]
    with session.connect(stage.relay, mallory2) as s:
        s.login()
        tap.equal(s.fetch(), [], "redirects no mail")
    with session.connect(stage.relay, bob) as s:
        s.login()
        tap.equal([i for _, i in s.fetch()], [sha256(data)],
                  "control: which is its owner's")
    tap.ok(line.startswith("OK ") and " stored=1 " in line,
           "control: and was stored", line)
    # Bob's signing key, but not his signature.
    forged = make_sign1(mallory.signing_key, "application/e2e-card+cwt",
                        session.encode({
                            2: "bob2", 6: int(time.time()),
                            8: {1: bob.signing_key.public_map},
                            -65650: [mallory.enc_keys[0].public_map],
                            -65651: 9}))
    answer = register(stage, bob, card=forged)
    tap.equal(answer, "card", "a card with bob's key that bob did not sign")
    tap.equal(lookup(stage, bob.id), bob.card.raw, "bob's card is unchanged")
    # An older one of his own, and another with the same serial.
    newer = Card(make_card([bob.signing_key] + bob.enc_keys, "bob", serial=5))
    answer = register(stage, bob, card=newer.raw)
    tap.equal((answer[0], answer[1]), (RECORD, newer.raw),
              "control: a higher serial replaces it")
    tap.equal(register(stage, bob, card=bob.card.raw), "rollback",
              "a lower serial")
    twin = make_card([bob.signing_key] + bob.enc_keys, "bob", serial=5,
                     iat=1700000000)
    tap.equal(register(stage, bob, card=twin), "conflict",
              "the same serial, another card")
    with session.connect(stage.relay, mallory) as s:
        s.greet()
        tap.equal(s.ask(REGISTER, mallory.card.raw, None)[1], "auth",
                  "registering without AUTH")


def names(stage):
    """Names that could be paths, markup or another's by their looks."""
    tap = stage.tap
    for name in ("../../etc/passwd", "/etc/passwd", ".profile", "-rf", "Bob",
                 "b\u043eb", "a b", "a\tb", "bob\u200b", "\u202ebob", "b/ob",
                 "_bob", "@", "bob'; drop table cards; --"):
        person = new_identity("x25519", name)
        answer = register(stage, person)
        tap.equal(answer, "name", "%a is refused" % name)
        tap.equal(lookup(stage, person.id), None, "and is not there")
    for name in ("carol", "0", "a" + "b" * 63, "carol.smith@example.org"):
        person = new_identity("x25519", name)
        register(stage, person)
        tap.equal(lookup(stage, name), person.card.raw,
                  "control: %s is" % name)
    tap.equal(lookup(stage, "nobody.at.all"), None, "control: nobody")


# ---- that all of this can fail ----

class Quiet(Tap):
    """Keeps the names of what failed."""

    def __init__(self):
        super().__init__()
        self.names = []

    def ok(self, good, name, detail=""):
        """Says nothing."""
        if not good:
            self.names.append(name)


def noticed(tap, what, parts, expected, **how):
    """These parts fail, with a relay that is not as it should be."""
    quiet = Quiet()
    with lab.Lab("bob", "mallory", "crowd1", "crowd2", "crowd3",
                 **how) as place:
        place.relay.start()
        for part in parts:
            quiet.run(lambda _, part=part: part(Stage(place, quiet)))
    missed = [name for name in expected if name not in quiet.names]
    tap.equal(missed, [], "control: %s is noticed" % what)


def controls(tap):
    """Relays that are broken on purpose, or told to let everything pass."""
    noticed(tap, "a relay that believes every signature",
            (forged_auth, forged_ack, replay),
            ["AUTH signed by another identity", "AUTH for another relay",
             "AUTH with an altered signature", "ACK of other bytes",
             "a recorded AUTH is refused"],
            program=os.path.join(lab.BUILD, "tests", "relayd_trusting"),
            flags=FLAGS)
    noticed(tap, "a relay without limits", (flood,),
            ["what one address may, and no more"], flags=lab.UNLIMITED)


PARTS = (slow_headers, half_envelopes, oversized, too_large, garbage,
         forged_auth, forged_ack, replay, in_the_middle, crowd, flood, refusals)


def main():
    tap = Tap()
    only = os.environ.get("HOSTILE_ONLY", "")
    with lab.Lab("bob", "mallory", "citizen", "crowd1", "crowd2", "crowd3",
                 flags=FLAGS + ("--envelope-max", str(4 << 20))) as place:
        relay = place.relay.start()
        stage = Stage(place, tap)
        citizen = Citizen(place)
        citizen.start()
        peak = 0
        for part in PARTS:
            if re.search(only, part.__name__):
                tap.run(lambda _, part=part: part(stage))
                peak = max(peak, relay.rss())
        lab.until(lambda: citizen.fetched or citizen.troubles, "the citizen")
        citizen.over = True
        citizen.join()
        tap.ok(not citizen.troubles and citizen.fetched > 0,
               "meanwhile somebody well-behaved was served: %d deposits, %d "
               "fetched" % (citizen.deposits, citizen.fetched),
               citizen.troubles[:5])
        print("# its slowest turn took %.2f s; the relay had at most %d KiB"
              % (citizen.slowest, peak))
        tap.ok(relay.alive, "the relay is alive", relay.said()[-2000:])
        tap.ok(peak < RSS_BOUND * memory_factor(), "in bounded memory", "%d KiB" % peak)
        if re.search(only, "another_relay"):
            tap.run(lambda _: another_relay(stage))
        tap.equal(relay.stop(), 0, "and ends well")
    if re.search(only, "directory"):
        with lab.Lab(flags=lab.UNLIMITED) as place:
            place.relay.flags = ["--registration", "open", *lab.UNLIMITED]
            place.relay.start()
            tap.run(lambda _: directory(Stage(place, tap)))
            tap.run(lambda _: names(Stage(place, tap)))
            tap.equal(place.relay.stop(), 0, "it ends well")
    if re.search(only, "controls"):
        controls(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
