#!/usr/bin/env bats
# Files made to do harm: texts that talk to the terminal, lengths that ask for
# all memory, headers that ask for all time, and plain garbage.
load helpers

setup_file() {
	people alice bob
	cd "$BATS_FILE_TMPDIR/keys"
	echo hello >msg
	"$BIN/e2e-seal" -r bob.pub msg >env
	"$BIN/e2e-seal" --recipient-passphrase-fd 5 $CHEAP msg 5<<<x >locked
	"$BIN/e2e-keygen" -q -t x25519 --passphrase-fd 5 $CHEAP -o locked.key 5<<<x
}

setup() {
	stage
}

# An escape sequence, a C1 control as UTF-8, bidirectional controls, line
# ends, DEL, a title change with its bell, and what forges a status line.
EVIL=$'x\e[2J\e]0;owned\a\xc2\x9b31m\xe2\x80\xae\xe2\x81\xa6\r\n\x7f\xe2\x80\xa8{"event":"opened"}\ne2e-open: from alice (pinned)'

# The public key line proper, without the name behind it.
key_only() {
	head -1 "$1" | cut -d' ' -f1,2
}

# eve: somebody whose name is evil, in eve.key and eve.pub.
eve() {
	peer keygen --name "${EVIL:0:40}" --key eve.full --pub eve.line
	key_only eve.line >eve.pub
	# The second implementation repeats the name in comments.
	(umask 077; sed -n '/BEGIN/,$p' eve.full >eve.key)
}

@test "a sender's name with escapes reaches neither terminal nor programs" {
	eve
	peer seal --recipient bob.pub --sender eve.key <msg >sealed
	gives 0 e2e-open -v -i bob.key --status-fd 3 sealed 3>status
	same out msg
	harmless err e2e-open:
	harmless status '{'
	json status '[e["event"] for e in all] == ["header", "opened"]'
	says 'unknown key'
}

@test "file name and media type with escapes, the same" {
	peer seal --recipient bob.pub --sender alice.key --file-name "$EVIL" --type "$EVIL" <msg >sealed
	gives 0 e2e-open -v -i bob.key --status-fd 3 sealed 3>status
	same out msg
	harmless err e2e-open:
	harmless status '{'
	json status '[e["event"] for e in all] == ["header", "opened"]'
	json status 'header["file_name"].startswith("x\x1b[2J") and header["file_name"].endswith("(pinned)")'
	silent 'from alice (pinned)' <(grep -v 'file name\|media type' err)
}

@test "a card's name with escapes: show, pin, list, and errors about it" {
	eve
	gives 0 e2e-contact show eve.pub
	harmless out
	[ "$(grep -c '^name: ' out)" = 1 ]
	gives 64 e2e-contact pin eve.pub
	harmless err e2e-contact
	gives 0 e2e-contact pin eve eve.pub
	harmless err e2e-contact
	gives 0 e2e-contact list
	harmless out
	[ "$(wc -l <out)" = 1 ]
	gives 0 e2e-key show eve.key
	harmless out
	# What is written for others is a line, whatever the name.
	gives 0 e2e-key pub eve.key
	[ "$(wc -l <out)" = 1 ]
	harmless out
	gives 0 e2e-open -q -i bob.key --sender-card got.pub <(peer seal --recipient bob.pub --sender eve.key <msg)
	[ "$(wc -l <got.pub)" = 1 ]
	harmless got.pub
}

@test "names of files with escapes are shown without them" {
	local name=$'a\e[31m\xe2\x80\xae\nb'
	gives 66 e2e-open -i bob.key "$name"
	harmless err e2e-open:
	cp msg "$name"
	gives 5 e2e-open -i bob.key "$name" --status-fd 3 3>status
	harmless err e2e-open:
	harmless status '{'
	gives 66 e2e-seal -r "$name/x" msg
	harmless err e2e-seal:
	gives 64 e2e-seal --reply-to "$name" -r bob.pub msg
	harmless err e2e-seal:
	gives 64 e2e-open "--$name"
	harmless err e2e-open:
	gives 64 e2e-key "$name"
	harmless err e2e-key
	cp -p alice.key "$name"
	gives 0 e2e-key show "$name"
	harmless out
	gives 0 e2e-seal -r bob.pub -i "$name" msg
	harmless err
}

@test "the comment behind a public key is never shown" {
	echo "$(key_only alice.pub) $(printf 'evil \033[31m')" >odd.pub
	gives 0 e2e-contact show odd.pub
	silent evil out
	e2e-contact pin -q ally odd.pub
	gives 0 e2e-contact list
	silent evil out
	harmless home/config/e2e/contacts/ally.pub
}

@test "comments of a key file are not shown" {
	{ printf '# \033[2J evil\n'; cat alice.key; } >odd.key
	chmod 600 odd.key
	gives 0 e2e-key show odd.key
	silent evil out
	harmless out
}

# bombs: files bomb.N, each short or hollow and asking for much.
bombs() {
	"$PYTHON" - <<-'END'
	env = open("env", "rb").read()
	start = bytes.fromhex("da653265319f")
	P = bytes.fromhex("582aa201033a000100405820") + bytes(32)
	iv = bytes.fromhex("a1054c") + bytes(12)
	cut = bytes.fromhex("5820") + bytes(32)
	heads = ["9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff", "7bffffffffffffffff",
	    "9b8000000000000000", "5b8000000000000000", "5b7fffffffffffffff", "9b7fffffffffffffff",
	    "bb4000000000000000", "5affffffff", "9affffffff", "baffffffff", "5a7fffffff", "5a10000000",
	    "9a00ffffff", "5f", "9f", "bf", "7f", "dbffffffffffffffff", "1bffffffffffffffff", "fb7ff0000000000000",
	    "f8ff", "ff", "1c", "3c", "5c", "9e"]
	places = [b"", start, start + b"\xd8\x60", start + b"\xd8\x60\x84", start + b"\xd8\x60\x84" + P,
	    start + b"\xd8\x60\x84" + P + iv, start + b"\xd8\x60\x84" + P + iv + cut,
	    start + b"\xd8\x60\x84" + P + iv + cut + b"\x81",
	    start + b"\xd8\x60\x84" + P + iv + cut + b"\x81\x83\x40",
	    start + b"\xd8\x60\x84" + P + iv + cut + b"\x81\x83\x40\xa2\x01\x38\x28\x04",
	    start + b"\xd8\x60\x84" + P + iv + cut + b"\x81\x83\x40\xa2\x01\x38\x28\x04\x58\x20" + bytes(32),
	    start + b"\xd8\x60\x84" + P + b"\xa1\x05",
	    start + b"\xd8\x60\x84" + P + b"\xa2\x05\x4c" + bytes(12) + bytes.fromhex("3a00010041")]
	n = 0
	for place in places:
	    for head in heads:
	        for tail in (b"", bytes(64)):
	            open("bomb.%d" % n, "wb").write(place + bytes.fromhex(head) + tail)
	            n += 1
	END
}

@test "short files that claim 2^63 bytes or elements: refused, in little memory" {
	local file
	bombs
	[ "$(ls bomb.* | wc -l)" -gt 500 ]
	# A sample: in process, the fuzzers try them all.
	for file in bomb.*[05]; do
		judged within 128 e2e-open -i bob.key "$file"
		empty out
	done
	for file in bomb.*0; do
		judged within 128 e2e-inspect "$file"
		empty out
	done
}

@test "the same bombs on a pipe, where no size can be looked up" {
	local file
	bombs
	for file in bomb.*3; do
		judged within 128 e2e-open -i bob.key <(cat "$file")
		empty out
	done
}

@test "the same bombs inside a card, a key and a revocation" {
	local file
	"$PYTHON" - <<-'END'
	import base64
	heads = ["9bffffffffffffffff", "bbffffffffffffffff", "5b8000000000000000", "5affffffff", "9f", "bf"]
	places = ["", "d284", "d28458", "d28443a10126a0", "82", "8258", "8240d86084", "82"]
	n = 0
	for place in places:
	    for head in heads:
	        raw = bytes.fromhex(place + head)
	        word = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
	        open("bad.%d.pub" % n, "w").write("e2e-pub1 %s\n" % word)
	        for kind, name in ("SECRET KEY", "key"), ("REVOCATION", "rev"):
	            open("bad.%d.%s" % (n, name), "w").write(
	                "-----BEGIN E2E %s-----\n%s\n-----END E2E %s-----\n" % (kind, base64.b64encode(raw).decode(), kind))
	        n += 1
	END
	chmod 600 bad.*.key
	for file in bad.*[0369].pub; do judged within 128 e2e-seal -r "$file" msg; explained; done
	for file in bad.*[0369].key; do judged within 128 e2e-key show "$file"; explained; done
	for file in bad.*[0369].rev; do judged within 128 e2e-contact pin "$file"; explained; done
}

@test "a million levels of nesting: 5, and no stack overflows" {
	"$PYTHON" - <<-'END'
	start = bytes.fromhex("da653265319f")
	P = bytes.fromhex("582aa201033a000100405820") + bytes(32)
	front = start + b"\xd8\x60\x84" + P + bytes.fromhex("a1054c") + bytes(12) + bytes.fromhex("5820") + bytes(32)
	for n, place in enumerate((b"", start, start + b"\xd8\x60\x84" + P, front, front + b"\x81", front + b"\x81\x83\x40\xa1\x01")):
	    for k, head in enumerate((b"\x81", b"\xa1\x01", b"\xd8\x60", b"\x9f")):
	        open("deep.%d.%d" % (n, k), "wb").write(place + head * 1000000)
	END
	local file
	for file in deep.*; do
		judged within 128 e2e-open -i bob.key "$file"
		explained
		empty out
		judged within 128 e2e-inspect "$file"
	done
}

# recipients N: env with its recipient's entry N times.
recipients() {
	peer_python "$1" <<-'END'
	import sys
	from e2epeer.cbor import head
	from e2epeer.header import parse_header
	data, n = open("env", "rb").read(), int(sys.argv[1])
	size = parse_header(data, 6, 1).size
	at = data.index(bytes.fromhex("818344a101381e"), 0, 6 + size)
	entry = data[at + 1:6 + size]
	sys.stdout.buffer.write(data[:at] + head(4, n) + entry * n + data[6 + size:])
	END
}

@test "1024 recipients are looked at, 1025 are beyond the limit: 6" {
	recipients 1024 >many
	gives 2 within 128 e2e-open -i bob.key many
	gives 0 within 128 e2e-inspect many
	grep -qx 'recipients: 1024' out
	recipients 1025 >more
	gives 6 within 128 e2e-open -i bob.key more
	explained
	gives 6 within 128 e2e-inspect more
	empty out
	recipients 0 >none
	gives 5 e2e-open -i bob.key none
}

@test "a header of more than 1 MiB: 6, from a pipe without end, too" {
	"$PYTHON" - <<-'END'
	env = open("env", "rb").read()
	at = env.index(bytes.fromhex("a1054c"))
	front = env[:at + 15]
	# An unknown recipient who needs two megabytes.
	big = b"\x81\x83\x40\xa1\x01\x18\x63\x5a" + (2 << 20).to_bytes(4, "big")
	open("front", "wb").write(front + b"\x58\x40" + bytes(64) + big)
	open("cipher", "wb").write(front + b"\x5a" + (2 << 20).to_bytes(4, "big"))
	END
	local file
	for file in front cipher; do
		{ cat $file; cat /dev/zero; } 2>/dev/null | gives 6 within 128 e2e-open -i bob.key
		explained
		{ cat $file; cat /dev/zero; } 2>/dev/null | gives 6 within 128 e2e-inspect
	done
}

@test "garbage without end: refused at once" {
	gives 5 within 128 e2e-open -i bob.key /dev/zero
	gives 5 within 128 e2e-inspect /dev/zero
	judged within 128 e2e-key show - </dev/zero
	judged within 128 e2e-contact pin zero - </dev/zero
	judged within 256 e2e-seal -R /dev/zero msg
	{ printf -- '-----BEGIN E2E MESSAGE-----\n'; tr '\0' A </dev/zero 2>/dev/null; } | gives 5 within 128 e2e-open -i bob.key
}

# costs FILE OLD NEW: the same with another Argon2id parameter, in hexadecimal.
costs() {
	"$PYTHON" - "$@" <<-'END'
	import base64, sys
	name, old, new = sys.argv[1:]
	data = open(name, "rb").read()
	begin, end = b"-----BEGIN E2E SECRET KEY-----\n", b"-----END E2E SECRET KEY-----\n"
	raw = base64.b64decode(data.split(begin)[1].split(end)[0]) if begin in data else data
	label = bytes.fromhex("3a000100" + old)
	assert raw.count(label) == 1, old
	raw = raw.replace(label, bytes.fromhex("3a000100" + new))
	if begin in data:
	    text = base64.b64encode(raw)
	    raw = begin + b"".join(text[i:i + 64] + b"\n" for i in range(0, len(text), 64)) + end
	sys.stdout.buffer.write(raw)
	END
}

@test "row 11: the cost of a passphrase beyond the cap: 6, before memory is taken" {
	local change
	# 4b passes, 4c memory, 4d lanes.
	for change in "4c192000 4c1a00100001" "4c192000 4c1a7fffffff" "4c192000 4c1affffffff" \
	    "4c192000 4c1bffffffffffffffff" "4c192000 4c191fff" "4c192000 4c00" "4b01 4b11" "4b01 4b1affffffff" \
	    "4b01 4b00" "4d01 4d09" "4d01 4d1affffffff" "4d01 4d00"; do
		# shellcheck disable=SC2086 # two words
		costs locked $change >bad
		gives 6 within 128 e2e-open --recipient-passphrase-fd 5 bad 5<<<x
		explained
		# Also when another key would open it.
		gives 6 within 128 e2e-open -i bob.key bad
		# shellcheck disable=SC2086
		(umask 077; costs locked.key $change >bad.key)
		gives 6 within 128 e2e-key passwd --passphrase-fd 5 --no-passphrase bad.key 5<<<x
		explained
		rm bad.key
	done
	empty out
}

@test "the cap can be raised for memory only, by those who say so" {
	costs locked 4c192000 4c1a00100001 >bad
	gives 7 e2e-open --recipient-passphrase-fd 5 --kdf-memory-max 1048577 bad 5<<<x
	costs locked 4b01 4b11 >bad
	gives 6 e2e-open --recipient-passphrase-fd 5 --kdf-memory-max 4294967295 bad 5<<<x
}

@test "no passphrase is asked for before the cost is judged" {
	costs locked 4c192000 4c1a7fffffff >bad
	gives 6 without_terminal e2e-open -p bad
	silent 'needed'
}

# garbage: files g.0 to g.64, of so many bytes each.
garbage() {
	"$PYTHON" - <<-'END'
	import random
	r = random.Random(20)
	for n in range(65):
	    open("g.%d" % n, "wb").write(r.randbytes(n))
	END
	chmod 600 g.*
}

@test "0 to 64 random bytes: malformed for opening and inspecting, from file and pipe" {
	local n
	garbage
	for n in $(seq 0 64); do
		gives 5 e2e-open -i bob.key g.$n
		explained
		harmless err e2e-open:
		gives 5 e2e-inspect <g.$n
		empty out
	done
	for n in 0 1 5 17 64; do
		cat g.$n | gives 5 e2e-open -i bob.key
		cat g.$n | gives 5 e2e-inspect
	done
}

@test "0 to 64 random bytes as keys, cards, lists, revocations and contacts: 5" {
	local n
	garbage
	mkdir -p home/config/e2e/contacts
	for n in $(seq 0 4 64) 1 2 3; do
		gives 5 e2e-open -i g.$n env
		explained
		gives 5 e2e-seal -r ./g.$n msg
		gives 5 e2e-seal -R g.$n msg
		gives 5 e2e-seal -r bob.pub -i g.$n msg
		gives 5 e2e-key show g.$n
		gives 5 e2e-key pub g.$n
		gives 5 e2e-key rotate g.$n
		gives 5 e2e-key passwd --no-passphrase g.$n
		gives 5 e2e-key revoke g.$n
		gives 5 e2e-contact pin x g.$n
		gives 5 e2e-contact show ./g.$n
		empty out
		harmless err e2e-contact
	done
	[ -z "$(ls home/config/e2e/contacts)" ]
}

@test "a right beginning with random bytes behind it is refused, never a crash" {
	peer_python <<-'END'
	import random
	r = random.Random(21)
	env = open("env", "rb").read()
	for n in range(60):
	    cut = r.randrange(1, len(env))
	    open("h.%d" % n, "wb").write(env[:cut] + r.randbytes(r.randrange(200)))
	END
	local file
	for file in h.*; do
		judged e2e-open -i bob.key "$file"
		empty out
		judged e2e-open -i bob.key -o plain <"$file"
		absent plain
	done
	tidy
}

@test "bombs, garbage and depth in the place of a wrapped key" {
	local file n
	bombs
	# The same with the tag of a wrapped key, which has no array around it.
	"$PYTHON" - <<-'END'
	import glob
	for name in glob.glob("bomb.*"):
	    data = open(name, "rb").read()
	    if data[:6] == bytes.fromhex("da653265319f"):
	        data = bytes.fromhex("da65326532") + data[6:]
	    open(name, "wb").write(data)
	open("deep", "wb").write(bytes.fromhex("da65326532") + b"\x81" * 1000000)
	END
	for file in bomb.*[07] deep; do
		judged within 128 e2e-wrap-key --show "$file"
		explained
		empty out
	done
	for file in bomb.*5 deep; do
		judged within 128 e2e-open -i bob.key -k "$file" env
		judged within 128 e2e-rewrap -q -i bob.key -r alice.pub "$file"
		empty out
	done
	garbage
	for n in $(seq 0 5 64); do
		gives 5 e2e-wrap-key --show g.$n
		gives 5 e2e-seal -k g.$n -i bob.key msg
		gives 5 e2e-rewrap -i bob.key -r alice.pub g.$n
		empty out
	done
	gives 5 within 128 e2e-rewrap -i bob.key -r alice.pub /dev/zero
	judged within 128 e2e-wrap-key --show /dev/zero
	judged within 128 e2e-wrap-key -i bob.key -r alice.pub /dev/zero
}

@test "a hidden flood of RSA entries stops at the limit: 6" {
	peer_python <<-'END' >flood
	import sys
	from e2epeer.card import parse_lines
	from e2epeer.sealing import Plan, seal
	flood = lambda entries, state: [[b"", {1: -41}, bytes(256)]] * 1000 + entries
	sys.stdout.buffer.write(seal(Plan(parse_lines(open("bob.pub", "rb").read()),
	    hidden=True, hooks={"entries": flood}), b"hello\n"))
	END
	# No RSA key: nothing to try.
	gives 0 e2e-open -i bob.key flood
	same out msg
	e2e-keygen -q --no-passphrase -o rsa.key
	gives 6 e2e-open -i rsa.key flood
	explained
	gives 0 e2e-inspect flood
}

@test "too large a key file, card and passphrase: 6" {
	{ cat alice.key; "$PYTHON" -c 'print("#" * 300000)'; } >large.key
	chmod 600 large.key
	gives 6 e2e-key show large.key
	explained
	(umask 077; head -c 100000 /dev/zero >pass)
	gives 6 e2e-open --recipient-passphrase-file pass locked
	explained
}

@test "RSA keys of 1024 and 16384 bits, e = 1 and an even e: refused, not used" {
	peer_python <<-'END'
	from e2epeer.card import make_card
	from e2epeer.armor import b64url
	from e2epeer.keys import ed25519_key
	from types import SimpleNamespace
	sign = ed25519_key()
	def card(name, n, e):
	    public = {1: 3, 3: -41, -1: n, -2: e}
	    raw = make_card([sign, SimpleNamespace(public_map=public)], name)
	    open(name + ".pub", "wb").write(b"e2e-pub1 " + b64url(raw) + b"\n")
	odd = lambda bits: b"\xc1" + b"\x5a" * (bits // 8 - 2) + b"\x01"
	card("small", odd(1024), b"\x01\x00\x01")
	card("large", odd(16384), b"\x01\x00\x01")
	card("one", odd(2048), b"\x01")
	card("three", odd(2048), b"\x03")
	card("even", odd(2048), b"\x01\x00\x02")
	card("huge", odd(2048), b"\x01" + bytes(8) + b"\x01")
	END
	local name
	for name in small large one three even huge; do
		gives 6 within 128 e2e-seal -r $name.pub msg
		explained
		gives 6 e2e-contact pin $name $name.pub
		empty out
	done
}

@test "a card that lists somebody else's encryption key redirects no mail" {
	# Mallory claims bob's key: bob cannot be made to open her mail as his.
	peer_python <<-'END'
	from e2epeer.card import Card, make_card, parse_lines
	from e2epeer.keys import ed25519_key
	from types import SimpleNamespace
	bob = parse_lines(open("bob.pub", "rb").read())[0]
	card = Card(make_card([ed25519_key(), bob.enc_keys[0]], "mallory"))
	open("mallory.pub", "wb").write(card.line + b"\n")
	END
	gives 0 e2e-seal -r mallory.pub -o sealed msg
	gives 2 e2e-open -i bob.key sealed
	empty out
	gives 0 e2e-seal -r mallory.pub --hide-recipients -i alice.key -o sealed msg
	gives 3 e2e-open -i bob.key sealed
	explained
	empty out
}
