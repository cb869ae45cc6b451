# Shared by the scenarios with a relay: starting and stopping e2e-relayd in the
# test's own folder, on a port that the system gives.
#
# RELAY is its address, RELAY_KEY its fingerprint, RELAY_PID its process. Every
# process that is started here is ended by relay_teardown.

RELAY_PROCESSES=()

# until_true COMMAND...: waits, for a minute at most.
until_true() {
	local n
	for ((n = 0; n < 1200; n++)); do
		"$@" && return 0
		sleep 0.05
	done
	echo "in vain: $*"
	return 1
}

# relay_start STORE [FLAG...]: a relay with its store in the folder STORE. It
# listens on the port of PORT, if set.
relay_start() {
	local store=$1
	shift
	: >relay.err
	e2e-relayd --store "$store" -l "127.0.0.1:${PORT:-0}" \
		--registration open "$@" >relay.out 2>relay.err 3>&- &
	RELAY_PID=$!
	RELAY_PROCESSES+=("$RELAY_PID")
	until_true relay_settled
	if ! grep -q 'ready .*fingerprint=' relay.err; then
		echo "no relay:"
		cat relay.err
		return 1
	fi
	RELAY_KEY=$(sed -nE 's/.*ready .*fingerprint=([a-z2-7-]+).*/\1/p' relay.err | head -n 1)
	PORT=$(sed -nE 's/.*listen=127\.0\.0\.1:([0-9]+).*/\1/p' relay.err | head -n 1)
	RELAY=127.0.0.1:$PORT
	[ -n "$RELAY_KEY" ] && [ -n "$PORT" ]
}

# It is ready, or it has died.
relay_settled() {
	grep -q 'ready .*fingerprint=' relay.err ||
		! kill -0 "$RELAY_PID" 2>/dev/null
}

# relay_end [SIGNAL]
relay_end() {
	kill "-${1:-TERM}" "$RELAY_PID"
	wait "$RELAY_PID" || true
}

# In every teardown.
relay_teardown() {
	local process
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -s relay.err ]; then
		sed 's/^/relay: /' relay.err | tail -n 30
	fi
	for process in "${RELAY_PROCESSES[@]}"; do
		kill -KILL "$process" 2>/dev/null || true
		wait "$process" 2>/dev/null || true
	done
}

# registered NAME...: their cards at the relay, without a word.
registered() {
	local who
	for who in "$@"; do
		e2e-directory register -q -i "$who.key" "$RELAY" || return
	done
}

# sealed TEXT [FLAG...]: from alice for bob, to standard output.
sealed() {
	local text=$1
	shift
	echo "$text" | e2e-seal -r bob.pub -i alice.key "$@"
}

# deposited TEXT...: one envelope each, from alice to bob.
deposited() {
	local text
	for text in "$@"; do
		sealed "$text" | e2e-send -q "$RELAY" >/dev/null || return
	done
}

# A relay at which bob has a mailbox with these.
mailbox() {
	relay_start store
	registered bob
	deposited "$@"
}

# What a command has refused.
refused_count() {
	find home/state/e2e/refused -name '*.e2e' 2>/dev/null | wc -l
}

# waiting NAME: how many envelopes the relay has for them. Nothing is
# acknowledged, for nothing is taken.
waiting() {
	e2e-fetch -q -i "$1.key" --max 1 --exec 'exit 75' --status-fd 5 \
		"$RELAY" 5>&1 >/dev/null 2>&1 | sed -nE 's/.*"event":"ready","waiting":([0-9]+).*/\1/p'
}

# through LIMIT[,LIMIT...]: a way to the relay that lets only so many bytes of
# it pass on the first connection, and the second, and so on; what comes behind
# them is lost. VIA is its address; the file via.log has a line with the
# number of bytes that passed on each connection, when that has ended.
through() {
	: >via.port
	: >via.log
	"$PYTHON" - "$PORT" "$1" >via.port 2>via.err 3>&- <<-'END' &
	import socket, sys, threading, time
	port, limits = int(sys.argv[1]), [int(n) for n in sys.argv[2].split(",")]
	server = socket.create_server(("127.0.0.1", 0))
	print(server.getsockname()[1], flush=True)

	def pump(source, sink, limit, log):
	    passed = 0
	    try:
	        while data := source.recv(65536):
	            data = data[:limit - passed]
	            if data:
	                sink.sendall(data)
	                passed += len(data)
	    except OSError:
	        pass
	    if log:
	        with open("via.log", "a") as f:
	            f.write("%d\n" % passed)
	    for s in (source, sink):
	        try:
	            s.shutdown(socket.SHUT_RDWR)
	        except OSError:
	            pass

	while True:
	    client, _ = server.accept()
	    limit = limits.pop(0) if limits else 1 << 62
	    try:
	        relay = socket.create_connection(("127.0.0.1", port))
	    except OSError:
	        client.close()
	        continue
	    for source, sink, most, log in ((client, relay, 1 << 62, False),
	                                    (relay, client, limit, True)):
	        threading.Thread(target=pump, args=(source, sink, most, log),
	                         daemon=True).start()
	END
	RELAY_PROCESSES+=($!)
	until_true [ -s via.port ]
	VIA=127.0.0.1:$(cat via.port)
}
