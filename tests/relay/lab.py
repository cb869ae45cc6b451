"""A relay of one's own: started on a port that the system gives, in a folder
that is thrown away, and ended again; identities for it; deposits as a shell
makes them."""

import base64
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests", "peer"))
from e2epeer.identity import new_identity, write_file  # noqa: E402

BIN = os.path.abspath(os.environ.get("BIN", os.path.join(ROOT, "build", "bin")))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.dirname(BIN)))
PATIENCE = 60                      # seconds; a bound for what hangs

# The load comes from one address: its limits are no part of most tests.
UNLIMITED = ("--rate-address", "0", "--rate-mailbox", "0",
             "--connections-each", "100000")


def text_of(ident):
    """An id as a receipt has it."""
    return base64.urlsafe_b64encode(ident).rstrip(b"=").decode()


def id_of(text):
    """And back."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def until(condition, what, patience=PATIENCE, step=0.02):
    """Looks again and again; returns what the condition came to."""
    end = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError("waited in vain: " + what)
        time.sleep(step)


def folder_on_disk():
    """A new folder; where TMPDIR is in memory, next to the build."""
    place = os.environ.get("TMPDIR", "/tmp")
    kind = subprocess.run(["stat", "-f", "-c", "%T", place], check=True,
                          capture_output=True, text=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        place = BUILD
    return tempfile.mkdtemp(prefix="e2e-relay.", dir=place)


class Person:
    """An identity with its key file and its card's."""

    def __init__(self, folder, name, cards=None):
        self.identity = new_identity("x25519", name)
        self.name = name
        self.id = self.identity.id
        self.signing_key = self.identity.signing_key
        self.card = self.identity.card.raw
        self.key_file = os.path.join(folder, name + ".key")
        with open(os.open(self.key_file, os.O_WRONLY | os.O_CREAT, 0o600),
                  "w") as f:
            text = write_file(self.identity)
            f.write(text if isinstance(text, str) else text.decode())
        self.card_file = os.path.join(cards or folder, name + ".pub")
        with open(self.card_file, "wb") as f:
            f.write(self.identity.card.line + b"\n")


class Relay:
    """One e2e-relayd at a time, on a store that outlives it."""

    def __init__(self, folder, *flags, program=None, store=None):
        self.folder = folder
        self.store = store or os.path.join(folder, "store")
        self.program = program or os.path.join(BIN, "e2e-relayd")
        self.flags = list(flags)
        self.unix = os.path.join(folder, "socket")
        self.log = os.path.join(folder, "log")
        self.process = self.port = None
        self.starting = 0.0        # seconds the last start took

    def spawn(self, port=0):
        """The process, at its beginning; where its log begins."""
        with open(self.log, "ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen(
                [self.program, "--store", self.store, "-l",
                 "127.0.0.1:%d" % port, "--unix", self.unix, *self.flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        return begin

    def start(self, port=0):
        """Until it says that it is ready."""
        started = time.monotonic()
        begin = self.spawn(port)

        def ready():
            if self.process.poll() is not None:
                raise RuntimeError("e2e-relayd ended with %d: %s" % (
                    self.process.returncode, self.said(begin)))
            said = self.said(begin)
            return said if re.search(r"^.*\bready\b.*\n", said, re.M) else None
        said = until(ready, "the relay to be ready", step=0.002)
        self.starting = time.monotonic() - started
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", said).group(1))
        return self

    def said(self, begin=0):
        """What stands in its log."""
        with open(self.log, "rb") as f:
            f.seek(begin)
            return f.read().decode(errors="replace")

    @property
    def alive(self):
        """It has not ended."""
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As the worst would."""
        self.process.kill()
        self.process.wait()

    def stop(self, patience=PATIENCE):
        """As a supervisor would; its exit status."""
        if not self.alive:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def rss(self):
        """KiB of memory in use."""
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def connect(self, patience=PATIENCE, address=None):
        """A socket."""
        return socket.create_connection(
            ("127.0.0.1", self.port), patience,
            source_address=(address, 0) if address else None)

    def deposit(self, data, patience=PATIENCE, address=None):
        """In bare mode, with the end of input; the lines that come back."""
        with self.connect(patience, address) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return read_all(s).decode().splitlines()


def read_all(s):
    """Until the other side ends."""
    parts = []
    while True:
        data = s.recv(65536)
        if not data:
            return b"".join(parts)
        parts.append(data)


class Lab:
    """A folder with people and a relay; a context, so that nothing stays."""

    def __init__(self, *names, flags=UNLIMITED, program=None):
        self.folder = folder_on_disk()
        self.cards = os.path.join(self.folder, "cards")
        os.mkdir(self.cards)
        self.people = {n: Person(self.folder, n, self.cards) for n in names}
        self.relay = Relay(self.folder, "--registration", "closed", "--cards",
                           self.cards, *flags, program=program)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.relay.alive:
            self.relay.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fetch(self, who, folder=None, host=None, check=True, more=()):
        """e2e-fetch -d; {id: bytes} of what is there afterwards."""
        folder = folder or os.path.join(self.folder, who + ".mail")
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(
            [os.path.join(BIN, "e2e-fetch"), "-i", self.people[who].key_file,
             host or "unix:" + self.relay.unix, "-d", folder, *more],
            env=self.environment(), capture_output=True, check=False,
            stdin=subprocess.DEVNULL, timeout=10 * PATIENCE)
        if check and done.returncode != 0:
            raise RuntimeError("e2e-fetch: status %d: %s" % (
                done.returncode, done.stderr.decode(errors="replace")))
        self.fetched = done
        return mail_in(folder)

    def environment(self):
        """Nobody's own configuration."""
        return dict(os.environ, HOME=self.folder,
                    XDG_CONFIG_HOME=os.path.join(self.folder, "config"),
                    XDG_STATE_HOME=os.path.join(self.folder, "state"))


def mail_in(folder):
    """[(id as in the bytes, file)] of a Maildir's `new`."""
    import hashlib
    found = []
    for path in glob.glob(os.path.join(folder, "new", "*")):
        with open(path, "rb") as f:
            found.append((hashlib.sha256(f.read()).digest(), path))
    return found
