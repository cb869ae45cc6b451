#!/usr/bin/env bats
# e2e-open: envelope in, data out.
load helpers

setup_file() {
	people alice bob carol mallory rita:rsa2048
}

setup() {
	stage
	echo hello >msg
	e2e-seal -r bob.pub -i alice.key msg >signed
	e2e-seal -r bob.pub msg >anonymous
}

# sealed_at SECONDS FROM TO: a message of alice dated relative to now.
sealed_at() {
	peer_python "$@" <<-'END'
	import sys, time
	from e2epeer.identity import read_file
	from e2epeer.card import parse_lines
	from e2epeer.sealing import Plan, seal
	iat = int(time.time()) + int(sys.argv[1])
	sys.stdout.buffer.write(seal(Plan(parse_lines(open("bob.pub", "rb").read()),
	    sender=read_file(open("alice.key", "rb").read()), iat=iat), b"hello\n"))
	END
}

# expired SECONDS: a message of alice that ran out so long ago.
expired() {
	peer seal --recipient bob.pub --sender alice.key --exp $(($(date +%s) - $1)) <msg
}

@test "a filter: standard input to standard output" {
	gives 0 e2e-open -i bob.key <signed
	same out msg
	cat signed | gives 0 e2e-open -i bob.key
	same out msg
	gives 0 e2e-open -i bob.key - <signed
	same out msg
}

@test "FILE and -o" {
	gives 0 e2e-open -i bob.key -o plain signed
	empty out
	same plain msg
	gives 64 e2e-open -i bob.key signed anonymous
	explained
}

@test "without -i it is the default identity" {
	gives 66 e2e-open signed
	says e2e-keygen
	mkdir -p home/config/e2e
	cp -p bob.key home/config/e2e/identity.key
	gives 0 e2e-open signed
	same out msg
}

@test "several -i are tried in turn, x25519 and RSA" {
	e2e-seal -r rita.pub msg >env
	gives 0 e2e-open -i alice.key -i bob.key -i rita.key --status-fd 3 env 3>status
	same out msg
	json status 'header["opened_by"] == "rita.key"'
	gives 2 e2e-open -i alice.key -i bob.key env
	explained
	empty out
}

@test "standard error says who sent it: a pinned name, an unknown key, anonymous, yourself" {
	gives 0 e2e-open -i bob.key anonymous
	says anonymous
	gives 0 e2e-open -i bob.key signed
	says "unknown key $(e2e-contact show alice.pub | sed -n 's/^fingerprint: //p')"
	e2e-contact pin -q ally alice.pub
	gives 0 e2e-open -i bob.key signed
	says 'from ally (pinned)'
	e2e-seal -i bob.key --self msg >own
	gives 0 e2e-open -i bob.key own
	says 'from yourself'
	gives 0 e2e-open -q -i bob.key signed
	empty err
}

@test "a name in a card is not taken for a contact" {
	e2e-keygen -q -t x25519 -n carol --no-passphrase -o fake.key
	e2e-contact pin -q carol.pub
	e2e-seal -r bob.pub -i fake.key msg >env
	gives 0 e2e-open -i bob.key env
	says 'unknown key'
	silent pinned
	gives 3 e2e-open -i bob.key -s carol env
	empty out
}

@test "-s: that sender is accepted, as file, line or contact" {
	e2e-contact pin -q ally alice.pub
	gives 0 e2e-open -i bob.key -s alice.pub signed
	gives 0 e2e-open -i bob.key -s "$(cat alice.pub)" signed
	gives 0 e2e-open -i bob.key -s ally signed
	gives 0 e2e-open -i bob.key -s carol.pub -s alice.pub signed
	same out msg
}

@test "-s: anybody else is refused, 3, and no byte comes out" {
	gives 3 e2e-open -i bob.key -s carol.pub signed
	explained
	empty out
	gives 3 e2e-open -i bob.key -s alice.pub anonymous
	explained
	empty out
	gives 3 e2e-open -i bob.key -s alice.pub -o plain anonymous
	absent plain
	gives 66 e2e-open -i bob.key -s nobody signed
	empty out
}

@test "--known: any pinned contact and nobody else" {
	gives 3 e2e-open -i bob.key --known signed
	empty out
	e2e-contact pin -q carol.pub
	gives 3 e2e-open -i bob.key --known signed
	empty out
	e2e-contact pin -q alice.pub
	gives 0 e2e-open -i bob.key --known signed
	same out msg
	gives 3 e2e-open -i bob.key --known anonymous
	empty out
	e2e-contact pin -q alice.revocation
	gives 3 e2e-open -i bob.key --known signed
	empty out
	gives 64 e2e-open -i bob.key --known -s alice.pub signed
}

@test "one's own key is no pinned contact" {
	e2e-seal -i bob.key --self msg >own
	gives 3 e2e-open -i bob.key --known own
	empty out
}

@test "a revoked sender is refused with -s, and warned of without" {
	e2e-contact pin -q alice.pub
	e2e-contact pin -q alice.revocation
	gives 3 e2e-open -i bob.key -s alice signed
	empty out
	gives 3 e2e-open -i bob.key -s alice.pub signed
	empty out
	gives 0 e2e-open -i bob.key signed
	says warning
	says revoked
}

@test "an expired sender is refused with -s unless --allow-expired" {
	peer_python <<-'END' >env
	import sys
	from e2epeer.card import Card, make_card, parse_lines
	from e2epeer.identity import Identity, new_identity
	from e2epeer.sealing import Plan, seal
	me = new_identity("x25519", "late", exp=1000)
	open("late.pub", "wb").write(me.card.line + b"\n")
	sys.stdout.buffer.write(seal(Plan(parse_lines(open("bob.pub", "rb").read()),
	    sender=me, strict=False), b"hello\n"))
	END
	gives 3 e2e-open -i bob.key -s late.pub env
	explained
	empty out
	gives 0 e2e-open -i bob.key -s late.pub --allow-expired env
	same out msg
	e2e-contact pin -q late.pub
	gives 3 e2e-open -i bob.key --known env
	empty out
}

@test "an expired envelope is refused: 4, naming --allow-expired" {
	expired 1 >env
	gives 4 e2e-open -i bob.key env
	explained
	says --allow-expired
	empty out
	gives 4 e2e-open -i bob.key -o plain env
	absent plain
	gives 0 e2e-open -i bob.key --allow-expired env
	same out msg
}

@test "--max-age refuses what is older: 4, and what is of next week" {
	sealed_at -7200 >env
	gives 0 e2e-open -i bob.key env
	gives 0 e2e-open -i bob.key --max-age 3h env
	same out msg
	gives 4 e2e-open -i bob.key --max-age 1h env
	explained
	empty out
	sealed_at 604800 >env
	gives 0 e2e-open -i bob.key env
	gives 4 e2e-open -i bob.key --max-age 1h env
	empty out
	gives 64 e2e-open -i bob.key --max-age 0s signed
	gives 64 e2e-open -i bob.key --max-age old signed
}

@test "exactly one envelope: further bytes are 5, on a file before any output" {
	cat signed anonymous >two
	gives 5 e2e-open -i bob.key two
	says '-d'
	empty out
	gives 5 e2e-open -i bob.key -o plain two
	absent plain
	{ cat signed; echo; } >more
	gives 5 e2e-open -i bob.key <more
	empty out
	cat two | gives 5 e2e-open -i bob.key -o plain
	absent plain
	tidy
}

@test "-d takes several, a file each, named by message id" {
	cat signed anonymous signed >three
	mkdir d
	gives 4 e2e-open -i bob.key -d d --status-fd 3 three 3>status
	# The third is the first again: its name is taken, and nothing replaced.
	[ "$(ls d | wc -l)" = 2 ]
	ls d | grep -Exc '[0-9a-f]{32}' | grep -qx 2
	for f in d/*; do same $f msg; done
	json status '[e["event"] for e in all].count("opened") == 2'
	tidy d
}

@test "-d on a pipe and on armor" {
	mkdir d
	cat signed anonymous | gives 0 e2e-open -i bob.key -d d
	[ "$(ls d | wc -l)" = 2 ]
	mkdir e
	e2e-seal -a -r bob.pub msg | gives 0 e2e-open -i bob.key -d e
	[ "$(ls e | wc -l)" = 1 ]
}

@test "-d: one that is refused does not stand before the next" {
	e2e-seal -r bob.pub -i mallory.key msg >other
	e2e-seal -r carol.pub -i alice.key msg >carols
	cat other carols signed >three
	mkdir d
	gives 3 e2e-open -i bob.key -s alice.pub -d d three
	[ "$(ls d | wc -l)" = 1 ]
	cat d/* | cmp - msg
	tidy d
}

@test "-d: an altered payload leaves no file, the next one is opened" {
	"$PYTHON" - <<-'END'
	a = bytearray(open("signed", "rb").read())
	a[-3] ^= 1
	open("two", "wb").write(bytes(a) + open("anonymous", "rb").read())
	END
	mkdir d
	gives 1 e2e-open -i bob.key -d d two
	[ "$(ls d | wc -l)" = 1 ]
	tidy d
}

@test "--verdict-fd: a line for each envelope of -d, also for what was refused" {
	e2e-seal -r carol.pub -i alice.key msg >carols
	e2e-seal -r bob.pub -i alice.key -o altered msg
	"$PYTHON" - <<-'END'
	a = bytearray(open("altered", "rb").read())
	a[-3] ^= 1
	open("altered", "wb").write(a)
	END
	cat signed carols altered anonymous signed >five
	mkdir d
	gives 2 e2e-open -i bob.key -d d --verdict-fd 5 five 5>verdicts
	[ "$(xargs <verdicts)" = "0 2 1 0 4" ]
	# Nothing to tell of: nothing is told.
	gives 5 e2e-open -i bob.key -d d --verdict-fd 5 /dev/null 5>verdicts
	empty verdicts
	# Out of step, the others have none.
	head -c 100 signed | cat anonymous - signed >damaged
	rm d/*
	no e2e-open -q -i bob.key -d d --verdict-fd 5 damaged 5>verdicts 2>err
	[ "$(head -n 1 verdicts)" = 0 ]
	[ "$(wc -l <verdicts)" = 2 ]
	# The variable alone says nothing to it.
	rm d/*
	E2E_VERDICT_FD=5 gives 0 e2e-open -i bob.key -d d signed 5>verdicts
	empty verdicts
}

@test "--verdict-fd needs -d, and a descriptor that takes it" {
	mkdir d
	gives 64 e2e-open -i bob.key --verdict-fd 5 signed 5>verdicts
	gives 64 e2e-open -i bob.key -o plain --verdict-fd 5 signed 5>verdicts
	absent plain
	# Before anything is opened.
	gives 74 e2e-open -i bob.key -d d --verdict-fd 5 signed 5>&-
	explained
	gives 74 e2e-open -i bob.key -d d --verdict-fd 5 signed 5</dev/null
	[ -z "$(ls d)" ]
	gives 74 e2e-open -i bob.key -d d --verdict-fd 5 signed 5>/dev/full
	explained
	# A full pipe that does not block: it is not waited for.
	rm d/*
	gives 74 timeout 60 "$PYTHON" -c '
import os, subprocess, sys
r, w = os.pipe()
os.set_blocking(w, False)
try:
    while True:
        os.write(w, b"x" * 4096)
except BlockingIOError:
    pass
sys.exit(subprocess.run(sys.argv[1:] + [str(w), "signed"], pass_fds=[w]).returncode)' \
		e2e-open -i bob.key -d d --verdict-fd
	explained
}

@test "-d wants a folder, and excludes -o" {
	gives 73 e2e-open -i bob.key -d missing signed
	explained
	gives 73 e2e-open -i bob.key -d msg signed
	gives 64 e2e-open -i bob.key -d . -o plain signed
	gives 64 e2e-open -i bob.key -d . --sender-card s.pub signed
	absent plain s.pub
}

@test "--verdict-fd: a second thing that is wrong with an envelope is told of it, without a line" {
	e2e-seal -r carol.pub -i alice.key msg >carols
	{ head -c -1 carols; printf '\1'; } >ended
	head -c -5 carols >cut
	mkdir d
	local file
	for file in ended cut; do
		cat anonymous $file >two
		rm -f d/*
		gives 2 e2e-open -q -i bob.key -d d --verdict-fd 5 two 5>verdicts
		[ "$(xargs <verdicts)" = "0 2" ]
		[ "$(grep -c 'two: envelope 2: ' err)" = 2 ]
		[ "$(wc -l <err)" = 2 ]
		# What comes behind it is not reached.
		cat $file signed >two
		rm -f d/*
		gives 2 e2e-open -q -i bob.key -d d --verdict-fd 5 two 5>verdicts
		[ "$(xargs <verdicts)" = 2 ]
		silent 'envelope 2'
		[ -z "$(ls -A d)" ]
	done
}

@test "--verdict-fd: whoever does not read any more ends it, by SIGPIPE" {
	cat signed anonymous >two
	mkdir d
	gives 141 to_nobody e2e-open -q -i bob.key -d d --verdict-fd 1 two
	empty err
	# The one that was taken is there, and the next one was not begun.
	[ "$(ls d | wc -l)" = 1 ]
	tidy d
}

@test "--sender-card keeps the key of a first message; only when verified" {
	gives 0 e2e-open -i bob.key --sender-card a.pub -o plain signed
	same a.pub alice.pub
	same plain msg
	# In a place of its own.
	gives 64 e2e-open -i bob.key --sender-card both -o both signed
	explained
	gives 64 e2e-open -i bob.key --sender-card both --receipt both -o plain2 signed
	explained
	gives 64 e2e-open -i bob.key --sender-card - signed
	absent both
	empty out
	gives 3 e2e-open -i bob.key --sender-card b.pub -o plain2 anonymous
	absent b.pub plain2
}

@test "a passphrase key: --passphrase-file, --passphrase-fd, wrong, missing" {
	e2e-key passwd -q --new-passphrase-fd 5 $CHEAP bob.key 5<<<secret
	(umask 077; echo secret >pass)
	gives 0 e2e-open -i bob.key --passphrase-file pass signed
	same out msg
	gives 0 e2e-open -i bob.key --passphrase-fd 5 signed 5<<<secret
	gives 7 e2e-open -i bob.key --passphrase-fd 5 signed 5<<<Tr0ub4dor
	explained
	silent Tr0ub4dor
	empty out
	gives 7 without_terminal e2e-open -i bob.key <signed
	explained
	says --passphrase-file
	empty out
	gives 64 e2e-open -i bob.key --passphrase-fd 0 <signed
	explained
}

@test "sealed for a passphrase only: 7 and how to give it" {
	e2e-seal --recipient-passphrase-fd 5 $CHEAP -o env msg 5<<<sesame
	gives 7 e2e-open -i bob.key env
	explained
	says '-p'
	gives 7 without_terminal e2e-open -p env
	says passphrase-fd
	gives 7 e2e-open --recipient-passphrase-fd 5 env 5<<<barley
	explained
	empty out
	gives 0 e2e-open --recipient-passphrase-fd 5 env 5<<<sesame
	same out msg
}

@test "no passphrase is asked for when a key opens it" {
	e2e-seal -r bob.pub --recipient-passphrase-fd 5 $CHEAP -o env msg 5<<<sesame
	gives 0 without_terminal e2e-open -i bob.key -p env
	same out msg
}

@test "--kdf-memory-max: 6, and what raises it" {
	e2e-seal --recipient-passphrase-fd 5 --kdf-memory 16384 --kdf-passes 1 -o env msg 5<<<sesame
	gives 6 e2e-open --recipient-passphrase-fd 5 --kdf-memory-max 8192 env 5<<<sesame
	explained
	says --kdf-memory-max
	gives 0 e2e-open --recipient-passphrase-fd 5 --kdf-memory-max 16384 env 5<<<sesame
	same out msg
}

@test "--rsa-trials bounds the work on hidden RSA recipients: 6" {
	peer_python <<-'END' >env
	import sys
	from e2epeer.card import parse_lines
	from e2epeer.sealing import Plan, seal
	from e2epeer.cbor import Raw, encode
	def flood(entries, state):
	    decoy = [b"", {1: -41}, bytes(256)]
	    return [decoy] * 20 + entries
	sys.stdout.buffer.write(seal(Plan(parse_lines(open("rita.pub", "rb").read()),
	    hidden=True, hooks={"entries": flood}), b"hello\n"))
	END
	gives 0 e2e-open -i rita.key env
	same out msg
	gives 6 e2e-open -i rita.key --rsa-trials 20 env
	explained
	says --rsa-trials
	empty out
	gives 0 e2e-open -i rita.key --rsa-trials 21 env
}

@test "an empty input, a text, a folder, a missing file" {
	gives 5 e2e-open -i bob.key </dev/null
	explained
	gives 5 e2e-open -i bob.key msg
	explained
	gives 66 e2e-open -i bob.key .
	gives 66 e2e-open -i bob.key missing
	explained
	empty out
}

@test "an altered header and a foreign key are told apart by nothing" {
	"$PYTHON" - <<-'END'
	a = bytearray(open("signed", "rb").read())
	# 54 is in kc, which the key has to match.
	a[30] ^= 1
	open("altered", "wb").write(a)
	END
	gives 2 e2e-open -i bob.key - <altered
	cp err first
	gives 2 e2e-open -i carol.key - <signed
	same err first
	empty out
}

@test "a failure leaves what was under -o before" {
	echo precious >plain
	gives 3 e2e-open -i bob.key -s carol.pub -o plain signed
	head -c -1 signed >cut
	gives 1 e2e-open -i bob.key -o plain cut
	cat cut | gives 1 e2e-open -i bob.key -o plain
	[ "$(cat plain)" = precious ]
	tidy
}

@test "--status-fd: the header first, then that all was released" {
	gives 0 e2e-open -q -i bob.key --status-fd 3 signed 3>status
	json status '[e["event"] for e in all] == ["header", "opened"]'
	json status 'header["sender"] == "verified" and header["mode"] == 1 and header["recipients"] == 1'
	json status 'opened["data_bytes"] == 6 and header["message_id"] == opened["message_id"]'
	json status 'header["sender_card"].split()[1] in open("alice.pub").read()'
	gives 3 e2e-open -q -i bob.key -s carol.pub --status-fd 3 signed 3>status
	json status '[e["event"] for e in all] == ["error"] and error["status"] == 3'
	gives 64 e2e-open -i bob.key --status-fd 1 signed
	empty out
}

@test "the second implementation's envelopes open" {
	peer seal --recipient bob.pub --recipient rita.pub --sender alice.key --pad --file-name x <msg >env
	gives 0 e2e-open -i rita.key -s alice.pub env
	same out msg
	peer seal --recipient bob.pub --hidden --sender alice.key --armor <msg >env
	gives 0 e2e-open -i bob.key -s alice.pub env
	same out msg
	peer seal --passphrase sesame --m 8192 --t 1 --p 1 <msg >env
	gives 0 e2e-open --recipient-passphrase-fd 5 env 5<<<sesame
	same out msg
}

@test "-d: one whose content is malformed does not stand before the next" {
	# A KDF cost that this reader does not accept, in an intact frame.
	(umask 077; echo secret >word)
	e2e-seal -q -p --recipient-passphrase-file word --kdf-memory 16384 --kdf-passes 1 --kdf-lanes 1 -o costly msg
	cat signed costly anonymous >three
	mkdir d
	gives 6 e2e-open -i bob.key -p --recipient-passphrase-file word --kdf-memory-max 8192 -d d three
	[ "$(ls d | wc -l)" = 2 ]
}

@test "contacts that cannot be read are no reason to call a sender unknown" {
	e2e-seal -q -i alice.key -r ./bob.pub --no-card -o bare msg
	gives 3 e2e-open -i bob.key bare
	mkdir -p home/config/e2e/contacts
	ln -s loop.pub home/config/e2e/contacts/loop.pub
	gives 66 e2e-open -i bob.key bare
	empty out
}
