"""What every table of bench is made with: commands, how they are timed, and
the page."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

WORK = Path(os.environ["BENCH_WORK"])
BIN = Path(os.environ["BIN"])
BUILD = Path(os.environ["BUILD"])
MIB = int(os.environ.get("BENCH_MIB", "1024"))
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
SMALL_RUNS = int(os.environ.get("BENCH_SMALL_RUNS", "50"))
SMALL = 100
NULL = "/dev/null"

# How bytes come and go.
WAYS = {
    "null": "file to /dev/null",
    "redirect": "file to file, by `>`",
    "file": "file to file, by `-o`",
    "pipe": "pipe to pipe",
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*argv, **kwargs):
    return subprocess.run([str(a) for a in argv], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          **kwargs).stdout


# ---- the tools: how each is told to read and write ----

class Tool:
    def __init__(self, name, seal, open_):
        self.name, self.seal, self.open = name, seal, open_

    def argv(self, operation, source, target):
        make = self.seal if operation == "seal" else self.open
        return [str(a) for a in make(source, target)]


def plain(*argv):
    """COMMAND [-o TARGET] [SOURCE], as ours and age's."""
    def make(source, target):
        return [*argv, *(["-o", target] if target else []),
                *([source] if source else [])]
    return make


# ---- measuring ----

class Result:
    """What the runs of one command took."""

    def __init__(self):
        self.wall, self.cpu, self.memory = [], [], []

    def add(self, line):
        wall, user, system, memory, _ = line
        self.wall.append(wall / 1e9)
        self.cpu.append((user + system) / 1e6)
        self.memory.append(memory / 1024)


def timed(mode, source, target, argv):
    out = run(WORK / "timer", mode, source, target, *argv)
    numbers = [int(n) for n in out.split()]
    if numbers[4] != 0:
        raise SystemExit(f"bench: status {numbers[4]}: {' '.join(argv)}")
    return numbers


def once(tool, operation, way, source, target):
    if way == "pipe":
        return timed("pipe", source, NULL, tool.argv(operation, None, None))
    if way == "file":
        return timed("file", NULL, NULL,
                     tool.argv(operation, source, target))
    return timed("file", NULL, target if way == "redirect" else NULL,
                 tool.argv(operation, source, None))


def measure(chosen, operation, way, source_of, runs):
    """One after the other, again and again: whatever disturbs the machine
    disturbs all of them."""
    results = {name: Result() for name in chosen}
    target = str(WORK / "out")
    for _ in range(runs):
        for name, tool in chosen.items():
            Path(target).unlink(missing_ok=True)
            results[name].add(once(tool, operation, way, source_of(name),
                                   target))
    Path(target).unlink(missing_ok=True)
    return results


def ratio(results, ours, theirs):
    """How many times as fast as the other: the median over the rounds."""
    return statistics.median(t / o for o, t in zip(results[ours].wall,
                                                   results[theirs].wall))


def median(values):
    return statistics.median(values)


def check(chosen, data, sealed):
    """Seals for what follows, and opens once to see that it is right."""
    for name, tool in chosen.items():
        timed("file", NULL, NULL, tool.argv("seal", str(data), str(sealed(name))))
        timed("file", NULL, NULL, tool.argv("open", str(sealed(name)),
                                            str(WORK / "out")))
        run("cmp", data, WORK / "out")
        (WORK / "out").unlink()


# ---- the page ----

class Page:
    def __init__(self):
        self.lines = []

    def add(self, *lines):
        self.lines.extend(lines)
        for line in lines:
            print(line, flush=True)

    def table(self, head, rows):
        self.add("", "| " + " | ".join(head) + " |",
                 "|" + "---|" * len(head))
        for row in rows:
            self.add("| " + " | ".join(row) + " |")
