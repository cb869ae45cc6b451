# fish completion for e2e-contact.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-contact -n __fish_use_subcommand -f -a pin -d 'Pins a public key under a name, or takes in a revocation'
complete -c e2e-contact -n __fish_use_subcommand -f -a list -d 'Prints name, fingerprint and state of each pinned contact'
complete -c e2e-contact -n __fish_use_subcommand -f -a unpin -d 'Forgets a contact, and what was known about its key'
complete -c e2e-contact -n __fish_use_subcommand -f -a show -d 'Prints what a public key says, and whether it is pinned'
complete -c e2e-contact -n __fish_use_subcommand -f -a verify -d 'Compares a contact\'s fingerprint, and remembers that it was right'
complete -c e2e-contact -n '__fish_use_subcommand' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-contact -n '__fish_use_subcommand' -s v -l verbose -d 'say more'
complete -c e2e-contact -n '__fish_use_subcommand' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-contact -n '__fish_use_subcommand' -s h -l help -d 'print this and exit'
complete -c e2e-contact -n '__fish_use_subcommand' -s V -l version -d 'print the version and exit'
complete -c e2e-contact -n '__fish_use_subcommand' -f
complete -c e2e-contact -n '__fish_seen_subcommand_from pin' -s n -l name -x -a '(__e2e_contacts)' -d 'pin under this name'
complete -c e2e-contact -n '__fish_seen_subcommand_from pin' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-contact -n '__fish_seen_subcommand_from pin' -s v -l verbose -d 'say more'
complete -c e2e-contact -n '__fish_seen_subcommand_from pin' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-contact -n '__fish_seen_subcommand_from pin' -s h -l help -d 'print this and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from pin' -s V -l version -d 'print the version and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from pin' -a '(__e2e_contacts)'
complete -c e2e-contact -n '__fish_seen_subcommand_from list' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-contact -n '__fish_seen_subcommand_from list' -s v -l verbose -d 'say more'
complete -c e2e-contact -n '__fish_seen_subcommand_from list' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-contact -n '__fish_seen_subcommand_from list' -s h -l help -d 'print this and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from list' -s V -l version -d 'print the version and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from list' -f
complete -c e2e-contact -n '__fish_seen_subcommand_from unpin' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-contact -n '__fish_seen_subcommand_from unpin' -s v -l verbose -d 'say more'
complete -c e2e-contact -n '__fish_seen_subcommand_from unpin' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-contact -n '__fish_seen_subcommand_from unpin' -s h -l help -d 'print this and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from unpin' -s V -l version -d 'print the version and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from unpin' -a '(__e2e_contacts)' -f
complete -c e2e-contact -n '__fish_seen_subcommand_from show' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-contact -n '__fish_seen_subcommand_from show' -s v -l verbose -d 'say more'
complete -c e2e-contact -n '__fish_seen_subcommand_from show' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-contact -n '__fish_seen_subcommand_from show' -s h -l help -d 'print this and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from show' -s V -l version -d 'print the version and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from show' -a '(__e2e_contacts)'
complete -c e2e-contact -n '__fish_seen_subcommand_from verify' -s q -l quiet -d 'say nothing but errors'
complete -c e2e-contact -n '__fish_seen_subcommand_from verify' -s v -l verbose -d 'say more'
complete -c e2e-contact -n '__fish_seen_subcommand_from verify' -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-contact -n '__fish_seen_subcommand_from verify' -s h -l help -d 'print this and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from verify' -s V -l version -d 'print the version and exit'
complete -c e2e-contact -n '__fish_seen_subcommand_from verify' -a '(__e2e_contacts)' -f
