"""e2e-seal --state and e2e-open --state, killed at every call that changes
what others see (die.c), and what that may cost: a number, or the same bytes
once more; never a message.

A walk kills one process at each of its calls in turn, in a folder of state
that is new and in one that was used, with each way for the output to go. A
crowd is several processes at a time on one folder, each killed anywhere or
not at all, and each envelope opened by two of them. Whatever was killed is
done again. And then:

1. Every envelope that is whole has a number that no other one has.
2. An envelope whose opening ended with 0 is never opened with 0 again.
3. An envelope is refused with 4 only when its output is there, whole.
4. In the end the output of every envelope is there, exact.
5. Commands end with 0, 4, 75 or by the kill; with -d also with 73, when
   another process gives the same name to its file in the very moment.
6. The databases pass SQLite's own check.

	crash.py	ORDER_KILLS=N
"""

import itertools
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
BIN = os.path.join(BUILD, "bin")
ORDER = os.path.join(BUILD, "tests", "order")

KILLED, REFUSED, LATER, TAKEN = -9, 4, 75, 73
SEAL_WAYS = ("file", "stdout")
OPEN_WAYS = ("file", "stdout", "folder")
PROCESSES = 4                      # of a crowd, at a time
MESSAGES = 24                      # of a crowd
BATCH = 3                          # envelopes in a sequence for -d
SIZES = (0, 100, 100, 5000, 70000, 3000000)
PATIENCE = 120                     # seconds: for what hangs, not what is slow


def read(path):
    """All bytes of a file; None if there is none."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


class Envelope:
    """One that is whole, and what has become of it."""

    def __init__(self, path, content, header):
        self.path, self.content = path, content
        self.name = header["message_id"]
        self.number = (header["conversation"], header["sequence"])
        self.outputs = set()       # where its content may be
        self.opened = 0            # with 0

    def is_there(self):
        """Is its content, whole?"""
        return any(read(path) == self.content for path in
                   list(self.outputs))


class Lab:
    """Two people, a folder, and what must not be."""

    def __init__(self, seal="sound", open_="sound", seed=1):
        self.seal_program = os.path.join(ORDER, seal, "e2e-seal")
        self.open_program = os.path.join(ORDER, open_, "e2e-open")
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.names = itertools.count()
        self.faults = []
        self.numbers = {}          # (state, conversation, number) -> path
        self.envelopes = []
        self.states = set()
        self.runs = {"seal": 0, "open": 0}
        self.kills = {"seal": 0, "open": 0}
        self.refused = self.taken = 0

    def __enter__(self):
        self.work = tempfile.TemporaryDirectory()
        self.environment = dict(os.environ, HOME=self.work.name,
                                XDG_CONFIG_HOME=self.path("config"))
        for name in ("ann", "bob"):
            self.sound("e2e-keygen", "-t", "x25519", "--no-passphrase", "-n",
                       name, "-o", self.path(name + ".key"))
        return self

    def __exit__(self, *_):
        self.work.cleanup()

    def path(self, name):
        """A name in the folder."""
        return os.path.join(self.work.name, name)

    def new(self, kind):
        """A name that was not there before."""
        with self.lock:
            return self.path("%s-%d" % (kind, next(self.names)))

    def fault(self, text):
        """What must not be."""
        with self.lock:
            self.faults.append(text)

    # ---- running ----

    def sound(self, name, *argv):
        """An ordinary command."""
        return subprocess.run([os.path.join(BIN, name), *argv],
                              env=self.environment, timeout=PATIENCE,
                              capture_output=True, check=False)

    def run(self, kind, argv, die=None, stdout=None, report=None, fds=()):
        """Its status. die: the call at which it is to be killed."""
        environment = dict(self.environment)
        if die is not None:
            environment["E2E_DIE"] = str(die)
        if report is not None:
            environment["E2E_DIE_REPORT"] = report
        done = subprocess.run(argv, env=environment, check=False,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE,
                              stdout=stdout or subprocess.DEVNULL,
                              stderr=subprocess.PIPE, pass_fds=fds)
        with self.lock:
            self.runs[kind] += 1
            self.kills[kind] += done.returncode == KILLED
        fine = {0, REFUSED, LATER}
        if die is not None:
            fine.add(KILLED)
        if "-d" in argv:
            fine.add(TAKEN)
        if done.returncode not in fine:
            self.fault("%s ends with %d: %s" % (
                " ".join(argv), done.returncode,
                done.stderr.decode(errors="replace")))
        return done.returncode

    # ---- sealing ----

    def message(self):
        """One like no other; a name."""
        path = self.new("message")
        with self.lock:
            size = self.random.choice(SIZES)
        head = os.path.basename(path).encode() + b"\n"
        with open(path, "wb") as f:
            f.write(head + head[:1] * size)
        return path

    def take(self, path, content, state, must):
        """The envelope of that name, if there is a whole one."""
        if not read(path):
            if must:
                self.fault("sealed, and not there: " + path)
            return
        done = self.sound("e2e-open", "-i", self.path("bob.key"),
                          "--status-fd", "2", path)
        if done.returncode != 0:
            if must:
                self.fault("half an envelope: %s: %s" % (path, done.stderr))
            return
        if done.stdout != content:
            self.fault("another content: " + path)
        header = next(found for found in (
            json.loads(line) for line in done.stderr.splitlines()
            if line.startswith(b"{")) if found["event"] == "header")
        envelope = Envelope(path, content, header)
        with self.lock:
            self.envelopes.append(envelope)
            other = self.numbers.setdefault((state, *envelope.number), path)
        if other != path:
            self.fault("one number twice: %s and %s" % (other, path))

    def seal(self, message, way, state, die=None, report=None):
        """Its status; what is whole is kept."""
        path = self.new("envelope")
        self.states.add(state)
        argv = [self.seal_program, "-i", self.path("ann.key"), "-r",
                self.path("bob.pub"), "--state", state]
        if way == "file":
            status = self.run("seal", [*argv, "-o", path, message], die,
                              report=report)
        else:
            with open(path, "wb") as out:
                status = self.run("seal", [*argv, message], die, out, report)
        self.take(path, read(message), state, status == 0 or (
            way == "file" and os.path.exists(path)))
        return status

    # ---- opening ----

    def open(self, envelopes, way, state, die=None, report=None, mail=None):
        """Opens one, or several into the folder mail; is it known of all of
        them what became of them?"""
        self.states.add(state)
        argv = [self.open_program, "-i", self.path("bob.key"), "-s",
                self.path("ann.pub"), "--state", state]
        if way == "folder":
            verdicts = self.open_folder(envelopes, argv, die, report, mail)
        else:
            verdicts = self.open_one(envelopes[0], way, argv, die, report)
        for envelope, verdict in zip(envelopes, verdicts):
            self.judge(envelope, verdict)
        return len(verdicts) == len(envelopes) and \
            not {LATER, TAKEN} & set(verdicts)

    def open_one(self, envelope, way, argv, die, report):
        """A list of its verdict; of none after a kill."""
        path = envelope.path + ".out" if way == "file" else self.new("out")
        with self.lock:
            envelope.outputs.add(path)
        if way == "file":
            status = self.run("open", [*argv, "-o", path, envelope.path],
                              die, report=report)
        else:
            with open(path, "wb") as out:
                status = self.run("open", [*argv, envelope.path], die, out,
                                  report)
        return [status] if status != KILLED else []

    def open_folder(self, envelopes, argv, die, report, mail):
        """The verdicts that were given."""
        sequence = self.new("sequence")
        with open(sequence, "wb") as f:
            for envelope in envelopes:
                f.write(read(envelope.path))
                with self.lock:
                    envelope.outputs.add(os.path.join(mail, envelope.name))
        os.makedirs(mail, exist_ok=True)
        with open(sequence + ".verdicts", "wb") as told:
            status = self.run("open", [
                *argv, "-d", mail, "--verdict-fd", str(told.fileno()),
                sequence], die, report=report, fds=(told.fileno(),))
        # What is behind the last end of a line was cut off.
        verdicts = [int(line) for line in
                    read(sequence + ".verdicts").split(b"\n")[:-1]]
        # What is better later ends it; what is refused does not.
        if status not in (KILLED, LATER) and \
                len(verdicts) != len(envelopes):
            self.fault("%d verdicts, status %d" % (len(verdicts), status))
        return verdicts

    def judge(self, envelope, verdict):
        """Of one envelope."""
        with self.lock:
            envelope.opened += verdict == 0
            self.refused += verdict == REFUSED
            self.taken += verdict == TAKEN
            again = envelope.opened > 1
        if verdict not in (0, REFUSED, LATER, TAKEN):
            self.fault("verdict %d: %s" % (verdict, envelope.path))
        elif verdict == 0 and again:
            self.fault("opened twice: " + envelope.path)
        elif verdict != LATER and not envelope.is_there():
            self.fault("%s, and not there: %s" % (
                "refused" if verdict else "opened", envelope.path))

    # ---- the end ----

    def check(self):
        """Nothing is lost, and the databases are sound."""
        for envelope in self.envelopes:
            if envelope.outputs and not envelope.is_there():
                self.fault("lost: " + envelope.path)
        for state in self.states:
            with closing(sqlite3.connect(
                    os.path.join(state, "state.db"))) as db:
                said = db.execute("PRAGMA integrity_check").fetchall()
            if said != [("ok",)]:
                self.fault("%s: %s" % (state, said))

    def report(self):
        """The sums."""
        return {"kills": sum(self.kills.values()),
                "kills_seal": self.kills["seal"],
                "kills_open": self.kills["open"],
                "runs": sum(self.runs.values()),
                "envelopes": len(self.envelopes),
                "refused": self.refused, "taken": self.taken,
                "faults": len(self.faults), "first": self.faults[:5]}


# ---- one process at a time ----

def places(report, every):
    """Where a process can be killed, of those that a run reported. A lock is
    gone with its process: nobody else is there to meet it."""
    found = []
    for n, name in enumerate(read(report).split(), 1):
        if name != b"lock":
            found.append(str(n))
        if name.endswith(b"write"):
            found.append("%d+" % n)
    return found[every - 1::every]


class Walk:
    """Over all places of one command."""

    def __init__(self, lab, way, fresh, every):
        self.lab, self.way, self.fresh, self.every = lab, way, fresh, every
        self.used = lab.new("state")
        self.met = self.tried = 0

    def state(self):
        """A folder of state: a new one, or that of the time before."""
        return self.lab.new("state") if self.fresh else self.used

    def walk(self, step):
        """step(state, die, report) is done at each place."""
        report = self.lab.new("report")
        for _ in range(1 if self.fresh else 2):
            step(self.state(), report=report)
        for die in places(report, self.every):
            kills = sum(self.lab.kills.values())
            step(self.state(), die)
            self.met += sum(self.lab.kills.values()) > kills
            self.tried += 1

    def seal(self, state, die=None, report=None):
        """A message that is killed, and sealed in the end."""
        message = self.lab.message()
        self.lab.seal(message, self.way, state, die, report)
        if self.lab.seal(message, self.way, state) != 0:
            self.lab.fault("not sealed after %s: %s" % (die, message))

    def open(self, state, die=None, report=None):
        """An envelope likewise, and once too often."""
        lab, mail = self.lab, self.lab.new("mail")
        count = 2 if self.way == "folder" else 1
        for _ in range(count):
            lab.seal(lab.message(), "file", lab.path("sent"))
        envelopes = lab.envelopes[-count:]
        lab.open(envelopes, self.way, state, die, report, mail)
        for _ in range(2):
            if not lab.open(envelopes, self.way, state, mail=mail):
                lab.fault("not known after %s: %s" % (
                    die, envelopes[0].path))


def walk(kind, way, fresh, every=1, **programs):
    """The report of one."""
    with Lab(**programs) as lab:
        w = Walk(lab, way, fresh, every)
        w.walk(w.seal if kind == "seal" else w.open)
        lab.check()
        return {**lab.report(), "met": w.met, "tried": w.tried}


def walks(every=1):
    """All of them: the sums."""
    jobs = [(kind, way, fresh)
            for kind, ways in (("open", OPEN_WAYS), ("seal", SEAL_WAYS))
            for fresh in (True, False) for way in ways]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return total(pool.map(lambda job: walk(*job, every=every), jobs))


def total(reports):
    """The sums of some reports."""
    found = {}
    for report in reports:
        for name, value in report.items():
            found[name] = found.get(name, type(value)()) + value
    return found


# ---- several at a time ----

class Crowd:
    """One folder of state for what is sent and one for what is received, for
    as many rounds as it takes."""

    def __init__(self, lab):
        self.lab = lab
        self.random = lab.random
        self.rounds = 0

    def die(self, most):
        """Where the next process is killed, if it is."""
        with self.lab.lock:
            n = self.random.randrange(1, most)
            return None if self.random.random() < 0.3 else \
                "%d%s" % (n, self.random.choice(("", "+")))

    def seal(self, message):
        """Until it is sealed."""
        with self.lab.lock:
            way = self.random.choice(SEAL_WAYS)
        while self.lab.seal(message, way, self.sent, self.die(60)) != 0:
            pass

    def open(self, envelopes):
        """Until it is known what became of them."""
        with self.lab.lock:
            way = self.random.choice(OPEN_WAYS)
        for some in [envelopes] if way == "folder" else \
                [[e] for e in envelopes]:
            while not self.lab.open(some, way, self.received, self.die(
                    50 + 50 * len(some)), mail=self.mail):
                pass

    def round(self, pool):
        """Messages there, envelopes back, and once more."""
        lab = self.lab
        if self.rounds % 4 == 0:
            self.sent, self.received = lab.new("sent"), lab.new("received")
        self.rounds += 1
        self.mail = lab.new("mail")
        before = len(lab.envelopes)
        list(pool.map(self.seal, [lab.message() for _ in range(MESSAGES)]))
        envelopes = lab.envelopes[before:]
        tasks = [envelopes[i:i + BATCH]
                 for i in range(0, len(envelopes), BATCH)]
        # By two processes each, more or less at the same time.
        list(pool.map(self.open, [t for t in tasks for _ in range(2)]))
        for envelope in envelopes:
            for _ in range(2):
                if not lab.open([envelope], "stdout", self.received):
                    lab.fault("not known: " + envelope.path)


def crowd(kills, seed=1):
    """The report of rounds until there were so many."""
    with Lab(seed=seed) as lab, ThreadPoolExecutor(PROCESSES) as pool:
        c = Crowd(lab)
        while sum(lab.kills.values()) < kills:
            c.round(pool)
        lab.check()
        return lab.report()


if __name__ == "__main__":
    reports = [walks(), crowd(int(os.environ.get("ORDER_KILLS", 1000)))]
    print(json.dumps(reports, indent=1))
    sys.exit(any(report["faults"] for report in reports))
