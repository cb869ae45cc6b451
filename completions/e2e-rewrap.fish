# fish completion for e2e-rewrap.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-rewrap -s i -l identity -r -F -d 'this secret key (default: your identity.key)'
complete -c e2e-rewrap -l passphrase-file -r -F -d 'read the passphrase from FILE (private mode)'
complete -c e2e-rewrap -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c e2e-rewrap -l kdf-memory-max -x -d 'largest memory a key derivation may ask for'
complete -c e2e-rewrap -s k -l group-key -r -F -d 'the group of this wrapped key (e2e-wrap-key)'
complete -c e2e-rewrap -s p -l passphrase -d 'a passphrase it was sealed for'
complete -c e2e-rewrap -l recipient-passphrase-file -r -F -d 'read that passphrase from FILE'
complete -c e2e-rewrap -l recipient-passphrase-fd -x -d 'read that passphrase from descriptor N'
complete -c e2e-rewrap -l rsa-trials -x -d 'most RSA recipients to try (default: 128)'
complete -c e2e-rewrap -s r -l recipient -r -F -a '(__e2e_contacts)' -d 'a public key file, a line e2e-pub1..., or a contact'
complete -c e2e-rewrap -s R -l recipients -r -F -d 'every public key line of FILE'
complete -c e2e-rewrap -l to-group -r -F -d 'the group of a wrapped key (needs --sign)'
complete -c e2e-rewrap -l old-epoch -d 'also one of an epoch that is over'
complete -c e2e-rewrap -l self -d 'the owner of KEY, too'
complete -c e2e-rewrap -l hide-recipients -d 'do not name the recipients in the envelope'
complete -c e2e-rewrap -l sign -d 'sign, with KEY, that it was forwarded'
complete -c e2e-rewrap -s a -l armor -d 'text instead of binary'
complete -c e2e-rewrap -s o -l output -r -F -d 'write to FILE'
complete -c e2e-rewrap -s q -l quiet -d 'say nothing but errors'
complete -c e2e-rewrap -s v -l verbose -d 'say more'
complete -c e2e-rewrap -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-rewrap -s h -l help -d 'print this and exit'
complete -c e2e-rewrap -s V -l version -d 'print the version and exit'
