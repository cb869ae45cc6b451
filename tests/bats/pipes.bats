#!/usr/bin/env bats
# The manners of a filter: pipes that close, disks that are full, files that
# are the same, signals, permissions.
load helpers

setup_file() {
	people alice bob
	cd "$BATS_FILE_TMPDIR/keys"
	bytes 6000000 >big
	"$BIN/e2e-seal" -r bob.pub -i alice.key big >big.env
	echo hello >msg
	"$BIN/e2e-seal" -r bob.pub msg >env
	"$BIN/e2e-wrap-key" --new -i alice.key -r bob.pub >group
	"$BIN/e2e-seal" -r bob.pub -i alice.key --ask-receipt msg >asked
}

setup() {
	stage
}

# Each command with words that make it print something: for every one of them
# must hold what holds for one.
printing() {
	"$@" e2e-keygen -q -t x25519 --no-passphrase
	"$@" e2e-seal -r bob.pub msg
	"$@" e2e-seal -a -r bob.pub msg
	"$@" e2e-open -q -i bob.key env
	"$@" e2e-inspect env
	"$@" e2e-inspect --json env
	"$@" e2e-key pub alice.key
	"$@" e2e-key show alice.key
	"$@" e2e-key revoke -q alice.key
	"$@" e2e-contact list
	"$@" e2e-contact show bob
	"$@" e2e-wrap-key --new -i alice.key -r bob.pub
	"$@" e2e-wrap-key -i alice.key -r bob.pub <(head -c 32 big)
	"$@" e2e-wrap-key -d -i bob.key group
	"$@" e2e-wrap-key --show group
	"$@" e2e-wrap-key --show -i bob.key group
	"$@" e2e-seal -q -k group -i alice.key msg
	"$@" e2e-rewrap -q -i bob.key -r alice.pub env
	"$@" e2e-rewrap -q -a -i bob.key -r alice.pub --sign env
	local command
	for command in "${COMMANDS[@]}" "${SUBCOMMANDS[@]}"; do
		# shellcheck disable=SC2086 # a command and its subcommand
		"$@" $command --help
		# shellcheck disable=SC2086
		"$@" $command --version
	done
}

full() {
	local got=0
	"$@" >/dev/full 2>err || got=$?
	[ $got = 74 ] || { echo "status $got: $*"; cat err; return 1; }
	explained || { echo "of $*"; return 1; }
	says 'No space left'
}

unread() {
	local got=0
	to_nobody "$@" 2>err || got=$?
	[ $got = 141 ] || { echo "status $got: $*"; cat err; return 1; }
	empty err || { echo "of $*"; return 1; }
}

closed() {
	local got=0
	"$@" >&- 2>err || got=$?
	[ $got = 74 ] || { echo "status $got: $*"; cat err; return 1; }
	explained || { echo "of $*"; return 1; }
}

well() {
	local got=0
	"$@" >out 2>err || got=$?
	[ $got = 0 ] || { echo "status $got: $*"; cat err; return 1; }
	[ -s out ] || { echo "no output: $*"; return 1; }
}

@test "every command prints to a file, and --help and --version succeed" {
	e2e-contact pin -q bob.pub
	printing well
}

@test "a full disk: 74 and a line of explanation, for every command" {
	e2e-contact pin -q bob.pub
	printing full
}

@test "a pipe that nobody reads: dead by SIGPIPE, silently, for every command" {
	e2e-contact pin -q bob.pub
	printing unread
}

@test "a closed standard output: 74, for every command" {
	e2e-contact pin -q bob.pub
	printing closed
}

@test "| head: the reader's choice, no message" {
	local status
	e2e-seal -r bob.pub big 2>err | head -c 10 >out
	status=${PIPESTATUS[0]}
	[ "$status" = 141 ]
	empty err
	e2e-open -q -i bob.key big.env 2>err | head -c 10 >out
	status=${PIPESTATUS[0]}
	[ "$status" = 141 ]
	empty err
	cmp -n 10 out big
	cat big.env | e2e-open -q -i bob.key 2>err | head -c 10 >out
	cmp -n 10 out big
	empty err
}

@test "where SIGPIPE is ignored, a closed pipe is a failed write: 74" {
	local got=0
	"$PYTHON" -c '
import os, signal, sys
r, w = os.pipe()
os.close(r)
os.dup2(w, 1)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])' e2e-seal -r bob.pub big 2>err || got=$?
	[ $got = 74 ]
	explained
}

@test "-o /dev/full: 74, and /dev/full is still there" {
	gives 74 e2e-seal -r bob.pub -o /dev/full big
	explained
	gives 74 e2e-open -i bob.key -o /dev/full -q big.env
	gives 74 e2e-key pub -o /dev/full alice.key
	gives 74 e2e-key revoke -o /dev/full alice.key
	gives 74 e2e-rewrap -i bob.key -r alice.pub -o /dev/full -q big.env
	gives 74 e2e-open -i bob.key -q -o plain --receipt /dev/full asked
	[ -c /dev/full ]
}

@test "a full file system: 74, and nothing is left on it" {
	# A small file system of one's own where that is allowed; else the
	# largest size of a file, with the signal that comes with it ignored.
	cat >script <<-'END'
	set -u
	mount -t tmpfs -o size=1m none disk || exit 99
	echo precious >disk/old
	e2e-seal -r bob.pub -o disk/new big 2>err
	echo $? >status
	e2e-seal -r bob.pub -o disk/old big 2>err2
	echo $? >>status
	e2e-open -q -i bob.key -o disk/old big.env 2>err3
	echo $? >>status
	cat big.env | e2e-open -q -i bob.key -o disk/plain 2>>err3
	echo $? >>status
	e2e-open -q -i bob.key -d disk <big.env 2>>err3
	echo $? >>status
	ls -A disk >left
	cat disk/old >>left
	END
	mkdir disk
	if ! unshare -m bash script 2>why; then
		cat why
		for target in new disk/new; do
			got=0
			(ulimit -f 512; trap '' XFSZ; exec e2e-seal -r bob.pub -o $target big) 2>err || got=$?
			[ $got = 74 ]
			explained
			absent $target
		done
		tidy
		tidy disk
		return
	fi
	[ "$(xargs <status)" = "74 74 74 74 74" ]
	explained
	says 'No space left'
	[ "$(cat left)" = "$(printf 'old\nprecious')" ]
}

@test "--status-fd to a full disk makes the command fail: 74" {
	gives 74 e2e-seal -r bob.pub --status-fd 3 -o sealed msg 3>/dev/full
	explained
}

@test "closed standard input is no empty message: 74, and no output" {
	local got=0
	e2e-seal -r bob.pub -o sealed <&- 2>err || got=$?
	[ $got = 74 ]
	explained
	absent sealed
	got=0
	e2e-open -i bob.key <&- >out 2>err || got=$?
	[ $got = 74 ]
	empty out
	got=0
	e2e-inspect <&- >out 2>err || got=$?
	[ $got = 74 ]
	got=0
	e2e-key pub - <&- >out 2>err || got=$?
	[ $got = 74 ]
	got=0
	e2e-wrap-key -i alice.key -r bob.pub -o sealed <&- 2>err || got=$?
	[ $got = 74 ]
	got=0
	e2e-wrap-key --show <&- >out 2>err || got=$?
	[ $got = 74 ]
	got=0
	e2e-rewrap -i bob.key -r alice.pub -o sealed <&- 2>err || got=$?
	[ $got = 74 ]
	absent sealed
}

@test "closed standard error: messages never land in the output" {
	e2e-open -v -i bob.key -o plain env 2>&-
	same plain msg
	e2e-open -v -i bob.key env 2>&- >plain2
	same plain2 msg
	e2e-seal -v -r bob.pub -r bob.pub -o sealed msg 2>&-
	e2e-open -q -i bob.key sealed | cmp - msg
	local got=0
	e2e-open -i alice.key -o plain3 env 2>&- || got=$?
	[ $got = 2 ]
	absent plain3
}

@test "all three closed: files are not taken for standard streams" {
	e2e-open -v -i bob.key -o plain env <&- >&- 2>&-
	same plain msg
	e2e-keygen -t x25519 --no-passphrase -o new.key <&- >&- 2>&-
	e2e-key pub -o new2.pub new.key <&- >&- 2>&-
	same new.pub new2.pub
}

@test "unreadable files: 66, for every kind of input" {
	cp msg secret
	chmod 000 secret
	gives 66 ordinary e2e-seal -r bob.pub secret
	explained
	gives 66 ordinary e2e-seal -r ./secret msg
	gives 66 ordinary e2e-seal -R secret msg
	gives 66 ordinary e2e-seal -r bob.pub -i secret msg
	gives 66 ordinary e2e-seal --recipient-passphrase-file secret msg
	gives 66 ordinary e2e-open -i bob.key secret
	gives 66 ordinary e2e-open -i secret env
	gives 66 ordinary e2e-open -i bob.key -s ./secret env
	gives 66 ordinary e2e-inspect secret
	gives 66 ordinary e2e-key show secret
	gives 66 ordinary e2e-contact pin x secret
	gives 66 ordinary e2e-wrap-key --show secret
	gives 66 ordinary e2e-wrap-key -i alice.key -r bob.pub secret
	gives 66 ordinary e2e-rewrap -i bob.key -r alice.pub secret
	gives 66 ordinary e2e-seal -k secret -i alice.key msg
	gives 66 ordinary e2e-open -k secret -i bob.key env
	gives 66 ordinary e2e-keygen -t x25519 --passphrase-file secret -o x.key
	empty out
	absent x.key x.pub x.revocation
}

@test "folders as input: 66, also as standard input" {
	mkdir folder
	gives 66 e2e-seal -r bob.pub folder
	explained
	gives 66 e2e-seal -r ./folder msg
	gives 66 e2e-seal -R folder msg
	gives 66 e2e-seal -r bob.pub -i folder msg
	gives 66 e2e-open -i bob.key folder
	gives 66 e2e-inspect folder
	gives 66 e2e-key show folder
	gives 66 e2e-contact pin x folder
	gives 66 e2e-wrap-key --show folder
	gives 66 e2e-rewrap -i bob.key -r alice.pub folder
	gives 66 e2e-seal -k folder -i alice.key msg
	empty out
	local command got
	for command in "e2e-seal -r bob.pub -o made" "e2e-open -i bob.key -o made" e2e-inspect \
	    "e2e-wrap-key -i alice.key -r bob.pub -o made" "e2e-rewrap -i bob.key -r alice.pub -o made"; do
		got=0
		$command <folder >out 2>err || got=$?
		[ $got = 66 ] || [ $got = 74 ]
		explained
		empty out
		absent made
	done
}

@test "input and output the same file: 73, and it is not touched" {
	cp msg in
	gives 73 e2e-seal -r bob.pub -o in in
	explained
	same in msg
	gives 73 e2e-seal -r bob.pub -o in <in
	ln -s in link
	ln in hard
	gives 73 e2e-seal -r bob.pub -o link in
	gives 73 e2e-seal -r bob.pub -o in hard
	gives 73 e2e-seal -r bob.pub -o ./in link
	same in msg
	cp env e
	gives 73 e2e-open -i bob.key -o e e
	gives 73 e2e-open -i bob.key -o e <e
	same e env
	tidy
}

@test "< f > f and < f >> f and < f 1<> f are refused, too: 73" {
	cp msg in
	local got=0
	e2e-seal -r bob.pub <in >>in 2>err || got=$?
	[ $got = 73 ]
	explained
	same in msg
	got=0
	e2e-seal -r bob.pub <in 1<>in 2>err || got=$?
	[ $got = 73 ]
	same in msg
	# Here the shell has emptied it already.
	got=0
	e2e-seal -r bob.pub <in >in 2>err || got=$?
	[ $got = 73 ]
	empty in
	cp env e
	got=0
	e2e-open -i bob.key e >>e 2>err || got=$?
	[ $got = 73 ]
	same e env
}

@test "one terminal or device for both is no reason to refuse" {
	e2e-seal -r bob.pub -o /dev/null /dev/null
	[ -c /dev/null ]
}

@test "-o replaces a file as a whole, and keeps its permissions" {
	echo old >plain
	chmod 640 plain
	ln plain other
	gives 0 e2e-open -q -i bob.key -o plain env
	same plain msg
	[ "$(mode_of plain)" = 640 ]
	# Renamed over, not written into: who has it open keeps what he had.
	[ "$(cat other)" = old ]
	tidy
}

@test "-o follows the umask for a new file" {
	(umask 077; e2e-open -q -i bob.key -o a env)
	[ "$(mode_of a)" = 600 ]
	(umask 002; e2e-seal -r bob.pub -o b msg)
	[ "$(mode_of b)" = 664 ]
	(umask 027; e2e-key pub -o c alice.key)
	[ "$(mode_of c)" = 640 ]
	mkdir d
	(umask 077; e2e-open -q -i bob.key -d d env)
	[ "$(mode_of d/*)" = 600 ]
}

@test "-o on a symbolic link replaces its target, and the link stays" {
	mkdir there
	echo old >there/plain
	ln -s there/plain link
	gives 0 e2e-open -q -i bob.key -o link env
	[ -L link ]
	same there/plain msg
	ln -s there/fresh dangling
	gives 0 e2e-open -q -i bob.key -o dangling env
	[ -L dangling ]
	same there/fresh msg
	ln -s loop loop
	gives 73 e2e-open -q -i bob.key -o loop env
	explained
	tidy
	tidy there
}

@test "-o /dev/null, /dev/stdout, /dev/stderr and /dev/fd/N write in place" {
	gives 0 e2e-open -q -i bob.key -o /dev/null env
	[ -c /dev/null ]
	gives 0 e2e-open -q -i bob.key -o /dev/stdout env
	same out msg
	gives 0 e2e-open -q -i bob.key -o /dev/stderr env
	same err msg
	gives 0 e2e-open -q -i bob.key -o /dev/fd/7 env 7>seven
	same seven msg
	echo before >log
	e2e-open -q -i bob.key -o /dev/stdout env >>log
	[ "$(cat log)" = "$(printf 'before\nhello')" ]
	e2e-open -q -i bob.key -o /dev/stdout env | cmp - msg
}

@test "-o on a fifo writes into it" {
	mkfifo fifo
	cat fifo >got &
	gives 0 e2e-open -q -i bob.key -o fifo big.env
	wait $!
	same got big
	[ -p fifo ]
}

@test "a fifo as input" {
	mkfifo fifo
	cat big.env >fifo &
	gives 0 e2e-open -q -i bob.key -o plain fifo
	wait $!
	same plain big
}

@test "-o: no folder, a folder, no permission: 73, told before a long job" {
	gives 73 e2e-seal -r bob.pub -o missing/x msg
	explained
	mkdir folder
	gives 73 e2e-seal -r bob.pub -o folder msg
	explained
	gives 73 e2e-seal -r bob.pub -o folder/ msg
	gives 73 e2e-seal -r bob.pub -o msg/x env
	chmod 555 folder
	gives 73 ordinary e2e-open -i bob.key -o folder/x env
	explained
	echo precious >kept
	chmod 444 kept
	gives 73 ordinary e2e-open -i bob.key -o kept env
	[ "$(cat kept)" = precious ]
	gives 64 e2e-seal -r bob.pub -o
}

# in_the_middle SIGNAL COMMAND...: ends a command that has read part of its
# input, which comes slowly; its status is in $ended. A fifo holds at most
# 1 MiB: when 3 MB have gone in, most of it has been taken out.
in_the_middle() {
	local signal=$1 child
	shift
	mkfifo slow
	"$@" <slow >out 2>err 3>&- &
	child=$!
	exec 8>slow
	head -c 3000000 "$source" >&8
	kill -"$signal" $child
	ended=0
	wait $child || ended=$?
	exec 8>&-
	rm slow
}

@test "killed in the middle: nothing under -o, no temporaries, by any signal" {
	local signal
	for signal in TERM INT HUP KILL; do
		source=big.env in_the_middle $signal env --default-signal=INT e2e-rewrap -q -i bob.key -r alice.pub -o made
		[ "$ended" = $((128 + $(kill -l $signal))) ]
		absent made
		source=big in_the_middle $signal env --default-signal=INT e2e-seal -r bob.pub -o made
		[ "$ended" = $((128 + $(kill -l $signal))) ]
		absent made
		source=big.env in_the_middle $signal env --default-signal=INT e2e-open -q -i bob.key -o made
		[ "$ended" = $((128 + $(kill -l $signal))) ]
		absent made
		empty err
		tidy
	done
}

@test "killed in the middle: what was under -o before is still there" {
	echo precious >made
	source=big.env in_the_middle KILL e2e-open -q -i bob.key -o made
	[ "$ended" = 137 ]
	source=big in_the_middle TERM e2e-seal -r bob.pub -o made
	[ "$ended" = 143 ]
	[ "$(cat made)" = precious ]
	tidy
}

@test "the sender stops in the middle: nothing under -o" {
	head -c 3000000 big.env | gives 1 e2e-open -q -i bob.key -o made
	explained
	absent made
	tidy
}

@test "SIGHUP that nohup ignores stays ignored" {
	mkfifo slow
	env --ignore-signal=HUP e2e-seal -r bob.pub -o made <slow 3>&- &
	local child=$!
	exec 8>slow
	head -c 3000000 big >&8
	kill -HUP $child
	tail -c +3000001 big >&8
	exec 8>&-
	wait $child
	e2e-open -q -i bob.key made | cmp - big
}

@test "small pieces and slow writers make no difference" {
	(for i in 1 2 3 4 5; do head -c 700 /dev/zero; done) | e2e-seal -r bob.pub >sealed
	"$PYTHON" -c '
import sys
for b in open("sealed", "rb").read():
    sys.stdout.buffer.write(bytes([b]))
    sys.stdout.buffer.flush()' | e2e-open -q -i bob.key >plain
	head -c 3500 /dev/zero | cmp - plain
}

@test "a file that begins in its middle is read from there" {
	{ echo skip; cat env; } >joined
	(read -r line; [ "$line" = skip ]; e2e-open -q -i bob.key) <joined | cmp - msg
}

@test "files of /proc, which say they are empty, are read" {
	e2e-seal -r bob.pub /proc/self/status | e2e-open -q -i bob.key | grep -q '^Name:'
}

@test "no file is opened twice: a key and data from process substitution" {
	e2e-seal -r <(cat bob.pub) -i <(cat alice.key) <(cat msg) |
	    e2e-open -q -i <(cat bob.key) -s <(cat alice.pub) | cmp - msg
}

@test "a command in the background of a shell with a closed terminal does not hang" {
	gives 7 without_terminal e2e-keygen -o x.key </dev/null
	absent x.key
}

@test "--help says what it is, and every command has a version" {
	local command
	for command in "${COMMANDS[@]}" "${SUBCOMMANDS[@]}"; do
		# shellcheck disable=SC2086 # a command and its subcommand
		gives 0 $command --help
		grep -q "^usage: $command" out
		empty err
		# shellcheck disable=SC2086
		gives 0 $command -h
		# shellcheck disable=SC2086
		gives 0 $command -V
		grep -qx "${command%% *} [0-9]*\.[0-9]*\.[0-9]*" out
		# shellcheck disable=SC2086
		gives 64 $command --no-such-option
		explained
		says "'$command --help'"
	done
}
