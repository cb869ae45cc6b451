#!/usr/bin/python3
"""The worked examples about groups and rewrapping (15.6 and 15.7), from the
inputs of section 15 by the formulas of sections 9 and 10.

    group_examples.py FORMAT.md

prints both blocks as they are in the document.
"""

import re
import sys

from e2epeer import crypto, header
from e2epeer.cbor import Raw, encode
from e2epeer.cose import enc_structure, make_sign1, sig_structure

IAT = 1700000000
CEK, IV, CTI = b"\5" * 32, b"\6" * 12, b"\x09" * 16
K, RANDOM, NAME, EPOCH = b"\x0d" * 32, b"\x0e" * 16, "rowers", 1
REWRAP_IV = b"\x0f" * 12
TAG_WRAPPED_KEY = bytes.fromhex("da65326532")
ENVELOPE_START = bytes.fromhex("da653265319f")


def signature_input(sign1, aad):
    """The Sig_structure of a COSE_Sign1 that was made here."""
    parts, at = [], 2
    for _ in range(3):              # protected, {}, payload
        size, skip = sign1[at], 1
        if size == 0xa0:
            size = 0
        elif size == 0x58:
            size, skip = sign1[at + 1], 2
        elif size == 0x59:
            size, skip = int.from_bytes(sign1[at + 1:at + 3], "big"), 3
        else:
            size -= 0x40
        parts.append(sign1[at + skip:at + skip + size])
        at += skip + size
    return sig_structure(parts[0], aad, parts[2])


def wrapped_key(alice, bob):
    """{name: bytes} of 15.6."""
    kid_input = encode(["e2e1 group", alice.id, RANDOM, NAME, EPOCH])
    kid = crypto.sha256(kid_input)
    protected = header.make_protected(CEK)
    entries = encode([header.wrap_key(CEK, who.keys[1], who.id, ephemeral)
                      for who, ephemeral in ((bob, b"\7" * 32),
                                             (alice, b"\x0c" * 32))])
    rh = crypto.sha256(entries)
    claims = encode({6: IAT, 7: CTI, -65660: {1: 4, 3: -5, -1: K},
                     -65661: NAME, -65662: EPOCH,
                     -65663: [bob.id, alice.id], -65664: RANDOM})
    sender_aad = encode(["e2e1 wrapped sender", protected, IV, rh])
    signed = make_sign1(alice.keys[0], "application/e2e-wrapped-key+cwt",
                        claims, sender_aad)
    header_aad = encode(["e2e1 wrapped header", rh])
    ciphertext = crypto.gcm_seal(CEK, IV, signed,
                                 enc_structure(protected, header_aad))
    w = crypto.kw_wrap(K, CEK)
    return {
        "group_kid_input": kid_input,
        "group_kid": kid,
        "wrapped_R": entries,
        "wrapped_rh": rh,
        "wrapped_claims": claims,
        "wrapped_sender_external_aad": sender_aad,
        "wrapped_metadata": signed,
        "wrapped_external_aad": header_aad,
        "wrapped_ciphertext": ciphertext,
        "wrapped_key": TAG_WRAPPED_KEY + header.make_header(
            protected, {5: IV}, ciphertext, entries),
        "group_W": w,
        "group_entry": encode([b"", {1: -5, 4: kid}, w]),
        "group_entry_hidden": encode([b"", {1: -5}, w]),
        "to_element_group": crypto.sha256(encode(["e2e1 to", CTI, kid])),
    }


def rewrapped(bob, made, ciphertext, rh, envelope):
    """{name: bytes} of 15.7, of the signed envelope."""
    protected = header.make_protected(CEK)
    info = encode(["e2e1 rewrap key"])
    key = crypto.hkdf(CEK, info)
    entries = encode([Raw(made["group_entry"])])
    fixed = encode([protected, IV, ciphertext])
    x = encode(["e2e1 rewrap", crypto.sha256(fixed), crypto.sha256(entries)])
    claims = encode({6: IAT, -65640: rh})
    block = make_sign1(bob.keys[0], "application/e2e-rewrap+cwt", claims, x)
    sealed = crypto.gcm_seal(key, REWRAP_IV, block, x)
    old = envelope.index(ciphertext) + len(ciphertext)
    rest = envelope[envelope.index(b"\x58\x38" + b"\x0a" * 24, old):]
    new = header.make_header(protected, {5: IV, -65602: [REWRAP_IV, sealed]},
                             ciphertext, entries)
    return {
        "rewrap_info": info,
        "rewrap_rk": key,
        "rewrap_R": entries,
        "rewrap_X": x,
        "rewrap_claims": claims,
        "rewrap_sig_structure": signature_input(block, x),
        "rewrap_block": block,
        "rewrap_ct": sealed,
        "rewrap_header": new,
        "rewrap_envelope": ENVELOPE_START + new + rest,
    }


def values(alice, bob, ciphertext, rh, envelope):
    """{name: bytes} of both; the last three of 15.4."""
    made = wrapped_key(alice, bob)
    return {**made, **rewrapped(bob, made, ciphertext, rh, envelope)}


def main():
    """Prints the blocks."""
    import selftest  # pylint: disable=import-outside-toplevel
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    alice, bob = selftest.example_people()
    shown = selftest.vectors(re.sub(r"### 15\.6.*", "", text, flags=re.S))
    made = values(alice, bob, shown["signed_ciphertext"], shown["rh"],
                  shown["signed_envelope"])
    print("```vector")
    for name, value in made.items():
        if name == "rewrap_info":
            print("```\n\n```vector")
        digits = value.hex()
        if len(name) + 3 + len(digits) <= 146:
            print("%s = %s" % (name, digits))
        else:
            print(name + " =")
            for i in range(0, len(digits), 144):
                print("  " + digits[i:i + 144])
    print("```")


if __name__ == "__main__":
    main()
