"""The primitives, under the names of section 1.2."""

import hashlib
import hmac
import os

from argon2 import low_level as argon2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from .errors import malformed

random = os.urandom
same = hmac.compare_digest

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


def sha256(data):
    """SHA-256(x)."""
    return hashlib.sha256(data).digest()


def hkdf(ikm, info, n=32):
    """HKDF-SHA-256 with an empty salt."""
    return HKDF(hashes.SHA256(), n, None, info).derive(ikm)


def expand512(prk, info, n):
    """HKDF-Expand-SHA-512."""
    return HKDFExpand(hashes.SHA512(), n, info).derive(prk)


def gcm_seal(key, iv, plain, aad=b""):
    """A256GCM: ciphertext and tag."""
    return AESGCM(key).encrypt(iv, plain, aad)


def gcm_open(key, iv, sealed, aad=b""):
    """The plaintext, or None."""
    if len(sealed) < 16:
        return None
    try:
        return AESGCM(key).decrypt(iv, sealed, aad)
    except InvalidTag:
        return None


def kw_wrap(kek, key):
    """A256KW."""
    return keywrap.aes_key_wrap(kek, key)


def kw_unwrap(kek, wrapped):
    """The wrapped 32 bytes, or None."""
    if len(wrapped) != 40:
        return None
    try:
        return keywrap.aes_key_unwrap(kek, wrapped)
    except keywrap.InvalidUnwrap:
        return None


def argon2id(passphrase, salt, t, m, p):
    """Argon2id, version 0x13, 32 bytes; one trailing newline is dropped."""
    if passphrase.endswith(b"\n"):
        passphrase = passphrase[:-1]
    return argon2.hash_secret_raw(passphrase, salt, t, m, p, 32,
                                  argon2.Type.ID, 0x13)


def x25519_shared(secret, public):
    """Z, or None where section 4.3 rejects the public key or the result."""
    if public[31] & 0x80:
        return None
    own = x25519.X25519PrivateKey.from_private_bytes(secret)
    try:
        z = own.exchange(x25519.X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None
    return z if any(z) else None


def x25519_public(secret):
    """The public key of a secret scalar."""
    own = x25519.X25519PrivateKey.from_private_bytes(secret)
    return raw_public(own.public_key())


def raw_public(key):
    """The raw bytes of an Ed25519 or X25519 public key."""
    from cryptography.hazmat.primitives import serialization as s
    return key.public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)


def rsa_unwrap(private, wrapped):
    """RSAES-OAEP decryption, or None."""
    if len(wrapped) != (private.key_size + 7) // 8:
        return None
    try:
        return private.decrypt(wrapped, OAEP)
    except ValueError:
        return None


def rsa_wrap(public, cek, hidden):
    """RSAES-OAEP encryption; hidden entries have the top bit clear."""
    while True:
        em = public.encrypt(cek, OAEP)
        if not hidden or not em[0] & 0x80:
            return em


def require_shared(secret, public):
    """Z for a writer."""
    z = x25519_shared(secret, public)
    if z is None:
        raise malformed("unusable X25519 public key")
    return z
