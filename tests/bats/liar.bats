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
	local lie
	for lie in receipt-early receipt-late; do
		lying "$lie"
		gives 75 e2e-send --retry 0 --timeout 8 "$RELAY" a.e2e
		says 'not now'
		empty out
	done
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
	# Beyond what the relay itself says that it has, or takes.
	local lie
	for lie in msg-huge msg-beyond; do
		lying "$lie"
		gives 76 e2e-fetch -i bob.key -d mail "$RELAY"
		explained
		[ -z "$(ls mail/new)" ]
		[ -z "$(ls home/state/e2e/partial)" ]
	done
}

@test "numbers that do not rise, or are none" {
	local lie
	for lie in seq-same seq-down seq-large; do
		lying "$lie"
		gives 76 e2e-fetch -i bob.key -d "$lie" "$RELAY"
		explained
	done
}

@test "a relay that never comes to an end" {
	local lie
	for lie in empties-first pings-first empties pings pongs \
		empties-second; do
		lying "$lie"
		gives_in_time e2e-fetch -i bob.key -d "$lie" --timeout 2 "$RELAY"
	done
	for lie in empties pings pongs; do
		lying "$lie"
		gives_in_time e2e-directory lookup -n --timeout 2 "$RELAY" bob
	done
}

# It ends by itself; when with an error, then with the relay's.
gives_in_time() {
	local got=0
	timeout -s KILL 60 "$@" >out 2>err || got=$?
	echo "status $got: $*"
	case $got in
	0) ;;
	75 | 76) explained ;;
	*) false ;;
	esac
}

@test "no pause is longer than five minutes, whatever the relay asks for" {
	lying goaway-first
	e2e-send --retry 1 --status-fd 5 "$RELAY" a.e2e >out 2>err 5>status 3>&- &
	RELAY_PROCESSES+=($!)
	until_true grep -q milliseconds status
	json status "0 < retry['milliseconds'] <= 300000"
	gives 75 e2e-send --retry-for 1s --status-fd 5 "$RELAY" a.e2e 5>status
	json status "0 < retry['milliseconds'] <= 1000"
}

@test "a session that breaks: what was whole is handed on, once" {
	lying break-behind
	gives 75 e2e-fetch -q -i bob.key "$RELAY"
	same out a.e2e
	gives 0 e2e-fetch -q -i bob.key "$RELAY"
	empty out
	lying break-behind
	rm -r home/state
	gives 75 e2e-fetch -q -i bob.key --max 1 --exec 'cat >>got' "$RELAY"
	same got a.e2e
}

@test "a session that breaks: nothing counts as handed on before it was flushed" {
	unflushed_shim
	lying break-behind
	# The first two break; nothing of them is remembered.
	: >mbox
	got=0
	unflushed mbox e2e-fetch -q -i bob.key "$RELAY" >>mbox 2>err || got=$?
	[ "$got" = 74 ]
	explained
	absent home/state/e2e/fetch/*.kept
	: >mbox
	e2e-fetch -q -i bob.key "$RELAY" >>mbox
	same mbox a.e2e
}

@test "a broken download that has another number now goes on where it ended" {
	local size
	bytes 5000000 | e2e-seal -r bob.pub >a.e2e
	lying renumbered
	gives 75 e2e-fetch -q -i bob.key -d mail "$RELAY"
	size=$(stat -c %s home/state/e2e/partial/*)
	[ "$size" -gt 1900000 ]
	gives 0 e2e-fetch -q -i bob.key -d mail "$RELAY"
	same mail/new/* a.e2e
	grep -qx "from $size" liar.err
	[ -z "$(ls home/state/e2e/partial)" ]
	# Renumbered for ever: then it comes from its beginning, and comes.
	rm -r mail
	lying gone-always
	gives 75 e2e-fetch -q -i bob.key -d mail "$RELAY"
	timeout 60 e2e-fetch -q -i bob.key -d mail --max 1 "$RELAY"
	same mail/new/* a.e2e
	empty liar.err
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

@test "--batch: a message that comes twice is in it once" {
	lying twice
	gives 0 e2e-fetch -q -i bob.key --batch --exec 'echo "$E2E_ENVELOPE_COUNT" >>counts; cat >>got' "$RELAY"
	[ "$(cat counts)" = 1 ]
	same got a.e2e
}

@test "--batch: what is not exactly one envelope goes alone" {
	lying joined
	gives 0 e2e-fetch -q -i bob.key --batch --exec 'echo "$E2E_ENVELOPE_COUNT" >>counts' "$RELAY"
	[ "$(xargs <counts)" = "1 1 1 1" ]
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
