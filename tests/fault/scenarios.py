"""What the commands are made to do while their calls fail, and what must be
true afterwards."""

import json
import os
import subprocess

MESSAGE = b"The quick brown fox jumps over the lazy dog.\n" * 3000
LONG = bytes(range(256)) * 13000	# four segments
OLD = b"what was there before\n"
COST = ["--kdf-memory", "8192", "--kdf-passes", "1", "--kdf-lanes", "1"]


class Scenario:
    """One command line in one folder.

    files: name -> bytes before each run; untouched afterwards unless they are
    in outputs: name -> function of bytes that says whether they are whole and
    right. stdout: the same for standard output; with prefix_of, what comes out
    of a run that fails must be the beginning of those bytes. together: after a
    failure none of the outputs may be there. only: the kinds of faults that
    are of interest. status: what it ends with when nothing fails. slow: a few
    faults must do.
    """

    def __init__(self, name, argv, files, outputs=None, stdin=None,
                 stdout=None, prefix_of=None, together=False, environment=None,
                 only=None, status=0, slow=False, afterwards=None):
        self.name, self.argv, self.files = name, argv, files
        self.outputs, self.stdin = outputs or {}, stdin
        self.stdout, self.prefix_of = stdout, prefix_of
        self.together, self.environment = together, environment or {}
        self.only, self.status, self.slow = only, status, slow
        self.afterwards = afterwards

    def may_change(self, name):
        """Is it in the folder of state?"""
        return self.afterwards is not None and \
            name.startswith("state" + os.sep)


class Fixtures:
    """Keys and envelopes that the sound commands made, and those commands."""

    def __init__(self, bin_folder, folder):
        self.bin, self.folder = bin_folder, folder
        self.files = {}
        self.run("e2e-keygen", "-t", "x25519", "--no-passphrase", "-n", "ann",
                 "-o", "ann.key")
        self.run("e2e-keygen", "-t", "rsa2048", "--no-passphrase", "-n", "bob",
                 "-o", "bob.key")
        self.write("word", b"correct horse\n")
        self.write("word2", b"battery staple\n")
        self.run("e2e-keygen", "-t", "x25519", "--passphrase-file", "word",
                 *COST, "-n", "cat", "-o", "cat.key")
        self.write("message", MESSAGE)
        self.write("long", LONG)
        self.run("e2e-seal", "-i", "ann.key", "-r", "./cat.pub", "-o",
                 "one.e2e", "message")
        self.run("e2e-seal", "-i", "bob.key", "-r", "./bob.pub", "-r",
                 "./ann.pub", "--pad", "-a", "-o", "two.e2e", "message")
        self.run("e2e-seal", "-i", "ann.key", "-r", "./ann.pub",
                 "--sign-segments", "-o", "long.e2e", "long")
        self.run("e2e-seal", "-p", "--recipient-passphrase-file", "word",
                 *COST, "-o", "word.e2e", "message")
        self.write("revocation", self.run("e2e-key", "revoke", "ann.key"))
        self.run("e2e-keygen", "-t", "x25519", "--no-passphrase", "-n", "dan",
                 "-o", "dan.key")
        self.run("e2e-wrap-key", "--new", "-i", "ann.key", "-r", "./dan.pub",
                 "-r", "./bob.pub", "-n", "team", "-o", "team.gk")
        self.write("key", self.run("e2e-wrap-key", "-d", "-i", "dan.key",
                                   "team.gk"))
        for name in ("before.e2e", "group.e2e"):
            self.run("e2e-seal", "-i", "ann.key", "-k", "team.gk", "--state",
                     "sent", "--ask-receipt", "-o", name, "message")
        self.run("e2e-open", "-i", "dan.key", "-k", "team.gk", "--state",
                 "state", "before.e2e")
        for name in self.names():
            with open(os.path.join(folder, name), "rb") as f:
                self.files[name] = f.read()

    def names(self):
        """Of all files, below the folder."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.folder)

    def write(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as f:
            f.write(data)
        os.chmod(os.path.join(self.folder, name), 0o600)

    def run(self, command, *argv, stdin=b""):
        return subprocess.run([os.path.join(self.bin, command), *argv],
                              cwd=self.folder, input=stdin, check=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout

    def told(self, command, *argv):
        """(status, the status lines by event) of a sound command."""
        done = subprocess.run([os.path.join(self.bin, command), "--status-fd",
                               "2", *argv], cwd=self.folder, check=False,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
        lines = [json.loads(line) for line in done.stderr.splitlines()
                 if line.startswith(b"{")]
        return done.returncode, {line["event"]: line for line in lines}

    def pick(self, *names, **more):
        files = {name: self.files[name] for name in names}
        files.update(more)
        return files

    def opens(self, key, message):
        """A function: is this an envelope of the message for that key?"""
        def check(data):
            try:
                return self.run("e2e-open", *key, stdin=data) == message
            except subprocess.CalledProcessError:
                return False
        return check

    def shows(self, *words):
        """A function: is this something e2e-key or e2e-contact can read?"""
        def check(data):
            self.write("shown", data)
            try:
                self.run(*words, "./shown")
            except subprocess.CalledProcessError:
                return False
            return True
        return check

    def unlocks(self, word):
        """A function: is this a secret key under that passphrase?"""
        def check(data):
            self.write("shown", data)
            try:
                self.run("e2e-seal", "-i", "shown", "--passphrase-file", word,
                         "-r", "./ann.pub", stdin=b"x")
            except subprocess.CalledProcessError:
                return False
            return True
        return check

    def unwraps(self, owner):
        """A function: is this a key that is wrapped for this one, too?"""
        def check(data):
            self.write("shown", data)
            try:
                return len(self.run("e2e-wrap-key", "-d", "-i",
                                    owner + ".key", "-s", "./ann.pub",
                                    "shown")) == 32
            except subprocess.CalledProcessError:
                return False
        return check

    # ---- what is remembered ----

    def reads_receipt(self, data):
        """Is this a receipt for ann?"""
        try:
            return self.run("e2e-open", "-i", "ann.key", stdin=data) \
                .startswith(b"message: ")
        except subprocess.CalledProcessError:
            return False

    def sent(self, folder, status, left):
        """After sealing: is a number given out twice, or a message forgotten
        of which a receipt will speak?"""
        state = os.path.join(folder, "state")
        seal = ["-i", "ann.key", "-k", "team.gk", "--state", state, "-o",
                "next", "message"]
        code, lines = self.told("e2e-seal", *seal)
        if code != 0:
            return "then e2e-seal ends with %d" % code
        if left.get("out") in (None, OLD):
            return None
        number = lines["sealed"]["sequence"]
        self.write("shown", left["out"])
        code, lines = self.told("e2e-open", "-i", "dan.key", "-k", "team.gk",
                                "--receipt", "receipt", "shown")
        if code != 0 or lines["header"]["sequence"] == number:
            return "gives out number %d twice" % number
        code, lines = self.told("e2e-open", "-i", "ann.key", "--state", state,
                                "receipt")
        if code != 0 or not lines["delivery"]["as_sent"]:
            return "forgets what it has sent"
        return None

    def received(self, folder, status, left):
        """After opening: is it opened twice, or refused and not there?"""
        again, _ = self.told("e2e-open", "-i", "dan.key", "-k", "team.gk",
                             "--state", os.path.join(folder, "state"),
                             "group.e2e")
        if again not in (0, 4):
            return "then e2e-open ends with %d" % again
        if status == 0 and again != 4:
            return "opens it twice"
        if again == 4 and left.get("out") != MESSAGE:
            return "refuses what was never put out"
        return None


def scenarios(f):
    """All of them."""
    secret = f.shows("e2e-key", "show")
    public = f.shows("e2e-contact", "show")
    revocation = lambda data: data.startswith(b"# ") or \
        data.startswith(b"-----BEGIN E2E REVOCATION")
    ann, bob, dan = (["-i", name + ".key"] for name in ("ann", "bob", "dan"))
    contacts = os.path.join("config", "e2e", "contacts")
    pinned = os.path.join(contacts, "ann.pub")
    return [
        Scenario("keygen", ["e2e-keygen", "-t", "x25519", "--no-passphrase",
                            "-n", "new", "-o", "new.key"], {},
                 {"new.key": secret, "new.pub": public,
                  "new.revocation": revocation}, together=True),
        Scenario("keygen rsa to a pipe",
                 ["e2e-keygen", "-t", "rsa2048", "--passphrase-file", "word",
                  *COST], f.pick("word"), stdout=secret, slow=True),
        Scenario("seal a file",
                 ["e2e-seal", *ann, "-r", "./cat.pub", "-o", "out",
                  "message"],
                 f.pick("ann.key", "cat.pub", "message", out=OLD),
                 {"out": f.opens(["-i", "cat.key", "--passphrase-file",
                                  "word"], MESSAGE)}),
        Scenario("seal a file without unnamed files",
                 ["e2e-seal", *ann, "-r", "./ann.pub", "-o", "out",
                  "message"],
                 f.pick("ann.key", "ann.pub", "message", out=OLD),
                 {"out": f.opens(ann, MESSAGE)},
                 environment={"E2E_FAULT_NAMED": "yes"}),
        Scenario("seal a pipe for several",
                 ["e2e-seal", *bob, "-r", "./bob.pub", "-r", "./ann.pub",
                  "-p", "--recipient-passphrase-file", "word", *COST,
                  "--hide-recipients", "--pad", "-a"],
                 f.pick("bob.key", "bob.pub", "ann.pub", "word"),
                 stdin=MESSAGE, stdout=f.opens(bob, MESSAGE)),
        Scenario("seal with threads",
                 ["e2e-seal", *ann, "-r", "./bob.pub", "-r", "./ann.pub",
                  "-j", "3", "-o", "out", "long"],
                 f.pick("ann.key", "ann.pub", "bob.pub", "long"),
                 {"out": f.opens(ann, LONG)},
                 only={"thread", "alloc", "crypto", "write", "read"}),
        Scenario("open a file",
                 ["e2e-open", "-i", "cat.key", "--passphrase-file", "word",
                  "-s", "./ann.pub", "-o", "out", "one.e2e"],
                 f.pick("cat.key", "word", "ann.pub", "one.e2e", out=OLD),
                 {"out": lambda data: data == MESSAGE}),
        Scenario("open a padded pipe",
                 ["e2e-open", *bob, "-s", "./bob.pub"],
                 f.pick("bob.key", "bob.pub"), stdin=f.files["two.e2e"],
                 stdout=lambda data: data == MESSAGE, prefix_of=MESSAGE),
        Scenario("open several segments",
                 ["e2e-open", *ann, "-j", "1"], f.pick("ann.key"),
                 stdin=f.files["long.e2e"],
                 stdout=lambda data: data == LONG, prefix_of=LONG),
        Scenario("open with threads",
                 ["e2e-open", *ann, "-j", "3", "-o", "out", "long.e2e"],
                 f.pick("ann.key", "long.e2e"),
                 {"out": lambda data: data == LONG},
                 only={"thread", "alloc", "crypto", "write", "read"}),
        Scenario("open under a passphrase",
                 ["e2e-open", "-p", "--recipient-passphrase-file", "word",
                  "-o", "out", "word.e2e"],
                 f.pick("word", "word.e2e"),
                 {"out": lambda data: data == MESSAGE}),
        Scenario("inspect", ["e2e-inspect", "--json", "one.e2e"],
                 f.pick("one.e2e"), stdout=lambda data: data[:1] == b"{"),
        Scenario("change a passphrase",
                 ["e2e-key", "passwd", "--passphrase-file", "word",
                  "--new-passphrase-file", "word2", *COST, "cat.key"],
                 f.pick("cat.key", "word", "word2"),
                 {"cat.key": f.unlocks("word2")}),
        Scenario("rotate a key", ["e2e-key", "rotate", "ann.key"],
                 f.pick("ann.key", "ann.pub"),
                 {"ann.key": secret,
                  "ann.pub": lambda data: public(data) and
                  data != f.files["ann.pub"]}),
        Scenario("open, and keep the sender's card",
                 ["e2e-open", *bob, "--sender-card", "card", "-o", "out",
                  "two.e2e"], f.pick("bob.key", "two.e2e"),
                 {"out": lambda data: data == MESSAGE,
                  "card": lambda data: data == f.files["bob.pub"]}),
        Scenario("revoke a key", ["e2e-key", "revoke", "ann.key"],
                 f.pick("ann.key"), stdout=revocation),
        Scenario("pin a contact", ["e2e-contact", "pin", "./ann.pub"],
                 f.pick("ann.pub"), {pinned: public}),
        Scenario("take in a revocation",
                 ["e2e-contact", "pin", "revocation"],
                 {"revocation": f.files["revocation"],
                  pinned: f.files["ann.pub"]},
                 {os.path.join(contacts, "ann.revoked"):
                  lambda data: data == f.files["revocation"]}),
        Scenario("refuse a revoked sender",
                 ["e2e-open", "-i", "cat.key", "--passphrase-file", "word",
                  "--known", "-o", "out", "one.e2e"],
                 {**f.pick("cat.key", "word", "one.e2e", out=OLD),
                  pinned: f.files["ann.pub"],
                  os.path.join(contacts, "ann.revoked"):
                  f.files["revocation"]}, {"out": lambda data: False},
                 status=3),
        Scenario("wrap a new key",
                 ["e2e-wrap-key", "--new", *ann, "-r", "./dan.pub", "-n",
                  "team", "-o", "new.gk"], f.pick("ann.key", "dan.pub"),
                 {"new.gk": f.unwraps("dan")}),
        Scenario("wrap a key that is given", ["e2e-wrap-key", *ann, "-r",
                                              "./dan.pub", "-a"],
                 f.pick("ann.key", "dan.pub"), stdin=f.files["key"],
                 stdout=f.unwraps("dan")),
        Scenario("unwrap a key",
                 ["e2e-wrap-key", "-d", *dan, "-s", "./ann.pub", "-o", "new",
                  "team.gk"], f.pick("dan.key", "ann.pub", "team.gk"),
                 {"new": lambda data: data == f.files["key"]}),
        Scenario("tell of a wrapped key",
                 ["e2e-wrap-key", "--show", *dan, "team.gk"],
                 f.pick("dan.key", "team.gk"),
                 stdout=lambda data: data.startswith(b"recipients: 3\n")),
        Scenario("remove a member of a group",
                 ["e2e-wrap-key", "--remove", "./bob.pub", "-r", "./dan.pub",
                  *ann, "-o", "new.gk", "team.gk"],
                 f.pick("ann.key", "bob.pub", "dan.pub", "team.gk"),
                 {"new.gk": lambda data: f.unwraps("dan")(data) and
                  not f.unwraps("bob")(data)}),
        Scenario("rewrap a file",
                 ["e2e-rewrap", *ann, "-r", "./dan.pub", "-o", "out",
                  "long.e2e"],
                 f.pick("ann.key", "dan.pub", "long.e2e", out=OLD),
                 {"out": f.opens([*dan, "-s", "./ann.pub", "--forwarded"],
                                 LONG)}),
        Scenario("rewrap a pipe for a group, and sign",
                 ["e2e-rewrap", *ann, "--sign", "--to-group", "team.gk", "-a"],
                 f.pick("ann.key", "team.gk"), stdin=f.files["two.e2e"],
                 stdout=f.opens([*dan, "-k", "team.gk"], MESSAGE)),
        Scenario("seal for a group, and remember",
                 ["e2e-seal", *ann, "-k", "team.gk", "--state", "state",
                  "--ask-receipt", "-o", "out", "message"],
                 f.pick("ann.key", "team.gk", "message", out=OLD),
                 {"out": f.opens([*dan, "-k", "team.gk"], MESSAGE)},
                 afterwards=f.sent),
        Scenario("open from a group, remember, and write a receipt",
                 ["e2e-open", *dan, "-k", "team.gk", "--state", "state",
                  "--receipt", "receipt", "-o", "out", "group.e2e"],
                 {**f.pick("dan.key", "team.gk", "group.e2e", out=OLD),
                  **{name: f.files[name] for name in f.files
                     if name.startswith("state" + os.sep)}},
                 {"out": lambda data: data == MESSAGE,
                  "receipt": f.reads_receipt},
                 afterwards=f.received),
    ]
