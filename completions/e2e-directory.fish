# fish completion for e2e-directory.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-directory -n __fish_use_subcommand -f -a register -d 'Registers the card of a key, or brings it up to date'
complete -c e2e-directory -n __fish_use_subcommand -f -a lookup -d 'Prints the card of a name or a fingerprint, and pins it'
complete -c e2e-directory -n __fish_use_subcommand -f -a revoke -d 'Tells a relay that a key is revoked by its owner'
complete -c e2e-directory -n '__fish_use_subcommand' -l relay-key -x -d 'accept this relay only, and pin it'
complete -c e2e-directory -n '__fish_use_subcommand' -l ca -r -F -d 'trust the certificates in FILE, not the system\'s'
complete -c e2e-directory -n '__fish_use_subcommand' -l tls-pin -x -d 'trust this one TLS key: SHA-256 of its public key'
complete -c e2e-directory -n '__fish_use_subcommand' -l timeout -x -d 'give up on a relay silent for so long (30)'
complete -c e2e-directory -n '__fish_use_subcommand' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-directory -n '__fish_use_subcommand' -s v -l verbose -d 'say more'
complete -c e2e-directory -n '__fish_use_subcommand' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-directory -n '__fish_use_subcommand' -s h -l help -d 'print this and exit'
complete -c e2e-directory -n '__fish_use_subcommand' -s V -l version -d 'print the version and exit'
complete -c e2e-directory -n '__fish_use_subcommand' -f
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -s i -l identity -r -F -d 'the secret key whose card it is (the default identity)'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l passphrase-file -r -F -d 'read the passphrase from FILE (private mode)'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l kdf-memory-max -x -d 'largest memory a key derivation may ask for'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l token-file -r -F -d 'the relay asks for the token in FILE'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l relay-key -x -d 'accept this relay only, and pin it'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l ca -r -F -d 'trust the certificates in FILE, not the system\'s'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l tls-pin -x -d 'trust this one TLS key: SHA-256 of its public key'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l timeout -x -d 'give up on a relay silent for so long (30)'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -s v -l verbose -d 'say more'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -s h -l help -d 'print this and exit'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -s V -l version -d 'print the version and exit'
complete -c e2e-directory -n '__fish_seen_subcommand_from register' -f
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -l pin -x -a '(__e2e_contacts)' -d 'pin under this name, not the one asked for'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -s n -l no-pin -d 'print the card only'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -l relay-key -x -d 'accept this relay only, and pin it'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -l ca -r -F -d 'trust the certificates in FILE, not the system\'s'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -l tls-pin -x -d 'trust this one TLS key: SHA-256 of its public key'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -l timeout -x -d 'give up on a relay silent for so long (30)'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -s v -l verbose -d 'say more'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -s h -l help -d 'print this and exit'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -s V -l version -d 'print the version and exit'
complete -c e2e-directory -n '__fish_seen_subcommand_from lookup' -a '(__e2e_contacts)' -f
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -l relay-key -x -d 'accept this relay only, and pin it'
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -l ca -r -F -d 'trust the certificates in FILE, not the system\'s'
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -l tls-pin -x -d 'trust this one TLS key: SHA-256 of its public key'
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -l timeout -x -d 'give up on a relay silent for so long (30)'
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -s v -l verbose -d 'say more'
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -s h -l help -d 'print this and exit'
complete -c e2e-directory -n '__fish_seen_subcommand_from revoke' -s V -l version -d 'print the version and exit'
