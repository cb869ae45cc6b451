"""One command line for each exit status that a page lists.

70 (the crypto library fails) and 75 (no memory) cannot be had from outside;
the fault injection tests reach them.
"""

UNREACHABLE = {70, 75}

LONG = "--passphrase-file long"
OPEN = "--passphrase-file open-passphrase"
NOWHERE = "XDG_CONFIG_HOME= HOME= "

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
}
