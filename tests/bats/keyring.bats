#!/usr/bin/env bats
# An unlocked key in the kernel's keyring: who finds it, for how long, and
# what is not taken for it. Each run makes its own identities, so that nobody's
# own entries are touched.
load helpers

FAULT=${BUILD:-$ROOT/build}/tests/fault

setup_file() {
	people alice
	cd "$BATS_FILE_TMPDIR/keys"
	for who in carol dora; do
		e2e-keygen -q -t x25519 -n $who --passphrase-fd 5 $CHEAP -o $who.key 5<<<secret
		echo "for $who" | e2e-seal -r ./$who.pub -o $who.env
	done
}

setup() {
	"$FAULT/keyring" available || skip "no keyring of the kernel here"
	stage
	PATH=$FAULT:$PATH
}

teardown() {
	local key
	for key in carol dora; do
		e2e-key lock -q "$BATS_FILE_TMPDIR/keys/$key.key" || true
	done
}

# name KEY: under which the kernel holds it.
name() {
	e2e-key show "$1" | sed -n 's/^fingerprint: /e2e:/p'
}

unlock() {
	e2e-key unlock -q --passphrase-fd 5 "$@" 5<<<secret
}

# opens WHO, with nobody there to ask.
opens() {
	gives 0 without_terminal e2e-open -q -i "$1.key" "$1.env" </dev/null
	grep -qx "for $1" out
}

# The passphrase is what is missed, and nothing else is wrong. (In a condition
# nothing but the last status counts, hence the chain.)
asks() {
	gives 7 without_terminal "${OPENER:-e2e-open}" -i "$1.key" "$1.env" </dev/null &&
	    says "a passphrase for $1.key is needed" && explained && empty out
}

@test "unlocked once, a key serves every command without its passphrase" {
	asks carol
	gives 0 e2e-key unlock --passphrase-fd 5 carol.key 5<<<secret
	empty out
	says 'carol.key: unlocked until 20'
	opens carol
	echo hello | gives 0 without_terminal e2e-seal -i carol.key -r alice.pub
	e2e-open -q -i alice.key -s carol.pub <out | grep -qx hello
	gives 0 without_terminal e2e-key revoke carol.key
	says 'BEGIN E2E REVOCATION' out
	gives 0 without_terminal e2e-open -v -i carol.key carol.env
	says "unlocked by the kernel's keyring"
}

@test "lock takes it away; once more does nothing" {
	unlock carol.key
	opens carol
	gives 0 e2e-key lock -v carol.key
	says 'carol.key: locked'
	asks carol
	gives 0 e2e-key lock carol.key
	empty err
	empty out
	gives 0 e2e-key lock -v carol.key
	says 'was not unlocked'
	asks carol
}

@test "a job in another session finds it, as cron would" {
	unlock carol.key
	gives 0 keyring apart setsid -w e2e-open -q -i carol.key carol.env </dev/null
	grep -qx 'for carol' out
	gives 0 keyring apart e2e-key lock carol.key
	asks carol
}

@test "it is there for 15 minutes, or as long as wanted, at most 30 days" {
	local before after until
	before=$(date +%s)
	gives 0 e2e-key unlock --passphrase-fd 5 carol.key 5<<<secret
	after=$(date +%s)
	until=$(date -d "$(sed -n 's/.*until //p' err)" +%s)
	[ $((before + 900)) -le "$until" ]
	[ "$until" -le $((after + 900)) ]
	[ "$(keyring end "$(name carol.key)")" != perm ]
	unlock --timeout 30d carol.key
	[ "$(keyring end "$(name carol.key)")" = 4w ]
	# Later, and shorter: the last word counts.
	unlock --timeout 8d carol.key
	[ "$(keyring end "$(name carol.key)")" = 1w ]
	local time
	for time in 31d 2592001s 0s 0 15 forever -1s ''; do
		gives 64 e2e-key unlock --timeout "$time" carol.key
		explained
	done
}

@test "after its time it is gone" {
	local n
	unlock --timeout 1s carol.key
	# The bound is for a kernel that never does it.
	for ((n = 0; n < 600; n++)); do
		keyring find "$(name carol.key)" || break
		sleep 0.1
	done
	asks carol
	gives 0 e2e-key lock -v carol.key
	says 'was not unlocked'
}

@test "the owner may do what is needed, nobody else anything" {
	unlock carol.key
	[ "$(keyring mode "$(name carol.key)")" = 3f2b0000 ]
}

@test "a key without a passphrase needs no unlocking: 0, and nothing is held" {
	gives 0 without_terminal e2e-key unlock alice.key
	says 'has no passphrase'
	no keyring find "$(name alice.key)"
	gives 0 e2e-key lock alice.key
}

@test "a key from standard input, and the default key" {
	gives 0 e2e-key unlock --passphrase-fd 5 - 5<<<secret <carol.key
	opens carol
	mkdir -p "$XDG_CONFIG_HOME/e2e"
	cp -p carol.key "$XDG_CONFIG_HOME/e2e/identity.key"
	gives 0 e2e-key lock
	asks carol
	unlock
	gives 0 without_terminal e2e-open -q carol.env
}

@test "a wrong passphrase, or none: 7, and nothing is held" {
	gives 7 e2e-key unlock --passphrase-fd 5 carol.key 5<<<wrong
	explained
	no keyring find "$(name carol.key)"
	gives 7 without_terminal e2e-key unlock carol.key
	says --passphrase-file
	no keyring find "$(name carol.key)"
	# Nor is it made longer by what is held already.
	unlock carol.key
	gives 7 without_terminal e2e-key unlock --timeout 30d carol.key
}

@test "a passphrase that is given is used, right or wrong" {
	unlock carol.key
	gives 7 e2e-open -i carol.key --passphrase-fd 5 carol.env 5<<<wrong
	gives 0 e2e-open -q -i carol.key --passphrase-fd 5 carol.env 5<<<secret
	grep -qx 'for carol' out
}

@test "passwd asks all the same, and makes what was held useless" {
	unlock carol.key
	cp -p carol.key before.key
	gives 7 without_terminal e2e-key passwd --no-passphrase carol.key
	gives 7 without_terminal e2e-key passwd --new-passphrase-fd 6 carol.key 6<<<new
	same before.key carol.key
	opens carol
	keyring read "$(name carol.key)" >held
	gives 0 e2e-key passwd --passphrase-fd 5 --new-passphrase-fd 6 $CHEAP carol.key 5<<<secret 6<<<new
	empty err
	no keyring find "$(name carol.key)"
	asks carol
	keyring plant "$(name carol.key)" <held
	asks carol
	# It is still that of the file as it was.
	gives 0 without_terminal e2e-open -q -i before.key carol.env
	gives 0 e2e-open -q -i carol.key --passphrase-fd 5 carol.env 5<<<new
	# The same passphrase once more makes another file, too.
	e2e-key passwd --passphrase-fd 5 --new-passphrase-fd 6 $CHEAP carol.key 5<<<new 6<<<secret
	keyring plant "$(name carol.key)" <held
	asks carol
}

@test "rotate asks all the same, keeps the passphrase, and makes what was held useless" {
	unlock carol.key
	cp -p carol.key before.key
	keyring read "$(name carol.key)" >held
	gives 7 without_terminal e2e-key rotate carol.key
	same before.key carol.key
	gives 0 e2e-key rotate -q --passphrase-fd 5 $CHEAP carol.key 5<<<secret
	empty err
	e2e-key show carol.key | grep -qx 'protected: by a passphrase'
	no keyring find "$(name carol.key)"
	keyring plant "$(name carol.key)" <held
	asks carol
	unlock carol.key
	opens carol
}

@test "what is held for one key is not used for another" {
	unlock carol.key
	asks dora
	keyring read "$(name carol.key)" | keyring plant "$(name dora.key)"
	asks dora
	gives 0 without_terminal e2e-open -v --passphrase-fd 5 -i dora.key dora.env 5<<<secret
	opens carol
}

# wrong_ones_are_passed_over: what does not fit is not used, and not in the way.
wrong_ones_are_passed_over() {
	local size
	for size in 1 31 32 33 4000; do
		bytes $size | keyring plant "$(name carol.key)" || return
		asks carol || return
		gives 0 e2e-open -q -i carol.key --passphrase-fd 5 carol.env 5<<<secret || return
	done
}

@test "a wrong value in the keyring unlocks nothing, and is not in the way" {
	wrong_ones_are_passed_over
	bytes 32 | keyring plant "$(name carol.key)"
	gives 7 without_terminal e2e-open -v -i carol.key carol.env
	says 'does not fit'
	gives 0 e2e-key lock carol.key
	no keyring find "$(name carol.key)"
}

@test "control: an e2e-open that takes any key for the right one is noticed" {
	# It does what it should as long as nothing is wrong.
	unlock carol.key
	gives 0 without_terminal gullible-open -q -i carol.key carol.env
	OPENER=gullible-open
	no wrong_ones_are_passed_over
	# What comes out under a wrong key is noise, and is found to be that.
	grep -Eq 'malformed key file|larger than the limit' err
	bytes 32 | keyring plant "$(name carol.key)"
	no asks carol
}

@test "what is held is the content encryption key of the file, and no other secret" {
	local key
	unlock carol.key
	keyring read "$(name carol.key)" >held
	peer_python <<-'END'
	from e2epeer import armor, identity
	from e2epeer.header import MAX_MEMORY, matches, parse_header, unwrap_passphrase
	held, text = open("held", "rb").read(), open("carol.key", "rb").read()
	assert len(held) == 32
	item = armor.decode(armor.SECRET_KEY, text, comments=True)
	owner = identity.read_file(text, b"secret")
	at = item.index(owner.card.raw) + len(owner.card.raw)
	header = parse_header(item, at, 1, len(item), MAX_MEMORY)
	assert matches(header, held) == held
	assert held == unwrap_passphrase(header.entries[0], b"secret")
	secrets = [v for k in owner.keys for v in k.params.values() if isinstance(v, bytes)]
	assert len(secrets) >= 4 and b"secret" not in held
	for piece in (held[i:i + 4] for i in range(29)):
	    assert all(piece not in s and piece[::-1] not in s for s in secrets)
	    assert piece not in item and piece not in text
	END
}

@test "nothing of it is said, or stands in arguments or the environment" {
	# Until it waits for the passphrase, and after, it runs nothing else.
	unlock carol.key
	keyring read "$(name carol.key)" >held
	mkfifo word
	without_terminal e2e-open -v --status-fd 2 -i carol.key - <word >out 2>err &
	local pid=$!
	exec 7>word
	cat "/proc/$pid/cmdline" "/proc/$pid/environ" >seen
	cat carol.env >&7
	exec 7>&-
	wait $pid
	grep -qx 'for carol' out
	cat err >>seen
	"$PYTHON" -c '
import base64
held, seen = open("held", "rb").read(), open("seen", "rb").read()
forms = (held, held.hex().encode(), base64.b64encode(held)[:40])
assert len(seen) > 100 and not any(f in seen for f in forms)'
}

@test "where the kernel has no keyring: unlock and lock are 78, all else as ever" {
	gives 78 keyring without e2e-key unlock --passphrase-fd 5 carol.key 5<<<secret
	explained
	says "the kernel's keyring cannot be used"
	says containers
	gives 78 keyring without e2e-key lock carol.key
	explained
	gives 0 keyring without e2e-open -q -i carol.key --passphrase-fd 5 carol.env 5<<<secret
	empty err
	gives 7 keyring without setsid -w e2e-open -i carol.key carol.env
	explained
	silent keyring
	gives 7 keyring without setsid -w e2e-open -v -i carol.key carol.env
	says "the kernel's keyring: "
	gives 0 keyring without e2e-key rotate -q --passphrase-fd 5 $CHEAP carol.key 5<<<secret
	empty err
}
