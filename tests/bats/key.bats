#!/usr/bin/env bats
# e2e-key: looking after one's own secret key.
load helpers

setup_file() {
	people alice bob
	cd "$BATS_FILE_TMPDIR/keys"
	e2e-keygen -q -t x25519 -n carol --passphrase-fd 5 $CHEAP -o carol.key 5<<<secret
	e2e-keygen -q -n rsa --no-passphrase -o rsa.key
}

setup() {
	stage
}

serial() {
	e2e-key show "$1" | sed -n 's/^serial: //p'
}

@test "a subcommand is needed, and has to be a known one" {
	gives 64 e2e-key
	explained
	gives 64 e2e-key burn alice.key
	explained
	gives 64 e2e-key -q
	gives 64 e2e-key --burn
}

@test "pub prints the public key line that keygen wrote" {
	gives 0 e2e-key pub alice.key
	same out alice.pub
	empty err
}

@test "pub needs no passphrase" {
	gives 0 without_terminal e2e-key pub carol.key </dev/null
	same out carol.pub
}

@test "pub -o writes a file, and replaces one" {
	echo old >p
	gives 0 e2e-key pub -o p alice.key
	empty out
	same p alice.pub
	tidy
}

@test "pub reads the key from standard input with -" {
	gives 0 e2e-key pub - <alice.key
	same out alice.pub
}

@test "-i is the same as the operand; both at once are too many" {
	gives 0 e2e-key pub -i alice.key
	same out alice.pub
	gives 64 e2e-key pub -i alice.key bob.key
	gives 64 e2e-key pub alice.key bob.key
	empty out
}

@test "without KEY it is the default identity" {
	mkdir -p home/config/e2e
	cp -p alice.key home/config/e2e/identity.key
	gives 0 e2e-key pub
	same out alice.pub
	unset XDG_CONFIG_HOME
	gives 66 e2e-key pub
	mkdir -p home/.config/e2e
	cp -p bob.key home/.config/e2e/identity.key
	gives 0 e2e-key pub
	same out bob.pub
}

@test "without KEY and without a default identity: 66 and what to do" {
	gives 66 e2e-key pub
	explained
	says e2e-keygen
}

@test "without HOME there is no default place: 78" {
	unset HOME XDG_CONFIG_HOME
	gives 78 e2e-key pub
	explained
}

@test "show says what it is without a passphrase" {
	gives 0 without_terminal e2e-key show carol.key </dev/null
	grep -qx 'name: carol' out
	grep -qx 'type: x25519' out
	grep -qx 'serial: 1' out
	grep -qx 'protected: by a passphrase' out
	grep -q '^fingerprint: ....-' out
	gives 0 e2e-key show alice.key
	grep -qx 'protected: no' out
	silent secret out
}

@test "show refuses what is no key: 5; missing: 66; a folder: 66" {
	gives 5 e2e-key show alice.pub
	explained
	gives 5 e2e-key show /dev/null
	gives 66 e2e-key show missing.key
	explained
	mkdir folder
	gives 66 e2e-key show folder
	empty out
}

@test "an unprotected key that others can read is refused: 78; protected: a warning" {
	chmod 644 alice.key carol.key
	gives 78 e2e-key show alice.key
	explained
	says 'chmod 600'
	empty out
	gives 0 e2e-key show carol.key
	says warning
	chmod 620 alice.key
	gives 78 e2e-key show alice.key
}

@test "passwd puts a key under a passphrase, changes and removes it" {
	echo hello | e2e-seal -r alice.pub -o env
	gives 0 e2e-key passwd --new-passphrase-fd 5 $CHEAP alice.key 5<<<one
	empty out
	[ "$(mode_of alice.key)" = 600 ]
	gives 7 without_terminal e2e-open -i alice.key env
	gives 0 e2e-open -i alice.key --passphrase-fd 5 env 5<<<one
	says hello out
	gives 0 e2e-key passwd --passphrase-fd 5 --new-passphrase-fd 6 $CHEAP alice.key 5<<<one 6<<<two
	gives 7 e2e-open -i alice.key --passphrase-fd 5 env 5<<<one
	gives 0 e2e-open -i alice.key --passphrase-fd 5 env 5<<<two
	gives 0 e2e-key passwd --passphrase-fd 5 --no-passphrase alice.key 5<<<two
	gives 0 e2e-open -i alice.key env
	says hello out
	tidy
}

@test "passwd leaves the card as it is" {
	e2e-key passwd --new-passphrase-fd 5 $CHEAP alice.key 5<<<one
	gives 0 e2e-key pub alice.key
	same out alice.pub
}

@test "passwd with the wrong old passphrase: 7, and the file stays" {
	cp -p carol.key before
	gives 7 e2e-key passwd --passphrase-fd 5 --no-passphrase carol.key 5<<<Tr0ub4dor
	explained
	silent Tr0ub4dor
	same before carol.key
	tidy
}

@test "passwd with an empty new passphrase: 7, and the file stays" {
	cp -p alice.key before
	gives 7 e2e-key passwd --new-passphrase-fd 5 alice.key 5</dev/null
	same before alice.key
}

@test "passwd without a terminal and without an option: 7, naming the options" {
	gives 7 without_terminal e2e-key passwd alice.key
	explained
	says --new-passphrase-file
	says --no-passphrase
	gives 7 without_terminal e2e-key passwd --no-passphrase carol.key
	says --passphrase-file
}

@test "passwd --new-passphrase-file" {
	(umask 077; echo fresh >new; echo secret >old)
	gives 0 e2e-key passwd --passphrase-file old --new-passphrase-file new $CHEAP carol.key
	echo hello | e2e-seal -r carol.pub | e2e-open -q -i carol.key --passphrase-file new | grep -qx hello
	chmod 644 new
	gives 78 e2e-key passwd --passphrase-file new --new-passphrase-file new carol.key
}

@test "passwd: --no-passphrase contradicts a new one; one descriptor has one purpose" {
	gives 64 e2e-key passwd --no-passphrase --new-passphrase-fd 5 alice.key 5<<<x
	gives 64 e2e-key passwd --passphrase-fd 0 --new-passphrase-fd 0 carol.key <<<secret
	explained
}

@test "passwd cannot replace a key that came from standard input" {
	gives 64 e2e-key passwd --new-passphrase-fd 5 $CHEAP - 5<<<x <alice.key
	explained
	silent SECRET out
}

@test "rotate makes a new encryption key, raises the serial and updates .pub" {
	cp alice.pub old.pub
	echo old mail | e2e-seal -r old.pub -o old.env
	gives 0 e2e-key rotate alice.key
	empty out
	says alice.pub
	[ "$(serial alice.key)" = 2 ]
	no cmp -s old.pub alice.pub
	gives 0 e2e-key pub alice.key
	same out alice.pub
	# Old mail opens, new mail opens, and the identity is the same.
	gives 0 e2e-open -q -i alice.key old.env
	says 'old mail' out
	echo new mail | e2e-seal -r alice.pub | e2e-open -q -i alice.key | grep -qx 'new mail'
	[ "$(e2e-contact show old.pub | head -1)" = "$(e2e-contact show alice.pub | head -1)" ]
	[ "$(mode_of alice.key)" = 600 ]
	tidy
}

@test "the old key file cannot open mail to the new encryption key" {
	cp -p alice.key before.key
	e2e-key rotate -q alice.key
	echo hello | e2e-seal -r alice.pub -o env
	gives 2 e2e-open -i before.key env
	empty out
}

@test "rotating many times keeps all mail readable" {
	for i in 1 2 3 4 5; do
		echo "mail $i" | e2e-seal -r alice.pub -o env.$i
		e2e-key rotate -q alice.key
	done
	[ "$(serial alice.key)" = 6 ]
	for i in 1 2 3 4 5; do
		e2e-open -q -i alice.key env.$i | grep -qx "mail $i"
	done
}

@test "rotate an RSA identity" {
	cp rsa.pub old.pub
	echo old | e2e-seal -r rsa.pub -o env
	gives 0 e2e-key rotate -q rsa.key
	no cmp -s old.pub rsa.pub
	e2e-open -q -i rsa.key env | grep -qx old
	echo new | e2e-seal -i rsa.key -r rsa.pub | e2e-open -q -i rsa.key -s old.pub | grep -qx new
}

@test "a contact takes the rotated card, and refuses the old one from then on" {
	cp alice.pub old.pub
	e2e-contact pin -q alice alice.pub
	e2e-key rotate -q alice.key
	gives 0 e2e-contact pin alice alice.pub
	gives 3 e2e-contact pin alice old.pub
}

@test "rotate keeps the passphrase" {
	gives 0 e2e-key rotate --passphrase-fd 5 $CHEAP carol.key 5<<<secret
	e2e-key show carol.key | grep -qx 'protected: by a passphrase'
	echo hello | e2e-seal -r carol.pub | e2e-open -q -i carol.key --passphrase-fd 5 5<<<secret | grep -qx hello
}

@test "rotate with a wrong passphrase: 7, and nothing changes" {
	cp -p carol.key before.key
	cp carol.pub before.pub
	gives 7 e2e-key rotate --passphrase-fd 5 $CHEAP carol.key 5<<<wrong
	same before.key carol.key
	same before.pub carol.pub
	tidy
}

@test "rotate does not touch somebody else's .pub beside" {
	cp bob.pub alice.pub
	gives 0 e2e-key rotate alice.key
	same bob.pub alice.pub
	says 'e2e-key pub'
	rm alice.pub
	gives 0 e2e-key rotate alice.key
	absent alice.pub
}

@test "a key in a folder that cannot be written is not rotated: 73, unharmed" {
	mkdir closed
	cp -p alice.key closed/
	cp -p alice.key before
	chmod 555 closed
	gives 73 ordinary e2e-key rotate closed/alice.key
	explained
	same before closed/alice.key
}

@test "a rotated key behind a symbolic link stays behind it" {
	mkdir safe
	mv alice.key safe/
	ln -s safe/alice.key alice.key
	gives 0 e2e-key rotate -q alice.key
	[ -L alice.key ]
	[ "$(serial safe/alice.key)" = 2 ]
}

@test "revoke prints a revocation that contacts take in" {
	gives 0 e2e-key revoke alice.key
	says 'BEGIN E2E REVOCATION' out
	cp out alice.rev
	e2e-contact pin -q alice alice.pub
	gives 0 e2e-contact pin alice.rev
	e2e-contact list | grep -q 'revoked$'
}

@test "revoke -o and every --reason" {
	local reason
	for reason in unspecified compromised superseded retired; do
		gives 0 e2e-key revoke --reason $reason -o $reason.rev alice.key
		empty out
		peer verify-revocation --known alice.pub <$reason.rev
	done
	gives 64 e2e-key revoke --reason bored alice.key
	explained
}

@test "revoke needs the passphrase: no one can end an identity without it" {
	gives 7 without_terminal e2e-key revoke carol.key
	empty out
	gives 7 e2e-key revoke --passphrase-fd 5 carol.key 5<<<wrong
	empty out
	gives 0 e2e-key revoke --passphrase-fd 5 carol.key 5<<<secret
	says 'BEGIN E2E REVOCATION' out
}

@test "an altered key file: 5 when plain, 7 when under a passphrase, never used" {
	"$PYTHON" - <<-'END'
	import base64
	for name in "alice", "carol":
	    head, rest = open(name + ".key").read().split("-----BEGIN E2E SECRET KEY-----\n")
	    raw = bytearray(base64.b64decode(rest.split("-----END")[0]))
	    raw[-1 if name == "carol" else -3] ^= 1
	    text = base64.b64encode(raw).decode()
	    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
	    open(name + ".bad", "w").write(head + "-----BEGIN E2E SECRET KEY-----\n" +
	        "\n".join(lines) + "\n-----END E2E SECRET KEY-----\n")
	END
	chmod 600 ./*.bad
	gives 5 e2e-key rotate alice.bad
	gives 7 e2e-key rotate --passphrase-fd 5 carol.bad 5<<<secret
	explained
}

@test "CRLF line ends and blank lines around do not spoil a key file" {
	(umask 077; { printf '# a comment\r\n\r\n'; sed 's/$/\r/' alice.key; printf '\r\n\n'; } >dos.key)
	gives 0 e2e-key pub dos.key
	same out alice.pub
}

@test "-v and -q, --status-fd: programs are told of failures" {
	gives 0 e2e-key rotate -q alice.key
	empty err
	gives 0 e2e-key rotate -v alice.key
	says 'serial 3'
	gives 66 e2e-key show --status-fd 3 missing 3>status
	json status 'error["status"] == 66 and error["code"] == 6600'
}

@test "rotations at the same time wait for each other: no key is lost" {
	e2e-keygen -q -t x25519 --no-passphrase -o busy.key
	for i in 1 2 3 4 5; do e2e-key rotate -q busy.key & done
	wait
	e2e-key show busy.key | grep -qx 'serial: 6'
	e2e-key show busy.key | grep -qx 'retired keys: 5'
	e2e-key pub busy.key | cmp - busy.pub
	echo hello | e2e-seal -r ./busy.pub | e2e-open -q -i busy.key | grep -qx hello
}

@test "a key is not written over by what is made of it: 73" {
	e2e-keygen -q -t x25519 --no-passphrase -o own.key
	cp own.key before
	gives 73 e2e-key pub -o own.key own.key
	gives 73 e2e-key revoke -o own.key own.key
	echo hello > hello
	gives 73 e2e-seal -i own.key --self -o own.key hello
	e2e-seal -q -i own.key --self -o env hello
	gives 73 e2e-open -q -i own.key -o own.key env
	gives 73 e2e-open -q -i own.key -o out --sender-card env env
	cmp own.key before
	e2e-open -q -i own.key env | cmp - hello
}
