#!/usr/bin/env bats
# e2e-fetch: what waits at a relay, and when it may be deleted there.
load helpers
load relay

setup_file() {
	people alice bob carol
}

setup() {
	stage
}

teardown() {
	relay_teardown
}

# unflushed_shim, once; then unflushed PATH COMMAND...: flushes of PATH fail.
unflushed_shim() {
	"${CC:-cc}" -shared -fPIC -o unflushed.so "$ROOT/tests/relay/unflushed.c"
}

unflushed() {
	local path=$1
	shift
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 \
		UNFLUSHED=$path LD_PRELOAD=$PWD/unflushed.so "$@"
}

opened() {
	local f
	for f in "$@"; do
		e2e-open -q -i bob.key -s alice.pub "$f" || return
	done | xargs
}

@test "to standard output, back to back, in order, once" {
	mailbox one two three
	gives 0 e2e-fetch -q -i bob.key "$RELAY"
	empty err
	mkdir opened
	e2e-open -q -i bob.key -d opened out
	[ "$(cat opened/* | sort | xargs)" = "one three two" ]
	gives 0 e2e-fetch -q -i bob.key "$RELAY"
	empty out
	[ "$(waiting bob)" = 0 ]
}

@test "nothing is acknowledged that could not be written" {
	mailbox one
	no e2e-fetch -q -i bob.key "$RELAY" >/dev/full 2>err
	explained
	[ "$(waiting bob)" = 1 ]
	to_nobody e2e-fetch -q -i bob.key "$RELAY" 2>err || true
	[ "$(waiting bob)" = 1 ]
	e2e-fetch -q -i bob.key "$RELAY" | e2e-open -q -i bob.key | grep -qx one
}

@test "nothing is acknowledged, or remembered, that could not be flushed" {
	local got=0
	unflushed_shim
	mailbox one two
	: >mbox
	unflushed mbox e2e-fetch -q -i bob.key "$RELAY" >>mbox 2>err || got=$?
	[ "$got" = 74 ]
	explained
	absent home/state/e2e/fetch/*.kept
	[ "$(waiting bob)" = 2 ]
	# What the disk has lost.
	: >mbox
	e2e-fetch -q -i bob.key "$RELAY" >>mbox
	mkdir opened
	e2e-open -q -i bob.key -d opened mbox
	[ "$(cat opened/* | sort | xargs)" = "one two" ]
	[ "$(waiting bob)" = 0 ]

	deposited three
	mkdir -p mail/new
	got=0
	unflushed mail/new e2e-fetch -q -i bob.key -d mail "$RELAY" 2>err || got=$?
	[ "$got" = 74 ]
	explained
	absent home/state/e2e/fetch/*.kept
	[ "$(waiting bob)" = 1 ]
	rm mail/new/*
	gives 0 e2e-fetch -q -i bob.key -d mail "$RELAY"
	[ "$(opened mail/new/*)" = three ]
}

@test "a terminal gets no envelopes" {
	mailbox one
	got=0
	"$PYTHON" -c '
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
		e2e-fetch -q -i bob.key "$RELAY" >out </dev/null || got=$?
	[ "$got" = 73 ]
	[ "$(waiting bob)" = 1 ]
}

@test "-d: a Maildir, named by id" {
	local f
	mailbox one two
	gives 0 e2e-fetch -i bob.key -d deep/mail "$RELAY"
	[ "$(opened deep/mail/new/*)" = "one two" ] || [ "$(opened deep/mail/new/*)" = "two one" ]
	for f in deep/mail/new/*; do
		[ "$(basename "$f")" = "$(sha256sum <"$f" | cut -d' ' -f1).e2e" ]
		[ "$(mode_of "$f")" = 600 ]
	done
	[ -d deep/mail/cur ]
	[ -z "$(ls -A deep/mail/tmp)" ]
	[ "$(waiting bob)" = 0 ]
}

@test "-d: a repeat is acknowledged and not written again, also when it was read" {
	mailbox one two three
	e2e-fetch -q -i bob.key -d mail --exec x "$RELAY" 2>err && false
	# Copies that nobody acknowledged: a run that died in between.
	e2e-fetch -q -i bob.key --max 3 --exec 'cat >"$E2E_ENVELOPE_ID.e2e"; exit 75' "$RELAY" 2>err || true
	mkdir -p mail/new mail/cur mail/tmp
	local ids=(*.e2e)
	[ "${#ids[@]}" = 3 ]
	mv "${ids[0]}" mail/new/
	mv "${ids[1]}" "mail/cur/${ids[1]}:2,S"
	: >"mail/tmp/${ids[2]}"
	touch -d 2020-01-01 mail/new/*.e2e
	gives 0 e2e-fetch -q -i bob.key -d mail "$RELAY"
	[ "$(ls mail/new mail/cur | grep -c e2e)" = 3 ]
	[ "$(stat -c %Y "mail/new/${ids[0]}")" -lt 1600000000 ]
	[ -f "mail/new/${ids[2]}" ]
	absent "mail/new/${ids[1]}"
	[ "$(waiting bob)" = 0 ]
}

@test "-d: what cannot be written is not acknowledged" {
	mailbox one
	echo file >mail
	gives 73 e2e-fetch -i bob.key -d mail "$RELAY"
	explained
	e2e-fetch -q -i bob.key -d box --max 1 --exec true "$RELAY" 2>err || true
	mkdir -p box/new box/cur box/tmp
	chmod 500 box/tmp
	gives 73 ordinary e2e-fetch -i bob.key -d box "$RELAY"
	chmod 700 box/tmp
	[ "$(waiting bob)" = 1 ]
}

@test "--exec: the envelope on standard input, its id in the environment" {
	mailbox one two
	gives 0 e2e-fetch -q -i bob.key --exec 'e2e-open -q -i bob.key; echo "$E2E_ENVELOPE_ID" >>ids' "$RELAY"
	[ "$(sort out | xargs)" = "one two" ]
	[ "$(grep -cxE '[0-9a-f]{64}' ids)" = 2 ]
	[ "$(waiting bob)" = 0 ]
	[ "$(refused_count)" = 0 ]
}

@test "--exec: what comes to the command can be read at any place" {
	export PYTHON
	mailbox one
	gives 0 e2e-fetch -q -i bob.key --exec '"$PYTHON" -c "
import os
n = os.lseek(0, 0, os.SEEK_END)
assert n > 100 and os.pread(0, 4, 0) == b\"\\xdae2e\""' "$RELAY"
}

@test "--exec: each exit status and what follows from it" {
	local status
	mailbox one
	for status in 7 64 75 127 137 255; do
		gives 75 e2e-fetch -i bob.key --exec "exit $status" "$RELAY"
		explained
		[ "$(refused_count)" = 0 ]
	done
	gives 75 e2e-fetch -i bob.key --exec 'kill -9 $$' "$RELAY"
	gives 75 e2e-fetch -i bob.key --exec 'kill -TERM $$' "$RELAY"
	gives 75 e2e-fetch -i bob.key --exec 'misspelled-command' "$RELAY"
	[ "$(waiting bob)" = 1 ]
	gives 0 e2e-fetch -i bob.key --exec 'exit 0' "$RELAY"
	[ "$(waiting bob)" = 0 ]
	for status in 1 2 3 4 5 6; do
		deposited "verdict $status"
		gives 0 e2e-fetch -i bob.key --exec "exit $status" "$RELAY"
		[ "$(waiting bob)" = 0 ]
		[ "$(refused_count)" = "$status" ]
	done
}

@test "a poisonous message does not keep the others" {
	mailbox one poison two
	cat >handle <<-'END'
	#!/bin/sh
	text=$(e2e-open -q -i bob.key) || exit
	[ "$text" != poison ] || exit 75
	echo "$text"
	END
	chmod 755 handle
	gives 75 e2e-fetch -i bob.key --exec ./handle "$RELAY"
	[ "$(sort out | xargs)" = "one two" ]
	says '1 of 3'
	[ "$(waiting bob)" = 1 ]
	deposited three
	gives 75 e2e-fetch -i bob.key --exec ./handle "$RELAY"
	[ "$(cat out)" = three ]
}

@test "--refused: the right key came later" {
	mailbox one two
	gives 0 e2e-fetch -q -i bob.key --exec 'e2e-open -q -i carol.key' "$RELAY"
	empty out
	[ "$(refused_count)" = 2 ]
	[ "$(mode_of "$(find home/state/e2e/refused -name '*.e2e' | head -n 1)")" = 600 ]
	relay_end
	# Still the wrong one, then none that works, then the right one.
	gives 0 e2e-fetch -i bob.key --refused --exec 'e2e-open -q -i carol.key'
	says '2 still refused'
	gives 75 e2e-fetch -i bob.key --refused --exec 'exit 127'
	[ "$(refused_count)" = 2 ]
	gives 0 e2e-fetch -i carol.key --refused --exec 'cat >carols'
	absent carols
	gives 0 e2e-fetch -i bob.key --refused --exec 'e2e-open -q -i bob.key'
	[ "$(sort out | xargs)" = "one two" ]
	[ "$(refused_count)" = 0 ]
	gives 0 e2e-fetch -i bob.key --refused --exec 'exit 9'
}

@test "a full folder of refused ones acknowledges nothing more" {
	mailbox one two three
	gives 75 e2e-fetch -i bob.key --refused-max 2 --exec 'exit 2' "$RELAY"
	says full
	[ "$(refused_count)" = 2 ]
	[ "$(waiting bob)" = 1 ]
	gives 75 e2e-fetch -i bob.key --refused-max-bytes 10 --exec 'exit 2' "$RELAY"
	[ "$(waiting bob)" = 1 ]
	gives 0 e2e-fetch -i bob.key --exec 'exit 0' --refused-max 0 "$RELAY"
	[ "$(waiting bob)" = 0 ]
}

@test "--max" {
	mailbox one two three
	gives 0 e2e-fetch -q -i bob.key --max 2 -d mail "$RELAY"
	[ "$(ls mail/new | wc -l)" = 2 ]
	[ "$(waiting bob)" = 1 ]
	gives 0 e2e-fetch -q -i bob.key --max 2 -d mail "$RELAY"
	[ "$(ls mail/new | wc -l)" = 3 ]
	gives 64 e2e-fetch -i bob.key --max 0 "$RELAY"
}

@test "more messages than one credit holds" {
	relay_start store --rate-address 0 --rate-mailbox 0
	registered bob
	for ((n = 0; n < 600; n++)); do
		echo "$n" | e2e-seal -r bob.pub
	done | e2e-send -q "$RELAY" >sent
	[ "$(wc -l <sent)" = 600 ]
	# All of them left, too: credit is not for what is acknowledged alone.
	gives 75 e2e-fetch -q -i bob.key --exec 'exit 75' "$RELAY"
	says '600 of 600'
	gives 0 e2e-fetch -q -i bob.key -d mail "$RELAY"
	[ "$(ls mail/new | wc -l)" = 600 ]
	[ "$(waiting bob)" = 0 ]
}

@test "larger than the credit of a session" {
	relay_start store
	registered bob
	bytes 9000000 >data
	e2e-seal -r bob.pub <data | e2e-send -q "$RELAY" >/dev/null
	deposited small
	e2e-seal -r bob.pub <data | e2e-send -q "$RELAY" >/dev/null
	gives 0 e2e-fetch -q -i bob.key --exec 'e2e-open -q -i bob.key | sha256sum >>sums' "$RELAY"
	[ "$(grep -c "$(sha256sum <data)" sums)" = 2 ]
	[ "$(wc -l <sums)" = 3 ]
	[ -z "$(ls -A home/state/e2e/partial)" ]
}

@test "one process at a time for an identity at a relay" {
	mailbox one
	mkfifo gate
	e2e-fetch -q -i bob.key --exec 'echo >>begun; cat gate >/dev/null' "$RELAY" 3>&- &
	RELAY_PROCESSES+=($!)
	local first=$!
	until_true [ -e begun ]
	gives 75 e2e-fetch -i bob.key "$RELAY"
	explained
	says already
	empty out
	# Another identity does not wait.
	registered carol
	gives 0 e2e-fetch -i carol.key "$RELAY"
	echo >gate
	wait "$first"
	gives 0 e2e-fetch -i bob.key "$RELAY"
	[ "$(wc -l <begun)" = 1 ]
}

@test "--wait takes what comes, and SIGTERM ends it after the message at hand" {
	mailbox one
	mkfifo gate
	e2e-fetch -q -i bob.key --wait \
		--exec 'e2e-open -q -i bob.key >>got; grep -q last got && { : >begun; cat gate >/dev/null; }; echo done >>ended' \
		"$RELAY" 2>fetch.err 3>&- &
	RELAY_PROCESSES+=($!)
	local fetch=$!
	until_true grep -qs one got
	deposited two
	until_true grep -q two got
	deposited last
	until_true [ -e begun ]
	kill -TERM "$fetch"
	sleep 0.2
	kill -0 "$fetch"
	echo >gate
	local got=0
	wait "$fetch" || got=$?
	[ "$got" = 143 ]
	[ "$(wc -l <ended)" = 3 ]
	[ "$(waiting bob)" = 0 ]
}

@test "--wait connects again, and nothing is handed on twice" {
	mailbox one
	e2e-fetch -q -i bob.key --wait --exec 'e2e-open -q -i bob.key >>got' "$RELAY" 2>fetch.err 3>&- &
	RELAY_PROCESSES+=($!)
	local fetch=$!
	until_true grep -qs one got
	relay_end KILL
	relay_start store
	deposited two
	until_true grep -q two got
	kill -TERM "$fetch"
	wait "$fetch" || true
	[ "$(xargs <got)" = "one two" ]
	[ "$(waiting bob)" = 0 ]
}

@test "a slow command does not lose the session" {
	relay_start store --idle-time 1s
	registered bob
	deposited one two
	gives 0 e2e-fetch -q -i bob.key --exec 'sleep 4; e2e-open -q -i bob.key' "$RELAY"
	[ "$(wc -l <out)" = 2 ]
	[ "$(waiting bob)" = 0 ]
}

@test "a relay that dies within a download: the next run goes on where it ended" {
	local size passed
	relay_start store
	registered bob
	bytes 5000000 >data
	e2e-seal -r bob.pub <data >large.e2e
	e2e-send -q "$RELAY" large.e2e >/dev/null
	deposited small
	through 3000000
	e2e-fetch -q -i bob.key -d mail "$VIA" 2>fetch.err 3>&- &
	RELAY_PROCESSES+=($!)
	local fetch=$! got=0
	until_true partial_of 2000000
	relay_end KILL
	wait "$fetch" || got=$?
	[ "$got" = 75 ]
	size=$(stat -c %s home/state/e2e/partial/*)
	[ "$size" -gt 2000000 ]
	[ -z "$(ls mail/new)" ]
	relay_start store
	gives 0 e2e-fetch -q -i bob.key -d mail "$VIA"
	[ "$(ls mail/new | wc -l)" = 2 ]
	same "mail/new/$(sha256sum <large.e2e | cut -d' ' -f1).e2e" large.e2e
	[ -z "$(ls home/state/e2e/partial)" ]
	until_true [ "$(wc -l <via.log)" -ge 2 ]
	passed=$(tail -n 1 via.log)
	# No more than the rest, the small one and what is said around them.
	[ "$passed" -lt $((5100000 - size)) ]
}

# partial_of SIZE: that much of a download is on the disk.
partial_of() {
	[ "$(stat -c %s home/state/e2e/partial/* 2>/dev/null || echo 0)" -gt "$1" ]
}

@test "a broken download is all that waits" {
	relay_start store
	registered bob
	bytes 5000000 | e2e-seal -r bob.pub >large.e2e
	e2e-send -q "$RELAY" large.e2e >/dev/null
	through 3000000
	e2e-fetch -q -i bob.key -d mail --timeout 1 "$VIA" 2>err || true
	partial_of 2000000
	gives 0 e2e-fetch -q -i bob.key -d mail --max 1 "$VIA"
	same mail/new/* large.e2e
	[ "$(waiting bob)" = 0 ]
	e2e-seal -r bob.pub -o other.e2e large.e2e
	e2e-send -q "$RELAY" other.e2e >/dev/null
	through 3000000
	e2e-fetch -q -i bob.key -d other --timeout 1 "$VIA" 2>err || true
	partial_of 2000000
	gives 0 e2e-fetch -q -i bob.key -d other "$VIA"
	same other/new/* other.e2e
}

@test "a broken download that was altered meanwhile is not handed on" {
	relay_start store
	registered bob
	bytes 5000000 | e2e-seal -r bob.pub >large.e2e
	e2e-send -q "$RELAY" large.e2e >/dev/null
	through 3000000
	e2e-fetch -q -i bob.key -d mail --timeout 1 "$VIA" 2>err || true
	partial_of 2000000
	printf x | dd of="$(echo home/state/e2e/partial/*)" bs=1 seek=1000 conv=notrunc status=none
	gives 76 e2e-fetch -i bob.key -d mail "$VIA"
	[ -z "$(ls mail/new)" ]
	[ "$(waiting bob)" = 1 ]
	gives 0 e2e-fetch -q -i bob.key -d mail "$VIA"
	same mail/new/* large.e2e
}

@test "a broken download of what is gone begins anew" {
	relay_start store
	registered bob
	bytes 5000000 | e2e-seal -r bob.pub >large.e2e
	e2e-send -q "$RELAY" large.e2e >/dev/null
	through 3000000
	e2e-fetch -q -i bob.key -d mail --timeout 1 "$VIA" 2>err || true
	partial_of 2000000
	# Fetched from elsewhere.
	e2e-fetch -q -i bob.key -d elsewhere "$RELAY"
	deposited small
	gives 0 e2e-fetch -q -i bob.key -d mail "$VIA"
	[ "$(opened mail/new/*)" = small ]
	[ -z "$(ls home/state/e2e/partial)" ]
}

@test "broken before the confirmation: not handed on a second time" {
	local limit got=0
	mailbox one
	# What a whole session takes, less the confirmation at its end.
	through 1000000
	e2e-fetch -q -i bob.key --exec 'exit 75' "$VIA" 2>err || true
	until_true [ -s via.log ]
	limit=$(cat via.log)
	through "$limit"
	e2e-fetch -q -i bob.key --timeout 2 --exec 'e2e-open -q -i bob.key >>got' "$VIA" 2>err || got=$?
	[ "$got" = 75 ]
	[ "$(cat got)" = one ]
	[ -s "$(echo home/state/e2e/fetch/*.kept)" ]
	gives 0 e2e-fetch -q -i bob.key --exec 'e2e-open -q -i bob.key >>got' "$VIA"
	[ "$(cat got)" = one ]
	[ "$(waiting bob)" = 0 ]
	absent home/state/e2e/fetch/*.kept
}

@test "what the mailbox turned away is said" {
	relay_start store --box-items 1
	registered bob
	deposited one
	sealed two | e2e-send -q --retry 0 "$RELAY" >/dev/null 2>&1 || true
	gives 0 e2e-fetch -i bob.key -d mail "$RELAY"
	says '1 message was turned away'
	gives 0 e2e-fetch -i bob.key -d mail "$RELAY"
	silent 'turned away'
}

@test "a key without a mailbox, and one that is locked" {
	relay_start store
	gives 77 e2e-fetch -i carol.key "$RELAY"
	explained
	echo sesame >pass
	chmod 600 pass
	e2e-keygen -q -t x25519 -n dora --passphrase-file pass $CHEAP -o dora.key
	gives 7 without_terminal e2e-fetch -i dora.key "$RELAY"
	gives 66 e2e-fetch "$RELAY"
}

@test "another relay at the address is refused before it learns anything" {
	mailbox one
	relay_end
	relay_start another
	gives 76 e2e-fetch -i bob.key "$RELAY"
	says "$RELAY_KEY"
	no grep -q event=session relay.err
}

@test "a relay with a new key that the old one has signed is followed, once" {
	local old
	mailbox one
	old=$RELAY_KEY
	relay_end
	e2e-relayd --store store --rotate-key >/dev/null 2>&1
	relay_start store
	[ "$old" != "$RELAY_KEY" ]
	gives 0 e2e-fetch -i bob.key -d mail "$RELAY"
	says "$RELAY_KEY"
	grep -qxF "$RELAY $RELAY_KEY" home/config/e2e/known_relays
	gives 0 e2e-fetch -i bob.key -d mail "$RELAY"
	empty err
}

@test "--status-fd" {
	mailbox one two
	gives 0 e2e-fetch -i bob.key --status-fd 5 --exec 'exit 0' "$RELAY" 5>status
	json status "ready['waiting'] == 2 and message['kept'] and command['status'] == 0 and fetched['messages'] == 2 and fetched['left'] == 0"
}

@test "wrong usage" {
	gives 64 e2e-fetch
	gives 64 e2e-fetch -i bob.key -d mail --exec true host
	gives 64 e2e-fetch -i bob.key --refused
	gives 64 e2e-fetch -i bob.key --refused --exec true host
	gives 64 e2e-fetch -i bob.key --batch host
	gives 64 e2e-fetch -i bob.key --batch -d mail host
	gives 64 e2e-fetch -i bob.key --status-fd 1 host
	gives 64 e2e-fetch -i bob.key host other
}
