#!/usr/bin/env bats
# e2e-contact: other people's public keys under names.
load helpers

setup_file() {
	people alice bob mallory
}

setup() {
	stage
}

fingerprint() {
	e2e-contact show "$1" | sed -n 's/^fingerprint: //p'
}

# card_of KEY SERIAL NAME: another card of that identity, as its owner could
# make it.
card_of() {
	peer_python "$@" <<-'END'
	import sys
	from e2epeer.identity import read_file
	from e2epeer.card import Card, make_card
	me = read_file(open(sys.argv[1], "rb").read())
	card = Card(make_card(me.keys, sys.argv[3], serial=int(sys.argv[2])))
	print(card.line.decode())
	END
}

@test "a subcommand is needed" {
	gives 64 e2e-contact
	explained
	gives 64 e2e-contact befriend
}

@test "pin NAME FILE, and the name works wherever a public key file does" {
	gives 0 e2e-contact pin bobby bob.pub
	says bobby
	says "$(fingerprint bob.pub)"
	e2e-contact pin -q al alice.pub
	echo hello | e2e-seal -r bobby -i alice.key | e2e-open -q -i bob.key -s al | grep -qx hello
}

@test "pin without a name takes the card's own; -n gives one" {
	gives 0 e2e-contact pin bob.pub
	gives 0 e2e-contact pin -n friend bob.pub
	[ "$(e2e-contact list | cut -d' ' -f1 | xargs)" = "bob friend" ]
}

@test "pin takes a line, and standard input" {
	gives 0 e2e-contact pin one "$(cat bob.pub)"
	gives 0 e2e-contact pin two - <alice.pub
	[ "$(e2e-contact list | wc -l)" = 2 ]
}

@test "pinning the same again is fine and says so" {
	e2e-contact pin -q bob.pub
	gives 0 e2e-contact pin bob.pub
	says already
}

@test "names that are no contact names are wrong usage" {
	local name
	for name in ../bob Bob .bob -- 'b b' 'b/b' bob.pub "$(printf '%065d' 0)" '' $'b\eb'; do
		gives 64 e2e-contact pin -n "$name" bob.pub
		explained
		harmless err e2e-contact
	done
	[ -z "$(e2e-contact list)" ]
	gives 0 e2e-contact pin "$(printf '%064d' 0)" bob.pub
	gives 0 e2e-contact pin 0.a_b@c-d bob.pub
}

@test "a card whose own name cannot be one asks for a name" {
	local name
	for name in 'Bob Example' ../../bob $'b\eb' bob.pub; do
		card_of bob.key 1 "$name" | cut -d' ' -f1,2 | head -1 >odd.pub
		gives 64 e2e-contact pin odd.pub
		explained
		harmless err e2e-contact
	done
	absent home/config/e2e/bob
}

@test "another key under a pinned name is refused loudly: 3" {
	e2e-contact pin -q bob bob.pub
	cp -r home/config/e2e/contacts before
	gives 3 e2e-contact pin bob mallory.pub
	says "$(fingerprint bob.pub)"
	says "$(fingerprint mallory.pub)"
	diff -r before home/config/e2e/contacts
	[ "$(fingerprint bob)" = "$(fingerprint bob.pub)" ]
}

@test "a newer card of the same identity replaces the older" {
	e2e-contact pin -q bob bob.pub
	card_of bob.key 2 bob >new.pub
	gives 0 e2e-contact pin bob new.pub
	e2e-contact show bob | grep -qx 'serial: 2'
}

@test "an older card is refused: 3" {
	e2e-contact pin -q bob bob.pub
	card_of bob.key 0 bob >old.pub
	gives 3 e2e-contact pin bob old.pub
	explained
	gives 3 e2e-contact pin other old.pub
	e2e-contact show bob | grep -qx 'serial: 1'
	[ "$(e2e-contact list | wc -l)" = 1 ]
}

@test "an older card is refused as a recipient, too: 3" {
	card_of bob.key 5 bob >new.pub
	e2e-contact pin -q bob new.pub
	gives 3 e2e-seal -r bob.pub <<<hello
	explained
	empty out
}

@test "two cards with the same serial are reported loudly: 3" {
	e2e-contact pin -q bob bob.pub
	card_of bob.key 1 bob >twin.pub
	gives 3 e2e-contact pin bob twin.pub
	says 'different cards'
	gives 3 e2e-seal -r twin.pub <<<hello
	says 'different cards'
	empty out
}

@test "list is sorted, and says pinned, verified, revoked or expired" {
	e2e-contact pin -q zoe bob.pub
	e2e-contact pin -q ann alice.pub
	gives 0 e2e-contact list
	[ "$(cut -d' ' -f1 out | xargs)" = "ann zoe" ]
	grep -q "^ann  $(fingerprint alice.pub)  pinned$" out
	e2e-contact verify ann "$(fingerprint alice.pub)"
	e2e-contact pin -q alice.revocation -q
	e2e-contact list | grep -q '^ann .* revoked$'
	peer keygen --name old --exp 1000 --key old.key --pub old.pub
	e2e-contact pin -q old old.pub
	e2e-contact list | grep -q '^old .* expired$'
	gives 64 e2e-contact list ann
}

@test "list of nobody is empty and fine" {
	gives 0 e2e-contact list
	empty out
	empty err
}

@test "verify compares the fingerprint, with or without hyphens and in any case" {
	local print
	e2e-contact pin -q bob bob.pub
	print=$(fingerprint bob.pub)
	e2e-contact list | grep -q 'pinned$'
	gives 0 e2e-contact verify bob "$print"
	e2e-contact list | grep -q 'verified$'
	gives 0 e2e-contact verify bob "$(tr -d - <<<"$print" | tr a-z A-Z)"
	# shellcheck disable=SC2046 # words on purpose
	gives 0 e2e-contact verify bob $(tr - ' ' <<<"$print")
}

@test "verify refuses another fingerprint: 3, and remembers nothing" {
	e2e-contact pin -q bob bob.pub
	gives 3 e2e-contact verify bob "$(fingerprint mallory.pub)"
	e2e-contact list | grep -q 'pinned$'
	gives 64 e2e-contact verify bob abcd-efgh
	gives 64 e2e-contact verify bob
	gives 66 e2e-contact verify nobody "$(fingerprint bob.pub)"
}

@test "verified is said of the sender when opening" {
	e2e-contact pin -q alice.pub
	e2e-contact verify -q alice "$(fingerprint alice.pub)"
	echo hello | e2e-seal -r bob.pub -i alice.key -o env
	gives 0 e2e-open -i bob.key --status-fd 3 env 3>status
	says 'from alice (pinned, verified)'
	json status 'header["contact"] == "alice" and header["contact_verified"]'
}

@test "a rotated card stays verified: it is the same identity" {
	e2e-contact pin -q bob.pub
	e2e-contact verify -q bob "$(fingerprint bob.pub)"
	e2e-key rotate -q bob.key
	e2e-contact pin -q bob.pub
	e2e-contact list | grep -q 'verified$'
}

@test "show tells of a contact, and of a file that is not pinned" {
	e2e-contact pin -q bob.pub
	gives 0 e2e-contact show bob
	grep -qx 'contact: bob' out
	grep -qx 'state: pinned' out
	gives 0 e2e-contact show alice.pub
	grep -qx 'state: not pinned' out
	grep -qx 'name: alice' out
	gives 66 e2e-contact show nobody
	gives 64 e2e-contact show
	gives 64 e2e-contact show bob alice
}

@test "unpin forgets the card, the verification and the revocation" {
	e2e-contact pin -q bob.pub
	e2e-contact verify -q bob "$(fingerprint bob.pub)"
	e2e-contact pin -q bob.revocation
	gives 0 e2e-contact unpin bob
	says revocation
	[ -z "$(e2e-contact list)" ]
	[ -z "$(ls home/config/e2e/contacts)" ]
	gives 66 e2e-contact unpin bob
	gives 64 e2e-contact unpin
}

@test "after unpin another key may take the name, and is not verified" {
	e2e-contact pin -q bob bob.pub
	e2e-contact verify -q bob "$(fingerprint bob.pub)"
	e2e-contact unpin -q bob
	gives 0 e2e-contact pin bob mallory.pub
	e2e-contact list | grep -q 'pinned$'
}

@test "a revoked contact is no recipient any more: 3" {
	e2e-contact pin -q bob.pub
	gives 0 e2e-contact pin bob.revocation
	says revoked
	gives 3 e2e-seal -r bob <<<hello
	explained
	empty out
	# Nor as a file: the identity is what is revoked.
	gives 3 e2e-seal -r bob.pub <<<hello
	empty out
	gives 3 e2e-seal -R bob.pub <<<hello
	# And it is not pinned anew under another name.
	gives 3 e2e-contact pin second bob.pub
}

@test "a revocation by somebody else does nothing" {
	e2e-contact pin -q bob.pub
	gives 3 e2e-contact pin mallory.revocation
	explained
	# Mallory signs that bob is revoked.
	peer_python <<-'END' >forged
	import sys
	from e2epeer import statements, labels as L, armor
	from e2epeer.identity import read_file
	from e2epeer.card import parse_lines
	mallory = read_file(open("mallory.key", "rb").read())
	bob = parse_lines(open("bob.pub", "rb").read())[0]
	class Posing:
	    id = bob.id
	    signing_key = mallory.signing_key
	    keys = mallory.keys
	    card = bob
	sys.stdout.buffer.write(statements.write_revocation(statements.make_revocation(Posing)))
	END
	local got=0
	e2e-contact pin forged 2>err || got=$?
	[ $got -ne 0 ]
	cat err
	e2e-contact list | grep -q 'pinned$'
	echo hello | e2e-seal -r bob >/dev/null
}

@test "an altered revocation is refused, and changes nothing" {
	e2e-contact pin -q bob.pub
	"$PYTHON" - <<-'END'
	import base64
	head, rest = open("bob.revocation").read().split("-----BEGIN E2E REVOCATION-----\n")
	raw = bytearray(base64.b64decode(rest.split("-----END")[0]))
	raw[-1] ^= 1
	text = base64.b64encode(raw).decode()
	open("bad", "w").write("-----BEGIN E2E REVOCATION-----\n" + "\n".join(
	    text[i:i + 64] for i in range(0, len(text), 64)) + "\n-----END E2E REVOCATION-----\n")
	END
	gives 1 e2e-contact pin bad
	explained
	e2e-contact list | grep -q 'pinned$'
}

@test "what is no card is refused: 5, a secret key with a hint" {
	echo hello >text
	gives 5 e2e-contact pin bob text
	explained
	gives 5 e2e-contact pin bob /dev/null
	gives 5 e2e-contact pin bob alice.key
	explained
	says hint
	silent "$(sed -n '/BEGIN/{n;p}' alice.key)"
	gives 5 e2e-contact pin bob 'e2e-pub1 AAAA'
	gives 66 e2e-contact pin bob missing.pub
	cat alice.pub bob.pub >two.pub
	gives 5 e2e-contact pin bob two.pub
	[ -z "$(e2e-contact list)" ]
}

@test "an altered card is refused: its signature does not verify" {
	"$PYTHON" - <<-'END'
	import base64
	word = open("bob.pub").read().split()[1]
	raw = bytearray(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
	raw[-1] ^= 1
	open("bad.pub", "wb").write(b"e2e-pub1 " + base64.urlsafe_b64encode(raw).rstrip(b"=") + b"\n")
	END
	gives 1 e2e-contact pin bob bad.pub
	explained
	gives 1 e2e-seal -r bad.pub <<<hello
	empty out
}

@test "a damaged file among the contacts is left out with a warning, the others work" {
	e2e-contact pin -q bob.pub
	e2e-contact pin -q alice.pub
	echo garbage >home/config/e2e/contacts/alice.pub
	gives 0 e2e-seal -r bob <<<hello
	gives 66 e2e-seal -r alice <<<hello
	empty out
}

@test "contacts that cannot be read: 78, not simply nobody" {
	e2e-contact pin -q bob.pub
	chmod 000 home/config/e2e/contacts
	gives 78 ordinary e2e-contact list
	explained
	chmod 700 home/config/e2e/contacts
}

@test "contacts that cannot be written: 73, and nothing half done" {
	e2e-contact pin -q bob.pub
	chmod 555 home/config/e2e/contacts
	gives 73 ordinary e2e-contact pin alice.pub
	explained
	gives 73 ordinary e2e-contact pin bob.revocation
	chmod 755 home/config/e2e/contacts
	[ "$(e2e-contact list | wc -l)" = 1 ]
	e2e-contact list | grep -q 'pinned$'
	tidy home/config/e2e/contacts
}

@test "without HOME nothing can be pinned: 78" {
	unset HOME XDG_CONFIG_HOME
	gives 78 e2e-contact pin bob.pub
	explained
}

@test "a relative XDG_CONFIG_HOME is ignored, as its specification says" {
	XDG_CONFIG_HOME=relative e2e-contact pin -q bob.pub
	absent relative
	[ -e home/.config/e2e/contacts/bob.pub ]
}

@test "pinned names with dots, as of mail addresses" {
	e2e-contact pin -q bob@example.org bob.pub
	echo hello | e2e-seal -r bob@example.org | e2e-open -q -i bob.key | grep -qx hello
}

@test "a pinned name means the contact, whatever lies in the working folder; ./ always means a file" {
	e2e-contact pin -q bob bob.pub
	cp alice.pub bob
	echo hello | e2e-seal -r bob -o env
	gives 0 e2e-open -i bob.key env
	gives 2 e2e-open -i alice.key env
	echo hello | e2e-seal -i alice.key -r ./bob -o env
	gives 3 e2e-open -i alice.key -s bob env
	gives 0 e2e-open -i alice.key -s ./bob env
	echo hello | e2e-seal -r ./bob -o env
	gives 2 e2e-open -i bob.key env
	gives 0 e2e-open -i alice.key env
	rm bob
	gives 66 e2e-seal -r ./bob <<<hello
}

@test "the folder of the contacts is private" {
	e2e-contact pin -q bob.pub
	[ "$(mode_of home/config/e2e)" = 700 ]
}

@test "two who pin one name at the same time: one of them is refused" {
	for i in 1 2 3 4 5; do
		e2e-contact pin -q racer alice.pub 2>/dev/null & a=$!
		e2e-contact pin -q racer bob.pub 2>/dev/null & b=$!
		first=0 second=0
		wait $a || first=$?
		wait $b || second=$?
		[ $((first + second)) = 3 ]
		e2e-contact unpin -q racer
	done
}

@test "a fifo or a folder among the contacts is left out, not waited for" {
	e2e-contact pin -q alice alice.pub
	mkfifo home/config/e2e/contacts/odd.pub
	mkdir home/config/e2e/contacts/odder.pub
	echo hello | e2e-seal -q -i alice.key -r ./bob.pub | e2e-open -i bob.key -s alice | grep -qx hello
}
