"""What rewrapping, many messages at once, and remembering cost: e2e-rewrap
beside cat, e2e-open -d beside as many starts of e2e-open, --state beside
none."""

import os
import shutil

from common import (BIN, MIB, NULL, RUNS, SMALL, SMALL_RUNS, WAYS, WORK,
                    Result, Tool, measure, median, plain, ratio, run, say,
                    timed)

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "1000"))
LOCKED = int(os.environ.get("BENCH_LOCKED_MESSAGES", "10"))
OPEN = [BIN / "e2e-open", "-i", WORK / "curve.key", "-s",
        WORK / "curve-sender.pub"]
SEAL = [BIN / "e2e-seal", "-i", WORK / "curve-sender.key", "-r",
        WORK / "curve.pub"]


def fresh(name):
    """An empty folder."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


# ---- e2e-rewrap ----

def rewrapping(page):
    say(f"e2e-rewrap, {MIB} MiB")
    data, sealed = WORK / "data", WORK / "sealed"
    with data.open("wb") as f:
        for _ in range(MIB):
            f.write(os.urandom(1 << 20))
    run(BIN / "e2e-seal", "-r", WORK / "curve.pub", "-o", sealed, data)
    data.unlink()
    rewrap = [BIN / "e2e-rewrap", "-i", WORK / "curve.key", "-r",
              WORK / "curve-sender.pub"]
    run(*rewrap, "-o", WORK / "rewrapped", sealed)
    run(BIN / "e2e-open", "-i", WORK / "curve-sender.key", "-o", data,
        WORK / "rewrapped")
    for path in (data, WORK / "rewrapped"):
        path.unlink()
    chosen = {"rewrap": Tool("e2e-rewrap", plain(*rewrap), None),
              "cat": Tool("cat", plain("cat"), None)}
    rows = []
    for way in ("null", "redirect", "pipe"):
        r = measure(chosen, "seal", way, lambda _: str(sealed), RUNS)
        rows.append([WAYS[way], f"{median(r['rewrap'].wall):.2f}",
                     f"{median(r['cat'].wall):.2f}",
                     f"{ratio(r, 'cat', 'rewrap'):.2f}",
                     f"{max(r['rewrap'].memory):.1f}"])
    sealed.unlink()
    page.add("", f"### Rewrapping, {MIB} MiB", "", "Seconds, the median of "
             "all rounds; how many times as long as `cat`, the median over "
             "the rounds.")
    page.table(["way", "e2e-rewrap, s", "cat, s", "times as long",
                "memory, MiB"], rows)


# ---- many messages ----

def make_messages(count):
    """So many numbered ones, each in a file, and all in one."""
    folder, data = fresh("messages"), WORK / "small"
    sent = fresh("sent")
    paths = [folder / f"{i:06}.e2e" for i in range(count)]
    for path in paths:
        run(*SEAL, "--state", sent, "-o", path, data)
    with (WORK / "sequence").open("wb") as f:
        for path in paths:
            f.write(path.read_bytes())
    return folder


def starts(argv, folder, out):
    """A start for each message, as a shell does it."""
    return ["sh", "-c", 'messages=$1 out=$2; shift 2; '
            'for m in "$messages"/*; do '
            '"$@" -o "$out/${m##*/}" "$m" || exit 1; done', "sh", folder, out,
            *argv]


def at_once(argv, _, out):
    """One for all."""
    return [*argv, "-d", out, WORK / "sequence"]


def compare(ways, folder, count):
    """name -> result; the commands take turns, each with new folders."""
    results = {name: Result() for name in ways}
    for _ in range(RUNS):
        for name, (make, argv, state) in ways.items():
            out = fresh("opened")
            more = ["--state", fresh("received")] if state else []
            line = make([*argv, *more], folder, out)
            results[name].add(timed("file", NULL, NULL,
                                    [str(a) for a in line]))
            if len(list(out.iterdir())) != count:
                raise SystemExit(f"bench: {name} did not open all")
    return results


def table(page, results, rows):
    """One of seconds, and how many times as long the starts take."""
    page.table(["", "one `e2e-open -d`, s", "a start for each, s",
                "times as long"], [
        [title, f"{median(results[once].wall):.3f}",
         f"{median(results[each].wall):.3f}",
         f"{ratio(results, once, each):.2f}"] for title, once, each in rows])


def sequence(page):
    say(f"{MESSAGES} messages")
    folder = make_messages(MESSAGES)
    results = compare({
        "once": (at_once, OPEN, False), "each": (starts, OPEN, False),
        "once-state": (at_once, OPEN, True),
        "each-state": (starts, OPEN, True)}, folder, MESSAGES)
    page.add("", f"### {MESSAGES} messages of {SMALL} bytes", "", "Each goes "
             "to a file of its own, which is flushed; the key has no "
             "passphrase.")
    table(page, results, [("nothing is remembered", "once", "each"),
                          ("with --state", "once-state", "each-state")])
    page.add("", "Remembering takes "
             f"{ratio(results, 'once', 'once-state'):.2f} times as long with "
             f"one command, {ratio(results, 'each', 'each-state'):.2f} with a "
             "start for each.")


def locked_sequence(page):
    say(f"{LOCKED} messages, and a key under a passphrase")
    folder = make_messages(LOCKED)
    word, key = WORK / "word", WORK / "locked.key"
    word.write_text("correct horse battery staple\n")
    word.chmod(0o600)
    shutil.copy(WORK / "curve.key", key)
    key.chmod(0o600)
    run(BIN / "e2e-key", "passwd", "--new-passphrase-file", word, key)
    argv = [BIN / "e2e-open", "-i", key, "--passphrase-file", word, "-s",
            WORK / "curve-sender.pub"]
    results = compare({"once": (at_once, argv, False),
                       "each": (starts, argv, False)}, folder, LOCKED)
    page.add("", f"### {LOCKED} messages, the key under a passphrase", "",
             "Argon2id at the cost that e2e-keygen chooses.")
    table(page, results, [("nothing is remembered", "once", "each")])


# ---- --state ----

def remembering(page):
    say(f"{SMALL} bytes, with and without --state")
    data = WORK / "small"
    sent, received = fresh("sent"), fresh("received")
    messages = fresh("messages")
    for i in range(SMALL_RUNS + 1):
        run(*SEAL, "--state", sent, "-o", messages / str(i), data)
    run(*OPEN, "--state", received, messages / "0")
    waiting = iter(range(1, SMALL_RUNS + 1))

    def message(name):
        return str(messages / str(next(waiting) if name == "state" else 0))
    chosen = {"none": Tool("signed", plain(*SEAL), plain(*OPEN)),
              "state": Tool("signed, with --state",
                            plain(*SEAL, "--state", sent),
                            plain(*OPEN, "--state", received))}
    results = {
        "seal": measure(chosen, "seal", "null", lambda _: str(data),
                        SMALL_RUNS),
        "open": measure(chosen, "open", "null", message, SMALL_RUNS)}
    page.add("", f"### {SMALL} bytes, and remembering", "", "Milliseconds, "
             "from file to /dev/null. A number is one transaction, a message "
             "that is opened two; each waits for the disk.")
    page.table(["", "seal", "open", "memory, MiB"], [
        [tool.name, f"{median(results['seal'][name].wall) * 1000:.2f}",
         f"{median(results['open'][name].wall) * 1000:.2f}",
         f"{max(results['open'][name].memory):.1f}"]
        for name, tool in chosen.items()])
    page.table(["", "seal", "open"], [
        ["with --state, times as long",
         f"{ratio(results['seal'], 'none', 'state'):.2f}",
         f"{ratio(results['open'], 'none', 'state'):.2f}"]])
