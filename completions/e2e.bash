# bash completion for the e2e commands.
# Made from the commands' own option tables by tests/tools/completions; do not edit.

_e2e_contacts()
{
	local file
	for file in "${XDG_CONFIG_HOME:-$HOME/.config}"/e2e/contacts/*.pub; do
		[[ -e $file ]] || continue
		file=${file##*/}
		printf '%s\n' "${file%.pub}"
	done
}

# What one kind of argument can be; $1 is the kind, $2 the word so far.
_e2e_reply()
{
	local line
	local -a found=()
	case $1 in
	file|both) mapfile -t found < <(compgen -f -- "$2") ;;
	folder) mapfile -t found < <(compgen -d -- "$2") ;;
	esac
	COMPREPLY+=("${found[@]}")
	[[ ${#found[@]} -gt 0 ]] && compopt -o filenames 2>/dev/null
	case $1 in
	contact|both)
		while read -r line; do
			[[ $line == "$2"* ]] && COMPREPLY+=("$line")
		done < <(_e2e_contacts)
		;;
	words:*)
		mapfile -t COMPREPLY < <(compgen -W "${1#words:}" -- "$2")
		;;
	esac
}

_e2e()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local page=${COMP_WORDS[0]##*/} options='' operand='' argument=''
	COMPREPLY=()
	# --name=value comes as three words.
	if [[ $cur == "=" ]]; then
		cur=''
	elif [[ $prev == "=" ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $page in
	e2e-contact)
		if [[ $COMP_CWORD -gt 1 ]]; then
			case ${COMP_WORDS[1]} in
			pin|list|unpin|show|verify) page+=" ${COMP_WORDS[1]}" ;;
			esac
		fi
		;;
	e2e-key)
		if [[ $COMP_CWORD -gt 1 ]]; then
			case ${COMP_WORDS[1]} in
			pub|show|passwd|rotate|revoke) page+=" ${COMP_WORDS[1]}" ;;
			esac
		fi
		;;
	esac
	case $page in
	'e2e-contact')
		options='-q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='words:pin list unpin show verify'
		case $prev in
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-contact pin')
		options='-n --name -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='both'
		case $prev in
		-n|--name) argument='contact' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-contact list')
		options='-q --quiet -v --verbose --status-fd -h --help -V --version'
		case $prev in
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-contact unpin')
		options='-q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='contact'
		case $prev in
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-contact show')
		options='-q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='both'
		case $prev in
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-contact verify')
		options='-q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='contact'
		case $prev in
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-inspect')
		options='--json -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-key')
		options='-q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='words:pub show passwd rotate revoke'
		case $prev in
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-key pub')
		options='-i --identity -o --output -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		-o|--output) argument='file' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-key show')
		options='-i --identity -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-key passwd')
		options='-i --identity --passphrase-file --passphrase-fd --kdf-memory-max --new-passphrase-file --new-passphrase-fd --no-passphrase --kdf-memory --kdf-passes --kdf-lanes -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		--new-passphrase-file) argument='file' ;;
		--new-passphrase-fd) argument='none' ;;
		--kdf-memory) argument='none' ;;
		--kdf-passes) argument='none' ;;
		--kdf-lanes) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-key rotate')
		options='-i --identity --passphrase-file --passphrase-fd --kdf-memory-max --kdf-memory --kdf-passes --kdf-lanes -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		--kdf-memory) argument='none' ;;
		--kdf-passes) argument='none' ;;
		--kdf-lanes) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-key revoke')
		options='-i --identity --reason -o --output --passphrase-file --passphrase-fd --kdf-memory-max -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		--reason) argument='words:unspecified compromised superseded retired' ;;
		-o|--output) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-keygen')
		options='-t --type -n --name -e --expire -o --output --passphrase-file --passphrase-fd --no-passphrase --kdf-memory --kdf-passes --kdf-lanes -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='both'
		case $prev in
		-t|--type) argument='words:rsa2048 rsa3072 rsa4096 x25519' ;;
		-n|--name) argument='none' ;;
		-e|--expire) argument='none' ;;
		-o|--output) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory) argument='none' ;;
		--kdf-passes) argument='none' ;;
		--kdf-lanes) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-open')
		options='-i --identity --passphrase-file --passphrase-fd -p --passphrase --recipient-passphrase-file --recipient-passphrase-fd --kdf-memory-max --rsa-trials -s --sender --known --max-age --allow-expired -o --output -d --directory --sender-card -j --threads -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--recipient-passphrase-file) argument='file' ;;
		--recipient-passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		--rsa-trials) argument='none' ;;
		-s|--sender) argument='both' ;;
		--max-age) argument='none' ;;
		-o|--output) argument='file' ;;
		-d|--directory) argument='folder' ;;
		--sender-card) argument='file' ;;
		-j|--threads) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-seal')
		options='-r --recipient -R --recipients -p --passphrase --recipient-passphrase-file --recipient-passphrase-fd --self --hide-recipients --kdf-memory --kdf-passes --kdf-lanes -i --identity --passphrase-file --passphrase-fd --kdf-memory-max --no-card --sign-segments --expire --file-name --type --reply-to --pad -a --armor -o --output -j --threads -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-r|--recipient) argument='both' ;;
		-R|--recipients) argument='file' ;;
		--recipient-passphrase-file) argument='file' ;;
		--recipient-passphrase-fd) argument='none' ;;
		--kdf-memory) argument='none' ;;
		--kdf-passes) argument='none' ;;
		--kdf-lanes) argument='none' ;;
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		--expire) argument='none' ;;
		--file-name) argument='none' ;;
		--type) argument='none' ;;
		--reply-to) argument='none' ;;
		-o|--output) argument='file' ;;
		-j|--threads) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	esac
	if [[ -n $argument ]]; then
		[[ $argument == none ]] || _e2e_reply "$argument" "$cur"
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	else
		_e2e_reply "$operand" "$cur"
	fi
}

complete -F _e2e e2e-contact e2e-inspect e2e-key e2e-keygen e2e-open e2e-seal
