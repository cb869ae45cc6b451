"""A home of its own with keys, contacts and envelopes, to run examples in."""
import base64
import os
import re
import shutil
import signal
import subprocess
import tempfile

FIXTURE = r"""
umask 022
mkdir -p "$XDG_CONFIG_HOME/e2e" photos inbox drop done refused outbox
chmod 700 "$XDG_CONFIG_HOME/e2e"
for who in "alice x25519" "bob rsa2048" "carol x25519"; do
    set -- $who
    e2e-keygen -q -t $2 -n $1 --no-passphrase -o $1.key
done
cp alice.key "$XDG_CONFIG_HOME/e2e/identity.key"
e2e-contact pin -q alice ./alice.pub
e2e-contact pin -q bob ./bob.pub
cat bob.pub carol.pub > team.pub
e2e-wrap-key --new -n team -r bob -r ./carol.pub -o team.1
e2e-wrap-key --remove bob -q -r ./carol.pub -o later.2 team.1
echo 'Dear Bob, the weather is fine.' > letter.txt
echo one > photos/1; echo two > photos/2
(umask 077; echo 'correct horse battery staple' > passphrase; echo no > other
    head -c 5000 /dev/zero | tr '\0' x > long)
cp passphrase open-passphrase; chmod 644 open-passphrase
e2e-keygen -q -t x25519 -n locked --passphrase-file passphrase \
    --kdf-memory 8192 --kdf-passes 1 -o locked.key
e2e-seal -r bob letter.txt > letter.e2e
e2e-seal -r alice -i bob.key letter.txt > answer.e2e
e2e-seal -r alice -i bob.key letter.txt > drop/1.e2e
e2e-seal -r alice letter.txt > drop/2.e2e
cat answer.e2e drop/1.e2e > mailbox.e2e
e2e-seal -p --passphrase-file passphrase letter.txt > shared.e2e
e2e-seal -r bob --expire 1s letter.txt > expired.e2e
e2e-seal -k team.1 -i alice.key letter.txt > group.e2e
echo junk > junk; (umask 077; echo junk > junk.key)
relay
e2e-directory register -q -i alice.key unix:relay.sock
e2e-directory register -q -i bob.key unix:relay.sock
e2e-send unix:relay.sock letter.e2e answer.e2e
cp letter.e2e outbox/1.e2e
kill $relay_pid; wait $relay_pid
rm -f relay.sock relay.log
"""

# Starts a relay on relay.sock and waits until it is ready; it ends with the
# script. What is appended are options. relay.log is what it says.
RELAY = r"""
relay() {
    local try
    for try in {1..100}; do
        rm -f relay.log     # of one before, which was ready, too
        e2e-relayd --store store --unix relay.sock "$@" 2>relay.log &
        relay_pid=$!
        until grep -q '^ready ' relay.log; do
            if ! kill -0 $relay_pid 2>/dev/null; then
                # One that was killed is not gone at once.
                grep -q 'another relay' relay.log || break 2
                sleep 0.1
                continue 2
            fi
            sleep 0.05
        done
        return 0
    done
    cat relay.log
    return 1
}
"""

# The cost label of a passphrase recipient (-65613), and 256 MiB.
COST = bytes.fromhex("3a0001004c1a00040000")
BEYOND = bytes.fromhex("3a0001004c1a40000000")
# The list of recipients that begins with it: of one, and of 1025.
ONE_RECIPIENT = bytes.fromhex("818340")
TOO_MANY = bytes.fromhex("9904018340")


def spoil_last(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def card_of(path):
    with open(path, encoding="ascii") as f:
        text = f.read().split()[1]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def hostile_files(folder):
    """What no command makes."""
    def path(name):
        return os.path.join(folder, name)

    bad = spoil_last(card_of(path("carol.pub")))
    with open(path("altered.pub"), "w", encoding="ascii") as f:
        text = base64.urlsafe_b64encode(bad).decode().rstrip("=")
        f.write(f"e2e-pub1 {text} carol\n")
    with open(path("carol.key"), encoding="ascii") as f:
        body = re.search(r"KEY-----\n(.*?)-----END", f.read(), re.S)[1]
    data = base64.b64decode(body)
    data = data.replace(card_of(path("carol.pub")), bad)
    text = base64.b64encode(data).decode()
    with open(path("altered.key"), "w", encoding="ascii") as f:
        os.chmod(path("altered.key"), 0o600)
        f.write("-----BEGIN E2E SECRET KEY-----\n")
        for i in range(0, len(text), 64):
            f.write(text[i:i + 64] + "\n")
        f.write("-----END E2E SECRET KEY-----\n")
    with open(path("letter.e2e"), "rb") as f:
        letter = f.read()
    with open(path("altered.e2e"), "wb") as f:
        f.write(letter[:-2] + bytes([letter[-2] ^ 1]) + letter[-1:])
    with open(path("short.e2e"), "wb") as f:
        f.write(letter[:-3])
    os.mkdir(path("emptied"))
    with open(path("emptied/format"), "w", encoding="ascii") as f:
        f.write("e2e state 1\n")
    with open(path("shared.e2e"), "rb") as f:
        shared = f.read()
    with open(path("costly.e2e"), "wb") as f:
        f.write(shared.replace(COST, BEYOND))
    with open(path("crowded.e2e"), "wb") as f:
        f.write(shared.replace(ONE_RECIPIENT, TOO_MANY))


class Sandbox:
    """A folder that is made once and copied for each use."""

    def __init__(self, folder, binaries):
        self.folder = folder
        self.model = os.path.join(folder, "model")
        self.binaries = binaries
        self.count = 0
        self.groups = []

    def environment(self, home):
        kept = {k: v for k, v in os.environ.items()
                if k.startswith(("ASAN_", "UBSAN_", "LSAN_", "LC_", "LANG"))}
        return dict(kept, HOME=home, XDG_CONFIG_HOME=home + "/.config",
                    XDG_STATE_HOME=home + "/.state", TZ="UTC",
                    PATH=self.binaries + ":" + os.environ["PATH"])

    def make(self):
        os.mkdir(self.model)
        status, output = self.run(FIXTURE, self.model)
        if status != 0:
            raise RuntimeError("the fixture failed: " + output)
        hostile_files(self.model)

    def fresh(self, empty=False):
        self.count += 1
        home = os.path.join(self.folder, f"home{self.count}")
        if empty:
            os.mkdir(home)
        else:
            shutil.copytree(self.model, home, symlinks=True)
        return home

    def run(self, script, home, fail_early=True, keep=False):
        """(status, standard output and error) without any terminal. What
        the script left running ends with it; with keep, in finish()."""
        lead = RELAY + ("set -e -o pipefail\n" if fail_early else "")
        with tempfile.TemporaryFile() as output:
            with subprocess.Popen(["bash", "-c", lead + script], cwd=home,
                                  env=self.environment(home),
                                  stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT,
                                  start_new_session=True) as shell:
                try:
                    status = shell.wait(timeout=120)
                finally:
                    self.groups.append(shell.pid)
                    if not keep:
                        self.finish()
            output.seek(0)
            return status, output.read().decode(errors="replace")

    def finish(self):
        """Ends what is still running of the scripts so far."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.groups.clear()


def commands_of(lines):
    """'$ a' or '# a' begins a command, '> b' goes on with it; the rest is
    output."""
    found = []
    for line in lines:
        if line.startswith(("$ ", "# ")):
            found.append([line[2:], []])
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        elif found:
            found[-1][1].append(line)
    return [(script, output) for script, output in found]


def run_block(sandbox, home, lines):
    """Complaints about commands that do not end with 0. What they call
    relay.example is the relay on relay.sock."""
    script = "\n".join(text for text, _ in commands_of(lines))
    if not script:
        return ["a block without a command: " + " ".join(lines)]
    if "relay.example" in script:
        script = "relay\n" + script.replace("relay.example 7733",
                                            "-U relay.sock")
        script = script.replace("relay.example", "unix:relay.sock")
    status, output = sandbox.run(script, home)
    if status == 0:
        return []
    return [f"status {status}: {script}", output]


def settled(text):
    """What differs from run to run, out of the way."""
    text = re.sub(r"\b[a-z2-7]{4}(-[a-z2-7]{4}){12}\b", "FINGERPRINT", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "MESSAGE-ID", text)
    text = re.sub(r"^OK [\w-]{43} ", "OK ENVELOPE-ID ", text)
    return re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)


def run_shown(sandbox, home, lines):
    """The same, and the output has to be what is shown below each. What one
    command leaves running is there for the next."""
    try:
        return compare_shown(sandbox, home, lines)
    finally:
        sandbox.finish()


def compare_shown(sandbox, home, lines):
    bad = []
    for script, shown in commands_of(lines):
        status, output = sandbox.run(script, home, fail_early=False,
                                     keep=True)
        expected = [line for line in shown if line]
        got = [line for line in output.splitlines() if line]
        if "[status" in (expected[-1] if expected else ""):
            wanted = int(re.search(r"\d+", expected.pop())[0])
        else:
            wanted = 0
        if status != wanted:
            bad.append(f"status {status}, not {wanted}: {script}")
        if [settled(x) for x in expected] != [settled(x) for x in got]:
            bad.append(f"another output: {script}")
            bad += ["  got: " + line for line in got]
    return bad
