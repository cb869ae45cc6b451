#!/usr/bin/env bats
# Bob has lost his device: his contacts and what he remembered are gone, his
# key file and an archive of envelopes are left.
load helpers

# Bob's archive is one mailbox file: what he got, what he sent with a copy for
# himself, and the group key that he was sent. He changed his encryption key
# in between.
setup_file() {
	people alice bob carol mallory
	cd "$BATS_FILE_TMPDIR/keys"
	mkdir "$BATS_FILE_TMPDIR/before"
	local state=$BATS_FILE_TMPDIR/before
	{
		echo 'one' | e2e-seal -r bob.pub -i alice.key --state "$state/alice"
		echo 'two' | e2e-seal -r alice.pub -i bob.key --self --state "$state/bob"
		e2e-wrap-key --new -n friends -i alice.key -r bob.pub -r carol.pub -o friends
		e2e-seal -r bob.pub -i alice.key --type application/x-e2e-wrapped-key --state "$state/alice" friends
		echo 'three' | e2e-seal -k friends -i carol.key --state "$state/carol"
		e2e-key rotate -q bob.key
		echo 'four' | e2e-seal -k friends -i bob.key --state "$state/bob"
		e2e-wrap-key -q --remove carol.pub -r bob.pub -i alice.key -o friends2 friends
		e2e-seal -r bob.pub -i alice.key --type application/x-e2e-wrapped-key --state "$state/alice" friends2
		echo 'five' | e2e-seal -k friends2 -i alice.key --state "$state/alice"
		echo 'six' | e2e-seal -r bob.pub
		echo 'seven' | e2e-seal -r bob.pub -i alice.key --state "$state/alice"
		echo 'eight' | e2e-seal -r alice.pub -i bob.key --self --state "$state/bob"
	} >archive
	# Until then bob and alice had opened everything.
	mkdir there
	e2e-open -q -i bob.key -k friends --old-epoch -d there --state "$state/bob" archive 2>/dev/null || true
	rm -r there friends friends2
}

setup() {
	stage
	cp -a "$BATS_FILE_TMPDIR/before" .
	mkdir words
}

# recovered [FLAG...]: everything that bob's key opens, in the folder `words`;
# the group keys that were among it, in `keys.N`. All that there was has to be
# there, and nothing else.
recovered() {
	local n=0 id keys=()
	e2e-open -q -i bob.key "$@" -d words --status-fd 5 archive 5>status 2>err || [ $? = 2 ]
	# What was sealed with a group's key needs that one first.
	for id in $(sed -n '/x-e2e-wrapped-key/s/.*"message_id":"\([0-9a-f]*\)".*/\1/p' status); do
		n=$((n + 1))
		mv "words/$id" keys.$n
		keys+=(-k keys.$n)
	done
	[ $n = 2 ] || return
	mkdir again
	e2e-open -q -i bob.key "$@" "${keys[@]}" --old-epoch -d again archive 2>>err || return
	rm -r words
	mv again words
	[ "$(cd words && grep -axhE '[a-z]+' -- * | sort | xargs)" = "eight five four one seven six three two" ]
	[ "$(ls words | wc -l)" = 10 ]
}

@test "the identity key alone opens the whole archive" {
	recovered
	[ ! -e home/config ]
}

@test "a key that is locked is enough, too, with its passphrase" {
	e2e-key passwd -q --new-passphrase-fd 6 $CHEAP bob.key 6<<<horse
	(umask 077; echo horse >pass)
	recovered --passphrase-file pass
}

@test "nobody else's key opens any of it" {
	mkdir d
	# Carol has her own copy of the first epoch.
	for who in mallory carol; do
		gives 2 e2e-open -q -i $who.key -d d archive
		[ -z "$(ls -A d)" ]
	done
}

@test "what was sent without a copy for oneself is not there" {
	echo secret | e2e-seal -r alice.pub -i bob.key >sent
	gives 2 e2e-open -i bob.key sent
	empty out
	echo secret | e2e-seal -r alice.pub -i bob.key --self >sent
	gives 0 e2e-open -i bob.key sent
	says 'from yourself'
}

@test "the contacts come back with the mail: the cards are in it" {
	# Of the first envelope, which is the first so many bytes.
	local size
	size=$(e2e-inspect archive | sed -n 's/^envelope bytes: //p' | head -n 1)
	head -c "$size" archive >first
	gives 0 e2e-open -q -i bob.key --sender-card found.pub first
	[ "$(e2e-contact show found.pub | grep ^fingerprint)" = "$(e2e-contact show alice.pub | grep ^fingerprint)" ]
	gives 3 e2e-open -q -i bob.key --known first
	gives 0 e2e-contact pin -q alice found.pub
	gives 0 e2e-open -q -i bob.key --known first
	[ "$(cat out)" = one ]
}

@test "the groups go on: bob writes, alice reads" {
	recovered
	[ "$(e2e-wrap-key --show -i bob.key keys.2 | sed -n 's/^epoch: //p')" = 2 ]
	echo again | e2e-seal -q -k keys.2 -i bob.key --state new -o env
	gives 0 e2e-open -q -i alice.key -k keys.2 --state before/alice env
	[ "$(cat out)" = again ]
	# And who was removed is so still.
	gives 2 e2e-open -q -i carol.key -k keys.1 env
	gives 2 e2e-open -q -i carol.key -k keys.2 env
}

@test "of two epochs the old one is over, though nobody remembers it" {
	recovered
	# Whoever gives both needs no memory; what was remembered is gone.
	mkdir d
	gives 3 e2e-open -q -i bob.key -k keys.1 -k keys.2 -d d --verdict-fd 6 archive 6>verdicts
	[ "$(xargs <verdicts)" = "0 0 0 3 3 0 0 0 0 0" ]
}

@test "numbers begin anew under a new id, which is no repetition to anybody" {
	# Alice has opened what bob sent.
	mkdir d
	e2e-open -q -i alice.key -d d --state before/alice archive 2>err || true
	[ "$(cat d/* | sort | xargs)" = "eight two" ]
	local n
	for n in 1 2 3; do
		echo "new $n" | e2e-seal -q -r alice.pub -i bob.key --self --state new -o new.$n
		gives 0 e2e-open -q -i alice.key --state before/alice --status-fd 5 new.$n 5>status
		json status "order['place'] == '$([ $n = 1 ] && echo first || echo next)' and order['sequence'] == $n"
	done
	# Had he put back a copy of his folder from between, they were refused.
	rm -r new
	e2e-seal -q -r alice.pub -i bob.key --self --state before/bob -o later <<<later
	cp -a before/bob copy
	gives 0 e2e-open -q -i alice.key --state before/alice later
	e2e-seal -q -r alice.pub -i bob.key --self --state before/bob -o later <<<later
	gives 0 e2e-open -q -i alice.key --state before/alice later
	e2e-seal -q -r alice.pub -i bob.key --self --state copy -o latest <<<latest
	gives 4 e2e-open -q -i alice.key --state before/alice latest
	says 'was used by another message'
}

@test "what comes after the loss is new, once; and so is the archive, in its order" {
	echo next | e2e-seal -q -r bob.pub -i alice.key --state before/alice -o next
	gives 0 e2e-open -q -i bob.key --state new --status-fd 5 next 5>status
	json status 'order["place"] == "first" and order["sequence"] > 1'
	gives 4 e2e-open -q -i bob.key --state new next
	# Alice's other letters are older, and not taken for repeated.
	gives 2 e2e-open -q -i bob.key --state new -d words --status-fd 5 archive 5>status
	json status '{e["place"] for e in all if e["event"] == "order" and "sequence" in e} <= {"late", "first", "next"}'
	gives 4 e2e-open -q -i bob.key --state new -d words archive
	# With what he remembered all of it would be there already.
	mkdir d
	gives 4 e2e-open -q -i bob.key --state before/bob -d d archive
}

@test "recovered twice, it is the same" {
	recovered
	mv words once
	rm keys.*
	mkdir words
	recovered
	diff -r once words
}

@test "a damaged archive: what is whole is recovered" {
	local at
	# Into the payload of the second envelope, near its end.
	at=$("$PYTHON" -c 'import sys; print(sum(map(int, sys.argv[1:])) - 3)' \
	    $(e2e-inspect archive | sed -n 's/^envelope bytes: //p' | head -n 2))
	flipped archive "$at" >bad
	gives 1 e2e-open -q -i bob.key -d words --verdict-fd 6 bad 6>verdicts
	[ "$(xargs <verdicts)" = "0 1 0 2 2 0 2 0 0 0" ]
	[ "$(ls words | wc -l)" = 6 ]
	# Cut off, everything before the cut is there.
	rm words/*
	head -c -10 archive >cut
	gives 2 e2e-open -q -i bob.key -d words --verdict-fd 6 cut 6>verdicts
	[ "$(xargs <verdicts)" = "0 0 0 2 2 0 2 0 0 1" ]
	[ "$(ls words | wc -l)" = 6 ]
}

@test "a receipt that comes after the loss is read, and what for is not known" {
	echo hello >msg
	e2e-seal -q -r alice.pub -i bob.key --ask-receipt --state before/bob -o asked msg
	gives 0 e2e-open -q -i alice.key --receipt got asked
	gives 0 e2e-open -q -i bob.key --state new got
	grep -qx 'as sent: not known here' out
	gives 0 e2e-open -q -i bob.key --state before/bob got
	grep -qx 'as sent: yes' out
}
