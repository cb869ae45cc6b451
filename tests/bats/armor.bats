#!/usr/bin/env bats
# Envelopes as text, and what happens to text on its way.
load helpers

setup_file() {
	people alice bob
}

setup() {
	stage
	echo hello >msg
	e2e-seal -a -r bob.pub -i alice.key msg >env
}

# refuses STATUS FILE: from a file and from a pipe, and nothing comes out.
refuses() {
	gives "$1" e2e-open -i bob.key "$2"
	explained
	empty out
	cat "$2" | gives "$1" e2e-open -i bob.key
	empty out
}

accepts() {
	gives 0 e2e-open -q -i bob.key -s alice.pub "$1"
	same out msg
	cat "$1" | gives 0 e2e-open -q -i bob.key -s alice.pub
	same out msg
}

@test "-a makes text of one form: BEGIN, lines of 64, END" {
	head -1 env | grep -qx -- '-----BEGIN E2E MESSAGE-----'
	tail -1 env | grep -qx -- '-----END E2E MESSAGE-----'
	no grep -q '[^A-Za-z0-9+/= -]' env
	[ "$(sed '1d;$d' env | sed '$d' | awk '{print length}' | sort -u)" = 64 ]
	[ "$(tail -c 1 env | od -An -tx1)" = ' 0a' ]
}

@test "armor is recognized without being told" {
	accepts env
	gives 0 e2e-inspect env
	grep -qx 'form: armor' out
}

@test "armor says the same as binary" {
	sed '1d;$d' env | base64 -d >binary
	accepts binary
	{ echo '-----BEGIN E2E MESSAGE-----'; base64 -w 64 binary; echo '-----END E2E MESSAGE-----'; } | cmp - env
}

@test "long messages, also from pipes, and -a -o" {
	bytes 3000001 >data
	gives 0 e2e-seal -a -r bob.pub -i alice.key -o big data
	e2e-open -q -i bob.key -s alice.pub big | cmp - data
	cat big | e2e-open -q -i bob.key -s alice.pub -o got
	same got data
}

@test "every length of the last line" {
	local n
	for n in $(seq 0 50); do
		head -c "$n" env >data
		e2e-seal -a -r bob.pub data | e2e-open -q -i bob.key | cmp - data
	done
}

@test "CRLF, white space around, and no newline at the end are accepted" {
	sed 's/$/\r/' env >dos
	accepts dos
	{ printf '\n  \t\r\n\n'; cat env; printf '\n \n\t\r\n'; } >spaced
	accepts spaced
	head -c -1 env >bare
	accepts bare
}

@test "text around, quoting, indentation and blank lines within are refused" {
	{ echo 'Hi Bob,'; cat env; } >before
	refuses 5 before
	{ cat env; echo 'Yours, Alice'; } >after
	refuses 5 after
	sed 's/^/> /' env >quoted
	refuses 5 quoted
	sed '3s/^/ /' env >indented
	refuses 5 indented
	sed '2G' env >blank
	refuses 5 blank
	sed '3s/$/ /' env >trailing
	refuses 5 trailing
}

@test "lines joined, split, missing, twice or of another length are refused" {
	sed '2{N;s/\n//}' env >joined
	refuses 5 joined
	sed '2s/^\(.\{32\}\)/\1\n/' env >split
	refuses 5 split
	sed '1d' env >beheaded
	refuses 5 beheaded
	# One line less is another message, as a cut in the binary would be.
	sed '3d' env >missing
	! e2e-open -q -i bob.key missing >out
	empty out
}

@test "END missing, BEGIN of another kind, another label at the end" {
	sed '$d' env >endless
	gives 5 e2e-open -i bob.key endless
	empty out
	sed '1s/MESSAGE/SECRET KEY/' env >other
	refuses 5 other
	sed '$s/MESSAGE/SECRET KEY/' env >mixed
	refuses 5 mixed
	sed 's/E2E MESSAGE/PGP MESSAGE/' env >pgp
	refuses 5 pgp
}

@test "characters outside base64, url-safe ones and inner padding are refused" {
	local c
	for c in '!' '-' '_' '=' ' ' $'\xc3\xa4' $'\x01'; do
		"$PYTHON" - "$c" <<-'END'
		import os, sys
		a = bytearray(open("env", "rb").read())
		a[60:61] = os.fsencode(sys.argv[1])
		open("bad", "wb").write(a)
		END
		refuses 5 bad
	done
}

@test "base64 in another than the one valid form is refused: unused bits, padding" {
	local n
	# Of three lengths, two end with padding.
	for n in 1 2 3; do
		head -c $n msg | e2e-seal -a -r bob.pub >a
		"$PYTHON" - <<-'END'
		lines = open("a").read().split("\n")
		last = lines[-3]
		if last.endswith("="):
		    at = len(last.rstrip("=")) - 1
		    abc = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		    other = abc[abc.index(last[at]) | 1]
		    bits = lines[:-3] + [last[:at] + other + last[at + 1:]] + lines[-2:]
		    bare = lines[:-3] + [last.rstrip("=")] + lines[-2:]
		else:
		    bits = lines[:-3] + [last + "===="] + lines[-2:]
		    bare = lines[:-3] + [last[:-1]] + lines[-2:]
		open("bits", "w").write("\n".join(bits))
		open("bare", "w").write("\n".join(bare))
		END
		refuses 5 bits
		refuses 5 bare
	done
}

@test "two armored messages are more than one" {
	cat env env >two
	refuses 5 two
}

@test "cut off anywhere, from a file: nothing comes out" {
	local size step got
	bytes 200000 | e2e-seal -a -r bob.pub >big
	size=$(stat -c %s big)
	for step in $(seq 1 15); do
		head -c $((size * step / 16)) big >cut
		got=0
		e2e-open -q -i bob.key cut >out 2>err || got=$?
		[ $got = 1 ] || [ $got = 5 ]
		empty out
	done
}

@test "UTF-16 from a careless shell is named as what it is: 5" {
	iconv -f UTF-8 -t UTF-16 env >utf16
	gives 5 e2e-open -i bob.key utf16
	explained
	says 'changed in transit'
	iconv -f UTF-8 -t UTF-16LE env >utf16le
	gives 5 e2e-open -i bob.key utf16le
	iconv -f UTF-8 -t UTF-16BE env >utf16be
	gives 5 e2e-open -i bob.key utf16be
	empty out
}

@test "a binary envelope sent as text is refused, and said to be mangled where it shows" {
	bytes 20000 >data
	e2e-seal -r bob.pub data >binary
	sed 's/$/\r/' binary >dos
	no e2e-open -q -i bob.key dos >out
	empty out
	# As if it were Latin-1.
	iconv -f LATIN1 -t UTF-8 binary >utf8
	gives 5 e2e-open -i bob.key utf8
	says 'changed in transit'
	empty out
}

@test "armor is written to a terminal's worth of columns and no control characters" {
	harmless env
	no awk 'length > 64 {found = 1} END {exit !found}' env
}
