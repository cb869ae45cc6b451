# fish completion for e2e-inspect.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

function __e2e_contacts
	set -l base $HOME/.config
	set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
	for file in $base/e2e/contacts/*.pub
		string replace -r '.*/(.*)\.pub$' '$1' $file
	end
end

complete -c e2e-inspect -l json -d 'one JSON object for each envelope'
complete -c e2e-inspect -s q -l quiet -d 'say nothing but errors'
complete -c e2e-inspect -s v -l verbose -d 'say more'
complete -c e2e-inspect -l status-fd -x -d 'write JSON lines for programs to descriptor N'
complete -c e2e-inspect -s h -l help -d 'print this and exit'
complete -c e2e-inspect -s V -l version -d 'print the version and exit'
