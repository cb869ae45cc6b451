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
	json status 'header["receipt_wanted"] and [e["event"] for e in all][-1] == "receipt"'
	[ "$(sed -n 's/.*"event":"receipt","message_id":"\([0-9a-f]*\)".*/\1/p' status)" = "$(id_of asked)" ]
	reads 0 made
	grep -qx "message: $(id_of asked)" out
	grep -Eqx 'arrived: [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z' out
	grep -qx "at: $(e2e-contact show bob.pub | sed -n 's/^fingerprint: //p') (bob)" out
	grep -qx 'as sent: yes' out
	says 'from bob (pinned)'
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

@test "of a passphrase, whoever has a key signs, and nobody else" {
	e2e-seal -q --recipient-passphrase-fd 6 $CHEAP -i alice.key --ask-receipt --state sender -o env msg 6<<<horse
	gives 0 e2e-open -v --recipient-passphrase-fd 6 --receipt made env 6<<<horse
	says 'no receipt: there is no key to sign it with'
	absent made
	opens 0 env --recipient-passphrase-fd 6 6<<<horse
	reads 0 made
	grep -qx 'as sent: yes' out
}

@test "-d: one for each that asks, in one file, which -d reads" {
	echo two | e2e-seal -q -r bob.pub -i alice.key --ask-receipt --state sender -o second
	e2e-seal -q -r bob.pub -i alice.key --ask-receipt -o cut msg
	flipped cut -3 >bad
	cat asked plain.env bad second >box
	mkdir d e
	opens 1 box -d d
	json status 'sum(e["event"] == "receipt" for e in all) == 2'
	reads 0 made -d e
	[ "$(ls e | wc -l)" = 2 ]
	[ "$(cat e/* | grep -c 'as sent: yes')" = 2 ]
	# None asks: no file.
	rm made
	cat plain.env | opens 4 - -d d
	absent made
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

@test "killed between two messages: the first is there, once, and not receipted" {
	bytes 6000000 | e2e-seal -q -r bob.pub -i alice.key --ask-receipt --state sender -o second
	cat asked second >box
	mkfifo slow
	mkdir d
	e2e-open -q -i bob.key --state st --receipt made -d d <slow 2>err 3>&- &
	local child=$! ended=0
	exec 8>slow
	head -c 3000000 box >&8
	kill -KILL $child
	wait $child || ended=$?
	exec 8>&-
	[ $ended = 137 ]
	same d/* msg
	absent made
	# A message is not taken again for the sake of its receipt.
	opens 4 box --state st -d d --verdict-fd 6 6>verdicts
	[ "$(xargs <verdicts)" = "4 0" ]
	[ "$(ls d | wc -l)" = 2 ]
	reads 0 made
	says "message: $(id_of second)" out
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
	# By the front door, too: anybody can write these words.
	e2e-seal -r alice.pub -i mallory.key --type application/e2e-delivery+cwt -o words msg
	reads 5 words
	e2e-seal -r alice.pub -r carol.pub -i bob.key --type application/e2e-delivery+cwt \
	    -o many statement
	e2e-rewrap -q -i carol.key -r alice.pub --sign -o passed many
	reads 3 passed
	explained
	empty out
	reads 0 many
	tidy
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
	mkdir inbox
	cat >deliver <<-'END'
	e2e-open -q -i bob.key --state st -d inbox --receipt back || exit
	[ ! -e back ] || e2e-send -q "$RELAY" back >sent
	END
	export RELAY
	gives 0 e2e-fetch -q -i bob.key --exec 'sh deliver' "$RELAY"
	same inbox/* msg
	[ "$(waiting bob)" = 0 ]
	[ "$(waiting alice)" = 1 ]
	gives 0 e2e-fetch -q -i alice.key --exec 'e2e-open -q -i alice.key -s bob --state sender -o report' "$RELAY"
	grep -qx 'as sent: yes' report
	[ "$(waiting alice)" = 0 ]
	# Whoever sends it again gets no second one.
	rm back
	gives 0 e2e-send -q "$RELAY" env
	gives 0 e2e-fetch -q -i bob.key --exec 'e2e-open -q -i bob.key --state st -d inbox --receipt back || exit 0' "$RELAY"
	absent back
}
