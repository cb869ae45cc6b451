#!/usr/bin/env bats
# What is asked and shown on a terminal. expect waits for what is printed, so
# nothing here depends on time; the time limit is for failures only.
load helpers

setup_file() {
	people alice bob
	cd "$BATS_FILE_TMPDIR/keys"
	e2e-keygen -q -t x25519 -n carol --passphrase-fd 5 $CHEAP -o carol.key 5<<<'correct horse'
	echo hello >msg
	"$BIN/e2e-seal" -r bob.pub msg >env
	"$BIN/e2e-seal" -r carol.pub msg >carols
}

setup() {
	stage
}

# on_terminal: an expect script from standard input. What it has:
#	see TEXT	waits until the text is printed, or fails
#	type TEXT	types it, with the Return key
#	echo_is on|off	the state of the terminal
#	asleep		waits until the command waits for keys
#	ends STATUS	waits for the end; STATUS may be the name of a signal
# All that the terminal showed is kept in the file `shown`.
on_terminal() {
	cat >script.exp <<-'END'
	set timeout 60
	log_user 0
	log_file -a -noappend shown
	proc fails {why} {
		puts stderr $why
		exit 99
	}
	proc begin {args} {
		global spawn_id tty keep
		# In the background of a script these are ignored.
		eval spawn -noecho env --default-signal=INT,QUIT $args
		set tty $spawn_out(slave,name)
		# Keeps the terminal's state when the command is gone; Tcl
		# itself would change it on opening.
		set keep [open "|sh -c {exec 3<$tty; echo held; exec cat}" r+]
		gets $keep
	}
	proc see {text} {
		expect {
			-ex $text {}
			timeout { fails "not seen: $text" }
			eof { fails "ended before: $text" }
		}
	}
	# Waits until the command sleeps, which after a question means that it
	# reads: keys that are signals are meant for that.
	proc asleep {} {
		set state ""
		while {$state ne "S"} {
			set f [open /proc/[exp_pid]/stat]
			regexp {\) (\S)} [gets $f] all state
			close $f
		}
	}
	proc type {text} { send -- "$text\r" }
	proc state {} {
		global tty
		return [exec stty -a <$tty]
	}
	proc echo_is {state} {
		set now [expr {[regexp {(^|\s)-echo(\s|;|$)} [state]] ? "off" : "on"}]
		if {$now ne $state} { fails "echo is $now" }
	}
	proc ends {status} {
		# The end of the command, not of the terminal, which is kept open.
		set result [wait]
		set got [lindex $result 3]
		if {[lindex $result 4] eq "CHILDKILLED"} { set got [lindex $result 5] }
		if {$got ne $status} { fails "ended with $got, not $status" }
	}
	END
	cat >>script.exp
	rm -f shown
	timeout -k 5 120 expect -f script.exp 3>&-
}

# What a person would see, without the terminal's carriage returns.
shown() {
	tr -d '\r' <shown
}

@test "a new passphrase is asked for twice, without echo" {
	on_terminal <<-'END'
	begin e2e-keygen -t x25519 --kdf-memory 8192 --kdf-passes 1 --kdf-lanes 1 -o new.key
	see "new passphrase for new.key: "
	echo_is off
	type "battery staple"
	see "the same again"
	see ": "
	echo_is off
	type "battery staple"
	see "fingerprint"
	ends 0
	END
	no grep -q battery shown
	echo hello | e2e-seal -r new.pub | e2e-open -q -i new.key --passphrase-fd 5 5<<<'battery staple' | grep -qx hello
}

@test "the terminal is as it was after the question" {
	on_terminal <<-'END'
	begin sh -c "stty -a >before; exec e2e-key revoke -o rev carol.key"
	see "passphrase for carol.key: "
	echo_is off
	type "correct horse"
	ends 0
	echo_is on
	exec stty -a <$tty >after
	END
	same before after
}

@test "two different answers are asked for again, three times, then 7 and no key" {
	on_terminal <<-'END'
	begin e2e-keygen -t x25519 -o new.key
	foreach try {1 2 3} {
		see "new passphrase"
		type "one"
		see "the same again"
		type "two"
		see "not the same"
	}
	ends 7
	END
	absent new.key new.pub new.revocation
	tidy
}

@test "after a slip the right answer is still taken" {
	on_terminal <<-'END'
	begin e2e-keygen -t x25519 --kdf-memory 8192 --kdf-passes 1 --kdf-lanes 1 -o new.key
	see "new passphrase"
	type "one"
	see "the same again"
	type "two"
	see "not the same"
	see "new passphrase"
	type "three"
	see "the same again"
	type "three"
	see "fingerprint"
	ends 0
	END
	[ -e new.key ]
}

@test "an empty new passphrase is refused" {
	on_terminal <<-'END'
	begin e2e-keygen -t x25519 -o new.key
	foreach try {1 2 3} {
		see "new passphrase"
		type ""
		see "protects nothing"
	}
	ends 7
	END
	absent new.key
}

@test "a wrong passphrase may be corrected; three wrong ones are 7" {
	on_terminal <<-'END'
	begin e2e-open -i carol.key -o plain carols
	see "passphrase for carol.key: "
	type "wrong"
	see "not the passphrase"
	see "passphrase for carol.key: "
	type "correct horse"
	ends 0
	END
	same plain msg
	rm plain
	on_terminal <<-'END'
	begin e2e-open -i carol.key -o plain carols
	foreach try {1 2 3} {
		see "passphrase for carol.key: "
		type "wrong"
	}
	see "wrong passphrase"
	ends 7
	END
	absent plain
}

@test "the question goes to the terminal even when data come and go by pipes" {
	on_terminal <<-'END'
	begin sh -c "cat carols | e2e-open -i carol.key 2>err | cat >plain"
	see "passphrase for carol.key: "
	echo_is off
	type "correct horse"
	ends 0
	END
	same plain msg
	silent 'passphrase for'
}

@test "-p asks for a message's passphrase, when sealing twice" {
	on_terminal <<-'END'
	begin e2e-seal -p --kdf-memory 8192 --kdf-passes 1 --kdf-lanes 1 -o sealed msg
	see "new passphrase for this message: "
	type "sesame"
	see "the same again"
	type "sesame"
	ends 0
	begin e2e-open -p -o plain sealed
	see "passphrase for this message: "
	echo_is off
	type "sesame"
	ends 0
	END
	same plain msg
	no grep -q sesame shown
}

@test "e2e-key passwd asks for the old one, then for the new one twice" {
	on_terminal <<-'END'
	begin e2e-key passwd --kdf-memory 8192 --kdf-passes 1 --kdf-lanes 1 carol.key
	see "passphrase for carol.key: "
	type "correct horse"
	see "new passphrase for carol.key: "
	type "battery"
	see "the same again"
	type "battery"
	ends 0
	END
	e2e-open -q -i carol.key --passphrase-fd 5 carols 5<<<battery | cmp - msg
}

@test "Ctrl-C at the question: dead by SIGINT, echo is on again, no key" {
	on_terminal <<-'END'
	begin e2e-keygen -t x25519 -o new.key
	see "new passphrase"
	echo_is off
	asleep
	send "half\003"
	ends SIGINT
	echo_is on
	END
	absent new.key new.pub new.revocation
	tidy
	no grep -q half shown
}

@test "Ctrl-\\ and SIGTERM at the question: echo is on again" {
	on_terminal <<-'END'
	begin e2e-open -i carol.key -o plain carols
	see "passphrase for carol.key: "
	echo_is off
	asleep
	send "\034"
	ends SIGQUIT
	echo_is on
	begin e2e-open -i carol.key -o plain carols
	see "passphrase for carol.key: "
	asleep
	exec kill -TERM [exp_pid]
	ends SIGTERM
	echo_is on
	END
	absent plain
}

@test "Ctrl-D is no passphrase: 7" {
	on_terminal <<-'END'
	begin e2e-open -i carol.key -o plain carols
	see "passphrase for carol.key: "
	send "\004"
	ends 7
	echo_is on
	END
	absent plain
}

@test "Ctrl-Z stops with echo on; back again, the question is repeated with echo off" {
	# Stopping needs a shell that looks after jobs, and only that.
	cat >jobs.py <<-'END'
	import fcntl, os, pty, signal, sys, termios

	def echo(fd):
	    return bool(termios.tcgetattr(fd)[3] & termios.ECHO)

	def until(fd, text):
	    seen = b""
	    while text not in seen:
	        seen += os.read(fd, 1000)

	def asleep(pid):
	    while open("/proc/%d/stat" % pid).read().split(") ")[1][0] != "S":
	        pass

	def late(number, frame):
	    raise SystemExit("too late")

	def control(slave, report):
	    os.setsid()
	    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
	    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
	    job = os.fork()
	    if job == 0:
	        os.setpgid(0, 0)
	        os.tcsetpgrp(slave, os.getpid())
	        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
	        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
	        for fd in 0, 1, 2:
	            os.dup2(slave, fd)
	        os.execvp("e2e-open", ["e2e-open", "-i", "carol.key", "-o", "plain", "carols"])
	    os.write(report, b"%d" % job)
	    status = os.waitpid(job, os.WUNTRACED)[1]
	    if not os.WIFSTOPPED(status):
	        os.write(report, b"status %d" % status)
	        return
	    os.write(report, b"stopped" if echo(slave) else b"stopped without echo")
	    os.tcsetpgrp(slave, job)
	    os.kill(-job, signal.SIGCONT)
	    status = os.waitpid(job, 0)[1]
	    os.write(report, b"done" if status == 0 else b"status %d" % status)

	signal.signal(signal.SIGALRM, late)
	signal.alarm(60)
	master, slave = pty.openpty()
	reports, report = os.pipe()
	shell = os.fork()
	if shell == 0:
	    signal.alarm(60)
	    try:
	        control(slave, report)
	    finally:
	        os._exit(0)
	os.close(report)
	job = int(os.read(reports, 100))
	until(master, b"passphrase for carol.key: ")
	assert not echo(slave)
	asleep(job)
	os.write(master, b"half\x1a")
	told = os.read(reports, 100)
	assert told == b"stopped", told
	until(master, b"passphrase for carol.key: ")
	assert not echo(slave)
	os.write(master, b"correct horse\n")
	told = os.read(reports, 100)
	assert told == b"done", told
	assert echo(slave)
	os.waitpid(shell, 0)
	END
	"$PYTHON" jobs.py 3>&-
	same plain msg
}

@test "an envelope is not written to a terminal: 73, naming -a and -o" {
	prints 73 'e2e-seal -r bob.pub msg'
	shown | grep -q '^e2e-seal: error: '
	shown | grep -q -- '-a '
	harmless <(shown)
	prints 73 'e2e-seal -r bob.pub -o /dev/tty msg'
	harmless <(shown)
}

@test "nor a secret key: 73, naming -o" {
	prints 73 'e2e-keygen -t x25519 --no-passphrase'
	shown | grep -q -- '-o '
	no grep -q SECRET shown
}

@test "armor is written to a terminal" {
	prints 0 'e2e-seal -a -r bob.pub msg'
	shown >sealed
	e2e-open -q -i bob.key sealed | cmp - msg
}

@test "plain text is written to a terminal, with newlines, tabs and any script" {
	printf 'Grüße,\n\t三 and 🙂\n' >text
	e2e-seal -r bob.pub text >sealed
	prints 0 'e2e-open -q -i bob.key sealed'
	shown | cmp - text
}

# refused DATA: is not shown on a terminal, not even the beginning.
refused() {
	printf "$1" | e2e-seal -r bob.pub -o sealed
	prints 73 'e2e-open -q -i bob.key sealed'
	shown | grep -q -- '-o '
	no grep -q visible shown
	harmless <(shown)
}

@test "escape sequences, C1 and other controls are refused on a terminal, naming -o" {
	refused 'visible \033[31mred\n'
	refused 'visible \033]0;title\007\n'
	refused 'visible\rover\n'
	refused 'visible\b\b\n'
	refused 'visible \302\23331m\n'
	refused 'visible \233\n'
	refused 'visible \0 nul\n'
	refused 'visible \177\n'
}

@test "data that are no UTF-8 are refused on a terminal, whatever is wrong with it" {
	refused 'visible \377\376\n'
	refused 'visible \300\233\n'
	refused 'visible \355\240\200\n'
}

@test "a character that the end cuts off is refused, naming -o" {
	printf 'the beginning \303' | e2e-seal -r bob.pub -o sealed
	prints 73 'e2e-open -q -i bob.key sealed'
	shown | grep -q -- '-o '
	harmless <(shown)
}

@test "what is refused on a terminal goes to a file all the same" {
	printf 'a\033[31mred\n' >odd
	e2e-seal -r bob.pub odd >sealed
	prints 0 'e2e-open -q -i bob.key -o plain sealed'
	same plain odd
	gives 0 e2e-open -q -i bob.key sealed
	same out odd
}

@test "a long text with an escape at its end: none of the escape is shown" {
	{ "$PYTHON" -c 'print("line\n" * 20000, end="")'; printf '\033[31m'; } | e2e-seal -r bob.pub -o sealed
	prints 73 'e2e-open -q -i bob.key sealed'
	no grep -q $'\033' shown
}

@test "names in a card or an envelope are shown without their escapes" {
	peer keygen --name $'eve\e]0;owned\a\u202e' --key eve.key --pub eve.pub
	peer seal --recipient bob.pub --sender eve.key --file-name $'a\e[2Jb' <msg >sealed
	prints 0 'e2e-open -v -i bob.key sealed'
	harmless <(shown)
}

@test "commands that write text do so on a terminal" {
	prints 0 'e2e-key pub alice.key'
	prints 0 'e2e-key show alice.key'
	prints 0 'e2e-inspect env'
	prints 0 'e2e-open --help'
	prints 0 'e2e-key revoke alice.key'
	shown | grep -q 'BEGIN E2E REVOCATION'
}

@test "no colors, no progress for what is done at once" {
	prints 0 'e2e-open -v -i bob.key -o plain env'
	harmless <(shown)
	prints 66 'e2e-open -i bob.key missing'
	harmless <(shown)
}

@test "a key in the kernel's keyring that does not fit: the passphrase is asked for" {
	local keyring=${BUILD:-$ROOT/build}/tests/fault/keyring name
	"$keyring" available || skip "no keyring of the kernel here"
	name=$(e2e-key show carol.key | sed -n 's/^fingerprint: /e2e:/p')
	bytes 32 | "$keyring" plant "$name"
	on_terminal <<-'END'
	begin e2e-open -q -i carol.key -o plain carols
	see "passphrase for carol.key: "
	type "correct horse"
	ends 0
	END
	same plain msg
	# One that fits, and nothing is asked.
	on_terminal <<-'END'
	begin e2e-key unlock carol.key
	see "passphrase for carol.key: "
	echo_is off
	type "correct horse"
	see "unlocked until"
	ends 0
	begin e2e-open -q -i carol.key -o again carols
	ends 0
	END
	e2e-key lock carol.key
	same again msg
	no grep -q horse shown
}
