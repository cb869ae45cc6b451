"""Writing envelopes, also deliberately wrong ones.

`Plan` says what to write.  Its random values can be given, and `hooks` maps the
name of an intermediate value to a function (value, state) -> value, which is
applied where that value comes into being.  In the order of their use:

    entries              list of recipient entries (lists, or cbor.Raw)
    recipients           encoded R
    protected            the bytes inside P
    claims               dict
    payload              encoded claims
    signed_protected     dict of the COSE_Sign1 of the metadata
    signature            of the metadata
    metadata             finished metadata
    header_aad           external_aad of the header
    ciphertext           of the metadata
    unprotected          dict of the header (or cbor.Raw)
    header               the encoded header (a wrapped key ends here)
    ch                   the hash over the header's core
    preamble             56 bytes
    padded               data after padding
    segments             list of (i, is_last, bytes)
    stream               what the chunks encrypt
    chunks               list of ciphertexts
    frames               list of chunks with their heads
    envelope             everything

`state` has the values made so far as attributes.
"""

import time
from dataclasses import dataclass, field
from types import SimpleNamespace

from . import crypto, payload
from . import labels as L
from .cbor import encode
from .cose import enc_structure, protected_map, sig_structure
from .errors import bad_sender, malformed, over_limit
from .header import (MAX_HEADER, MAX_RECIPIENTS, make_header, make_protected,
                     wrap_group, wrap_key, wrap_passphrase)
from .metadata import (header_aad, pad_claims, parse_metadata, sender_aad,
                       to_element)

DEFAULT_SEGMENT = 1048576
MAX_HIDDEN_RSA = 128


@dataclass
class Plan:
    """What to seal, for whom, by whom."""

    cards: list = field(default_factory=list)
    passphrase: bytes = None
    cost: tuple = (3, 262144, 4)
    pass_salt: bytes = None
    sender: object = None
    hidden: bool = False
    mode: int = None
    segment_size: int = DEFAULT_SEGMENT
    pad: bool = False
    carry_card: bool = True
    claims: dict = field(default_factory=dict)
    iat: int = None
    cek: bytes = None
    iv: bytes = None
    ik: bytes = None
    cti: bytes = None
    salt: bytes = None
    ephemeral: bytes = None
    groups: list = field(default_factory=list)
    strict: bool = True
    hooks: dict = field(default_factory=dict)


def choose_mode(plan):
    """The mode where none was asked for; refuses those not allowed."""
    single = len(plan.cards) == 1 and plan.passphrase is None and not plan.groups
    if plan.mode is None:
        return 0 if plan.sender is None else 1 if single else 2
    if plan.strict:
        if (plan.mode == 0) != (plan.sender is None):
            raise malformed("mode 0 is for those without a sender, and only for them")
        if plan.mode == 1 and not single:
            raise malformed("mode 1 is for one recipient with a key")
    return plan.mode


def check_plan(plan):
    """What a writer refuses."""
    now = int(time.time())
    count = len(plan.cards) + len(plan.groups) + (plan.passphrase is not None)
    if count == 0:
        raise malformed("no recipient")
    if count > MAX_RECIPIENTS:
        raise over_limit("too many recipients")
    rsa = sum(c.enc_keys[0].alg == L.OAEP for c in plan.cards)
    if plan.hidden and rsa > MAX_HIDDEN_RSA:
        raise over_limit("too many hidden RSA recipients")
    if not 65536 <= plan.segment_size <= 16777216:
        raise over_limit("segment size")
    t, m, p = plan.cost
    if plan.passphrase is not None and not (
            1 <= t <= 16 and 8192 <= m <= 1048576 and 1 <= p <= 8):
        raise over_limit("Argon2id parameters")
    for group in plan.groups:
        if plan.sender is None:
            raise malformed("to a group, and not signed")
        if plan.sender.id not in group.speakers:
            raise bad_sender("to a group, by somebody who is not of it")
    for card in plan.cards + ([plan.sender.card] if plan.sender else []):
        card.check_exp(now)


class Sealer:
    """One run of the writer; values stay in `state` for tests."""

    typ = L.TYP_METADATA
    labels = "e2e1 header", "e2e1 sender"
    parse = staticmethod(parse_metadata)

    def __init__(self, plan):
        self.plan = plan
        self.state = s = SimpleNamespace()
        s.cek = plan.cek or crypto.random(32)
        s.iv = plan.iv or crypto.random(12)
        s.ik = plan.ik or crypto.random(32)
        s.cti = plan.cti or crypto.random(16)
        s.salt = plan.salt or crypto.random(24)
        s.now = int(time.time()) if plan.iat is None else plan.iat

    def _set(self, name, value):
        hook = self.plan.hooks.get(name)
        if hook:
            value = hook(value, self.state)
        setattr(self.state, name, value)
        return value

    def seal(self, data):
        """The envelope around data."""
        if self.plan.strict:
            check_plan(self.plan)
        self.state.mode = choose_mode(self.plan)
        self._recipients()
        self._metadata()
        self._header()
        self._payload(data)
        return self.state.envelope

    def _recipients(self):
        plan, s = self.plan, self.state
        entries = [wrap_key(s.cek, c.enc_keys[0], None if plan.hidden else c.id,
                            plan.ephemeral) for c in plan.cards]
        entries += [wrap_group(s.cek, g, plan.hidden) for g in plan.groups]
        if plan.passphrase is not None:
            entries.append(wrap_passphrase(s.cek, plan.passphrase, plan.cost,
                                           plan.pass_salt))
        self._set("entries", entries)
        self._set("recipients", encode(s.entries))
        s.rh = crypto.sha256(s.recipients)
        self._set("protected", make_protected(s.cek))

    def _claims(self):
        plan, s = self.plan, self.state
        claims = {L.IAT: s.now, L.CTI: s.cti, L.IK: s.ik, L.MODE: s.mode}
        if s.mode == 2:
            claims[L.SEGMENT_SIZE] = plan.segment_size
        if plan.sender and plan.carry_card:
            claims[L.CARD] = plan.sender.card.raw
        if plan.sender:
            claims.update(self._to())
        if plan.pad:
            claims[L.PADDED] = True
        claims.update(plan.claims)
        return claims

    def _to(self):
        """The claim `to`, where it belongs."""
        owners = [o.id for o in self.plan.cards + self.plan.groups]
        if not self.plan.hidden or not owners:
            return {}
        return {L.TO: [to_element(self.state.cti, o) for o in owners]}

    def _external_aad(self):
        """What the signature of the metadata covers besides."""
        s = self.state
        return sender_aad(s.protected, s.iv, s.rh, self.labels[1])

    def _signed(self, payload, signature):
        return L.TAG_SIGN1 + encode([self.state.sign_protected, {}, payload, signature])

    def _metadata(self):
        plan, s = self.plan, self.state
        key = plan.sender.signing_key if plan.sender else None
        if key:
            s.sign_protected = encode(self._set(
                "signed_protected", protected_map(key, self.typ)))
        claims = self._claims()
        if plan.pad:
            def length(c):
                raw = encode(c)
                return len(self._signed(raw, bytes(key.length)) if key else raw)
            claims = pad_claims(claims, length)
        self._set("claims", claims)
        self._set("payload", encode(s.claims))
        if key:
            s.sender_aad = self._external_aad()
            s.sender_tbs = sig_structure(s.sign_protected, s.sender_aad, s.payload)
            self._set("signature", key.sign(s.sender_tbs))
            metadata = self._signed(s.payload, s.signature)
        else:
            metadata = s.payload
        self._set("metadata", metadata)
        if plan.strict:
            self.parse(s.metadata)

    def _header(self):
        s = self.state
        self._set("header_aad", header_aad(s.rh, self.labels[0]))
        s.enc_structure = enc_structure(s.protected, s.header_aad)
        self._set("ciphertext", crypto.gcm_seal(s.cek, s.iv, s.metadata,
                                                s.enc_structure))
        self._set("unprotected", {5: s.iv})
        self._set("header", make_header(s.protected, s.unprotected, s.ciphertext,
                                        s.recipients))
        if self.plan.strict and len(s.header) > MAX_HEADER:
            raise over_limit("header too long")

    def _payload(self, data):
        plan, s = self.plan, self.state
        self._set("ch", payload.core_hash(s.protected, s.iv, s.ciphertext, s.rh))
        s.key, s.base, s.commitment = payload.derive(s.ik, s.salt, s.ch)
        self._set("preamble", s.salt + s.commitment)
        stream = self._set("padded", payload.pad(data) if plan.pad else data)
        if s.mode == 2:
            self._set("segments", payload.make_segments(stream, plan.segment_size))
            stream = payload.sign_segments(s.segments, plan.sender.signing_key,
                                           s.sign_protected, s.ch)
        self._set("stream", stream)
        self._set("chunks", payload.make_chunks(s.stream, s.key, s.base))
        self._set("frames", [encode(c) for c in s.chunks])
        parts = [L.TAG_ENVELOPE, b"\x9f", s.header, encode(s.preamble)]
        self._set("envelope", b"".join(parts + s.frames + [payload.BREAK]))


def seal(plan, data):
    """The envelope around data, as planned."""
    return Sealer(plan).seal(data)
