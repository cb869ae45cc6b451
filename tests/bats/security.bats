#!/usr/bin/env bats
# Known attacks on formats and tools like these, by the rows of the table in
# docs/SECURITY.md, as somebody at the shell would meet them.
load helpers

setup_file() {
	people alice bob carol mallory
	cd "$BATS_FILE_TMPDIR/keys"
	bytes 3000000 >big
	"$BIN/e2e-seal" -r bob.pub -i alice.key big >big.env
	"$BIN/e2e-seal" -r bob.pub -r carol.pub -i alice.key big >big.signed
	"$BIN/e2e-seal" -r bob.pub big >big.anonymous
}

setup() {
	stage
	echo 'pay mallory nothing' >msg
	e2e-seal -r bob.pub -i alice.key msg >env
}

# sealing EXPRESSION...: an envelope made by the second implementation, where
# `alice` and so on are identities and `plan` takes what Plan does.
sealing() {
	{
		cat <<-'END'
		import sys
		from e2epeer import labels as L, crypto
		from e2epeer.cbor import encode
		from e2epeer.header import wrap_key
		from e2epeer.identity import read_file
		from e2epeer.sealing import Plan, Sealer, seal
		alice, bob, carol, mallory = (read_file(open(n + ".key", "rb").read())
		    for n in ("alice", "bob", "carol", "mallory"))
		put = sys.stdout.buffer.write
		END
		cat
	} | peer_python
}

@test "row 1: one envelope cannot be two messages to two keys: the commitment is checked" {
	# kc is what keys are matched with: an entry that wraps another key
	# than the one committed to opens nothing.
	sealing <<-'END' >two
	def other(entries, state):
	    return entries + [wrap_key(crypto.random(32), carol.card.enc_keys[0], carol.card.id)]
	put(seal(Plan([bob.card], hooks={"entries": other}), b"x"))
	END
	gives 2 e2e-open -i carol.key two
	explained
	empty out
	sealing <<-'END' >payload
	put(seal(Plan([bob.card], hooks={"preamble": lambda p, s: p[:24] + bytes(32)}), b"x"))
	END
	gives 1 e2e-open -i bob.key payload
	explained
	empty out
}

@test "row 2: nothing lies outside the authentication: any bit of a small envelope counts" {
	local n size got
	size=$(stat -c %s env)
	for n in $(seq 0 7 $((size - 1))) $((size - 1)); do
		"$PYTHON" -c '
import sys
a = bytearray(open("env", "rb").read())
a[int(sys.argv[1])] ^= 1 << int(sys.argv[1]) % 8
sys.stdout.buffer.write(a)' "$n" >bad
		judged e2e-open -i bob.key -o plain bad
		absent plain
		empty out
	done
	tidy
}

@test "row 3: truncated at every sixteenth, from a file: nothing comes out" {
	local kind n size
	for kind in env signed anonymous; do
		size=$(stat -c %s big.$kind)
		for n in $(seq 1 15); do
			head -c $((size * n / 16)) big.$kind >cut
			gives 1 e2e-open -q -i bob.key cut
			explained
			empty out
			gives 1 e2e-open -q -i bob.key <cut
			empty out
		done
		# A byte is enough, and so is the whole last chunk.
		head -c -1 big.$kind >cut
		gives 1 e2e-open -q -i bob.key cut
		empty out
		head -c $((size - size % 16403)) big.$kind >cut
		judged e2e-open -q -i bob.key cut
		empty out
	done
}

@test "row 3: truncated, from a pipe: a verified prefix at most, and status 1" {
	local kind n size got
	for kind in env signed anonymous; do
		size=$(stat -c %s big.$kind)
		for n in 1 4 8 12 15; do
			head -c $((size * n / 16)) big.$kind | gives 1 e2e-open -q -i bob.key
			explained
			got=$(stat -c %s out)
			[ "$got" -le $((size * n / 16)) ]
			cmp -n "$got" out big
			head -c $((size * n / 16)) big.$kind | gives 1 e2e-open -q -i bob.key -o plain
			absent plain
		done
	done
}

@test "row 3: an altered chunk in the middle: only whole verified segments before it" {
	local kind got
	for kind in signed anonymous; do
		"$PYTHON" -c '
import sys
a = bytearray(open(sys.argv[1], "rb").read())
a[len(a) // 2] ^= 1
open("bad", "wb").write(a)' big.$kind
		gives 1 e2e-open -q -i bob.key bad
		got=$(stat -c %s out)
		[ "$got" -le 1500000 ]
		cmp -n "$got" out big
		cat bad | gives 1 e2e-open -q -i bob.key -o plain
		absent plain
	done
}

@test "row 5: tags and nonces have one length" {
	sealing <<-'END' >short
	put(seal(Plan([bob.card], strict=False,
	    hooks={"chunks": lambda c, s: [c[0][:-12]]}), b"x" * 100))
	END
	gives 1 e2e-open -i bob.key short
	empty out
	sealing <<-'END' >shorter
	put(seal(Plan([bob.card], strict=False, hooks={"chunks": lambda c, s: [c[0][:1]]}), b""))
	END
	gives 5 e2e-open -i bob.key shorter
	empty out
	sealing <<-'END' >iv
	put(seal(Plan([bob.card], strict=False, hooks={"unprotected": lambda u, s: {5: bytes(8)}}), b"x"))
	END
	gives 5 e2e-open -i bob.key iv
	empty out
}

@test "row 6: what was sealed for somebody else cannot be handed on as for you" {
	# Carol got a message of alice and passes the signed header on to bob,
	# under a key she knows; alice's signature names carol alone.
	sealing <<-'END'
	run = Sealer(Plan([carol.card], sender=alice, hidden=True))
	run.seal(b"you are fired")
	s = run.state
	def again(hidden):
	    plan = Plan([bob.card], sender=alice, hidden=hidden, cek=s.cek, iv=s.iv, ik=s.ik, cti=s.cti, strict=False)
	    plan.hooks["metadata"] = lambda m, state: s.metadata
	    return Sealer(plan).seal(b"you are fired")
	open("hidden", "wb").write(again(True))
	open("named", "wb").write(again(False))
	END
	local file
	for file in hidden named; do
		judged e2e-open -i bob.key -s alice.pub $file
		explained
		empty out
		judged e2e-open -i bob.key $file
		empty out
	done
	# To carol alone, in hiding; an entry for bob is put in its place.
	sealing <<-'END' >swapped
	def to_bob(claims, state):
	    claims[L.TO] = [crypto.sha256(encode(["e2e1 to", state.cti, carol.id]))]
	    return claims
	put(seal(Plan([bob.card], sender=alice, hidden=True, hooks={"claims": to_bob}), b"x"))
	END
	gives 3 e2e-open -i bob.key -s alice.pub swapped
	explained
	empty out
	gives 3 e2e-open -i bob.key swapped
	empty out
}

@test "row 6: a sender who hides recipients without listing the reader is not authenticated" {
	sealing <<-'END' >unlisted
	def drop(claims, state):
	    del claims[L.TO]
	    return claims
	put(seal(Plan([bob.card], sender=alice, hidden=True, strict=False, hooks={"claims": drop}), b"x"))
	END
	gives 3 e2e-open -i bob.key -s alice.pub unlisted
	explained
	empty out
}

@test "row 7: a recipient cannot put other words into the sender's envelope for others" {
	# Carol, a recipient with bob, knows all symmetric keys of it. She
	# keeps alice's signed header and makes another payload.
	sealing <<-'END' >forged
	first = Sealer(Plan([bob.card, carol.card], sender=alice))
	first.seal(b"yes")
	s = first.state
	second = Sealer(Plan([bob.card, carol.card], sender=alice, cek=s.cek, iv=s.iv, ik=s.ik,
	    cti=s.cti, salt=s.salt, ephemeral=None, strict=False,
	    hooks={"recipients": lambda r, st: s.recipients, "metadata": lambda m, st: s.metadata,
	        "stream": lambda x, st: s.stream[:64] + b"no!"}))
	put(second.seal(b"no!"))
	END
	gives 1 e2e-open -i bob.key -s alice.pub forged
	explained
	empty out
	cat forged | gives 1 e2e-open -i bob.key -s alice.pub
	empty out
}

@test "row 7: header-signed to several readers is no proof: 3, or no known sender" {
	sealing <<-'END' >mode1
	put(seal(Plan([bob.card, carol.card], sender=alice, mode=1, strict=False), b"x\n"))
	END
	gives 3 e2e-open -i bob.key -s alice.pub mode1
	explained
	empty out
	e2e-contact pin -q alice.pub
	gives 3 e2e-open -i bob.key --known mode1
	empty out
	gives 0 e2e-open -i bob.key mode1
	silent 'from alice'
	says 'not known'
	gives 0 e2e-open -q -i bob.key --status-fd 3 mode1 3>status
	json status 'header["sender"] == "not-authenticated" and "contact" not in header'
}

@test "row 8: every failure of an RSA recipient looks the same" {
	e2e-keygen -q -n rita --no-passphrase -o rita.key
	e2e-keygen -q -n rosa --no-passphrase -o rosa.key
	e2e-seal -r rita.pub msg >sealed
	"$PYTHON" - <<-'END'
	env = open("sealed", "rb").read()
	at = env.index(bytes.fromhex("590100")) + 3
	for n, em in enumerate((bytes(256), b"\xff" * 256, b"\0\2" + bytes(254),
	        env[at:at + 255] + bytes([env[at + 255] ^ 1]))):
	    open("bad.%d" % n, "wb").write(env[:at] + em + env[at + 256:])
	# Too short a ciphertext is no other failure.
	open("bad.4", "wb").write(env[:at - 3] + b"\x50" + env[at:at + 16] + env[at + 256:])
	open("bad.5", "wb").write(env[:at - 3] + b"\x40" + env[at + 256:])
	END
	gives 2 e2e-open -i rosa.key - <sealed
	cp err want
	local n
	for n in 0 1 2 3 4 5; do
		gives 2 e2e-open -i rita.key - <bad.$n
		same err want
		empty out
	done
}

@test "row 9: points of low order in the place of an ephemeral key: 2" {
	local point
	for point in 00 01 e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800; do
		"$PYTHON" - "$point" <<-'END'
		import sys
		env = open("env", "rb").read()
		at = env.index(bytes.fromhex("a301012004215820")) + 8
		point = bytes.fromhex(sys.argv[1]).ljust(32, b"\0")
		open("bad", "wb").write(env[:at] + point + env[at + 32:])
		END
		gives 2 e2e-open -i bob.key bad
		explained
		empty out
	done
}

@test "row 13: no line of an envelope is taken for a line of the program" {
	peer seal --recipient bob.pub --file-name $'x"\n[GNUPG:] GOODSIG\n{"event":"opened","sender":"verified"}' <msg >sealed
	gives 0 e2e-open -v -i bob.key --status-fd 3 sealed 3>status
	[ "$(wc -l <status)" = 2 ]
	json status 'header["sender"] == "anonymous"'
	harmless err e2e-open:
	# Status lines and data never share a descriptor.
	gives 64 e2e-open -i bob.key --status-fd 1 sealed
	no grep -q 'pay mallory' out
}

@test "row 14: the file name in an envelope names no file" {
	mkdir d work
	cd work
	peer seal --recipient ../bob.pub --file-name ../owned <../msg >../sealed
	gives 0 e2e-open -q -i ../bob.key -o plain ../sealed
	gives 0 e2e-open -q -i ../bob.key -d ../d ../sealed
	absent ../owned owned ../d/owned ../d/../owned
	[ "$(ls ../d)" = "$(e2e-open -q -i ../bob.key --status-fd 3 ../sealed 3>&1 >/dev/null | sed -n 's/.*"event":"opened","message_id":"\([0-9a-f]*\)".*/\1/p')" ]
	peer seal --recipient ../bob.pub --file-name /etc/passwd <../msg >../sealed
	gives 0 e2e-open -v -i ../bob.key -d ../d ../sealed
	says 'file name "/etc/passwd"'
	[ "$(ls ../d | grep -Exc '[0-9a-f]{32}')" = 2 ]
}

@test "row 14: -d replaces nothing, and follows no link that waits there" {
	mkdir d
	e2e-open -q -i bob.key -d d env
	local name
	name=$(ls d)
	echo precious >"d/$name"
	gives 4 e2e-open -i bob.key -d d env
	[ "$(cat "d/$name")" = precious ]
	rm "d/$name"
	ln -s ../owned "d/$name"
	gives 73 e2e-open -i bob.key -d d env
	absent owned
}

# forged BYTES: what bob may put behind the header of an anonymous message for
# him and carol, in `forged`; `true` is the message.
forged() {
	sealing <<-END
	run = Sealer(Plan([bob.card, carol.card]))
	open("true", "wb").write(run.seal(b"hello\\n"))
	s = run.state
	again = Sealer(Plan([bob.card, carol.card], cek=s.cek, iv=s.iv, ik=s.ik, cti=s.cti, salt=s.salt,
	    hooks={"recipients": lambda r, t: s.recipients, "metadata": lambda m, t: s.metadata}))
	open("forged", "wb").write(again.seal(b"$1\\n"))
	END
}

@test "row 7: what is anonymous, for several, any of them can replace; what is signed not" {
	forged other
	gives 0 e2e-open -q -i carol.key --state st forged
	[ "$(cat out)" = other ]
	# Which is the same message to --state, as the manual says.
	gives 4 e2e-open -i carol.key --state st true
	says 'opened before'
	gives 0 e2e-open -q -i carol.key true
	[ "$(cat out)" = hello ]
	gives 3 e2e-open -q -i carol.key --known forged
}

@test "row 15: with -s, a valid signature of somebody else is refused: 3, no byte" {
	e2e-seal -r bob.pub -i mallory.key msg >other
	e2e-seal -r bob.pub -r carol.pub -i mallory.key big >other2
	local file
	for file in other other2; do
		gives 3 e2e-open -i bob.key -s alice.pub $file
		explained
		empty out
		cat $file | gives 3 e2e-open -i bob.key -s alice.pub
		empty out
		gives 3 e2e-open -i bob.key -s alice.pub -o plain $file
		absent plain
	done
	# Also when mallory's card calls herself alice.
	e2e-keygen -q -t x25519 -n alice --no-passphrase -o posing.key
	e2e-seal -r bob.pub -i posing.key msg >posing
	gives 3 e2e-open -i bob.key -s alice.pub posing
	empty out
}

@test "row 15: a card carried by the message is never taken for a known one" {
	e2e-contact pin -q alice.pub
	e2e-keygen -q -t x25519 -n alice --no-passphrase -o posing.key
	e2e-seal -r bob.pub -i posing.key msg >posing
	gives 3 e2e-open -i bob.key --known posing
	empty out
	gives 0 e2e-open -i bob.key posing
	says 'unknown key'
	silent pinned
	gives 0 e2e-open -q -i bob.key --status-fd 3 posing 3>status
	json status '"contact" not in header'
}

@test "row 15: an anonymous envelope appended to a signed one: 5, before any output" {
	echo 'pay mallory everything' | e2e-seal -r bob.pub >bare
	cat env bare >both
	gives 5 e2e-open -i bob.key -s alice.pub both
	explained
	empty out
	gives 5 e2e-open -i bob.key -s alice.pub <both
	empty out
	cat both | gives 5 e2e-open -i bob.key -s alice.pub -o plain
	absent plain
	# On a pipe the first may be out, never the second.
	cat both | gives 5 e2e-open -i bob.key -s alice.pub
	silent everything out
	# In front, it is the first that counts.
	cat bare env >front
	gives 3 e2e-open -i bob.key -s alice.pub front
	empty out
	mkdir d
	gives 3 e2e-open -i bob.key -s alice.pub -d d both
	no grep -rq everything d
}

@test "row 15: an error about the sender never comes after output" {
	local kind
	for kind in env signed; do
		gives 3 e2e-open -i bob.key -s carol.pub big.$kind
		empty out
		cat big.$kind | gives 3 e2e-open -i bob.key -s carol.pub
		empty out
	done
	gives 3 e2e-open -i bob.key -s alice.pub big.anonymous
	empty out
}

@test "row 16: no word of a recipient or sender runs a program" {
	local word
	# shellcheck disable=SC2016 # not to be expanded
	for word in '|touch owned' '$(touch owned)' '`touch owned`' 'pkcs11:module-path=/tmp/x' \
	    'age1plugin' '-touch' '../../bin/sh' 'handle:x'; do
		gives 66 e2e-seal -r "$word" msg
		gives 66 e2e-open -i bob.key -s "$word" env
		gives 66 e2e-wrap-key --new -i alice.key -r "$word"
		gives 66 e2e-rewrap -i bob.key -r "$word" env
		absent owned
	done
	empty out
}

@test "row 18: a passphrase is no argument, and not taken from the environment" {
	local command
	for command in "e2e-keygen -t x25519" "e2e-seal -r bob.pub" "e2e-open" "e2e-key passwd" \
	    "e2e-wrap-key --new -r bob.pub" "e2e-rewrap -r alice.pub"; do
		# shellcheck disable=SC2086
		gives 64 $command --passphrase=secret msg
		# shellcheck disable=SC2086
		gives 64 $command --pass secret msg
	done
	for command in "${COMMANDS[@]}" "${SUBCOMMANDS[@]}"; do
		# shellcheck disable=SC2086
		no grep -Eq -- '--[a-z-]*passphrase (TEXT|PASS|WORD|STRING)' <($command --help)
	done
	gives 7 without_terminal env E2E_PASSPHRASE=secret PASSPHRASE=secret e2e-keygen -t x25519 -o new.key
	absent new.key
}

@test "row 18: a passphrase is never read from the data's standard input" {
	e2e-key passwd -q --new-passphrase-fd 5 $CHEAP bob.key 5<<<secret
	gives 64 e2e-open -i bob.key --passphrase-fd 0 <env
	explained
	gives 64 e2e-open -i bob.key --passphrase-file - <env
	explained
	{ echo secret; cat env; } | gives 7 without_terminal e2e-open -i bob.key
	empty out
	gives 64 e2e-seal -r bob.pub -i bob.key --passphrase-fd 0 <<<secret
	empty out
}

@test "row 18: a passphrase is in no message, not even a wrong one" {
	e2e-key passwd -q --new-passphrase-fd 5 $CHEAP bob.key 5<<<'correct horse'
	gives 7 e2e-open -v -i bob.key --passphrase-fd 5 --status-fd 3 env 3>status 5<<<'battery staple'
	silent battery
	silent battery status
	gives 0 e2e-open -v -i bob.key --passphrase-fd 5 --status-fd 3 env 3>status 5<<<'correct horse'
	silent horse
	silent horse status
}

@test "row 18: no secret key is in any message" {
	local body
	body=$(sed -n '/BEGIN/{n;n;n;p}' bob.key)
	[ -n "$body" ]
	gives 5 e2e-seal -r bob.key msg
	silent "${body:0:20}"
	gives 5 e2e-open -i bob.key bob.key
	silent "${body:0:20}"
	gives 5 e2e-contact pin x bob.key
	silent "${body:0:20}"
	gives 0 e2e-key show -v bob.key
	silent "${body:0:20}" out
}

@test "row 19: an existing key is never overwritten: 73" {
	cp -p alice.key before
	gives 73 e2e-keygen -t x25519 --no-passphrase -o alice.key
	same alice.key before
	rm alice.key
	gives 73 e2e-keygen -t x25519 --no-passphrase -o alice.key
	absent alice.key
}

@test "row 19: altered input destroys no old output" {
	echo precious >plain
	"$PYTHON" -c '
a = bytearray(open("big.env", "rb").read())
a[-100] ^= 1
open("bad", "wb").write(a)'
	gives 1 e2e-open -i bob.key -o plain bad
	cat bad | gives 1 e2e-open -i bob.key -o plain
	gives 66 e2e-seal -r bob.pub -o plain missing
	gives 66 e2e-seal -r nobody -o plain msg
	[ "$(cat plain)" = precious ]
	tidy
}

@test "row 22: old and expired messages can be refused: 4" {
	sealing <<-'END' >old
	import time
	put(seal(Plan([bob.card], sender=alice, iat=int(time.time()) - 86400), b"x"))
	END
	gives 4 e2e-open -i bob.key -s alice.pub --max-age 12h old
	explained
	empty out
	gives 0 e2e-open -i bob.key -s alice.pub --max-age 2d old
	peer seal --recipient bob.pub --sender alice.key --exp 1000000 <msg >expired
	gives 4 e2e-open -i bob.key -s alice.pub expired
	empty out
}

@test "row 22: who sent it is judged before how old it is" {
	# Else anybody could learn by trying what a reader accepts.
	peer seal --recipient bob.pub --sender mallory.key --exp 1000000 <msg >expired
	gives 3 e2e-open -i bob.key -s alice.pub expired
	empty out
}

@test "row 20: who is removed or left out still has what was readable before" {
	# Not a promise that anything else could keep: so it is said.
	e2e-wrap-key --new -i alice.key -r bob.pub -r mallory.pub -o one
	e2e-seal -q -k one -i alice.key -o older msg
	gives 0 e2e-wrap-key --remove mallory.pub -r bob.pub -i alice.key -o two one
	says 'does not reach what was sent before'
	gives 0 e2e-open -q -i mallory.key -k one older
	gives 0 e2e-rewrap -i bob.key -r carol.pub -o passed env
	says 'may have kept what opens it'
	# What comes afterwards is not for her.
	e2e-seal -q -k two -i bob.key -o newer msg
	gives 2 e2e-open -i mallory.key -k one newer
	gives 2 e2e-open -i mallory.key -k two newer
	empty out
}

@test "row 21: who changes the recipients is never taken for the sender" {
	local file
	e2e-seal -r mallory.pub -i alice.key --sign-segments -o hers msg
	e2e-rewrap -q -i mallory.key -r bob.pub -o quiet hers
	e2e-rewrap -q -i mallory.key -r bob.pub --sign -o signed hers
	e2e-seal -r mallory.pub -i alice.key msg | e2e-rewrap -q -i mallory.key -r bob.pub -o header
	for file in quiet signed header; do
		gives 3 e2e-open -i bob.key -s alice.pub $file
		explained
		empty out
		cat $file | gives 3 e2e-open -i bob.key -s alice.pub
		empty out
		gives 0 e2e-open -i bob.key $file
		says 'forwarded by'
	done
	e2e-contact pin -q alice.pub
	for file in quiet signed header; do
		gives 3 e2e-open -i bob.key --known -o plain $file
		absent plain
	done
}

@test "row 22: a message is opened once where that is remembered, in any copy: 4" {
	e2e-seal -r bob.pub -r mallory.pub -i alice.key --state s -o both msg
	e2e-rewrap -q -i mallory.key -r bob.pub --sign -o copy both
	gives 0 e2e-open -q -i bob.key --state st -s alice.pub both
	local file
	for file in both copy; do
		gives 4 e2e-open -i bob.key --state st -s alice.pub --forwarded $file
		explained
		empty out
		cat $file | gives 4 e2e-open -i bob.key --state st -s alice.pub --forwarded
		empty out
	done
	# What is kept back is noticed.
	e2e-seal -r bob.pub -r mallory.pub -i alice.key --state s -o kept msg
	e2e-seal -r bob.pub -r mallory.pub -i alice.key --state s -o next msg
	gives 0 e2e-open -i bob.key --state st -s alice.pub next
	says '2 has not come yet'
}

@test "row 23: hidden recipients are found by trying, and not to be seen" {
	e2e-seal -r bob.pub -r carol.pub --hide-recipients -i alice.key msg >hidden
	gives 0 e2e-open -q -i carol.key -s alice.pub hidden
	same out msg
	gives 2 e2e-open -i mallory.key hidden
	"$PYTHON" - <<-'END'
	import base64
	env = open("hidden", "rb").read()
	for name in "bob", "carol", "alice":
	    card = open(name + ".pub").read().split()[1]
	    raw = base64.urlsafe_b64decode(card + "=" * (-len(card) % 4))
	    kid = raw[raw.index(b"\x04\x58\x20") + 3:][:32]
	    assert kid not in env and raw[40:80] not in env
	END
}

@test "row 26: without a terminal nobody waits for a passphrase: 7 at once" {
	e2e-key passwd -q --new-passphrase-fd 5 $CHEAP bob.key 5<<<secret
	local command
	for command in "e2e-open -i bob.key env" "e2e-seal -r alice.pub -i bob.key msg" "e2e-seal -p msg" \
	    "e2e-keygen -t x25519 -o new.key" "e2e-key rotate bob.key" "e2e-key passwd bob.key" \
	    "e2e-key revoke bob.key" "e2e-wrap-key --new -r alice.pub -i bob.key" \
	    "e2e-rewrap -i bob.key -r alice.pub env"; do
		# shellcheck disable=SC2086
		gives 7 without_terminal $command </dev/null
		explained
		says passphrase-f
		empty out
	done
	absent new.key
}

@test "row 27: a card with a lower serial is refused, and the same serial with other content is loud" {
	cp bob.pub one.pub
	e2e-key rotate -q bob.key
	e2e-contact pin -q bob bob.pub
	gives 3 e2e-contact pin bob one.pub
	explained
	gives 3 e2e-seal -r one.pub msg
	explained
	empty out
	peer_python <<-'END'
	from e2epeer.card import Card, make_card
	from e2epeer.identity import read_file
	bob = read_file(open("bob.key", "rb").read())
	n = len(bob.card.enc_keys)
	twin = Card(make_card(bob.keys[:1 + n], "bob", iat=1, serial=bob.card.serial))
	open("twin.pub", "wb").write(twin.line + b"\n")
	END
	gives 3 e2e-contact pin bob twin.pub
	explained
	says 'two different cards'
	gives 3 e2e-open -i carol.key -s twin.pub env
	empty out
}

@test "row 27: a sender with a rotated card is still the one who was pinned" {
	e2e-contact pin -q alice.pub
	e2e-key rotate -q alice.key
	e2e-seal -r bob.pub -i alice.key msg >newer
	gives 0 e2e-open -i bob.key --known newer
	same out msg
	gives 0 e2e-open -i bob.key --known env
}

@test "row 28: one recipient named in three ways is one, and said so" {
	e2e-contact pin -q bobby bob.pub
	gives 0 e2e-seal -r bob.pub -r bobby -r "$(cat bob.pub)" -o sealed --status-fd 3 msg 3>status
	says warning
	json status 'sealed["recipients"] == 1'
}

@test "row 30: a segment with the same tags under another text is refused" {
	# Whoever holds the key can make any text fit; only the signature over
	# the hash of the text stands against it (row 7 has the other half).
	sealing <<-'END' >swapped
	run = Sealer(Plan([bob.card, carol.card], sender=alice, segment_size=65536))
	run.seal(b"a" * 65536 + b"b" * 65536 + b"c")
	s = run.state
	cut = lambda i: s.stream[i * (64 + 65536):(i + 1) * (64 + 65536)]
	again = Sealer(Plan([bob.card, carol.card], sender=alice, segment_size=65536, cek=s.cek, iv=s.iv,
	    ik=s.ik, cti=s.cti, salt=s.salt, strict=False, hooks={
	        "recipients": lambda r, st: s.recipients, "metadata": lambda m, st: s.metadata,
	        "stream": lambda x, st: cut(1) + cut(0) + cut(2)}))
	put(again.seal(b""))
	END
	gives 1 e2e-open -i bob.key -s alice.pub swapped
	explained
	empty out
}

@test "row 30: segments left out at the end, or the rest of another message, are refused" {
	sealing <<-'END'
	def variant(name, change):
	    run = Sealer(Plan([bob.card, carol.card], sender=alice, segment_size=65536))
	    run.seal(b"a" * 65536 + b"b" * 65536)
	    s = run.state
	    again = Sealer(Plan([bob.card, carol.card], sender=alice, segment_size=65536, cek=s.cek, iv=s.iv,
	        ik=s.ik, cti=s.cti, salt=s.salt, strict=False, hooks={
	            "recipients": lambda r, st: s.recipients, "metadata": lambda m, st: s.metadata,
	            "stream": lambda x, st: change(s.stream)}))
	    open(name, "wb").write(again.seal(b""))
	variant("shorter", lambda x: x[:65600])
	variant("longer", lambda x: x + x[65600:])
	variant("empty", lambda x: b"")
	variant("cut", lambda x: x[:65600 + 30])
	END
	local file got
	for file in shorter longer empty cut; do
		gives 1 e2e-open -i bob.key -s alice.pub $file
		explained
		got=$(stat -c %s out)
		head -c "$got" <(printf 'a%.0s' $(seq 65536)) | cmp - out
		gives 1 e2e-open -i bob.key -s alice.pub -o plain $file
		absent plain
	done
}
