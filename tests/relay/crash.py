"""kill -9 at random moments, and what that may cost: nothing that was
receipted.

Senders pipeline distinct envelopes in bare mode to one or two of two
mailboxes, and after each death of the relay send again what was not answered,
as a careful program would. Meanwhile one mailbox is emptied through sessions,
message by message acknowledged, the other one by e2e-fetch -d, which is
killed now and then itself. The relay is killed, started again on the same
store, and so on; at the end everything is fetched, and then:

1. Every envelope whose OK line was read was fetched from every mailbox that
   it named.
2. Nothing was fetched that was not sent, byte for byte (names are SHA-256).
3. What was confirmed as acknowledged (ACKED) never came again.
4. No session hands out the same envelope twice.
5. An envelope that had its OK is a duplicate when it is sent again.
6. The store passes its own check.

	crash.py [PROGRAM]	CRASH_KILLS=N or CRASH_SECONDS=N
"""

import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time

import forge
import lab
import session

SENDERS, PIPELINE = 8, 16
LEAST = 20                         # kills, however long they take
SIZES = (560, 700, 1024, 1024, 1500, 4000, 9000, 40000)
NAMES = (("alice",), ("bob",), ("alice", "bob"))
SHARES = (8, 1, 1)                 # bob's becomes a file each
LARGE = 700000                     # arrives in pieces, one in 500
FLAGS = lab.UNLIMITED + ("--box-items", "100000000",
                         "--box-bytes", "1000000000000")


class Ledger:
    """What was sent, answered, fetched and acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}             # id -> names of the mailboxes
        self.ok = {}               # id -> when its OK line was read
        self.last = 0.0            # the last of these
        self.fetched = {"alice": set(), "bob": set()}
        self.acked = set()         # of alice, confirmed
        self.repeats = 0           # came again, not being confirmed: allowed
        self.faults = []

    def fault(self, text):
        """What must not be."""
        with self.lock:
            self.faults.append(text)


class Sender(threading.Thread):
    """One connection at a time, PIPELINE envelopes under way."""

    def __init__(self, campaign, number):
        super().__init__(daemon=True)
        self.campaign = campaign
        self.random = random.Random(number)
        ids = {n: p.id for n, p in campaign.lab.people.items()}
        self.series = [
            (names, forge.Series([ids[n] for n in names], size))
            for names in NAMES
            for size in SIZES + (LARGE,)]
        self.unanswered = []

    def batch(self):
        """What was not answered first, then new ones, and an old one."""
        found, self.unanswered = self.unanswered, []
        ledger = self.campaign.ledger
        while len(found) < PIPELINE:
            large = self.random.random() < 0.002
            who = self.random.choices(NAMES, SHARES)[0]
            names, series = self.random.choice(
                [s for s in self.series if s[0] == who and
                 (len(s[1].front) > 100000) == large])
            ident, data = series.next()
            with ledger.lock:
                ledger.sent[ident] = names
            found.append((ident, data))
        if self.random.random() < 0.2:
            found.append(found[0])
        return found

    def run(self):
        while not self.campaign.over:
            try:
                with self.campaign.connect() as s:
                    lines = s.makefile("rb")
                    while not self.campaign.over:
                        self.exchange(s, lines)
            except OSError:
                time.sleep(0.01)

    def exchange(self, s, lines):
        """A batch there, its lines back."""
        batch = self.batch()
        self.unanswered = list(batch)
        s.sendall(b"".join(data for _, data in batch))
        for ident, _ in batch:
            line = lines.readline()
            if not line.endswith(b"\n"):
                raise ConnectionError("the relay is gone")
            self.answered(ident, line.decode())
            self.unanswered.pop(0)

    def answered(self, ident, line):
        """One line for one envelope."""
        ledger = self.campaign.ledger
        found = re.match(r"OK (\S+) stored=(\d+) dup=(\d+) unknown=0 until=",
                         line)
        if not found:
            ledger.fault("refused: " + line.strip())
            return
        if lab.id_of(found.group(1)) != ident:
            ledger.fault("the receipt of another envelope")
        stored, dup = int(found.group(2)), int(found.group(3))
        if stored + dup != len(ledger.sent[ident]):
            ledger.fault("not for all mailboxes: " + line.strip())
        with ledger.lock:
            known = ident in ledger.ok
            if not known:
                ledger.last = ledger.ok[ident] = time.monotonic()
        if known and stored:
            ledger.fault("stored twice: " + line.strip())


class SessionReader(threading.Thread):
    """Empties alice's mailbox, session after session."""

    def __init__(self, campaign):
        super().__init__(daemon=True)
        self.campaign = campaign
        self.person = campaign.lab.people["alice"]

    def run(self):
        while not self.campaign.over:
            try:
                if not self.once():
                    time.sleep(0.02)
            except (OSError, session.Ended):
                time.sleep(0.01)

    def once(self):
        """One session to its EMPTY; how many came."""
        ledger = self.campaign.ledger

        def acked(ids):
            with ledger.lock:
                ledger.acked.update(ids)

        def arrived(ident):
            with ledger.lock:
                if ident not in ledger.sent:
                    ledger.faults.append("never sent: " + ident.hex())
                if ident in ledger.acked:
                    ledger.faults.append("came after ACKED: " + ident.hex())
                ledger.repeats += ident in ledger.fetched["alice"]
                ledger.fetched["alice"].add(ident)
            if ident in seen:
                ledger.fault("twice in a session: " + ident.hex())
            seen.add(ident)
        seen = set()
        with session.connect_unix(self.campaign.lab.relay.unix,
                                  self.person) as s:
            s.login()
            return len(s.fetch(on_acked=acked, on_message=arrived))


class CommandReader(threading.Thread):
    """Empties bob's mailbox by e2e-fetch -d, which may be killed."""

    def __init__(self, campaign):
        super().__init__(daemon=True)
        self.campaign = campaign
        self.random = random.Random(99)
        self.killed = 0

    def run(self):
        while not self.campaign.over:
            child = self.campaign.command("bob")
            try:
                child.wait(self.random.choice((0.2, 0.5, 5)))
            except subprocess.TimeoutExpired:
                child.kill()
                self.killed += 1
            child.communicate()
            time.sleep(0.05)


class Campaign:
    """So many kills, or for so long."""

    def __init__(self, program=None, seed=1):
        self.lab = lab.Lab("alice", "bob", flags=FLAGS, program=program)
        self.ledger = Ledger()
        self.random = random.Random(seed)
        self.over = False
        self.kills = 0
        self.kills_busy = 0        # with OKs in the 20 ms before
        self.kills_early = 0       # more, within 20 ms of a start

    def connect(self):
        """To the relay as it is now."""
        s = socket.create_connection(("127.0.0.1", self.lab.relay.port or 1),
                                     lab.PATIENCE)
        return s

    def command(self, who):
        """e2e-fetch, started."""
        mail = os.path.join(self.lab.folder, who + ".mail")
        return subprocess.Popen(
            [os.path.join(lab.BIN, "e2e-fetch"), "-i",
             self.lab.people[who].key_file, "unix:" + self.lab.relay.unix,
             "-d", mail], env=self.lab.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def round(self):
        """Up, some answers, and down."""
        relay, ledger = self.lab.relay, self.ledger
        before = len(ledger.ok)
        lab.until(lambda: len(ledger.ok) > before or not relay.alive,
                  "a first receipt")
        time.sleep(self.random.choice((0, 0.02, 0.1, 0.5)) *
                   self.random.random())
        if not relay.alive:
            ledger.fault("the relay ended by itself: " + relay.said()[-500:])
        relay.kill()
        now = time.monotonic()
        self.kills += 1
        self.kills_busy += now - ledger.last < 0.02
        # Also while it gets over the last time.
        while self.random.random() < 0.2:
            relay.spawn()
            time.sleep(self.random.random() * 0.02)
            relay.kill()
            self.kills_early += 1
        relay.start()

    def run(self, kills=None, seconds=None):
        """The report."""
        begin = time.monotonic()
        relay = self.lab.relay
        relay.start()
        threads = [Sender(self, i) for i in range(SENDERS)] + \
            [SessionReader(self), CommandReader(self)]
        for t in threads:
            t.start()
        while self.kills < (kills or LEAST) or (
                seconds and time.monotonic() - begin < seconds):
            self.round()
        self.over = True
        for t in threads:
            t.join(lab.PATIENCE)
            if t.is_alive():
                self.ledger.fault("a client hangs: %s" % type(t).__name__)
        return self.close()

    def check(self):
        """The store's own."""
        relay = self.lab.relay
        done = subprocess.run([relay.program, "--store", relay.store,
                               "--check"], capture_output=True, check=False)
        if done.returncode != 0:
            self.ledger.fault("the store: %s" % done)

    def close(self):
        """Fetches the rest and compares."""
        ledger = self.ledger
        SessionReader(self).once()
        for ident, path in self.lab.fetch("bob"):
            if ident in ledger.fetched["bob"]:
                ledger.fault("kept twice: " + path)
            if ident not in ledger.sent:
                ledger.fault("never sent: " + path)
            ledger.fetched["bob"].add(ident)
        lost = [(ident, name) for ident in ledger.ok
                for name in ledger.sent[ident]
                if ident not in ledger.fetched[name]]
        status = self.lab.relay.stop()
        if status != 0:
            ledger.fault("the relay ends with %s" % status)
        self.check()
        return {
            "kills": self.kills, "kills_busy": self.kills_busy,
            "kills_early": self.kills_early,
            "receipts": len(ledger.ok), "sent": len(ledger.sent),
            "lost": len(lost), "acked": len(ledger.acked),
            "repeats": ledger.repeats,
            "fetched": sum(map(len, ledger.fetched.values())),
            "faults": len(ledger.faults), "first": ledger.faults[:5]}


def campaign(program=None, **how):
    """One, cleaned up."""
    c = Campaign(program)
    with c.lab:
        return c.run(**how)


if __name__ == "__main__":
    report = campaign(
        sys.argv[1] if len(sys.argv) > 1 else None,
        kills=int(os.environ.get("CRASH_KILLS", 0)) or None,
        seconds=None if os.environ.get("CRASH_KILLS") else
        float(os.environ.get("CRASH_SECONDS", 45)))
    print(json.dumps(report, indent=1))
    sys.exit(bool(report["lost"] or report["faults"]))
