#!/usr/bin/env bats
# Receipts: asked for with e2e-seal --ask-receipt, made by e2e-open --receipt,
# and read like any message.
load helpers
load relay

setup_file() {
	people alice bob carol mallory
	cd "$BATS_FILE_TMPDIR/keys"
	echo hello >msg
	e2e-seal -r bob.pub -i alice.key --ask-receipt --state "$BATS_FILE_TMPDIR/sender" -o asked msg
	e2e-seal -r bob.pub -i alice.key -o plain.env msg
	e2e-open -q -i bob.key --receipt got asked >/dev/null
}

setup() {
	stage
	cp -a "$BATS_FILE_TMPDIR/sender" .
	e2e-contact pin -q bob.pub
}

teardown() {
	relay_teardown
}

# opens STATUS FILE [FLAG...]: as bob, with a receipt into the file `made`.
opens() {
	local want=$1 file=$2
	shift 2
	gives "$want" e2e-open -i bob.key --receipt made --status-fd 5 "$@" "$file" 5>status
}

# reads STATUS FILE [FLAG...]: as alice, who remembers what she sent.
reads() {
	local want=$1 file=$2
	shift 2
	gives "$want" e2e-open -i alice.key --state sender --status-fd 5 "$@" "$file" 5>status
}

id_of() {
	e2e-open -q -i bob.key --status-fd 5 "$1" 5>&1 >/dev/null |
	    sed -n 's/.*"event":"header","message_id":"\([0-9a-f]*\)".*/\1/p'
}

# delivered: a program of the second implementation, in which receipt(FILE,
# OF, BY) makes bob's receipt for the envelope OF, and the named values may be
# others.
delivered() {
	{
		cat <<-'END'
		import time
		from e2epeer import labels as L, crypto
		from e2epeer.cbor import encode
		from e2epeer.cose import make_sign1
		from e2epeer.header import parse_header
		from e2epeer.identity import read_file
		from e2epeer.opening import Reader, open_envelope
		from e2epeer.payload import core_hash
		from e2epeer.sealing import Plan, seal
		alice, bob, carol, mallory = (read_file(open(n + ".key", "rb").read())
		    for n in ("alice", "bob", "carol", "mallory"))
		def statement(of, by, ch=None, data=b"hello\n", cti=None, **more):
		    env = open(of, "rb").read()
		    h = parse_header(env, 6, 1)
		    opened = open_envelope(env, Reader([bob]))
		    claims = {6: int(time.time()), 7: crypto.random(16),
		        -65672: cti or opened.metadata.claims[L.CTI],
		        -65673: ch or core_hash(h.protected, h.iv, h.ciphertext, h.rh),
		        -65677: crypto.sha256(data)}
		    return make_sign1(by.signing_key, "application/e2e-delivery+cwt", encode(claims))
		def post(file, data, by=bob, **more):
		    claims = {L.MEDIA_TYPE: "application/e2e-delivery+cwt", L.REPLY_TO: bytes(16), **more}
		    open(file, "wb").write(seal(Plan([alice.card], sender=by, strict=False, claims=claims), data))
		def receipt(file, of="asked", by=bob, **more):
		    post(file, statement(of, by, **more), by)
		END
		cat
	} >program
	peer_python <program
}

@test "asked, made, read: which message, when, where, and as it was sent" {
	opens 0 asked
	same out msg
	empty <(grep -v 'from unknown key' err)
	json status 'header["receipt_wanted"] and [e["event"] for e in all] == ["header", "receipt", "opened"]'
	[ "$(sed -n 's/.*"event":"receipt","message_id":"\([0-9a-f]*\)".*/\1/p' status)" = "$(id_of asked)" ]
	reads 0 made
	grep -qxF 'e2e-open: this is a receipt, not a message' err
	grep -qx "message: $(id_of asked)" out
	grep -Eqx 'arrived: [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z' out
	grep -qx "at: $(e2e-contact show bob.pub | sed -n 's/^fingerprint: //p') (bob)" out
	grep -qx 'as sent: yes' out
	says 'from bob (pinned)'
	json status '[e["event"] for e in all] == ["header", "order", "delivery", "opened"]'
	json status 'delivery["as_sent"] and abs(delivery["arrived"] - __import__("time").time()) < 86400'
	json status 'header["media_type"] == "application/e2e-delivery+cwt" and "receipt_wanted" not in header'
}

@test "a receipt is sealed for the sender alone" {
	gives 2 e2e-open -i bob.key got
	gives 2 e2e-open -i mallory.key got
	gives 0 e2e-inspect got
	grep -qx 'recipients: 1' out
	"$PYTHON" -c 'assert b"delivery" not in open("got", "rb").read()'
}

@test "without what was sent, it is only said what arrived" {
	gives 0 e2e-open -q -i alice.key got
	grep -qx 'as sent: not known here' out
	gives 0 e2e-open -q -i alice.key --state empty --status-fd 5 got 5>status
	grep -qx 'as sent: not known here' out
	json status 'not delivery["as_sent"]'
	# Sent without --state nothing is remembered.
	e2e-seal -q -r bob.pub -i alice.key --ask-receipt -o env msg
	opens 0 env
	reads 0 made
	grep -qx 'as sent: not known here' out
}

@test "not asked for: none is made, and nothing that is there is touched" {
	echo old >made
	opens 0 plain.env -v
	says 'no receipt was asked for'
	[ "$(cat made)" = old ]
	rm made
	opens 0 plain.env
	absent made
	json status '"receipt" not in [e["event"] for e in all]'
	# Asked for, but not by --receipt.
	gives 0 e2e-open -q -i bob.key asked
	absent made
	e2e-seal -r bob.pub -o bare msg
	opens 0 bare
	absent made
	tidy
}

@test "nobody can ask for one without a name: 64" {
	gives 64 e2e-seal -r bob.pub --ask-receipt msg
	explained
	empty out
	# Nor by other means.
	peer_python <<-'END' >forged
	import sys
	from e2epeer import labels as L
	from e2epeer.card import parse_lines
	from e2epeer.sealing import Plan, seal
	sys.stdout.buffer.write(seal(Plan(parse_lines(open("bob.pub", "rb").read()),
	    strict=False, claims={L.RECEIPT: True}), b"hello\n"))
	END
	opens 5 forged
	absent made
}

@test "a sender who cannot be verified gets none" {
	peer_python <<-'END' >mode1
	import sys
	from e2epeer import labels as L
	from e2epeer.card import parse_lines
	from e2epeer.identity import read_file
	from e2epeer.sealing import Plan, seal
	cards = parse_lines(open("bob.pub", "rb").read() + open("carol.pub", "rb").read())
	sys.stdout.buffer.write(seal(Plan(cards, mode=1, strict=False, claims={L.RECEIPT: True},
	    sender=read_file(open("alice.key", "rb").read())), b"hello\n"))
	END
	opens 0 mode1 -v
	says 'no receipt: its sender is not known for certain'
	absent made
}

@test "forwarded mail is not receipted: its sender did not send it here" {
	e2e-seal -r carol.pub -i alice.key --ask-receipt --sign-segments -o carols msg
	e2e-rewrap -q -i carol.key -r bob.pub --sign -o passed carols
	opens 0 passed -v
	says 'no receipt: its sender did not send it here'
	absent made
	gives 0 e2e-open -q -i carol.key --receipt made carols
	reads 0 made
	# It is the same message, though: whoever opens the copy first, and
	# remembers it, does not open the original, and makes none.
	rm made
	e2e-seal -r bob.pub -r carol.pub -i alice.key --ask-receipt -o boths msg
	e2e-rewrap -q -i carol.key -r bob.pub --sign -o passed boths
	opens 0 passed --state st
	opens 4 boths --state st
	absent made
}

@test "to a group: each member who opens it, for himself" {
	e2e-wrap-key --new -n friends -i alice.key -r bob.pub -r carol.pub -o friends
	e2e-seal -q -k friends -i alice.key --ask-receipt --state sender -o env msg
	local who
	for who in bob carol; do
		# Also among other keys.
		gives 0 e2e-open -q -i mallory.key -i $who.key -k friends --receipt $who.made env
		reads 0 $who.made
		grep -qx 'as sent: yes' out
		says "at: $(e2e-contact show $who.pub | sed -n 's/^fingerprint: //p')" out
	done
}

@test "to several: each, and hidden ones too" {
	e2e-seal -q -r bob.pub -r carol.pub --hide-recipients -i alice.key --ask-receipt --state sender -o env msg
	local who
	for who in bob carol; do
		gives 0 e2e-open -q -i $who.key --receipt $who.made env
		reads 0 $who.made
		grep -qx 'as sent: yes' out
	done
}

@test "whoever only knew a passphrase makes none, with a key or without" {
	e2e-seal -q --recipient-passphrase-fd 6 $CHEAP -i alice.key --ask-receipt --state sender -o env msg 6<<<horse
	gives 0 e2e-open -v --recipient-passphrase-fd 6 --receipt made env 6<<<horse
	says 'no receipt: it was not sealed for a key'
	absent made
	opens 0 env -v --recipient-passphrase-fd 6 6<<<horse
	says 'no receipt: it was not sealed for a key'
	absent made
	# Beside a key it is the key that opens, and signs.
	e2e-seal -q -r bob.pub --recipient-passphrase-fd 6 $CHEAP -i alice.key --ask-receipt \
	    --state sender -o env msg 6<<<horse
	opens 0 env --recipient-passphrase-fd 6 6<<<horse
	reads 0 made
	grep -qx 'as sent: yes' out
}

@test "-d: one for each that asks, a file by its id in a folder, which -d reads" {
	echo two | e2e-seal -q -r bob.pub -i alice.key --ask-receipt --state sender -o second
	e2e-seal -q -r bob.pub -i alice.key --ask-receipt -o cut msg
	flipped cut -3 >bad
	cat asked plain.env bad second >box
	mkdir d e made
	opens 1 box -d d
	json status 'sum(e["event"] == "receipt" for e in all) == 2'
	[ "$(ls made | sed 's/-[0-9a-f]\{16\}\.receipt$//' | xargs)" = \
	    "$(printf '%s\n' "$(id_of asked)" "$(id_of second)" | sort | xargs)" ]
	json status "any(e.get('file', '').startswith('made/$(id_of asked)-') for e in all)"
	cat made/* >receipts
	reads 0 receipts -d e
	[ "$(grep -c 'this is a receipt, not a message' err)" = 2 ]
	[ "$(ls e | wc -l)" = 2 ]
	[ "$(cat e/* | grep -c 'as sent: yes')" = 2 ]
	# None asks: no file.
	rm made/*
	cat plain.env | opens 4 - -d d
	[ -z "$(ls -A made)" ]
	# The folder of the data will do, and is told when the data are.
	rm d/*
	gives 0 e2e-open -q -i bob.key --receipt d -d d asked
	[ "$(ls d | wc -l)" = 2 ]
}

@test "-d: the folder of receipts has to be there, and nobody's message is taken without" {
	mkdir d
	local place
	for place in missing msg; do
		opens 73 asked --state st -d d --receipt $place --verdict-fd 6 6>verdicts
		explained
		[ "$(cat verdicts)" = 73 ]
		[ -z "$(ls -A d)" ]
	done
	# Where none is asked for, none is needed.
	opens 0 plain.env --state st -d d --receipt missing
	mkdir made
	opens 0 asked --state st -d d
	says 'from unknown key'
	silent 'earlier attempt'
	reads 0 made/*
}

@test "-d: no verdict before the receipt, which lasts" {
	mkdir d made
	# Dies when it says so.
	gives 141 to_nobody e2e-open -q -i bob.key --state st -d d --receipt made --verdict-fd 1 asked
	reads 0 made/*
	grep -qx 'as sent: yes' out
	opens 4 asked --state st -d d
}

@test "a receipt that could not be written: the next attempt makes it" {
	opens 74 asked --state st -o plain --receipt /dev/full
	explained
	same plain msg
	opens 0 asked --state st -o plain
	says 'an earlier attempt to open this did not get to its end'
	same plain msg
	reads 0 made
	grep -qx 'as sent: yes' out
	opens 4 asked --state st -o plain
}

@test "-d: the next attempt makes it, and compares the file that is there" {
	local file
	file=d/$(id_of asked)
	mkdir d made full
	# Its name, from one that was made elsewhere.
	mkdir else where
	e2e-open -q -i bob.key -d else --receipt where asked
	ln -s /dev/full "full/$(ls where)"
	gives 74 e2e-open -q -i bob.key --state st -d d --receipt full --verdict-fd 6 asked 6>verdicts
	explained
	[ "$(cat verdicts)" = 74 ]
	same "$file" msg
	cp -a st cut
	opens 0 asked --state st -d d --verdict-fd 6 6>verdicts
	says 'an earlier attempt to open this did not get to its end'
	[ "$(cat verdicts)" = 0 ]
	same "$file" msg
	[ "$(ls d | wc -l)" = 1 ]
	reads 0 made/*
	grep -qx 'as sent: yes' out
	opens 4 asked --state st -d d
	# Something else under that name is another message: this one has a second
	# name, and its receipt.
	rm -r st made/*
	cp -a cut st
	echo other >"$file"
	opens 0 asked --state st -d d
	[ "$(cat "$file")" = other ]
	same "$file"-* msg
	reads 0 made/*
	opens 4 asked --state st -d d
	# The second one was there, and only its receipt was not.
	rm -r st made/*
	cp -a cut st
	opens 0 asked --state st -d d
	[ "$(cat "$file")" = other ]
	[ "$(ls d | wc -l)" = 2 ]
	reads 0 made/*
	rm made/*
	# Without --state nobody knows that there was an attempt.
	rm d/*
	gives 74 e2e-open -q -i bob.key -d d --receipt full asked
	opens 4 asked -d d
	[ -z "$(ls -A made)" ]
}

# carded: a program of the second implementation, in which card(FILE, SERIAL)
# is a card of the sender `late`, and ask(FILE, CARD) a message under it that
# asks for a receipt.
carded() {
	{
		cat <<-'END'
		from e2epeer import labels as L
		from e2epeer.card import Card, make_card, parse_lines
		from e2epeer.identity import Identity
		from e2epeer.keys import Key, generate, x25519_key
		from e2epeer.sealing import Plan, seal
		keys = generate("x25519")
		bob = parse_lines(open("bob.pub", "rb").read())
		def card(file, serial, more=(), **args):
		    made = Card(make_card([keys[0], *more, keys[1]] if more else keys, "late", serial=serial, **args))
		    open(file, "wb").write(made.line + b"\n")
		    return made
		def ask(file, card):
		    open(file, "wb").write(seal(Plan(bob, sender=Identity(card, keys), strict=False,
		        claims={L.RECEIPT: True}), b"hello\n"))
		END
		cat
	} >program
	peer_python <program
}

@test "the newest card of the sender counts, whether pinned or carried" {
	carded <<-'END'
	old = card("old.pub", 1, exp=1000)
	new = card("new.pub", 2)
	over = card("over.pub", 3, exp=1000)
	ask("by_old", old)
	ask("by_new", new)
	END
	opens 0 by_old -v
	says "no receipt: its sender's card has expired"
	absent made
	e2e-contact pin -q new.pub
	opens 0 by_old
	[ -s made ]
	rm made
	e2e-contact unpin -q late
	e2e-contact pin -q old.pub
	opens 0 by_new
	[ -s made ]
	rm made
	e2e-contact pin -q over.pub
	opens 0 by_new -v
	says "no receipt: its sender's card has expired"
	absent made
	# It is sealed for the key of that card.
	cp -p alice.key before.key
	e2e-key rotate -q alice.key
	e2e-contact pin -q alice.pub
	opens 0 asked
	reads 0 made
	gives 2 e2e-open -i before.key made
}

@test "a card that nothing can be sealed for: a warning, and the message is opened" {
	carded <<-'END'
	ask("env", card("low.pub", 1, [Key({1: 1, 3: L.ECDH, -1: 4, -2: bytes(32)})]))
	END
	gives 5 e2e-seal -r low.pub -o no msg
	opens 0 env --state st
	same out msg
	says 'e2e-open: warning: no receipt: '
	absent made
	json status '"receipt" not in [e["event"] for e in all]'
	opens 4 env --state st
	mkdir d made
	opens 0 env -d d --verdict-fd 6 6>verdicts
	[ "$(cat verdicts)" = 0 ]
	[ -z "$(ls -A made)" ]
	tidy made
}

@test "padded, armored, empty and large mail: the hash is that of the data" {
	: >none
	bytes 5000000 >big
	local file
	for file in none big msg; do
		e2e-seal -q -r bob.pub -i alice.key --pad -a --ask-receipt --state sender -o env $file
		rm -f made
		gives 0 e2e-open -q -i bob.key --receipt made -j 2 -o plain env
		same plain $file
		reads 0 made
		grep -qx 'as sent: yes' out
		json status "delivery['data_hash'] == '$(sha256sum <$file | cut -d' ' -f1)'"
		cat env | gives 0 e2e-open -q -i bob.key --receipt made
		same out $file
		reads 0 made
		grep -qx 'as sent: yes' out
		rm -r sender
	done
}

@test "none when the output failed, was altered, or was refused" {
	local got=0
	opens 73 asked -o missing/plain
	absent made
	opens 74 asked -o /dev/full
	absent made
	e2e-open -q -i bob.key --receipt made asked >/dev/full 2>err || got=$?
	[ $got = 74 ]
	absent made
	opens 73 asked -d missing
	absent made
	flipped asked -3 >bad
	opens 1 bad
	opens 1 bad -o plain
	head -c -1 asked | opens 1 -
	opens 3 asked -s mallory.pub
	opens 3 asked --known
	opens 2 <(e2e-seal -r carol.pub -i alice.key --ask-receipt msg)
	absent made plain
	opens 0 asked --state st
	rm made
	opens 4 asked --state st
	absent made
	tidy
}

@test "the folder of state fails: no receipt" {
	opens 0 plain.env --state st
	rm st/state.db
	opens 78 asked --state st
	empty out
	absent made
}

@test "killed before the end of the message: no receipt, and one at the next try" {
	bytes 6000000 >big
	e2e-seal -q -r bob.pub -i alice.key --ask-receipt --state sender -o env big
	mkfifo slow
	e2e-open -q -i bob.key --state st --receipt made -o plain <slow 2>err 3>&- &
	local child=$! ended=0
	exec 8>slow
	head -c 3000000 env >&8
	kill -KILL $child
	wait $child || ended=$?
	exec 8>&-
	[ $ended = 137 ]
	absent made plain
	opens 0 env --state st -o plain
	reads 0 made
	grep -qx 'as sent: yes' out
	opens 4 env --state st -o plain
}

@test "killed between two messages: the first is there, once, and receipted" {
	bytes 6000000 | e2e-seal -q -r bob.pub -i alice.key --ask-receipt --state sender -o second
	cat asked second >box
	mkfifo slow
	mkdir d made
	e2e-open -q -i bob.key --state st --receipt made -d d <slow 2>err 3>&- &
	local child=$! ended=0
	exec 8>slow
	head -c 3000000 box >&8
	kill -KILL $child
	wait $child || ended=$?
	exec 8>&-
	[ $ended = 137 ]
	same d/* msg
	reads 0 made/*
	says "message: $(id_of asked)" out
	cp -a made before
	opens 4 box --state st -d d --verdict-fd 6 6>verdicts
	[ "$(xargs <verdicts)" = "4 0" ]
	[ "$(ls d | wc -l)" = 2 ]
	same made/"$(id_of asked)"-*.receipt before/*
	reads 0 made/"$(id_of second)"-*.receipt
	says "message: $(id_of second)" out
	[ "$(ls made | wc -l)" = 2 ]
}

@test "a receipt that cannot be written: told before the message is taken" {
	opens 73 asked --state st -o plain --receipt missing/made
	explained
	absent plain
	# So it can be tried again.
	opens 0 asked --state st -o plain
	reads 0 made
	grep -qx 'as sent: yes' out
	# A disk that is full is found later: the message is there.
	gives 74 e2e-open -q -i bob.key --receipt /dev/full -o plain2 asked
	explained
	same plain2 msg
	# Nobody is told about a file that nobody needs.
	gives 0 e2e-open -q -i bob.key --receipt missing/made plain.env
	tidy
}

@test "a receipt does not come into the place of the message, nor among its data" {
	gives 64 e2e-open -i bob.key -o plain --receipt plain asked
	explained
	absent plain
	gives 64 e2e-open -i bob.key --receipt - asked
	explained
	empty out
	local got=0
	gives 73 e2e-open -q -i bob.key -o plain --receipt ./plain asked
	explained
	same plain msg
	e2e-open -q -i bob.key --receipt plain asked >plain 2>err || got=$?
	[ $got = 73 ]
	same plain msg
	cp asked env
	gives 73 e2e-open -q -i bob.key --receipt env env
	same env asked
	# To standard output it goes when that is free.
	e2e-open -q -i bob.key --receipt - -o plain asked | gives 0 e2e-open -q -i alice.key
	says "message: $(id_of asked)" out
	same plain msg
	tidy
}

@test "a sender whose card has expired, or whose key is revoked, gets none" {
	peer_python <<-'END'
	from e2epeer import labels as L
	from e2epeer.card import parse_lines
	from e2epeer.identity import new_identity
	from e2epeer.sealing import Plan, seal
	late = new_identity("x25519", "late", exp=1000)
	open("late", "wb").write(seal(Plan(parse_lines(open("bob.pub", "rb").read()), sender=late,
	    strict=False, claims={L.RECEIPT: True}), b"hello\n"))
	END
	opens 0 late -v
	says "no receipt: its sender's card has expired"
	absent made
	e2e-contact pin -q alice.pub
	e2e-contact pin -q alice.revocation
	opens 0 asked -v
	says "no receipt: its sender's key is revoked"
	absent made
}

wrong_receipts_are_refused() {
	delivered <<-'END'
	receipt("good")
	receipt("data", data=b"hellO\n")
	receipt("ch", ch=bytes(32))
	receipt("unknown", cti=bytes(16))
	END
	local file
	for file in data ch; do
		reads 1 $file && explained && empty out &&
		says 'something else than what was sent' &&
		reads 1 $file -o plain && absent plain || return
	done
}

@test "a receipt for something else than what was sent: 1" {
	wrong_receipts_are_refused
	reads 0 good
	grep -qx 'as sent: yes' out
	reads 0 unknown
	grep -qx 'as sent: not known here' out
}

@test "control: an e2e-open that does not look what was sent is noticed" {
	PATH=$HEEDLESS:$PATH
	no wrong_receipts_are_refused
	reads 0 data
	grep -qx 'as sent: not known here' out
}

@test "who got it is who signs: another's receipt says so, and can be refused" {
	# The message is known to carol, somehow.
	delivered <<<'receipt("carols", by=carol)'
	reads 0 carols
	says "at: $(e2e-contact show carol.pub | sed -n 's/^fingerprint: //p')" out
	silent '(bob)' out
	says 'from unknown key'
	reads 3 carols -s bob
	reads 3 carols --known
	empty out
}

@test "what is no receipt, or not of who sends it: 5, 1, 6; from nobody: 3" {
	delivered <<-'END'
	s = statement("asked", bob)
	open("statement", "wb").write(s)
	post("kid", statement("asked", carol))
	post("signature", s[:-1] + bytes([s[-1] ^ 1]))
	post("text", b"hello")
	post("empty", b"")
	post("longer", s + b"\0")
	post("large", bytes(4097))
	post("claims", make_sign1(bob.signing_key, "application/e2e-delivery+cwt", encode({6: 1})))
	post("typ", make_sign1(bob.signing_key, "application/e2e-revocation+cwt", encode({6: 1})))
	post("nobody", s, None)
	post("words", b"hello\n", mallory)
	open("many", "wb").write(seal(Plan([alice.card, carol.card], sender=bob, mode=2, strict=False,
	    claims={L.MEDIA_TYPE: "application/e2e-delivery+cwt"}), s))
	open("mode1", "wb").write(seal(Plan([alice.card, carol.card], sender=bob, mode=1, strict=False,
	    claims={L.MEDIA_TYPE: "application/e2e-delivery+cwt"}), s))
	END
	local pair
	for pair in "5 kid" "1 signature" "5 text" "5 empty" "5 longer" "6 large" "5 claims" "5 typ" "3 nobody" \
	    "3 mode1"; do
		reads "${pair% *}" "${pair#* }"
		explained
		empty out
		reads "${pair% *}" "${pair#* }" -o plain
		absent plain
	done
	# Not by the front door.
	gives 64 e2e-seal -r alice.pub -i mallory.key --type application/e2e-delivery+cwt -o made msg
	explained
	absent made
	reads 5 words
	e2e-rewrap -q -i carol.key -r alice.pub --sign -o passed many
	reads 3 passed
	explained
	empty out
	reads 0 many
	tidy
}

@test "the words of a receipt in a message are no receipt" {
	reads 0 got
	cp out words
	e2e-seal -r alice.pub -i mallory.key --file-name 'this is a receipt, not a message' \
	    --type 'application/e2e-delivery+cwt; x' -o posing words
	reads 0 posing -v
	same out words
	no grep -qE '^e2e-open: (warning: )?this is a receipt' err
	json status '"delivery" not in [e["event"] for e in all]'
	harmless err e2e-open:
}

@test "a receipt is a message: once, and none of its own" {
	reads 0 got --receipt again
	absent again
	reads 4 got
	empty out
	flipped got -3 >bad
	reads 1 bad
	mkdir d
	reads 4 got -d d
	# -d takes it among others.
	e2e-seal -r alice.pub -i bob.key msg | cat - got >box
	gives 0 e2e-open -q -i alice.key -d d box
	[ "$(grep -l '^as sent: ' d/* | wc -l)" = 1 ]
	[ "$(ls d | wc -l)" = 2 ]
}

@test "what is asked to be receipted is remembered by its id, through other mail" {
	local n
	for n in 1 2 3; do
		echo "$n" | e2e-seal -q -r bob.pub -i alice.key --ask-receipt --state sender -o $n.env
		gives 0 e2e-open -q -i bob.key --receipt $n.got $n.env
	done
	for n in 3 1 2; do
		reads 0 $n.got
		grep -qx 'as sent: yes' out
		says "message: $(id_of $n.env)" out
		reads 4 $n.got
	done
}

@test "through a relay: asked, fetched, opened, receipted, sent back, read" {
	relay_start store
	registered alice bob
	echo hello | e2e-seal -q -r bob.pub -i alice.key --ask-receipt --state sender -o env
	gives 0 e2e-send -q "$RELAY" env
	mkdir inbox outbox
	OPEN='e2e-open -q -i bob.key --state st -d inbox --receipt outbox'
	gives 0 e2e-fetch -q -i bob.key --exec "$OPEN" "$RELAY"
	same inbox/* msg
	[ "$(waiting bob)" = 0 ]
	gives 0 e2e-send -q "$RELAY" outbox/*.receipt
	[ "$(waiting alice)" = 1 ]
	gives 0 e2e-fetch -q -i alice.key --exec 'e2e-open -q -i alice.key -s bob --state sender -o report' "$RELAY"
	grep -qx 'as sent: yes' report
	[ "$(waiting alice)" = 0 ]
	# Whoever sends it again gets no second one.
	rm outbox/*
	gives 0 e2e-send -q "$RELAY" env
	gives 0 e2e-fetch -q -i bob.key --exec "$OPEN || exit 0" "$RELAY"
	[ -z "$(ls -A outbox)" ]
}

@test "through a relay, many at once: a receipt for each, before it is acknowledged" {
	relay_start store
	registered alice bob
	local text
	mkdir inbox outbox reports
	for text in one two three; do
		echo $text | e2e-seal -q -r bob.pub -i alice.key --ask-receipt --state sender -o env.$text
	done
	flipped env.two -3 >bad
	gives 0 e2e-send -q "$RELAY" env.one bad plain.env env.three
	# A place that is not there keeps those at the relay that need it.
	OPEN='e2e-open -q -i bob.key --state st -d inbox --verdict-fd $E2E_VERDICT_FD --receipt'
	gives 75 e2e-fetch -q -i bob.key --batch --exec "$OPEN missing" "$RELAY"
	[ "$(waiting bob)" = 3 ]
	[ "$(cat inbox/*)" = hello ]
	gives 0 e2e-fetch -q -i bob.key --batch --exec "$OPEN outbox" "$RELAY"
	[ "$(waiting bob)" = 0 ]
	[ "$(ls inbox | wc -l)" = 3 ]
	[ "$(ls outbox | wc -l)" = 2 ]
	gives 0 e2e-send -q "$RELAY" outbox/*.receipt
	gives 0 e2e-fetch -q -i alice.key --batch --exec \
	    'e2e-open -q -i alice.key -s bob --state sender -d reports --verdict-fd $E2E_VERDICT_FD' "$RELAY"
	[ "$(cat reports/* | grep -c '^as sent: yes$')" = 2 ]
}
