#!/usr/bin/env bats
# e2e-seal: data in, envelope out.
load helpers

setup_file() {
	people alice bob carol rita:rsa2048
}

setup() {
	stage
	echo hello >msg
}

# opens KEY ENVELOPE [OPTION...]: it gives msg.
opens() {
	local key=$1 envelope=$2
	shift 2
	e2e-open -q -i "$key" "$@" "$envelope" | cmp - msg
}

@test "a filter: standard input to standard output, anonymous, silent" {
	gives 0 e2e-seal -r bob.pub <msg
	empty err
	cp out env
	opens bob.key env
	gives 0 e2e-open -i bob.key env
	says anonymous
	gives 2 e2e-open -i alice.key env
}

@test "FILE, - and -o" {
	gives 0 e2e-seal -r bob.pub -o env msg
	empty out
	opens bob.key env
	gives 0 e2e-seal -r bob.pub -o - - <msg
	cp out env
	opens bob.key env
	absent ./-
	gives 0 e2e-seal -r bob.pub -o env2 -- msg
	opens bob.key env2
}

@test "more than one input is wrong usage" {
	gives 64 e2e-seal -r bob.pub msg msg
	explained
	empty out
}

@test "no recipient is wrong usage" {
	gives 64 e2e-seal <msg
	explained
	gives 64 e2e-seal -i alice.key <msg
	empty out
}

@test "-r takes a file, a line and a contact, any number of times" {
	e2e-contact pin -q carol.pub
	gives 0 e2e-seal -r bob.pub -r "$(cat rita.pub)" -r carol -o env msg
	opens bob.key env
	opens rita.key env
	opens carol.key env
	gives 2 e2e-open -i alice.key env
}

@test "a recipient nobody knows: 66; a file that is no card: 5; before any output" {
	gives 66 e2e-seal -r nobody -o env msg
	explained
	gives 66 e2e-seal -r ./missing.pub -o env msg
	gives 5 e2e-seal -r msg -o env msg
	gives 5 e2e-seal -r bob.pub -r 'e2e-pub1 AAAA' -o env msg
	gives 66 e2e-seal -r bob.pub -r nobody -o env msg
	absent env
	tidy
}

@test "a secret key given as recipient is refused with a hint and not shown" {
	gives 5 e2e-seal -r bob.key msg
	says hint
	silent "$(sed -n '/BEGIN/{n;p}' bob.key)"
	empty out
}

@test "a file of two cards is no single recipient, but a list" {
	cat bob.pub carol.pub >two.pub
	gives 5 e2e-seal -r two.pub msg
	gives 0 e2e-seal -R two.pub -o env msg
	opens bob.key env
	opens carol.key env
}

@test "a public key line in an argument is one line, for every command: 5" {
	local two word
	two=$(cat bob.pub carol.pub)
	e2e-seal -r bob.pub -i alice.key -o env msg
	e2e-wrap-key --new -i alice.key -r bob.pub -o group
	for word in "$two" "$(cat bob.pub)"$'\nrubbish' "$(cat bob.pub)"$'\n\n'; do
		gives 5 e2e-seal -r "$word" -o made msg
		explained
		gives 5 e2e-wrap-key --new -i alice.key -r "$word" -o made
		gives 5 e2e-wrap-key --add "$word" -i alice.key -o made group
		gives 5 e2e-wrap-key --remove "$word" -i alice.key -o made group
		gives 5 e2e-wrap-key -d -i bob.key -s "$word" -o made group
		gives 5 e2e-rewrap -i bob.key -r "$word" -o made env
		gives 5 e2e-open -i bob.key -s "$word" -o made env
		explained
		gives 5 e2e-send --to "$word" unix:nowhere env
		absent made
	done
	empty out
	# Its own end is none of a second one.
	gives 0 e2e-seal -r "$(cat bob.pub)"$'\n' -o env msg
	opens bob.key env
}

@test "-R takes comments, blank lines and CRLF, and adds to -r" {
	{ echo '# the team'; echo; cat bob.pub; printf '%s\r\n' "$(cat carol.pub)"; printf %s "$(cat rita.pub)"; } >list
	gives 0 e2e-seal -R list -r alice.pub -o env msg
	for who in alice bob carol rita; do opens $who.key env; done
	gives 0 e2e-seal -R - -o env2 msg <list
	opens rita.key env2
}

@test "-R: a bad line names its number; an empty list is refused: 5" {
	{ cat bob.pub; echo rubbish; } >list
	gives 5 e2e-seal -R list msg
	explained
	says 'line 2'
	echo '# nobody' >list
	gives 5 e2e-seal -R list msg
	gives 66 e2e-seal -R missing msg
	empty out
}

@test "standard input has one purpose" {
	gives 64 e2e-seal -R - <bob.pub
	explained
	gives 64 e2e-seal -r bob.pub -i - <alice.key
	gives 64 e2e-seal -p --recipient-passphrase-fd 0 <msg
	empty out
}

@test "the same recipient twice is one, with a warning" {
	gives 0 e2e-seal -r bob.pub -r bob.pub -o env --status-fd 3 msg 3>status
	says warning
	json status 'sealed["recipients"] == 1'
	opens bob.key env
}

@test "-i signs, and the sender's card travels inside" {
	gives 0 e2e-seal -r bob.pub -i alice.key -o env --status-fd 3 msg 3>status
	json status 'sealed["mode"] == 1'
	opens bob.key env -s alice.pub
	gives 0 e2e-open -i bob.key env
	says 'calls itself "alice"'
	no grep -q alice env
}

@test "-i with an RSA key" {
	gives 0 e2e-seal -r bob.pub -i rita.key -o env msg
	opens bob.key env -s rita.pub
}

@test "nothing signs unless asked, also with a default identity" {
	mkdir -p home/config/e2e
	cp -p alice.key home/config/e2e/identity.key
	gives 0 e2e-seal -r bob.pub -o env msg
	gives 3 e2e-open -i bob.key -s alice.pub env
}

@test "two recipients or --sign-segments make segments that are signed" {
	gives 0 e2e-seal -r bob.pub -r carol.pub -i alice.key -o env --status-fd 3 msg 3>status
	json status 'sealed["mode"] == 2 and sealed["recipients"] == 2'
	opens carol.key env -s alice.pub
	gives 0 e2e-seal -r bob.pub --sign-segments -i alice.key -o env --status-fd 3 msg 3>status
	json status 'sealed["mode"] == 2'
	opens bob.key env -s alice.pub
}

@test "--self: the sender can read it, too" {
	gives 0 e2e-seal -r bob.pub -i alice.key --self -o env msg
	opens bob.key env -s alice.pub
	opens alice.key env -s alice.pub
	gives 0 e2e-seal -i alice.key --self -o env msg
	opens alice.key env -s alice.pub
	gives 2 e2e-open -i bob.key env
}

@test "--self, --no-card and --sign-segments need a sender" {
	gives 64 e2e-seal -r bob.pub --self msg
	gives 64 e2e-seal -r bob.pub --no-card msg
	gives 64 e2e-seal -r bob.pub --sign-segments msg
	empty out
}

@test "--no-card: verified by those who have the card, by nobody else" {
	gives 0 e2e-seal -r bob.pub -i alice.key --no-card -o env msg
	opens bob.key env -s alice.pub
	gives 3 e2e-open -i bob.key env
	empty out
	e2e-contact pin -q alice.pub
	opens bob.key env --known
}

@test "--hide-recipients: no recipient is named, all can open" {
	gives 0 e2e-seal -r bob.pub -r rita.pub --hide-recipients -i alice.key -o env msg
	opens bob.key env -s alice.pub
	opens rita.key env -s alice.pub
	gives 2 e2e-open -i carol.key env
	gives 0 e2e-inspect env
	[ "$(grep -c hidden out)" = 2 ]
	silent "$(e2e-contact show bob.pub | sed -n 's/^fingerprint: //p')" out
}

@test "--pad hides the length: messages of similar size look the same" {
	bytes 100000 >a
	bytes 100300 >b
	e2e-seal -r bob.pub --pad a >a.env
	e2e-seal -r bob.pub --pad b >b.env
	[ "$(stat -c %s a.env)" = "$(stat -c %s b.env)" ]
	e2e-open -q -i bob.key b.env | cmp - b
	e2e-seal -r bob.pub -i alice.key --pad </dev/null >c.env
	e2e-open -q -i bob.key -s alice.pub c.env >c
	empty c
}

@test "--expire: until then it opens" {
	gives 0 e2e-seal -r bob.pub --expire 30d -o env msg
	gives 0 e2e-open -i bob.key --status-fd 3 env 3>status
	json status 'abs(header["expires"] - header["created"] - 30 * 86400) <= 1'
	gives 64 e2e-seal -r bob.pub --expire 2001-01-01 msg
	gives 64 e2e-seal -r bob.pub --expire soon msg
	empty out
}

@test "--file-name, --type and --reply-to are told to the recipient only" {
	gives 0 e2e-seal -r bob.pub --file-name 'Bericht März.pdf' --type text/plain \
	    --reply-to 00112233445566778899aabbccddeeff -o env msg
	no grep -qa 'rz.pdf' env
	gives 0 e2e-open -i bob.key -v --status-fd 3 env 3>status
	says 'file name "Bericht März.pdf"'
	says 'media type "text/plain"'
	json status 'header["file_name"] == "Bericht März.pdf" and header["media_type"] == "text/plain"'
	json status 'header["reply_to"] == "00112233445566778899aabbccddeeff"'
}

@test "--type of a receipt: 64, which only e2e-open makes" {
	gives 64 e2e-seal -r bob.pub -i alice.key --type application/e2e-delivery+cwt -o env msg
	explained
	says 'e2e-open --receipt'
	absent env
	gives 0 e2e-seal -r bob.pub -i alice.key --type application/e2e-delivery -o env msg
}

@test "texts of 255 bytes fit; of 256 or with control characters are wrong usage" {
	local option
	for option in --file-name --type; do
		gives 0 e2e-seal -r bob.pub $option "$(printf '%0255d' 0)" msg
		gives 64 e2e-seal -r bob.pub $option "$(printf '%0256d' 0)" msg
		gives 64 e2e-seal -r bob.pub $option $'a\eb' msg
		gives 64 e2e-seal -r bob.pub $option $'a\nb' msg
		gives 64 e2e-seal -r bob.pub $option $'\xff' msg
		explained
		empty out
	done
	gives 64 e2e-seal -r bob.pub --reply-to 0011 msg
	gives 64 e2e-seal -r bob.pub --reply-to zz112233445566778899aabbccddeeff msg
}

@test "--recipient-passphrase-file: whoever knows it can open" {
	(umask 077; echo 'open sesame' >pass)
	gives 0 e2e-seal --recipient-passphrase-file pass $CHEAP -o env msg
	e2e-open -q --recipient-passphrase-file pass env | cmp - msg
	gives 7 e2e-open --recipient-passphrase-fd 5 env 5<<<'open barley'
	explained
	empty out
	peer open --passphrase 'open sesame' <env | cmp - msg
}

@test "-p with --passphrase-fd, and with other recipients and a sender" {
	gives 0 e2e-seal -p --passphrase-fd 5 $CHEAP -o env msg 5<<<sesame
	e2e-open -q -p --passphrase-fd 5 env 5<<<sesame | cmp - msg
	gives 0 e2e-seal -r bob.pub -p --recipient-passphrase-fd 5 $CHEAP -i alice.key -o env msg 5<<<sesame
	opens bob.key env -s alice.pub
	e2e-open -q --recipient-passphrase-fd 5 -s alice.pub env 5<<<sesame | cmp - msg
}

@test "a passphrase for the message and one for the key are two" {
	e2e-key passwd -q --new-passphrase-fd 5 $CHEAP alice.key 5<<<mine
	gives 0 e2e-seal -i alice.key --passphrase-fd 5 --recipient-passphrase-fd 6 $CHEAP \
	    -o env msg 5<<<mine 6<<<ours
	e2e-open -q --recipient-passphrase-fd 6 -s alice.pub env 6<<<ours | cmp - msg
	gives 7 e2e-open --recipient-passphrase-fd 6 env 6<<<mine
}

@test "-p without a terminal and without an option: 7, naming the options" {
	gives 7 without_terminal e2e-seal -p msg
	explained
	says passphrase-fd
	empty out
	gives 7 e2e-seal -p --recipient-passphrase-fd 5 $CHEAP msg 5</dev/null
	empty out
}

@test "a key under a passphrase needs it: 7 when missing or wrong, before reading" {
	e2e-key passwd -q --new-passphrase-fd 5 $CHEAP alice.key 5<<<mine
	gives 7 without_terminal e2e-seal -r bob.pub -i alice.key -o env <msg
	explained
	gives 7 e2e-seal -r bob.pub -i alice.key --passphrase-fd 5 -o env msg 5<<<yours
	absent env
	gives 0 e2e-seal -r bob.pub -i alice.key --passphrase-fd 5 -o env msg 5<<<mine
	opens bob.key env -s alice.pub
}

@test "--kdf-memory-max refuses a key that costs more: 6" {
	e2e-key passwd -q --new-passphrase-fd 5 --kdf-memory 16384 --kdf-passes 1 alice.key 5<<<mine
	gives 6 e2e-seal -r bob.pub -i alice.key --passphrase-fd 5 --kdf-memory-max 8192 msg 5<<<mine
	explained
	gives 0 e2e-seal -r bob.pub -i alice.key --passphrase-fd 5 --kdf-memory-max 16384 msg 5<<<mine
}

@test "-i: missing 66, no key 5, open to others 78; nothing is sealed unsigned instead" {
	gives 66 e2e-seal -r bob.pub -i missing.key -o env msg
	gives 5 e2e-seal -r bob.pub -i alice.pub -o env msg
	chmod 644 alice.key
	gives 78 e2e-seal -r bob.pub -i alice.key -o env msg
	absent env
	tidy
}

@test "an expired recipient is refused: 3, naming him" {
	peer keygen --name old --exp 1000 --key old.key --pub old.pub
	gives 3 e2e-seal -r bob.pub -r old.pub -o env msg
	explained
	says old.pub
	absent env
}

@test "--kdf-*: the cost goes into the envelope" {
	gives 0 e2e-seal --recipient-passphrase-fd 5 --kdf-memory 16384 --kdf-passes 2 --kdf-lanes 3 -o env msg 5<<<x
	e2e-inspect env | grep -q 'argon2id 16384 KiB, 2 passes, 3 lanes'
}

@test "1024 recipients are the most: 1025 are refused with 6" {
	peer_python <<-'END'
	from e2epeer.identity import new_identity, write_file
	with open("list", "wb") as f:
	    for i in range(1025):
	        if i == 1024:
	            open("all", "wb").write(open("list", "rb").read())
	        me = new_identity("x25519")
	        if i == 1023:
	            open("last.key", "wb").write(write_file(me))
	        f.write(me.card.line + b"\n")
	        f.flush()
	END
	chmod 600 last.key
	gives 0 e2e-seal -R all -i alice.key -o env msg
	opens last.key env -s alice.pub
	gives 6 e2e-seal -R list -o env2 msg
	explained
	absent env2
	gives 6 e2e-seal -R all -r bob.pub msg
	gives 6 e2e-seal -R all --recipient-passphrase-fd 5 $CHEAP msg 5<<<x
	empty out
}

@test "sizes around every boundary come back" {
	local n
	bytes 1100000 >big
	for n in 0 1 16383 16384 16385 32768 1048512 1048575 1048576 1048577; do
		head -c $n big >data
		e2e-seal -r bob.pub data >anonymous
		e2e-seal -r bob.pub -r carol.pub -i alice.key <data >signed
		e2e-open -q -i bob.key anonymous | cmp - data
		e2e-open -q -i bob.key -s alice.pub <signed | cmp - data
		cat signed | e2e-open -q -i carol.key -s alice.pub | cmp - data
	done
}

@test "-j N does not matter to what is opened, and has bounds" {
	bytes 3000000 >data
	for j in 1 2 8; do
		e2e-seal -j $j -r bob.pub -r carol.pub -i alice.key data |
		    e2e-open -q -j $((9 - j)) -i bob.key -s alice.pub | cmp - data
	done
	gives 64 e2e-seal -j 0 -r bob.pub msg
	gives 64 e2e-seal -j 65 -r bob.pub msg
	gives 64 e2e-seal -j x -r bob.pub msg
}

@test "two envelopes of the same message are different" {
	e2e-seal -r bob.pub msg >a
	e2e-seal -r bob.pub msg >b
	no cmp -s a b
}

@test "--status-fd tells the message id and sizes" {
	gives 0 e2e-seal -q -r bob.pub -o env --status-fd 3 msg 3>status
	empty err
	json status 'len(sealed["message_id"]) == 32 and sealed["data_bytes"] == 6'
	json status "sealed['envelope_bytes'] == $(stat -c %s env)"
	gives 64 e2e-seal -r bob.pub --status-fd 1 msg
	gives 64 e2e-seal -r bob.pub --status-fd 9 msg 9>&-
	gives 64 e2e-seal -r bob.pub --status-fd 5 msg 5<msg
}

@test "-v says what was done, -q nothing" {
	gives 0 e2e-seal -v -r bob.pub -i alice.key msg
	says 'for 1 recipient'
	gives 0 e2e-seal -q -r bob.pub -r bob.pub msg
	empty err
}

@test "long options may be cut short, and joined with =" {
	gives 0 e2e-seal --recipient=bob.pub --ident alice.key --out=env msg
	gives 0 e2e-seal -rbob.pub -ialice.key -aqo env msg
	opens bob.key env -s alice.pub
	opens bob.key env -s alice.pub
	gives 64 e2e-seal --re=bob.pub msg
	says ambiguous
	gives 64 e2e-seal --armor=yes -r bob.pub msg
	gives 64 e2e-seal -r bob.pub msg -o
	gives 64 e2e-seal -r bob.pub -Z msg
	gives 64 e2e-seal -r bob.pub --zip msg
	empty out
}

@test "the second implementation opens what is sealed" {
	e2e-seal -r bob.pub -i alice.key --pad msg >a
	peer open --key bob.key --from alice.pub <a | cmp - msg
	e2e-seal -r rita.pub -r bob.pub -i rita.key --hide-recipients -a msg >b
	peer open --key rita.key --from rita.pub <b | cmp - msg
}
