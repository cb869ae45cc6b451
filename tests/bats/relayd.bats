#!/usr/bin/env bats
# e2e-relayd as a service: starting and refusing to start, signals, files,
# supervisors, TLS, the log; its protocol is tried elsewhere.
load helpers
load relay

setup_file() {
	people alice bob carol
	cd "$BATS_FILE_TMPDIR/keys" || return
	certificate relay
	echo one | "$BIN/e2e-seal" -r bob.pub >one.env
	echo two | "$BIN/e2e-seal" -r bob.pub >two.env
	echo three | "$BIN/e2e-seal" -r carol.pub >carol.env
}

setup() {
	stage
	mkdir cards
	cp bob.pub cards
}

teardown() {
	relay_teardown
}

# certificate NAME: NAME.crt and NAME.key, for localhost.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj "/CN=$1" -addext subjectAltName=DNS:localhost \
	    -keyout "$1.key" -out "$1.crt" 2>/dev/null
	chmod 600 "$1.key"
}

# closed [FLAG...]: a relay in `store`, with the mailboxes of `cards`.
closed() {
	relay_start store --registration closed --cards cards "$@"
}

# deposit FILE: the answer in `answer`.
deposit() {
	timeout 60 nc -N 127.0.0.1 "$PORT" <"$1" >answer
}

accepted() {
	deposit "$1" && grep -q '^OK .* stored=1 ' answer && return 0
	echo "not stored: $(cat answer)"
	return 1
}

# ends STATUS: the relay does, by itself or because it was told to.
ends() {
	local got=0
	wait "$RELAY_PID" || got=$?
	[ "$got" -eq "$1" ] && return 0
	echo "the relay gave status $got, not $1"
	cat relay.err
	return 1
}

has_ended() {
	! kill -0 "$RELAY_PID" 2>/dev/null
}

stops() {
	kill -TERM "$RELAY_PID"
	ends 0
}

logged() {
	grep -qE -- "$1" relay.err
}

# refuses STATUS FLAG...: it does not start, and explains.
refuses() {
	local want=$1
	shift
	gives "$want" timeout 60 e2e-relayd -l 127.0.0.1:0 "$@"
	explained
}

files_of() {
	(cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2)
}

@test "it keeps what it is given, ends when told, and still has it" {
	closed
	accepted one.env
	stops
	logged 'event=drain detail=SIGTERM'
	logged 'event=end'
	closed
	deposit one.env
	grep -q '^OK .* stored=0 dup=1 ' answer
	accepted two.env
	kill -INT "$RELAY_PID"
	ends 0
}

@test "it makes itself a key at the first start, once, for nobody else's eyes" {
	absent store
	closed
	[ "$(mode_of store)" = 700 ]
	[ "$(mode_of store/relay.key)" = 600 ]
	first=$RELAY_KEY
	gives 0 e2e-relayd --store store --fingerprint
	[ "$(cat out)" = "$first" ]
	stops
	closed
	[ "$RELAY_KEY" = "$first" ]
	stops
	gives 0 e2e-key show store/relay.key
	says "$first" out
}

@test "the fingerprint that cannot be written is an error" {
	closed
	stops
	status=0
	e2e-relayd --store store --fingerprint 2>err >/dev/full || status=$?
	[ "$status" -eq 74 ]
	explained
	gives 66 e2e-relayd --store none --fingerprint
	explained
	absent none
}

@test "a key of one's own is taken, if nobody else can read it" {
	relay_start store -i alice.key
	gives 0 e2e-key show alice.key
	says "$RELAY_KEY" out
	absent store/relay.key
	stops
	chmod 640 alice.key
	refuses 78 --store store -i alice.key
	says "others can read"
	says "chmod 600"
	chmod 600 alice.key
	relay_start store -i alice.key
	stops
	relay_start store
	stops
	chmod 604 store/relay.key
	refuses 78 --store store
	says "others can read"
}

@test "a key under a passphrase, none, or something else is refused" {
	echo secret >phrase
	chmod 600 phrase
	# shellcheck disable=SC2086
	e2e-keygen -q -t x25519 $CHEAP --passphrase-file phrase -o locked.key
	refuses 78 --store store -i locked.key
	says "passphrase"
	says "--no-passphrase"
	refuses 66 --store store -i none.key
	absent none.key
	cp alice.pub wrong.key
	chmod 600 wrong.key
	refuses 5 --store store -i wrong.key
}

@test "a second relay does not start on the store of the first" {
	closed
	accepted one.env
	refuses 78 --store store
	says "another relay"
	accepted two.env
	stops
}

@test "a store that others may look into is refused" {
	mkdir -m 755 store
	refuses 78 --store store
	says "the store"
	says "chmod 700"
	silent "secret file"
	[ -z "$(ls -A store)" ]
	# The control: it is only for the mode.
	chmod 700 store
	closed
	stops
	echo text >file
	refuses 78 --store file
	says "no folder"
	same file <(echo text)
}

@test "a store of a newer version is refused, and left as it is" {
	closed
	accepted one.env
	stops
	"$PYTHON" - <<-'END'
	import sqlite3
	db = sqlite3.connect("store/relay.db", isolation_level=None)
	db.execute("PRAGMA user_version = %d" % (db.execute(
	    "PRAGMA user_version").fetchone()[0] + 1))
	db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
	db.close()
	END
	files_of store >before
	refuses 78 --store store
	says "newer version"
	files_of store >after
	same before after
	gives 78 e2e-relayd --store store --check
	explained
	gives 78 e2e-relayd --store store --backup copy
	explained
	absent copy
}

@test "a store that is no database is refused, and left as it is" {
	mkdir -m 700 store
	bytes 20000 >store/relay.db
	chmod 600 store/relay.db
	cp store/relay.db before
	refuses 78 --store store
	same store/relay.db before
	gives 78 e2e-relayd --store store --check
	explained
}

@test "a store that is damaged is called so, and nothing else" {
	closed
	accepted one.env
	stops
	"$PYTHON" - <<-'END'
	with open("store/relay.db", "r+b") as f:
	    f.seek(100)
	    f.write(b"\xa5" * 8000)
	END
	refuses 78 --store store
	says "damaged"
	says "--backup"
	silent "No such file"
	gives 78 e2e-relayd --store store --check
	says "damaged"
	silent "No such file"
	gives 78 e2e-relayd --store store --backup copy
	says "store: the database is damaged"
	silent "No such file"
	absent copy
}

@test "a database that was emptied is no new store" {
	closed
	accepted one.env
	stops
	: >store/relay.db
	refuses 78 --store store
	says "damaged: it is empty"
	[ ! -s store/relay.db ]
	for work in --check "--backup copy"; do
		# shellcheck disable=SC2086
		gives 78 e2e-relayd --store store $work
		says "damaged: it is empty"
	done
	absent copy
	# The control: without one a store is made.
	rm store/relay.db
	closed
	stops
	[ -s store/relay.db ]
}

@test "a store whose folder is deleted takes nothing more, and the relay ends" {
	for gone in 'rm -rf store' 'mv store elsewhere' 'rm store/relay.db-wal'; do
		rm -rf store elsewhere
		PORT=0
		closed
		accepted one.env
		$gone
		deposit two.env || true
		no grep -q '^OK' answer
		ends 74
		logged 'level=error event=store'
		logged 'deleted'
	done
	# Nobody has to send anything for it to be noticed.
	rm -rf store
	closed
	rm -rf store
	until_true has_ended
	ends 74
}

@test "--check finds everything in order, beside a relay and without one" {
	closed
	for file in one.env two.env; do
		accepted "$file"
	done
	gives 0 e2e-relayd --store store --check
	says "everything is in order"
	accepted_again=$(deposit one.env && cat answer)
	[[ $accepted_again == OK* ]]
	stops
	gives 0 e2e-relayd --store store --check
	gives 66 e2e-relayd --store none --check
	explained
	gives 66 e2e-relayd --store none --backup copy
	explained
	absent none
}

@test "--check finds an envelope that was changed" {
	closed
	accepted one.env
	stops
	gives 0 e2e-relayd --store store --check
	"$PYTHON" - <<-'END'
	data = bytearray(open("store/relay.db", "rb").read())
	envelope = open("one.env", "rb").read()
	place = data.index(envelope[40:120]) + 40
	data[place] ^= 1
	open("store/relay.db", "wb").write(data)
	END
	gives 78 e2e-relayd --store store --check
	explained
	says "damaged"
	says "backup"
}

@test "--backup copies a relay that runs" {
	closed
	accepted one.env
	mkdir -m 700 copy
	gives 0 e2e-relayd --store store --backup copy/relay.db
	[ "$(mode_of copy/relay.db)" = 600 ]
	accepted two.env
	gives 73 e2e-relayd --store store --backup copy/relay.db
	explained
	gives 0 e2e-relayd --store copy --check
	stops
	# The copy has what was there then, and nothing of later.
	cp -p store/relay.key copy
	PORT=0
	relay_start copy --registration closed --cards cards
	deposit one.env
	grep -q '^OK .* dup=1 ' answer
	accepted two.env
	stops
	gives 73 e2e-relayd --store store --backup none/copy
	explained
}

@test "--rotate-key makes a key that the old one names" {
	relay_start store
	old=$RELAY_KEY
	e2e-directory register -q -i bob.key --relay-key "$old" "$RELAY"
	gives 0 e2e-relayd --store store --rotate-key
	gives 0 e2e-relayd --store store --fingerprint
	new=$(cat out)
	[ "$new" != "$old" ]
	[ "$(mode_of store/relay.key)" = 600 ]
	[ "$(mode_of "store/relay.key.old-${old:0:9}")" = 600 ]
	# The relay that runs is who it was.
	e2e-directory lookup --relay-key "$old" "$RELAY" bob >bob.line
	stops
	gives 0 e2e-relayd --store store --rotate-key
	relay_start store
	[ "$RELAY_KEY" != "$new" ] && [ "$RELAY_KEY" != "$old" ]
	# Who has pinned the first follows over both.
	gives 0 e2e-fetch -q -i bob.key "$RELAY"
	stops
	[ "$(find store -name 'relay.key.old-*' | wc -l)" -eq 2 ]
}

@test "a relay that comes with another key, and no succession, is refused" {
	relay_start store
	e2e-directory register -q -i bob.key --relay-key "$RELAY_KEY" "$RELAY"
	stops
	gives 0 e2e-relayd --store store --rotate-key
	mv store/relay.key.successions .
	relay_start store
	gives 76 e2e-fetch -q -i bob.key "$RELAY"
	stops
	# The control: it was for that file.
	mv relay.key.successions store
	relay_start store
	gives 0 e2e-fetch -q -i bob.key "$RELAY"
	stops
}

@test "a rotation that was cut off, or a chain that is none" {
	relay_start store
	stops
	first=$RELAY_KEY
	cp -p store/relay.key kept.key
	gives 0 e2e-relayd --store store --rotate-key
	# As if it had ended before the last step.
	cp -p kept.key store/relay.key
	relay_start store
	[ "$RELAY_KEY" = "$first" ]
	stops
	gives 0 e2e-relayd --store store --rotate-key
	relay_start store
	stops
	echo nonsense >store/relay.key.successions
	refuses 78 --store store
	says "chain"
	rm store/relay.key.successions
	gives 0 e2e-relayd --store store --fingerprint
	first=$(cat out)
	for n in 1 2 3 4 5 6 7 8; do
		gives 0 e2e-relayd --store store --rotate-key
		silent "cannot follow"
		[ "$n" -gt 1 ] || e2e-relayd --store store --fingerprint >second
	done
	# Of these a client is told eight.
	gives 0 e2e-relayd --store store --rotate-key
	says "cannot follow"
	says "$first"
	gives 0 e2e-relayd --store store --rotate-key
	says "cannot follow"
	says "$(cat second)"
	gives 73 e2e-relayd --store none --rotate-key
	explained
	absent none
}

@test "TLS, and the plain protocol on the same port" {
	closed --tls-cert relay.crt --tls-key relay.key
	timeout 60 openssl s_client -quiet -connect "127.0.0.1:$PORT" \
	    -CAfile relay.crt -verify_return_error <one.env >answer 2>/dev/null
	grep -q '^OK .* stored=1 ' answer
	timeout 60 openssl s_client -quiet -tls1_2 -connect "127.0.0.1:$PORT" \
	    -CAfile relay.crt -verify_return_error <two.env >answer 2>/dev/null
	grep -q '^OK .* stored=1 ' answer
	deposit two.env
	grep -q '^OK .* dup=1 ' answer
	no timeout 60 openssl s_client -quiet -tls1_1 -cipher 'ALL:@SECLEVEL=0' \
	    -connect "127.0.0.1:$PORT" <one.env >answer 2>/dev/null
	no grep -q OK answer
	stops
}

@test "without a certificate a TLS client is told off in plain text" {
	closed
	printf '\026\003\001\000\005hello' >hello
	deposit hello
	grep -q '^ERR syntax' answer
	stops
}

# Name in the certificate that the relay shows.
shown() {
	timeout 60 openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>/dev/null |
	    openssl x509 -noout -subject
}

@test "SIGHUP: a new certificate is taken, a bad one is not" {
	cp relay.crt now.crt
	cp -p relay.key now.key
	closed --tls-cert now.crt --tls-key now.key
	[[ $(shown) == *relay ]]
	certificate second
	cp second.crt now.crt
	kill -HUP "$RELAY_PID"
	until_true logged 'level=warn event=certificate-kept .*does not belong'
	[[ $(shown) == *relay ]]
	cp second.key now.key
	kill -HUP "$RELAY_PID"
	until_true logged 'event=certificate detail'
	[[ $(shown) == *second ]]
	chmod 644 now.key
	cp relay.key now.key
	kill -HUP "$RELAY_PID"
	until_true logged 'event=certificate-kept .*others can read'
	[[ $(shown) == *second ]]
	accepted one.env
	stops
}

@test "certificates that cannot be used at the start" {
	certificate other
	refuses 78 --store store --tls-cert relay.crt --tls-key other.key
	says "does not belong"
	refuses 66 --store store --tls-cert none.crt --tls-key relay.key
	chmod 644 other.key
	refuses 78 --store store --tls-cert other.crt --tls-key other.key
	says "others can read"
	refuses 64 --store store --tls-cert other.crt
}

@test "SIGHUP: cards come and go" {
	closed
	deposit carol.env
	grep -q '^ERR nouser' answer
	cp carol.pub cards
	rm cards/bob.pub
	kill -HUP "$RELAY_PID"
	until_true logged 'event=reload'
	until_true accepted carol.env
	deposit one.env
	grep -q '^ERR nouser' answer
	# Something that is no card harms nobody else.
	cp bob.pub cards
	echo nonsense >cards/dave.pub
	echo nonsense >cards/README
	kill -HUP "$RELAY_PID"
	until_true logged 'level=warn event=card .*dave.pub'
	until_true accepted one.env
	no logged README
	# No folder: what is there stays.
	mv cards elsewhere
	kill -HUP "$RELAY_PID"
	until_true logged 'level=warn event=cards-kept'
	accepted two.env
	stops
}

@test "the token: who has it registers, and it changes on SIGHUP" {
	echo open-sesame >token
	refuses 78 --store store --registration token --token-file token
	says "others can read"
	chmod 600 token
	relay_start store --registration token --token-file token
	gives 77 e2e-directory register -q -i bob.key --relay-key "$RELAY_KEY" "$RELAY"
	echo wrong >given
	chmod 600 given
	gives 77 e2e-directory register -q -i bob.key --token-file given "$RELAY"
	echo another >token
	kill -HUP "$RELAY_PID"
	until_true logged 'event=reload'
	cp -p token given
	gives 0 e2e-directory register -q -i bob.key --token-file given "$RELAY"
	: >token
	kill -HUP "$RELAY_PID"
	until_true logged 'event=token-kept'
	gives 0 e2e-directory register -q -i carol.key --token-file given "$RELAY"
	stops
	refuses 78 --store store --registration token --token-file token
	refuses 66 --store store --registration token --token-file none
	refuses 64 --store store --registration token
	refuses 64 --store store --token-file given
}

# Listens for a supervisor's messages at $1, into the file `notes`.
supervise() {
	: >notes
	"$PYTHON" - "$1" <<-'END' 3>&- &
	import socket, sys
	name = sys.argv[1]
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind("\0" + name[1:] if name[0] == "@" else name)
	open("listening", "w").close()
	while True:
	    data = s.recv(4096).decode()
	    with open("notes", "a") as f:
	        f.write(data.replace("\n", " ") + "\n")
	END
	RELAY_PROCESSES+=($!)
	until_true [ -e listening ]
}

ready_twice() {
	[ "$(grep -cx 'READY=1' notes)" -ge 2 ]
}

@test "a supervisor hears when it is ready, reads again, and ends" {
	for name in "$PWD/notify" "@e2e-relayd-test-$$-$RANDOM"; do
		rm -f listening
		supervise "$name"
		NOTIFY_SOCKET=$name closed
		until_true grep -qx 'READY=1' notes
		kill -HUP "$RELAY_PID"
		until_true grep -qxE 'RELOADING=1 MONOTONIC_USEC=[0-9]+' notes
		until_true ready_twice
		stops
		until_true grep -qx 'STOPPING=1' notes
		PORT=0
	done
}

@test "a supervisor that is not there is no reason not to serve" {
	NOTIFY_SOCKET=$PWD/none closed
	accepted one.env
	stops
}

# handed COMMAND...: runs it with a listening socket of TCP as descriptor 3 and
# one of Unix, the file `handed`, as 4.
handed() {
	exec "$PYTHON" -c '
import os, socket, sys
a = socket.create_server(("127.0.0.1", 0))
b = socket.socket(socket.AF_UNIX)
b.bind("handed")
b.listen()
high = [os.dup2(s.fileno(), n) for s, n in ((a, 20), (b, 21))]
for fd, n in ((20, 3), (21, 4)):
    os.dup2(fd, n)
    os.set_inheritable(n, True)
os.environ["LISTEN_FDS"] = "2"
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

@test "sockets that are passed in are served, and no others" {
	handed e2e-relayd --store store --registration closed --cards cards \
	    2>relay.err 3>&- &
	RELAY_PID=$!
	RELAY_PROCESSES+=("$RELAY_PID")
	until_true relay_settled
	logged '^ready .*listen=127\.0\.0\.1:[0-9]+,unix:handed$'
	PORT=$(sed -nE 's/.*listen=127\.0\.0\.1:([0-9]+).*/\1/p' relay.err)
	accepted one.env
	timeout 60 nc -N -U handed <two.env | grep -q '^OK .* stored=1 '
	stops
	# They are the supervisor's: it may start the relay again.
	[ -S handed ]
}

@test "descriptors that are no sockets, or another process's" {
	refuses 64 --store store --nonsense
	status=0
	(exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$BASHPID exec e2e-relayd \
	    --store store) 2>err || status=$?
	[ "$status" -eq 78 ]
	explained
	says "descriptor 3"
	# Of a parent: not for us.
	LISTEN_FDS=1 LISTEN_PID=$$ closed
	accepted one.env
	stops
}

@test "the counters are in a file, from the start and to the end" {
	closed --metrics-file metrics
	grep -qx 'e2e_relay_deposits_total 0' metrics
	[ "$(mode_of metrics)" = 644 ]
	accepted one.env
	deposit one.env
	deposit carol.env
	stops
	grep -qx 'e2e_relay_deposits_total [23]' metrics
	grep -qx 'e2e_relay_stored_total 1' metrics
	grep -qx 'e2e_relay_duplicates_total 1' metrics
	grep -qx 'e2e_relay_deposits_refused_total{code="nouser"} 1' metrics
	grep -qx 'e2e_relay_connections_total 3' metrics
	tidy
	"$PYTHON" - <<-'END'
	import re
	kinds, seen = {}, set()
	for line in open("metrics"):
	    line = line.rstrip("\n")
	    if head := re.fullmatch(r"# (HELP|TYPE) (\w+) (.+)", line):
	        if head[1] == "TYPE":
	            assert head[2] not in kinds, line
	            kinds[head[2]] = head[3]
	            assert head[3] in ("counter", "gauge"), line
	        continue
	    row = re.fullmatch(r'(\w+)(\{\w+="[^"]*"\})? [0-9.]+', line)
	    assert row and row[1] in kinds, line
	    assert (row[1], row[2]) not in seen, line
	    seen.add((row[1], row[2]))
	    assert row[1].endswith("_total") == (kinds[row[1]] == "counter"), line
	assert len(kinds) > 20
	END
}

@test "counters that cannot be written do not stop it" {
	mkdir sub
	closed --metrics-file sub/metrics
	rm -r sub
	until_true logged 'level=warn event=metrics'
	accepted one.env
	stops
	refuses 78 --store store --metrics-file none/metrics
	says "none/metrics"
	silent "ready"
}

@test "cards that are not there at the start" {
	refuses 78 --store store --registration closed --cards none
	says "none"
	absent store
	refuses 78 --store store --registration closed --cards bob.pub
	absent store
}

@test "SIGHUP before it is ready is taken when it is" {
	mkfifo -m 600 fifo
	e2e-relayd --store store -l 127.0.0.1:0 -i fifo 2>relay.err 3>&- &
	RELAY_PID=$!
	RELAY_PROCESSES+=("$RELAY_PID")
	# It has its store, and waits for its key.
	until_true [ -s store/relay.db ]
	kill -HUP "$RELAY_PID"
	timeout 60 sh -c 'cat alice.key >fifo'
	until_true relay_settled
	logged '^ready'
	until_true logged 'event=reload'
	stops
	# Who does not serve has nothing to read again.
	mkfifo -m 600 other
	e2e-relayd --fingerprint -i other 2>err 3>&- &
	RELAY_PID=$!
	RELAY_PROCESSES+=("$RELAY_PID")
	until_true grep -qx e2e-relayd "/proc/$RELAY_PID/comm"
	sleep 0.2
	kill -HUP "$RELAY_PID"
	ends 129
}

@test "--help shows the defaults, and every limit can be set" {
	gives 0 e2e-relayd --help
	for text in '*:7733' '0660' '(default: 64M)' '(default: 30d)' \
	    '(default: 1G)' '(default: 100000)' '(default: 256M)' \
	    '(default: 10000)' '(default: 4096)' '(default: 10s)' \
	    '(default: 2s)' '(default: open)'; do
		says "$text" out
	done
	sed -n '/^limits:/,/^common:/p' out |
	    sed -nE 's/^ +--([a-z-]+) ([A-Z]+) .*\(default: ([^)]*)\)$/\1 \2 \3/p' >limits
	[ "$(wc -l <limits)" -ge 19 ]
	set --
	while read -r name _ value; do
		set -- "$@" "--$name" "$value"
		for wrong in "" x -1 1x 1.5 99999999999999999999 "1 k" ms; do
			gives 64 e2e-relayd --store store "--$name" "$wrong" --check
			says "--$name"
		done
		# What the help says is what the parser takes.
		gives 78 e2e-relayd --store cards "--$name" "$value" --check
	done <limits
	closed "$@" --queue 4096 --stop-time 10s
	accepted one.env
	stops
}

@test "a limit counts: the size of an envelope" {
	bytes 5000 | e2e-seal -r bob.pub >big.env
	closed --envelope-max 4k
	deposit big.env
	grep -q '^ERR size' answer
	accepted one.env
	stops
	closed --envelope-max 8K
	accepted big.env
	stops
}

@test "wrong usage" {
	for flags in '' '--store' '--store store extra' '--store store -l nowhere:x' \
	    '--store store -l unix:socket' '--store store -l tls://localhost' \
	    '--store store --unix-mode 8' '--store store --unix-mode 1777' \
	    '--store store --unix-mode rw' '--store store --queue 0' \
	    '--store store --registration closed' '--store store --cards cards' \
	    '--store store --registration maybe' '--check' '--backup file' \
	    '--store store --check --fingerprint'; do
		# shellcheck disable=SC2086
		gives 64 timeout 60 e2e-relayd $flags
	done
	absent store
	gives 64 e2e-relayd --store store --unix "$(printf '%0108d' 0)"
	# A variable that is not set.
	gives 64 timeout 60 e2e-relayd --store store -l ''
	says '*:7733'
	absent store
}

@test "the log has no addresses and no whole mailbox ids, unless asked for" {
	box=$("$PYTHON" -c '
import base64, sys
text = sys.argv[1].replace("-", "").upper()
print(base64.b32decode(text + "=" * (-len(text) % 8)).hex())' \
	    "$(e2e-key show bob.key | grep -oE '([a-z2-7]{4}-){12}[a-z2-7]{4}' | head -n 1)")
	[ ${#box} -eq 64 ]
	closed -v --unix socket
	accepted one.env
	timeout 60 nc -N -U socket <two.env >answer
	stops
	logged "event=deposit code=ok stored=1 bytes=[0-9]+ box=${box:0:8}$"
	no grep -q "$box" relay.err
	no grep -qF 127.0.0.1 <(grep -v '^ready' relay.err)
	no grep -q ' from=' relay.err
	rm -r store
	closed --log-addresses --unix socket
	accepted one.env
	timeout 60 nc -N -U socket <two.env >answer
	stops
	logged "event=deposit .*box=$box from=127.0.0.1$"
	logged "event=deposit .*box=$box from=local$"
	# Each line but one is of the form that programs read.
	no grep -vE '^time=[0-9T:Z-]+ level=(debug|info|warn|error) event=[a-z-]+( [a-z]+=("([^"\\]|\\.)*"|[^" ]+))*$' \
	    <(grep -v '^ready ' relay.err)
	harmless relay.err
}

@test "quiet, it logs only what is wrong" {
	closed -q
	accepted one.env
	stops
	[ "$(wc -l <relay.err)" -eq 1 ]
}

@test "a Unix socket: its mode, a stale one, and what is none" {
	closed --unix socket
	[ "$(mode_of socket)" = 660 ]
	timeout 60 nc -N -U socket <one.env | grep -q '^OK .* stored=1 '
	refuses 78 --store other --unix socket
	says "another process listens"
	timeout 60 nc -N -U socket <two.env | grep -q '^OK .* stored=1 '
	stops
	absent socket
	closed --unix socket --unix-mode 0600
	[ "$(mode_of socket)" = 600 ]
	kill -KILL "$RELAY_PID"
	ends 137
	[ -S socket ]
	closed --unix socket
	timeout 60 nc -N -U socket <two.env | grep -q '^OK .* dup=1 '
	stops
	echo precious >socket
	refuses 78 --store store --unix socket
	same socket <(echo precious)
	rm socket
	ln -s precious socket
	refuses 78 --store store --unix socket
	[ -L socket ]
	refuses 78 --store store --unix none/socket
}

@test "on a Unix socket alone" {
	e2e-relayd --store store --unix socket --registration closed --cards cards \
	    2>relay.err 3>&- &
	RELAY_PID=$!
	RELAY_PROCESSES+=("$RELAY_PID")
	until_true relay_settled
	logged 'listen=unix:socket$'
	stops
}

@test "several addresses, and one that is taken" {
	closed -l 127.0.0.2:0
	logged 'listen=127\.0\.0\.1:[0-9]+,127\.0\.0\.2:[0-9]+$'
	other=$(sed -nE 's/.*127\.0\.0\.2:([0-9]+)$/\1/p' relay.err)
	timeout 60 nc -N 127.0.0.2 "$other" <one.env | grep -q '^OK .* stored=1 '
	accepted two.env
	refuses 78 --store other -l "127.0.0.1:$PORT"
	says "127.0.0.1:$PORT"
	refuses 78 --store other -l 203.0.113.1:0
	stops
}

@test "everywhere, and IPv6" {
	closed -l '*:0'
	every=$(sed -nE 's/.*,[^,]*:([0-9]+)$/\1/p' relay.err)
	timeout 60 nc -N 127.0.0.1 "$every" <one.env | grep -q '^OK .* stored=1 '
	stops
	grep -q '^0\{31\}1 ' /proc/net/if_inet6 || skip "no IPv6 here"
	closed -l '[::1]:0' -l '*:0'
	logged 'listen=127\.0\.0\.1:[0-9]+,\[::1\]:[0-9]+,\[::\]:[0-9]+$'
	six=$(sed -nE 's/.*\[::1\]:([0-9]+),.*/\1/p' relay.err)
	every=$(sed -nE 's/.*\[::\]:([0-9]+)$/\1/p' relay.err)
	timeout 60 nc -N ::1 "$six" <one.env | grep -q '^OK .* dup=1 '
	timeout 60 nc -N ::1 "$every" <one.env | grep -q '^OK .* dup=1 '
	timeout 60 nc -N 127.0.0.1 "$every" <one.env | grep -q '^OK .* dup=1 '
	# An address of v4 is one of v4 here, too: it is what a limit counts.
	stops
	closed -l '*:0' --log-addresses
	every=$(sed -nE 's/.*\[::\]:([0-9]+)$/\1/p' relay.err)
	timeout 60 nc -N 127.0.0.1 "$every" <two.env >answer
	timeout 60 nc -N ::1 "$every" <two.env >answer
	stops
	logged 'event=deposit .*from=127\.0\.0\.1$'
	logged 'event=deposit .*from=::1$'
}

@test "SIGTERM: who is silent is not waited for, what is under way is answered" {
	closed --linger 30s --idle-time 10m --header-time 10m --stop-time 2s
	"$PYTHON" - "$PORT" "$RELAY_PID" <<-'END'
	import os, signal, socket, sys, time
	port, pid = map(int, sys.argv[1:])
	envelope = open("one.env", "rb").read()
	def connect():
	    return socket.create_connection(("127.0.0.1", port), 60)
	silent, done, half = connect(), connect(), connect()
	done.sendall(envelope)
	assert done.recv(1000).startswith(b"OK "), "no receipt"
	half.sendall(envelope[:-10])
	time.sleep(0.2)
	os.kill(pid, signal.SIGTERM)
	assert silent.recv(1000) == b""
	assert done.recv(1000) == b""
	# Nothing that is incomplete is stored, nothing new is taken.
	answer = half.recv(1000)
	assert not answer.startswith(b"OK"), answer
	try:
	    connect()
	except ConnectionRefusedError:
	    pass
	else:
	    raise SystemExit("still listening")
	END
	ends 0
}

@test "SIGTERM: uploads under way may end, and are answered" {
	bytes 900000 | e2e-seal -r bob.pub >big.env
	for manner in bare put; do
		rm -rf store
		PORT=0
		closed --stop-time 60s
		"$PYTHON" - "$PORT" "$RELAY_PID" "$manner" <<-'END'
		import os, signal, socket, sys, threading, time
		sys.path.insert(0, os.environ["ROOT"] + "/tests/relay")
		import session
		port, pid = map(int, sys.argv[1:3])
		envelope = open("big.env", "rb").read()
		c = socket.create_connection(("127.0.0.1", port), 60)
		if sys.argv[3] == "put":
		    class Relay:
		        def connect(self, timeout):
		            return c
		    s = session.connect(Relay(), None, 60)
		    s.greet()
		    s.send(session.frame(session.PUT, []))
		got = []
		def listen():
		    try:
		        while data := c.recv(65536):
		            got.append(data)
		    except OSError as e:
		        got.append(repr(e).encode())
		listener = threading.Thread(target=listen)
		listener.start()
		c.sendall(envelope[:300000])
		time.sleep(0.5)
		os.kill(pid, signal.SIGTERM)
		try:
		    for at in range(300000, len(envelope), 50000):
		        c.sendall(envelope[at:at + 50000])
		        time.sleep(0.1)
		    c.shutdown(socket.SHUT_WR)
		except OSError as e:
		    got.append(repr(e).encode())
		listener.join()
		answer = b"".join(got)
		if sys.argv[3] == "bare":
		    assert answer.startswith((b"OK ", b"ERR drain ")), answer
		else:
		    # The word that it is ending, and an answer behind that.
		    assert b"drain" in answer, answer
		    assert b"ERR drain " in answer or len(answer) > 300, answer
		END
		ends 0
	done
}

@test "SIGTERM: an upload that does not end is cut after --stop-time" {
	closed --stop-time 1s --header-time 10m --idle-time 10m --slow 0
	"$PYTHON" - "$PORT" "$RELAY_PID" <<-'END'
	import os, signal, socket, sys, time
	port, pid = map(int, sys.argv[1:])
	c = socket.create_connection(("127.0.0.1", port), 60)
	c.sendall(open("one.env", "rb").read()[:-10])
	time.sleep(0.5)
	os.kill(pid, signal.SIGTERM)
	began = time.monotonic()
	try:
	    answer = c.recv(1000)
	except ConnectionResetError:
	    answer = b""
	assert not answer.startswith(b"OK"), answer
	END
	ends 0
}

# dam: a way to the relay on which, after 100000 bytes from it, nothing moves
# any more; in the file dam.port.
dam() {
	rm -f dam.port
	"$PYTHON" - "$PORT" <<-'END' 3>&- &
	import os, socket, sys, threading, time
	server = socket.create_server(("127.0.0.1", 0))
	with open("dam.new", "w") as f:
	    f.write(str(server.getsockname()[1]))
	os.rename("dam.new", "dam.port")
	client, _ = server.accept()
	relay = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
	def up():
	    while data := client.recv(65536):
	        relay.sendall(data)
	threading.Thread(target=up, daemon=True).start()
	passed = 0
	while passed < 100000:
	    data = relay.recv(65536)
	    client.sendall(data)
	    passed += len(data)
	open("dammed", "w").close()
	time.sleep(600)
	END
	RELAY_PROCESSES+=($!)
	until_true [ -e dam.port ]
}

# A relay that owes somebody more than the sockets between them hold.
owing() {
	closed --slow 0 --rate-mailbox 0 "$@"
	bytes 30000000 | e2e-seal -r bob.pub >big.env
	deposit big.env
	grep -q '^OK ' answer
	dam
	rm -f dammed
	e2e-fetch -q -i bob.key --relay-key "$RELAY_KEY" \
	    "127.0.0.1:$(cat dam.port)" >/dev/null 2>fetch.err 3>&- &
	RELAY_PROCESSES+=($!)
	until_true [ -e dammed ]
}

@test "SIGTERM waits for what is owed, for as long as it was told to" {
	owing --stop-time 10m
	kill -TERM "$RELAY_PID"
	until_true logged event=drain
	sleep 1
	kill -0 "$RELAY_PID"
	# Asked for twice, it does not wait.
	kill -TERM "$RELAY_PID"
	ends 0
	PORT=0
	owing --stop-time 1s
	stops
}

@test "beyond the limit of connections one is told so, and the others are served" {
	closed --connections-each 2 --idle-time 10m
	"$PYTHON" - "$PORT" <<-'END'
	import socket, sys, time
	port = int(sys.argv[1])
	envelope = open("one.env", "rb").read()
	def connect():
	    return socket.create_connection(("127.0.0.1", port), 60)
	def all_of(s):
	    data = b""
	    while more := s.recv(4096):
	        data += more
	    return data
	first, second = connect(), connect()
	time.sleep(0.2)
	third = connect()
	third.sendall(envelope)
	third.shutdown(socket.SHUT_WR)
	assert all_of(third).startswith(b"ERR busy retry="), "not refused"
	# A session is told in a frame.
	third = connect()
	third.sendall(bytes.fromhex("da65326533"))
	third.shutdown(socket.SHUT_WR)
	assert all_of(third).startswith(bytes.fromhex("da65326533")), "no frame"
	second.sendall(envelope)
	assert second.recv(1000).startswith(b"OK "), "not served"
	second.close()
	first.close()
	end = time.monotonic() + 60
	while True:
	    third = connect()
	    third.sendall(envelope)
	    if third.recv(1000).startswith(b"OK "):
	        break
	    assert time.monotonic() < end
	    time.sleep(0.05)
	END
	stops
}

@test "without descriptors those who come wait, and are served" {
	ulimit -n 48
	closed --idle-time 10m
	ulimit -S -n 48
	"$PYTHON" - "$PORT" <<-'END'
	import re, socket, sys, time
	port = int(sys.argv[1])
	envelope = open("one.env", "rb").read()
	# In two processes' worth of time: more than the relay has descriptors.
	held = []
	def connect():
	    return socket.create_connection(("127.0.0.1", port), 60)
	for _ in range(38):
	    held.append(connect())
	end = time.monotonic() + 60
	while "event=accept" not in open("relay.err").read():
	    assert time.monotonic() < end, "it never ran out"
	    time.sleep(0.05)
	late = connect()
	late.sendall(envelope)
	for s in held:
	    s.close()
	assert late.recv(1000).startswith(b"OK "), "not served"
	assert len(re.findall("event=accept", open("relay.err").read())) == 1
	END
	stops
}

@test "a TLS handshake that does not go on is ended" {
	closed --tls-cert relay.crt --tls-key relay.key --header-time 300ms \
	    --idle-time 10m --login-time 10m
	"$PYTHON" - "$PORT" <<-'END'
	import socket, sys
	s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60)
	s.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
	assert s.recv(100) == b""
	END
	accepted one.env
	stops
}

@test "a store that can no longer be written: told, ended, and nothing is lost" {
	bytes 200000 | e2e-seal -r bob.pub >big.env
	# Files may grow to 1 MiB, and then writing fails.
	(trap '' XFSZ; ulimit -f 1024; exec e2e-relayd --store store \
	    -l 127.0.0.1:0 --registration closed --cards cards --disk-low 0) \
	    2>relay.err 3>&- &
	RELAY_PID=$!
	RELAY_PROCESSES+=("$RELAY_PID")
	until_true relay_settled
	PORT=$(sed -nE 's/.*listen=127\.0\.0\.1:([0-9]+).*/\1/p' relay.err)
	: >kept
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		bytes $((200000 + n)) | e2e-seal -r bob.pub >"$n.env"
		deposit "$n.env" || true
		case $(cat answer) in
		OK*) echo "$n" >>kept ;;
		*) break ;;
		esac
	done
	[ -s kept ]
	[ "$(wc -l <kept)" -lt 12 ]
	no grep -q '^OK' answer
	ends 74
	logged 'level=error event=store'
	closed
	while read -r n; do
		deposit "$n.env"
		grep -q '^OK .* dup=1 ' answer
	done <kept
	stops
	gives 0 e2e-relayd --store store --check
}

@test "nothing that opens or seals is linked in" {
	nm "$BIN/e2e-relayd" | awk '{ print $NF }' | sort -u >names
	grep -qx card_decode names
	for name in e2e_identity_unlock e2e_open_next e2e_open_payload e2e_seal \
	    content_decrypt rsa_oaep_decrypt rsa_oaep_encrypt keywrap_unwrap \
	    x25519_derive open_stream_run seal_stream_run own_key_unlock; do
		no grep -qx "$name" names
	done
	nm "$BIN/e2e-open" | awk '{ print $NF }' | sort -u >names
	grep -qx content_decrypt names
}
