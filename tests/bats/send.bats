#!/usr/bin/env bats
# e2e-send: envelopes to a relay, until it has signed that it keeps them.
load helpers
load relay

setup_file() {
	people alice bob carol
	cd "$BATS_FILE_TMPDIR/keys"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
	    -keyout tls.key -out tls.crt 2>/dev/null
	chmod 600 tls.key
}

setup() {
	stage
}

teardown() {
	relay_teardown
}

@test "an envelope from standard input is deposited, and its receipt printed" {
	relay_start store
	registered bob
	sealed hello >a.e2e
	gives 0 e2e-send -q "$RELAY" <a.e2e
	empty err
	grep -qxE 'OK [A-Za-z0-9_-]{43} stored=1 dup=0 unknown=0 until=20[0-9T:-]+Z' out
	[ "$(cut -d' ' -f2 out)" = "$("$PYTHON" -c '
import base64, hashlib, sys
print(base64.urlsafe_b64encode(hashlib.sha256(open("a.e2e", "rb").read()).digest()).decode().rstrip("="))')" ]
	e2e-fetch -q -i bob.key "$RELAY" | e2e-open -q -i bob.key -s alice.pub | grep -qx hello
}

@test "files, several envelopes in one, armor, standard input by name" {
	relay_start store
	registered bob
	sealed one >one.e2e
	sealed two >two.e2e
	sealed three -a >three.asc
	sealed four >four.e2e
	cat one.e2e two.e2e >both.e2e
	gives 0 e2e-send "$RELAY" both.e2e - three.asc <four.e2e
	[ "$(grep -c '^OK ' out)" = 4 ]
	gives 0 e2e-fetch -q -i bob.key -d mail "$RELAY"
	[ "$(for f in mail/new/*.e2e; do e2e-open -q -i bob.key "$f"; done | sort | xargs)" = "four one three two" ]
}

@test "the same again is a duplicate and a success" {
	relay_start store
	registered bob
	sealed hello >a.e2e
	gives 0 e2e-send "$RELAY" a.e2e
	gives 0 e2e-send "$RELAY" a.e2e
	says 'stored=0 dup=1' out
	[ "$(waiting bob)" = 1 ]
}

@test "--status-fd tells what the receipt says" {
	relay_start store
	registered bob
	sealed hello >a.e2e
	rm home/config/e2e/known_relays
	gives 0 e2e-send --status-fd 5 "$RELAY" a.e2e 5>status
	json status "deposited['stored'] == 1 and deposited['dup'] == 0 and len(deposited['id']) == 64 and deposited['file'] == 'a.e2e' and deposited['until'].endswith('Z') and relay_pinned['fingerprint'] == '$RELAY_KEY'"
}

@test "what is not a whole envelope is not sent" {
	relay_start store
	registered bob
	bytes 100000 | e2e-seal -r bob.pub >whole.e2e
	head -c 100 whole.e2e >head.e2e
	head -c 50000 whole.e2e >body.e2e
	echo hello >text
	: >nothing
	(cat whole.e2e && echo x) >trailing.e2e
	gives 5 e2e-send "$RELAY" head.e2e
	explained
	gives 1 e2e-send "$RELAY" body.e2e
	explained
	gives 5 e2e-send "$RELAY" text
	gives 5 e2e-send "$RELAY" nothing
	gives 66 e2e-send "$RELAY" missing
	empty out
	# It was whole; what follows is not.
	gives 5 e2e-send "$RELAY" trailing.e2e
	[ "$(grep -c '^OK ' out)" = 1 ]
	[ "$(waiting bob)" = 1 ]
}

@test "an envelope with more recipients than there may be: beyond a limit" {
	local n
	relay_start store
	PYTHONPATH=$ROOT/tests/relay "$PYTHON" -c '
import os, sys, forge
sys.stdout.buffer.write(forge.envelope([os.urandom(32) for _ in range(1025)],
                                       300000))' >many.e2e
	gives 6 e2e-inspect many.e2e
	gives 6 e2e-send "$RELAY" many.e2e
	explained
	empty out
}

@test "a recipient without a mailbox: refused, and the others go" {
	relay_start store
	registered bob
	echo for carol | e2e-seal -r carol.pub >carol.e2e
	echo for both | e2e-seal -r carol.pub -r bob.pub >both.e2e
	gives 77 e2e-send "$RELAY" carol.e2e both.e2e
	explained
	says nouser
	says 'stored=1 dup=0 unknown=1' out
	[ "$(wc -l <out)" = 1 ]
	[ "$(waiting bob)" = 1 ]
}

@test "--to for hidden recipients: fingerprint, contact, file" {
	relay_start store
	registered bob carol
	echo secret | e2e-seal --hide-recipients -r bob.pub >hidden.e2e
	gives 64 e2e-send "$RELAY" hidden.e2e
	says --to
	gives 0 e2e-send --to "$(e2e-contact show bob.pub | sed -n 's/^fingerprint: //p')" "$RELAY" hidden.e2e
	says stored=1 out
	e2e-contact pin -q bob ./bob.pub
	gives 0 e2e-send --to bob --to ./carol.pub --to bob "$RELAY" hidden.e2e
	says 'stored=1 dup=1' out
	gives 66 e2e-send --to nobody "$RELAY" hidden.e2e
	[ "$(waiting bob)" = 1 ]
	[ "$(waiting carol)" = 1 ]
}

@test "too large for this relay is refused, without another try" {
	relay_start store --envelope-max 20000
	registered bob
	bytes 100000 | e2e-seal -r bob.pub >large.e2e
	sealed small >small.e2e
	gives 77 e2e-send --retry 100 "$RELAY" large.e2e small.e2e
	says 20000
	[ "$(grep -c '^OK ' out)" = 1 ]
}

@test "an unreachable relay is status 75, at once with --retry 0" {
	relay_start store
	sealed hello >a.e2e
	relay_end
	gives 75 e2e-send --retry 0 "$RELAY" a.e2e
	explained
	empty out
	gives 75 e2e-send -q --retry-for 1s "$RELAY" a.e2e
	gives 75 e2e-send --retry 0 unix:none a.e2e
}

@test "tries again until the relay comes up" {
	relay_start store
	registered bob
	relay_end
	sealed hello >a.e2e
	e2e-send --retry-for 5m "$RELAY" a.e2e >sent.out 2>sent.err 3>&- &
	RELAY_PROCESSES+=($!)
	local sender=$!
	until_true grep -q 'next try' sent.err
	empty sent.out
	relay_start store
	wait "$sender"
	says 'OK ' sent.out
	[ "$(waiting bob)" = 1 ]
}

@test "a full mailbox is temporary" {
	relay_start store --box-items 1
	registered bob
	sealed one >one.e2e
	sealed two >two.e2e
	gives 0 e2e-send "$RELAY" one.e2e
	gives 75 e2e-send --retry 0 "$RELAY" two.e2e
	says quota
	e2e-fetch -q -i bob.key "$RELAY" >/dev/null
	gives 0 e2e-send "$RELAY" two.e2e
}

@test "a relay with another key is refused, loudly, until it is given" {
	local first
	relay_start store
	registered bob
	first=$RELAY_KEY
	sealed hello >a.e2e
	gives 0 e2e-send "$RELAY" a.e2e
	relay_end
	relay_start another
	[ "$first" != "$RELAY_KEY" ]
	gives 76 e2e-send "$RELAY" a.e2e
	says "$first"
	says "$RELAY_KEY"
	empty out
	gives 76 e2e-send --relay-key "$first" "$RELAY" a.e2e
	registered() { e2e-directory register -q -i bob.key --relay-key "$RELAY_KEY" "$RELAY"; }
	registered
	gives 0 e2e-send "$RELAY" a.e2e
	grep -qxF "$RELAY $RELAY_KEY" home/config/e2e/known_relays
}

@test "the first key is pinned, and said so; --relay-key leaves nothing to luck" {
	relay_start store
	registered alice
	rm home/config/e2e/known_relays
	echo hi | e2e-seal -r alice.pub >a.e2e
	gives 76 e2e-send --relay-key "$(e2e-contact show bob.pub | sed -n 's/^fingerprint: //p')" "$RELAY" a.e2e
	absent home/config/e2e/known_relays
	gives 0 e2e-send --relay-key "$RELAY_KEY" "$RELAY" a.e2e
	grep -qxF "$RELAY $RELAY_KEY" home/config/e2e/known_relays
	rm home/config/e2e/known_relays
	gives 0 e2e-send "$RELAY" a.e2e
	says "$RELAY_KEY"
	gives 0 e2e-send "$RELAY" a.e2e
	empty err
	echo garbage >home/config/e2e/known_relays
	gives 78 e2e-send "$RELAY" a.e2e
	gives 64 e2e-send --relay-key nonsense "$RELAY" a.e2e
}

@test "TLS: an unknown certificate is refused; --ca and --tls-pin trust it" {
	local pin
	relay_start store --tls-cert tls.crt --tls-key tls.key
	registered bob
	sealed hello >a.e2e
	pin=$(openssl x509 -in tls.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
	gives 78 e2e-send --retry 0 "tls://$RELAY" a.e2e
	explained
	empty out
	gives 0 e2e-send --ca tls.crt "tls://$RELAY" a.e2e
	gives 0 e2e-send --ca tls.crt "tls://localhost:$PORT" a.e2e
	gives 0 e2e-send --tls-pin "$pin" "tls://$RELAY" a.e2e
	gives 78 e2e-send --tls-pin "${pin//[0-7]/0}" "tls://$RELAY" a.e2e
	gives 64 e2e-send --ca tls.crt "$RELAY" a.e2e
	e2e-fetch -q -i bob.key --ca tls.crt "tls://$RELAY" | e2e-open -q -i bob.key | grep -qx hello
}

@test "a large envelope arrives whole, in the clear and through TLS" {
	relay_start store --tls-cert tls.crt --tls-key tls.key
	registered bob
	bytes 9000000 >data
	e2e-seal -r bob.pub <data >one.e2e
	e2e-seal -r bob.pub <data >two.e2e
	e2e-send -q "$RELAY" one.e2e
	e2e-send -q --ca tls.crt "tls://$RELAY" two.e2e
	e2e-fetch -q -i bob.key -d mail --max 1 "$RELAY"
	e2e-fetch -q -i bob.key -d mail --max 1 --ca tls.crt "tls://$RELAY"
	[ "$(ls mail/new | wc -l)" = 2 ]
	for f in mail/new/*; do
		e2e-open -q -i bob.key "$f" | cmp - data
	done
}

@test "a Unix socket is an address, too" {
	relay_start store --unix here.socket
	e2e-directory register -q -i bob.key unix:here.socket
	sealed hello | e2e-send -q "unix:$PWD/here.socket" >out
	says stored=1 out
}

@test "what is no relay is told from one that is not there" {
	"$PYTHON" -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
c.recv(1000)
c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
c.recv(1000)' >port 3>&- &
	RELAY_PROCESSES+=($!)
	until_true [ -s port ]
	sealed hello >a.e2e
	gives 76 e2e-send "127.0.0.1:$(cat port)" a.e2e
	explained
	absent home/config/e2e/known_relays
}

@test "a relay that says nothing is given up on" {
	"$PYTHON" -c '
import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = []
while True:
    c.append(s.accept())' >port 3>&- &
	RELAY_PROCESSES+=($!)
	until_true [ -s port ]
	sealed hello >a.e2e
	gives 75 e2e-send --retry 0 --timeout 1 "127.0.0.1:$(cat port)" a.e2e
	explained
	gives 75 e2e-send --retry 0 --timeout 1 "tls://127.0.0.1:$(cat port)" a.e2e
	gives 75 e2e-directory lookup --timeout 1 "127.0.0.1:$(cat port)" bob
	gives 75 e2e-fetch -i bob.key --timeout 1 "127.0.0.1:$(cat port)"
}

@test "receipts to a full disk make it fail" {
	relay_start store
	registered bob
	sealed hello >a.e2e
	no e2e-send -q "$RELAY" a.e2e >/dev/full 2>err
	explained
}

@test "wrong usage" {
	gives 64 e2e-send
	gives 64 e2e-send ''
	gives 64 e2e-send host:99999
	gives 64 e2e-send --retry-for 0s host
	gives 64 e2e-send --tls-pin 00 tls://host
	gives 64 e2e-send --timeout 0 host
}
