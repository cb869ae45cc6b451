#!/usr/bin/env bats
# The exit statuses, each as a script meets it. They are the interface of mail
# filters and cron jobs: what a number means never changes.
load helpers

setup_file() {
	people alice bob mallory
}

setup() {
	stage
	echo hello >msg
	e2e-seal -r bob.pub -i alice.key msg >env
}

# altered OFFSET: env with one bit changed there.
altered() {
	"$PYTHON" - "$1" <<-'END'
	import sys
	a = bytearray(open("env", "rb").read())
	a[int(sys.argv[1])] ^= 1
	sys.stdout.buffer.write(a)
	END
}

@test "0: done" {
	gives 0 e2e-open -q -i bob.key -s alice.pub env
	same out msg
}

@test "1: the payload was altered" {
	altered -3 >bad
	gives 1 e2e-open -i bob.key -s alice.pub bad
	explained
	empty out
	gives 1 e2e-open -i bob.key -o plain <bad
	absent plain
}

@test "1: the payload was cut off" {
	head -c -1 env >bad
	gives 1 e2e-open -i bob.key bad
	explained
	empty out
}

@test "1: a signature that does not verify" {
	# Mallory signs as if she were alice.
	peer_python <<-'END' >bad
	import sys
	from e2epeer.identity import read_file
	from e2epeer.card import parse_lines
	from e2epeer.sealing import Plan, seal
	alice = read_file(open("alice.key", "rb").read())
	forged = lambda value, state: bytes(len(value))
	sys.stdout.buffer.write(seal(Plan(parse_lines(open("bob.pub", "rb").read()),
	    sender=alice, hooks={"signature": forged}), b"hello\n"))
	END
	gives 1 e2e-open -i bob.key bad
	explained
	empty out
}

@test "1: a receipt for something else, by the words of who sent it" {
	e2e-seal -r bob.pub -i alice.key --ask-receipt --state st -o asked msg
	e2e-open -q -i bob.key --receipt got asked
	# What was sent was other data.
	"$PYTHON" -c '
import sqlite3
db = sqlite3.connect("st/state.db")
db.execute("UPDATE sent SET data_hash = zeroblob(32)")
db.commit()'
	gives 1 e2e-open -i alice.key --state st got
	explained
	empty out
}

@test "2: none of the keys opens it" {
	gives 2 e2e-open -i mallory.key env
	explained
	empty out
}

@test "2: the header was altered, which looks the same" {
	altered 40 >bad
	gives 2 e2e-open -i bob.key bad
	explained
	empty out
}

@test "3: unsigned where a sender is asked for" {
	e2e-seal -r bob.pub msg >bare
	gives 3 e2e-open -i bob.key -s alice.pub bare
	explained
	empty out
}

@test "3: signed by somebody else" {
	gives 3 e2e-open -i bob.key -s mallory.pub env
	explained
	empty out
}

@test "3: a sender whose key is revoked" {
	e2e-contact pin -q alice.pub
	e2e-contact pin -q alice.revocation
	gives 3 e2e-open -i bob.key --known env
	explained
	empty out
}

@test "3: forwarded, where the sender was asked for" {
	e2e-seal -r bob.pub -i alice.key --sign-segments msg | e2e-rewrap -q -i bob.key -r mallory.pub -o passed
	gives 3 e2e-open -i mallory.key -s alice.pub passed
	explained
	empty out
}

@test "3: a group's epoch that is over, and another than its maker who changes it" {
	e2e-wrap-key --new -i alice.key -r bob.pub -r mallory.pub -o one
	e2e-wrap-key -q --remove mallory.pub -r bob.pub -i alice.key -o two one
	e2e-seal -q -k one -i mallory.key -o late msg
	gives 3 e2e-open -q -i bob.key -k one -k two late
	explained
	empty out
	gives 3 e2e-wrap-key --remove mallory.pub -r alice.pub -i bob.key one
	explained
	empty out
}

@test "3: a recipient whose card has expired" {
	peer keygen --name old --exp 1000 --key old.key --pub old.pub
	gives 3 e2e-seal -r old.pub msg
	explained
	empty out
}

@test "3: a pinned name with another key" {
	e2e-contact pin -q alice alice.pub
	gives 3 e2e-contact pin alice mallory.pub
}

@test "4: the message has expired" {
	peer seal --recipient bob.pub --exp 1000 <msg >old
	gives 4 e2e-open -i bob.key old
	explained
	empty out
}

@test "4: opened before; another has its number" {
	e2e-seal -r bob.pub -i alice.key --state s -o one msg
	cp -a s copy
	e2e-seal -r bob.pub -i alice.key --state s -o two msg
	e2e-seal -r bob.pub -i alice.key --state copy -o twin msg
	gives 0 e2e-open -q -i bob.key --state st two
	gives 4 e2e-open -q -i bob.key --state st two
	explained
	gives 4 e2e-open -q -i bob.key --state st twin
	explained
	empty out
}

@test "5: not 32 bytes to wrap, not a wrapped key" {
	gives 5 e2e-wrap-key -i alice.key -r bob.pub <msg
	explained
	gives 5 e2e-wrap-key --show env
	explained
	gives 5 e2e-seal -k msg -i alice.key msg
	explained
	empty out
}

@test "5: not an envelope, not a key, not a card, not a revocation" {
	gives 5 e2e-open -i bob.key msg
	explained
	gives 5 e2e-inspect msg
	explained
	gives 5 e2e-key show msg
	explained
	gives 5 e2e-seal -r ./msg env
	explained
	printf -- '-----BEGIN E2E REVOCATION-----\nAAAA\n-----END E2E REVOCATION-----\n' >rev
	gives 5 e2e-contact pin rev
	explained
	empty out
}

@test "5: more than one envelope" {
	cat env env >two
	gives 5 e2e-open -i bob.key two
	explained
	empty out
}

@test "5: another version of the format" {
	"$PYTHON" -c 'print(end="\xda\x65\x32\x65\x39\x9f" + "\0" * 100)' | iconv -t LATIN1 >next
	gives 5 e2e-open -i bob.key next
	says version
	empty out
}

@test "6: a key derivation that costs more than the limit" {
	e2e-seal --recipient-passphrase-fd 5 --kdf-memory 16384 --kdf-passes 1 msg 5<<<x >costly
	gives 6 e2e-open --recipient-passphrase-fd 5 --kdf-memory-max 8192 costly 5<<<x
	explained
	empty out
}

@test "7: a passphrase is needed" {
	gives 7 without_terminal e2e-keygen -o new.key
	explained
	absent new.key
}

@test "7: the passphrase is wrong" {
	e2e-seal --recipient-passphrase-fd 5 $CHEAP msg 5<<<right >locked
	gives 7 e2e-open --recipient-passphrase-fd 5 locked 5<<<wrong
	explained
	empty out
}

@test "64: wrong usage, for every command, with the way to its help" {
	local command
	for command in "${COMMANDS[@]}" "${SUBCOMMANDS[@]}"; do
		# shellcheck disable=SC2086 # a command and its subcommand
		gives 64 $command --nonsense
		explained
		says "try '$command --help'"
		empty out
	done
}

@test "66: an input that is not there" {
	gives 66 e2e-open -i bob.key missing
	explained
	gives 66 e2e-open -i missing env
	gives 66 e2e-seal -r ./missing msg
	gives 66 e2e-inspect missing
	gives 66 e2e-key show missing
	gives 66 e2e-contact show missing
}

@test "70: the crypto library fails, and no plaintext is taken for sealed" {
	# A configuration that offers no algorithm at all.
	cat >broken.cnf <<-'END'
	openssl_conf = init
	[init]
	providers = providers
	[providers]
	null = null
	[null]
	activate = 1
	END
	local got=0
	E2E_OPENSSL_CONF=system OPENSSL_CONF=$PWD/broken.cnf \
	    e2e-seal -r bob.pub -o sealed msg 2>err || got=$?
	[ $got = 70 ]
	explained
	absent sealed
	tidy
}

@test "73: an output that cannot be made, or exists and is a key" {
	gives 73 e2e-open -i bob.key -o missing/plain env
	explained
	gives 73 e2e-keygen -t x25519 --no-passphrase -o alice.key
	explained
	gives 73 e2e-seal -r bob.pub -o msg msg
	explained
}

@test "74: a full disk" {
	local got=0
	e2e-open -q -i bob.key env >/dev/full 2>err || got=$?
	[ $got = 74 ]
	explained
}

@test "75: no memory now, perhaps later" {
	if is_asan; then
		# The sanitizer's own limit for one allocation.
		local got=0
		ASAN_OPTIONS=max_allocation_size_mb=64:allocator_may_return_null=1:detect_leaks=0 \
		    e2e-keygen -t x25519 --passphrase-fd 5 --kdf-memory 262144 --kdf-passes 1 -o new.key \
		    2>err 5<<<x || got=$?
		[ $got = 75 ]
	else
		gives 75 within 128 e2e-keygen -t x25519 --passphrase-fd 5 --kdf-memory 262144 --kdf-passes 1 -o new.key 5<<<x
		explained
	fi
	absent new.key new.pub new.revocation
	tidy
}

@test "78: a key or a passphrase file that others can read" {
	chmod 644 bob.key
	gives 78 e2e-open -i bob.key env
	explained
	empty out
	echo x >pass
	gives 78 e2e-seal --recipient-passphrase-file pass msg
	explained
	empty out
}

@test "78: what was remembered is gone or damaged" {
	e2e-seal -r bob.pub -i alice.key --state s -o one msg
	rm s/state.db
	gives 78 e2e-seal -r bob.pub -i alice.key --state s msg
	explained
	empty out
	absent s/state.db
	gives 78 e2e-open -i bob.key --state s one
	explained
	empty out
}

@test "78: no place for the configuration" {
	unset HOME XDG_CONFIG_HOME
	gives 78 e2e-open env
	explained
	empty out
}

@test "141: the reader of a pipe went away" {
	local got=0
	to_nobody e2e-open -q -i bob.key env 2>err || got=$?
	[ $got = 141 ]
	empty err
}

@test "a mail filter: deliver, bounce, or try again, by the number alone" {
	filter() {
		local status=0
		e2e-open -q -i bob.key -s alice.pub -o delivered 2>err || status=$?
		case $status in
		0) echo deliver ;;
		1 | 2 | 3 | 4 | 5 | 6) echo reject ;;
		74 | 75) echo defer ;;
		*) echo "help: $status" ;;
		esac
	}
	[ "$(filter <env)" = deliver ]
	same delivered msg
	rm delivered
	[ "$(altered -3 | filter)" = reject ]
	[ "$(echo junk | filter)" = reject ]
	[ "$(e2e-seal -r bob.pub msg | filter)" = reject ]
	absent delivered
}

@test "a pipeline stops where it should, with pipefail" {
	set -o pipefail
	local got=0
	altered -3 | e2e-open -q -i bob.key 2>err | cat >out || got=$?
	[ $got = 1 ]
	empty out
	e2e-seal -r bob.pub -i alice.key msg | e2e-open -q -i bob.key -s alice.pub | cmp - msg
}

@test "cron: nothing on a terminal, nothing asked, nothing said when all is well" {
	without_terminal env -i PATH="$PATH" HOME="$PWD/home" e2e-seal -r bob.pub -i alice.key -o nightly msg </dev/null >out 2>err
	empty out
	empty err
	without_terminal env -i PATH="$PATH" HOME="$PWD/home" e2e-open -q -i bob.key -s alice.pub nightly </dev/null >out 2>err
	same out msg
	empty err
}

@test "the same failure has the same status in the status line" {
	local pair
	for pair in "5 msg" "66 missing" "1 bad" "2 foreign"; do
		altered -3 >bad
		e2e-seal -r alice.pub msg >foreign
		gives "${pair%% *}" e2e-open -i bob.key --status-fd 3 "${pair##* }" 3>status
		json status "error['status'] == ${pair%% *} and error['code'] // 100 == ${pair%% *}"
	done
}
