# fish completion for e2e-fetch.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-fetch -s i -l identity -r -F -d 'the mailbox of this secret key (the default identity)'
complete -c e2e-fetch -l passphrase-file -r -F -d 'read the passphrase from FILE (private mode)'
complete -c e2e-fetch -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c e2e-fetch -l kdf-memory-max -x -d 'largest memory a key derivation may ask for'
complete -c e2e-fetch -s d -l directory -x -a '(__fish_complete_directories)' -d 'a file for each, in the Maildir manner'
complete -c e2e-fetch -l exec -x -d 'run COMMAND by the shell for each, on its standard input'
complete -c e2e-fetch -l batch -d 'run COMMAND for many at once, back to back'
complete -c e2e-fetch -l refused -d 'run COMMAND again over those it has refused'
complete -c e2e-fetch -l refused-max -x -d 'keep at most so many refused ones (1000)'
complete -c e2e-fetch -l refused-max-bytes -x -d 'keep at most so many bytes of them (1073741824)'
complete -c e2e-fetch -l wait -d 'stay, and take what comes'
complete -c e2e-fetch -l max -x -d 'end after N envelopes'
complete -c e2e-fetch -l relay-key -x -d 'accept this relay only, and pin it'
complete -c e2e-fetch -l ca -r -F -d 'trust the certificates in FILE, not the system\'s'
complete -c e2e-fetch -l tls-pin -x -d 'trust this one TLS key: SHA-256 of its public key'
complete -c e2e-fetch -l timeout -x -d 'give up on a relay silent for so long (30)'
complete -c e2e-fetch -s q -l quiet -d 'say nothing but errors'
complete -c e2e-fetch -s v -l verbose -d 'say more'
complete -c e2e-fetch -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-fetch -s h -l help -d 'print this and exit'
complete -c e2e-fetch -s V -l version -d 'print the version and exit'
complete -c e2e-fetch -f
