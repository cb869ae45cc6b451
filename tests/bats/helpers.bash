# Shared by the scenarios: a fresh folder with keys for each test, and ways to
# say what a command has to give.
#
# Each file makes its keys once, in setup_file; each test gets copies of them
# in its own folder, which is also the working folder, HOME and the place of
# the contacts. Nothing is written elsewhere.
bats_require_minimum_version 1.5.0

ROOT=${ROOT:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
BIN=${BIN:-$ROOT/build/bin}
PYTHON=/usr/bin/python3
PEER=$ROOT/tests/peer/peer.py
export ROOT BIN
export LC_ALL=C.UTF-8 TZ=UTC PYTHONDONTWRITEBYTECODE=1

# The least that the format allows: these tests are not about the cost.
CHEAP="--kdf-memory 8192 --kdf-passes 1 --kdf-lanes 1"

# Every command and subcommand, for what must hold for each of them.
COMMANDS=(e2e-keygen e2e-seal e2e-open e2e-inspect e2e-key e2e-contact
	e2e-wrap-key e2e-rewrap e2e-send e2e-fetch e2e-directory e2e-relayd)
SUBCOMMANDS=("e2e-key pub" "e2e-key show" "e2e-key passwd" "e2e-key rotate"
	"e2e-key revoke" "e2e-key unlock" "e2e-key lock" "e2e-contact pin"
	"e2e-contact list" "e2e-contact unpin" "e2e-contact show"
	"e2e-contact verify" "e2e-directory register" "e2e-directory lookup"
	"e2e-directory revoke")

# An e2e-open that refuses too little (tests/fault/heedless.c): scenarios have
# to notice.
HEEDLESS=${BUILD:-$ROOT/build}/tests/fault/heedless

# people NAME...: unprotected x25519 keys; NAME:TYPE makes another type.
people() {
	local who
	PATH=$BIN:$PATH
	mkdir -p "$BATS_FILE_TMPDIR/keys"
	for who in "$@"; do
		(cd "$BATS_FILE_TMPDIR/keys" && e2e-keygen -q \
			-t "$(case $who in *:*) echo "${who#*:}" ;; *) echo x25519 ;; esac)" \
			-n "${who%:*}" --no-passphrase -o "${who%:*}.key") || return
	done
}

# The beginning of every test.
stage() {
	PATH=$BIN:$PATH
	cd "$BATS_TEST_TMPDIR" || return
	export HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home/config
	export XDG_STATE_HOME=$PWD/home/state
	mkdir home
	if [ -d "$BATS_FILE_TMPDIR/keys" ]; then
		cp -p "$BATS_FILE_TMPDIR"/keys/* .
	fi
	umask 022
}

# gives STATUS COMMAND...: standard output is kept in the file `out`, standard
# error in `err`, and the exit status must be this one.
gives() {
	local want=$1 got=0
	shift
	"$@" >out 2>err || got=$?
	[ "$got" -eq "$want" ] && return 0
	echo "status $got, not $want: $*"
	sed 's/^/stderr: /' err
	return 1
}

# no COMMAND...: a plain `!` would not fail a test.
no() {
	if "$@"; then
		echo "should have failed: $*"
		return 1
	fi
}

same() {
	cmp -- "$1" "$2"
}

empty() {
	[ ! -s "$1" ] && return 0
	echo "$1 is not empty:"
	head -c 300 "$1"
	return 1
}

absent() {
	local path
	for path in "$@"; do
		if [ -e "$path" ] || [ -L "$path" ]; then
			echo "$path should not be there"
			return 1
		fi
	done
}

# says TEXT [FILE]: the text (not a pattern) stands in err, or in FILE.
says() {
	grep -qF -- "$1" "${2:-err}" && return 0
	echo "${2:-err} does not say: $1"
	sed 's/^/  /' "${2:-err}"
	return 1
}

silent() {
	no grep -qF -- "$1" "${2:-err}"
}

# One line of explanation, perhaps with hints, each by the command itself.
explained() {
	local errors
	errors=$(grep -c '^e2e-[a-z-]*: error: ' err)
	if [ "$errors" -ne 1 ] || grep -qv '^e2e-[a-z-]*: ' err; then
		echo "not one line of explanation:"
		sed 's/^/  /' err
		return 1
	fi
}

mode_of() {
	stat -c %a -- "$1"
}

# No temporaries, also hidden ones, in DIR.
tidy() {
	local left
	left=$(find "${1:-.}" -maxdepth 1 -name '.*' ! -name . ! -name ..)
	[ -z "$left" ] && return 0
	echo "left behind: $left"
	return 1
}

# bytes N: the same N bytes each time; they do not compress and are no text.
bytes() {
	"$PYTHON" -c '
import random, sys
sys.stdout.buffer.write(random.Random(7).randbytes(int(sys.argv[1])))' "$1"
}

# Nothing in FILE can move a cursor, hide text or forge a line: UTF-8, no
# control characters but newline, no bidirectional controls, and every line
# begins as the command's own do when a PREFIX is given.
harmless() {
	"$PYTHON" - "$@" <<-'END'
	import sys, unicodedata
	text = open(sys.argv[1], "rb").read().decode("utf-8")
	bidi = {0x61c, 0x200e, 0x200f, *range(0x202a, 0x202f), *range(0x2066, 0x206a)}
	bad = {c for c in text if c != "\n" and unicodedata.category(c) == "Cc"
	       or ord(c) in bidi or ord(c) in (0x2028, 0x2029)}
	if bad:
	    sys.exit("%s: unescaped %s" % (sys.argv[1], sorted(map(hex, map(ord, bad)))))
	for line in text.splitlines() if len(sys.argv) > 2 else ():
	    if not line.startswith(sys.argv[2]):
	        sys.exit("%s: a line of its own: %r" % (sys.argv[1], line))
	END
}

# json FILE EXPRESSION: true of the JSON lines of FILE, as the list `all`; each
# line by the name of its event, too.
json() {
	"$PYTHON" - "$@" <<-'END'
	import json, sys
	all = [json.loads(line) for line in open(sys.argv[1], encoding="ascii")]
	names = {e["event"]: e for e in all if "event" in e}
	if not eval(sys.argv[2], {"all": all, **names}):
	    sys.exit("not so: %s of %s" % (sys.argv[2], all))
	END
}

# Python with the independent implementation at hand; the program is read from
# standard input.
peer_python() {
	PYTHONPATH=$ROOT/tests/peer "$PYTHON" - "$@"
}

peer() {
	"$PYTHON" "$PEER" "$@"
}

# without_terminal COMMAND...: even when a person runs the tests on one.
without_terminal() {
	setsid -w "$@"
}

# flipped FILE OFFSET: the same with one bit changed there; an offset below
# zero counts from the end.
flipped() {
	"$PYTHON" - "$@" <<-'END'
	import sys
	a = bytearray(open(sys.argv[1], "rb").read())
	a[int(sys.argv[2])] ^= 1
	sys.stdout.buffer.write(a)
	END
}

# prints STATUS COMMAND: what it writes to a terminal is kept in `shown`.
prints() {
	local got=0
	script -qec "$2" /dev/null </dev/null >shown 3>&- || got=$?
	[ "$got" -eq "$1" ] && return 0
	echo "status $got, not $1: $2"
	cat -v shown
	return 1
}

# to_nobody COMMAND...: standard output is a pipe that nobody reads any more.
to_nobody() {
	"$PYTHON" -c '
import os, signal, sys
r, w = os.pipe()
os.close(r)
os.dup2(w, 1)
os.close(w)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

# ordinary COMMAND...: permissions count, for root as well.
ordinary() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --bounding-set=-dac_override,-dac_read_search "$@"
	else
		"$@"
	fi
}

is_asan() {
	nm "$BIN/e2e-open" 2>/dev/null | grep -q __asan
}

# within MIB COMMAND...: with no more memory than this. AddressSanitizer keeps
# terabytes of addresses for itself; there the memory in use is measured, less
# what it needs for its own work.
within() {
	local mib=$1
	shift
	if ! is_asan; then
		(ulimit -v $((mib * 1024)) && exec "$@")
		return
	fi
	"$PYTHON" -c '
import os, resource, subprocess, sys
child = subprocess.run(sys.argv[2:], close_fds=False)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
if used > int(sys.argv[1]) + 192:
    sys.exit("used %d MiB" % used)
sys.exit(child.returncode if child.returncode >= 0 else 128 - child.returncode)' "$mib" "$@"
}

# Not killed by a signal, not a failed allocation or an internal error: what a
# file that is no such file deserves.
judged() {
	local got=0
	"$@" >out 2>err || got=$?
	case $got in
	1 | 2 | 5 | 6) return 0 ;;
	esac
	echo "status $got: $*"
	cat err
	return 1
}
