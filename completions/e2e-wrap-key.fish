# fish completion for e2e-wrap-key.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-wrap-key -l new -d 'wrap a fresh key'
complete -c e2e-wrap-key -l add -r -F -a '(__e2e_contacts)' -d 'give the wrapped key in FILE to one more member'
complete -c e2e-wrap-key -l remove -r -F -a '(__e2e_contacts)' -d 'begin another epoch of FILE, without this member (or fingerprint)'
complete -c e2e-wrap-key -s d -l unwrap -d 'write the key that is wrapped in FILE'
complete -c e2e-wrap-key -l show -d 'tell what FILE is; with -i, whose'
complete -c e2e-wrap-key -s i -l identity -r -F -d 'the maker\'s secret key, or the reader\'s (default: your identity.key)'
complete -c e2e-wrap-key -l passphrase-file -r -F -d 'read the passphrase from FILE (private mode)'
complete -c e2e-wrap-key -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c e2e-wrap-key -l kdf-memory-max -x -d 'largest memory a key derivation may ask for'
complete -c e2e-wrap-key -s r -l recipient -r -F -a '(__e2e_contacts)' -d 'a member: a public key file, a line e2e-pub1..., or a contact'
complete -c e2e-wrap-key -s R -l recipients -r -F -d 'every public key line of FILE'
complete -c e2e-wrap-key -s s -l sender -r -F -a '(__e2e_contacts)' -d 'only what this maker has signed'
complete -c e2e-wrap-key -l known -d 'only what a pinned contact has signed'
complete -c e2e-wrap-key -s n -l name -x -d 'a name for the group, seen by its members'
complete -c e2e-wrap-key -l no-card -d 'leave the maker\'s card out'
complete -c e2e-wrap-key -s a -l armor -d 'text instead of binary'
complete -c e2e-wrap-key -s o -l output -r -F -d 'write to FILE, which must not be there'
complete -c e2e-wrap-key -s q -l quiet -d 'say nothing but errors'
complete -c e2e-wrap-key -s v -l verbose -d 'say more'
complete -c e2e-wrap-key -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-wrap-key -s h -l help -d 'print this and exit'
complete -c e2e-wrap-key -s V -l version -d 'print the version and exit'
