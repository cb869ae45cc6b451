#!/usr/bin/env bats
# e2e-rewrap: the same envelope for other recipients, and what its readers are
# told.
load helpers

setup_file() {
	people alice bob carol dave mallory
	cd "$BATS_FILE_TMPDIR/keys"
	e2e-wrap-key --new -n friends -i alice.key -r bob.pub -r carol.pub -o friends
	e2e-wrap-key -q --remove carol.pub -r bob.pub -i alice.key -o friends2 friends
	echo hello >msg
	# Three kinds of mail to bob: nobody's, header-signed, signed.
	e2e-seal -r bob.pub -o bare msg
	e2e-seal -r bob.pub -i alice.key -o header msg
	e2e-seal -r bob.pub -i alice.key --sign-segments -o signed msg
	e2e-rewrap -q -i bob.key -r dave.pub --sign -o passed signed
}

setup() {
	stage
	e2e-contact pin -q alice.pub
	e2e-contact pin -q bob.pub
}

rewrap() {
	gives 0 e2e-rewrap -q -i bob.key "$@"
}

# What follows the header.
payload_of() {
	tail -c +$((7 + $(e2e-inspect "$1" | sed -n 's/^header bytes: //p'))) "$1"
}

# spliced: a program of the second implementation that takes rewrapped
# envelopes apart. Its Parts has what a header has, can open it, and can be put
# together again.
spliced() {
	{
		cat <<-'END'
		import base64, time
		from e2epeer import labels as L, crypto
		from e2epeer.cbor import encode
		from e2epeer.cose import protected_map, sig_structure
		from e2epeer.header import make_header, parse_header, unwrap_key, wrap_key
		from e2epeer.identity import read_file
		alice, bob, carol, dave, mallory = (read_file(open(n + ".key", "rb").read())
		    for n in ("alice", "bob", "carol", "dave", "mallory"))
		START = L.TAG_ENVELOPE + b"\x9f"
		class Parts:
		    def __init__(self, file):
		        data = open(file, "rb").read()
		        h = parse_header(data, 6, 1, rewrap=True)
		        self.P, self.iv, self.ct, self.R, self.block = h.protected, h.iv, h.ciphertext, h.recipients, h.rewrap
		        self.entries, self.rest = h.entries, data[6 + h.size:]
		    def write(self, file):
		        u = {5: self.iv, **({L.REWRAP: self.block} if self.block else {})}
		        open(file, "wb").write(START + make_header(self.P, u, self.ct, self.R) + self.rest)
		    def unlock(self, who):
		        keys = [unwrap_key(e, k) for e in self.entries for k in who.enc_keys]
		        self.cek = next(k for k in keys if k)
		    def to(self, *who, hidden=False):
		        self.R = encode([wrap_key(self.cek, w.card.enc_keys[0], None if hidden else w.id) for w in who])
		    def X(self):
		        core = crypto.sha256(encode([self.P, self.iv, self.ct]))
		        return encode(["e2e1 rewrap", core, crypto.sha256(self.R)])
		    def opened(self):
		        return crypto.gcm_open(self.rk(), self.block[0], self.block[1], self.X())
		    def rk(self):
		        return crypto.hkdf(self.cek, encode(["e2e1 rewrap key"]))
		    def seal(self, block):
		        iv = crypto.random(12)
		        self.block = [iv, crypto.gcm_seal(self.rk(), iv, block, self.X())]
		    def claims(self, rh):
		        return {L.IAT: int(time.time()), L.ORIGINAL_RH: rh}
		    def signed(self, claims, kid, key):
		        p = encode(protected_map(kid.signing_key, "application/e2e-rewrap+cwt"))
		        c = encode(claims)
		        s = key.signing_key.sign(sig_structure(p, self.X(), c))
		        return L.TAG_SIGN1 + encode([p, {}, c, s])
		END
		cat
	} >program
	peer_python <program
}

@test "from A, forwarded by B: signed mail, signed forwarding" {
	gives 0 e2e-rewrap -i bob.key -r dave.pub --sign --status-fd 5 -o new signed 5>status
	says 'whoever could open it before may have kept what opens it'
	json status 'rewrapped["recipients"] == 1 and rewrapped["mode"] == 2'
	gives 0 e2e-open -i dave.key --status-fd 5 new 5>status
	same out msg
	says 'from alice (pinned), forwarded by bob (pinned)'
	json status 'header["forwarded"] and header["forwarder"] == "bob" and header["contact"] == "alice"'
	json status 'abs(header["forwarded_at"] - __import__("time").time()) < 86400'
	# It is the same message.
	e2e-open -q -i bob.key --status-fd 5 signed 5>before >out
	[ "$(grep -o '"message_id":"[0-9a-f]*"' before | sort -u)" = "$(grep -o '"message_id":"[0-9a-f]*"' status | sort -u)" ]
	json before 'not header["forwarded"]'
	# Those it was for before are no more; but they can keep what they had.
	gives 2 e2e-open -i bob.key new
	gives 0 e2e-open -q -i bob.key signed
	gives 2 e2e-open -i mallory.key new
}

@test "not signed: forwarded by unknown" {
	rewrap -r dave.pub -o new signed
	gives 0 e2e-open -i dave.key --status-fd 5 new 5>status
	same out msg
	says 'from alice (pinned), forwarded by unknown'
	json status 'header["forwarded"] and "forwarder" not in header'
	gives 0 e2e-open -i dave.key passed
	says 'forwarded by bob (pinned)'
	e2e-contact unpin -q bob
	gives 0 e2e-open -i dave.key passed
	says 'forwarded by unknown key'
}

@test "anonymous mail stays anonymous, whoever forwards it" {
	rewrap -r dave.pub --sign -o new bare
	gives 0 e2e-open -i dave.key new
	same out msg
	says 'anonymous: nobody signed this, forwarded by bob (pinned)'
	gives 3 e2e-open -i dave.key -s bob new
	explained
	gives 3 e2e-open -i dave.key -s bob --forwarded new
	gives 3 e2e-open -i dave.key --known --forwarded new
	empty out
}

@test "of header-signed mail nobody knows the sender any more" {
	gives 0 e2e-rewrap -i bob.key -r dave.pub --sign -o new header
	says 'nobody can verify its sender from now on'
	gives 0 e2e-open -i dave.key --status-fd 5 new 5>status
	same out msg
	says 'sender not known'
	says 'forwarded by bob (pinned)'
	silent 'from alice'
	json status 'header["sender"] == "not-authenticated" and "contact" not in header'
	local more
	for more in "-s alice" "--known" "-s alice --forwarded" "--known --forwarded" "-s bob --forwarded"; do
		# shellcheck disable=SC2086 # words
		gives 3 e2e-open -i dave.key $more -o plain new
		explained
		absent plain
	done
	says 'only the header was signed'
}

@test "-s and --known refuse forwarded mail, 3, unless --forwarded" {
	local more
	for more in "-s alice" --known; do
		# shellcheck disable=SC2086
		gives 3 e2e-open -i dave.key $more -o plain passed
		explained
		says '--forwarded'
		absent plain
		# shellcheck disable=SC2086
		gives 0 e2e-open -i dave.key $more --forwarded passed
		same out msg
		# Who came between is told, though the sender was asked for.
		says 'forwarded by bob'
	done
	# Who forwards is no sender.
	gives 3 e2e-open -i dave.key -s bob --forwarded passed
	gives 3 e2e-open -i dave.key -s carol.pub --forwarded passed
	e2e-contact unpin -q alice
	gives 3 e2e-open -i dave.key --known --forwarded passed
	empty out
}

@test "to one, to several, to oneself, repeats once" {
	rewrap -r dave.pub -r carol.pub -r dave.pub --self --status-fd 5 -o new signed 5>status
	json status 'rewrapped["recipients"] == 3'
	gives 0 e2e-rewrap -i bob.key -r dave.pub -r dave.pub signed
	says 'named more than once'
	for who in dave carol bob; do
		gives 0 e2e-open -q -i $who.key -s alice --forwarded new
		same out msg
	done
	rewrap -R <(cat dave.pub carol.pub) -o new signed
	gives 0 e2e-open -q -i carol.key new
	gives 0 e2e-inspect new
	says 'rewrapped: yes' out
	says 'recipients: 2' out
}

@test "for nobody: 64; for the revoked and the expired: 3, and nothing is made" {
	gives 64 e2e-rewrap -i bob.key -o new signed
	explained
	gives 66 e2e-rewrap -i bob.key -r nobody -o new signed
	gives 64 e2e-rewrap -i bob.key -r dave.pub -o new signed signed
	e2e-contact pin -q carol.pub
	e2e-contact pin -q carol.revocation
	gives 3 e2e-rewrap -i bob.key -r carol -o new signed
	peer keygen --name old --exp 1000 --key old.key --pub old.pub
	gives 3 e2e-rewrap -i bob.key -r dave.pub -r old.pub -o new signed
	explained
	says old.pub
	absent new
	tidy
}

@test "hidden: nobody is named, and each finds himself" {
	rewrap -r dave.pub -r carol.pub --hide-recipients --sign -o new signed
	gives 0 e2e-inspect new
	[ "$(grep -c hidden out)" = 2 ]
	for who in dave carol; do
		gives 0 e2e-open -i $who.key new
		says 'forwarded by bob (pinned)'
	done
	gives 2 e2e-open -i mallory.key new
	# Hidden mail, forwarded in the open.
	e2e-seal -r bob.pub -r carol.pub --hide-recipients -i alice.key -o hidden msg
	rewrap -r dave.pub -o new hidden
	gives 0 e2e-open -q -i dave.key -s alice --forwarded new
	same out msg
	# And again in hiding.
	gives 0 e2e-rewrap -q -i dave.key -r mallory.pub --hide-recipients -o again new
	gives 0 e2e-open -q -i mallory.key -s alice --forwarded again
	same out msg
}

@test "twice: the last one who forwards is told, and the payload is still the same" {
	gives 0 e2e-rewrap -q -i dave.key -r carol.pub --sign -o twice passed
	e2e-contact pin -q dave.pub
	gives 0 e2e-open -i carol.key twice
	says 'from alice (pinned), forwarded by dave (pinned)'
	silent bob
	gives 0 e2e-rewrap -q -i carol.key -r bob.pub -o thrice twice
	gives 0 e2e-open -i bob.key thrice
	says 'from alice (pinned), forwarded by unknown'
	payload_of signed >want
	for n in passed twice thrice; do
		payload_of $n | cmp - want
	done
	spliced <<-'END'
	a, b = Parts("signed"), Parts("thrice")
	assert (a.P, a.iv, a.ct) == (b.P, b.iv, b.ct) and a.R != b.R and b.block and not a.block
	END
	# Back at its first recipient, it is still not as it was sent.
	gives 3 e2e-open -i bob.key -s alice thrice
}

@test "large mail passes byte for byte, from a pipe, in little memory" {
	bytes 40000000 >big
	e2e-seal -r bob.pub -i alice.key --sign-segments -o big.env big
	cat big.env | gives 0 within 64 e2e-rewrap -q -i bob.key -r dave.pub
	payload_of out >got
	payload_of big.env | cmp - got
	cp out new
	gives 0 e2e-open -q -i dave.key -s alice --forwarded new
	same out big
}

@test "armor, in and out" {
	e2e-seal -a -r bob.pub -i alice.key --sign-segments -o text msg
	rewrap -r dave.pub -a -o new text
	says 'BEGIN E2E MESSAGE' new
	gives 0 e2e-open -q -i dave.key -s alice --forwarded new
	rewrap -r dave.pub -o new text
	no grep -q BEGIN new
	gives 0 e2e-open -q -i dave.key -s alice --forwarded new
	rewrap -r dave.pub -a -o new signed
	gives 0 e2e-open -q -i dave.key -s alice --forwarded new
	same out msg
}

@test "a mailbox: every envelope; in armor only one" {
	cat bare header signed >box
	gives 0 e2e-rewrap -q -i bob.key -r dave.pub --sign --status-fd 5 -o new box 5>status
	json status '[e["mode"] for e in all if e["event"] == "rewrapped"] == [0, 1, 2]'
	mkdir d
	gives 0 e2e-open -q -i dave.key -d d new
	[ "$(ls d | wc -l)" = 3 ]
	for file in d/*; do same $file msg; done
	gives 5 e2e-rewrap -q -i bob.key -r dave.pub -a -o text box
	absent text
	# One that does not open ends it, and nothing of it is under -o.
	e2e-seal -r carol.pub msg | cat signed - signed >box
	gives 2 e2e-rewrap -q -i bob.key -r dave.pub -o mixed box
	explained
	absent mixed
	gives 5 e2e-rewrap -q -i bob.key -r dave.pub -o mixed /dev/null
	absent mixed
	tidy
}

@test "to a group: needs a signature, which a member has to give" {
	gives 64 e2e-rewrap -i bob.key --to-group friends -o new signed
	explained
	says '--sign'
	absent new
	rewrap --to-group friends --sign -o new signed
	gives 0 e2e-open -i carol.key -k friends new
	same out msg
	says 'from alice (pinned), forwarded by bob (pinned)'
	says 'to group friends, epoch 1 (friends)'
	gives 2 e2e-open -i dave.key -k friends new
	# From one who is no member, through one who is.
	e2e-seal -r bob.pub -i mallory.key --sign-segments -o outside msg
	rewrap --to-group friends --sign -o new outside
	gives 0 e2e-open -q -i carol.key -k friends -s mallory.pub --forwarded new
	same out msg
	gives 3 e2e-open -i carol.key -k friends -s mallory.pub new
	# Not signed at all, too: a member brought it.
	rewrap --to-group friends --sign -o new bare
	gives 0 e2e-open -i carol.key -k friends new
	says 'anonymous: nobody signed this, forwarded by bob'
	# Who is no member cannot.
	gives 2 e2e-rewrap -i dave.key --to-group friends --sign -o made passed
	absent made
}

@test "to a group, by nobody or by somebody else: 3" {
	e2e-wrap-key -d -i bob.key friends >raw
	e2e-wrap-key --show -i bob.key friends | sed -n 's/^group: //p' >kid
	spliced <<-'END'
	k, kid = open("raw", "rb").read(), base64.b32decode(open("kid").read().strip().replace("-", "").upper() + "====")
	def group(file, make):
	    e = Parts("signed")
	    rh = crypto.sha256(e.R)
	    e.unlock(bob)
	    e.R = encode([[b"", {1: L.A256KW, 4: kid}, crypto.kw_wrap(k, e.cek)]])
	    e.seal(make(e, e.claims(rh)))
	    e.write(file)
	group("bare-block", lambda e, c: encode(c))
	group("outsider", lambda e, c: e.signed({**c, L.CARD: dave.card.raw}, dave, dave))
	group("member", lambda e, c: e.signed({**c, L.CARD: carol.card.raw}, carol, carol))
	END
	gives 0 e2e-open -q -i bob.key -k friends member
	local file
	for file in bare-block outsider; do
		gives 3 e2e-open -i bob.key -k friends -o plain $file
		explained
		absent plain
	done
	gives 3 e2e-open -i bob.key -k friends -k friends2 -o plain member
	says '--old-epoch'
	absent plain
}

@test "the maker's key is revoked: -k warns, --to-group refuses: 3" {
	e2e-seal -k friends -i bob.key -o env msg
	e2e-contact pin -q alice.revocation
	gives 0 e2e-rewrap -i carol.key -k friends -r dave.pub --sign -o new env
	says 'warning: friends: the key of alice, who made it, is revoked'
	gives 0 e2e-open -q -i dave.key new
	same out msg
	gives 3 e2e-rewrap -i bob.key --to-group friends --sign -o made signed
	explained
	says revoked
	absent made
}

@test "to a group whose epoch is over: taken as given, since nothing is remembered" {
	gives 0 e2e-rewrap -q -i bob.key --to-group friends --sign -o new signed
	gives 0 e2e-open -q -i carol.key -k friends new
	gives 3 e2e-open -i bob.key -k friends -k friends2 new
	says '--old-epoch'
	# Unless the later one is named as well.
	gives 3 e2e-rewrap -i bob.key --to-group friends --to-group friends2 --sign -o made signed
	says 'epoch 1 of a group that is at epoch 2'
	absent made
}

@test "out of a group: -k opens, and whoever reads it then needs none" {
	e2e-seal -k friends -i alice.key -o env msg
	gives 0 e2e-rewrap -q -i carol.key -k friends -r dave.pub --sign -o new env
	gives 0 e2e-open -i dave.key new
	same out msg
	says 'from alice (pinned), forwarded by unknown key'
	gives 0 e2e-open -q -i dave.key -s alice --forwarded new
	gives 2 e2e-rewrap -q -i carol.key -r dave.pub -o made env
	gives 2 e2e-rewrap -q -i dave.key -k friends -r dave.pub -o made env
	absent made
	gives 64 e2e-rewrap -i bob.key -k - -r dave.pub - <env
	# From one epoch to the next, by who is in both.
	gives 0 e2e-rewrap -q -i bob.key -k friends --to-group friends2 --sign -o new env
	gives 0 e2e-open -q -i alice.key -k friends2 new
	same out msg
	gives 2 e2e-open -i carol.key -k friends new
}

@test "what a passphrase opens can be passed on without a key" {
	e2e-seal --recipient-passphrase-fd 5 $CHEAP -i alice.key -o locked msg 5<<<horse
	gives 0 e2e-rewrap -q --recipient-passphrase-fd 5 -r dave.pub -o new locked 5<<<horse
	gives 0 e2e-open -q -i dave.key -s alice --forwarded new
	same out msg
	gives 7 e2e-rewrap -q --recipient-passphrase-fd 5 -r dave.pub -o made locked 5<<<staple
	gives 7 without_terminal e2e-rewrap -q -p -r dave.pub -o made locked </dev/null
	absent made
}

@test "who cannot open it passes nothing on: 2" {
	gives 2 e2e-rewrap -i mallory.key -r mallory.pub -o made signed
	explained
	absent made
	gives 2 e2e-rewrap -i mallory.key -r mallory.pub signed
	empty out
	# Altered in the header it is nothing that could be opened.
	flipped signed 90 >bad
	gives 2 e2e-rewrap -i bob.key -r dave.pub -o made bad
	gives 66 e2e-rewrap -i bob.key -r dave.pub -o made missing
	gives 5 e2e-rewrap -i bob.key -r dave.pub -o made msg
	gives 5 e2e-rewrap -i alice.key -r dave.pub -o made friends
	absent made
	tidy
}

@test "an altered payload is passed on as it is, and refused by the reader: 1" {
	flipped signed -3 >bad
	rewrap -r dave.pub -o new bad
	gives 1 e2e-open -i dave.key -o plain new
	explained
	absent plain
}

@test "cut off: 1 or 5, and nothing under -o" {
	local n size header
	size=$(stat -c %s signed)
	header=$(e2e-inspect signed | sed -n 's/^header bytes: //p')
	for n in 0 1 5 6 20 $((header / 2)) $((header + 5)); do
		head -c "$n" signed >cut
		gives 5 e2e-rewrap -q -i bob.key -r dave.pub -o made cut
		explained
		absent made
		cat cut | gives 5 e2e-rewrap -q -i bob.key -r dave.pub -o made
		absent made
	done
	for n in $((header + 6)) $((header + 40)) $((size - 30)) $((size - 1)); do
		head -c "$n" signed >cut
		gives 1 e2e-rewrap -q -i bob.key -r dave.pub -o made cut
		explained
		absent made
		cat cut | gives 1 e2e-rewrap -q -i bob.key -r dave.pub -o made
		absent made
		# To standard output a part may go, which nobody takes for all.
		gives 1 e2e-rewrap -q -i bob.key -r dave.pub cut
		cp out part
		judged e2e-open -q -i dave.key -o plain part
		absent plain
	done
	{ cat signed; echo; } >more
	gives 5 e2e-rewrap -q -i bob.key -r dave.pub -o made more
	absent made
	tidy
}

@test "output: no terminal, no full disk, not onto the input, replaced as a whole" {
	prints 73 'e2e-rewrap -q -i bob.key -r dave.pub signed'
	says 'not written to a terminal' shown
	prints 0 'e2e-rewrap -q -i bob.key -r dave.pub -a signed'
	says 'BEGIN E2E MESSAGE' shown
	gives 74 e2e-rewrap -q -i bob.key -r dave.pub -o /dev/full signed
	explained
	cp signed in
	gives 73 e2e-rewrap -q -i bob.key -r dave.pub -o in in
	same in signed
	gives 73 e2e-rewrap -q -i bob.key -r dave.pub -o missing/x signed
	local got=0
	e2e-rewrap -q -i bob.key -r dave.pub -o made <&- 2>err || got=$?
	[ $got = 74 ]
	absent made
	echo old >made
	rewrap -r dave.pub -o made signed
	gives 0 e2e-open -q -i dave.key made
	echo precious >old
	gives 2 e2e-rewrap -q -i mallory.key -r dave.pub -o old signed
	[ "$(cat old)" = precious ]
	tidy
}

@test "replay: a copy for the same reader is the same message: 4" {
	e2e-seal -r bob.pub -r carol.pub -i alice.key -o env msg
	gives 0 e2e-open -q -i bob.key --state st -s alice env
	gives 0 e2e-rewrap -q -i carol.key -r bob.pub --sign -o copy env
	gives 0 e2e-rewrap -q -i carol.key -r bob.pub --hide-recipients -o copy2 env
	local file
	for file in env copy copy2; do
		gives 4 e2e-open -i bob.key --state st --forwarded -s alice $file
		explained
		says 'opened before'
		empty out
	done
	# The other way round, too.
	gives 0 e2e-open -q -i bob.key --state other copy
	gives 4 e2e-open -i bob.key --state other -s alice env
}

@test "attack: a block moved to another envelope, or another's recipients: 2" {
	echo other >msg2
	e2e-seal -r bob.pub -i alice.key --sign-segments -o signed2 msg2
	rewrap -r dave.pub --sign -o passed2 signed2
	rewrap -r dave.pub -r mallory.pub --sign -o both signed
	spliced <<-'END'
	a, b = Parts("passed"), Parts("passed2")
	a.block = b.block
	a.write("block")
	a = Parts("passed")
	a.R = Parts("both").R
	a.write("recipients")
	# Mallory, who could open it, adds carol.
	a = Parts("both")
	a.unlock(mallory)
	a.to(carol, dave)
	a.write("added")
	a = Parts("passed")
	a.iv = b.iv
	a.write("iv")
	END
	local file
	for file in block recipients added iv; do
		gives 2 e2e-open -i dave.key -o plain $file
		explained
		absent plain
	done
	gives 2 e2e-open -i carol.key -o plain added
	absent plain
}

@test "attack: the block stripped, emptied, or put on what was never forwarded: 2" {
	spliced <<-'END'
	a = Parts("passed")
	iv, ct = a.block
	a.block = None
	a.write("stripped")
	for n, cut in enumerate((b"", ct[:15], ct[:16], ct[:-1], ct + b"\0", bytes(len(ct)), bytes([ct[0] ^ 1]) + ct[1:])):
	    a.block = [iv, cut]
	    a.write("cut.%d" % n)
	a.block = [bytes(12), ct]
	a.write("cut.iv")
	b = Parts("signed")
	b.block = [iv, ct]
	b.write("fresh")
	END
	local file
	for file in stripped cut.*; do
		gives 2 e2e-open -i dave.key -o plain "$file"
		explained
		absent plain
		gives 2 e2e-rewrap -q -i dave.key -r carol.pub -o made "$file"
		absent made
	done
	gives 2 e2e-open -i bob.key -o plain fresh
	absent plain
}

@test "attack: a block of another shape or beyond the limit: 5, 6" {
	spliced <<-'END'
	a = Parts("passed")
	iv, ct = a.block
	for n, block in enumerate(([iv[:11], ct], [iv], [iv, ct, ct], [ct, iv], {1: 2}, [iv, None], b"x")):
	    a.block = block
	    a.write("shape.%d" % n)
	a.block = [iv, bytes(65553)]
	a.write("large")
	a.unlock(dave)
	rh = crypto.sha256(Parts("signed").R)
	for n, block in enumerate((b"", b"\xa0", encode({L.IAT: 1}), encode({L.ORIGINAL_RH: rh}),
	        encode({L.IAT: 1, L.ORIGINAL_RH: rh[:31]}), encode({L.IAT: 1, L.ORIGINAL_RH: rh}) + b"\0",
	        encode({L.IAT: 1, L.ORIGINAL_RH: rh, L.CARD: dave.card.raw}))):
	    a.seal(block)
	    a.write("inner.%d" % n)
	END
	local file
	for file in shape.* inner.*; do
		gives 5 e2e-open -i dave.key -o plain "$file"
		explained
		absent plain
	done
	gives 6 e2e-open -i dave.key -o plain large
	absent plain
}

# Mallory passes mail on to dave alone, in bob's name: by bob's own signature,
# which was for others, and by one of hers.
forged_forwarders_are_refused() {
	rewrap -r dave.pub -r mallory.pub --sign -o both signed
	spliced <<-'END'
	rh = crypto.sha256(Parts("signed").R)
	a = Parts("both")
	a.unlock(mallory)
	block = a.opened()
	a.to(dave)
	a.seal(block)
	a.write("kept")
	a.seal(a.signed(a.claims(rh) | {L.CARD: bob.card.raw}, bob, mallory))
	a.write("posing")
	a.seal(a.signed(a.claims(rh) | {L.CARD: mallory.card.raw}, mallory, mallory))
	a.write("own")
	a.seal(a.signed(a.claims(rh) | {L.CARD: bob.card.raw}, mallory, mallory))
	a.write("anothers-card")
	END
	gives 0 e2e-open -i dave.key own &&
	says 'forwarded by unknown key' && silent bob || return
	local file
	for file in kept posing; do
		gives 1 e2e-open -i dave.key -o plain $file && explained &&
		says "forwarder's signature" && absent plain || return
	done
}

@test "attack: a forwarder's signature that is not his: 1" {
	forged_forwarders_are_refused
	judged e2e-open -i dave.key -o plain anothers-card
	absent plain
	silent 'from alice'
}

@test "control: an e2e-open that believes every forwarder is noticed" {
	PATH=$HEEDLESS:$PATH
	no forged_forwarders_are_refused
	gives 0 e2e-open -i dave.key posing
	says 'forwarded by bob (pinned)'
}

@test "attack: another hash of the first recipients does not make them others: 2" {
	spliced <<-'END'
	a = Parts("passed")
	a.unlock(dave)
	a.seal(encode(a.claims(crypto.sha256(a.R))))
	a.write("bad")
	a.seal(encode(a.claims(bytes(32))))
	a.write("bad2")
	END
	gives 2 e2e-open -i dave.key bad
	gives 2 e2e-open -i dave.key bad2
	explained
	empty out
}

@test "attack: hidden, and not addressed to whom it was slipped: 3" {
	rewrap -r dave.pub -r mallory.pub --hide-recipients --sign -o hidden signed
	spliced <<-'END'
	a = Parts("hidden")
	a.unlock(mallory)
	rh = crypto.sha256(Parts("signed").R)
	a.to(carol, hidden=True)
	a.seal(a.signed(a.claims(rh) | {L.CARD: mallory.card.raw}, mallory, mallory))
	a.write("nobody")
	a.seal(a.signed(a.claims(rh) | {L.CARD: mallory.card.raw, L.TO: [bytes(32)]}, mallory, mallory))
	a.write("other")
	a.seal(encode(a.claims(rh)))
	a.write("bare-block")
	END
	local file
	for file in nobody other bare-block; do
		gives 3 e2e-open -i carol.key -o plain $file
		explained
		absent plain
	done
}

@test "a forwarder whose card is nowhere: 3, and pinned he is known" {
	spliced <<-'END'
	a = Parts("passed")
	a.unlock(dave)
	a.seal(a.signed(a.claims(crypto.sha256(Parts("signed").R)), carol, carol))
	a.write("cardless")
	END
	gives 3 e2e-open -i dave.key -o plain cardless
	explained
	absent plain
	e2e-contact pin -q carol.pub
	gives 0 e2e-open -i dave.key cardless
	says 'forwarded by carol (pinned)'
}

@test "a forwarder's name with escapes reaches no terminal" {
	peer keygen --name $'x\e[2J\xe2\x80\xae\nfrom alice' --key eve.full --pub eve.line
	(umask 077; sed -n '/BEGIN/,$p' eve.full >eve.key)
	head -n 1 eve.line | cut -d' ' -f1,2 >eve.pub
	e2e-seal -r eve.pub -i alice.key --sign-segments -o env msg
	gives 0 e2e-rewrap -q -i eve.key -r dave.pub --sign -o new env
	gives 0 e2e-open -v -i dave.key --status-fd 5 new 5>status
	harmless err e2e-open:
	harmless status '{'
}

@test "a revoked forwarder is warned of, a revoked sender refused" {
	e2e-contact pin -q bob.revocation
	gives 0 e2e-open -i dave.key passed
	says warning
	says revoked
	e2e-contact pin -q alice.revocation
	gives 3 e2e-open -i dave.key -s alice.pub --forwarded passed
	empty out
}

@test "dates are the sender's: what has expired stays so: 4" {
	peer seal --recipient bob.pub --recipient carol.pub --sender alice.key --exp 1000 <msg >old
	rewrap -r dave.pub --sign -o new old
	gives 4 e2e-open -i dave.key new
	explained
	gives 0 e2e-open -q -i dave.key --allow-expired new
	same out msg
}

@test "an archive after e2e-key rotate: with the new key alone it opens" {
	cat bare header signed >archive
	e2e-key rotate -q bob.key
	gives 0 e2e-rewrap -q -i bob.key --self -o archive.new archive
	# The same identity without the retired key.
	peer_python <<-'END'
	import os
	from e2epeer.identity import Identity, read_file, write_file
	bob = read_file(open("bob.key", "rb").read())
	assert len(bob.keys) == 3
	os.umask(0o077)
	open("young.key", "wb").write(write_file(Identity(bob.card, bob.keys[:2])))
	END
	mkdir d e f
	gives 2 e2e-open -q -i young.key -d d archive
	[ -z "$(ls d)" ]
	gives 0 e2e-open -i young.key -d e archive.new
	cp err told
	gives 0 e2e-open -q -i bob.key -d f archive
	diff -r e f
	[ "$(ls e | wc -l)" = 3 ]
	# What was signed for all to see can be shown as before.
	[ "$(grep -c 'from alice (pinned), forwarded by unknown' told)" = 1 ]
	[ "$(grep -c 'sender not known' told)" = 1 ]
}
