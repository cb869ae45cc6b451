"""One command line for each exit status that a page lists.

70 (the crypto library fails) cannot be had from outside, and 75 only where a
relay can be out of reach (otherwise it is a lack of memory); the fault
injection tests reach them.

`relay` starts a relay on relay.sock with mail for alice and bob
(sandbox.py).
"""

# Commands that lack a relay, not memory.
NETWORK = {"e2e-send", "e2e-fetch", "e2e-directory"}


def unreachable(command):
    return {70} if command in NETWORK else {70, 75}


LONG = "--passphrase-file long"
OPEN = "--passphrase-file open-passphrase"
NOWHERE = "XDG_CONFIG_HOME= HOME= "

AT = "unix:relay.sock"
STRANGER = f"--relay-key {'a' * 52} {AT}"
# One mailbox more than an envelope may have.
CROWD = ("$(for i in $(seq 10000 11024); do printf -- '--to %s%047d ' $i 0 | "
         "tr 0-9 a-j; done)")
PINS = 'echo junk > "$XDG_CONFIG_HOME/e2e/known_relays"; '

PROVOKE = {
    "e2e-keygen": {
        0: "e2e-keygen -t x25519 --no-passphrase -o new.key",
        6: f"e2e-keygen -t x25519 {LONG} -o new.key",
        7: "e2e-keygen -t x25519 -o new.key",
        64: "e2e-keygen -t dsa",
        66: "e2e-keygen -t x25519 --passphrase-file none -o new.key",
        73: "e2e-keygen -t x25519 --no-passphrase -o alice.key",
        74: "e2e-keygen -t x25519 --no-passphrase > /dev/full",
        78: f"e2e-keygen -t x25519 {OPEN} -o new.key",
    },
    "e2e-key": {
        0: "e2e-key pub",
        1: "e2e-key show altered.key",
        5: "e2e-key show junk.key",
        6: "e2e-key revoke --kdf-memory-max 8192 "
           f"{LONG} locked.key",
        7: "e2e-key rotate --passphrase-file other locked.key",
        64: "e2e-key",
        66: "e2e-key show none.key",
        73: "e2e-key pub -o none/x",
        74: "e2e-key show > /dev/full",
        78: NOWHERE + "e2e-key show",
    },
    "e2e-contact": {
        0: "e2e-contact list",
        1: "e2e-contact pin x altered.pub",
        3: "e2e-contact pin bob carol.pub",
        5: "e2e-contact pin x junk",
        6: "head -c 2000000 /dev/zero | e2e-contact pin x -",
        64: "e2e-contact verify bob aaaa",
        66: "e2e-contact show nobody",
        73: "XDG_CONFIG_HOME=/dev/null e2e-contact pin carol carol.pub",
        74: "e2e-contact list > /dev/full",
        78: NOWHERE + "e2e-contact pin carol carol.pub",
    },
    "e2e-seal": {
        0: "e2e-seal -r bob letter.txt",
        1: "e2e-seal -r ./altered.pub letter.txt",
        2: "e2e-seal -k later.2 -i bob.key letter.txt",
        3: "e2e-contact pin bob.revocation && e2e-seal -r bob letter.txt",
        5: "e2e-seal -r ./junk letter.txt",
        6: f"e2e-seal -p {LONG} letter.txt",
        7: "e2e-seal -r bob -i locked.key letter.txt",
        64: "e2e-seal letter.txt",
        66: "e2e-seal -r bob none",
        73: "e2e-seal -r bob -o letter.txt letter.txt",
        74: "e2e-seal -r bob letter.txt > /dev/full",
        78: f"e2e-seal -p {OPEN} letter.txt",
    },
    "e2e-open": {
        0: "e2e-open -i bob.key letter.e2e",
        1: "e2e-open -i bob.key altered.e2e",
        2: "e2e-open -i carol.key letter.e2e",
        3: "e2e-open -i bob.key --known letter.e2e",
        # The envelope lived for one second; two have passed by now.
        4: "sleep 2; e2e-open -i bob.key expired.e2e",
        5: "cat letter.e2e letter.e2e | e2e-open -i bob.key",
        6: "e2e-open -p --passphrase-file passphrase costly.e2e",
        7: "e2e-open -p --passphrase-file other shared.e2e",
        64: "e2e-open -s bob --known answer.e2e",
        66: "e2e-open none",
        73: "e2e-open -i bob.key -o none/x letter.e2e",
        74: "e2e-open -i bob.key letter.e2e > /dev/full",
        78: "chmod 644 bob.key; e2e-open -i bob.key letter.e2e",
    },
    "e2e-rewrap": {
        0: "e2e-rewrap -r bob answer.e2e",
        1: "e2e-rewrap -i bob.key -r alice short.e2e",
        2: "e2e-rewrap -i carol.key -r alice letter.e2e",
        3: "e2e-contact pin bob.revocation && e2e-rewrap -r bob answer.e2e",
        5: "e2e-rewrap -r bob junk",
        6: "e2e-rewrap -p --passphrase-file passphrase -r bob costly.e2e",
        7: "e2e-rewrap -r bob -p --passphrase-file other shared.e2e",
        64: "e2e-rewrap answer.e2e",
        66: "e2e-rewrap -r bob none",
        73: "e2e-rewrap -r bob -o none/x answer.e2e",
        74: "e2e-rewrap -r bob answer.e2e > /dev/full",
        78: "chmod 644 bob.key; e2e-rewrap -i bob.key -r alice letter.e2e",
    },
    "e2e-wrap-key": {
        0: "e2e-wrap-key --new -r bob",
        1: "e2e-wrap-key --new -r ./altered.pub",
        2: "e2e-wrap-key -d -i bob.key later.2",
        3: "e2e-wrap-key --remove bob -i bob.key team.1",
        5: "e2e-wrap-key --show letter.e2e",
        6: "e2e-wrap-key --new -i locked.key --kdf-memory-max 8192 "
           f"{LONG} -r bob",
        7: "e2e-wrap-key --new -i locked.key -r bob",
        64: "e2e-wrap-key",
        66: "e2e-wrap-key --remove bob team.1",
        73: "e2e-wrap-key --new -r bob -o team.1",
        74: "e2e-wrap-key --new -r bob > /dev/full",
        78: "chmod 644 bob.key; e2e-wrap-key -d -i bob.key team.1",
    },
    "e2e-inspect": {
        0: "e2e-inspect letter.e2e",
        1: "e2e-inspect short.e2e",
        5: "e2e-inspect junk",
        6: "e2e-inspect crowded.e2e",
        64: "e2e-inspect a b",
        66: "e2e-inspect none",
        74: "e2e-inspect letter.e2e > /dev/full",
        78: 'rm -r "$XDG_CONFIG_HOME/e2e/contacts"; '
            'ln -s contacts "$XDG_CONFIG_HOME/e2e/contacts"; '
            "e2e-inspect letter.e2e",
    },
    "e2e-send": {
        0: f"relay; e2e-send {AT} letter.e2e",
        1: f"e2e-send {AT} short.e2e",
        3: f"e2e-contact pin bob.revocation && "
           f"e2e-send --to bob {AT} letter.e2e",
        5: f"e2e-send {AT} junk",
        6: f"e2e-send {CROWD} {AT} letter.e2e",
        64: "e2e-send",
        66: f"e2e-send {AT} none",
        73: f"relay; XDG_CONFIG_HOME=/proc e2e-send {AT} letter.e2e",
        74: f"relay; e2e-send {AT} letter.e2e > /dev/full",
        75: "e2e-send --retry 0 unix:none.sock letter.e2e",
        76: f"relay; e2e-send {STRANGER} letter.e2e",
        77: f"relay; e2e-seal -r ./carol.pub letter.txt | e2e-send {AT}",
        78: f"relay; {PINS} e2e-send {AT} letter.e2e",
    },
    "e2e-fetch": {
        0: f"relay; e2e-fetch -i bob.key {AT}",
        5: f"e2e-fetch -i junk.key {AT}",
        6: f"e2e-fetch -i locked.key {LONG} {AT}",
        7: f"e2e-fetch -i locked.key {AT}",
        64: "e2e-fetch",
        66: f"e2e-fetch -i none.key {AT}",
        73: f"relay; e2e-fetch -i bob.key -d letter.txt {AT}",
        74: f"relay; e2e-fetch -i bob.key {AT} > /dev/full",
        75: "e2e-fetch -i bob.key unix:none.sock",
        76: f"relay; e2e-fetch -i bob.key {STRANGER}",
        77: f"relay; e2e-fetch -i carol.key {AT}",
        78: f"chmod 644 bob.key; e2e-fetch -i bob.key {AT}",
    },
    "e2e-directory": {
        0: f"relay; e2e-directory lookup {AT} bob",
        3: f"relay; e2e-directory lookup --pin alice {AT} bob",
        5: f"e2e-directory revoke {AT} junk",
        6: f"e2e-directory register -i locked.key {LONG} {AT}",
        7: f"e2e-directory register -i locked.key {AT}",
        64: f"e2e-directory lookup {AT}",
        66: f"e2e-directory revoke {AT} none",
        73: f"relay; XDG_CONFIG_HOME=/proc "
            f"e2e-directory lookup -n {AT} bob",
        74: f"relay; e2e-directory lookup -n {AT} bob > /dev/full",
        75: "e2e-directory lookup unix:none.sock bob",
        76: f"relay; e2e-directory lookup {STRANGER} bob",
        77: f"relay; e2e-directory lookup {AT} nobody",
        78: f"relay; {PINS} e2e-directory lookup {AT} bob",
    },
    "e2e-relayd": {
        0: "relay; kill $relay_pid; wait $relay_pid",
        5: "e2e-relayd --store store --unix relay.sock -i junk.key",
        64: "e2e-relayd",
        66: "e2e-relayd --store store --unix relay.sock -i none.key",
        73: "e2e-relayd --store store --backup letter.txt",
        74: "e2e-relayd --store store --fingerprint > /dev/full",
        78: "e2e-relayd --store store --unix relay.sock -i locked.key",
    },
}
