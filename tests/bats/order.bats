#!/usr/bin/env bats
# --state: numbers of a conversation, what is missing, and nothing twice.
load helpers

setup_file() {
	people alice bob carol mallory
	cd "$BATS_FILE_TMPDIR/keys"
	echo hello >msg
	local n
	# Five messages in a row, and what has sent them.
	for n in 1 2 3 4 5; do
		echo "$n" | e2e-seal -r bob.pub -i alice.key --state "$BATS_FILE_TMPDIR/sender" -o $n.env
	done
	e2e-seal -r bob.pub -i alice.key -o plain.env msg
	e2e-seal -r bob.pub -o bare.env msg
}

setup() {
	stage
	cp -a "$BATS_FILE_TMPDIR/sender" .
}

# opens STATUS FILE [FLAG...]: as bob, with the state in `st`.
opens() {
	local want=$1 file=$2
	shift 2
	gives "$want" e2e-open -i bob.key --state st --status-fd 5 "$@" "$file" 5>status
}

# placed PLACE FILE: opened, and this is its place.
placed() {
	opens 0 "$2" || return
	json status "order['place'] == '$1'"
}

# numbered FILE SENDER CONVERSATION NUMBER [IAT]: by the second implementation.
numbered() {
	peer_python "$@" <<-'END'
	import sys, time
	from e2epeer import labels as L
	from e2epeer.card import parse_lines
	from e2epeer.identity import read_file
	from e2epeer.sealing import Plan, seal
	file, sender, conversation, number, *iat = sys.argv[1:]
	open(file, "wb").write(seal(Plan(parse_lines(open("bob.pub", "rb").read()),
	    sender=read_file(open(sender + ".key", "rb").read()) if sender else None, strict=False,
	    iat=int(iat[0]) if iat else None,
	    claims={L.CONVERSATION: bytes.fromhex(conversation), L.SEQUENCE: int(number)}), b"hello\n"))
	END
}
ONE=11111111111111111111111111111111
TWO=22222222222222222222222222222222

# Rows of the database in folder st, changed by hand.
database() {
	"$PYTHON" - "$@" <<-'END'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1] + "/state.db")
	print(db.execute(sys.argv[2]).fetchall())
	db.commit()
	END
}

@test "in order: first, then next" {
	local n
	placed first 1.env
	for n in 2 3 4 5; do
		placed next $n.env
		[ "$(cat out)" = $n ]
		json status "order['sequence'] == $n and not order['interrupted'] and header['sequence'] == $n"
	done
	silent number
	[ "$(mode_of st)" = 700 ]
	[ "$(mode_of st/state.db)" = 600 ]
}

@test "a gap is told, and what comes late, too" {
	placed first 1.env
	placed gap 3.env
	says 'number 3 of its conversation; 2 has not come yet'
	json status 'order["missing_from"] == 2 and order["missing_to"] == 2'
	placed late 2.env
	says 'number 2 of its conversation comes late'
	[ "$(cat out)" = 2 ]
	placed gap 5.env
	placed late 4.env
	# Whoever begins in the middle does not know of a beginning.
	rm -r st
	placed first 3.env
	placed late 1.env
	placed gap 5.env
	says '4 has not come yet'
	numbered nine alice $ONE 9
	numbered far alice $ONE 20
	placed first nine
	placed gap far
	says '10 to 19 have not come yet'
}

nothing_comes_twice() {
	local file
	for file in 1.env plain.env bare.env; do
		opens 0 $file &&
		opens 4 $file && explained &&
		says 'this message was opened before' && empty out &&
		opens 4 $file -o plain && absent plain &&
		opens 4 - <$file && empty out &&
		cat $file | opens 4 - || return
	done
}

@test "the same again: 4, and no byte comes out" {
	nothing_comes_twice
	json status 'error["status"] == 4 and "order" not in globals() and "header" not in [e["event"] for e in all]'
	# Without the folder nothing is remembered.
	gives 0 e2e-open -q -i bob.key 1.env
	gives 0 e2e-open -q -i bob.key --state other 1.env
	tidy
}

@test "unnumbered mail has no place" {
	opens 0 plain.env
	json status 'order["place"] == "none" and "sequence" not in order and "sequence" not in header'
	opens 0 bare.env
	json status 'order["place"] == "none"'
}

# A copy of the sender's folder was put back.
a_number_is_used_once() {
	rm -rf old &&
	cp -a sender old &&
	opens 0 5.env &&
	echo six | e2e-seal -q -r bob.pub -i alice.key --state sender -o six &&
	echo SIX | e2e-seal -q -r bob.pub -i alice.key --state old -o six2 &&
	opens 0 six &&
	opens 4 six2 && explained && empty out &&
	says 'number 6: this number of the conversation was used by another message'
}

@test "a number given to another message: 4" {
	a_number_is_used_once
	# It stays refused, and the others go on.
	opens 4 six2
	says 'number 6'
	echo seven | e2e-seal -q -r bob.pub -i alice.key --state sender -o seven
	placed next seven
}

what_is_far_behind_is_refused() {
	numbered far alice $ONE 2000 &&
	numbered behind alice $ONE 976 &&
	opens 0 far &&
	opens 4 behind && explained && empty out &&
	says 'number 976' && says 'too far behind'
}

@test "more than 1024 behind: 4; within, late" {
	what_is_far_behind_is_refused
	numbered late alice $ONE 977
	numbered first alice $ONE 1
	opens 4 first
	placed late late
	opens 4 late
	says 'opened before'
}

@test "control: an e2e-open to which every message is new is noticed" {
	PATH=$HEEDLESS:$PATH
	opens 0 1.env
	[ "$(cat out)" = 1 ]
	no nothing_comes_twice
	no a_number_is_used_once
	no what_is_far_behind_is_refused
	# For that, and for nothing else.
	opens 0 behind
	opens 2 <(e2e-seal -r carol.pub msg)
}

@test "numbers up to 2^63 - 1, and none beyond: 6" {
	numbered most alice $ONE $(((1 << 63) - 1))
	numbered more alice $ONE 9223372036854775808
	numbered zero alice $TWO 0
	placed first most
	opens 6 more
	explained
	empty out
	# Writers begin with 1; readers do not mind.
	placed first zero
	# A sender who has used them all gives out no more.
	database sender 'UPDATE own SET last = 9223372036854775807'
	gives 6 e2e-seal -r bob.pub -i alice.key --state sender -o made msg
	explained
	absent made
}

@test "a sender's numbers are his own, and a conversation's are its own" {
	numbered a alice $ONE 5
	numbered b alice $TWO 5
	numbered c mallory $ONE 9
	numbered d alice $ONE 6
	placed first a
	placed first b
	placed first c
	placed next d
}

@test "numbers of nobody mean nothing" {
	# Signed for others, too, in the header only: whoever can read it
	# could have made it.
	peer_python <<-'END'
	from e2epeer import labels as L
	from e2epeer.card import parse_lines
	from e2epeer.identity import read_file
	from e2epeer.sealing import Plan, seal
	cards = parse_lines(open("bob.pub", "rb").read() + open("carol.pub", "rb").read())
	alice = read_file(open("alice.key", "rb").read())
	for name, n, plan in (("mode1", 1000, {"mode": 1, "sender": alice}), ("other", 7, {"mode": 2, "sender": alice})):
	    open(name, "wb").write(seal(Plan(cards, strict=False,
	        claims={L.CONVERSATION: b"\x11" * 16, L.SEQUENCE: n}, **plan), b"hello\n"))
	END
	opens 0 mode1
	json status 'order["place"] == "none"'
	placed first other
	opens 4 mode1
	# Nor have they to be nobody's.
	numbered bare '' $ONE 3
	opens 0 bare
	json status 'order["place"] == "none"'
}

@test "one conversation for each set of recipients, whatever they are called" {
	local n
	e2e-contact pin -q bobby bob.pub
	seal() {
		echo x | gives 0 e2e-seal -q -i alice.key --state s --status-fd 5 "$@" 5>status
		"$PYTHON" -c '
import json
e = json.loads(open("status").readlines()[-1])
print(e["sequence"], e["conversation"])' >number
	}
	seal -r bob.pub
	cp number first
	[ "$(cut -d' ' -f1 number)" = 1 ]
	seal -r bobby
	[ "$(cat number)" = "2 $(cut -d' ' -f2 first)" ]
	seal -r bobby -r "$(cat bob.pub)" --pad -a
	[ "$(cat number)" = "3 $(cut -d' ' -f2 first)" ]
	seal -r carol.pub -r bob.pub
	cp number second
	[ "$(cut -d' ' -f1 number)" = 1 ]
	seal -R <(cat bob.pub carol.pub)
	[ "$(cat number)" = "2 $(cut -d' ' -f2 second)" ]
	seal -r bob.pub --recipient-passphrase-fd 6 $CHEAP 6<<<horse
	[ "$(cut -d' ' -f1 number)" = 1 ]
	# A name is one for any recipients, and no set of recipients.
	seal -r bob.pub --conversation news
	cp number news
	seal -r carol.pub --conversation news
	[ "$(cat number)" = "2 $(cut -d' ' -f2 news)" ]
	seal -r carol.pub --conversation bobby
	[ "$(cut -d' ' -f1 number)" = 1 ]
	# Of another sender they are others.
	echo x | gives 0 e2e-seal -q -i carol.key --state s --status-fd 5 -r bob.pub 5>status
	json status 'sealed["sequence"] == 1'
	[ "$(cut -d' ' -f2 first second news | sort -u | wc -l)" = 3 ]
}

@test "what --state and --conversation need: 64" {
	gives 64 e2e-seal -r bob.pub --state s msg
	explained
	gives 64 e2e-seal -r bob.pub -i alice.key --conversation x msg
	explained
	gives 64 e2e-seal -r bob.pub -i alice.key --state s --conversation '' msg
	gives 64 e2e-seal -r bob.pub -i alice.key --state '' msg
	gives 64 e2e-open -i bob.key --state '' 1.env
	empty out
	absent s
}

@test "two conversations at once, of one sender" {
	local n
	for n in 1 2 3; do
		echo "$n" | e2e-seal -q -r bob.pub -i alice.key --state s --conversation a -o a$n
		echo "$n" | e2e-seal -q -r bob.pub -i alice.key --state s --conversation b -o b$n
	done
	placed first a1
	placed first b1
	placed gap b3
	placed next a2
	placed late b2
	placed next a3
}

@test "both ways: each has numbers of one's own in one folder" {
	e2e-seal -q -r bob.pub -i alice.key --state at_alice -o to_bob msg
	gives 0 e2e-open -q -i bob.key --state at_bob to_bob
	e2e-seal -q -r alice.pub -i bob.key --state at_bob -o to_alice msg
	gives 0 e2e-open -q -i alice.key --state at_alice --status-fd 5 to_alice 5>status
	json status 'order["place"] == "first" and header["sequence"] == 1'
	e2e-seal -q -r bob.pub -i alice.key --state at_alice -o to_bob msg
	gives 0 e2e-open -q -i bob.key --state at_bob --status-fd 5 to_bob 5>status
	json status 'order["place"] == "next" and header["sequence"] == 2'
}

@test "an altered payload is not remembered: the good copy opens afterwards" {
	flipped 1.env -3 >bad
	opens 1 bad
	explained
	opens 1 bad -o plain
	absent plain
	cat bad | opens 1 -
	head -c -1 1.env >cut
	opens 1 cut
	cat cut | opens 1 -
	flipped 1.env 90 >bad
	opens 2 bad
	opens 0 1.env -o plain
	json status 'order["place"] == "first" and not order["interrupted"]'
	[ "$(cat plain)" = 1 ]
	opens 4 1.env
}

@test "what is refused for its sender, its date or what follows is not remembered" {
	opens 3 1.env -s mallory.pub
	opens 3 1.env --known
	cat 1.env 2.env >two
	opens 5 two
	peer seal --recipient bob.pub --sender alice.key --exp 1000 <msg >expired
	opens 4 expired
	opens 0 expired --allow-expired
	opens 0 1.env -s alice.pub
	json status 'order["place"] == "first" and not order["interrupted"]'
	# From another reader's view it is new.
	e2e-seal -r bob.pub -r carol.pub -i alice.key -o both msg
	opens 0 both
	gives 0 e2e-open -q -i carol.key --state carols both
}

@test "output that fails is not remembered: -o, standard output, -d" {
	local got=0
	mkdir d
	opens 73 1.env -o missing/plain
	opens 74 1.env -o /dev/full
	e2e-open -q -i bob.key --state st 1.env >/dev/full 2>err || got=$?
	[ $got = 74 ]
	got=0
	to_nobody e2e-open -q -i bob.key --state st 1.env 2>err || got=$?
	[ $got = 141 ] || [ $got = 74 ]
	opens 73 1.env -d missing
	printf 'x\033[2Jy' | e2e-seal -q -r bob.pub -i alice.key --state sender -o rude
	prints 73 'e2e-open -q -i bob.key --state st rude'
	opens 0 rude -o plain
	# A reader who went away may leave an attempt, but no refusal.
	opens 0 1.env
	[ "$(cat out)" = 1 ]
	opens 4 1.env
}

@test "-o, standard output, a file there, a pipe, -d: all are remembered" {
	mkdir d
	opens 0 1.env -o plain
	opens 4 1.env
	e2e-open -q -i bob.key --state st 2.env >plain
	opens 4 2.env
	e2e-open -q -i bob.key --state st 3.env | cat >plain
	[ "$(cat plain)" = 3 ]
	opens 4 3.env
	e2e-open -q -i bob.key --state st 4.env >>plain
	[ "$(cat plain)" = "$(printf '3\n4')" ]
	opens 0 5.env -d d
	[ "$(cat d/*)" = 5 ]
	opens 4 5.env
}

@test "-d over a mailbox: each in its place, the repeated one refused" {
	mkdir d e
	cat 1.env 3.env 2.env 1.env 5.env >box
	opens 4 box -d d --verdict-fd 6 6>verdicts
	[ "$(xargs <verdicts)" = "0 0 0 4 0" ]
	json status '[e["place"] for e in all if e["event"] == "order"] == ["first", "gap", "late", "gap"]'
	[ "$(ls d | wc -l)" = 4 ]
	# Somewhere else it is the folder of state that knows.
	opens 4 box -d e --verdict-fd 6 6>verdicts
	[ "$(xargs <verdicts)" = "4 4 4 4 4" ]
	[ -z "$(ls -A e)" ]
	cat 4.env >>box
	opens 4 box -d e --verdict-fd 6 6>verdicts
	[ "$(xargs <verdicts)" = "4 4 4 4 4 0" ]
	flipped 1.env -3 | cat - plain.env >box
	rm -r st
	opens 1 box -d e --verdict-fd 6 6>verdicts
	[ "$(xargs <verdicts)" = "1 0" ]
	placed first 1.env
}

# squatted FILE: another message of mallory's, with the id of plain.env.
squatted() {
	peer_python "$1" <<-'END'
	import sys
	from e2epeer import labels as L
	from e2epeer.identity import read_file
	from e2epeer.opening import Reader, open_envelope
	from e2epeer.sealing import Plan, seal
	bob, mallory = (read_file(open(n + ".key", "rb").read()) for n in ("bob", "mallory"))
	opened = open_envelope(open("plain.env", "rb").read(), Reader([bob]))
	open(sys.argv[1], "wb").write(seal(Plan([bob.card], sender=mallory, strict=False,
	    cti=opened.metadata.claims[L.CTI]), b"other\n"))
	END
}

# an_id_taken_before_hides_nothing [FLAG...]
an_id_taken_before_hides_nothing() {
	rm -rf st d && mkdir d &&
	gives 0 e2e-open -q -i bob.key "$@" -d d squatted &&
	gives 0 e2e-open -q -i bob.key "$@" --status-fd 5 -d d plain.env 5>status &&
	[ "$(cat d/* | sort | xargs)" = 'hello other' ]
}

@test "-d: an id that somebody else used before hides no message" {
	squatted squatted
	an_id_taken_before_hides_nothing --state st
	local id
	id=$(ls d | grep -Ex '[0-9a-f]{32}')
	[ "$(cat d/$id)" = other ]
	ls d | grep -qEx "$id-[0-9a-f]{16}"
	same d/$id-* msg
	json status "opened['message_id'] == '$id' and opened['file'].startswith('d/$id-')"
	# Each of them once.
	cat squatted plain.env >box
	opens 4 box -d d --verdict-fd 6 6>verdicts
	[ "$(xargs <verdicts)" = '4 4' ]
	[ "$(ls d | wc -l)" = 2 ]
	# One that is not remembered, and is there by both names, is not written
	# over either.
	cp -a d before
	rm -r st
	opens 4 plain.env -d d
	diff -r d before
	# Without --state a file of that name is the message.
	no an_id_taken_before_hides_nothing
	gives 4 e2e-open -q -i bob.key -d d plain.env
	[ "$(cat d/*)" = other ]
	tidy d
}

@test "killed in the middle: opened again, and told that there was an attempt" {
	bytes 6000000 | e2e-seal -q -r bob.pub -i alice.key --state sender -o big
	mkfifo slow
	e2e-open -q -i bob.key --state st -o plain <slow 2>err 3>&- &
	local child=$!
	exec 8>slow
	head -c 3000000 big >&8
	kill -KILL $child
	local ended=0
	wait $child || ended=$?
	exec 8>&-
	[ $ended = 137 ]
	absent plain
	opens 0 big -o plain
	says 'an earlier attempt to open this did not get to its end'
	json status 'order["interrupted"] and order["place"] == "first"'
	bytes 6000000 | cmp - plain
	opens 4 big
}

# The first message of st as it is between file and note: admitted, and nothing
# known of the number.
unnoted() {
	database st 'UPDATE message SET done=0, sender=(SELECT sender FROM numbers),
	    conversation=(SELECT conversation FROM numbers), number=1'
	database st 'DELETE FROM numbers'
}

@test "-d, killed when the file was there and not yet noted: finished, and not twice" {
	mkdir box
	opens 0 1.env -d box
	local file
	file=$(echo box/*)
	unnoted
	cp -a st cut
	opens 0 1.env -d box
	says 'an earlier attempt to open this did not get to its end'
	[ "$(cat "$file")" = 1 ]
	placed next 2.env
	opens 4 1.env -d box
	# Something else under that name is another message, and is left alone.
	local other
	for other in other 1x '' 1; do
		rm -rf st
		cp -a cut st
		printf %s "$other" >"$file"
		opens 0 1.env -d box
		[ "$(cat "$file")" = "$other" ]
		[ "$(cat "$file"-*)" = 1 ]
		opens 4 1.env -d box
		# And so is something else under its second name.
		rm -rf st
		cp -a cut st
		echo changed >"$(echo "$file"-*)"
		opens 4 1.env -d box
		says 'there already'
		[ "$(cat "$file"-*)" = changed ]
		rm "$file"-*
	done
	rm -rf st
	cp -a cut st
	rm "$file"
	opens 0 1.env -d box
	[ "$(cat "$file")" = 1 ]
}

@test "-d, killed when the file was there: an altered copy in between changes nothing" {
	mkdir box
	opens 0 1.env -d box
	local file n
	file=$(echo box/*)
	unnoted
	flipped 1.env -3 >bad
	head -c -1 1.env >cut
	for n in bad cut bad; do
		opens 1 $n -d box
		opens 1 $n -o plain
		absent plain
		[ "$(cat "$file")" = 1 ]
	done
	opens 73 1.env -o missing/plain
	opens 0 1.env -d box
	says 'an earlier attempt to open this did not get to its end'
	json status 'opened["file"] == "'"$file"'" and order["place"] == "first"'
	placed next 2.env
	opens 4 1.env -d box
	[ "$(ls box | wc -l)" = 1 ]
}

@test "a sender who is killed leaves a gap, and uses no number twice" {
	mkfifo slow
	e2e-seal -q -r bob.pub -i alice.key --state sender -o made <slow 3>&- &
	local child=$!
	exec 8>slow
	bytes 3000000 >&8
	kill -KILL $child
	wait $child || true
	exec 8>&-
	absent made
	echo seven | e2e-seal -q -r bob.pub -i alice.key --state sender -o seven
	placed first 5.env
	placed gap seven
	says '6 has not come yet'
	# A failure uses one up, too.
	gives 74 e2e-seal -q -r bob.pub -i alice.key --state sender -o /dev/full msg
	gives 73 e2e-seal -q -r bob.pub -i alice.key --state sender -o missing/x msg
	e2e-seal -q -r bob.pub -i alice.key --state sender -o later msg
	placed gap later
	says '8 has not come yet'
}

@test "one envelope, eight at once: one opens it, the others are refused" {
	bytes 3000000 | e2e-seal -q -r bob.pub -i alice.key --state sender -o big
	local n pids=()
	for n in 1 2 3 4 5 6 7 8; do
		e2e-open -q -i bob.key --state st -o out.$n big 2>err.$n 3>&- &
		pids+=($!)
	done
	local got result=()
	for n in "${pids[@]}"; do
		got=0
		wait "$n" || got=$?
		result+=($got)
	done
	[ "$(printf '%s\n' "${result[@]}" | sort | xargs)" = "0 4 4 4 4 4 4 4" ]
	[ "$(ls out.* | wc -l)" = 1 ]
	bytes 3000000 | cmp - out.*
}

@test "who waits for the same message gives up: 75, and the first goes on" {
	bytes 3000000 | e2e-seal -q -r bob.pub -i alice.key --state sender -o big
	mkfifo slow
	e2e-open -q -i bob.key --state st --status-fd 5 -o plain <slow 2>err.1 3>&- 5>status.1 &
	local child=$!
	exec 8>slow
	head -c 2900000 big >&8
	# The line that is written when it was admitted.
	until grep -qs '"order"' status.1; do kill -0 $child; sleep 0.01; done
	mkdir d
	local got=0
	timeout 300 e2e-open -i bob.key --state st -d d --verdict-fd 6 big 6>verdicts 2>err 8>&- || got=$?
	[ $got = 75 ]
	explained
	says 'another process is opening the same message'
	[ "$(cat verdicts)" = 75 ]
	[ -z "$(ls -A d)" ]
	tail -c +2900001 big >&8
	exec 8>&-
	wait $child
	bytes 3000000 | cmp - plain
	opens 4 big
}

@test "many messages, opened by many at once: each exactly once" {
	local n pids=()
	cat 1.env 2.env 3.env 4.env 5.env plain.env bare.env >box
	for n in 1 2 3 4; do
		mkdir d$n
		e2e-open -q -i bob.key --state st -d d$n --verdict-fd 5 box 2>err.$n 3>&- 5>verdicts.$n &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n" || true; done
	[ "$(cat verdicts.* | sort | uniq -c | xargs)" = "7 0 21 4" ]
	[ "$(ls d1 d2 d3 d4 | grep -Ec '^[0-9a-f]{32}$')" = 7 ]
	[ "$(ls d1 d2 d3 d4 | grep -E '^[0-9a-f]{32}$' | sort -u | wc -l)" = 7 ]
}

@test "eight seal at once: no number twice, none left out" {
	local n pids=()
	for n in 1 2 3 4 5 6 7 8; do
		e2e-seal -q -r bob.pub -i alice.key --state s --status-fd 5 -o s.$n msg 5>status.$n 3>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n"; done
	cat status.* >status
	json status 'sorted(e["sequence"] for e in all) == list(range(1, 9))'
	json status 'len({e["conversation"] for e in all}) == 1'
}

@test "--max-age and --max-skew: what is refused is not remembered" {
	local now
	now=$(date +%s)
	numbered old alice $ONE 1 $((now - 7200))
	numbered ahead alice $ONE 2 $((now + 7200))
	opens 4 old --max-age 1h
	explained
	says 'too old'
	opens 4 ahead --max-skew 1h
	explained
	says 'in the future'
	opens 4 ahead --max-age 1d --max-skew 1h
	opens 0 ahead --max-skew 3h
	opens 0 old --max-age 3h
	json status 'order["place"] == "late"'
	numbered far alice $ONE 3 $((now + 200000))
	opens 4 far --max-age 1h
	opens 0 far --max-age 1h --max-skew 3d
	numbered never alice $ONE 4 18446744073709551615
	opens 4 never
	says 'in the future'
	gives 64 e2e-open -i bob.key --max-skew 0 old
	gives 64 e2e-open -i bob.key --max-skew soon old
}

@test "what the folder has forgotten is refused: 4, and why is said" {
	opens 0 1.env
	database st "UPDATE self SET horizon = $(($(date +%s) + 86400))"
	opens 4 2.env
	explained
	says 'too old'
	says 'st has forgotten'
	empty out
}

@test "a folder of state written by a newer version: 78, and it is left alone" {
	opens 0 1.env
	echo 'e2e state 2' >st/format
	cp -a st before
	opens 78 2.env -o plain
	explained
	says 'newer version'
	gives 78 e2e-seal -q -r bob.pub -i alice.key --state st -o made msg
	absent plain made
	diff -r st before
	echo 'e2e state 1' >st/format
	database st 'PRAGMA user_version = 2'
	cp -a st after
	opens 78 2.env -o plain
	says 'newer version'
	absent plain
	diff -r st after
}

# damaged NAME: a copy of st with this damage, in `bad`.
damaged() {
	rm -rf bad
	cp -a st bad
	case $1 in
	gone) rm bad/state.db ;;
	empty) : >bad/state.db ;;
	short) truncate -s 4096 bad/state.db ;;
	head) truncate -s 50 bad/state.db ;;
	text) cp msg bad/state.db ;;
	zeros) head -c 49152 /dev/zero >bad/state.db ;;
	schema) dd if=/dev/zero of=bad/state.db bs=1 seek=110 count=2000 conv=notrunc 2>/dev/null ;;
	pages) dd if=/dev/urandom of=bad/state.db bs=4096 seek=1 conv=notrunc count=11 2>/dev/null ;;
	other) database bad 'PRAGMA application_id = 7' ;;
	table) database bad 'DROP TABLE message' ;;
	self) database bad 'DELETE FROM self' ;;
	window) database bad "UPDATE numbers SET bits = x'01'" ;;
	folder) rm bad/state.db; mkdir bad/state.db ;;
	format) echo nonsense >bad/format ;;
	noformat) : >bad/format ;;
	older) echo 'e2e state 0' >bad/format ;;
	long) head -c 100000 /dev/zero >bad/format ;;
	esac >/dev/null
	rm -rf before
	cp -a bad before
}

@test "a damaged folder of state: 78 or 74, nothing comes out, nothing is made anew" {
	local kind got
	opens 0 1.env
	for kind in gone empty short head text zeros schema pages other table self window folder format \
	    noformat older long; do
		damaged $kind
		got=0
		e2e-open -i bob.key --state bad -o plain 2.env >out 2>err || got=$?
		case $got in
		73 | 74 | 78) ;;
		*) echo "$kind: status $got"; cat err; return 1 ;;
		esac
		explained
		absent plain
		diff -r bad before
		got=0
		e2e-open -i bob.key --state bad 2.env >out 2>err || got=$?
		[ $got != 0 ]
		empty out
		# Sealing does not look at the window.
		[ $kind = window ] || {
			got=0
			e2e-seal -q -r bob.pub -i alice.key --state bad -o made msg 2>err || got=$?
			case $got in
			73 | 74 | 78) absent made ;;
			*) echo "$kind: status $got"; cat err; return 1 ;;
			esac
		}
		rm -f made
	done
	damaged gone
	gives 78 e2e-open -i bob.key --state bad 2.env
	says 'it is gone'
	says 'with an older copy in its place'
	# The good one is as good as before.
	opens 4 1.env
	placed next 2.env
}

@test "a fifo, a link or a folder in place of a file of the state: 78, at once, and nothing is made" {
	local name kind
	opens 0 1.env
	for name in format lock state.db state.db-journal; do
		for kind in fifo link folder; do
			rm -rf bad
			cp -a st bad
			rm -f bad/$name
			case $kind in
			fifo) mkfifo bad/$name ;;
			link) ln -s ../elsewhere bad/$name ;;
			folder) mkdir bad/$name ;;
			esac
			gives 78 timeout 60 e2e-open -i bob.key --state bad -o plain 2.env
			explained
			says 'no regular file'
			gives 78 timeout 60 e2e-seal -q -r bob.pub -i alice.key --state bad -o made msg
			absent plain made elsewhere
		done
	done
	# Nor in a new one.
	mkdir new
	ln -s ../elsewhere new/state.db
	gives 78 e2e-open -i bob.key --state new -o plain 2.env
	absent plain elsewhere
}

@test "a folder that cannot be made, is a file, or cannot be written: nothing comes out" {
	local got file
	gives 73 e2e-open -i bob.key --state missing/st -o plain 1.env
	explained
	gives 73 e2e-open -i bob.key --state msg -o plain 1.env
	explained
	gives 73 e2e-seal -r bob.pub -i alice.key --state msg -o made msg
	mkdir closed
	chmod 555 closed
	gives 73 ordinary e2e-open -i bob.key --state closed -o plain 1.env
	explained
	gives 73 ordinary e2e-open -i bob.key --state closed/st -o plain 1.env
	absent plain made closed/st
	[ -z "$(ls -A closed)" ]
	opens 0 1.env
	# Not root's to write, for tests that root runs.
	for file in st/state.db st/lock st; do
		chmod a-w $file
		got=0
		ordinary e2e-open -i bob.key --state st -o plain 2.env >out 2>err || got=$?
		echo "$file: status $got"
		cat err
		case $got in
		73 | 74 | 78) ;;
		*) return 1 ;;
		esac
		explained
		absent plain
		chmod u+w $file
	done
	placed next 2.env
	ln -s st link
	opens 4 1.env
	gives 4 e2e-open -i bob.key --state link 1.env
}

@test "a full disk under the state: 74 or 73, and nothing comes out" {
	cat >script <<-'END'
	set -u
	mount -t tmpfs -o size=64k none disk || exit 99
	head -c 100000 /dev/zero >disk/filler 2>/dev/null
	e2e-open -i bob.key --state disk/st -o plain 1.env 2>err
	echo $? >status
	e2e-seal -r bob.pub -i alice.key --state disk/st -o made msg 2>err2
	echo $? >>status
	END
	mkdir disk
	# Where that is not allowed: the largest size of a file.
	if ! unshare -m bash script 2>why; then
		local got=0
		(ulimit -f 8; trap '' XFSZ; exec e2e-open -i bob.key --state st -o plain 1.env) 2>err || got=$?
		echo $got $got >status
	fi
	xargs <status | grep -Eqx '(73|74) (73|74)'
	explained
	absent plain made
}

@test "two copies of one folder do not know of each other, which is why it is not copied" {
	opens 0 1.env
	cp -a st copy
	opens 0 2.env
	gives 0 e2e-open -q -i bob.key --state copy 2.env
	gives 4 e2e-open -q -i bob.key --state copy 1.env
}

@test "a copy of other bytes for other readers is the same message: 4" {
	e2e-seal -q -r bob.pub -r carol.pub -i alice.key --state s -o both msg
	opens 0 both
	e2e-rewrap -q -i carol.key -r bob.pub --sign -o copy both
	opens 4 copy
	says 'opened before'
	# And one that came first through others has the sender's number.
	e2e-seal -q -r bob.pub -r carol.pub -i alice.key --state s -o second msg
	e2e-rewrap -q -i carol.key -r bob.pub -o copy second
	placed next copy
	opens 4 second
	# In armor, too.
	e2e-seal -q -a -r bob.pub -r carol.pub -i alice.key --state s -o third msg
	placed next third
	"$PYTHON" - <<-'END'
	import base64
	text = open("third", "rb").read().split(b"-----")[2]
	open("binary", "wb").write(base64.b64decode(text))
	END
	opens 4 binary
}

@test "numbers in a group go by its member who sends" {
	e2e-wrap-key --new -n g -i alice.key -r bob.pub -r carol.pub -o g
	local n
	for n in 1 2; do
		e2e-seal -q -k g -i alice.key --state alices -o a$n msg
		e2e-seal -q -k g -i carol.key --state carols -o c$n msg
	done
	for n in a1 c1; do
		opens 0 $n -k g
		json status 'order["place"] == "first"'
	done
	for n in c2 a2; do
		opens 0 $n -k g
		json status 'order["place"] == "next"'
	done
	opens 4 a1 -k g
}
