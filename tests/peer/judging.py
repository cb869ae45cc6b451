"""Deliberately wrong files through the commands: what they say, and what they
let out. Used by the suites that run the cases of hostile.py.
"""

import hashlib
import os
import time

import hostile
from cases.base import KINDS, People
from e2epeer import labels as L
from e2epeer.armor import fingerprint
from e2epeer.errors import MALFORMED, NOT_AUTHENTIC, Failure
from e2epeer.opening import inspect, open_envelope, open_header, released
from harness import Commands


def told(opened):
    """What the command writes of a receipt, in the place of its data."""
    message, _, _ = opened.receipt.what
    return ("message: %s\narrived: %s\nat: %s\nas sent: not known here\n" % (
        message.hex(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(opened.receipt.claims[L.IAT])),
        fingerprint(opened.sender))).encode()


def progress(data, reader):
    """(did the header open, what of the data may come out) by the peer."""
    pieces = []
    try:
        header = open_header(data, reader)
    except Failure:
        return False, b""
    if header.metadata.claims.get(L.MEDIA_TYPE) == L.MEDIA_DELIVERY:
        try:
            return True, told(open_envelope(data, reader))
        except Failure:
            return True, b""
    try:
        for piece in released(header):
            pieces.append(piece)
    except Failure:
        pass
    return True, b"".join(pieces)


class Hostile:
    """All kinds of cases that `build` makes, written to a folder."""

    def __init__(self, folder, build=hostile.build, folders=hostile.FOLDERS):
        self.commands = Commands(folder)
        self.people = People(os.path.join(folder, "keys"))
        self.kinds = build(self.people)
        hostile.save_all(folder, self.kinds, folders)
        self.configs = {}

    def file(self, *parts):
        """A path below the folder."""
        return os.path.join(self.commands.folder, *parts)

    def config(self, known):
        """A configuration in which these are pinned."""
        name = "config-" + "-".join(known)
        if name not in self.configs:
            for who in known:
                line = self.kinds[0].lines[who]
                self.commands.write("%s/e2e/contacts/%s.pub" % (name, who), line + b"\n")
            self.configs[name] = self.file(name)
        return self.configs[name]

    def secret_arg(self, option, text):
        """[option, file with this passphrase]."""
        if text is None:
            return []
        name = "pw-" + hashlib.sha256(text.encode()).hexdigest()[:8]
        return [option, self.commands.write(name, text.encode())]

    def arguments(self, expect):
        """The arguments of e2e-open for one case."""
        who, sender = expect.get("key", "bob"), expect.get("from")
        args = ["-i", self.file("keys", who + ".key")] if who else []
        args += self.secret_arg("--recipient-passphrase-file", expect.get("passphrase"))
        for name in expect.get("groups", ()):
            args += ["-k", self.file("team", name + ".key")]
        args += ["--old-epoch"] * expect.get("old_epoch", False)
        args += ["--forwarded"] * expect.get("forwarded", False)
        if sender == "any" and "known" in expect:
            return args + ["--known"]
        if sender is not None:
            for name in KINDS if sender == "any" else [sender]:
                args += ["-s", self.file("keys", name + ".pub")]
        return args

    def open_both(self, args, path, data, expect, config):
        """Complaints about opening one file, in all ways."""
        reader = hostile.reader_for(self.people, self.kinds[0].lines, expect,
                                    self.kinds[0].teams)
        opened, prefix = progress(data, reader)
        want, wrong = expect["status"], []
        out = self.file("out")

        def judge(how, result, released_data, may_release):
            if result.status != want:
                wrong.append("%s: %r, not %d" % (how, result, want))
            if not result.clean:
                wrong.append("%s: control characters: %r" % (how, result.err))
            if want == 0 and hashlib.sha256(released_data).hexdigest() != \
                    hashlib.sha256(prefix).hexdigest():
                wrong.append("%s: other data" % how)
            if want != 0 and not (prefix if may_release else b"").startswith(released_data):
                wrong.append("%s: released %d bytes" % (how, len(released_data)))
            if want != 0 and not result.err:
                wrong.append("%s: no word of explanation" % how)

        result = self.commands.run("open", *args, "-o", out, path, config=config)
        made = os.path.exists(out)
        judge("-o", result, self.commands.read("out") if made else b"", False)
        if made != (want == 0):
            wrong.append("-o: there is %s" % ("a file" if made else "none"))
        if made:
            os.unlink(out)
        if result.out:
            wrong.append("-o: %d bytes on standard output" % len(result.out))
        result = self.commands.run("open", *args, data=data, config=config)
        judge("pipe", result, result.out, opened)
        if opened and want in (NOT_AUTHENTIC, MALFORMED):
            # Where the end can be seen beforehand, nothing of a file that is
            # cut off or goes on is released.
            result = self.commands.run("open", *args, path, config=config)
            judge("file", result, result.out, inspect(data) == (0, 1))
        return wrong

    def inspect_both(self, path, data):
        """Complaints about inspecting one file."""
        want, headers = inspect(data)
        wrong = []
        for how, result in (("file", self.commands.run("inspect", path)),
                            ("pipe", self.commands.run("inspect", "--json", data=data))):
            if result.status != want or (want and not result.err):
                wrong.append("inspect %s: %r, not %d" % (how, result, want))
            if not headers and result.out:
                wrong.append("inspect %s: said something" % how)
            if not result.clean:
                wrong.append("inspect %s: control characters" % how)
        return wrong
