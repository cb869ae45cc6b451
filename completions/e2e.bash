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
	e2e-directory)
		if [[ $COMP_CWORD -gt 1 ]]; then
			case ${COMP_WORDS[1]} in
			register|lookup|revoke) page+=" ${COMP_WORDS[1]}" ;;
			esac
		fi
		;;
	e2e-key)
		if [[ $COMP_CWORD -gt 1 ]]; then
			case ${COMP_WORDS[1]} in
			pub|show|passwd|rotate|revoke|unlock|lock) page+=" ${COMP_WORDS[1]}" ;;
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
	'e2e-directory')
		options='--relay-key --ca --tls-pin --timeout -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='words:register lookup revoke'
		case $prev in
		--relay-key) argument='none' ;;
		--ca) argument='file' ;;
		--tls-pin) argument='none' ;;
		--timeout) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-directory register')
		options='-i --identity --passphrase-file --passphrase-fd --kdf-memory-max --token-file --relay-key --ca --tls-pin --timeout -q --quiet -v --verbose --status-fd -h --help -V --version'
		case $prev in
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		--token-file) argument='file' ;;
		--relay-key) argument='none' ;;
		--ca) argument='file' ;;
		--tls-pin) argument='none' ;;
		--timeout) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-directory lookup')
		options='--pin -n --no-pin --relay-key --ca --tls-pin --timeout -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='contact'
		case $prev in
		--pin) argument='contact' ;;
		--relay-key) argument='none' ;;
		--ca) argument='file' ;;
		--tls-pin) argument='none' ;;
		--timeout) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-directory revoke')
		options='--relay-key --ca --tls-pin --timeout -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		--relay-key) argument='none' ;;
		--ca) argument='file' ;;
		--tls-pin) argument='none' ;;
		--timeout) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-fetch')
		options='-i --identity --passphrase-file --passphrase-fd --kdf-memory-max -d --directory --exec --batch --refused --refused-max --refused-max-bytes --wait --max --relay-key --ca --tls-pin --timeout -q --quiet -v --verbose --status-fd -h --help -V --version'
		case $prev in
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		-d|--directory) argument='folder' ;;
		--exec) argument='none' ;;
		--refused-max) argument='none' ;;
		--refused-max-bytes) argument='none' ;;
		--max) argument='none' ;;
		--relay-key) argument='none' ;;
		--ca) argument='file' ;;
		--tls-pin) argument='none' ;;
		--timeout) argument='none' ;;
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
		operand='words:pub show passwd rotate revoke unlock lock'
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
	'e2e-key unlock')
		options='-i --identity --timeout --passphrase-file --passphrase-fd --kdf-memory-max -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		--timeout) argument='none' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-key lock')
		options='-i --identity -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
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
		options='-i --identity --passphrase-file --passphrase-fd -k --group-key --old-epoch -p --passphrase --recipient-passphrase-file --recipient-passphrase-fd --kdf-memory-max --rsa-trials -s --sender --known --forwarded --state --max-age --max-skew --allow-expired -o --output -d --directory --verdict-fd --sender-card --receipt -j --threads -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		-k|--group-key) argument='file' ;;
		--recipient-passphrase-file) argument='file' ;;
		--recipient-passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		--rsa-trials) argument='none' ;;
		-s|--sender) argument='both' ;;
		--state) argument='folder' ;;
		--max-age) argument='none' ;;
		--max-skew) argument='none' ;;
		-o|--output) argument='file' ;;
		-d|--directory) argument='folder' ;;
		--verdict-fd) argument='none' ;;
		--sender-card) argument='file' ;;
		--receipt) argument='file' ;;
		-j|--threads) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-relayd')
		options='--store -l --listen --unix --unix-mode -i --identity --registration --token-file --cards --tls-cert --tls-key --log-addresses --metrics-file --queue --stop-time --check --backup --rotate-key --fingerprint --envelope-max --ttl --box-bytes --box-items --disk-low --memory --connections --connections-each --rate-address --burst-address --rate-mailbox --burst-mailbox --slow --header-time --idle-time --login-time --linger --drain --attempts -q --quiet -v --verbose --status-fd -h --help -V --version'
		case $prev in
		--store) argument='folder' ;;
		-l|--listen) argument='none' ;;
		--unix) argument='file' ;;
		--unix-mode) argument='none' ;;
		-i|--identity) argument='file' ;;
		--registration) argument='words:open token closed' ;;
		--token-file) argument='file' ;;
		--cards) argument='folder' ;;
		--tls-cert) argument='file' ;;
		--tls-key) argument='file' ;;
		--metrics-file) argument='file' ;;
		--queue) argument='none' ;;
		--stop-time) argument='none' ;;
		--backup) argument='file' ;;
		--envelope-max) argument='none' ;;
		--ttl) argument='none' ;;
		--box-bytes) argument='none' ;;
		--box-items) argument='none' ;;
		--disk-low) argument='none' ;;
		--memory) argument='none' ;;
		--connections) argument='none' ;;
		--connections-each) argument='none' ;;
		--rate-address) argument='none' ;;
		--burst-address) argument='none' ;;
		--rate-mailbox) argument='none' ;;
		--burst-mailbox) argument='none' ;;
		--slow) argument='none' ;;
		--header-time) argument='none' ;;
		--idle-time) argument='none' ;;
		--login-time) argument='none' ;;
		--linger) argument='none' ;;
		--drain) argument='none' ;;
		--attempts) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-rewrap')
		options='-i --identity --passphrase-file --passphrase-fd --kdf-memory-max -k --group-key -p --passphrase --recipient-passphrase-file --recipient-passphrase-fd --rsa-trials -r --recipient -R --recipients --to-group --old-epoch --self --hide-recipients --sign -a --armor -o --output -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		-k|--group-key) argument='file' ;;
		--recipient-passphrase-file) argument='file' ;;
		--recipient-passphrase-fd) argument='none' ;;
		--rsa-trials) argument='none' ;;
		-r|--recipient) argument='both' ;;
		-R|--recipients) argument='file' ;;
		--to-group) argument='file' ;;
		-o|--output) argument='file' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-seal')
		options='-r --recipient -R --recipients -k --group-key --old-epoch -p --passphrase --recipient-passphrase-file --recipient-passphrase-fd --self --hide-recipients --kdf-memory --kdf-passes --kdf-lanes -i --identity --passphrase-file --passphrase-fd --kdf-memory-max --no-card --sign-segments --expire --file-name --type --reply-to --pad --ask-receipt --state --conversation -a --armor -o --output -j --threads -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		-r|--recipient) argument='both' ;;
		-R|--recipients) argument='file' ;;
		-k|--group-key) argument='file' ;;
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
		--state) argument='folder' ;;
		--conversation) argument='none' ;;
		-o|--output) argument='file' ;;
		-j|--threads) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-send')
		options='--to --relay-key --ca --tls-pin --timeout --retry --retry-for -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		--to) argument='both' ;;
		--relay-key) argument='none' ;;
		--ca) argument='file' ;;
		--tls-pin) argument='none' ;;
		--timeout) argument='none' ;;
		--retry) argument='none' ;;
		--retry-for) argument='none' ;;
		--status-fd) argument='none' ;;
		esac
		;;
	'e2e-wrap-key')
		options='--new --add --remove -d --unwrap --show -i --identity --passphrase-file --passphrase-fd --kdf-memory-max -r --recipient -R --recipients -s --sender --known -n --name --no-card -a --armor -o --output -q --quiet -v --verbose --status-fd -h --help -V --version'
		operand='file'
		case $prev in
		--add) argument='both' ;;
		--remove) argument='both' ;;
		-i|--identity) argument='file' ;;
		--passphrase-file) argument='file' ;;
		--passphrase-fd) argument='none' ;;
		--kdf-memory-max) argument='none' ;;
		-r|--recipient) argument='both' ;;
		-R|--recipients) argument='file' ;;
		-s|--sender) argument='both' ;;
		-n|--name) argument='none' ;;
		-o|--output) argument='file' ;;
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

complete -F _e2e e2e-contact e2e-directory e2e-fetch e2e-inspect e2e-key e2e-keygen e2e-open e2e-relayd e2e-rewrap e2e-seal e2e-send e2e-wrap-key
