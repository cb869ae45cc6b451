#!/usr/bin/env bats
# e2e-keygen: making an identity.
load helpers

setup() {
	stage
}

@test "-o makes the secret key, the public key and a revocation, and says so" {
	gives 0 e2e-keygen -t x25519 -n alice --no-passphrase -o alice.key
	empty out
	says alice.key
	says alice.pub
	says alice.revocation
	says fingerprint
	[ "$(ls)" = "$(printf '%s\n' alice.key alice.pub alice.revocation err home out)" ]
	tidy
}

@test "the secret key is private whatever the umask; the public key follows it" {
	umask 000
	e2e-keygen -q -t x25519 --no-passphrase -o a.key
	[ "$(mode_of a.key)" = 600 ]
	[ "$(mode_of a.revocation)" = 600 ]
	[ "$(mode_of a.pub)" = 666 ]
	umask 027
	e2e-keygen -q -t x25519 --no-passphrase -o b.key
	[ "$(mode_of b.key)" = 600 ]
	[ "$(mode_of b.pub)" = 640 ]
}

@test "rsa2048 is the default, and its keys work" {
	e2e-keygen -q --no-passphrase -o a.key
	e2e-key show a.key | grep -qx 'type: rsa2048'
	echo hello >msg
	e2e-seal -r a.pub -i a.key msg | e2e-open -q -i a.key -s a.pub | cmp - msg
}

@test "-t x25519" {
	e2e-keygen -q -t x25519 --no-passphrase -o a.key
	e2e-key show a.key | grep -qx 'type: x25519'
}

@test "-t rsa3072 and --type=rsa4096" {
	e2e-keygen -q -t rsa3072 --no-passphrase -o a.key
	e2e-key show a.key | grep -qx 'type: rsa3072'
	e2e-keygen -q --type=rsa4096 --no-passphrase -o b.key
	e2e-key show b.key | grep -qx 'type: rsa4096'
}

@test "an unknown type is wrong usage, and nothing is made" {
	gives 64 e2e-keygen -t rsa1024 --no-passphrase -o a.key
	explained
	gives 64 e2e-keygen -t rsa --no-passphrase -o a.key
	gives 64 e2e-keygen -t '' --no-passphrase -o a.key
	absent a.key a.pub a.revocation
}

@test "-n puts the name into the card" {
	e2e-keygen -q -t x25519 -n 'Ålice Example <a@example.org>' --no-passphrase -o a.key
	e2e-key show a.key | grep -qxF 'name: Ålice Example <a@example.org>'
	says 'Ålice Example <a@example.org>' a.pub
	peer card a.pub | grep -q '"name"'
}

@test "a name with control characters, of 65 bytes or of broken UTF-8 is refused" {
	local name
	for name in $'a\eb' $'a\nb' $'a\tb' $'a\x7fb' $'a\xc2\x9bb' $'a\xff' \
	    "$(printf '%065d' 0)" ''; do
		gives 64 e2e-keygen -t x25519 -n "$name" --no-passphrase -o a.key
		explained
		harmless err e2e-keygen:
	done
	absent a.key
	e2e-keygen -q -t x25519 -n "$(printf '%064d' 0)" --no-passphrase -o a.key
}

@test "-e gives the card a date" {
	e2e-keygen -q -t x25519 -e 2y --no-passphrase -o a.key
	e2e-key show a.key | grep -q '^expires: 20'
	e2e-keygen -q -t x25519 -e 2099-12-31 --no-passphrase -o b.key
	e2e-key show b.key | grep -qx 'expires: 2099-12-31T00:00:00Z'
	e2e-keygen -q -t x25519 -e never --no-passphrase -o c.key
	e2e-key show c.key | grep -qx 'expires: never'
}

@test "a date that is past or none is wrong usage" {
	local when
	for when in 1999-12-31 2099-02-30 2099-13-01 0d -1d 1 1x d '' tomorrow 99999999999999999999y; do
		gives 64 e2e-keygen -t x25519 -e "$when" --no-passphrase -o a.key
		explained
	done
	absent a.key a.pub a.revocation
}

@test "without -o the secret key goes to standard output and no other file is made" {
	gives 0 e2e-keygen -t x25519 --no-passphrase
	says 'BEGIN E2E SECRET KEY' out
	silent 'SECRET' err
	[ "$(ls)" = "$(printf '%s\n' err home out)" ]
	cp out a.key
	chmod 600 a.key
	e2e-key pub a.key >a.pub
	echo hello | e2e-seal -r a.pub | e2e-open -q -i a.key | grep -qx hello
}

@test "-o - is standard output" {
	gives 0 e2e-keygen -t x25519 --no-passphrase -o -
	says 'BEGIN E2E SECRET KEY' out
	absent ./-
}

@test "an existing key is never overwritten: 73, whichever of the three files is there" {
	local file
	for file in a.key a.pub a.revocation; do
		echo precious >$file
		gives 73 e2e-keygen -t x25519 --no-passphrase -o a.key
		explained
		says $file
		[ "$(cat $file)" = precious ]
		[ "$(ls a.*)" = $file ]
		tidy
		rm $file
	done
}

@test "not even a symbolic link to nowhere is taken for a free name" {
	ln -s elsewhere a.key
	gives 73 e2e-keygen -t x25519 --no-passphrase -o a.key
	absent elsewhere a.pub a.revocation
	[ -L a.key ]
}

@test "the existing key is noticed before a passphrase is asked for" {
	echo precious >a.key
	gives 73 without_terminal e2e-keygen -t x25519 -o a.key </dev/null
	silent passphrase
}

@test "no folder, no permission: 73, and nothing is left" {
	gives 73 e2e-keygen -t x25519 --no-passphrase -o missing/a.key
	explained
	mkdir closed
	chmod 555 closed
	gives 73 ordinary e2e-keygen -t x25519 --no-passphrase -o closed/a.key
	explained
	[ -z "$(ls -A closed)" ]
}

@test "a folder, a device or a fifo is not overwritten by a key either" {
	mkdir folder
	gives 73 e2e-keygen -t x25519 --no-passphrase -o folder
	gives 73 e2e-keygen -t x25519 --no-passphrase -o /dev/null
	[ -c /dev/null ]
	absent /dev/null.pub
}

@test "without a terminal and without an option: 7 at once, naming the options" {
	gives 7 without_terminal e2e-keygen -t x25519 -o a.key </dev/null
	explained
	says --passphrase-file
	says --passphrase-fd
	says --no-passphrase
	absent a.key a.pub a.revocation
	tidy
}

@test "the passphrase is never read from standard input unasked" {
	gives 7 without_terminal e2e-keygen -t x25519 -o a.key <<<secret
	absent a.key
}

@test "--passphrase-file protects the key, less one newline at the end" {
	(umask 077; printf 'correct horse\n' >pass; printf 'correct horse' >bare; printf 'correct horse\n\n' >two)
	gives 0 e2e-keygen -t x25519 --passphrase-file pass $CHEAP -o a.key
	silent 'correct horse'
	e2e-key show a.key | grep -qx 'protected: by a passphrase'
	echo hello | e2e-seal -r a.pub -o env
	gives 0 e2e-open -i a.key --passphrase-file bare env
	says hello out
	gives 7 e2e-open -i a.key --passphrase-file two env
	empty out
}

@test "--passphrase-fd takes it from any descriptor, also standard input" {
	e2e-keygen -q -t x25519 --passphrase-fd 5 $CHEAP -o a.key 5<<<secret
	e2e-keygen -q -t x25519 --passphrase-fd 0 $CHEAP -o b.key <<<secret
	echo hello | e2e-seal -r a.pub -r b.pub -o env
	gives 0 e2e-open -i b.key --passphrase-fd 7 env 7<<<secret
	gives 0 e2e-open -i a.key --passphrase-fd 0 env <<<secret
	says hello out
}

@test "the key is of the cost that was asked for" {
	e2e-keygen -q -t x25519 --passphrase-fd 5 --kdf-memory 16384 --kdf-passes 2 --kdf-lanes 2 -o a.key 5<<<secret
	# The encoded parameters: label -65612 to -65614, then the number.
	"$PYTHON" - a.key <<-'END'
	import base64, sys
	text = open(sys.argv[1]).read().split("-----BEGIN E2E SECRET KEY-----\n")[1]
	raw = base64.b64decode(text.split("-----END")[0])
	assert bytes.fromhex("3a0001004b02") in raw
	assert bytes.fromhex("3a0001004c194000") in raw
	assert bytes.fromhex("3a0001004d02") in raw
	END
}

@test "costs beyond the format's limits are wrong usage" {
	gives 64 e2e-keygen -t x25519 --passphrase-fd 5 --kdf-memory 8191 -o a.key 5<<<x
	gives 64 e2e-keygen -t x25519 --passphrase-fd 5 --kdf-memory 1048577 -o a.key 5<<<x
	gives 64 e2e-keygen -t x25519 --passphrase-fd 5 --kdf-passes 0 -o a.key 5<<<x
	gives 64 e2e-keygen -t x25519 --passphrase-fd 5 --kdf-passes 17 -o a.key 5<<<x
	gives 64 e2e-keygen -t x25519 --passphrase-fd 5 --kdf-lanes 9 -o a.key 5<<<x
	absent a.key
}

@test "an empty passphrase is none: 7" {
	gives 7 e2e-keygen -t x25519 --passphrase-fd 5 $CHEAP -o a.key 5</dev/null
	explained
	gives 7 e2e-keygen -t x25519 --passphrase-fd 5 $CHEAP -o a.key 5<<<''
	absent a.key a.pub a.revocation
}

@test "a passphrase file that others can read is refused: 78" {
	echo secret >pass
	chmod 640 pass
	gives 78 e2e-keygen -t x25519 --passphrase-file pass $CHEAP -o a.key
	explained
	silent secret
	absent a.key a.pub
}

@test "a passphrase file that is missing: 66" {
	gives 66 e2e-keygen -t x25519 --passphrase-file missing -o a.key
	explained
	absent a.key a.pub a.revocation
	tidy
}

@test "a closed passphrase descriptor fails; a passphrase without end is cut short with 6" {
	gives 64 e2e-keygen -t x25519 --passphrase-fd 9 -o a.key 9>&-
	gives 6 within 512 e2e-keygen -t x25519 --passphrase-fd 0 -o a.key </dev/zero
	absent a.key a.pub a.revocation
}

@test "--no-passphrase and a passphrase contradict each other" {
	gives 64 e2e-keygen -t x25519 --no-passphrase --passphrase-fd 5 -o a.key 5<<<x
	absent a.key
}

@test "no option takes a passphrase from the command line" {
	gives 64 e2e-keygen -t x25519 -p secret -o a.key
	gives 64 e2e-keygen -t x25519 --password=secret -o a.key
	absent a.key
}

@test "operands are wrong usage" {
	gives 64 e2e-keygen -t x25519 --no-passphrase a.key
	explained
	absent a.key
}

@test "the revocation made with the key revokes it" {
	e2e-keygen -q -t x25519 -n alice --no-passphrase -o alice.key
	e2e-contact pin -q alice.pub
	e2e-contact pin -q alice.revocation
	e2e-contact list | grep -q 'revoked$'
	peer verify-revocation --known alice.pub <alice.revocation
}

@test "names without .key get their endings added; folders may have dots" {
	mkdir my.keys
	e2e-keygen -q -t x25519 --no-passphrase -o my.keys/id
	[ "$(ls my.keys)" = "$(printf '%s\n' id id.pub id.revocation)" ]
	e2e-keygen -q -t x25519 --no-passphrase -o my.keys/.key
	[ -e my.keys/.key.pub ]
}

@test "--status-fd tells programs; the secret is not in it" {
	gives 0 e2e-keygen -q -t x25519 --no-passphrase -o a.key --status-fd 3 3>status
	empty err
	json status 'generated["type"] == "x25519" and generated["secret_file"] == "a.key"'
	json status 'generated["public_file"] == "a.pub" and len(generated["fingerprint"]) == 64'
	silent SECRET status
	gives 64 e2e-keygen -q -t x25519 --no-passphrase --status-fd 1
}

@test "-v says more, -q nothing" {
	gives 0 e2e-keygen -q -t x25519 --no-passphrase -o a.key
	empty err
	gives 0 e2e-keygen -v -t x25519 --no-passphrase -o b.key
	says b.key
}

@test "two keys are never the same" {
	e2e-keygen -q -t x25519 --no-passphrase -o a.key
	e2e-keygen -q -t x25519 --no-passphrase -o b.key
	no cmp -s a.pub b.pub
}

@test "the peer can use the key, also a protected one" {
	e2e-keygen -q -t x25519 --passphrase-fd 5 $CHEAP -o a.key 5<<<secret
	echo hello | e2e-seal -r a.pub >env
	peer open --key a.key --key-passphrase secret <env | grep -qx hello
}
