"""Claims, signatures, carried cards, `to` and modes (5.1 to 5.5, 7.4)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from e2epeer import labels as L
from e2epeer.card import Card, make_card
from e2epeer.cbor import encode
from e2epeer.cose import sig_structure
from e2epeer.header import wrap_key
from e2epeer.keys import ed25519_key, x25519_key
from e2epeer.metadata import to_element

from .base import PASS, asked, change, fixed, nest, put

ORDER = 2**252 + 27742317777372353535851937790883648493


def _claims(c):
    def bare(name, status, why, **members):
        c.hook("claim-" + name, status, why, "claims", change(**members))

    bare("iat-missing", 5, "mandatory", IAT=None)
    bare("cti-missing", 5, "mandatory", CTI=None)
    bare("ik-missing", 5, "mandatory", IK=None)
    bare("mode-missing", 5, "mandatory", MODE=None)
    bare("iat-negative", 5, "a time is a uint", IAT=-1)
    bare("iat-text", 5, "a time is a uint", IAT="now")
    bare("cti-15", 5, "length", CTI=bytes(15))
    bare("cti-17", 5, "length", CTI=bytes(17))
    bare("ik-31", 5, "length", IK=bytes(31))
    bare("ik-other", 1, "the payload has another ik", IK=bytes(32))
    bare("mode-1-bare", 5, "mode 1 unsigned", MODE=1)
    bare("mode-2-bare", 5, "mode 2 unsigned", MODE=2, SEGMENT_SIZE=65536)
    bare("mode-3", 5, "unknown mode", MODE=3)
    bare("mode-false", 5, "mode is false", MODE=False)
    bare("segment-size-bare", 5, "forbidden", SEGMENT_SIZE=65536)
    bare("card-bare", 5, "forbidden", CARD=c.p.alice.card.raw)
    bare("receipt-bare", 5, "forbidden", RECEIPT=True)
    bare("to-bare", 5, "forbidden", TO=[bytes(32)])
    bare("exp-past", 4, "expired", EXP=1)
    bare("exp-future", 0, "valid", EXP=2**63)
    bare("exp-text", 5, "a time is a uint", EXP="never")
    bare("padded-false", 5, "a flag is true", PADDED=False)
    bare("padded-1", 5, "a flag is true", PADDED=1)
    bare("conversation-alone", 5, "without sequence number", CONVERSATION=bytes(16))
    bare("sequence-alone", 5, "without conversation id", SEQUENCE=1)
    bare("conversation", 0, "both", CONVERSATION=bytes(16), SEQUENCE=2**63 - 1)
    bare("conversation-15", 5, "length", CONVERSATION=bytes(15), SEQUENCE=1)
    bare("file-name-255", 0, "L14: just at the limit", FILE_NAME="a" * 255)
    bare("file-name-256", 6, "L14", FILE_NAME="a" * 256)
    bare("file-name-utf8-256", 6, "L14 counts bytes", FILE_NAME="\u00e4" * 128)
    bare("file-name-controls", 0, "text is data", FILE_NAME="../\x1b[31m\u202e\x7f\n")
    bare("file-name-nul", 5, "U+0000", FILE_NAME="a\0")
    bare("type-nul", 5, "U+0000", MEDIA_TYPE="\0")
    bare("file-name-empty", 0, "an empty text", FILE_NAME="")
    bare("file-name-bytes", 5, "not text", FILE_NAME=b"x")
    bare("type-256", 6, "L14", MEDIA_TYPE="a" * 256)
    bare("reply-to-15", 5, "length", REPLY_TO=bytes(15))
    bare("padding", 0, "padding without the flag", PADDING=bytes(100))
    bare("padding-empty", 0, "no zeros", PADDING=b"")
    bare("padding-nonzero", 5, "a byte that is not 0", PADDING=bytes(9) + b"\1")
    bare("padding-text", 5, "not a bstr", PADDING="")
    c.hook("claim-bignum-depth", 5, "C11", "claims", put(-70000, nest(9)))

    def signed(name, status, why, mode, **members):
        c.hook("signed-" + name, status, why, "claims", change(**members),
               sender="alice", mode=mode)

    signed("mode-0", 5, "mode 0 signed", 1, MODE=0)
    signed("mode-3", 5, "unknown mode", 1, MODE=3)
    signed("mode-1-segment-size", 5, "forbidden in mode 1", 1, SEGMENT_SIZE=65536)
    signed("segment-size-missing", 5, "mandatory in mode 2", 2, SEGMENT_SIZE=None)
    signed("segment-size-65535", 6, "L4", 2, SEGMENT_SIZE=65535)
    signed("segment-size-16777217", 6, "L4", 2, SEGMENT_SIZE=16777217)
    signed("segment-size-max", 0, "L4: just at the limit", 2, SEGMENT_SIZE=16777216)
    signed("segment-size-text", 5, "type", 2, SEGMENT_SIZE="65536")
    signed("receipt", 0, "allowed", 1, RECEIPT=True)
    signed("receipt-false", 5, "a flag is true", 1, RECEIPT=False)
    signed("to-empty", 5, "one or more", 1, TO=[])
    signed("to-31", 5, "length of an element", 1, TO=[bytes(31)])
    signed("to-map", 5, "no array", 1, TO={})
    signed("to-not-hidden", 0, "`to` without hidden entries: not checked", 1, TO=[bytes(32)])
    signed("exp-past", 4, "expired", 1, EXP=1)


def _signatures(c):
    mode1 = {"sender": "alice"}

    def signed(name, status, why, point, function, expect=None, **args):
        c.hook("sign-" + name, status, why, point, function, expect, **{**mode1, **args})

    c.case("ok-mode-1", 0, "control", asked(), sender="alice")
    c.case("ok-mode-2", 0, "control", asked(), sender="alice", mode=2)
    c.case("ok-mode-1-rsa", 0, "control", asked(), sender="dave")
    c.case("ok-mode-2-rsa", 0, "control", asked(), sender="dave", mode=2)
    c.case("ok-known", 0, "no card, but known", asked(known=["alice"]), sender="alice",
           carry_card=False)
    c.case("sign-unknown", 3, "no card, not known", sender="alice", carry_card=False)
    c.case("sign-own", 0, "no card, but it is the reader's own identity", sender="bob",
           carry_card=False)
    c.case("sign-own-asked", 0, "and he is asked for", asked("bob"), sender="bob",
           carry_card=False)
    c.case("sender-none", 3, "anonymous, a sender was asked for", asked())
    c.case("sender-other", 3, "another sender than asked for", asked("mallory"),
           sender="alice")
    c.case("sender-right", 0, "the sender asked for", asked("alice"), sender="alice")

    for label, typ in (("card", L.TYP_CARD), ("revocation", L.TYP_REVOCATION),
                       ("wrapped", "application/e2e-wrapped-key+cwt"),
                       ("case", "application/e2e-metadata+CWT"),
                       ("bare", "e2e-metadata+cwt"), ("number", 61)):
        signed("typ-" + label, 5, "another typ", "signed_protected", put(16, typ))
    signed("typ-missing", 5, "closed map", "signed_protected",
           lambda m, s: {1: m[1], 4: m[4]})
    signed("protected-extra", 5, "closed map", "signed_protected", put(3, 0))
    signed("kid-31", 5, "length", "signed_protected", put(4, bytes(31)))
    signed("kid-other", 5, "the card is not that of kid", "signed_protected",
           put(4, c.p.mallory.id))
    signed("kid-other-known", 1, "no card; kid is another, known identity",
           "signed_protected", put(4, c.p.mallory.id), {"known": ["mallory"]},
           carry_card=False)
    signed("alg-ps256", 5, "alg does not agree with the key", "signed_protected", put(1, -37))
    signed("alg-ed25519", 5, "alg does not agree with the key", "signed_protected",
           put(1, -19), sender="dave")
    signed("alg-ps256-known", 5, "alg does not agree with the known key",
           "signed_protected", put(1, -37), {"known": ["alice"]}, carry_card=False)
    signed("alg-eddsa", 5, "alg -8 is unknown", "signed_protected", put(1, -8))
    signed("alg-ps512", 5, "alg -39 is unknown", "signed_protected", put(1, -39))

    signed("altered", 1, "signature", "signature",
           lambda v, s: v[:5] + bytes([v[5] ^ 1]) + v[6:])
    signed("altered-rsa", 1, "signature", "signature",
           lambda v, s: v[:5] + bytes([v[5] ^ 1]) + v[6:], sender="dave")
    signed("short", 1, "63 bytes", "signature", lambda v, s: v[:-1])
    signed("long", 1, "65 bytes", "signature", lambda v, s: v + b"\0")
    signed("empty", 1, "no bytes", "signature", fixed(b""))
    signed("long-rsa", 1, "leading zero", "signature", lambda v, s: b"\0" + v, sender="dave")
    signed("null", 5, "signature is null", "signature", fixed(None))
    signed("payload-claims", 1, "signature over other claims", "signature",
           lambda v, s: c.p.alice.signing_key.sign(
               sig_structure(s.sign_protected, s.sender_aad, b"\xa0")))
    signed("aad-empty", 1, "signature without external_aad", "signature",
           lambda v, s: c.p.alice.signing_key.sign(
               sig_structure(s.sign_protected, b"", s.payload)))
    signed("other-key", 1, "signature by another", "signature",
           lambda v, s: c.p.mallory.signing_key.sign(s.sender_tbs))
    signed("malleable", 1, "S + L", "signature",
           lambda v, s: v[:32] + (int.from_bytes(v[32:], "little") + ORDER)
           .to_bytes(32, "little"))

    def pss(mgf_hash, salt, hash_=hashes.SHA256):
        return lambda v, s: c.p.dave.signing_key.load_private().sign(
            s.sender_tbs, padding.PSS(padding.MGF1(mgf_hash()), salt), hash_())

    signed("pss-salt-20", 1, "salt of 20 bytes", "signature", pss(hashes.SHA256, 20),
           sender="dave")
    signed("pss-salt-max", 1, "longest salt", "signature", pss(hashes.SHA256, 222),
           sender="dave")
    signed("pss-mgf1-sha1", 1, "MGF1 with SHA-1", "signature", pss(hashes.SHA1, 32),
           sender="dave")
    signed("pss-sha512", 1, "SHA-512", "signature",
           pss(hashes.SHA512, 32, hashes.SHA512), sender="dave")
    signed("pkcs1v15", 1, "PKCS #1 v1.5", "signature",
           lambda v, s: c.p.dave.signing_key.load_private().sign(
               s.sender_tbs, padding.PKCS1v15(), hashes.SHA256()), sender="dave")

    def shape(name, why, function, status=5):
        signed("shape-" + name, status, why, "metadata", function)

    def parts(s):
        return [s.sign_protected, {}, s.payload, s.signature]

    shape("three", "three elements", lambda m, s: b"\xd2" + encode(parts(s)[:3]))
    shape("five", "five elements", lambda m, s: b"\xd2" + encode(parts(s) + [None]))
    shape("untagged", "no tag", lambda m, s: m[1:])
    shape("tag-long", "C1: head of the tag", lambda m, s: b"\xd8\x12" + m[1:])
    shape("tag-98", "COSE_Sign", lambda m, s: b"\xd8\x62" + m[1:])
    shape("tag-twice", "two tags", lambda m, s: b"\xd2" + m)
    shape("cwt-tag", "CWT tag 61 before it", lambda m, s: b"\xd8\x3d" + m)
    shape("unprotected", "unprotected is not empty",
          lambda m, s: b"\xd2" + encode([s.sign_protected, {4: s.iv}] + parts(s)[2:]))
    shape("detached", "payload is null",
          lambda m, s: b"\xd2" + encode(parts(s)[:2] + [None, s.signature]))
    shape("trailing", "C6", lambda m, s: m + b"\0")
    signed("payload-array", 5, "payload is no map", "payload", fixed(b"\x80"))
    signed("payload-trailing", 5, "C6", "payload", lambda v, s: v + b"\0")
    signed("payload-empty", 5, "no payload", "payload", fixed(b""))
    signed("protected-unsorted", 5, "C3", "metadata", lambda m, s: b"\xd2" + encode(
        [b"\xa3" + s.sign_protected[3:] + s.sign_protected[1:3]] + parts(s)[1:]))


def _transplant(c):
    """Signed metadata under another header: what external_aad is for."""
    first = c.sealer(sender="alice")

    def again(**more):
        return c.make(sender="alice", ik=first.state.ik, cti=first.state.cti,
                      hooks={"metadata": fixed(first.state.metadata)}, **more)

    c.add("transplant-iv", 1, "signed for another IV and R", again(cek=first.state.cek))
    c.add("transplant-all", 1, "signed for another CEK", again())
    c.add("transplant-to", 1, "forwarded by a recipient under alice's signature",
          again(to=("bob", "mallory")))


def _cards(c):
    alice, own = c.p.alice, c.p.alice.keys

    def card(name, status, why, raw, expect=None, **args):
        c.hook("card-" + name, status, why, "claims", put(L.CARD, raw), expect,
               sender="alice", **args)

    def made(**args):
        return make_card(own, **args)

    def with_claims(**members):
        named = {getattr(L, k) if k.isupper() else int(k[1:]): v
                 for k, v in members.items()}
        return make_card(own, extra=named)

    card("null", 5, "card is null", None)
    card("empty", 5, "card is empty", b"")
    card("other", 5, "card of another identity", c.p.mallory.card.raw)
    card("expired", 3, "the sender's card has expired", made(exp=1),
         asked(known=["alice-expired"]))
    card("expired-not-asked", 0, "the sender's card has expired", made(exp=1))
    card("altered", 1, "signature of the card",
         alice.card.raw[:-1] + bytes([alice.card.raw[-1] ^ 1]))
    card("trailing", 5, "C6", alice.card.raw + b"\0")
    card("untagged", 5, "no tag", alice.card.raw[1:])
    card("unknown-claim", 0, "unknown claims are ignored", with_claims(n77=[1]))
    card("name-64", 0, "L16: just at the limit", made(name="a" * 64))
    card("name-65", 6, "L16", made(name="a" * 65))
    card("name-nul", 5, "U+0000", made(name="a\0b"))
    card("name-bytes", 5, "type", with_claims(n2=b"x"))
    card("serial-text", 5, "type", with_claims(SERIAL="1"))
    card("iat-negative", 5, "type", with_claims(IAT=-1))
    card("keys-none", 5, "L17: none", with_claims(ENC_KEYS=[]))
    many = [x25519_key().public_map for _ in range(17)]
    card("keys-16", 0, "L17: just at the limit", with_claims(ENC_KEYS=many[:16]))
    card("keys-17", 6, "L17", with_claims(ENC_KEYS=many))
    card("keys-same", 5, "two equal keys", with_claims(ENC_KEYS=[many[0], many[0]]))
    card("keys-signing", 5, "a signing key as encryption key",
         with_claims(ENC_KEYS=[ed25519_key().public_map]))
    card("keys-private", 5, "private members",
         with_claims(ENC_KEYS=[x25519_key().params]))
    card("keys-no-alg", 5, "alg missing",
         with_claims(ENC_KEYS=[{k: v for k, v in many[0].items() if k != 3}]))
    card("keys-kid", 5, "closed map", with_claims(ENC_KEYS=[{**many[0], 2: b"x"}]))
    card("keys-crv", 5, "X25519 with crv 6", with_claims(ENC_KEYS=[{**many[0], -1: 6}]))
    card("keys-uri", 5, "URI of a private key in a card",
         with_claims(ENC_KEYS=[{**many[0], L.KEY_URI: "handle:x"}]))
    card("keys-31", 5, "x of 31 bytes", with_claims(ENC_KEYS=[{**many[0], -2: bytes(31)}]))
    high = many[0][-2][:31] + bytes([many[0][-2][31] | 0x80])
    card("keys-top-bit", 5, "top bit of an X25519 key",
         with_claims(ENC_KEYS=[{**many[0], -2: high}]))
    rsa = c.p.dave.enc_keys[0].public_map

    def rsa_key(**members):
        return with_claims(ENC_KEYS=[{**rsa, **{{"n": -1, "e": -2}[k]: v
                                                for k, v in members.items()}}])

    card("rsa-ok", 0, "an RSA encryption key besides", rsa_key())
    card("rsa-leading-zero", 5, "n with a leading zero", rsa_key(n=b"\0" + rsa[-1]))
    card("rsa-n-empty", 5, "n without bytes", rsa_key(n=b""))
    card("rsa-e-empty", 5, "e without bytes", rsa_key(e=b""))
    card("rsa-n-even", 6, "L6: an even modulus",
         rsa_key(n=rsa[-1][:-1] + bytes([rsa[-1][-1] ^ 1])))
    card("rsa-2049", 0, "a modulus of 257 bytes", rsa_key(n=b"\1" + rsa[-1]))
    card("rsa-4097", 6, "L6", rsa_key(n=b"\1" + rsa[-1] * 2))
    card("rsa-e-leading-zero", 5, "e with a leading zero", rsa_key(e=b"\0\1\0\1"))
    card("rsa-e-3", 6, "L7", rsa_key(e=b"\3"))
    card("rsa-e-even", 6, "L7", rsa_key(e=b"\1\0\2"))
    card("rsa-e-2-32", 6, "L7", rsa_key(e=b"\1\0\0\0\1"))
    card("rsa-1024", 6, "L6", rsa_key(n=rsa[-1][:127] + b"\1"))
    card("rsa-2047", 6, "L6", rsa_key(n=b"\x7f" + rsa[-1][1:]))
    card("rsa-8192", 6, "L6", rsa_key(n=rsa[-1] * 4))
    card("rsa-e-int", 5, "e is an integer", rsa_key(e=65537))
    card("cnf-extra", 5, "closed map", with_claims(CNF={1: own[0].public_map, 3: b"x"}))
    card("cnf-thumbprint", 5, "cnf by thumbprint", with_claims(CNF={5: alice.id}))
    card("cnf-private", 5, "private signing key", with_claims(CNF={1: own[0].params}))
    low = {1: 1, 3: L.ECDH, -1: 4, -2: bytes(32)}
    card("keys-low-order", 0, "who reads a card accepts it", with_claims(ENC_KEYS=[low]))
    card("certificates", 0, "not looked into", with_claims(CERTIFICATES=[b"", b"x"]))
    card("certificates-text", 5, "not byte strings", with_claims(CERTIFICATES=["x"]))
    card("certificates-empty", 5, "one or more", with_claims(CERTIFICATES=[]))
    card("16384", 0, "L15: just at the limit", _sized(own, 16384))
    card("16385", 6, "L15", _sized(own, 16385))
    raw = alice.card.sign1
    for name, protected in (
            ("typ", {1: raw.alg, 4: raw.kid, 16: L.TYP_METADATA}),
            ("kid", {1: raw.alg, 4: c.p.mallory.id, 16: L.TYP_CARD}),
            ("alg", {1: L.PS256, 4: raw.kid, 16: L.TYP_CARD})):
        card(name, 5, "protected map: " + name, _resigned(own[0], protected, raw.payload))
    card("other-signer", 1, "signed by another key", _resigned(
        c.p.mallory.signing_key, {1: raw.alg, 4: raw.kid, 16: L.TYP_CARD}, raw.payload))
    bad = alice.card.raw[:-1] + bytes([alice.card.raw[-1] ^ 1])
    c.hook("card-altered-kid-other", 1, "the card is judged before kid is compared",
           "claims", put(L.CARD, bad), sender="mallory")
    c.hook("card-expired-unsigned", 1, "an expired card, and the signature is wrong",
           "signature", lambda v, s: bytes(64), asked(), sender="alice")
    c.hook("card-altered-known", 1, "altered, although the right one is known", "claims",
           put(L.CARD, alice.card.raw[:-1] + bytes([alice.card.raw[-1] ^ 1])),
           {"known": ["alice"]}, sender="alice")


def _known_cards(c):
    """Two cards of one sender: the one with the highest serial counts."""
    def made(**args):
        return make_card(c.p.alice.keys, name="alice", **args)

    for name, args in (("alice-expired", {"exp": 1}), ("alice-2", {"serial": 2}),
                       ("alice-2-expired", {"serial": 2, "exp": 1})):
        c.lines[name] = Card(made(**args)).line

    def case(name, status, why, carried, known, expect=None):
        c.hook("cards-" + name, status, why, "claims",
               put(L.CARD, carried) if carried else lambda m, s: m,
               {"known": [known], **(asked() if expect is None else expect)},
               sender="alice", carry_card=bool(carried))

    old, new = made(exp=1), made(serial=3)
    case("old-carried", 0, "the carried one has expired, a newer one is known", old, "alice-2")
    case("same-serial", 0, "of two with the same serial the known one counts", old, "alice")
    case("known-expired", 3, "the newer known one has expired", made(), "alice-2-expired")
    case("known-expired-not-asked", 0, "and nobody was asked for", made(),
         "alice-2-expired", {})
    case("new-carried", 0, "the known one has expired, a newer one is carried", new,
         "alice-expired")
    case("new-carried-expired", 3, "the newer carried one has expired",
         made(serial=3, exp=1), "alice")
    case("only-known-expired", 3, "none is carried, the known one has expired", None,
         "alice-expired")
    case("only-known-expired-not-asked", 0, "and nobody was asked for", None,
         "alice-expired", {})


def _order(c):
    """Of two failures the earlier step decides."""
    past = change(EXP=1)
    c.hook("order-sender-exp", 3, "another sender, and expired", "claims", past,
           asked("mallory"), sender="alice")
    c.hook("order-anonymous-exp", 3, "anonymous, and expired", "claims", past, asked())
    c.hook("order-to-exp", 3, "not addressed, and expired", "claims",
           change(EXP=1, TO=None), sender="alice", hidden=True)
    c.case("order-exp-commitment", 4, "expired, and another C", claims={L.EXP: 1},
           hooks={"preamble": lambda p, s: bytes(56)})
    c.hook("order-sender-commitment", 3, "another sender, and another C", "preamble",
           lambda p, s: bytes(56), asked("mallory"), sender="alice")
    c.hook("order-signature-sender", 1, "wrong signature, and another sender", "signature",
           lambda v, s: bytes(64), asked("mallory"), sender="alice")
    c.add("order-sender-cut", 3, "another sender, and cut off",
          c.make(sender="alice")[:-9], **asked("mallory"))
    c.add("order-exp-trailing", 4, "expired, and bytes behind it",
          c.make(claims={L.EXP: 1}) + b"x")


def _resigned(key, protected, payload):
    protected = encode(protected)
    signature = key.sign(sig_structure(protected, b"", payload))
    return b"\xd2" + encode([protected, {}, payload, signature])


def _sized(keys, size):
    filler = bytes(size)
    while True:
        raw = make_card(keys, iat=1, extra={1000: filler})
        if len(raw) == size:
            return raw
        filler = filler[:len(filler) - (len(raw) - size)]


def _to(c):
    hidden = {"sender": "alice", "hidden": True}

    def case(name, status, why, function, expect=None, **args):
        c.hook("to-" + name, status, why, "claims", function, expect, **{**hidden, **args})

    c.case("ok-hidden", 0, "control", asked(), **hidden)
    c.case("ok-hidden-many", 0, "control", asked(), to=("carol", "mallory", "bob"), **hidden)
    case("missing", 3, "no `to`: not addressed to you", change(TO=None), asked())
    case("missing-not-asked", 3, "no `to`: not addressed to you", change(TO=None))
    case("other", 3, "`to` names another", lambda m, s: {
        **m, L.TO: [to_element(s.cti, c.p.mallory.id)]}, asked())
    case("other-not-asked", 3, "`to` names another", lambda m, s: {
        **m, L.TO: [to_element(s.cti, c.p.mallory.id)]})
    case("plain-id", 3, "the id itself", lambda m, s: {**m, L.TO: [c.p.bob.id]}, asked())
    case("enc-thumbprint", 3, "thumbprint of the encryption key", lambda m, s: {
        **m, L.TO: [to_element(s.cti, c.p.bob.enc_keys[0].thumbprint)]}, asked())
    case("more", 0, "more elements than entries", lambda m, s: {
        **m, L.TO: [bytes(32)] + m[L.TO]}, asked())
    case("mode-2-missing", 3, "no `to` in mode 2", change(TO=None), asked(), mode=2)

    def replaced(entries, state):
        """bob's hidden entry replaced by one for carol: mallory forwards."""
        return [wrap_key(state.cek, c.p.carol.enc_keys[0])]
    c.case("to-forwarded", 3, "signed for bob, hidden entry for another", asked(key="carol"),
           hooks={"entries": replaced}, **hidden)


def _mode1(c):
    unknown = [b"", {1: 99}, b"x"]

    def pair(name, why, **args):
        data = c.make(sender="alice", mode=1, **args)
        c.add("mode1-%s-asked" % name, 3, why, data, **asked())
        c.add("mode1-%s" % name, 0, why + "; nobody asked for", data)

    pair("two", "two recipients", to=("bob", "carol"))
    pair("unknown-entry", "an entry of unknown kind besides",
         hooks={"entries": lambda e, s: e + [unknown]})
    data = c.make(sender="alice", mode=1, to=(), passphrase=PASS)
    mine = {"key": None, "passphrase": PASS.decode()}
    c.add("mode1-passphrase-asked", 3, "a passphrase entry", data, **asked(**mine))
    c.add("mode1-passphrase", 0, "a passphrase entry; nobody asked for", data, **mine)
    c.hook("mode1-two-bad-signature", 1, "two recipients, and the signature is wrong",
           "signature", lambda v, s: bytes(64), sender="alice", mode=1, to=("bob", "carol"))


def add(c):
    """All cases of this module."""
    _claims(c)
    _signatures(c)
    _transplant(c)
    _cards(c)
    _known_cards(c)
    _order(c)
    _to(c)
    _mode1(c)
