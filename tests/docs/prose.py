"""Paths, links, headings and words in the documents."""
import glob
import os
import re

PATH = re.compile(r"`((?:lib|cmd|include|tests|docs|man|completions|\.ci)/"
                  r"[A-Za-z0-9_./*{},-]*|README\.md|Makefile)`")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")

# Whole words. What is unfinished, what sells, what is spelled the other way.
WORDS = """
TODO FIXME XXX HACK TBD lorem
blazing blazingly seamless seamlessly effortless effortlessly powerful
revolutionary cutting-edge state-of-the-art military-grade bank-grade
unbreakable bulletproof world-class leverage leverages utilize utilizes
simply easily
behaviour colour favour honour licence grey centre catalogue whilst
recognise recognised recognises initialise initialised authorise organise
serialise serialised normalise normalised minimise cancelled cancelling
travelled travelling labelled labelling
""".split()
FORBIDDEN = re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, WORDS)) +
                       r")(?![\w-])|/home/\w+/", re.I)


def without_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def expand(pattern):
    """a.{c,h} as a.c and a.h; NAME stands for any."""
    pattern = pattern.replace("NAME", "*")
    match = re.search(r"\{([^}]*)\}", pattern)
    if not match:
        return [pattern]
    return [pattern[:match.start()] + part + pattern[match.end():]
            for part in match[1].split(",")]


def missing_paths(root, text):
    return [f"no such path: {path}"
            for pattern in PATH.findall(text) for path in expand(pattern)
            if not glob.glob(os.path.join(root, path))]


def anchors(text):
    """The anchors that the headings of a Markdown text get."""
    found = []
    for line in without_code(text).splitlines():
        if match := re.match(r"^#+ (.*)$", line):
            slug = re.sub(r"[^\w\- ]", "", match[1].lower()).replace(" ", "-")
            while slug in found:
                slug += "-1"
            found.append(slug)
    return found


def dead_links(path, text):
    bad = []
    for target in LINK.findall(without_code(text)):
        if re.match(r"^[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = os.path.join(os.path.dirname(path), name) if name else path
        if not os.path.exists(file):
            bad.append(f"dead link: {target}")
        elif anchor and anchor not in anchors(
                read(file) if name else text):
            bad.append(f"no such heading: {target}")
    return bad


def forbidden_words(text):
    return [f"line {number}: {match[0]}"
            for number, line in enumerate(text.splitlines(), 1)
            for match in [FORBIDDEN.search(line)] if match]


def numbered_headings(text):
    """The section numbers of docs/FORMAT.md."""
    return set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", text, re.M))


def dead_sections(sources, headings):
    """References such as (docs/FORMAT.md, 7.4) to sections that are not."""
    bad = []
    for path, text in sources:
        text = re.sub(r"\s*\n[\s*#/]*", " ", text)
        for part in re.findall(r"docs/FORMAT\.md, (?:sections? )?"
                               r"((?:\d+(?:\.\d+)?(?:, | and | to )?)+)",
                               text):
            for number in re.findall(r"\d+(?:\.\d+)?", part):
                if number not in headings:
                    bad.append(f"{path}: no section {number}")
    return bad


def structure(text):
    """The files that 'Code structure' of docs/DESIGN.md lists."""
    found, folder = [], None
    inside = False
    for line in text.splitlines():
        if line.startswith("## "):
            inside = line == "## Code structure"
        elif inside and (match := re.match(r"^### `([^`]+/)`", line)):
            folder = match[1]
        elif inside and folder and line.startswith("- `"):
            head = line.split(":")[0]
            found += [folder + name for name in re.findall(r"`([^`]+)`", head)]
    return found


def structure_differences(text, files):
    listed = structure(text)
    bad = [f"not listed: {f}" for f in files if f not in listed]
    bad += [f"listed, and not there: {f}" for f in listed if f not in files]
    return bad + [f"listed twice: {f}" for f in sorted(set(listed))
                  if listed.count(f) > 1]


def pitfall_tests(root, text):
    """Tests that the table of docs/SECURITY.md names and that are not."""
    bad = []
    for path, name in re.findall(r"`(tests/[\w./-]+):([^`]+)`", text):
        file = os.path.join(root, path)
        if not os.path.exists(file):
            bad.append(f"no such test file: {path}")
        elif name not in read(file):
            bad.append(f"{path} has no test {name!r}")
    rows = [int(n) for n in re.findall(r"^\| (\d+) \|", text, re.M)]
    if rows != list(range(1, 31)):
        bad.append(f"the rows are {rows}")
    return bad
