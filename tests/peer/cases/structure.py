"""CBOR rules, frame of the header, P and the unprotected map."""

from e2epeer import crypto
from e2epeer import labels as L
from e2epeer.cbor import Raw, encode
from e2epeer.header import make_header, make_protected

from .base import DATA, fixed, nest, put, raw_map


def _replace(old, new, count=1):
    def apply(value, _state):
        if old not in value:
            raise ValueError("pattern not found")
        return value.replace(old, new, count)
    return apply


def _claims(c):
    """Rules C1 to C11 inside claims that authenticate."""
    def unknown(name, status, why, raw):
        c.hook("claims-" + name, status, why, "claims", put(1000, Raw(raw)))

    unknown("unknown", 0, "unknown claims are ignored", encode([1, {1: None}, "x"]))
    unknown("uint-64bit", 0, "the largest uint", b"\x1b" + b"\xff" * 8)
    unknown("nint-64bit", 0, "the smallest negative integer", b"\x3b" + b"\xff" * 8)
    unknown("nonshort-int", 5, "C1: 23 in two bytes", b"\x18\x17")
    unknown("nonshort-length", 5, "C1: length of a text", b"\x78\x01a")
    unknown("nonshort-8", 5, "C1: 2^32-1 in eight bytes", b"\x1b" + bytes(4) + b"\xff" * 4)
    unknown("indefinite-array", 5, "C2", b"\x9f\x01\xff")
    unknown("indefinite-map", 5, "C2", b"\xbf\xff")
    unknown("indefinite-bstr", 5, "C2", b"\x5f\x41a\xff")
    unknown("indefinite-tstr", 5, "C2", b"\x7f\x61a\xff")
    unknown("inner-unsorted", 5, "C3 in an unknown claim", b"\xa2\x02\x00\x01\x00")
    unknown("inner-duplicate", 5, "C4 in an unknown claim", b"\xa2\x01\x00\x01\x00")
    unknown("inner-text-key", 5, "C5 in an unknown claim", b"\xa1\x61a\x00")
    unknown("bad-utf8", 5, "C7", b"\x62\xc3\x28")
    unknown("utf8-surrogate", 5, "C7: a surrogate", b"\x63\xed\xa0\x80")
    unknown("utf8-overlong", 5, "C7: an overlong form", b"\x62\xc0\x80")
    unknown("float16", 5, "C8", b"\xf9\x3c\x00")
    unknown("float64", 5, "C8", b"\xfb" + bytes(8))
    unknown("undefined", 5, "C9", b"\xf7")
    unknown("simple-0", 5, "C9", b"\xe0")
    unknown("simple-255", 5, "C9", b"\xf8\xff")
    unknown("simple-long-true", 5, "C9: true in two bytes", b"\xf8\x15")
    unknown("tag-date", 5, "C10: tag 1", b"\xc1\x00")
    unknown("tag-bignum", 5, "C10: tag 2", b"\xc2\x41\x01")
    unknown("tag-misplaced", 5, "C10: tag 18 as a claim", b"\xd2\x00")
    unknown("reserved-head", 5, "additional information 28", b"\x1c")
    unknown("depth-8", 0, "C11: eight levels with the claims map", encode(nest(7)))
    unknown("depth-9", 5, "C11: nine levels", encode(nest(8)))
    unknown("truncated", 5, "a length beyond the end", b"\x9b" + b"\x7f" + b"\xff" * 7)
    long = "a" * 256
    c.hook("order-limit-first", 6, "L14 at -65626, then a float at -70000", "claims",
           lambda m, s: {**m, L.FILE_NAME: long, -70000: Raw(b"\xf9\x00\x00")})
    c.hook("order-malformed-first", 5, "a float at 1000, then L14 at -65626", "claims",
           lambda m, s: {**m, L.FILE_NAME: long, 1000: Raw(b"\xf9\x00\x00")})
    c.hook("order-segment-size", 6, "L4 at -65622, then a wrong type at -65626", "claims",
           lambda m, s: {**m, L.SEGMENT_SIZE: 1, L.FILE_NAME: b"x"}, sender="alice", mode=2)
    c.hook("order-limit-then-missing", 6, "L14, and no ik", "claims",
           lambda m, s: {k: v for k, v in {**m, L.FILE_NAME: long}.items() if k != L.IK})
    c.hook("order-cost-then-shape", 6, "L9 in the first entry, the second malformed",
           "entries", lambda e, s: [[b"", {1: L.ARGON2ID, L.SALT: bytes(16), L.PASSES: 1,
                                           L.MEMORY: 1, L.LANES: 1}, b""], [b""]] + e)
    c.hook("claims-text-key", 5, "C5", "payload",
           lambda p, s: Raw(b"\xa5" + p[1:] + b"\x61a\x00"))
    c.hook("claims-negative-key-order", 5, "C3: -1 before 7", "payload",
           lambda p, s: raw_map([(6, s.now), (-1, 0), (7, s.cti), (L.IK, s.ik),
                                 (L.MODE, 0)]))
    c.hook("claims-unsorted", 5, "C3", "payload",
           lambda p, s: raw_map([(7, s.cti), (6, s.now), (L.IK, s.ik), (L.MODE, 0)]))
    c.hook("claims-duplicate", 5, "C4", "payload",
           lambda p, s: raw_map([(6, s.now), (6, s.now), (7, s.cti), (L.IK, s.ik),
                                 (L.MODE, 0)]))
    c.hook("claims-trailing", 5, "C6", "metadata", lambda m, s: m + b"\0")
    c.hook("metadata-array", 5, "neither map nor COSE_Sign1", "metadata", fixed(b"\x80"))
    c.hook("metadata-empty", 5, "no metadata", "metadata", fixed(b""))
    c.hook("metadata-map-head-long", 5, "C1: head of the claims map", "metadata",
           lambda m, s: b"\xb8" + bytes([m[0] & 31]) + m[1:])


def _frame(c):
    """Tags and heads around and in the header."""
    anon = c.make()
    c.add("empty-file", 5, "no bytes", b"")
    c.add("tag-only", 5, "ends before the header", anon[:5])
    c.add("tag-e2e2", 5, "a wrapped key", L.TAG_WRAPPED + anon[6:])
    c.add("tag-e2e2-array", 5, "tag of wrapped keys", L.TAG_WRAPPED + anon[5:])
    c.add("tag-e2e3", 5, "reserved tag", bytes.fromhex("da65326533") + anon[5:])
    c.add("tag-future", 5, "unknown version", bytes.fromhex("da65326534") + anon[5:])
    c.add("tag-long", 5, "C1: head of the tag",
          bytes.fromhex("db0000000065326531") + anon[5:])
    c.add("array-definite", 5, "outer array of definite length",
          anon[:5] + b"\x83" + anon[6:-1])
    c.add("header-truncated", 5, "ends within the header", anon[:200])
    c.add("header-head-only", 5, "ends within the header", anon[:9])

    def header(name, status, why, function, **args):
        c.hook("header-" + name, status, why, "header", function, **args)

    header("tag-long", 5, "C1: tag 96", lambda h, s: b"\xd9\x00\x60" + h[2:])
    header("tag-encrypt0", 5, "tag 16 instead of 96", lambda h, s: b"\xd0" + h[2:])
    header("untagged", 5, "no tag 96", lambda h, s: h[2:])
    header("array-5", 5, "five elements", lambda h, s: h[:2] + b"\x85" + h[3:] + b"\xf6")
    header("array-indefinite", 5, "C2", lambda h, s: h[:2] + b"\x9f" + h[3:] + b"\xff")
    header("p-head-long", 5, "C1: head of P",
           lambda h, s: h[:3] + b"\x59\x00\x2a" + h[5:])
    header("iv-head-long", 5, "C1: head of IV", _replace(b"\x05\x4c", b"\x05\x58\x0c"))
    header("unprotected-head-long", 5, "C1", _replace(b"\xa1\x05\x4c", b"\xb8\x01\x05\x4c"))
    header("ciphertext-indefinite", 5, "C2", lambda h, s: make_header(
        s.protected, s.unprotected, Raw(b"\x5f" + encode(s.ciphertext) + b"\xff"),
        s.recipients))
    header("ciphertext-null", 5, "detached ciphertext", lambda h, s: make_header(
        s.protected, s.unprotected, None, s.recipients))
    header("ciphertext-short", 5, "shorter than a tag", lambda h, s: make_header(
        s.protected, s.unprotected, bytes(15), s.recipients))
    header("recipients-map", 5, "R is a map", lambda h, s: make_header(
        s.protected, s.unprotected, s.ciphertext, b"\xa0"))


def _protected(c):
    """P and the unprotected map."""
    def protected(name, status, why, value, **more):
        c.hook("p-" + name, status, why, "protected",
               value if callable(value) else fixed(value), **more)

    protected("alg-a128gcm", 5, "another algorithm",
              lambda p, s: encode({1: 1, L.KC: p[10:]}))
    protected("unsorted", 5, "C3", lambda p, s: bytes(raw_map([(L.KC, p[10:]), (1, 3)])))
    protected("extra", 5, "closed map", lambda p, s: encode({1: 3, 2: [], L.KC: p[10:]}))
    protected("no-kc", 5, "kc missing", encode({1: 3}))
    protected("empty", 5, "empty protected", b"")
    protected("kc-short", 5, "kc of 31 bytes", lambda p, s: encode({1: 3, L.KC: p[11:]}))
    protected("trailing", 5, "C6", lambda p, s: p + b"\0")
    protected("kc-wrong", 2, "no candidate fits kc",
              lambda p, s: p[:-1] + bytes([p[-1] ^ 1]))
    protected("kc-other-key", 2, "kc of another CEK", make_protected(bytes(32)))

    def unprotected(name, status, why, value):
        c.hook("unprotected-" + name, status, why, "unprotected", value)

    unprotected("iv-missing", 5, "no IV", fixed({}))
    unprotected("iv-11", 5, "IV too short", put(5, bytes(11)))
    unprotected("iv-13", 5, "IV too long", put(5, bytes(13)))
    unprotected("iv-other", 2, "IV altered", put(5, bytes(12)))
    unprotected("extra", 5, "closed map", put(4, b"x"))
    unprotected("text-key", 5, "C5", lambda m, s: raw_map([(5, s.iv), ("x", 0)]))
    unprotected("unsorted", 5, "C3",
                lambda m, s: raw_map([(L.REWRAP, [bytes(12), b""]), (5, s.iv)]))
    unprotected("rewrap-shape", 5, "shape of the block", put(L.REWRAP, [bytes(12)]))
    unprotected("rewrap-iv", 5, "IV of the block", put(L.REWRAP, [bytes(11), bytes(40)]))
    c.hook("rewrap-not-mine", 2, "rewrapped, but for another: the key decides first",
           "unprotected", put(L.REWRAP, [bytes(12), bytes(40)]), to=("mallory",))


def _limits(c):
    """L1 to L3."""
    c.hook("recipients-1024", 0, "L2: just at the limit", "entries",
           lambda e, s: [[b"", {1: 99}, b"x"]] * 1023 + e)
    c.hook("recipients-1025", 6, "L2", "entries",
           lambda e, s: e + [[b"", {1: 99}, b"x"]] * 1024)
    c.hook("recipients-0", 5, "L2: none", "entries", fixed([]))
    c.hook("recipients-huge-head", 6, "L2: a count of 2^64-1", "recipients",
           lambda r, s: b"\x9b" + b"\xff" * 8 + r[1:])
    c.hook("recipients-head-long", 5, "C1: head of R", "recipients",
           lambda r, s: b"\x98\x01" + r[1:])
    c.hook("recipients-indefinite", 5, "C2: R", "recipients",
           lambda r, s: b"\x9f" + r[1:] + b"\xff")
    anon = c.make()
    at = anon.index(b"\x05\x4c") + 14        # the head of the ciphertext
    c.add("ciphertext-declared-65553", 6, "L3 by the declared length; the file ends",
          anon[:at] + b"\x5a\x00\x01\x00\x11" + bytes(99))
    c.add("ciphertext-declared-65552", 5, "within L3, and the file ends",
          anon[:at] + b"\x5a\x00\x01\x00\x10" + bytes(99))
    c.add("ciphertext-declared-2-63", 6, "L3 by the declared length",
          anon[:at] + b"\x5b\x80" + bytes(7))
    c.hook("entry-declared-1MiB", 6, "L1 by the declared length of an EM", "recipients",
           lambda r, s: b"\x81\x83\x40\xa1\x01\x38\x28\x5a\x00\x10\x00\x00")
    c.hook("entry-declared-2-63", 6, "L1 by a declared length", "recipients",
           lambda r, s: b"\x81\x83\x40\xa1\x01\x38\x28\x5b\x80" + bytes(7))
    cut = c.make(hooks={"recipients": fixed(b"\x99\x04\x01")})
    c.add("recipients-1025-cut", 6, "L2 by the declared number; the file ends",
          cut[:cut.rindex(b"\x99\x04\x01") + 3])
    c.hook("header-1MiB", 6, "L1", "entries",
           lambda e, s: e + [[b"", {1: 99}, bytes(1100)]] * 1000)

    def to_limit(extra):
        def apply(entries, s):
            base = 2 + 1 + 44 + 15 + 3 + len(encode({L.IAT: s.now, L.CTI: s.cti,
                                                     L.IK: s.ik, L.MODE: 0})) + 15
            def total(n):
                return base + len(encode(entries + [[b"", {1: 99}, bytes(n)]]))
            n = 1048576 + extra
            while total(n) > 1048576 + extra:
                n -= 1
            return entries + [[b"", {1: 99}, bytes(n)]]
        return apply

    exact = c.sealer(hooks={"entries": to_limit(0)})
    size = len(exact.state.header)
    c.hook("header-exactly-1MiB", 0, "L1: just at the limit", "entries",
           to_limit(1048576 - size))
    c.hook("header-1MiB-plus-1", 6, "L1: one byte more", "entries",
           to_limit(1048577 - size))

    def metadata(size):
        def apply(claims, _state):
            n = size - len(encode({**claims, 1000: b""})) - 2
            return {**claims, 1000: bytes(n)}
        return apply

    c.hook("metadata-65536", 0, "L3: just at the limit", "claims", metadata(65536))
    c.hook("metadata-65537", 6, "L3", "claims", metadata(65537))
    c.hook("claims-extra-long", 0, "a long unknown claim", "claims", put(1000, bytes(40000)))


def _core(c):
    """Values that bind header and payload together."""
    c.hook("header-aad-label", 2, "another label in the Enc_structure", "header_aad",
           lambda a, s: encode(["e2e1 wrapped header", s.rh]))
    c.hook("header-aad-rh", 2, "rh of another R", "header_aad",
           lambda a, s: encode(["e2e1 header", bytes(32)]))
    c.hook("header-aad-empty", 2, "no external_aad", "header_aad", fixed(b""))
    c.hook("core-hash", 1, "another ch", "ch", lambda h, s: crypto.sha256(h))
    c.hook("core-without-heads", 1, "ch over spliced bytes", "ch",
           lambda h, s: crypto.sha256(b"\x85" + encode("e2e1 core") + s.protected +
                                      encode(s.iv) + encode(s.ciphertext) + encode(s.rh)))
    c.hook("commitment-wrong", 1, "C", "preamble", lambda p, s: p[:-1] + bytes([p[-1] ^ 1]))
    c.hook("salt-wrong", 1, "salt", "preamble", lambda p, s: bytes([p[0] ^ 1]) + p[1:])
    c.hook("preamble-55", 5, "frame", "preamble", lambda p, s: p[:-1])
    c.hook("preamble-57", 5, "frame", "preamble", lambda p, s: p + b"\0")
    c.hook("preamble-list", 5, "frame", "preamble", lambda p, s: [p])
    c.hook("preamble-head-long", 5, "frame, C1", "preamble",
           lambda p, s: Raw(b"\x59\x00\x38" + p))


def add(c):
    """All cases of this module."""
    c.case("ok-anonymous", 0, "control", {"sha256": crypto.sha256(DATA).hex()})
    _claims(c)
    _frame(c)
    _protected(c)
    _limits(c)
    _core(c)
