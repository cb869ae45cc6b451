# fish completion for e2e-keygen.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-keygen -s t -l type -x -a 'rsa2048 rsa3072 rsa4096 x25519' -d 'kind of keys (default: rsa2048)'
complete -c e2e-keygen -s n -l name -x -d 'your name, inside the public key'
complete -c e2e-keygen -s e -l expire -x -d 'a duration (2y, 90d), a date, or never'
complete -c e2e-keygen -s o -l output -r -F -d 'write FILE and, beside it, .pub and .revocation'
complete -c e2e-keygen -l passphrase-file -r -F -d 'read the passphrase from FILE (private mode)'
complete -c e2e-keygen -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c e2e-keygen -l no-passphrase -d 'leave the secret key unprotected'
complete -c e2e-keygen -l kdf-memory -x -d 'memory of the key derivation (small machines)'
complete -c e2e-keygen -l kdf-passes -x -d 'passes of the key derivation'
complete -c e2e-keygen -l kdf-lanes -x -d 'lanes of the key derivation'
complete -c e2e-keygen -s q -l quiet -d 'say nothing but errors'
complete -c e2e-keygen -s v -l verbose -d 'say more'
complete -c e2e-keygen -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-keygen -s h -l help -d 'print this and exit'
complete -c e2e-keygen -s V -l version -d 'print the version and exit'
complete -c e2e-keygen -a '(__e2e_contacts)'
