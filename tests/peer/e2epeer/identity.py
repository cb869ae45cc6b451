"""Secret key files (section 8)."""

import time

from . import armor, crypto
from . import labels as L
from .card import Card, make_card
from .cbor import ARRAY, BSTR, Decoder, decode, encode
from .cose import enc_structure
from .errors import malformed, need_passphrase, over_limit
from .header import (MAX_MEMORY, PASS, make_header, make_protected, matches, parse_header,
                     unwrap_passphrase, wrap_passphrase)
from .keys import ENCRYPTION, check_distinct, generate, parse_key

MAX_FILE = 262144
MAX_ENC_KEYS = 64
DEFAULT_COST = (3, 262144, 4)


class Identity:
    """A card and its private keys: signing key first."""

    def __init__(self, card, keys):
        self.card = card
        self.keys = keys
        self.id = card.id
        self.signing_key = keys[0]
        self.enc_keys = keys[1:]


def new_identity(kind, name=None, **card_args):
    """A new identity of kind rsa2048, rsa3072, rsa4096 or x25519."""
    keys = generate(kind)
    return Identity(Card(make_card(keys, name, **card_args)), keys)


def encode_keyset(keys):
    """The encoded COSE_KeySet."""
    return encode([k.params for k in keys])


def parse_keyset(data, card):
    """The private keys, checked against the card."""
    items = decode(data)
    if not isinstance(items, list):
        raise malformed("key set: shape")
    if len(items) > 1 + MAX_ENC_KEYS:
        raise over_limit("key set: too many keys")
    keys = [parse_key(m, private=True) for m in items]
    wanted = [card.key] + card.enc_keys
    if [k.public for k in keys[:len(wanted)]] != wanted:
        raise malformed("key set: does not belong to the card")
    if any(k.alg not in ENCRYPTION for k in keys[1:]):
        raise malformed("key set: second signing key")
    check_distinct(keys)
    return keys


def secret_aad(card_raw, recipients):
    """The external_aad of an encrypted secret."""
    return encode(["e2e1 secret", crypto.sha256(card_raw), crypto.sha256(recipients)])


def make_secret(keyset, card_raw, passphrase, cost=DEFAULT_COST, cek=None,
                iv=None, salt=None):
    """The COSE_Encrypt of an encrypted key file."""
    cek, iv = cek or crypto.random(32), iv or crypto.random(12)
    recipients = encode([wrap_passphrase(cek, passphrase, cost, salt)])
    protected = make_protected(cek)
    aad = enc_structure(protected, secret_aad(card_raw, recipients))
    sealed = crypto.gcm_seal(cek, iv, keyset, aad)
    return make_header(protected, {5: iv}, sealed, recipients)


def make_item(identity, passphrase=None, **args):
    """The item [card, secret]."""
    keyset = encode_keyset(identity.keys)
    secret = encode(keyset) if passphrase is None else \
        make_secret(keyset, identity.card.raw, passphrase, **args)
    return b"\x82" + encode(identity.card.raw) + secret


def write_file(identity, passphrase=None, **args):
    """The text of a secret key file."""
    comments = ["fingerprint: " + armor.fingerprint(identity.id),
                "created: " + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                identity.card.line.decode()]
    item = make_item(identity, passphrase, **args)
    return armor.encode(armor.SECRET_KEY, item, comments)


def _open_secret(data, pos, card, passphrase, max_memory):
    header = parse_header(data, pos, 1, MAX_FILE, max_memory)
    if len(header.entries) != 1 or header.entries[0].kind != PASS:
        raise malformed("secret: not encrypted by one passphrase")
    if passphrase is None:
        raise need_passphrase()
    cek = matches(header, unwrap_passphrase(header.entries[0], passphrase))
    if cek is None:
        raise need_passphrase()
    external = secret_aad(card.raw, header.recipients)
    plain = crypto.gcm_open(cek, header.iv, header.ciphertext,
                            enc_structure(header.protected, external))
    if plain is None:
        raise need_passphrase()
    return plain, pos + header.size


def parse_item(data, passphrase=None, max_memory=MAX_MEMORY):
    """The identity of an item [card, secret]."""
    dec = Decoder(data)
    if dec.open(ARRAY, "key file: shape") != 2:
        raise malformed("key file: shape")
    card = Card(dec.bstr("key file: card", most=MAX_FILE))
    card.verify()
    if data[dec.pos:dec.pos + 2] == L.TAG_ENCRYPT:
        keyset, dec.pos = _open_secret(data, dec.pos, card, passphrase, max_memory)
    else:
        keyset = dec.take(dec.open(BSTR, "key file: secret"))
    dec.end()
    return Identity(card, parse_keyset(keyset, card))


def read_file(text, passphrase=None, max_memory=MAX_MEMORY):
    """The identity of a secret key file."""
    if len(text) > MAX_FILE:
        raise over_limit("key file: too long")
    item = armor.decode(armor.SECRET_KEY, text, comments=True)
    return parse_item(item, passphrase, max_memory)
