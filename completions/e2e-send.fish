# fish completion for e2e-send.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-send -l to -r -F -a '(__e2e_contacts)' -d 'into this mailbox: a fingerprint, a contact, a public key'
complete -c e2e-send -l relay-key -x -d 'accept this relay only, and pin it'
complete -c e2e-send -l ca -r -F -d 'trust the certificates in FILE, not the system\'s'
complete -c e2e-send -l tls-pin -x -d 'trust this one TLS key: SHA-256 of its public key'
complete -c e2e-send -l timeout -x -d 'give up on a relay silent for so long (30)'
complete -c e2e-send -l retry -x -d 'try N times more when the relay cannot take it now (4)'
complete -c e2e-send -l retry-for -x -d 'try again for so long (90s, 15m, 12h)'
complete -c e2e-send -s q -l quiet -d 'say nothing but errors'
complete -c e2e-send -s v -l verbose -d 'say more'
complete -c e2e-send -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-send -s h -l help -d 'print this and exit'
complete -c e2e-send -s V -l version -d 'print the version and exit'
