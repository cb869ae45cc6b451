# fish completion for e2e-relayd.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-relayd -l store -x -a '(__fish_complete_directories)' -d 'folder of the store, made if need be'
complete -c e2e-relayd -s l -l listen -x -d 'ADDR:PORT to listen on (default: *:7733)'
complete -c e2e-relayd -l unix -r -F -d 'Unix socket to listen on'
complete -c e2e-relayd -l unix-mode -x -d 'its permissions (default: 0660)'
complete -c e2e-relayd -s i -l identity -r -F -d 'the relay\'s own key (default: DIR/relay.key)'
complete -c e2e-relayd -l registration -x -a 'open token closed' -d 'who may register (default: open)'
complete -c e2e-relayd -l token-file -r -F -d 'what has to be known to register'
complete -c e2e-relayd -l cards -x -a '(__fish_complete_directories)' -d 'closed: folder of the cards that have a mailbox'
complete -c e2e-relayd -l tls-cert -r -F -d 'certificate chain, PEM'
complete -c e2e-relayd -l tls-key -r -F -d 'its key, PEM'
complete -c e2e-relayd -l log-addresses -d 'log addresses and whole mailbox ids'
complete -c e2e-relayd -l metrics-file -r -F -d 'keep counters for Prometheus in FILE'
complete -c e2e-relayd -l queue -x -d 'jobs that may wait for the store (default: 4096)'
complete -c e2e-relayd -l stop-time -x -d 'to finish after SIGTERM, at most (default: 10s)'
complete -c e2e-relayd -l check -d 'look at everything in the store'
complete -c e2e-relayd -l backup -r -F -d 'copy the store, also of a relay that runs'
complete -c e2e-relayd -l rotate-key -d 'make a new key that the old one names'
complete -c e2e-relayd -l fingerprint -d 'print the key\'s fingerprint'
complete -c e2e-relayd -l envelope-max -x -d 'largest envelope (default: 64M)'
complete -c e2e-relayd -l ttl -x -d 'how long an envelope is kept (default: 30d)'
complete -c e2e-relayd -l box-bytes -x -d 'bytes in a mailbox, 0: no limit (default: 1G)'
complete -c e2e-relayd -l box-items -x -d 'envelopes in a mailbox, 0: no limit (default: 100000)'
complete -c e2e-relayd -l disk-low -x -d 'free space below which nothing is taken (default: 256M)'
complete -c e2e-relayd -l memory -x -d 'memory for envelopes that arrive (default: 64M)'
complete -c e2e-relayd -l connections -x -d 'connections at once (default: 10000)'
complete -c e2e-relayd -l connections-each -x -d 'of them from one address (default: 256)'
complete -c e2e-relayd -l rate-address -x -d 'envelopes a second from an address, 0: no limit (default: 200)'
complete -c e2e-relayd -l burst-address -x -d 'and at once after a pause (default: 2000)'
complete -c e2e-relayd -l rate-mailbox -x -d 'envelopes a second for a mailbox, 0: no limit (default: 100)'
complete -c e2e-relayd -l burst-mailbox -x -d 'and at once after a pause (default: 1000)'
complete -c e2e-relayd -l slow -x -d 'bytes a second that a client has to move (default: 1k)'
complete -c e2e-relayd -l header-time -x -d 'for an envelope\'s header (default: 10s)'
complete -c e2e-relayd -l idle-time -x -d 'without a word (default: 1m)'
complete -c e2e-relayd -l login-time -x -d 'for a session that does not say who it is (default: 15s)'
complete -c e2e-relayd -l linger -x -d 'for another envelope, before the end is sent (default: 2s)'
complete -c e2e-relayd -l drain -x -d 'from there until the connection is closed (default: 2s)'
complete -c e2e-relayd -l attempts -x -d 'to hand out an envelope before the others go first (default: 5)'
complete -c e2e-relayd -s q -l quiet -d 'say nothing but errors'
complete -c e2e-relayd -s v -l verbose -d 'say more'
complete -c e2e-relayd -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-relayd -s h -l help -d 'print this and exit'
complete -c e2e-relayd -s V -l version -d 'print the version and exit'
complete -c e2e-relayd -f
