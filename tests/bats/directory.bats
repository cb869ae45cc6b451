#!/usr/bin/env bats
# e2e-directory: cards to and from a relay, and what a name is worth.
load helpers
load relay

setup_file() {
	people alice bob carol
	(cd "$BATS_FILE_TMPDIR/keys" && e2e-keygen -q -t x25519 -n bob --no-passphrase -o mallory.key)
}

setup() {
	stage
}

teardown() {
	relay_teardown
}

fingerprint() {
	e2e-contact show "$1" | sed -n 's/^fingerprint: //p'
}

@test "a subcommand is needed" {
	gives 64 e2e-directory
	gives 64 e2e-directory befriend
	gives 64 e2e-directory lookup host
	gives 64 e2e-directory lookup -n host ''
	gives 64 e2e-directory register
	gives 64 e2e-directory revoke host
}

@test "register, then lookup by name prints the card and pins it" {
	relay_start store
	gives 0 e2e-directory register -i bob.key "$RELAY"
	says bob
	says "$(fingerprint bob.pub)"
	empty out
	gives 0 e2e-directory lookup "$RELAY" bob
	same out bob.pub
	says "$(fingerprint bob.pub)"
	e2e-contact list | grep -q "^bob .*pinned"
	gives 0 e2e-directory lookup -q "$RELAY" bob
	same out bob.pub
	empty err
}

@test "lookup by fingerprint pins only with --pin" {
	relay_start store
	registered bob
	gives 0 e2e-directory lookup "$RELAY" "$(fingerprint bob.pub)"
	same out bob.pub
	[ -z "$(e2e-contact list)" ]
	gives 0 e2e-directory lookup --pin robert "$RELAY" "$(fingerprint bob.pub)"
	[ "$(e2e-contact list | cut -d' ' -f1)" = robert ]
}

@test "lookup -n pins nothing, --pin pins under another name" {
	relay_start store
	registered bob
	gives 0 e2e-directory lookup -n "$RELAY" bob
	same out bob.pub
	[ -z "$(e2e-contact list)" ]
	gives 0 e2e-directory lookup --pin robert "$RELAY" bob
	[ "$(e2e-contact list | cut -d' ' -f1)" = robert ]
	gives 64 e2e-directory lookup -n --pin robert "$RELAY" bob
	gives 64 e2e-directory lookup --pin 'no/name' "$RELAY" bob
	gives 64 e2e-directory lookup "$RELAY" 'no/name'
}

@test "nobody of that name or fingerprint is status 77" {
	relay_start store
	registered bob
	gives 77 e2e-directory lookup "$RELAY" carol
	explained
	empty out
	gives 77 e2e-directory lookup "$RELAY" "$(fingerprint carol.pub)"
	empty out
	gives 77 e2e-directory lookup "$RELAY" 'Carol@Example' -n
	[ -z "$(e2e-contact list)" ]
}

@test "a name that is taken stays with whoever came first" {
	relay_start store
	registered bob
	gives 77 e2e-directory register -i mallory.key "$RELAY"
	explained
	gives 0 e2e-directory lookup -n "$RELAY" bob
	same out bob.pub
}

@test "a pinned name with another identity at the relay is refused, loudly" {
	relay_start store
	registered mallory
	e2e-contact pin -q bob.pub
	gives 3 e2e-directory lookup "$RELAY" bob
	explained
	says "$(fingerprint bob.pub)"
	says "$(fingerprint mallory.pub)"
	empty out
	e2e-contact show bob | grep -q "$(fingerprint bob.pub)"
}

@test "a newer card is taken silently, an older one refused" {
	relay_start store
	registered bob
	e2e-directory lookup -q "$RELAY" bob >first
	cp bob.key old.key
	e2e-key rotate -q -i bob.key
	gives 0 e2e-directory register -q -i bob.key "$RELAY"
	gives 77 e2e-directory register -i old.key "$RELAY"
	gives 0 e2e-directory lookup "$RELAY" bob
	empty err
	no same out first
	e2e-key pub -i bob.key | cmp - out
	# A relay that has only the old one.
	relay_end
	PORT='' relay_start elsewhere
	e2e-directory register -q -i old.key "$RELAY"
	gives 3 e2e-directory lookup "$RELAY" bob
	empty out
}

@test "revoke needs no key; lookup refuses, and tells the contacts" {
	relay_start store
	registered bob
	e2e-directory lookup -q "$RELAY" bob >/dev/null
	rm bob.key
	gives 0 e2e-directory revoke "$RELAY" bob.revocation
	says "$(fingerprint bob.pub)"
	gives 3 e2e-directory lookup "$RELAY" bob
	explained
	empty out
	e2e-contact list | grep -q '^bob .*revoked'
	gives 3 e2e-seal -r bob -o none.e2e bob.pub
	gives 0 e2e-directory revoke "$RELAY" - <bob.revocation
	gives 77 e2e-directory revoke "$RELAY" carol.revocation
	explained
	gives 5 e2e-directory revoke "$RELAY" bob.pub
	gives 66 e2e-directory revoke "$RELAY" missing
}

@test "a revoked key does not register again" {
	relay_start store
	registered bob
	e2e-directory revoke -q "$RELAY" bob.revocation
	gives 77 e2e-directory register -i bob.key "$RELAY"
}

@test "a relay that asks for a token" {
	echo open-sesame >token
	echo wrong >wrong
	: >nothing
	chmod 600 token wrong
	relay_start store --registration token --token-file token
	gives 77 e2e-directory register -i bob.key "$RELAY"
	explained
	gives 77 e2e-directory register -i bob.key --token-file wrong "$RELAY"
	silent wrong
	gives 78 e2e-directory register -i bob.key --token-file nothing "$RELAY"
	gives 0 e2e-directory register -i bob.key --token-file token "$RELAY"
	gives 0 e2e-directory lookup "$RELAY" bob
}

@test "the key file: default, passphrase, not there" {
	relay_start store
	gives 66 e2e-directory register "$RELAY"
	mkdir -p home/config/e2e
	cp -p bob.key home/config/e2e/identity.key
	gives 0 e2e-directory register "$RELAY"
	echo sesame >pass
	chmod 600 pass
	e2e-keygen -q -t x25519 -n dora --passphrase-file pass $CHEAP -o dora.key
	gives 7 without_terminal e2e-directory register -i dora.key "$RELAY"
	gives 0 e2e-directory register -i dora.key --passphrase-file pass "$RELAY"
}

@test "the answer of another relay is not believed" {
	relay_start store
	registered bob
	gives 76 e2e-directory lookup --relay-key "$(fingerprint bob.pub)" "$RELAY" bob
	explained
	says "$RELAY_KEY"
	empty out
	[ -z "$(e2e-contact list)" ]
}

@test "--status-fd" {
	relay_start store
	gives 0 e2e-directory register --status-fd 5 -i bob.key "$RELAY" 5>status
	json status "registered['name'] == 'bob' and registered['fingerprint'] == '$(fingerprint bob.pub)'"
	gives 0 e2e-directory lookup --status-fd 5 -n "$RELAY" bob 5>status
	json status "found['name'] == 'bob'"
	no e2e-directory lookup -q -n "$RELAY" bob >/dev/full 2>/dev/null
}
