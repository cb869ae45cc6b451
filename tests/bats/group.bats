#!/usr/bin/env bats
# Keys that several people share: e2e-wrap-key, and -k of e2e-seal and
# e2e-open.
load helpers

setup_file() {
	people alice bob carol dave mallory
	cd "$BATS_FILE_TMPDIR/keys"
	# Alice's group: friends with bob and carol; later without carol.
	e2e-wrap-key --new -n friends -i alice.key -r bob.pub -r carol.pub -o friends
	e2e-wrap-key -q --remove carol.pub -r bob.pub -i alice.key -o friends2 friends
	e2e-wrap-key --new -n staff -i bob.key -r dave.pub -o staff
}

setup() {
	stage
	echo hello >msg
	for who in alice bob carol dave; do e2e-contact pin -q $who.pub; done
}

# The key in FILE, as its member KEY sees it, in hexadecimal.
secret_of() {
	e2e-wrap-key -d -i "$2.key" "$1" | od -An -v -tx1
}

# field FILE KEY NAME: what --show says of it.
field() {
	e2e-wrap-key --show -i "$2.key" "$1" | sed -n "s/^$3: //p"
}

# grouped NAME...: a program of the second implementation, in which those are
# identities, k and kid the key of the group `friends`, and sealed(...) an
# envelope with one entry for that group.
grouped() {
	{
		cat <<-'END'
		import base64, sys
		from e2epeer import labels as L, crypto
		from e2epeer.cbor import encode
		from e2epeer.identity import read_file
		from e2epeer.metadata import to_element
		from e2epeer.sealing import Plan, seal
		alice, bob, carol, dave, mallory = (read_file(open(n + ".key", "rb").read())
		    for n in ("alice", "bob", "carol", "dave", "mallory"))
		k, kid = open("raw", "rb").read(), base64.b32decode(open("kid").read().strip().replace("-", "").upper() + "====")
		put = sys.stdout.buffer.write
		def sealed(sender, named=True, **more):
		    def entries(list, state):
		        return list + [[b"", {1: L.A256KW, **({4: kid} if named else {})}, crypto.kw_wrap(k, state.cek)]]
		    def claims(map, state):
		        if sender and not named:
		            map[L.TO] = [to_element(state.cti, kid)]
		        return map
		    return seal(Plan([], sender=sender, strict=False,
		        hooks={"entries": entries, "claims": claims}, **{"mode": 2 if sender else 0, **more}), b"hello\n")
		END
		cat
	} >program
	e2e-wrap-key -d -i alice.key friends >raw
	field friends alice group >kid
	peer_python <program
}

# wrapped: a program of the second implementation, in which wrapped(FILE,
# SIGNER) makes a key of alice's for bob, which SIGNER signs.
wrapped() {
	{
		cat <<-'END'
		from e2epeer import labels as L, crypto
		from e2epeer.cbor import encode
		from e2epeer.cose import enc_structure, protected_map, sig_structure
		from e2epeer.header import make_header, make_protected, wrap_key
		from e2epeer.identity import read_file
		alice, bob, mallory = (read_file(open(n + ".key", "rb").read()) for n in ("alice", "bob", "mallory"))
		def wrapped(file, signer, label="e2e1 wrapped sender", header="e2e1 wrapped header", name=None):
		    cek, iv = crypto.random(32), crypto.random(12)
		    recipients = encode([wrap_key(cek, bob.enc_keys[0], bob.id)])
		    rh, protected = crypto.sha256(recipients), make_protected(cek)
		    sign = encode(protected_map(alice.signing_key, "application/e2e-wrapped-key+cwt"))
		    claims = encode({6: 1700000000, 7: crypto.random(16), L.CARD: alice.card.raw,
		        -65660: {1: 4, 3: -5, -1: bytes(32)}, **({-65661: name} if name else {}),
		        -65662: 1, -65663: [bob.id, alice.id], -65664: bytes(16)})
		    signature = signer.signing_key.sign(sig_structure(sign, encode([label, protected, iv, rh]), claims))
		    sealed = crypto.gcm_seal(cek, iv, L.TAG_SIGN1 + encode([sign, {}, claims, signature]),
		        enc_structure(protected, encode([header, rh])))
		    open(file, "wb").write(L.TAG_WRAPPED + make_header(protected, {5: iv}, sealed, recipients))
		END
		cat
	} | peer_python
}

# ---- e2e-wrap-key ----

@test "--new: the maker and every member get the same key, nobody else any" {
	e2e-wrap-key -d -i alice.key -o raw friends
	[ "$(stat -c %s raw)" = 32 ]
	for who in bob carol; do
		gives 0 e2e-wrap-key -d -i $who.key friends
		same out raw
		empty err
	done
	gives 2 e2e-wrap-key -d -i dave.key friends
	explained
	empty out
	# A fresh one each time.
	e2e-wrap-key --new -n friends -i alice.key -r bob.pub -o other
	[ "$(secret_of other bob)" != "$(secret_of friends bob)" ]
	[ "$(field other bob group)" != "$(field friends bob group)" ]
}

@test "a key of 32 bytes from standard input or a file, binary zeros too" {
	head -c 32 /dev/zero >zeros
	gives 0 e2e-wrap-key -i alice.key -r bob.pub -o w <zeros
	gives 0 e2e-wrap-key -d -i bob.key w
	same out zeros
	(umask 077; bytes 32 >key)
	gives 0 e2e-wrap-key -i alice.key -r bob.pub -o w2 key
	gives 0 e2e-wrap-key -d -i bob.key w2
	same out key
	bytes 32 | gives 0 e2e-wrap-key -i alice.key -R <(cat bob.pub carol.pub) -
	cp out w3
	gives 0 e2e-wrap-key -d -i carol.key <w3
	same out key
}

@test "31, 33 and no bytes are no key: 5, and nothing is made" {
	local n
	for n in 0 1 31 33 64 5000; do
		(umask 077; bytes $n >key)
		gives 5 e2e-wrap-key -i alice.key -r bob.pub -o made <key
		explained
		gives 5 e2e-wrap-key -i alice.key -r bob.pub -o made key
		absent made
		rm key
	done
	gives 5 e2e-wrap-key -i alice.key -r bob.pub -o made <(echo 0123456789abcdef0123456789abcdef)
	absent made
	judged within 256 e2e-wrap-key -i alice.key -r bob.pub -o made /dev/zero
	absent made
	tidy
}

@test "a key that others can read is refused: 78; one that is typed: 64" {
	bytes 32 >key
	local mode
	for mode in 644 640 604 622; do
		chmod $mode key
		gives 78 e2e-wrap-key -i alice.key -r bob.pub -o made key
		explained
		says 'chmod 600 key'
		absent made
	done
	chmod 600 key
	gives 0 e2e-wrap-key -i alice.key -r bob.pub -o w key
	# What the shell opens, it has decided about.
	chmod 644 key
	gives 0 e2e-wrap-key -i alice.key -r bob.pub -o w2 <key
	prints 64 'e2e-wrap-key -i alice.key -r bob.pub -o made'
	says 'a key is not typed on a terminal' shown
	absent made
}

@test "--unwrap: mode 0600 whatever the umask, over nothing, and on no terminal" {
	(umask 000; e2e-wrap-key -d -i bob.key -o raw friends)
	[ "$(mode_of raw)" = 600 ]
	cp raw before
	gives 73 e2e-wrap-key -d -i bob.key -o raw friends2
	explained
	same raw before
	ln -s nowhere link
	gives 73 e2e-wrap-key -d -i bob.key -o link friends
	absent nowhere
	prints 73 'e2e-wrap-key -d -i bob.key friends'
	says 'not written to a terminal' shown
	says '-o FILE' shown
	no grep -qFf raw shown
	prints 73 'e2e-wrap-key --new -i bob.key -r alice.pub'
	prints 0 'e2e-wrap-key --new -a -i bob.key -r alice.pub'
	says 'BEGIN E2E WRAPPED KEY' shown
	tidy
}

@test "a wrapped key never replaces a file: older mail may need it" {
	echo precious >old
	local mode
	for mode in --new "--add dave.pub friends" "--remove carol.pub friends"; do
		# shellcheck disable=SC2086 # words
		gives 73 e2e-wrap-key -q -i alice.key $([ "$mode" = --new ] && echo -r bob.pub) -o old $mode
		explained
		[ "$(cat old)" = precious ]
	done
	cp friends same
	gives 73 e2e-wrap-key --add dave.pub -i alice.key -o same same
	same same friends
	tidy
}

@test "--add: the same key and epoch for one more, who can read older mail" {
	e2e-seal -k friends -i bob.key -o older msg
	gives 0 e2e-wrap-key --add dave.pub -i alice.key -o more friends
	empty err
	[ "$(secret_of more dave)" = "$(secret_of friends bob)" ]
	[ "$(field more dave group)" = "$(field friends bob group)" ]
	[ "$(field more dave epoch)" = 1 ]
	[ "$(field more dave name)" = friends ]
	[ "$(field more dave member | wc -l)" = 4 ]
	# Though it was sent before, it passes as from bob to the group.
	gives 0 e2e-open -q -i dave.key -k more -s bob older
	same out msg
	# What dave writes, those with the older file do not take for the
	# group's: in theirs he is no member.
	e2e-seal -k more -i dave.key -o daves msg
	gives 0 e2e-open -q -i bob.key -k more daves
	gives 3 e2e-open -q -i bob.key -k friends daves
	empty out
	# Whoever is added again is there once.
	gives 0 e2e-wrap-key --add bob.pub --add bob.pub -i alice.key -o again friends
	[ "$(field again bob member | wc -l)" = 3 ]
}

@test "--remove: another epoch with another key, and a word about what was sent" {
	gives 0 e2e-wrap-key --remove carol -i alice.key -o next friends
	says 'epoch 2'
	says 'does not reach what was sent before'
	gives 0 e2e-wrap-key -q --remove carol -i alice.key -o next2 friends
	empty err
	[ "$(field next bob epoch)" = 2 ]
	[ "$(field next bob name)" = friends ]
	[ "$(secret_of next bob)" != "$(secret_of friends bob)" ]
	[ "$(field next bob group)" != "$(field friends bob group)" ]
	gives 2 e2e-wrap-key -d -i carol.key next
	empty out
	e2e-seal -k next -i bob.key -o env msg
	gives 2 e2e-open -i carol.key -k friends env
	empty out
	# Once is enough.
	gives 64 e2e-wrap-key --remove carol -i alice.key -o third next
	# Both at once: what is wrapped for the new one is the new epoch.
	gives 0 e2e-wrap-key -q --remove carol --add dave -i alice.key -o both friends
	[ "$(field both dave epoch)" = 2 ]
	gives 2 e2e-wrap-key -d -i carol.key both
}

@test "nobody is removed who is not a member, nor the maker: 64" {
	gives 64 e2e-wrap-key --remove dave -i alice.key -o made friends
	explained
	says 'dave is not a member'
	gives 64 e2e-wrap-key --remove alice -i alice.key -o made friends
	explained
	says maker
	gives 66 e2e-wrap-key --remove nobody -i alice.key -o made friends
	absent made
	# One whose key is revoked is the first to be removed.
	e2e-contact pin -q carol.revocation
	gives 0 e2e-wrap-key -q --remove carol -i alice.key -o made friends
	[ "$(field made bob epoch)" = 2 ]
	tidy
}

@test "the same one added and removed, by whatever words: 64" {
	local words
	for words in "--add bob --remove bob.pub" "--remove carol --add dave --add carol.pub" \
	    "--add bob --remove carol --remove bob"; do
		# shellcheck disable=SC2086 # words
		gives 64 e2e-wrap-key $words -i alice.key -o made friends
		explained
		says 'both added and removed'
		absent made
	done
}

@test "-r beside --add and --remove is for members: of others there is a warning" {
	gives 0 e2e-wrap-key --remove carol -r dave -r mallory.pub -r bob.pub -i alice.key -o made friends
	says 'warning: dave is no member, and does not become one: --add adds'
	says 'warning: mallory.pub is no member'
	silent 'bob.pub is'
	[ "$(field made bob member | wc -l)" = 2 ]
	gives 0 e2e-wrap-key --add dave -r mallory.pub -r carol.pub -r alice.pub -i alice.key -o made2 friends
	[ "$(grep -c warning: err)" = 1 ]
	says 'warning: mallory.pub is no member'
	gives 2 e2e-wrap-key -d -i mallory.key made2
}

@test "a member whose card is not at hand: 66, and who it is" {
	e2e-contact unpin -q bob
	gives 66 e2e-wrap-key --remove carol -i alice.key -o made friends
	explained
	says "$(e2e-contact show bob.pub | sed -n 's/^fingerprint: //p')"
	says '-r or -R gives it'
	absent made
	gives 0 e2e-wrap-key -q --remove carol -r bob.pub -i alice.key -o made friends
	[ "$(secret_of made bob)" = "$(secret_of made alice)" ]
	# A card on the command line adds nobody.
	gives 0 e2e-wrap-key -q --remove carol -R <(cat bob.pub dave.pub) -i alice.key -o made2 friends
	gives 2 e2e-wrap-key -d -i dave.key made2
	[ "$(field made2 bob member | wc -l)" = 2 ]
}

@test "a member whose key is revoked or expired gets nothing: 3" {
	e2e-contact pin -q bob.revocation
	gives 3 e2e-wrap-key --remove carol -i alice.key -o made friends
	explained
	gives 3 e2e-wrap-key --new -i alice.key -r bob -o made
	gives 3 e2e-wrap-key --add bob -i alice.key -o made friends
	peer keygen --name old --exp 1000 --key old.key --pub old.pub
	gives 3 e2e-wrap-key --new -i alice.key -r dave.pub -r old.pub -o made
	says old.pub
	gives 3 e2e-wrap-key --add old.pub -r carol.pub -i alice.key -o made friends
	absent made
	tidy
}

@test "only its maker changes a group: 3" {
	gives 3 e2e-wrap-key --add dave -i bob.key -o made friends
	explained
	gives 3 e2e-wrap-key --remove carol -i bob.key -o made friends
	says 'only its maker'
	gives 2 e2e-wrap-key --add mallory.pub -i mallory.key -o made friends
	absent made
}

@test "--show: without a key for whom it is, with one everything but the key" {
	gives 0 e2e-wrap-key --show friends
	[ "$(sed -n 1p out)" = 'recipients: 3' ]
	grep -q 'x25519 bob$' out || grep -q 'bob' out
	silent friends out
	gives 0 e2e-wrap-key --show -i bob.key --status-fd 5 friends 5>status
	says 'name: friends' out
	says 'epoch: 1' out
	[ "$(grep -c '^member: ' out)" = 3 ]
	grep -q '^maker: .*(alice)$' out
	json status 'list(e for e in all if e["event"] == "wrapped-key")[0]["epoch"] == 1'
	json status 'len([e for e in all if e["event"] == "wrapped-key"][0]["members"]) == 3'
	no grep -qF "$(e2e-wrap-key -d -i bob.key friends | od -An -v -tx1 | tr -d ' \n')" out
	# Without a key it is not proved by whom; with a wrong one nothing is.
	gives 2 e2e-wrap-key --show -i dave.key friends
	empty out
	gives 0 e2e-wrap-key --show <friends
	gives 0 e2e-wrap-key --show -i bob.key - <friends
}

@test "--show: a name that moves the cursor does not" {
	local evil=$'x\e[2J\xe2\x80\xae\nmember: nobody'
	gives 64 e2e-wrap-key --new -n "$evil" -i alice.key -r bob.pub -o evil
	wrapped <<<'wrapped("evil", alice, name="x\x1b[2J\u202e\nmember: nobody")'
	gives 0 e2e-wrap-key --show -i bob.key --status-fd 5 evil 5>status
	harmless out
	harmless status '{'
	[ "$(grep -c '^member: ' out)" = 2 ]
	e2e-seal -q -k evil -i bob.key -o env msg
	gives 0 e2e-open -v -i bob.key -k evil env
	harmless err e2e-open:
}

@test "-s and --known: who made it" {
	local mode
	for mode in -d --show; do
		gives 0 e2e-wrap-key $mode -i bob.key -s alice friends
		gives 0 e2e-wrap-key $mode -i bob.key -s dave -s alice.pub friends
		gives 0 e2e-wrap-key $mode -i bob.key --known friends
		gives 3 e2e-wrap-key $mode -i bob.key -s carol friends
		explained
		says 'made by another'
		empty out
		gives 3 e2e-wrap-key $mode -i dave.key -s alice staff
		empty out
	done
	e2e-contact unpin -q alice
	gives 3 e2e-wrap-key -d -i bob.key --known -o raw friends
	absent raw
	gives 0 e2e-wrap-key -d -i bob.key -s alice.pub friends
	e2e-contact pin -q alice.pub
	e2e-contact pin -q alice.revocation
	gives 3 e2e-wrap-key -d -i bob.key --known friends
	gives 3 e2e-wrap-key -d -i bob.key -s alice.pub friends
	explained
	empty out
}

@test "a maker who left his card out has to be known" {
	e2e-wrap-key --new --no-card -i alice.key -r bob.pub -o bare
	gives 0 e2e-wrap-key -d -i bob.key bare
	e2e-contact unpin -q alice
	gives 3 e2e-wrap-key -d -i bob.key bare
	explained
	empty out
}

@test "armor, both ways, through everything that changes bytes at line ends" {
	e2e-wrap-key --new -a -n friends -i alice.key -r bob.pub -o text
	says 'BEGIN E2E WRAPPED KEY' text
	[ "$(field text bob name)" = friends ]
	sed 's/$/\r/' text | gives 0 e2e-wrap-key -d -i bob.key
	cp out raw
	gives 0 e2e-wrap-key --add carol -a -i alice.key -o more text
	gives 0 e2e-wrap-key -d -i carol.key more
	same out raw
	gives 0 e2e-wrap-key --add carol -i alice.key -o binary text
	no grep -q BEGIN binary
	e2e-seal -k text -i bob.key msg | gives 0 e2e-open -q -i alice.key -k more
	same out msg
}

@test "altered anywhere: refused; cut off anywhere: refused; longer: 5" {
	local n size file
	size=$(stat -c %s friends)
	"$PYTHON" - <<-'END'
	good = open("friends", "rb").read()
	for n in (*range(0, len(good), 37), len(good) - 1):
	    open("bad.%d" % n, "wb").write(good[:n] + bytes([good[n] ^ 1]) + good[n + 1:])
	END
	for file in bad.*; do
		judged e2e-wrap-key -d -i bob.key -o raw "$file"
		absent raw
	done
	for file in bad.*[05]; do
		judged e2e-seal -k "$file" -i bob.key -o env msg
		absent env
	done
	flipped friends -40 >bad
	gives 2 e2e-wrap-key -d -i bob.key bad
	explained
	for n in $(seq 0 61 $((size - 1))) $((size - 1)); do
		head -c "$n" friends >cut
		gives 5 e2e-wrap-key -d -i bob.key -o raw cut
		explained
		gives 5 e2e-wrap-key --show cut
		empty out
		absent raw
	done
	{ cat friends; printf '\0'; } >longer
	gives 5 e2e-wrap-key -d -i bob.key longer
	explained
	cat friends friends | gives 5 e2e-wrap-key --show
	empty out
	tidy
}

@test "an envelope is no wrapped key, a wrapped key no envelope: 5" {
	e2e-seal -r bob.pub -i alice.key -o env msg
	gives 5 e2e-wrap-key -d -i bob.key env
	explained
	gives 5 e2e-wrap-key --show env
	gives 5 e2e-seal -k env -i bob.key -o made msg
	gives 5 e2e-open -i bob.key -k env env
	gives 5 e2e-open -i bob.key friends
	explained
	gives 5 e2e-inspect friends
	gives 5 e2e-wrap-key -d -i bob.key bob.key
	gives 5 e2e-wrap-key -d -i bob.key bob.pub
	gives 5 e2e-wrap-key -d -i bob.key /dev/null
	gives 66 e2e-wrap-key -d -i bob.key missing
	gives 66 e2e-seal -k missing -i bob.key msg
	empty out
	absent made
	# The tag alone does not make one of the other.
	"$PYTHON" - <<-'END'
	env = open("env", "rb").read()
	open("posing", "wb").write(b"\xda\x65\x32\x65\x32" + env[6:])
	END
	gives 5 e2e-wrap-key -d -i bob.key posing
	empty out
}

@test "a signature of the maker that does not verify, and another's: 1" {
	# Mallory wraps a key in alice's name.
	wrapped <<-'END'
	wrapped("good", alice)
	wrapped("forged", mallory)
	wrapped("label", alice, label="e2e1 sender")
	wrapped("header", alice, header="e2e1 header")
	END
	gives 0 e2e-wrap-key -d -i bob.key good
	local file
	for file in forged label; do
		gives 1 e2e-wrap-key -d -i bob.key -s alice.pub $file
		explained
		empty out
		gives 1 e2e-seal -k $file -i bob.key -o made msg
	done
	gives 2 e2e-wrap-key -d -i bob.key header
	absent made
}

@test "a full disk, a closed standard input, standard input asked for twice" {
	local got=0
	e2e-wrap-key --new -i alice.key -r bob.pub >/dev/full 2>err || got=$?
	[ $got = 74 ]
	explained
	got=0
	e2e-wrap-key -d -i bob.key friends >/dev/full 2>err || got=$?
	[ $got = 74 ]
	gives 73 e2e-wrap-key --new -i alice.key -r bob.pub -o /dev/full
	[ -c /dev/full ]
	got=0
	e2e-wrap-key -i alice.key -r bob.pub -o made <&- 2>err || got=$?
	[ $got = 74 ]
	explained
	got=0
	e2e-wrap-key --add dave -i alice.key -o made <&- 2>err || got=$?
	[ $got = 74 ]
	bytes 32 >key
	gives 64 e2e-wrap-key -i - -r bob.pub -o made <key
	explained
	gives 64 e2e-wrap-key -d -i - - <bob.key
	gives 64 e2e-wrap-key -i alice.key -r bob.pub -R - -o made <bob.pub
	gives 64 e2e-seal -k - -i bob.key <friends
	says 'standard input cannot be both'
	gives 64 e2e-open -k - -i bob.key <friends
	gives 64 e2e-open -k - -k - -i bob.key msg <friends
	absent made
	# Once is fine.
	e2e-seal -k - -i bob.key msg <friends >env
	gives 0 e2e-open -q -k - -i carol.key env <friends
	same out msg
}

@test "what does not go together: 64" {
	local words
	for words in "--new" "-r bob.pub --new friends" "--new -d friends" "--add bob.pub --show friends" \
	    "-d --show friends" "-d -r bob.pub friends" "-d -a friends" "-s bob.pub -r bob.pub --new" \
	    "-d --known -s bob.pub friends" "--show -o x friends" "--show --known friends" \
	    "-n x -d friends" "-n x --add bob.pub friends" "friends friends"; do
		# shellcheck disable=SC2086 # words
		gives 64 e2e-wrap-key $words </dev/null
		explained
		empty out
	done
	gives 64 e2e-wrap-key --new -i alice.key -r bob.pub -n "$(head -c 256 /dev/zero | tr '\0' x)" -o made
	absent x made
}

@test "a maker's key that is locked: 7 without its passphrase" {
	e2e-key passwd -q --new-passphrase-fd 5 $CHEAP alice.key 5<<<secret
	gives 7 without_terminal e2e-wrap-key --new -i alice.key -r bob.pub -o made </dev/null
	absent made
	gives 0 e2e-wrap-key --new -i alice.key --passphrase-fd 5 -r bob.pub -o made 5<<<secret
	gives 7 e2e-wrap-key -d -i alice.key --passphrase-fd 5 made 5<<<wrong
	empty out
}

# ---- sealing and opening ----

@test "members write to a group, members read, and nobody else" {
	gives 0 e2e-seal -k friends -i bob.key --status-fd 5 -o env msg 5>status
	json status 'sealed["recipients"] == 1 and sealed["mode"] == 2'
	for who in alice bob carol; do
		gives 0 e2e-open -i $who.key -k friends -s bob --status-fd 5 env 5>status
		same out msg
		json status 'header["group"] == "friends" and header["epoch"] == 1 and header["contact"] == "bob"'
	done
	gives 0 e2e-open -i carol.key -k friends env
	says 'from bob (pinned)'
	says 'to group friends, epoch 1 (friends)'
	# Without -k not even a member, with it nobody else.
	gives 2 e2e-open -i carol.key env
	explained
	gives 2 e2e-open -i dave.key -k friends env
	gives 2 e2e-open -i dave.key -k staff env
	empty out
}

@test "a group takes its sender's name and nobody's: usage without -i, 3 from others" {
	gives 64 e2e-seal -k friends msg
	explained
	empty out
	gives 2 e2e-seal -k friends -i mallory.key -o made msg
	absent made
	mkdir -p home/config/e2e
	gives 66 e2e-open -k friends msg
	cp -p bob.key home/config/e2e/identity.key
	e2e-seal -k friends -i alice.key msg | gives 0 e2e-open -q -k friends
	same out msg
}

# Who holds the key, and signs as somebody else, or not at all.
outsiders_are_not_heard() {
	grouped <<-'END'
	open("good", "wb").write(sealed(bob))
	open("good.hidden", "wb").write(sealed(bob, named=False))
	open("outsider", "wb").write(sealed(mallory))
	open("outsider.hidden", "wb").write(sealed(mallory, named=False))
	open("anonymous", "wb").write(sealed(None))
	open("anonymous.hidden", "wb").write(sealed(None, named=False))
	open("mode1", "wb").write(sealed(bob, mode=1))
	END
	gives 0 e2e-open -q -i carol.key -k friends -s bob good &&
	gives 0 e2e-open -q -i carol.key -k friends -s bob good.hidden &&
	same out msg || return
	local file
	for file in outsider outsider.hidden anonymous anonymous.hidden mode1; do
		gives 3 e2e-open -i carol.key -k friends -o plain $file &&
		explained &&
		gives 3 e2e-open -i carol.key -k friends --old-epoch -o plain - <$file &&
		absent plain || return
	done
}

@test "who holds the key and is no member is not heard: 3" {
	outsiders_are_not_heard
	gives 3 e2e-open -i carol.key -k friends outsider
	says 'not from a member'
	gives 3 e2e-open -i carol.key -k friends anonymous
	says 'not signed'
}

old_epochs_are_over() {
	e2e-seal -k friends -i bob.key -o one msg &&
	gives 0 e2e-open -q -i bob.key -k friends one &&
	gives 3 e2e-open -i bob.key -k friends -k friends2 one &&
	explained && says '--old-epoch' && empty out
}

@test "an epoch that is over: 3, unless --old-epoch" {
	old_epochs_are_over
	e2e-seal -k friends2 -i bob.key -o two msg
	gives 3 e2e-open -i bob.key -k friends2 -k friends -o plain one
	absent plain
	gives 0 e2e-open -i bob.key -k friends -k friends2 --old-epoch one
	says 'epoch 1 (friends)'
	gives 0 e2e-open -i bob.key -k friends -k friends2 two
	says 'epoch 2 (friends2)'
	# The one that is removed signs with the key that she still has.
	e2e-seal -k friends -i carol.key -o late msg
	gives 3 e2e-open -i bob.key -k friends -k friends2 late
	empty out
	gives 2 e2e-open -i bob.key -k friends2 late
	# Another group's epochs are its own.
	gives 0 e2e-open -q -i bob.key -k friends -k staff one
	# No letter for the newer, no other group of the same name.
	e2e-wrap-key --new -n friends -i alice.key -r bob.pub -o twin
	e2e-wrap-key -q --remove bob -i alice.key -o twin2 twin
	gives 0 e2e-open -q -i alice.key -k friends -k twin2 one
	same out msg
}

@test "control: an e2e-open to which everybody is a member is noticed" {
	PATH=$HEEDLESS:$PATH
	no outsiders_are_not_heard
	gives 0 e2e-open -q -i carol.key -k friends outsider
	no old_epochs_are_over
	gives 2 e2e-open -q -i dave.key -k friends one
}

@test "--state remembers the epoch, for opening" {
	e2e-seal -k friends -i bob.key -o one msg
	e2e-seal -k friends2 -i bob.key -o two msg
	gives 0 e2e-open -q -i alice.key -k friends --state st one
	gives 0 e2e-open -q -i alice.key -k friends2 --state st two
	e2e-seal -k friends -i carol.key -o late msg
	gives 3 e2e-open -i alice.key -k friends --state st late
	explained
	says 'that is at epoch 2 by now'
	says '--old-epoch'
	empty out
	gives 0 e2e-open -q -i alice.key -k friends --old-epoch --state st late
	same out msg
	# That it was allowed once is not remembered.
	e2e-seal -k friends -i carol.key -o later msg
	gives 3 e2e-open -i alice.key -k friends --state st later
	# Another folder knows nothing of it.
	gives 0 e2e-open -q -i alice.key -k friends --state other later
}

@test "--state remembers the epoch, for sealing" {
	gives 0 e2e-seal -q -k friends -i bob.key --state st -o one msg
	gives 0 e2e-seal -q -k friends2 -i bob.key --state st -o two msg
	gives 3 e2e-seal -k friends -i bob.key --state st -o three msg
	explained
	says '--old-epoch'
	absent three
	gives 0 e2e-seal -q -k friends -i bob.key --state st --old-epoch -o three msg
	# A group is one conversation in all its epochs.
	local file n=0
	for file in one two three; do
		n=$((n + 1))
		gives 0 e2e-open -q -i alice.key -k friends -k friends2 --old-epoch --status-fd 5 $file 5>status
		json status "header['sequence'] == $n"
	done
}

@test "two groups, a person, a passphrase and the sender in one envelope" {
	e2e-wrap-key --new -n pair -i carol.key -r alice.pub -o pair
	e2e-seal -k friends -k pair -k friends -r mallory.pub -r dave.pub --recipient-passphrase-fd 5 $CHEAP \
	    --self -i alice.key --status-fd 6 -o env msg 5<<<horse 6>status
	json status 'sealed["recipients"] == 6 and sealed["mode"] == 2'
	gives 0 e2e-open -q -i bob.key -k friends -s alice env
	gives 0 e2e-open -q -i carol.key -k pair -s alice env
	gives 0 e2e-open -q -i carol.key -k friends -k pair -s alice env
	gives 0 e2e-open -q -i mallory.key -s alice.pub env
	gives 0 e2e-open -q -i dave.key -k staff -s alice env
	gives 0 e2e-open -q -i alice.key env
	gives 0 e2e-open -q --recipient-passphrase-fd 5 -s alice env 5<<<horse
	same out msg
	gives 7 e2e-open -i bob.key -k staff env
	empty out
}

@test "one of two groups that the sender is not in: 2, by not having its key" {
	gives 2 e2e-seal -k friends -k staff -i carol.key -o env msg
	explained
	absent env
}

@test "hidden: a group is not named, and is found" {
	e2e-seal -k friends -r dave.pub --hide-recipients -i bob.key -o env msg
	gives 0 e2e-inspect env
	[ "$(grep -c hidden out)" = 2 ]
	"$PYTHON" - "$(field friends bob group)" <<-'END'
	import base64, sys
	kid = base64.b32decode(sys.argv[1].replace("-", "").upper() + "====")
	assert kid not in open("env", "rb").read()
	END
	gives 0 e2e-open -q -i bob.key -k staff -k friends env
	gives 0 e2e-open -q -i carol.key -k friends -s bob env
	same out msg
	gives 0 e2e-open -q -i dave.key -s bob env
	gives 2 e2e-open -i mallory.key env
	gives 2 e2e-open -i dave.key -k staff <(e2e-seal -k friends --hide-recipients -i bob.key msg)
	empty out
}

@test "a group that a member makes around the same key is another group" {
	# Carol hands the key on as her own group's, with mallory in it.
	e2e-wrap-key -d -i carol.key friends |
	    e2e-wrap-key -i carol.key -n friends -r alice.pub -r bob.pub -r mallory.pub -o reissued
	[ "$(secret_of reissued bob)" = "$(secret_of friends bob)" ]
	[ "$(field reissued bob group)" != "$(field friends bob group)" ]
	# Mail to the real one does not open as mail to hers ...
	e2e-seal -k friends -i bob.key -o env msg
	gives 2 e2e-open -i bob.key -k reissued env
	empty out
	# ... nor when the recipient is hidden: it is not addressed to hers.
	e2e-seal -k friends --hide-recipients -i bob.key -o hidden msg
	gives 3 e2e-open -i bob.key -k reissued -o plain hidden
	explained
	says 'did not address this'
	absent plain
	# Beside the real one, the first that opens decides: the true mail is
	# refused, and never taken for mail to hers.
	gives 3 e2e-open -i bob.key -k reissued -k friends -o plain hidden
	absent plain
	gives 0 e2e-open -i bob.key -k friends -k reissued hidden
	says 'to group friends, epoch 1 (friends)'
	# And mallory does not become a member of the real one.
	e2e-seal -q -k reissued -i mallory.key -o mallorys msg
	gives 2 e2e-open -i bob.key -k friends mallorys
	e2e-seal -q -k reissued --hide-recipients -i mallory.key -o mallorys msg
	gives 3 e2e-open -i bob.key -k friends mallorys
	empty out
	gives 3 e2e-wrap-key -d -i bob.key -s alice reissued
}

@test "whose group it is: -v and --show say it, also where nobody is warned" {
	# Carol, whom bob knows, hands on a group that is called like alice's.
	e2e-wrap-key --new -n friends -i carol.key -r bob.pub -o carols
	gives 0 e2e-seal -k carols -i bob.key -o env msg
	empty err
	gives 0 e2e-seal -v -k carols -i bob.key -o env msg
	says 'carols: made by carol'
	gives 0 e2e-open -v -i bob.key -k carols env
	says 'carols: made by carol'
	gives 0 e2e-wrap-key --show -i bob.key carols
	grep -q '^maker: .*(carol)$' out
}

@test "a group of somebody unknown is warned of; for one of somebody revoked nothing is sealed" {
	e2e-contact unpin -q alice
	gives 0 e2e-seal -k friends -i bob.key -o env msg
	says 'warning: friends: made by unknown key'
	e2e-contact pin -q alice.pub
	gives 0 e2e-seal -k friends -i bob.key -o env msg
	empty err
	e2e-contact pin -q alice.revocation
	gives 3 e2e-seal -k friends -i bob.key -o made msg
	explained
	says revoked
	absent made
	# What is there was written before, and stays readable.
	gives 0 e2e-open -i bob.key -k friends env
	same out msg
	says 'warning: friends: the key of alice, who made it, is revoked'
}

@test "one epoch made twice, from the same file: warned of, and sealed for both" {
	e2e-wrap-key -q --remove bob -i alice.key -o other friends
	[ "$(field other carol group)" = "$(field friends2 bob group)" ]
	[ "$(secret_of other carol)" != "$(secret_of friends2 bob)" ]
	local both='two keys of one epoch: its maker has changed the same file twice'
	gives 0 e2e-seal -k friends2 -k other -i alice.key -o env msg
	says "warning: friends2 and other: $both"
	gives 0 e2e-open -q -i bob.key -k friends2 -s alice env
	same out msg
	gives 0 e2e-open -q -i carol.key -k other -s alice env
	same out msg
	# With one alone, half of them can.
	gives 0 e2e-seal -k friends2 -i bob.key -o env msg
	empty err
	gives 2 e2e-open -i carol.key -k other env
	local keys
	for keys in "-k friends2 -k other" "-k other -k friends2"; do
		# shellcheck disable=SC2086 # words
		gives 0 e2e-open -i alice.key $keys env
		says "$both"
		same out msg
	done
	gives 0 e2e-rewrap -i alice.key -k other -k friends2 -r dave -o new env
	says "$both"
	gives 0 e2e-open -q -i dave.key new
	# The same key twice, and two members' lists of it, are none.
	e2e-wrap-key --add dave -i alice.key -o more friends
	gives 0 e2e-seal -k friends -k more -i alice.key -o env msg
	silent "$both"
}

@test "files of one epoch: whoever is a member by any of them" {
	e2e-wrap-key --add dave -i alice.key -o more friends
	e2e-seal -k more -i dave.key -o daves msg
	local keys
	for keys in "-k friends -k more" "-k more -k friends"; do
		# shellcheck disable=SC2086 # words
		gives 0 e2e-open -q -i bob.key $keys -s dave daves
		same out msg
	done
}

@test "altered mail to a group: 1, and 2 where it is the header" {
	e2e-seal -k friends -i bob.key -o env msg
	flipped env -3 >bad
	gives 1 e2e-open -i carol.key -k friends -o plain bad
	explained
	flipped env 90 >bad
	gives 2 e2e-open -i carol.key -k friends -o plain bad
	head -c -1 env >bad
	gives 1 e2e-open -i carol.key -k friends -o plain bad
	absent plain
	# The other members cannot put words into bob's mouth: every segment
	# is signed.
	grouped <<-'END' >forged
	put(seal(Plan([], sender=bob, mode=2, strict=False, hooks={
	    "entries": lambda e, s: [[b"", {1: L.A256KW, 4: kid}, crypto.kw_wrap(k, s.cek)]],
	    "stream": lambda x, s: x[:64] + b"hellO\n"}), b"hello\n"))
	END
	gives 1 e2e-open -i carol.key -k friends -o plain forged
	absent plain
	tidy
}

@test "a mailbox with mail of several groups and people: -d" {
	e2e-seal -k friends -i alice.key -o 1 msg
	e2e-seal -k staff -i dave.key -o 2 msg
	e2e-seal -r bob.pub -i carol.key -o 3 msg
	e2e-seal -r carol.pub -i alice.key -o 4 msg
	cat 1 2 3 4 >box
	mkdir d
	gives 2 e2e-open -i bob.key -k friends -k staff -d d --verdict-fd 5 box 5>verdicts
	[ "$(xargs <verdicts)" = "0 0 0 2" ]
	[ "$(ls d | wc -l)" = 3 ]
	says 'to group staff, epoch 1 (staff)'
	says 'to group friends, epoch 1 (friends)'
}

# crowd N: that many cards of people whose keys nobody needs.
crowd() {
	peer_python "$1" <<-'END'
	import sys
	from e2epeer.identity import new_identity
	for n in range(int(sys.argv[1])):
	    print(new_identity("x25519", "p%d" % n).card.line.decode())
	END
}

@test "a thousand members: an envelope is no longer than for two" {
	crowd 998 >crowd.pub
	gives 0 within 256 e2e-wrap-key --new -n all -i alice.key -r bob.pub -R crowd.pub -o all
	[ "$(field all bob member | wc -l)" = 1000 ]
	gives 0 e2e-seal -k all -i alice.key -o env msg
	gives 0 within 128 e2e-open -i bob.key -k all -s alice env
	same out msg
	local card header
	card=$(cut -d' ' -f2 alice.pub | tr -d '\n' | wc -c)
	header=$(e2e-inspect env | sed -n 's/^header bytes: //p')
	[ "$header" -le $((1024 + card * 3 / 4)) ]
	e2e-seal -k all --no-card -i alice.key -o bare msg
	[ "$(e2e-inspect bare | sed -n 's/^header bytes: //p')" -le 1024 ]
	# And it can be changed.
	gives 0 e2e-wrap-key --add dave -r bob.pub -R crowd.pub -i alice.key -o more all
	[ "$(field more dave member | wc -l)" = 1001 ]
	gives 0 e2e-wrap-key -q --remove bob -R crowd.pub -i alice.key -o fewer all
	[ "$(field fewer alice member | wc -l)" = 999 ]
	# 1024 are the most, the maker one of them.
	crowd 1023 >crowd.pub
	gives 0 e2e-wrap-key --new -i alice.key -R crowd.pub -o most
	gives 6 e2e-wrap-key --new -i alice.key -r bob.pub -R crowd.pub -o made
	explained
	gives 6 e2e-wrap-key --add bob -R crowd.pub -i alice.key -o made most
	absent made
	tidy
}

@test "two people who have a key: a conversation, and an alias of nothing else" {
	e2e-wrap-key --new -i alice.key -r bob.pub -o ours
	e2e-seal -k ours -i alice.key msg | gives 0 e2e-open -i bob.key -k ours --status-fd 5 5>status
	says 'to group without a name, epoch 1'
	json status 'header["group"] == ""'
	e2e-seal -k ours -i bob.key msg | gives 0 e2e-open -q -i alice.key -k ours -s bob
	same out msg
	# Nobody but oneself is a group, too.
	gives 64 e2e-wrap-key --new -i alice.key -o made
	e2e-wrap-key --new -i alice.key -r alice.pub -o mine
	[ "$(field mine alice member | wc -l)" = 1 ]
	e2e-seal -k mine -i alice.key msg | gives 0 e2e-open -q -i alice.key -k mine
}

@test "members with RSA keys" {
	e2e-keygen -q -t rsa2048 -n rita --no-passphrase -o rita.key
	e2e-wrap-key --new -n mixed -i rita.key -r bob.pub -o mixed
	e2e-seal -q -k mixed -i bob.key msg | gives 0 e2e-open -q -i rita.key -k mixed -s bob
	same out msg
	e2e-seal -q -k mixed -i rita.key msg | gives 0 e2e-open -q -i bob.key -k mixed -s rita.pub
	same out msg
}
