"""Recipient entries (section 4)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from e2epeer import crypto
from e2epeer import labels as L
from e2epeer.cbor import Raw, encode
from e2epeer.header import make_protected, wrap_key, wrap_passphrase, x25519_kek

from .base import COST, PASS, fixed, nest, raw_map

LOW_ORDER = {
    "zero": bytes(32),
    "one": b"\x01" + bytes(31),
    "order8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "order8b": bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    "minus-one": bytes.fromhex("ec" + "ff" * 30 + "7f"),
    "p": bytes.fromhex("ed" + "ff" * 30 + "7f"),
    "p-plus-one": bytes.fromhex("ee" + "ff" * 30 + "7f"),
}


def _first(change):
    """A hook that changes the first entry as a list [protected, map, wrapped]."""
    def apply(entries, state):
        entry = [entries[0][0], dict(entries[0][1]), entries[0][2]]
        return [change(entry, state) or entry] + entries[1:]
    return apply


def _set(key, value):
    def change(entry, _state):
        entry[1][key] = value
    return _first(change)


def _drop(key):
    def change(entry, _state):
        del entry[1][key]
    return _first(change)


def _epk(function):
    def change(entry, _state):
        entry[1][-1] = function(dict(entry[1][-1]))
    return _first(change)


def _wrapped(function):
    def change(entry, state):
        entry[2] = function(entry[2], state)
    return _first(change)


def _protected(value):
    def change(entry, _state):
        entry[0] = value
    return _first(change)


def _shape(function):
    return _first(lambda entry, state: function(entry))


def _x25519(c):
    def case(name, status, why, hook, **args):
        c.hook("x25519-" + name, status, why, "entries", hook, **args)

    case("kid-31", 5, "kid of 31 bytes", _set(4, bytes(31)))
    case("kid-text", 5, "kid is text", _set(4, "x" * 32))
    case("kid-null", 5, "kid is null", _set(4, None))
    case("extra-member", 5, "closed map", _set(5, bytes(12)))
    case("alg-unprotected", 5, "alg again in the unprotected map", _set(1, -31))
    case("no-epk", 5, "no ephemeral key", _drop(-1))
    case("epk-31", 5, "epk of 31 bytes", _epk(lambda k: {**k, -2: bytes(31)}))
    case("epk-crv", 5, "epk on another curve", _epk(lambda k: {**k, -1: 6}))
    case("epk-kty", 5, "epk of type EC2", _epk(lambda k: {**k, 1: 2}))
    case("epk-alg", 5, "epk with an alg", _epk(lambda k: {**k, 3: -31}))
    case("epk-unsorted", 5, "C3 in epk",
         _epk(lambda k: raw_map([(-1, 4), (1, 1), (-2, k[-2])])))
    case("epk-true", 5, "kty is true, not 1", _epk(lambda k: {**k, 1: True}))
    case("wrapped-null", 5, "wrapped is null", _wrapped(lambda w, s: None))
    case("wrapped-39", 2, "W of 39 bytes: failed unwrapping", _wrapped(lambda w, s: w[:-1]))
    case("wrapped-41", 2, "W of 41 bytes", _wrapped(lambda w, s: w + b"\0"))
    case("wrapped-48", 2, "W of 48 bytes", _wrapped(lambda w, s: w + bytes(8)))
    case("wrapped-empty", 2, "W of 0 bytes", _wrapped(lambda w, s: b""))
    case("wrapped-altered", 2, "W altered", _wrapped(lambda w, s: bytes([w[0] ^ 1]) + w[1:]))
    case("fourth-element", 5, "a fourth element", _shape(lambda e: e + [[]]))
    case("protected-es", 2, "alg -25: an unknown kind", _protected(bytes.fromhex("a1013818")))
    case("protected-extra", 2, "another protected map is another, unknown kind",
         _protected(encode({1: -31, 4: b"x"})))
    case("protected-long-form", 2, "alg not in shortest form: an unknown kind",
         _protected(bytes.fromhex("a10139001e")))

    def context(entry, state):
        eph = crypto.random(32)
        z = crypto.require_shared(eph, c.p.bob.enc_keys[0].params[-2])
        entry[1][-1] = {1: 1, -1: 4, -2: crypto.x25519_public(eph)}
        entry[2] = crypto.kw_wrap(crypto.hkdf(z, b""), state.cek)
    case("kdf-context", 2, "KEK without the KDF context", _first(context))

    def known_kek(point, z=bytes(32)):
        def change(entry, state):
            entry[1][-1] = {1: 1, -1: 4, -2: point}
            entry[2] = crypto.kw_wrap(x25519_kek(z), state.cek)
        return _first(change)

    for name, point in LOW_ORDER.items():
        case("low-order-" + name, 2, "all-zero Z", known_kek(point))

    def top_bit(entry, state):
        entry[1][-1] = {**entry[1][-1]}
        point = bytearray(entry[1][-1][-2])
        point[31] |= 0x80
        entry[1][-1][-2] = bytes(point)
    case("epk-top-bit", 2, "top bit of epk: failed unwrapping", _first(top_bit))
    case("kid-not-encryption-key", 2, "bob's encryption key under mallory's kid",
         lambda e, s: [wrap_key(s.cek, c.p.bob.enc_keys[0], c.p.mallory.id)])
    case("kid-of-encryption-key", 2, "kid is the thumbprint of the encryption key",
         lambda e, s: [wrap_key(s.cek, c.p.bob.enc_keys[0],
                                c.p.bob.enc_keys[0].thumbprint)])
    case("decoy-first", 0, "an entry that fails, then one that opens",
         lambda e, s: [[e[0][0], e[0][1], bytes(40)]] + e)
    case("decoy-other-cek", 0, "an entry with another CEK, then the right one",
         lambda e, s: [wrap_key(bytes(32), c.p.bob.enc_keys[0], c.p.bob.id)] + e)


def _rsa(c):
    opener = {"key": "carol"}
    public = c.p.carol.enc_keys[0].load_public()

    def case(name, status, why, hook, hidden=False, expect=None):
        c.hook("rsa-" + name, status, why, "entries", hook, {**opener, **(expect or {})},
               to=("carol",), hidden=hidden)

    def em(make):
        return _wrapped(lambda w, s: make(s.cek))

    case("ok", 0, "control", lambda e, s: e)
    case("ok-hidden", 0, "control", lambda e, s: e, hidden=True)
    case("extra-member", 5, "closed map", _set(5, bytes(12)))
    case("kid-31", 5, "kid of 31 bytes", _set(4, bytes(31)))
    case("null", 5, "wrapped is null", _wrapped(lambda w, s: None))
    case("fourth-element", 5, "a fourth element", _shape(lambda e: e + [[]]))
    case("protected-a0", 2, "protected << {} >> is not empty: unknown kind", _protected(b"\xa0"))
    case("em-short", 2, "EM one byte short", _wrapped(lambda w, s: w[:-1]))
    case("em-long", 2, "EM one byte longer, leading zero", _wrapped(lambda w, s: b"\0" + w))
    case("em-ff", 2, "EM above the modulus", _wrapped(lambda w, s: b"\xff" * len(w)))
    case("em-zero", 2, "EM is 0", _wrapped(lambda w, s: bytes(len(w))))
    case("cek-31", 2, "31 bytes wrapped", em(lambda k: public.encrypt(k[:31], crypto.OAEP)))
    case("cek-33", 2, "33 bytes wrapped",
         em(lambda k: public.encrypt(k + b"\0", crypto.OAEP)))
    case("pkcs1v15", 2, "PKCS #1 v1.5", em(lambda k: public.encrypt(k, padding.PKCS1v15())))
    sha1 = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    mgf1 = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA256(), None)
    label = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"e2e")
    for name, scheme in (("sha1", sha1), ("mgf1-sha1", mgf1), ("label", label)):
        case("oaep-" + name, 2, "OAEP with other parameters",
             em(lambda k, scheme=scheme: public.encrypt(k, scheme)))

    def hidden_top(entry, state):
        while True:
            entry[2] = public.encrypt(state.cek, crypto.OAEP)
            if entry[2][0] & 0x80:
                return
    case("hidden-top-bit", 0, "readers do not check the top bit", _first(hidden_top),
         True)

    def fill(n):
        size = c.p.carol.enc_keys[0].length
        return [[b"", {1: L.OAEP}, b"\x10" + crypto.random(size - 1)] for _ in range(n)]
    case("trials-128-last", 0, "L12: the 128th trial opens",
         lambda e, s: fill(127) + e, True)
    case("trials-128", 2, "L12: 128 trials, none opens", lambda e, s: fill(128), True)
    case("trials-129-last", 6, "L12: the 129th would open", lambda e, s: fill(128) + e, True)
    other = [[b"", {1: L.OAEP}, bytes(384)]]
    case("trials-other-length", 6, "L12: entries with an EM of another length count",
         lambda e, s: other * 128 + e, True)
    case("trials-127-other-length", 0, "and the 128th is tried",
         lambda e, s: other * 127 + e, True)
    case("trials-no-key-of-the-kind", 0, "L12 is for who has an RSA key",
         lambda e, s: fill(200) + [wrap_key(s.cek, c.p.bob.enc_keys[0])], True,
         expect={"key": "bob"})
    case("trials-with-kid", 0, "entries with a foreign kid are no trials",
         lambda e, s: [[b"", {1: L.OAEP, 4: bytes(32)}, crypto.random(256)]] * 200 + e)
    case("trials-129-with-kid", 6, "L12: entries with the own kid are trials, too",
         lambda e, s: [[b"", {1: L.OAEP, 4: c.p.carol.id}, crypto.random(256)]] * 128 + e)
    case("trials-then-kid", 0, "129 entries without kid after the one that opens",
         lambda e, s: e + fill(129))


def _passphrase(c):
    mine = {"key": None, "passphrase": PASS.decode()}

    def case(name, status, why, hook, expect=None):
        c.hook("pass-" + name, status, why, "entries", hook,
               {**mine, **(expect or {})}, to=(), passphrase=PASS)

    case("ok", 0, "control", lambda e, s: e)
    case("wrong", 7, "another passphrase", lambda e, s: e, {"passphrase": "nonsense"})
    case("none", 7, "no passphrase given, and no other entry", lambda e, s: e,
         {"passphrase": None, "key": "bob"})
    case("altered", 7, "W altered", _wrapped(lambda w, s: bytes([w[0] ^ 1]) + w[1:]))
    case("wrapped-48", 7, "W of 48 bytes", _wrapped(lambda w, s: w + bytes(8)))
    case("null", 5, "wrapped is null", _wrapped(lambda w, s: None))
    case("salt-15", 5, "salt of 15 bytes", _set(L.SALT, bytes(15)))
    case("t-missing", 5, "t missing", _drop(L.PASSES))
    case("m-text", 5, "m is text", _set(L.MEMORY, "8192"))
    case("t-negative", 5, "t is negative", _set(L.PASSES, -1))
    case("extra", 5, "closed map", _set(4, bytes(32)))
    case("newline", 0, "one trailing newline does not count",
         lambda e, s: [wrap_passphrase(s.cek, PASS + b"\n", COST)])
    for name, key, value in (
            ("m-low", L.MEMORY, 8191), ("m-high", L.MEMORY, 1048577),
            ("m-huge", L.MEMORY, 2**64 - 1), ("t-0", L.PASSES, 0),
            ("t-17", L.PASSES, 17), ("p-0", L.LANES, 0), ("p-9", L.LANES, 9)):
        case(name, 6, "cost of Argon2id", _set(key, value))
    case("twice", 6, "L8", lambda e, s: e + [wrap_passphrase(s.cek, PASS, COST)])

    def cost(entries, state):
        entry = wrap_passphrase(state.cek, PASS, COST)
        entry[1][L.MEMORY] = 2**32
        return entries + [entry]
    c.hook("pass-cost-behind-key", 6, "cost is checked although a key would open",
           "entries", cost)

    def also(entries, state):
        return entries + [wrap_passphrase(state.cek, PASS, COST)]

    def flooded(entries, state):
        return entries + [[b"", {1: L.OAEP}, bytes(256)]] * 129
    case("flooded", 0, "129 hidden RSA entries, no RSA key", flooded, {"key": "bob"})
    case("flooded-rsa-key", 6, "keys come first, and L12 ends the search", flooded,
         {"key": "carol"})
    c.hook("pass-right-key-tried", 0, "a key was tried, then the passphrase opens",
           "entries", also, {**mine, "key": "mallory"}, hidden=True)
    c.hook("pass-wrong-key-tried", 2, "a key was tried, then a wrong passphrase",
           "entries", also, {"key": "mallory", "passphrase": "nonsense"}, hidden=True)
    c.hook("pass-or-key-neither", 7, "key does not apply, a passphrase could",
           "entries", also, {"key": "mallory"})
    c.hook("pass-or-hidden-neither", 2, "a key was tried",
           "entries", also, {"key": "mallory"}, hidden=True)
    c.hook("pass-aad", 7, "kc fits but the ciphertext does not: as step 3",
           "header_aad", fixed(b""), mine, to=(), passphrase=PASS)


def _others(c):
    def with_entry(name, status, why, entry, **more):
        c.hook("entry-" + name, status, why, "entries", lambda e, s: [entry] + e, **more)

    with_entry("unknown-alg", 0, "unknown kind is skipped", [b"", {1: 99}, b"x"])
    with_entry("unknown-hpke", 0, "reserved kind is skipped", [b"", {1: 57, 4: bytes(32)}, b"x"])
    with_entry("unknown-no-alg", 0, "unknown kind: no alg", [b"", {}, None])
    with_entry("unknown-text-alg", 0, "unknown kind: alg is text", [b"", {1: "x"}, b""])
    with_entry("unknown-true-alg", 0, "unknown kind: alg is true", [b"", {1: True}, b""])
    with_entry("unknown-protected", 0, "protected of unknown kinds is not decoded",
               [b"\xff\xff", {}, None])
    with_entry("unknown-fourth", 0, "unknown kind with a fourth element",
               [b"\xa0", {1: -6}, b"", [[b"", {1: -3}, b"x"]]])
    with_entry("unknown-fourth-map", 5, "fourth element is no array", [b"", {}, b"", {}])
    with_entry("two-elements", 5, "shape", [b"", {}])
    with_entry("five-elements", 5, "shape", [b"", {}, b"", [], []])
    with_entry("wrapped-int", 5, "shape", [b"", {}, 0])
    with_entry("protected-map", 5, "shape", [{}, {}, b""])
    with_entry("unprotected-array", 5, "shape", [b"", [], b""])
    with_entry("is-map", 5, "shape", {})
    with_entry("text-key", 5, "C5 in an unknown entry", [b"", Raw(b"\xa1\x61a\x00"), b""])
    with_entry("float", 5, "C8 in an unknown entry", [b"", {9: Raw(b"\xf9\x00\x00")}, b""])
    with_entry("tag", 5, "C10 in an unknown entry", [b"", {9: Raw(b"\xd8\x60\x80")}, b""])
    with_entry("depth-8", 0, "C11: levels 6, 7 and 8 inside the map at level 5, "
               "the outer array being level 1", [b"", {9: nest(3)}, b""])
    with_entry("depth-9", 5, "C11: level 9, the outer array being level 1",
               [b"", {9: nest(4)}, b""])
    with_entry("depth-10", 5, "C11: level 10", [b"", {9: nest(5)}, b""])
    with_entry("group", 0, "group keys are skipped", [b"", {1: -5, 4: bytes(32)}, bytes(40)])
    with_entry("group-hidden", 0, "group keys are skipped", [b"", {1: -5}, bytes(40)])
    with_entry("group-kid-31", 5, "a known kind that deviates",
               [b"", {1: -5, 4: bytes(31)}, bytes(40)])
    with_entry("group-extra", 5, "a known kind that deviates", [b"", {1: -5, 9: 0}, bytes(40)])
    with_entry("group-null", 5, "a known kind that deviates", [b"", {1: -5}, None])
    with_entry("group-fourth", 5, "a known kind that deviates", [b"", {1: -5}, b"", []])
    with_entry("member-before-alg", 5, "key 0 before alg -41: recognized, and deviates",
               [b"", {0: 0, 1: L.OAEP}, bytes(256)])
    with_entry("member-before-alg-unknown", 0, "key 0 before an unknown alg",
               [b"", {0: 0, 1: 99}, bytes(256)])
    with_entry("wrong-x25519-alg", 0, "empty protected and alg -31: unknown",
               [b"", {1: -31}, bytes(40)])
    with_entry("protected-oaep", 0, "<< {1: -41} >> as protected: unknown",
               [encode({1: L.OAEP}), {}, bytes(256)])
    c.case("not-mine", 2, "for another", to=("mallory",))
    c.case("not-mine-hidden", 2, "for another, hidden", to=("mallory",), hidden=True)
    c.case("not-mine-rsa", 2, "for another of another kind", to=("carol",))
    c.hook("only-unknown", 2, "only entries of unknown kinds", "entries",
           fixed([[b"", {1: 99}, b"x"]]))
    c.case("cek-of-24", 2, "W of 32 bytes wraps 24", hooks={
        "entries": _wrapped(lambda w, s: w[:32]),
        "protected": lambda p, s: make_protected(s.cek[:24])})


def add(c):
    """All cases of this module."""
    _x25519(c)
    _rsa(c)
    _passphrase(c)
    _others(c)
