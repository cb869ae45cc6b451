"""Headers and their recipient entries (3 and 4), for envelopes and key files."""

from dataclasses import dataclass

from . import crypto
from . import labels as L
from .cbor import ARRAY, MAP, Decoder, decode, encode, is_bstr, is_int, is_uint
from .errors import malformed, over_limit

MAX_HEADER = 1048576
MAX_RECIPIENTS = 1024
MAX_METADATA = 65536
MAX_REWRAP = 65552
MAX_MEMORY = 1048576
X25519_PROTECTED = bytes.fromhex("a101381e")
KDF_CONTEXT = bytes.fromhex("842483f6f6f683f6f6f68219010044a101381e")
KC_INFO = encode(["e2e1 kc", 3])
RSA, X25519, GROUP, PASS, UNKNOWN = "rsa", "x25519", "group", "passphrase", "unknown"
PUBLIC_KEY_KINDS = (RSA, X25519)
HIDEABLE = (RSA, X25519, GROUP)


@dataclass
class Entry:
    """A parsed recipient entry; kid is None in hidden ones."""

    kind: str
    wrapped: bytes = None
    kid: bytes = None
    epk: bytes = None
    salt: bytes = None
    cost: tuple = None


@dataclass
class Header:
    """A parsed header; `size` is its encoded length."""

    protected: bytes
    kc: bytes
    iv: bytes
    ciphertext: bytes
    entries: list
    recipients: bytes
    rewrap: list
    size: int

    @property
    def rh(self):
        """The hash over the R that is there (for a rewrapped one see opening)."""
        return crypto.sha256(self.recipients)


def make_protected(cek):
    """The 42 bytes inside P."""
    return encode({1: L.A256GCM, L.KC: crypto.hkdf(cek, KC_INFO)})


def make_header(protected, unprotected, ciphertext, recipients):
    """The encoded header from its parts; recipients are encoded already."""
    return (L.TAG_ENCRYPT + b"\x84" + encode(protected) + encode(unprotected) +
            encode(ciphertext) + recipients)


def _range(value, low, high, text):
    if not low <= value <= high:
        raise over_limit("passphrase entry: " + text)


def _closed(params, needed, optional=()):
    keys = set(params)
    if not set(needed) <= keys or not keys <= set(needed) | set(optional):
        raise malformed("recipient: members of a known kind")
    if 4 in params and not is_bstr(params[4], 32):
        raise malformed("recipient: kid")


def parse_entry(item, max_memory=MAX_MEMORY):
    """Checks one decoded recipient entry."""
    if not isinstance(item, list) or len(item) not in (3, 4):
        raise malformed("recipient: shape")
    protected, params, wrapped = item[:3]
    if not is_bstr(protected) or not isinstance(params, dict) or \
            not (wrapped is None or is_bstr(wrapped)):
        raise malformed("recipient: shape")
    if len(item) == 4 and not isinstance(item[3], list):
        raise malformed("recipient: shape")
    alg = params.get(1)
    if protected == X25519_PROTECTED:
        kind = X25519
    elif protected == b"" and is_int(alg):
        kind = {L.OAEP: RSA, L.A256KW: GROUP, L.ARGON2ID: PASS}.get(alg, UNKNOWN)
    else:
        kind = UNKNOWN
    if kind == UNKNOWN:
        return Entry(UNKNOWN)
    if len(item) != 3 or wrapped is None:
        raise malformed("recipient: shape of a known kind")
    entry = Entry(kind, wrapped)
    if kind == X25519:
        _closed(params, (-1,), (4,))
        epk = params[-1]
        if not isinstance(epk, dict) or set(epk) != {1, -1, -2} or \
                not is_int(epk[1], 1) or not is_int(epk[-1], 4) or \
                not is_bstr(epk[-2], 32):
            raise malformed("recipient: ephemeral key")
        entry.epk = epk[-2]
    elif kind == PASS:
        _closed(params, (1, L.SALT, L.PASSES, L.MEMORY, L.LANES))
        t, m, p = (params[k] for k in (L.PASSES, L.MEMORY, L.LANES))
        if not (is_bstr(params[L.SALT], 16) and is_uint(t) and is_uint(m) and
                is_uint(p)):
            raise malformed("recipient: Argon2id parameters")
        _range(t, 1, 16, "passes")
        _range(m, 8192, max_memory, "memory")
        _range(p, 1, 8, "lanes")
        entry.salt, entry.cost = params[L.SALT], (t, m, p)
    else:
        _closed(params, (1,), (4,))
    entry.kid = params.get(4)
    return entry


def _read_unprotected(dec, rewrap):
    """(IV, rewrap block or None), each checked where it stands."""
    count, last = dec.open(MAP, "header: unprotected map"), b""
    if count not in ((1, 2) if rewrap else (1,)):
        raise malformed("header: unprotected map")
    key, last = dec.key(last)
    if key != 5:
        raise malformed("header: unprotected map")
    iv = dec.bstr("header: IV", exact=12)
    if count == 1:
        return iv, None
    if dec.key(last)[0] != L.REWRAP or dec.open(ARRAY, "header: rewrap block") != 2:
        raise malformed("header: rewrap block")
    return iv, [dec.bstr("rewrap block: IV", exact=12),
                dec.bstr("rewrap block: ciphertext", most=MAX_REWRAP)]


def parse_header(data, pos, depth, max_ciphertext=MAX_METADATA + 16,
                 max_memory=MAX_MEMORY, rewrap=False):
    """Parses the header at pos; depth is the number of arrays around it.

    Only where `rewrap` says so there may be a rewrap block.
    """
    dec = Decoder(data, pos, pos + MAX_HEADER)
    dec.expect(L.TAG_ENCRYPT, "header: not a COSE_Encrypt")
    if dec.open(ARRAY, "header: shape") != 4:
        raise malformed("header: shape")
    protected = dec.bstr("header: protected", exact=42)
    params = decode(protected)
    if not isinstance(params, dict) or set(params) != {1, L.KC} or \
            not is_int(params[1], L.A256GCM) or not is_bstr(params[L.KC], 32):
        raise malformed("header: protected map")
    iv, block = _read_unprotected(dec, rewrap)
    ciphertext = dec.bstr("header: ciphertext", most=max_ciphertext)
    if len(ciphertext) < 16:
        raise malformed("header: ciphertext shorter than its tag")
    start = dec.pos
    count = dec.open(ARRAY, "header: recipients")
    if count == 0:
        raise malformed("header: no recipients")
    if count > MAX_RECIPIENTS:
        raise over_limit("header: too many recipients")
    entries = []
    for _ in range(count):
        entry = parse_entry(dec.item(depth + 2), max_memory)
        if entry.kind == PASS and any(e.kind == PASS for e in entries):
            raise over_limit("header: two passphrase entries")
        entries.append(entry)
    return Header(protected, params[L.KC], iv, ciphertext, entries,
                  bytes(data[start:dec.pos]), block, dec.pos - pos)


def matches(header, cek):
    """The CEK if it is the one committed to, else None."""
    good = cek is not None and len(cek) == 32
    if not good:
        cek = crypto.random(32)
    params = decode(make_protected(cek))
    equal = crypto.same(params[L.KC], header.kc)
    return cek if good and equal else None


def x25519_kek(z):
    """The KEK of an X25519 entry."""
    return crypto.hkdf(z, KDF_CONTEXT)


def unwrap_key(entry, key):
    """The unwrapped bytes of an entry by this private or group key, or None."""
    if entry.kind == GROUP:
        return crypto.kw_unwrap(key, entry.wrapped)
    if entry.kind == RSA:
        return crypto.rsa_unwrap(key.load_private(), entry.wrapped)
    z = crypto.x25519_shared(key.params[-4], entry.epk)
    return None if z is None else crypto.kw_unwrap(x25519_kek(z), entry.wrapped)


def unwrap_passphrase(entry, passphrase):
    """The unwrapped bytes of a passphrase entry, or None."""
    kek = crypto.argon2id(passphrase, entry.salt, *entry.cost)
    return crypto.kw_unwrap(kek, entry.wrapped)


def wrap_key(cek, key, kid=None, ephemeral=None):
    """The entry for a public encryption key; hidden without kid."""
    known = {} if kid is None else {4: kid}
    if key.alg == L.OAEP:
        em = crypto.rsa_wrap(key.load_public(), cek, kid is None)
        return [b"", {1: L.OAEP, **known}, em]
    ephemeral = ephemeral or crypto.random(32)
    z = crypto.require_shared(ephemeral, key.params[-2])
    epk = {1: 1, -1: 4, -2: crypto.x25519_public(ephemeral)}
    return [X25519_PROTECTED, {**known, -1: epk}, crypto.kw_wrap(x25519_kek(z), cek)]


def wrap_group(cek, group, hidden):
    """The entry for who holds a group key."""
    known = {} if hidden else {4: group.kid}
    return [b"", {1: L.A256KW, **known}, crypto.kw_wrap(group.key, cek)]


def wrap_passphrase(cek, passphrase, cost, salt=None):
    """The passphrase entry; cost is (t, m, p)."""
    salt = salt or crypto.random(16)
    kek = crypto.argon2id(passphrase, salt, *cost)
    t, m, p = cost
    return [b"", {1: L.ARGON2ID, L.SALT: salt, L.PASSES: t, L.MEMORY: m,
                  L.LANES: p}, crypto.kw_wrap(kek, cek)]
