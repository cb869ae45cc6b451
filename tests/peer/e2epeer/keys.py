"""COSE_Keys, thumbprints, key sets and identities (7.1 to 7.3)."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from . import crypto
from . import labels as L
from .cbor import encode, is_bstr, is_int
from .errors import malformed, over_limit

RSA_PRIVATE = (-3, -4, -5, -6, -7, -8)
CURVE = {L.EDDSA: 6, L.ECDH: 4}
KTY = {L.PS256: 3, L.OAEP: 3, L.EDDSA: 1, L.ECDH: 1}
SIGNING, ENCRYPTION = (L.PS256, L.EDDSA), (L.OAEP, L.ECDH)


def _int(raw):
    return int.from_bytes(raw, "big")


def _raw(n):
    return n.to_bytes((n.bit_length() + 7) // 8, "big")


class Key:
    """One COSE_Key; `params` is its map, with or without private members."""

    def __init__(self, params):
        self.params = params
        self.alg = params[3]
        self.kty = params[1]
        self.is_private = (-3 in params) if self.kty == 3 else (-4 in params)
        self._loaded = {}

    def __eq__(self, other):
        return isinstance(other, Key) and self.params == other.params

    @property
    def public_map(self):
        """The public members."""
        keys = (1, 3, -1, -2)
        return {k: self.params[k] for k in keys}

    @property
    def public(self):
        """The key without its private members."""
        return Key(self.public_map)

    @property
    def thumbprint(self):
        """RFC 9679, without alg."""
        return crypto.sha256(self.thumbprint_input)

    @property
    def thumbprint_input(self):
        """The bytes that are hashed for the thumbprint."""
        return encode({k: self.params[k] for k in (1, -1, -2)})

    @property
    def length(self):
        """Length of a signature, or of EM, by this key."""
        return 64 if self.kty == 1 else len(self.params[-1])

    def load_public(self):
        """The key as an object of the cryptography library."""
        if "public" not in self._loaded:
            if self.alg == L.EDDSA:
                obj = ed25519.Ed25519PublicKey.from_public_bytes(self.params[-2])
            else:
                obj = rsa.RSAPublicNumbers(_int(self.params[-2]),
                                           _int(self.params[-1])).public_key()
            self._loaded["public"] = obj
        return self._loaded["public"]

    def load_private(self):
        """The private key as an object of the cryptography library."""
        if "private" not in self._loaded:
            m = self.params
            if self.alg == L.EDDSA:
                obj = ed25519.Ed25519PrivateKey.from_private_bytes(m[-4])
            else:
                n = {k: _int(m[k]) for k in (-1, -2) + RSA_PRIVATE}
                public = rsa.RSAPublicNumbers(n[-2], n[-1])
                obj = rsa.RSAPrivateNumbers(n[-4], n[-5], n[-3], n[-6], n[-7],
                                            n[-8], public).private_key()
            self._loaded["private"] = obj
        return self._loaded["private"]

    def sign(self, data):
        """A raw signature."""
        if self.alg == L.EDDSA:
            return self.load_private().sign(data)
        return self.load_private().sign(data, crypto.PSS, hashes.SHA256())

    def verify(self, signature, data):
        """True if the signature verifies."""
        if len(signature) != self.length:
            return False
        try:
            if self.alg == L.EDDSA:
                self.load_public().verify(signature, data)
            else:
                self.load_public().verify(signature, data, crypto.PSS,
                                          hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


def _check_rsa(m):
    for label in (-1, -2) + tuple(k for k in RSA_PRIVATE if k in m):
        if not is_bstr(m[label]):
            raise malformed("RSA key: a member is no bstr")
        if m[label][:1] in (b"", b"\0"):
            raise malformed("RSA key: leading zero byte, or none at all")
    n, e = _int(m[-1]), _int(m[-2])
    if not (n & 1 and 2048 <= n.bit_length() <= 4096):
        raise over_limit("RSA key: modulus")
    if not (e & 1 and 65537 <= e < 1 << 32):
        raise over_limit("RSA key: public exponent")


def _check_okp(m):
    if not is_int(m[-1], CURVE[m[3]]) or not is_bstr(m[-2], 32):
        raise malformed("OKP key: crv or x")
    if m[3] == L.ECDH and m[-2][31] & 0x80:
        raise malformed("X25519 key: top bit")
    if -4 in m and not is_bstr(m[-4], 32):
        raise malformed("OKP key: d")


def _check_pair(key):
    """The private members belong to the public ones."""
    if key.alg == L.ECDH:
        matches = crypto.x25519_public(key.params[-4]) == key.params[-2]
    elif key.alg == L.EDDSA:
        public = key.load_private().public_key()
        matches = crypto.raw_public(public) == key.params[-2]
    else:
        try:
            key.load_private()
            matches = True
        except ValueError:
            matches = False
    if not matches:
        raise malformed("private and public members do not agree")


def parse_key(m, private):
    """A checked Key from a decoded COSE_Key."""
    if not isinstance(m, dict) or not is_int(m.get(1)) or not is_int(m.get(3)):
        raise malformed("COSE_Key: shape")
    if KTY.get(m[3]) != m[1]:
        raise malformed("COSE_Key: kty and alg")
    members = {1, 3, -1, -2}
    if private:
        if L.KEY_URI in m:
            raise malformed("keys in hardware are not supported")
        members |= set(RSA_PRIVATE) if m[1] == 3 else {-4}
    if set(m) != members:
        raise malformed("COSE_Key: members")
    (_check_rsa if m[1] == 3 else _check_okp)(m)
    key = Key(m)
    if m[1] == 3:
        try:
            key.load_public()
        except ValueError:
            raise malformed("RSA key: not usable") from None
    if private:
        _check_pair(key)
    return key


def check_distinct(keys):
    """All keys of an identity have different thumbprints."""
    if len({k.thumbprint for k in keys}) != len(keys):
        raise malformed("two keys of an identity have the same thumbprint")


def rsa_key(bits, alg):
    """A new RSA key."""
    private = rsa.generate_private_key(65537, bits)
    n = private.private_numbers()
    values = {-1: n.public_numbers.n, -2: n.public_numbers.e, -3: n.d,
              -4: n.p, -5: n.q, -6: n.dmp1, -7: n.dmq1, -8: n.iqmp}
    return Key({1: 3, 3: alg, **{k: _raw(v) for k, v in values.items()}})


def ed25519_key(seed=None):
    """An Ed25519 key from a seed."""
    seed = seed or crypto.random(32)
    public = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return Key({1: 1, 3: L.EDDSA, -1: 6, -2: crypto.raw_public(public), -4: seed})


def x25519_key(secret=None):
    """An X25519 key from a scalar."""
    secret = secret or crypto.random(32)
    return Key({1: 1, 3: L.ECDH, -1: 4, -2: crypto.x25519_public(secret),
                -4: secret})


def generate(kind):
    """[signing key, encryption key] of kind rsa2048, ..., x25519."""
    if kind == "x25519":
        return [ed25519_key(), x25519_key()]
    bits = int(kind[3:])
    return [rsa_key(bits, L.PS256), rsa_key(bits, L.OAEP)]
