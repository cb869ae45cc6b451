"""What the commands say about themselves, and what their man pages say.

Two readers, one for --help and one for mdoc, bring both to the same form;
compare() lists where they differ.
"""
import re
import subprocess

HELP = re.compile(r"^ +(?:-(\w), )?--([a-z0-9-]+)(?: (\S+))?(?:  +.*)?$")
MACRO = re.compile(r"^#define ((?:KEY_)?OPTIONS?_\w+) \\\n((?:.*\\\n)*.*\n)", re.M)
ROW = re.compile(r"\{\s*([^,{}]+),\s*\"([a-z0-9-]+)\",\s*"
                 r"(NULL|\"[^\"]*\"(?:\s*\"[^\"]*\")*),|\b((?:KEY_)?OPTIONS?_[A-Z_]+)\b")
TABLE = re.compile(r"struct option_spec \w+\[\] = \{\n(.*?)\n\};", re.S)
# Rows of e2e-relayd that are made from a table of limits.
LIMITS = re.compile(r"\} limits\[\] = \{\n(.*?)\n\};", re.S)
LIMIT = re.compile(r"\{ \"([a-z-]+)\", \"(\w+)\"")
NAME = re.compile(r"struct command (?:\w+) = \{\s*\"([^\"]+)\"")


def output_of(words):
    return subprocess.run(words, check=True, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL).stdout


def synopsis_form(line):
    """One spelling for what differs only in case and spaces."""
    line = re.sub(r"\s+", " ", line.strip().lower())
    line = re.sub(r" ?\| ?", "|", line)
    return re.sub(r" ?\.\.\.", "...", line)


# ---- --help ----

class Help:
    """usage lines, subcommands, and options as (letter, name, argument)."""

    def __init__(self, text):
        self.usage, self.subcommands, self.options = [], [], []
        section = ""
        for line in text.splitlines():
            usage = re.match(r"^(?:usage:|      ) (e2e-.*)$", line)
            if usage and section == "":
                self.usage.append(synopsis_form(usage[1]))
            elif re.match(r"^[a-z ]+:$", line):
                section = line
            elif section == "subcommands:" and line.startswith("  "):
                self.subcommands.append(line.split()[0])
            elif match := HELP.match(line):
                self.options.append(match.groups())


def help_of(binary, word=None):
    return Help(output_of([binary] + ([word] if word else []) + ["--help"]))


# ---- the tables in the source ----

def table_rows(body, macros):
    rows = []
    for ident, name, argument, macro in ROW.findall(body):
        if macro and macro in macros:
            rows += table_rows(macros[macro], macros)
        elif name:
            letter = ident.strip().strip("'") if "'" in ident else None
            words = "".join(re.findall(r"\"([^\"]*)\"", argument)) or None
            rows.append((letter, name, words))
    return rows


def tables_of(sources, headers):
    """{command: its rows} of the option tables in these texts."""
    macros = {}
    for text in headers:
        for name, body in MACRO.findall(text):
            macros[name] = body
    limits = [(None, name, argument) for text in sources
              for table in LIMITS.findall(text)
              for name, argument in LIMIT.findall(table)]
    found = {}
    for text in sources:
        tables, name = TABLE.findall(text), NAME.search(text)
        if tables and name:
            found[name[1]] = [row for table in tables
                              for row in table_rows(table, macros)]
            if "limits_options(" in text:
                found[name[1]] += limits
    return found


# ---- mdoc ----

def option_of(line):
    """'.It Fl o , Fl -output Ar file' as (letter, name, argument)."""
    words = line.split()[1:]
    letter = name = None
    argument, kind = "", ""
    for word in words:
        if word in ("Fl", "Ar", "Cm"):
            kind = word
        elif kind == "Fl" and word.startswith("-"):
            name = word[1:]
        elif kind == "Fl" and word != ",":
            letter = word
        elif word != ",":
            argument += word
    return letter, name, argument.upper() or None


class Man:
    """Sections of one mdoc page: {title: lines}; .Ss under 'Sh/Ss'."""

    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as f:
            self.lines = f.read().splitlines()
        self.sections = {}
        section = sub = ""
        for line in self.lines:
            if line.startswith(".Sh "):
                section, sub = line[4:], ""
            elif line.startswith(".Ss "):
                sub = line[4:]
            key = section + ("/" + sub if sub else "")
            self.sections.setdefault(key, []).append(line)

    def options(self, section, whole=True):
        """Options in a section, and in its subsections when whole."""
        found = []
        for key, lines in self.sections.items():
            if key == section or whole and key.startswith(section + "/"):
                found += [option_of(line) for line in lines
                          if line.startswith(".It Fl ")]
        return found

    def statuses(self):
        """[(number, text)] of EXIT STATUS."""
        found = []
        for line in self.sections.get("EXIT STATUS", []):
            if match := re.match(r"^\.It (\d+)$", line):
                found.append([int(match[1]), ""])
            elif line.startswith(".El"):
                break
            elif found and not line.startswith("."):
                found[-1][1] += (" " if found[-1][1] else "") + line
        return [tuple(row) for row in found]

    def synopsis(self):
        """Lines of SYNOPSIS and those displayed under SUBCOMMANDS."""
        text = output_of(["mandoc", "-T", "ascii", "-O", "width=400",
                          self.path])
        text = re.sub(".\b", "", text)
        found, section = [], ""
        for line in text.splitlines():
            if line and not line.startswith(" "):
                section = line
            elif section in ("SYNOPSIS", "SUBCOMMANDS") and \
                    re.match(r"^ +e2e-\S+", line) and "." != line[-1:]:
                found.append(synopsis_form(line))
        return found

    def blocks(self):
        """Displays marked runnable, each a list of commands."""
        return list(self._displays(True))

    def displays(self):
        """All displays of literal text, marked or not."""
        return list(self._displays(False))

    def _displays(self, marked_only):
        i = 0
        while i < len(self.lines):
            line = self.lines[i]
            if line.startswith(".Bd -literal"):
                marked = i > 0 and self.lines[i - 1] == '.\\" run'
                end = self.lines.index(".Ed", i)
                text = [part.replace("\\e", "\\").replace("\\&", "")
                        for part in self.lines[i + 1:end]]
                if marked or not marked_only:
                    yield text
                i = end
            i += 1

    def references(self):
        return re.findall(r"\bXr (\S+) (\d)", "\n".join(self.lines))


def defaults(binary, man):
    """Complaints about defaults that --help and the page tell differently."""
    text = output_of([binary, "--help"])
    bad = []
    for name, value in re.findall(r"--([a-z-]+) .*\(default: ([^) /]+)\)", text):
        for i, line in enumerate(man.lines):
            if not re.match(rf"^\.It .*Fl -{name}\b( |$)", line):
                continue
            item = man.lines[i:i + 30]
            end = [k for k, other in enumerate(item) if k > 0 and
                   other.startswith((".It", ".El"))][0]
            told = re.search(r"default(?:: (?:Cm )?| is\n\.Ql )(\S+)",
                             "\n".join(item[:end]))
            if not told or told[1] != value:
                bad.append(f"--{name}: {value} by --help, "
                           f"{told[1] if told else 'not told'} on the page")
    return bad


def lint(path):
    """What mandoc complains about, style aside."""
    run = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path],
                         capture_output=True, text=True, check=False)
    return (run.stdout + run.stderr).splitlines()


def differences(what, left, right):
    """Complaints about two lists that should be the same, in any order."""
    bad = []
    for row in left:
        if row not in right:
            bad.append(f"{what}: the command has {row}, the page has not")
    for row in right:
        if row not in left:
            bad.append(f"{what}: the page has {row}, the command has not")
        if right.count(row) > 1:
            bad.append(f"{what}: {row} is there more than once")
    return bad


def upper(options):
    return [(letter, name, argument and argument.upper())
            for letter, name, argument in options]


def compare(binary, man):
    """Where a page and its command differ in options and synopsis."""
    top = help_of(binary)
    name = top.usage[0].split()[0]
    usage = list(top.usage)
    bad = []
    if not top.subcommands:
        bad += differences(name, upper(top.options), man.options("OPTIONS"))
    else:
        common = man.options("OPTIONS")
        bad += differences(name, upper(top.options), common)
        for word in top.subcommands:
            sub = help_of(binary, word)
            usage += sub.usage
            bad += differences(f"{name} {word}", upper(sub.options),
                               man.options("SUBCOMMANDS/" + word) + common)
        listed = [key.split("/")[1] for key in man.sections
                  if key.startswith("SUBCOMMANDS/")]
        bad += differences(f"{name}: subcommands", top.subcommands, listed)
    return bad + differences(f"{name}: synopsis", usage, man.synopsis())
