"""For suites that set the commands against the peer: TAP, and running them."""

import os
import subprocess
import traceback

STRANGE = 99        # exit status of a sanitizer's report, unlike all of ours


class Tap:
    """Prints numbered results."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, detail=""):
        """One result."""
        self.count += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, name), flush=True)
        if not good and detail:
            for line in str(detail).split("\n"):
                print("# " + line)

    def equal(self, got, want, name):
        """One comparison."""
        self.ok(got == want, name, "got  %r\nwant %r" % (got, want))

    def run(self, function, *args):
        """A group; an exception in it is a failure."""
        try:
            function(self, *args)
        except Exception:  # any mistake is a failed test
            self.ok(False, function.__name__, traceback.format_exc())

    def end(self):
        """The plan; returns the exit status."""
        print("1..%d" % self.count)
        return 1 if self.failed else 0


class Result:
    """What a command left behind."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        # Status 1 is ours to give: a sanitizer must not be taken for it.
        if b"Sanitizer" in self.err or b"runtime error:" in self.err:
            self.status = STRANGE

    @property
    def clean(self):
        """Nothing on standard error that a terminal would obey."""
        return not any(c < 32 and c != 10 or c == 127 for c in self.err)

    def __repr__(self):
        return "status %d, %d bytes out, %s" % (
            self.status, len(self.out), self.err.decode("utf-8", "replace").strip())


class Commands:
    """The commands under test, with a home of their own below `folder`."""

    def __init__(self, folder):
        self.bin = os.environ["BIN"]
        self.folder = folder
        self.config = os.path.join(folder, "config")

    def run(self, name, *args, data=None, config=None, fds=()):
        """Runs e2e-NAME; data is piped in, else standard input is empty."""
        env = dict(os.environ, XDG_CONFIG_HOME=config or self.config,
                   HOME=self.folder, XDG_STATE_HOME=os.path.join(self.folder, "state"))
        for sanitizer in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            env[sanitizer] = "exitcode=%d:%s" % (STRANGE, env.get(sanitizer, ""))
        stdin = {"stdin": subprocess.DEVNULL} if data is None else {"input": data}
        return Result(subprocess.run(
            [os.path.join(self.bin, "e2e-" + name), *map(os.fspath, args)], env=env,
            cwd=self.folder, capture_output=True, check=False, pass_fds=fds, **stdin))

    def path(self, name):
        """A name below the folder."""
        return os.path.join(self.folder, name)

    def write(self, name, data, mode=0o600):
        """A file below the folder; its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as f:
            f.write(data)
        return path

    def read(self, name):
        """All bytes of a file below the folder."""
        with open(self.path(name), "rb") as f:
            return f.read()
