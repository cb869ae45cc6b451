#!/usr/bin/env bats
# What sends bytes over TCP from a shell, and what each does with the relay:
# it ends by itself, shows the receipt, and the message is stored once.
#
# Three kinds: those that keep the connection open when their input ends, until
# the relay closes (nc as it is, bash, s_client -quiet); those that say so at
# once by a half-close (nc -N, ncat, busybox nc); and socat, which does the
# same, and then waits for half a second only.
load helpers

setup_file() {
	people alice bob
	cd "$BATS_FILE_TMPDIR/keys"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	    -keyout tls.key -out tls.crt 2>/dev/null
	chmod 600 tls.key
	echo one | "$BIN/e2e-seal" -r bob.pub -i alice.key >one.env
	echo two | "$BIN/e2e-seal" -r bob.pub -i alice.key >two.env
	bytes 300000 | "$BIN/e2e-seal" -r bob.pub -i alice.key >big.env
	echo lost | "$BIN/e2e-seal" -r alice.pub >stranger.env
	mkdir ../cards
	cp bob.pub ../cards
}

setup() {
	stage
	cp -r "$BATS_FILE_TMPDIR/cards" .
}

teardown() {
	[ -z "${relay:-}" ] || kill -KILL "$relay" || true
}

# relay_with FLAG...: one on a port that the system gives; $relay, $port.
relay_with() {
	e2e-relayd --store store -l 127.0.0.1:0 --unix socket \
	    --registration closed --cards cards \
	    --tls-cert tls.crt --tls-key tls.key "$@" >relay.log 2>&1 3>&- &
	relay=$!
	local n
	for ((n = 0; n < 600; n++)); do
		if grep -q ready relay.log; then
			port=$(sed -nE 's/.*127\.0\.0\.1:([0-9]+).*/\1/p' relay.log | head -n 1)
			[ -n "$port" ] && return 0
		fi
		kill -0 "$relay" || break
		sleep 0.05
	done
	echo "no relay:"
	cat relay.log
	return 1
}

# words_of NAME: the command that sends its standard input to the relay and
# prints the answer.
words_of() {
	case $1 in
	nc.openbsd) words=(nc.openbsd 127.0.0.1 "$port") ;;
	nc.openbsd-N) words=(nc.openbsd -N 127.0.0.1 "$port") ;;
	nc.traditional) words=(nc.traditional 127.0.0.1 "$port") ;;
	ncat) words=(ncat 127.0.0.1 "$port") ;;
	busybox) words=(busybox nc 127.0.0.1 "$port") ;;
	socat) words=(socat "${patience[@]}" - "TCP:127.0.0.1:$port") ;;
	openssl) words=(openssl s_client -quiet -verify_quiet
	    -verify_return_error -CAfile tls.crt -servername localhost
	    -connect "127.0.0.1:$port") ;;
	bash) words=(bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && cat >&3 && cat <&3' "$port") ;;
	esac
}

# by_itself NAME: its answer in NAME.out; it has to end, and with success, and
# the bound is for what hangs.
by_itself() {
	local words got=0
	words_of "$1"
	timeout -k 5 60 "${words[@]}" >"$1.out" 2>"$1.err" || got=$?
	[ "$got" -eq 0 ] && return 0
	echo "$1 ends with status $got"
	cat "$1.err"
	return 1
}

# ask FILE: a client that ends at once; the answer on standard output.
ask() {
	timeout 60 nc.openbsd -N 127.0.0.1 "$port" <"$1"
}

id_of() {
	openssl dgst -sha256 -binary "$1" | base64 | tr '+/' '-_' | tr -d =
}

# receipted FILE LINES: an OK for each of these envelopes, nothing else.
receipted() {
	local lines=$1 envelope
	shift
	for envelope; do
		grep -q "^OK $(id_of "$envelope") stored=1 dup=0 unknown=0 until=" "$lines" && continue
		echo "$lines: no receipt for $envelope:"
		cat "$lines"
		return 1
	done
	[ "$(wc -l <"$lines")" -eq $# ] && return 0
	echo "$lines: more than receipts:"
	cat "$lines"
	return 1
}

# kept FILE...: just these envelopes wait for bob, each once.
kept() {
	rm -rf mail
	e2e-fetch -q -i bob.key "unix:$PWD/socket" -d mail 2>fetch.err || {
		cat fetch.err
		return 1
	}
	local want got
	want=$(for want; do sha256sum "$want"; done | cut -c1-64 | sort)
	got=$(find mail/new -type f -exec sha256sum {} + | cut -c1-64 | sort)
	[ "$want" = "$got" ] && return 0
	echo "waiting for bob, not $*:"
	echo "$got"
	return 1
}

one() {
	local n
	relay_with
	by_itself "$1" <one.env
	# An answer that takes longer than half a second is not socat's.
	for ((n = 0; n < 20; n++)); do
		[ "$1" = socat ] && [ ! -s socat.out ] || break
		by_itself "$1" <one.env
	done
	if [ "$n" -gt 0 ]; then
		grep -q "^OK $(id_of one.env) stored=0 dup=1 " socat.out
	else
		receipted "$1.out" one.env
	fi
	kept one.env
}

large() {
	relay_with
	patience=(-t 30)
	by_itself "$1" <big.env
	receipted "$1.out" big.env
	kept big.env
}

# A connection that says nothing more is closed after this time; on a busy
# machine a second may become three.
two() {
	relay_with --linger 5s
	patience=(-t 30)
	{ cat one.env; sleep 1; cat two.env; } | by_itself "$1"
	receipted "$1.out" one.env two.env
	kept one.env two.env
}

# The relay is stopped, and the system answers for it, until the client has
# sent everything and then some.
slow() {
	local n
	relay_with
	kill -STOP "$relay"
	(sleep 1.5; kill -CONT "$relay") >/dev/null 2>&1 3>&- &
	by_itself "$1" <one.env
	if [ "$1" = socat ]; then
		# It is gone before the answer comes; it says nothing, and
		# calls that success.
		empty socat.out
	else
		receipted "$1.out" one.env
	fi
	# The relay may not have come to it yet.
	for ((n = 0; n < 100; n++)); do
		kept one.env >kept.said && break
		sleep 0.1
	done
	cat kept.said
	[ "$n" -lt 100 ]
	ask one.env >again
	grep -q "^OK $(id_of one.env) stored=0 dup=1 unknown=0 until=" again
	kept
}

# What never came to its end was never there.
truncated() {
	relay_with --idle-time 3s --header-time 3s
	head -c -1 one.env | by_itself "$1"
	no grep -q '^OK' "$1.out"
	head -c 200 one.env | by_itself "$1"
	no grep -q '^OK' "$1.out"
	ask one.env >again
	receipted again one.env
	kept one.env
}

# every CLIENT: all cases, at the same time, each with a relay of its own: what
# takes long is to wait.
every() {
	local case failed= patience=()
	declare -A pids
	for case in one large two slow truncated; do
		mkdir "case.$case"
		(
			cd "case.$case"
			cp -rp ../*.env ../*.key ../*.pub ../tls.crt ../cards .
			mkdir home
			export HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home/config
			export XDG_STATE_HOME=$PWD/home/state
			trap '[ -z "$relay" ] || kill -KILL "$relay" 2>/dev/null' EXIT
			"$case" "$1"
			kill -TERM "$relay"
			wait "$relay"
			relay=
			touch passed
		) >"case.$case/said" 2>&1 3>&- &
		pids[$case]=$!
	done
	for case in "${!pids[@]}"; do
		wait "${pids[$case]}" || true
		[ -e "case.$case/passed" ] && continue
		failed+=" $case"
		echo "case $case:"
		cat "case.$case/said" "case.$case/relay.log"
	done
	[ -z "$failed" ]
}

@test "nc of OpenBSD: ends by itself, with a receipt, for what is stored once" {
	every nc.openbsd
}

@test "nc of OpenBSD with -N" {
	every nc.openbsd-N
}

@test "traditional nc" {
	every nc.traditional
}

@test "ncat" {
	every ncat
}

@test "nc of busybox" {
	every busybox
}

@test "socat" {
	every socat
}

@test "openssl s_client, in TLS" {
	every openssl
}

@test "the shell itself, by /dev/tcp" {
	every bash
}

@test "a refusal is a line that grep finds, whatever the client's status says" {
	relay_with
	ask stranger.env >out
	no grep -q '^OK' out
	grep -q '^ERR nouser ' out
	echo 'GET / HTTP/1.1' >request
	ask request >out
	grep -q '^ERR syntax ' out
	[ "$(wc -l <out)" -eq 1 ]
	kept
	kill -TERM "$relay"
	wait "$relay"
	relay=
}
