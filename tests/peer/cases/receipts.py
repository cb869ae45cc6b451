"""Delivery receipts (section 11) and sequence numbers (5.7)."""

from e2epeer import labels as L
from e2epeer.cbor import Raw, encode
from e2epeer.cose import make_sign1, protected_map, sig_structure
from e2epeer.opening import Reader, unlock
from e2epeer.rewrapping import Rewrapper
from e2epeer.sealing import Plan
from e2epeer.statements import delivery_claims

from .base import asked, change, put

MINE = {"key": "alice"}
ABOUT = {L.MEDIA_TYPE: L.MEDIA_DELIVERY, L.REPLY_TO: bytes(16)}
TABLE = delivery_claims(bytes(16), bytes(32), b"", 1700000000)


def _claims(**members):
    return encode(change(**members)(TABLE, None))


def _made(key, payload=None, protected=None):
    """A receipt, or something like it."""
    payload = _claims() if payload is None else payload
    protected = encode({**protected_map(key, L.TYP_DELIVERY), **(protected or {})})
    signature = key.sign(sig_structure(protected, b"", payload))
    return L.TAG_SIGN1 + encode([protected, {}, payload, signature])


def _receipts(c):
    bob = c.p.bob.signing_key

    def add(name, status, why, data, expect=None, **args):
        c.case("receipt-" + name, status, why, {**MINE, **(expect or {})}, data=data,
               **{"to": ("alice",), "sender": "bob", "claims": ABOUT, **args})

    good = _made(bob)
    add("ok", 0, "control", good)
    add("ok-mode-2", 0, "signed by segments", good, mode=2)
    add("ok-rsa", 0, "by an RSA key", _made(c.p.dave.signing_key), sender="dave")
    add("ok-hidden", 0, "to a hidden entry, padded", good, hidden=True, pad=True)
    add("ok-asked", 0, "its sender is asked for", good, asked("bob"))
    add("asked-other", 3, "another sender is asked for", good, asked("dave"))
    add("unsigned", 3, "the envelope is not signed", good, sender=None)
    add("mode-1-two", 3, "mode 1 to two: the sender is not authenticated", good, mode=1,
        to=("alice", "carol"))
    add("mode-2-two", 0, "to two", good, mode=2, to=("alice", "carol"))
    add("unknown", 3, "no card of the sender", good, carry_card=False)
    envelope = c.make(to=("alice",), sender="bob", claims=ABOUT, data=good, mode=2)
    for name, signer in (("rewrapped", None), ("rewrapped-signed", c.p.bob)):
        run = Rewrapper(Plan([c.p.alice.card], sender=signer, strict=False),
                        unlock(envelope, Reader([c.p.alice])))
        for more, why in (({}, "rewrapped"), ({"forwarded": True}, "rewrapped, and that is "
                                              "allowed for mail")):
            c.add("receipt-%s%s" % (name, "-allowed" * bool(more)), 3, why, run.rewrap(),
                  **MINE, **more)
    at = len(_made(bob, encode({**TABLE, 77: bytes(3000)})))

    def sized(size):
        return _made(bob, encode({**TABLE, 77: bytes(3000 + size - at)}))
    add("4096", 0, "L24: just at the limit", sized(4096))
    add("4097", 6, "L24", sized(4097))
    add("4097-other", 6, "L24, whatever it is", bytes(4097))
    add("long", 6, "L24", bytes(100000), mode=2, segment_size=65536)
    add("4096-other", 5, "not a statement", bytes(4096))
    add("empty", 5, "no data", b"")
    add("text", 5, "not a statement", b"received\n")
    add("card", 5, "a card", c.p.bob.card.raw)
    add("trailing", 5, "C6", good + b"\0")
    for name in ("IAT", "CTI", "MESSAGE_ID", "MESSAGE_CH", "DATA_HASH"):
        add("no-" + name.lower().replace("_", "-"), 5, "mandatory",
            _made(bob, _claims(**{name: None})))
    add("id-15", 5, "length", _made(bob, _claims(MESSAGE_ID=bytes(15))))
    add("ch-31", 5, "length", _made(bob, _claims(MESSAGE_CH=bytes(31))))
    add("hash-33", 5, "length", _made(bob, _claims(DATA_HASH=bytes(33))))
    add("unknown-claim", 0, "ignored", _made(bob, encode({**TABLE, 77: [1]})))
    add("float", 5, "C8", _made(bob, encode({**TABLE, 77: Raw(b"\xf9\x00\x00")})))
    add("typ", 5, "another typ", _made(bob, protected={16: L.TYP_METADATA}))
    add("kid", 5, "by another than the envelope", _made(c.p.dave.signing_key))
    add("kid-own-signature", 5, "kid of another", _made(bob, protected={4: c.p.dave.id}))
    add("alg", 5, "alg does not agree with the key", _made(bob, protected={1: L.PS256}))
    add("alg-unknown", 5, "unknown", _made(bob, protected={1: -8}))
    add("altered", 1, "signature", good[:-1] + bytes([good[-1] ^ 1]))
    add("other-key", 1, "signed by another key",
        _made(c.p.mallory.signing_key, protected={4: bob.thumbprint}))
    add("aad", 1, "signed with an external_aad", make_sign1(
        bob, L.TYP_DELIVERY, _claims(), b"x"))
    add("wants-receipt", 0, "a receipt for a receipt is not heard of", good,
        claims={**ABOUT, L.RECEIPT: True})
    add("no-reply-to", 0, "in-reply-to is not looked at", good,
        claims={L.MEDIA_TYPE: L.MEDIA_DELIVERY})
    add("order-exp", 4, "expired, and no statement", b"x", claims={**ABOUT, L.EXP: 1})
    add("order-exp-unsigned", 3, "not signed, and expired", good, sender=None,
        claims={**ABOUT, L.EXP: 1})
    add("case", 0, "another media type", b"x",
        claims={L.MEDIA_TYPE: "application/e2e-delivery+CWT"})


def _numbers(c):
    def number(name, status, why, value, **args):
        c.hook("sequence-" + name, status, why, "claims",
               change(CONVERSATION=bytes(16), SEQUENCE=value), **args)

    number("2-63-1", 0, "L22: just at the limit", 2**63 - 1)
    number("2-63", 0, "without state nobody looks at it", 2**63)
    number("2-64-1", 0, "without state nobody looks at it", 2**64 - 1)
    number("2-63-signed", 0, "without state nobody looks at it", 2**63, sender="alice")
    number("0", 0, "no range is given below", 0)
    number("negative", 5, "no uint", -1)
    number("text", 5, "no uint", "1")
    c.hook("sequence-alone-2-63", 5, "no conversation", "claims",
           put(L.SEQUENCE, 2**63))


def add(c):
    """All cases of this module."""
    _receipts(c)
    _numbers(c)
