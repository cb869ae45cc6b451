# fish completion for e2e-open.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-open -s i -l identity -r -F -d 'this secret key (default: your identity.key)'
complete -c e2e-open -l passphrase-file -r -F -d 'read the passphrase from FILE (private mode)'
complete -c e2e-open -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c e2e-open -s k -l group-key -r -F -d 'the group of this wrapped key (e2e-wrap-key)'
complete -c e2e-open -l old-epoch -d 'also of an epoch that is over'
complete -c e2e-open -s p -l passphrase -d 'a passphrase it was sealed for'
complete -c e2e-open -l recipient-passphrase-file -r -F -d 'read that passphrase from FILE'
complete -c e2e-open -l recipient-passphrase-fd -x -d 'read that passphrase from descriptor N'
complete -c e2e-open -l kdf-memory-max -x -d 'largest memory a key derivation may ask for'
complete -c e2e-open -l rsa-trials -x -d 'most RSA recipients to try (default: 128)'
complete -c e2e-open -s s -l sender -r -F -a '(__e2e_contacts)' -d 'only messages from this sender'
complete -c e2e-open -l known -d 'only messages from pinned contacts'
complete -c e2e-open -l forwarded -d 'also what somebody else addressed to this key'
complete -c e2e-open -l state -x -a '(__fish_complete_directories)' -d 'nothing twice; remember in DIR what was opened'
complete -c e2e-open -l max-age -x -d 'nothing older than this (12h, 30d)'
complete -c e2e-open -l max-skew -x -d 'nothing dated further ahead than this'
complete -c e2e-open -l allow-expired -d 'also what is past its date, or its sender\'s'
complete -c e2e-open -s o -l output -r -F -d 'write to FILE'
complete -c e2e-open -s d -l directory -x -a '(__fish_complete_directories)' -d 'several envelopes: a file each in DIR, by message id'
complete -c e2e-open -l verdict-fd -x -d 'write the status of each envelope of -d to descriptor N'
complete -c e2e-open -l sender-card -r -F -d 'write the sender\'s public key to FILE'
complete -c e2e-open -l receipt -r -F -d 'write a sealed receipt to FILE (with -d into that folder) if the sender asks for one'
complete -c e2e-open -s j -l threads -x -d 'use N threads'
complete -c e2e-open -s q -l quiet -d 'say nothing but errors'
complete -c e2e-open -s v -l verbose -d 'say more'
complete -c e2e-open -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-open -s h -l help -d 'print this and exit'
complete -c e2e-open -s V -l version -d 'print the version and exit'
