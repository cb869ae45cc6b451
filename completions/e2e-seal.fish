# fish completion for e2e-seal.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-seal -s r -l recipient -r -F -a '(__e2e_contacts)' -d 'a public key file, a line e2e-pub1..., or a contact'
complete -c e2e-seal -s R -l recipients -r -F -d 'every public key line of FILE'
complete -c e2e-seal -s k -l group-key -r -F -d 'the group of a wrapped key (e2e-wrap-key)'
complete -c e2e-seal -l old-epoch -d 'also one of an epoch that is over'
complete -c e2e-seal -s p -l passphrase -d 'whoever knows a passphrase, too'
complete -c e2e-seal -l recipient-passphrase-file -r -F -d 'read that passphrase from FILE'
complete -c e2e-seal -l recipient-passphrase-fd -x -d 'read that passphrase from descriptor N'
complete -c e2e-seal -l self -d 'the sender, too'
complete -c e2e-seal -l hide-recipients -d 'do not name the recipients in the envelope'
complete -c e2e-seal -l kdf-memory -x -d 'memory of the key derivation (small machines)'
complete -c e2e-seal -l kdf-passes -x -d 'passes of the key derivation'
complete -c e2e-seal -l kdf-lanes -x -d 'lanes of the key derivation'
complete -c e2e-seal -s i -l identity -r -F -d 'sign as the owner of this secret key'
complete -c e2e-seal -l passphrase-file -r -F -d 'read the passphrase from FILE (private mode)'
complete -c e2e-seal -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c e2e-seal -l kdf-memory-max -x -d 'largest memory a key derivation may ask for'
complete -c e2e-seal -l no-card -d 'leave the sender\'s card out'
complete -c e2e-seal -l sign-segments -d 'sign so that it can be shown to others'
complete -c e2e-seal -l expire -x -d 'refused from then on: a duration (30d) or a date'
complete -c e2e-seal -l file-name -x -d 'a file name to tell'
complete -c e2e-seal -l type -x -d 'a media type to tell'
complete -c e2e-seal -l reply-to -x -d 'the message id that this answers'
complete -c e2e-seal -l pad -d 'hide the exact length'
complete -c e2e-seal -l ask-receipt -d 'ask for a receipt of its delivery'
complete -c e2e-seal -l state -x -a '(__fish_complete_directories)' -d 'number the messages; remember in DIR'
complete -c e2e-seal -l conversation -x -d 'by this name (default: one for these recipients)'
complete -c e2e-seal -s a -l armor -d 'text instead of binary'
complete -c e2e-seal -s o -l output -r -F -d 'write to FILE'
complete -c e2e-seal -s j -l threads -x -d 'use N threads'
complete -c e2e-seal -s q -l quiet -d 'say nothing but errors'
complete -c e2e-seal -s v -l verbose -d 'say more'
complete -c e2e-seal -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-seal -s h -l help -d 'print this and exit'
complete -c e2e-seal -s V -l version -d 'print the version and exit'
