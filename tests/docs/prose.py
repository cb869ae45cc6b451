"""Paths, links, headings and words in the documents."""
import glob
import os
import re

PATH = re.compile(r"`((?:lib|cmd|include|tests|docs|man|completions|\.ci)/"
                  r"[A-Za-z0-9_./*{},-]*|README\.md|Makefile)`")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
ERROR_CODE = re.compile(r"\b(?:frame_put_error|session_fail|refuse|"
                        r"end_question)\(\w+,\s*\"([a-z]+)\"")
GOAWAY = re.compile(r"goaway\(([^;{]*);")

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
    """The section numbers of docs/FORMAT.md or docs/PROTOCOL.md."""
    return set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", text, re.M))


def dead_sections(sources, headings, page="FORMAT"):
    """References such as (docs/FORMAT.md, 7.4) to sections that are not;
    between the documents also without folder and ending."""
    bad = []
    for path, text in sources:
        text = re.sub(r"\s*\n[\s*#/]*", " ", text)
        for part in re.findall(r"\b" + page + r"(?:\.md)?, (?:sections? )?"
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
    if len(rows) < 30 or rows != list(range(1, len(rows) + 1)):
        bad.append(f"the rows are {rows}")
    return bad


# ---- docs/PROTOCOL.md and the code ----

def table_after(text, heading):
    """The rows of cells of the first table under a heading."""
    rows = []
    for line in text[text.index("\n" + heading + "\n"):].splitlines()[2:]:
        if line.startswith("#"):
            break
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


def enum_of(header, first):
    """The names of an enum that begins with `first`, without their prefix,
    in order."""
    body = re.search(r"enum \w+ \{[^}]*?\b(" + first + r"\b[^}]*)\}", header,
                     re.S)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    return [name.split("_", 1)[1] for name in
            re.findall(r"\b[A-Z]+_[A-Z_]+\b", body)]


def frame_differences(protocol, header):
    """Types and names of the frames, in the table and in frame.h."""
    shown = [(int(row[0]), row[2]) for row in
             table_after(protocol, "### 4.2 Table")]
    known = list(enumerate(enum_of(header, "FRAME_HELLO"), 1))
    return [f"the page has {row}" for row in shown if row not in known] + \
        [f"frame.h has {row}" for row in known if row not in shown]


def two_sets(section, shown, said):
    return [f"{section} has {word}, the code never says it"
            for word in sorted(shown - said)] + \
        [f"{section} has no {word}" for word in sorted(said - shown)]


def code_differences(protocol, receipt, sources):
    """Codes of lines and errors, in the tables and in the code."""
    lines = [row[0] for row in table_after(protocol, "### 3.3 Codes")]
    known = [name.lower() for name in enum_of(receipt, "RECEIPT_OK")[1:]]
    bad = [f"3.3 has {code}" for code in lines if code not in known]
    bad += [f"receipt.h has {code}" for code in known if code not in lines]
    whole = "\n".join(sources)
    errors = {code for row in table_after(protocol, "### 10.2 ERROR")
              for code in row[0].split(", ")}
    reasons = {row[0] for row in table_after(protocol, "### 10.3 GOAWAY")}
    said = {reason for call in GOAWAY.findall(whole)
            for reason in re.findall(r"\"([^\"]+)\"", call)}
    return bad + two_sets("10.2", errors, set(ERROR_CODE.findall(whole))) + \
        two_sets("10.3", reasons, said)
