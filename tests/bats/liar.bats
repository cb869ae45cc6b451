#!/usr/bin/env bats
# Relays that lie: what e2e-send, e2e-fetch and e2e-directory do not believe.
# Each lie has its control: the same relay, telling the truth.
load helpers
load relay

setup_file() {
	people alice bob
	cd "$BATS_FILE_TMPDIR/keys"
	echo hello | e2e-seal -r bob.pub -i alice.key >a.e2e
}

setup() {
	stage
}

teardown() {
	relay_teardown
}

# lying LIE
lying() {
	: >liar.port
	BIN=$BIN "$PYTHON" "$ROOT/tests/relay/liar.py" "$1" a.e2e bob.pub \
		>liar.port 2>liar.err 3>&- &
	RELAY_PROCESSES+=($!)
	until_true [ -s liar.port ]
	RELAY=127.0.0.1:$(cat liar.port)
}

bob() {
	e2e-contact show bob.pub | sed -n 's/^fingerprint: //p'
}

@test "control: nothing is wrong with the one that tells the truth" {
	lying none
	gives 0 e2e-send "$RELAY" a.e2e
	says stored=1 out
	gives 0 e2e-fetch -q -i bob.key "$RELAY"
	same out a.e2e
	gives 0 e2e-directory lookup -n "$RELAY" "$(bob)"
	same out bob.pub
	gives 0 e2e-directory lookup "$RELAY" bob
	same out bob.pub
	empty liar.err
}

@test "a relay that cannot prove who it is" {
	local lie
	for lie in chal-key chal-replayed; do
		lying "$lie"
		gives 76 e2e-send "$RELAY" a.e2e
		explained
		gives 76 e2e-fetch -i bob.key "$RELAY"
		gives 76 e2e-directory lookup "$RELAY" bob
		empty out
		absent home/config/e2e/known_relays
	done
}

@test "receipts that prove nothing" {
	local lie
	for lie in receipt-unsigned receipt-id receipt-box receipt-until \
		receipt-root receipt-key; do
		lying "$lie"
		gives 76 e2e-send "$RELAY" a.e2e
		explained
		empty out
	done
}

@test "a relay that says no in the middle of an upload" {
	bytes 30000000 | e2e-seal -r bob.pub >a.e2e
	lying receipt-early
	gives 75 e2e-send --retry 0 "$RELAY" a.e2e
	says 'not now'
	empty out
}

@test "a message that is not what it is called" {
	lying msg-bytes
	gives 76 e2e-fetch -i bob.key -d mail "$RELAY"
	explained
	[ -z "$(ls mail/new)" ]
	gives 76 e2e-fetch -i bob.key --exec ': >ran' "$RELAY"
	absent ran
	gives 76 e2e-fetch -q -i bob.key "$RELAY"
	empty out
}

@test "messages of impossible sizes" {
	lying msg-impossible
	gives 76 e2e-fetch -i bob.key -d mail "$RELAY"
	lying msg-huge
	gives 75 e2e-fetch -i bob.key -d mail "$RELAY"
	[ -z "$(ls mail/new)" ]
}

@test "a confirmation that nobody asked for" {
	lying acked-unasked
	gives 76 e2e-fetch -q -i bob.key "$RELAY"
	empty out
}

@test "a message that comes again is not handed on again" {
	lying ack-unheard
	gives 75 e2e-fetch -q -i bob.key --exec 'echo >>ran' "$RELAY"
	gives 75 e2e-fetch -q -i bob.key --exec 'echo >>ran' "$RELAY"
	[ "$(wc -l <ran)" = 1 ]
	# Not handed on: that comes again as often as it takes.
	rm -r home/state
	gives 75 e2e-fetch -q -i bob.key --exec 'echo >>again; exit 9' "$RELAY"
	gives 75 e2e-fetch -q -i bob.key --exec 'echo >>again; exit 9' "$RELAY"
	[ "$(wc -l <again)" = 2 ]
}

@test "records that are not the answer" {
	local lie
	for lie in record-number record-altered record-query record-key; do
		lying "$lie"
		gives 76 e2e-directory lookup "$RELAY" bob
		explained
		gives 76 e2e-directory lookup "$RELAY" "$(bob)"
		empty out
		[ -z "$(e2e-contact list)" ]
	done
	# Another's card: a fingerprint cannot be answered with it, a name neither
	# for it is called otherwise.
	lying record-card
	gives 76 e2e-directory lookup "$RELAY" bob
	gives 76 e2e-directory lookup "$RELAY" "$(bob)"
	empty out
}

@test "what a relay says does not reach the terminal as it is" {
	lying hidden-error
	gives 77 e2e-fetch -i bob.key "$RELAY"
	explained
	harmless err e2e-fetch
	lying goaway
	gives 75 e2e-fetch -i bob.key "$RELAY"
	harmless err e2e-fetch
	lying receipt-err-hidden
	e2e-send "$RELAY" a.e2e >out 2>err && false
	harmless err e2e-send
	empty out
}
