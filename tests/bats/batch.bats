#!/usr/bin/env bats
# e2e-fetch --batch: many envelopes to one command, and what its verdicts do.
load helpers
load relay

setup_file() {
	people alice bob carol
}

setup() {
	stage
	mkdir inbox
}

teardown() {
	relay_teardown
}

# The one that is tested; the control tests another one.
FETCH=e2e-fetch
CREDULOUS=${BUILD:-$ROOT/build}/tests/fetch_credulous

# What most of them run. A line in `counts` for each start.
COUNTED='echo "$E2E_ENVELOPE_COUNT" >>counts'
OPEN="$COUNTED; e2e-open -q -i bob.key -s alice.pub -d inbox --verdict-fd \$E2E_VERDICT_FD"

# batch STATUS COMMAND [FLAG...]
batch() {
	local status=$1 command=$2
	shift 2
	gives "$status" "$FETCH" -i bob.key --batch --exec "$command" "$@" "$RELAY"
}

counts() {
	xargs <counts
}

# What has been delivered, sorted.
inbox() {
	cat inbox/* 2>/dev/null | sort | xargs
}

# altered TEXT: deposited, but its payload is not what it was.
altered() {
	sealed "$1" >altered.e2e
	"$PYTHON" -c '
a = bytearray(open("altered.e2e", "rb").read())
a[-5] ^= 1
open("altered.e2e", "wb").write(a)'
	e2e-send -q "$RELAY" altered.e2e >/dev/null
}

refused_ids() {
	(cd home/state/e2e/refused/* && echo *.e2e)
}

id_of() {
	echo "$(sha256sum <"$1" | cut -d' ' -f1).e2e"
}

@test "all that waits to one command, back to back, in order" {
	mailbox one two three
	export E2E_ENVELOPE_ID=old
	batch 0 'echo "$E2E_ENVELOPE_COUNT,${E2E_ENVELOPE_ID-none},$E2E_VERDICT_FD" >>runs; cat >all'
	grep -qxE '3,none,[3-9]' runs
	[ "$(wc -l <runs)" = 1 ]
	[ "$(waiting bob)" = 0 ]
	e2e-open -q -i bob.key -d inbox --status-fd 5 all 5>status
	json status '[e["data_bytes"] for e in all if e["event"] == "opened"] == [4, 4, 6]'
	# Nothing waits: nothing is run.
	batch 0 'echo >>runs'
	[ "$(wc -l <runs)" = 1 ]
}

@test "what the command gets can be read at any place" {
	export PYTHON
	mailbox one two
	batch 0 '"$PYTHON" -c "
import os
n = os.lseek(0, 0, os.SEEK_END)
assert os.pread(0, n, 0).count(b\"\\xdae2e\") == 2 and os.lseek(0, 0, os.SEEK_SET) == 0"'
}

@test "without --batch a command finds no variables of a batch" {
	mailbox one
	export E2E_ENVELOPE_COUNT=9 E2E_VERDICT_FD=9
	gives 0 e2e-fetch -q -i bob.key --exec 'echo "$E2E_ENVELOPE_ID${E2E_ENVELOPE_COUNT-}${E2E_VERDICT_FD-}"' "$RELAY"
	grep -qxE '[0-9a-f]{64}' out
}

@test "verdicts: all good" {
	mailbox one two three
	batch 0 "$OPEN"
	[ "$(inbox)" = "one three two" ]
	[ "$(counts)" = 3 ]
	[ "$(waiting bob)" = 0 ]
	[ "$(refused_count)" = 0 ]
}

# One that was altered in the middle: only that one is refused, the others are
# delivered once, and nothing is left.
middle_is_refused() {
	mailbox one two && altered bad && deposited three &&
	batch 0 "$OPEN" && [ "$(counts)" = 4 ] &&
	[ "$(refused_count)" = 1 ] &&
	[ "$(refused_ids)" = "$(id_of altered.e2e)" ] &&
	[ "$(inbox)" = "one three two" ] && [ "$(waiting bob)" = 0 ] &&
	batch 0 "$OPEN" && [ "$(counts)" = 4 ] &&
	[ "$(refused_count)" = 1 ]
}

@test "verdicts: one that was altered in the middle, and nothing comes twice" {
	middle_is_refused
}

# What a bad end of the command, or a bad verdict, must not do: 7 and above
# stay at the relay, each for itself or all.
bad_ends_acknowledge_nothing() {
	local status
	mailbox one two three || return
	for status in 7 64 75 127 137 255; do
		batch 75 "exit $status" && explained &&
		[ "$(refused_count)" = 0 ] || return
	done
	batch 75 'printf "75\n0\n127\n" >&$E2E_VERDICT_FD' &&
	[ "$(waiting bob)" = 2 ]
}

@test "other ends and verdicts acknowledge nothing" {
	bad_ends_acknowledge_nothing
}

@test "control: a client to which every verdict is a good one is noticed" {
	FETCH=$CREDULOUS
	# It works, as far as everything is good.
	mailbox good
	batch 0 "$OPEN"
	[ "$(inbox)" = good ]
	relay_end
	rm -r counts store inbox home/config
	mkdir inbox
	no middle_is_refused
	[ "$(refused_count)" = 0 ]
	relay_end
	rm -r counts store inbox home/config home/state
	mkdir inbox
	no bad_ends_acknowledge_nothing
	[ "$(waiting bob)" = 0 ]
}

@test "without verdicts the exit status is for all" {
	local status
	relay_start store
	registered bob
	for status in 1 3 6; do
		deposited "a $status" "b $status"
		batch 0 "$COUNTED; exit $status"
		[ "$(waiting bob)" = 0 ]
	done
	[ "$(counts)" = "2 2 2" ]
	[ "$(refused_count)" = 6 ]
}

@test "a complete list stands, whatever the exit status" {
	mailbox one two
	batch 0 'printf "0\n3\n" >&$E2E_VERDICT_FD; exit 75'
	[ "$(waiting bob)" = 0 ]
	[ "$(refused_count)" = 1 ]
	deposited three four
	batch 0 'printf "4\n0\n" >&$E2E_VERDICT_FD; kill -9 $$'
	[ "$(waiting bob)" = 0 ]
	[ "$(refused_count)" = 2 ]
}

@test "what is no list of verdicts counts as none" {
	local list
	mailbox one two
	for list in 'x' '0\n0\n0\n' '0\n256\n' '0\n-1\n' '0 \n0\n' '0\n\n0\n' \
		'0\n0\n0' '0\n0000\n' '\n' '0\n0\nnonsense'; do
		export list
		batch 75 'printf "$list" >&$E2E_VERDICT_FD; exit 75'
		says 'no list of verdicts'
		[ "$(refused_count)" = 0 ]
	done
	[ "$(waiting bob)" = 2 ]
	batch 0 'echo nonsense >&$E2E_VERDICT_FD; exit 3'
	[ "$(refused_count)" = 2 ]
	[ "$(waiting bob)" = 0 ]
	deposited three
	batch 0 'echo nonsense >&$E2E_VERDICT_FD'
	[ "$(waiting bob)" = 0 ]
}

@test "more than the pipe holds neither stops the command nor counts" {
	mailbox one two
	batch 75 'yes 0 >&$E2E_VERDICT_FD; exit 75'
	says 'no list of verdicts'
	[ "$(waiting bob)" = 2 ]
}

@test "a process that stays behind with the descriptor keeps nobody" {
	mailbox one two
	e2e-fetch -q -i bob.key --batch --exec \
		'sleep 600 >/dev/null 2>&1 & echo $! >sleeper; printf "0\n2\n" >&$E2E_VERDICT_FD' \
		"$RELAY" 3>&-
	RELAY_PROCESSES+=("$(cat sleeper)")
	kill -0 "$(cat sleeper)"
	[ "$(refused_count)" = 1 ]
	[ "$(waiting bob)" = 0 ]
}

@test "the number of the descriptor is none that the command has already" {
	mailbox one
	exec 9>nine
	batch 0 'echo "$E2E_VERDICT_FD" >number; echo 0 >&$E2E_VERDICT_FD; echo mine >&9; exit 75'
	exec 9>&-
	[ "$(cat nine)" = mine ]
	grep -qx '[3-8]' number
	[ "$(waiting bob)" = 0 ]
}

@test "fewer verdicts than envelopes: the others are handed on again at once" {
	mailbox one two three four
	# As e2e-open does with one that is too much for this machine.
	cat >handle <<-'END'
	#!/bin/sh
	echo "$E2E_ENVELOPE_COUNT" >>counts
	case $E2E_ENVELOPE_COUNT in
	4) printf '0\n75\n' >&"$E2E_VERDICT_FD"; exit 75 ;;
	*) exec e2e-open -q -i bob.key -d inbox --verdict-fd "$E2E_VERDICT_FD" ;;
	esac
	END
	chmod 755 handle
	batch 75 ./handle
	says '1 of 4'
	[ "$(counts)" = "4 2" ]
	[ "$(inbox)" = "four three" ]
	[ "$(waiting bob)" = 1 ]
	# A line that was not written to its end may have meant more.
	deposited five
	rm -r counts inbox
	mkdir inbox
	sed -i 's/^4)/2)/; s/0.n75.n/0\\n7/' handle
	batch 0 ./handle
	[ "$(counts)" = "2 1" ]
	[ "$(inbox)" = five ]
	[ "$(waiting bob)" = 0 ]
}

@test "killed after some verdicts: these count, and the others go one by one" {
	mailbox one two three poison five
	cat >handle <<-'END'
	#!/bin/sh
	echo "$E2E_ENVELOPE_COUNT" >>counts
	if [ "$E2E_ENVELOPE_COUNT" -gt 1 ]; then
		printf '0\n2\n' >&"$E2E_VERDICT_FD"
		kill -9 $$
	fi
	text=$(e2e-open -q -i bob.key) || exit
	[ "$text" != poison ] || kill -9 $$
	echo "$text"
	END
	chmod 755 handle
	batch 75 ./handle
	says '1 of 5'
	[ "$(counts)" = "5 1 1 1" ]
	[ "$(xargs <out)" = "three five" ]
	[ "$(refused_count)" = 1 ]
	[ "$(waiting bob)" = 1 ]
	# Killed before it said anything.
	deposited six
	rm counts
	sed -i '/^printf/d' handle
	batch 75 ./handle
	[ "$(sort counts | xargs)" = "1 1 2" ]
	[ "$(cat out)" = six ]
	[ "$(waiting bob)" = 1 ]
	# Always.
	rm counts
	deposited seven
	batch 75 "$COUNTED; kill -TERM \$\$"
	[ "$(counts)" = "2 1 1" ]
	[ "$(waiting bob)" = 2 ]
}

@test "--max" {
	mailbox one two three
	batch 0 "$OPEN" --max 2
	[ "$(counts)" = 2 ]
	[ "$(inbox)" = "one two" ]
	[ "$(waiting bob)" = 1 ]
	batch 0 "$OPEN" --max 2
	[ "$(counts)" = "2 1" ]
	[ "$(waiting bob)" = 0 ]
}

@test "more than one credit, and more than one batch" {
	relay_start store --rate-address 0 --rate-mailbox 0
	registered bob
	local n
	for ((n = 0; n < 1050; n++)); do
		echo "$n" | e2e-seal -r bob.pub
	done | e2e-send -q "$RELAY" >sent
	[ "$(wc -l <sent)" = 1050 ]
	# A relay does not send more while 1024 are not acknowledged: the second
	# batch cannot be larger.
	batch 75 "$COUNTED; for n in \$(seq \$E2E_ENVELOPE_COUNT); do [ \$n -le 14 ] && echo 0 || echo 127; done >&\$E2E_VERDICT_FD"
	says '1010 of 1050'
	[ "$(counts)" = "1024 14 12" ]
	rm counts
	# Each with its line.
	batch 0 "$COUNTED; e2e-open -q -i bob.key -d inbox --verdict-fd \$E2E_VERDICT_FD"
	[ "$(counts)" = 1010 ]
	[ "$(ls inbox | wc -l)" = 1010 ]
	[ "$(waiting bob)" = 0 ]
}

@test "a large one is a batch of its own" {
	relay_start store
	registered bob
	deposited one two
	bytes 40000000 >data
	e2e-seal -r bob.pub -i alice.key <data | e2e-send -q "$RELAY" >/dev/null
	deposited three
	batch 0 "$OPEN"
	[ "$(counts)" = "2 1 1" ]
	[ "$(ls inbox | wc -l)" = 4 ]
	sha256sum inbox/* | grep -q "$(sha256sum <data | cut -d' ' -f1)"
	[ "$(waiting bob)" = 0 ]
	[ -z "$(ls -A home/state/e2e/partial)" ]
}

@test "a key with a passphrase is unlocked once" {
	(umask 077; echo sesame >pass)
	e2e-keygen -q -t x25519 -n dora --passphrase-file pass $CHEAP -o dora.key
	relay_start store
	e2e-directory register -q -i dora.key --passphrase-file pass "$RELAY"
	local n
	for n in 1 2 3 4; do
		echo "$n" | e2e-seal -r dora.pub | e2e-send -q "$RELAY" >/dev/null
	done
	# The passphrase is handed out to whoever asks for it, and counted.
	cat >open <<-'END'
	#!/bin/sh
	echo >>unlocked
	exec e2e-open -q -i dora.key --passphrase-fd 4 "$@" 4<pass
	END
	chmod 755 open
	gives 0 e2e-fetch -i dora.key --passphrase-file pass --batch \
		--exec './open -d inbox --verdict-fd $E2E_VERDICT_FD' "$RELAY"
	[ "$(wc -l <unlocked)" = 1 ]
	[ "$(inbox)" = "1 2 3 4" ]
}

@test "a full folder of refused ones acknowledges nothing more" {
	mailbox one two three
	batch 75 'printf "2\n0\n2\n" >&$E2E_VERDICT_FD' --refused-max 1
	says full
	[ "$(refused_count)" = 1 ]
	[ "$(waiting bob)" = 1 ]
}

@test "what cannot be kept as refused is an error; what was taken stays taken" {
	mailbox one two three
	mkdir -p home/state/e2e/refused
	chmod 500 home/state/e2e/refused
	gives 73 ordinary e2e-fetch -i bob.key --batch --exec \
		'printf "0\n2\n0\n" >&$E2E_VERDICT_FD' "$RELAY"
	explained
	chmod 700 home/state/e2e/refused
	[ "$(cat home/state/e2e/fetch/*.kept | wc -l)" = 2 ]
	batch 0 "$OPEN"
	[ "$(counts)" = 1 ]
	[ "$(inbox)" = two ]
	[ "$(waiting bob)" = 0 ]
}

@test "--wait: what has come when nothing more comes" {
	mailbox one two
	mkfifo gate
	e2e-fetch -q -i bob.key --wait --batch \
		--exec "$OPEN; grep -qx last inbox/* && { : >begun; cat gate >/dev/null; }; echo done >>ended" \
		"$RELAY" 2>fetch.err 3>&- &
	RELAY_PROCESSES+=($!)
	local fetch=$!
	until_true inbox_is "one two"
	deposited three
	until_true inbox_is "one three two"
	deposited last
	until_true [ -e begun ]
	# These gather while the command runs.
	deposited four five
	kill -TERM "$fetch"
	sleep 0.2
	kill -0 "$fetch"
	echo >gate
	local got=0
	wait "$fetch" || got=$?
	[ "$got" = 143 ]
	[ "$(awk '{ n += $1 } END { print n }' counts)" = 4 ]
	[ "$(waiting bob)" = 2 ]
	batch 0 "$OPEN"
	[ "$(tail -n 1 counts)" = 2 ]
	[ "$(inbox)" = "five four last one three two" ]
}

inbox_is() {
	[ "$(inbox)" = "$1" ]
}

@test "--wait connects again, and nothing is handed on twice" {
	mailbox one two
	e2e-fetch -q -i bob.key --wait --batch --exec "$OPEN" "$RELAY" 2>fetch.err 3>&- &
	RELAY_PROCESSES+=($!)
	local fetch=$!
	until_true inbox_is "one two"
	relay_end KILL
	relay_start store
	deposited three
	until_true inbox_is "one three two"
	kill -TERM "$fetch"
	wait "$fetch" || true
	[ "$(waiting bob)" = 0 ]
	[ "$(refused_count)" = 0 ]
}

@test "a slow command does not lose the session" {
	relay_start store --idle-time 1s
	registered bob
	deposited one two
	batch 0 "sleep 4; $OPEN"
	[ "$(inbox)" = "one two" ]
	[ "$(waiting bob)" = 0 ]
}

@test "broken before the confirmation: no one of the batch is handed on again" {
	local limit got=0
	mailbox one two three
	through 1000000
	e2e-fetch -q -i bob.key --batch --exec 'exit 75' "$VIA" 2>err || true
	until_true [ -s via.log ]
	limit=$(cat via.log)
	through "$limit"
	e2e-fetch -q -i bob.key --timeout 2 --batch \
		--exec 'printf "0\n2\n75\n" >&$E2E_VERDICT_FD' "$VIA" 2>err || got=$?
	[ "$got" = 75 ]
	[ "$(cat home/state/e2e/fetch/*.kept | wc -l)" = 2 ]
	gives 0 e2e-fetch -q -i bob.key --batch --exec "$OPEN" "$VIA"
	[ "$(counts)" = 1 ]
	[ "$(inbox)" = three ]
	[ "$(refused_count)" = 1 ]
	[ "$(waiting bob)" = 0 ]
	absent home/state/e2e/fetch/*.kept
}

@test "--refused" {
	mailbox one two
	altered bad
	deposited three
	batch 0 'exit 2'
	[ "$(refused_count)" = 4 ]
	relay_end
	gives 75 e2e-fetch -i bob.key --refused --batch --exec "$COUNTED; exit 127"
	[ "$(refused_count)" = 4 ]
	gives 0 e2e-fetch -i bob.key --refused --batch --max 1 --exec "$COUNTED"
	[ "$(refused_count)" = 3 ]
	mv "$(find home/state/e2e/refused -name "$(id_of altered.e2e)")" . || true
	cp altered.e2e "$(echo home/state/e2e/refused/*)/$(id_of altered.e2e)"
	local before
	before=$(refused_count)
	gives 0 e2e-fetch -i bob.key --refused --batch --exec "$OPEN"
	says '1 still refused'
	[ "$(refused_ids)" = "$(id_of altered.e2e)" ]
	[ "$(ls inbox | wc -l)" = $((before - 1)) ]
	[ "$(counts)" = "4 1 $before" ]
}

@test "--refused: killed, and what it did not come to" {
	mailbox one two three four
	batch 0 'exit 2'
	rm -f counts
	gives 75 e2e-fetch -i bob.key --refused --batch --exec \
		"$COUNTED; [ \$E2E_ENVELOPE_COUNT = 1 ] || { printf '0\\n75\\n' >&\$E2E_VERDICT_FD; kill -9 \$\$; }"
	says '1 of 4'
	[ "$(counts)" = "4 1 1" ]
	[ "$(refused_count)" = 1 ]
}

@test "what is not exactly one envelope goes alone: verdicts fall on no other" {
	local folder
	mailbox one
	batch 0 'exit 2'
	folder=$(echo home/state/e2e/refused/*)
	rm "$folder"/*
	sealed two >two.e2e
	sealed three >three.e2e
	{ sealed four; sealed five; } >joined.e2e
	head -c 200 three.e2e >half.e2e
	tail -c +201 three.e2e >rest.e2e
	local f
	for f in two three joined half rest; do
		cp "$f.e2e" "$folder/$(id_of "$f.e2e")"
	done
	gives 0 e2e-fetch -i bob.key --refused --batch --exec "$OPEN"
	# Two are whole; whatever became of the others, these two are not there
	# any more, and no other has gone.
	absent "$folder/$(id_of two.e2e)" "$folder/$(id_of three.e2e)"
	[ -e "$folder/$(id_of half.e2e)" ]
	[ -e "$folder/$(id_of rest.e2e)" ]
	grep -qx two inbox/*
	grep -qx three inbox/*
}

@test "--status-fd" {
	mailbox one two
	batch 0 'printf "0\n2\n" >&$E2E_VERDICT_FD' --status-fd 5 5>status
	json status "command['count'] == 2 and command['verdicts'] == 2 and command['status'] == 0"
	json status "[e['kept'] for e in all if e['event'] == 'message'] == [True, True]"
	json status "fetched['messages'] == 2 and fetched['left'] == 0"
}
