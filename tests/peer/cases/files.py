"""Secret key files and public key lines (sections 7.5 and 8)."""

from e2epeer import armor, crypto
from e2epeer import labels as L
from e2epeer.armor import b64url
from e2epeer.card import make_card
from e2epeer.cbor import encode
from e2epeer.header import (make_header, make_protected, wrap_passphrase)
from e2epeer.cose import enc_structure, sig_structure
from e2epeer.identity import encode_keyset, make_item, secret_aad, write_file
from e2epeer.keys import ed25519_key, x25519_key

from .base import COST, PASS, raw_map

WITH = {"passphrase": PASS.decode()}


def _armored(item):
    return armor.encode(armor.SECRET_KEY, item, ["test"])


def _item(card, keys):
    keyset = keys if isinstance(keys, bytes) else encode(keys)
    return _armored(b"\x82" + encode(card) + encode(keyset))


def _encrypted(card, keyset, cost=COST, entries=None, **change):
    """An encrypted key file, with parts replaced by name."""
    cek, iv = crypto.random(32), crypto.random(12)
    entries = entries or [wrap_passphrase(cek, PASS, COST)]
    entries[0][1].update({L.PASSES: cost[0], L.MEMORY: cost[1], L.LANES: cost[2]})
    recipients = encode(entries)
    protected = make_protected(cek)
    external = change.get("aad", secret_aad(card, recipients))
    sealed = crypto.gcm_seal(cek, iv, keyset, enc_structure(protected, external))
    header = make_header(protected, change.get("unprotected", {5: iv}), sealed, recipients)
    if "unprotected" in change:
        header = make_header(protected, {5: iv, **change["unprotected"]}, sealed, recipients)
    return _armored(b"\x82" + encode(card) + change.get("wrap", bytes)(header))


def key_files(c):
    """Secret key files; bob's identity throughout."""
    bob, keys = c.p.bob, [k.params for k in c.p.bob.keys]
    card, keyset = bob.card.raw, encode_keyset(bob.keys)
    sign, enc = keys
    retired = x25519_key().params
    add = c.add
    add("plain", 0, "control", _item(card, keys))
    add("encrypted", 0, "control", _encrypted(card, keyset), **WITH)
    add("encrypted-no-passphrase", 7, "no passphrase", _encrypted(card, keyset))
    add("encrypted-wrong", 7, "wrong passphrase", _encrypted(card, keyset),
        passphrase="nonsense")
    add("retired", 0, "a retired key", _item(card, keys + [retired]))
    add("retired-signing", 5, "a retired signing key",
        _item(card, keys + [ed25519_key().params]))
    add("retired-same", 5, "a key twice", _item(card, keys + [enc]))
    add("order", 5, "encryption key first", _item(card, [enc, sign]))
    add("retired-first", 5, "retired key before the current", _item(card, [sign, retired, enc]))
    add("key-missing", 5, "no encryption key", _item(card, [sign]))
    add("empty-set", 5, "no keys", _item(card, []))
    add("other-card", 5, "card of another", _item(c.p.mallory.card.raw, keys))
    add("public-only", 5, "no private member",
        _item(card, [{k: v for k, v in sign.items() if k != -4}, enc]))
    add("uri", 5, "key in hardware",
        _item(card, [{**{k: v for k, v in sign.items() if k != -4},
                      L.KEY_URI: "handle:x"}, enc]))
    add("extra-member", 5, "closed map", _item(card, [{**sign, 2: b"x"}, enc]))
    add("d-31", 5, "length of d", _item(card, [{**sign, -4: bytes(31)}, enc]))
    add("pair-sign", 5, "seed of another key", _item(card, [{**sign, -4: bytes(32)}, enc]))
    add("pair-enc", 5, "scalar of another key", _item(card, [sign, {**enc, -4: retired[-4]}]))
    add("card-altered", 1, "signature of the card",
        _item(card[:-1] + bytes([card[-1] ^ 1]), keys))
    many = [x25519_key().params for _ in range(64)]
    add("keys-64", 0, "L20: just at the limit", _item(card, keys + many[:63]))
    add("keys-65", 6, "L20", _item(card, keys + many))
    _rsa_files(c)
    add("card-expired", 0, "an own card that has expired still opens",
        _item(make_card(bob.keys, exp=1), keys))
    add("set-map", 5, "secret is a map",
        _armored(b"\x82" + encode(card) + encode(sign)))
    add("set-array", 5, "secret is an array", _armored(encode([card, keys])))
    add("set-trailing", 5, "C6 in the key set", _item(card, encode(keys) + b"\0"))
    add("set-unsorted", 5, "C3 in the key set",
        _item(card, encode([raw_map(list(reversed(sign.items()))), enc])))
    item = make_item(bob)
    add("trailing", 5, "C6", _armored(item + b"\0"))
    add("three", 5, "three elements", _armored(b"\x83" + item[1:] + b"\xf6"))
    add("indefinite", 5, "C2", _armored(b"\x9f" + item[1:] + b"\xff"))
    add("card-array", 5, "card not in a bstr",
        _armored(b"\x82" + card + encode(keyset)))
    text = write_file(bob)
    at = text.index(b"-----BEGIN")
    add("no-comments", 0, "no comment lines", text[at:])
    add("crlf", 0, "CRLF", text.replace(b"\n", b"\r\n"))
    add("blank-lines", 0, "white space between and after comments",
        b"# a\n\n \t\n# b\n\n" + text[at:] + b"\n\n")
    add("text-before", 5, "a line that is no comment", b"hello\n" + text)
    add("comment-after", 5, "a comment after END", text + b"# x\n")
    add("comment-inside", 5, "a comment after BEGIN",
        text.replace(b"KEY-----\n", b"KEY-----\n# x\n", 1))
    add("label", 5, "label of a message", text.replace(b"SECRET KEY", b"MESSAGE"))
    add("binary", 5, "no armor", item)
    pad = 262144 - len(text) - 2
    add("262144", 0, "L18: just at the limit", b"#" + b"x" * pad + b"\n" + text)
    add("262145", 6, "L18", b"#" + b"x" * (pad + 1) + b"\n" + text)
    for name, cost in (("m-low", (1, 8191, 1)), ("m-high", (1, 1048577, 1)),
                       ("t-0", (0, 8192, 1)), ("t-17", (17, 8192, 1)),
                       ("p-0", (1, 8192, 0)), ("p-9", (1, 8192, 9))):
        add("cost-" + name, 6, "cost of Argon2id",
            _encrypted(card, keyset, cost), **WITH)
    add("aad", 7, "external_aad of an envelope",
        _encrypted(card, keyset, aad=encode(["e2e1 header", bytes(32)])), **WITH)
    add("rewrap", 5, "a rewrap block", _encrypted(
        card, keyset, unprotected={L.REWRAP: [bytes(12), bytes(40)]}), **WITH)
    add("in-bstr", 5, "COSE_Encrypt in a bstr",
        _encrypted(card, keyset, wrap=encode), **WITH)
    add("set-in-bstr", 5, "key set in a bstr, encrypted",
        _encrypted(card, encode(keyset)), **WITH)
    salt = crypto.random(16)
    two = [[b"", {1: L.ARGON2ID, L.SALT: salt}, bytes(40)] for _ in range(2)]
    two[1][1].update({L.PASSES: 1, L.MEMORY: 8192, L.LANES: 1})
    add("two-entries", 6, "two entries: L8",
        _encrypted(card, keyset, entries=two), **WITH)
    two = [[b"", {1: 99}, b"x"], wrap_passphrase(bytes(32), PASS, COST)]
    add("unknown-entry", 5, "an entry of unknown kind besides",
        _encrypted(card, keyset, entries=two), **WITH)
    swapped = _encrypted(card, keyset)
    raw = armor.decode(armor.SECRET_KEY, swapped, comments=True)
    newer = make_card(bob.keys, serial=bob.card.serial + 1)
    add("card-swapped", 7, "another card of the same identity over the secret",
        _armored(b"\x82" + encode(newer) + raw[1 + len(encode(card)):]), **WITH)


def _rsa_files(c):
    """Private RSA members that are not those of the public ones."""
    carol = c.p.carol
    sign, enc = (k.params for k in carol.keys)
    other = c.p.dave.keys[1].params

    def add(name, status, why, **members):
        labels = {"d": -3, "p": -4, "q": -5, "dp": -6, "dq": -7, "qinv": -8}
        changed = {**enc, **{labels[k]: v for k, v in members.items()}}
        c.add("rsa-" + name, status, why, _item(carol.card.raw, [sign, changed]))

    add("ok", 2, "control: a good key, that does not open it")
    for name, label in (("d", -3), ("dp", -6), ("dq", -7), ("qinv", -8)):
        raw = enc[label]
        add(name + "-altered", 5, "does not fit",
            **{name: raw[:-1] + bytes([raw[-1] ^ 2])})
    add("p-other", 5, "a prime of another key", p=other[-4])
    add("swapped", 5, "p and q exchanged", p=enc[-5], q=enc[-4])
    add("p-leading-zero", 5, "a leading zero", p=b"\0" + enc[-4])
    add("d-empty", 5, "no bytes", d=b"")
    private = {k: v for k, v in enc.items() if k > -4}
    c.add("rsa-no-crt", 5, "no CRT members", _item(carol.card.raw, [sign, private]))


def revocations(c):
    """Revocations; alice, bob and dave are known."""
    alice, mallory = c.p.alice, c.p.mallory

    def made(key=alice, drop=(), protected=None, **claims):
        table = {1: alice.id, L.IAT: 1700000000, L.CTI: bytes(16), L.CNF: {5: alice.id},
                 L.REASON: 0}
        table.update({{"by": 1, "extra": 77}.get(k) or getattr(L, k): v
                      for k, v in claims.items()})
        payload = encode({k: v for k, v in table.items() if k not in drop})
        protected = encode({1: key.signing_key.alg, 4: key.id, 16: L.TYP_REVOCATION,
                            **(protected or {})})
        signature = key.signing_key.sign(sig_structure(protected, b"", payload))
        return b"\xd2" + encode([protected, {}, payload, signature])

    def add(name, status, why, raw, comments=("x",)):
        c.add(name, status, why, armor.encode(armor.REVOCATION, raw, comments))

    good = made()
    add("ok", 0, "control", good)
    add("no-comments", 0, "no comment lines", good, ())
    add("reason-99", 0, "any uint is a reason", made(REASON=99))
    add("invalid-since", 0, "allowed", made(INVALID_SINCE=5))
    add("unknown-claim", 0, "ignored", made(extra=[1]))
    add("rsa", 0, "by an RSA key", made(c.p.dave, by=c.p.dave.id, CNF={5: c.p.dave.id}))
    add("reason-negative", 5, "no uint", made(REASON=-1))
    add("reason-missing", 5, "mandatory", made(drop=(L.REASON,)))
    add("cti-missing", 5, "mandatory", made(drop=(L.CTI,)))
    add("serial", 5, "ends a certificate, not the identity", made(CERT_SERIAL=bytes(16)))
    add("by-other", 5, "mallory about alice",
        made(mallory, by=mallory.id))
    add("kid-other", 5, "kid is not claim 1", made(mallory))
    add("cnf-key", 5, "cnf with a key", made(CNF={1: alice.signing_key.public_map}))
    add("cnf-extra", 5, "closed map", made(CNF={5: alice.id, 6: b""}))
    add("typ", 5, "another typ", made(protected={16: L.TYP_CARD}))
    add("card", 5, "a card", alice.card.raw)
    add("trailing", 5, "C6", good + b"\0")
    add("altered", 1, "signature", good[:-1] + bytes([good[-1] ^ 1]))
    add("alg-other", 5, "alg is not that of the key", made(protected={1: L.PS256}))
    add("unknown-signer", 3, "signer not known",
        made(mallory, by=mallory.id, CNF={5: mallory.id}))
    at = len(made(extra=bytes(3000)))
    add("4096", 0, "L21: just at the limit", made(extra=bytes(3000 + 4096 - at)))
    add("4097", 6, "L21", made(extra=bytes(3000 + 4097 - at)))
    text = armor.encode(armor.REVOCATION, good)
    c.add("binary", 5, "no armor", good)
    c.add("label", 5, "labels differ",
          text.replace(b"END E2E REVOCATION", b"END E2E MESSAGE"))
    c.add("cut", 5, "ends early", text[:-40])


def pub_files(c):
    """Public key lines; the writer seals to them."""
    card, name = c.p.bob.card.raw, b"bob"
    line = b"e2e-pub1 " + b64url(card)
    add = c.add
    add("ok", 0, "control", line + b" " + name + b"\n")
    add("no-name", 0, "no name", line + b"\n")
    add("no-eol", 0, "no end of line", line)
    add("crlf", 0, "CRLF", line + b" bob\r\n")
    add("comments", 0, "comments and empty lines", b"# x\n\n\r\n" + line + b"\n#\n")
    add("name-blanks", 0, "blanks in the name", line + b" bob the builder\n")
    add("two-blanks", 5, "two blanks after the tag", b"e2e-pub1  " + b64url(card) + b"\n")
    add("blank-line", 5, "a line of one blank", line + b"\n \n")
    add("comment-indented", 5, "a blank before the comment", b" # x\n" + line + b"\n")
    add("cr-cr-lf", 5, "CR CR LF", line + b"\r\r\n")
    add("cr-at-end", 5, "CR without LF", line + b"\r")
    add("indented", 5, "blank before the line", b" " + line + b"\n")
    add("tag-only", 5, "no card", b"e2e-pub1\n")
    add("tag-2", 5, "another tag", line.replace(b"pub1", b"pub2") + b"\n")
    add("padded", 5, "base64 with padding", line + b"=\n")
    add("alphabet", 5, "base64, not base64url", line[:20] + b"+" + line[21:] + b"\n")
    add("text", 5, "any other line", line + b"\nhello\n")
    add("trailing", 5, "C6 in the card", b"e2e-pub1 " + b64url(card + b"\0") + b"\n")
    add("altered", 1, "signature", b"e2e-pub1 " + b64url(
        card[:-1] + bytes([card[-1] ^ 1])) + b"\n")
    for n in (1, 2, 3):
        other = make_card(c.p.bob.keys, name="b" * n)
        if len(other) % 3 == 1:
            text = b64url(other)
            last = {b"w": b"x", b"A": b"B", b"Q": b"R", b"g": b"h"}[text[-1:]]
            add("unused-bits", 5, "unused bits set",
                b"e2e-pub1 " + text[:-1] + last + b"\n")
    add("expired", 3, "an expired card is used", b"e2e-pub1 " + b64url(
        make_card(c.p.bob.keys, exp=1)) + b"\n")
    low = {1: 1, 3: L.ECDH, -1: 4, -2: bytes(32)}
    add("low-order", 5, "an X25519 key of low order", b"e2e-pub1 " + b64url(
        make_card(c.p.bob.keys, extra={L.ENC_KEYS: [low]})) + b"\n")
    add("top-bit", 5, "top bit of an X25519 key", b"e2e-pub1 " + b64url(
        make_card(c.p.bob.keys, extra={L.ENC_KEYS: [{**low, -2: bytes(31) + b"\x80"}]})) +
        b"\n")
