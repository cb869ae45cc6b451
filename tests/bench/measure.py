"""Everything that bench measures; called by tests/bench/bench."""

import os
import platform
from pathlib import Path

import filters
from common import (BIN, BUILD, MIB, NULL, RUNS, SMALL, SMALL_RUNS, WAYS,
                    WORK, Page, Tool, check, measure, median, plain, ratio,
                    run, say)

MANY = int(os.environ.get("BENCH_RECIPIENTS", "1000"))


# ---- the tools: how each is told to read and write ----

def gpg(*argv):
    def make(source, target):
        return ["gpg", "--batch", "--yes", "--quiet", "--no-tty",
                "--trust-model", "always", "--pinentry-mode", "loopback",
                *argv, "-o", target or "-", *([source] if source else [])]
    return make


def cms(*argv):
    def make(source, target):
        return ["openssl", "cms", *argv, *(["-in", source] if source else []),
                *(["-out", target] if target else [])]
    return make


def make_keys():
    say("making keys")
    for name, kind in (("sender", "rsa2048"), ("rsa", "rsa2048"),
                       ("rsa2", "rsa2048"), ("rsa3", "rsa2048"),
                       ("curve", "x25519"), ("curve-sender", "x25519")):
        run(BIN / "e2e-keygen", "-t", kind, "--no-passphrase", "-n", name,
            "-o", WORK / f"{name}.key")
    run("age-keygen", "-o", WORK / "age.key")
    for name in ("sender", "one", "two", "three"):
        run("gpg", "--batch", "--gen-key", input=(
            "%no-protection\nKey-Type: RSA\nKey-Length: 2048\n"
            "Key-Usage: sign\nSubkey-Type: RSA\nSubkey-Length: 2048\n"
            f"Subkey-Usage: encrypt\nName-Real: {name}\n"
            f"Name-Email: {name}@example.org\n%commit\n").encode())
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
        "30", "-subj", "/CN=bench", "-keyout", WORK / "cms.key", "-out",
        WORK / "cms.pem")


def tools():
    age_recipient = run("age-keygen", "-y", WORK / "age.key").decode().strip()
    seal, open_ = BIN / "e2e-seal", BIN / "e2e-open"

    def key(name):
        return WORK / f"{name}.key"

    def pub(name):
        return WORK / f"{name}.pub"

    return {
        "curve": Tool("e2e, X25519", plain(seal, "-r", pub("curve")),
                      plain(open_, "-i", key("curve"))),
        "rsa": Tool("e2e, RSA-2048", plain(seal, "-r", pub("rsa")),
                    plain(open_, "-i", key("rsa"))),
        "curve-signed": Tool(
            "e2e, X25519, signed",
            plain(seal, "-i", key("curve-sender"), "-r", pub("curve")),
            plain(open_, "-i", key("curve"), "-s", pub("curve-sender"))),
        "signed": Tool(
            "e2e, RSA-2048, signed",
            plain(seal, "-i", key("sender"), "-r", pub("rsa")),
            plain(open_, "-i", key("rsa"), "-s", pub("sender"))),
        "signed3": Tool(
            "e2e, RSA-2048, signed for three",
            plain(seal, "-i", key("sender"), "-r", pub("rsa"), "-r",
                  pub("rsa2"), "-r", pub("rsa3")),
            plain(open_, "-i", key("rsa"), "-s", pub("sender"))),
        "age": Tool("age, X25519", plain("age", "-r", age_recipient),
                    plain("age", "-d", "-i", key("age"))),
        "gpg": Tool("gpg -z0 -e, RSA-2048",
                    gpg("-z0", "-e", "-r", "one@example.org"), gpg("-d")),
        "gpg-signed": Tool(
            "gpg -z0 -s -e, RSA-2048",
            gpg("-z0", "-s", "-u", "sender@example.org", "-e", "-r",
                "one@example.org"), gpg("-d")),
        "gpg-signed3": Tool(
            "gpg -z0 -s -e for three",
            gpg("-z0", "-s", "-u", "sender@example.org", "-e", "-r",
                "one@example.org", "-r", "two@example.org", "-r",
                "three@example.org"), gpg("-d")),
        "cms": Tool(
            "openssl cms, RSA-2048",
            cms("-encrypt", "-binary", "-stream", "-aes-256-gcm", "-outform",
                "DER", "-recip", WORK / "cms.pem", "-keyopt",
                "rsa_padding_mode:oaep"),
            cms("-decrypt", "-binary", "-inform", "DER", "-recip",
                WORK / "cms.pem", "-inkey", WORK / "cms.key")),
    }


# Ours, and whom it is compared with.
PAIRS = [("curve", "age"), ("rsa", "gpg"), ("rsa", "cms"),
         ("signed", "gpg-signed"), ("signed3", "gpg-signed3")]
LARGE = ["curve", "age", "rsa", "gpg", "cms", "signed", "gpg-signed",
         "signed3", "gpg-signed3"]
LITTLE = ["curve", "age", "rsa", "gpg", "cms", "curve-signed", "signed",
          "gpg-signed"]
LITTLE_PAIRS = [("curve", "age"), ("curve-signed", "age"), ("rsa", "gpg"),
                ("rsa", "cms"), ("signed", "gpg-signed")]


# ---- the tables ----

def the_machine(page):
    model = "unknown"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    system = run("df", "--output=fstype", WORK).decode().split()[-1]

    def first(*argv):
        return run(*argv).decode().splitlines()[0].strip()
    page.table(["", ""], [
        ["machine", f"{os.cpu_count()} processors, {model}"],
        ["system", f"{platform.system()} {platform.release()}"],
        ["file system", system],
        ["e2e", first(BIN / "e2e-seal", "--version")],
        ["age", first("age", "--version")],
        ["gpg", first("gpg", "--version")],
        ["openssl", first("openssl", "version")],
        ["large file", f"{MIB} MiB, {RUNS} rounds"],
        ["small message", f"{SMALL} bytes, {SMALL_RUNS} rounds"],
    ])


def large(page, every):
    say(f"{MIB} MiB of data")
    data = WORK / "data"
    with data.open("wb") as f:
        for _ in range(MIB):
            f.write(os.urandom(1 << 20))
    chosen = {name: every[name] for name in LARGE}

    results = {}
    sealed = {name: WORK / f"sealed-{name}" for name in chosen}
    baseline = Tool("cat", lambda *_: ["cat"], lambda *_: ["cat"])
    # Few sealed files at a time: the disk may be small.
    for ours, theirs in PAIRS:
        pair = {name: chosen[name] for name in (ours, theirs)}
        check(pair, data, sealed.get)
        for operation in ("seal", "open"):
            for way in WAYS:
                say(f"  {operation}, {WAYS[way]}: "
                    f"{chosen[ours].name} and {chosen[theirs].name}")
                source = (lambda _: str(data)) if operation == "seal" else (
                    lambda name: str(sealed[name]))
                results[ours, theirs, operation, way] = measure(
                    pair, operation, way, source, RUNS)
        for name in pair:
            sealed[name].unlink()
    pipe = measure({"cat": baseline}, "seal", "pipe", lambda _: str(data),
                   RUNS)["cat"]
    data.unlink()

    page.add("", f"### {MIB} MiB", "",
             "Seconds, the median of all rounds; the last column is how many "
             "times as fast as the other, the median over the rounds.")
    page.table(
        ["ours", "", "way", "s", "the other", "s", "times"],
        [[chosen[ours].name, operation, WAYS[way],
          f"{median(r[ours].wall):.2f}", chosen[theirs].name,
          f"{median(r[theirs].wall):.2f}", f"{ratio(r, ours, theirs):.2f}"]
         for (ours, theirs, operation, way), r in results.items()])
    page.add("", f"The pipes alone (`cat | cat | cat`): "
             f"{median(pipe.wall):.2f} s.")

    page.add("", "### Peak memory", "", f"MiB, at {MIB} MiB from file to "
             "/dev/null.")
    rows = []
    for name in chosen:
        row = [chosen[name].name]
        for operation in ("seal", "open"):
            found = [max(r[name].memory) for (o, t, op, way), r in
                     results.items() if op == operation and way == "null"
                     and name in (o, t)]
            row.append(f"{max(found):.1f}")
        rows.append(row)
    page.table(["", "seal", "open"], rows)
    return results, pipe


def small(page, every):
    say(f"{SMALL} bytes")
    data = WORK / "small"
    data.write_bytes(os.urandom(SMALL))
    chosen = {name: every[name] for name in LITTLE}
    check(chosen, data, lambda name: WORK / f"small-{name}")
    results = {
        "seal": measure(chosen, "seal", "null", lambda _: str(data),
                        SMALL_RUNS),
        "open": measure(chosen, "open", "null",
                        lambda name: str(WORK / f"small-{name}"), SMALL_RUNS),
    }
    page.add("", f"### {SMALL} bytes", "", "Milliseconds of the whole "
             "process, from file to /dev/null, the median of all rounds.")
    page.table(["", "seal", "open", "memory, MiB"], [
        [chosen[name].name,
         f"{median(results['seal'][name].wall) * 1000:.2f}",
         f"{median(results['open'][name].wall) * 1000:.2f}",
         f"{max(results['open'][name].memory):.1f}"] for name in chosen])
    page.table(["ours", "the other", "seal, times", "open, times"], [
        [chosen[ours].name, chosen[theirs].name,
         f"{ratio(results['seal'], ours, theirs):.2f}",
         f"{ratio(results['open'], ours, theirs):.2f}"]
        for ours, theirs in LITTLE_PAIRS])
    return results


def many(page):
    say(f"{MANY} recipients")
    folder = WORK / "many"
    folder.mkdir()
    ours, theirs = [], []
    for i in range(MANY):
        run(BIN / "e2e-keygen", "-t", "x25519", "--no-passphrase", "-o",
            folder / f"{i}.key")
        ours.append((folder / f"{i}.pub").read_text())
        theirs.append(run("age-keygen", "-o", folder / f"{i}.age") or b"")
    (WORK / "many.pub").write_text("".join(ours))
    (WORK / "many.age").write_bytes(b"".join(
        run("age-keygen", "-y", folder / f"{i}.age") for i in range(MANY)))
    last = MANY - 1
    seal = [BIN / "e2e-seal", "-R", WORK / "many.pub"]
    open_ = plain(BIN / "e2e-open", "-i", folder / f"{last}.key")
    chosen = {
        "e2e": Tool("e2e, X25519", plain(*seal), open_),
        "age": Tool("age, X25519", plain("age", "-R", WORK / "many.age"),
                    plain("age", "-d", "-i", folder / f"{last}.age")),
        "hidden": Tool("e2e, X25519, hidden",
                       plain(*seal, "--hide-recipients"), open_),
    }
    data = WORK / "small"
    runs = max(5, SMALL_RUNS // 2)
    check(chosen, data, lambda name: WORK / f"many-{name}")
    results = {
        "seal": measure(chosen, "seal", "null", lambda _: str(data), runs),
        "open": measure(chosen, "open", "null",
                        lambda name: str(WORK / f"many-{name}"), runs),
    }
    page.add("", f"### {MANY} recipients", "", f"Milliseconds; {SMALL} "
             "bytes, opened by the last recipient.")
    page.table(["", "seal", "open", "memory seal, MiB", "memory open, MiB"], [
        [chosen[name].name,
         f"{median(results['seal'][name].wall) * 1000:.1f}",
         f"{median(results['open'][name].wall) * 1000:.1f}",
         f"{max(results['seal'][name].memory):.1f}",
         f"{max(results['open'][name].memory):.1f}"] for name in chosen])
    return results


def goals(page, big, pipe, little, lot):
    def times(ours, theirs, operation, way="null"):
        return ratio(big[ours, theirs, operation, way], ours, theirs)

    def through(operation):
        wall = big["curve", "age", operation, "pipe"]["curve"].wall
        return median(wall) / median(pipe.wall)

    memory = max(max(r[name].memory) for (ours, _, _, way), r in big.items()
                 for name in r if name == ours)
    rows = [
        ["seal, times as fast as age", "3.4 (floor 3)",
         f"{times('curve', 'age', 'seal'):.2f}"],
        ["open, times as fast as age", "4.5 (floor 4)",
         f"{times('curve', 'age', 'open'):.2f}"],
        ["seal through pipes, of the time of the pipes alone", "about 1",
         f"{through('seal'):.2f}"],
        ["open through pipes, of the time of the pipes alone", "about 1",
         f"{through('open'):.2f}"],
        ["signed for three, times as fast as gpg -s -e -z0: seal", "4",
         f"{times('signed3', 'gpg-signed3', 'seal'):.2f}"],
        ["the same: open", "4",
         f"{times('signed3', 'gpg-signed3', 'open'):.2f}"],
        [f"{SMALL} bytes: seal, ms, ours and age's", "less",
         f"{median(little['seal']['curve'].wall) * 1000:.2f} and "
         f"{median(little['seal']['age'].wall) * 1000:.2f}"],
        [f"{SMALL} bytes: open, ms, ours and age's", "less",
         f"{median(little['open']['curve'].wall) * 1000:.2f} and "
         f"{median(little['open']['age'].wall) * 1000:.2f}"],
        [f"{MANY} recipients: open, ms", "60",
         f"{median(lot['open']['e2e'].wall) * 1000:.1f} (hidden: "
         f"{median(lot['open']['hidden'].wall) * 1000:.1f})"],
        ["peak memory, MiB", "32", f"{memory:.1f}"],
    ]
    page.add("", "### Goals", "", "From file to /dev/null where nothing "
             "else is said.")
    page.table(["", "goal", "measured"], rows)


def write(page):
    text = "\n".join(page.lines).strip("\n") + "\n"
    (BUILD / "bench.md").write_text(text)
    say(f"written to {BUILD / 'bench.md'}")
    target = os.environ.get("BENCH_WRITE")
    if not target:
        return
    path = Path(target)
    begin, end = "<!-- measured -->\n", "<!-- end of measured -->\n"
    old = path.read_text() if path.exists() else begin + end
    head, rest = old.split(begin, 1)
    tail = rest.split(end, 1)[1]
    path.write_text(head + begin + "\n" + text + "\n" + end + tail)
    say(f"and into {path}")


def main():
    page = Page()
    make_keys()
    the_machine(page)
    every = tools()
    little = small(page, every)
    lot = many(page)
    filters.remembering(page)
    filters.sequence(page)
    filters.locked_sequence(page)
    big, pipe = large(page, every)
    filters.rewrapping(page)
    goals(page, big, pipe, little, lot)
    write(page)


main()
