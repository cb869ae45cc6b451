#!/usr/bin/env bats
# e2e-inspect: what anybody can see, without a key.
load helpers

setup_file() {
	people alice bob rita:rsa2048
}

setup() {
	stage
	echo hello >msg
	e2e-seal -r bob.pub -i alice.key msg >env
}

fingerprint() {
	e2e-contact show "$1" | sed -n 's/^fingerprint: //p'
}

@test "recipients, sizes, chunks and whether it is complete, without any key" {
	gives 0 e2e-inspect env
	empty err
	grep -qx 'form: binary' out
	grep -qx 'recipients: 1' out
	grep -qx "recipient: x25519 $(fingerprint bob.pub)" out
	grep -qx 'chunks: 1' out
	grep -qx 'payload bytes: 6' out
	grep -qx "envelope bytes: $(stat -c %s env)" out
	grep -qx 'complete: yes' out
	grep -q '^header bytes: [1-9]' out
	grep -q '^metadata bytes: [1-9]' out
}

@test "neither sender nor names nor data are to be seen" {
	e2e-seal -r bob.pub -i alice.key --file-name plan.txt msg >env
	gives 0 e2e-inspect env
	silent "$(fingerprint alice.pub)" out
	silent alice out
	silent plan out
}

@test "standard input, - and a pipe" {
	e2e-inspect env >want
	gives 0 e2e-inspect <env
	same out want
	gives 0 e2e-inspect - <env
	same out want
	cat env | gives 0 e2e-inspect
	same out want
	gives 64 e2e-inspect env env
}

@test "each kind of recipient" {
	e2e-seal -r bob.pub -r rita.pub --recipient-passphrase-fd 5 $CHEAP msg 5<<<x >env
	gives 0 e2e-inspect env
	grep -qx "recipient: x25519 $(fingerprint bob.pub)" out
	grep -qx "recipient: rsa 2048 bits $(fingerprint rita.pub)" out
	grep -qx 'recipient: passphrase argon2id 8192 KiB, 1 passes, 1 lanes' out
	e2e-seal -r bob.pub -r rita.pub --hide-recipients msg >env
	gives 0 e2e-inspect env
	grep -qx 'recipient: x25519 hidden' out
	grep -qx 'recipient: rsa 2048 bits hidden' out
}

@test "unknown and group recipients are shown as such" {
	peer_python <<-'END' >env
	import sys
	from e2epeer.card import parse_lines
	from e2epeer.sealing import Plan, seal
	def more(entries, state):
	    return entries + [[b"", {1: 57}, b"x", [1]], [b"", {1: -5, 4: bytes(32)}, bytes(40)]]
	sys.stdout.buffer.write(seal(Plan(parse_lines(open("bob.pub", "rb").read()),
	    hooks={"entries": more}), b"hello\n"))
	END
	gives 0 e2e-inspect env
	grep -qx 'recipients: 3' out
	grep -qx 'recipient: unknown algorithm 57' out
	grep -q '^recipient: group aaaa' out
	gives 0 e2e-open -i bob.key env
	same out msg
}

@test "the pinned name is told where there is one" {
	e2e-contact pin -q bobby bob.pub
	gives 0 e2e-inspect env
	grep -qx "recipient: x25519 $(fingerprint bob.pub) (bobby)" out
	gives 0 e2e-inspect --json env
	json out 'all[0]["recipients"][0]["contact"] == "bobby"'
}

@test "--json is one object a line, and says the same" {
	e2e-seal -r bob.pub -r rita.pub --recipient-passphrase-fd 5 $CHEAP msg 5<<<x >env
	gives 0 e2e-inspect --json env
	[ "$(wc -l <out)" = 1 ]
	json out "all[0]['envelope_bytes'] == $(stat -c %s env) and all[0]['complete'] is True"
	json out '[r["kind"] for r in all[0]["recipients"]] == ["x25519", "rsa", "passphrase"]'
	json out "all[0]['recipients'][0]['fingerprint'] == '$(fingerprint bob.pub)'"
	json out 'all[0]["recipients"][1]["rsa_bits"] == 2048 and all[0]["recipients"][2]["kdf_memory_kib"] == 8192'
	json out 'all[0]["armored"] is False and all[0]["chunks"] == 1 and all[0]["rewrapped"] is False'
}

@test "it agrees with the second implementation" {
	e2e-seal -r bob.pub -r rita.pub -i alice.key --pad msg >env
	e2e-inspect --json env >ours
	peer inspect <env >theirs
	"$PYTHON" - <<-'END'
	import json
	a, b = json.load(open("ours")), json.load(open("theirs"))
	assert a["header_bytes"] == b["header_size"], (a, b)
	assert a["metadata_bytes"] == b["metadata_size"], (a, b)
	assert [r["kid"] for r in a["recipients"]] == [r["kid"] for r in b["recipients"]]
	END
}

@test "several envelopes one after the other, like a mailbox" {
	e2e-seal -r rita.pub msg >env2
	cat env env2 env >three
	gives 0 e2e-inspect --json three
	[ "$(wc -l <out)" = 3 ]
	json out '[r["recipients"][0]["kind"] for r in all] == ["x25519", "rsa", "x25519"]'
	gives 0 e2e-inspect three
	[ "$(grep -c '^complete: yes' out)" = 3 ]
}

@test "a truncated envelope: shown as far as it goes, incomplete, status 1" {
	bytes 50000 | e2e-seal -r bob.pub >long
	head -c 30000 long >cut
	gives 1 e2e-inspect cut
	explained
	grep -qx 'complete: no' out
	grep -qx 'chunks: 1' out
	gives 1 e2e-inspect --json cut
	json out 'all[0]["complete"] is False'
}

@test "cut within the header: 5" {
	head -c 100 env >cut
	gives 5 e2e-inspect cut
	explained
	empty out
}

@test "no envelope: 5; empty: 5; missing: 66; a folder: 66" {
	gives 5 e2e-inspect msg
	explained
	gives 5 e2e-inspect /dev/null
	explained
	gives 66 e2e-inspect missing
	gives 66 e2e-inspect .
	empty out
}

@test "an altered payload looks fine from outside: no key, no judgment" {
	"$PYTHON" - <<-'END'
	a = bytearray(open("env", "rb").read())
	a[-3] ^= 1
	open("env", "wb").write(a)
	END
	gives 0 e2e-inspect env
	gives 1 e2e-open -i bob.key env
}

@test "bytes after an envelope that are none: shown, then 5" {
	{ cat env; echo garbage; } >more
	gives 5 e2e-inspect --json more
	explained
	[ "$(wc -l <out)" = 1 ]
}

@test "the cost of a passphrase is shown even where opening would refuse it" {
	e2e-seal --recipient-passphrase-fd 5 $CHEAP msg 5<<<x >env
	"$PYTHON" - <<-'END'
	a = open("env", "rb").read()
	b = a.replace(bytes.fromhex("3a0001004c192000"), bytes.fromhex("3a0001004c1a00200000"))
	assert a != b
	open("env", "wb").write(b)
	END
	gives 0 within 256 e2e-inspect env
	grep -q 'argon2id 2097152 KiB' out
	gives 6 within 256 e2e-open --recipient-passphrase-fd 5 env 5<<<x
}

@test "no options beyond its own" {
	gives 64 e2e-inspect -i bob.key env
	gives 64 e2e-inspect --jso=1 env
	gives 0 e2e-inspect --js env
}
