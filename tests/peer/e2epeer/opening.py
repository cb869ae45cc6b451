"""Reading envelopes, in the order of section 6."""

import time
from dataclasses import dataclass, field

from . import armor, crypto, payload
from . import labels as L
from .blocks import open_block
from .cose import enc_structure
from .errors import (Failure, bad_sender, malformed, need_passphrase, no_key,
                     not_authentic, over_limit, repeated)
from .groups import GroupKey
from .header import (GROUP, HIDEABLE, MAX_MEMORY, PASS, PUBLIC_KEY_KINDS, RSA, X25519,
                     matches, parse_header, unwrap_key, unwrap_passphrase)
from .metadata import (carried_card, header_aad, parse_metadata, sender_aad,
                       to_element)
from .statements import MAX_DELIVERY, Delivery

KIND_ALG = {RSA: L.OAEP, X25519: L.ECDH}
MAX_RSA_TRIED = 128


@dataclass
class Reader:
    """What a reader has, and what he asks for.

    `sender` is None (nobody asked for), "any", or an identity id.  `state` is
    what he remembers, or None.
    """

    identities: list = field(default_factory=list)
    passphrase: bytes = None
    known: list = field(default_factory=list)
    revocations: list = field(default_factory=list)
    sender: object = None
    now: int = None
    max_memory: int = MAX_MEMORY
    groups: list = field(default_factory=list)
    old_epoch: bool = False
    forwarded: bool = False
    oldest: int = None
    newest: int = None
    state: object = None


@dataclass
class Opened:
    """The outcome: data, and what is known about the message.

    `block` is that of a rewrapped envelope, `missing` the numbers left out before
    it, `receipt` a delivery receipt that it held, and `confirmed` whether the
    message that this is for is remembered.
    """

    data: bytes
    metadata: object
    header: object
    ch: bytes
    opened_by: str
    sender: bytes
    own_id: bytes
    card: object
    block: object
    missing: range
    late: bool
    receipt: object = None
    confirmed: bool = False


def unarmor(data, label=armor.MESSAGE):
    """The binary form of data, which may be armored."""
    if data[:1] == b"\xda":
        return data
    return armor.decode(label, data)


def frame_start(data):
    """The offset of the header, after tag and array head."""
    start = L.TAG_ENVELOPE + b"\x9f"
    if data[:6] != start:
        raise malformed("not an envelope of this version")
    return 6


def _keys_for(entry, reader):
    """The (owner, key) pairs that an entry is tried with (4.6)."""
    if entry.kind == GROUP:
        return [(g, g.key) for g in reader.groups if entry.kid in (None, g.kid)]
    return [(identity, key) for identity in reader.identities
            if entry.kid in (None, identity.id)
            for key in identity.enc_keys if key.alg == KIND_ALG.get(entry.kind)]


def _candidates(header, reader):
    """Yields (entry, identity, group key or None, function that unwraps)."""
    tried = 0
    for entry in header.entries:
        keys = _keys_for(entry, reader)
        if entry.kind == RSA and keys:
            tried += 1
            if tried > MAX_RSA_TRIED:
                raise over_limit("too many RSA entries to try")
        for owner, key in keys:
            yield entry, owner, lambda e=entry, k=key: unwrap_key(e, k)
    for entry in header.entries:
        if entry.kind == PASS and reader.passphrase is not None:
            yield entry, None, lambda e=entry: unwrap_passphrase(e, reader.passphrase)


def find_cek(header, reader):
    """(CEK, entry, owner, failure): the first candidate that fits kc."""
    key_tried = False
    for entry, owner, unwrap in _candidates(header, reader):
        key_tried |= entry.kind != PASS
        cek = matches(header, unwrap())
        if cek is not None:
            return cek, entry, owner, _no_match(header, key_tried)
    raise _no_match(header, key_tried)


def _no_match(header, key_tried):
    has_pass = any(e.kind == PASS for e in header.entries)
    return need_passphrase() if has_pass and not key_tried else no_key()


def _newest_card(sign1, reader):
    """The signer's card with the highest serial, a known one before the carried."""
    own = [i.card for i in reader.identities]
    carried = carried_card(sign1)
    cards = [c for c in reader.known + own if c.id == sign1.kid]
    if carried:
        cards.append(carried)
    if not cards:
        raise bad_sender("the signer's card is not known")
    return max(cards, key=lambda c: c.serial)


def verify_signer(sign1, external_aad, reader):
    """Step 7 for one signature; the card that counts for the rest."""
    card = _newest_card(sign1, reader)
    if card.key.alg != sign1.alg:
        raise malformed("alg is not that of the signer's key")
    if not sign1.verifies(card.key, external_aad):
        raise not_authentic("signature of the metadata, or of a block")
    return card


@dataclass
class Unlocked:
    """What the key opened; nothing is known yet about who made it (steps 1 to 6).

    `pos` is where the preamble begins, `rh` the hash over the R of the sender,
    `owner` the identity or the group key that opened it, or None.
    """

    data: bytes
    pos: int
    header: object
    cek: bytes
    entry: object
    owner: object
    block: object
    rh: bytes
    metadata: object


def unlock(data, reader):
    """Steps 1 to 6."""
    data = unarmor(data)
    start = frame_start(data)
    header = parse_header(data, start, 1, max_memory=reader.max_memory, rewrap=True)
    cek, entry, owner, failure = find_cek(header, reader)
    block, rh = None, header.rh
    if header.rewrap is not None:
        block = open_block(header, cek)
        if block is None:
            raise failure
        rh = block.claims[L.ORIGINAL_RH]
    plain = crypto.gcm_open(cek, header.iv, header.ciphertext,
                            enc_structure(header.protected, header_aad(rh)))
    if plain is None:
        raise failure
    return Unlocked(data, start + header.size, header, cek, entry, owner, block, rh,
                    parse_metadata(plain))


def _check_addressed(u, reader):
    """Step 8a."""
    said = u.block or u.metadata
    if u.entry.kind in HIDEABLE and u.entry.kid is None and (u.block or said.sign1):
        own = to_element(u.metadata.claims[L.CTI], u.owner.id)
        if own not in said.claims.get(L.TO, []):
            raise bad_sender("not addressed to you")
    if not isinstance(u.owner, GroupKey):
        return
    group = u.owner
    if said.sign1 is None:
        raise bad_sender("to a group, and not signed")
    if said.sign1.kid not in group.speakers:
        raise bad_sender("to a group, by somebody who is not of it")
    if u.block is None and u.metadata.mode != 2:
        raise bad_sender("to a group, and not signed by segments")
    newest = max([g.epoch for g in reader.groups if g.lineage == group.lineage] +
                 [reader.state.newest_epoch(group) if reader.state else 0])
    if newest > group.epoch and not reader.old_epoch:
        raise bad_sender("of an old epoch of the group")


def _authenticated(u, card):
    """The id of the authenticated sender, or None (5.5)."""
    if card is None:
        return None
    entries = u.header.entries
    alone = len(entries) == 1 and entries[0].kind in PUBLIC_KEY_KINDS
    return card.id if u.metadata.mode == 2 or alone and u.block is None else None


def _demand(u, sender, card, reader, now):
    """Step 8b, where a sender was asked for."""
    if sender is None:
        raise bad_sender("no authenticated sender")
    if u.block is not None and not reader.forwarded:
        raise bad_sender("forwarded")
    demand_signer(card, reader, now)


def demand_signer(card, reader, now):
    """Whose it is against who was asked for: id, exp, revocations."""
    if reader.sender not in ("any", card.id):
        raise bad_sender("another sender")
    card.check_exp(now)
    for revocation in reader.revocations:
        if revocation.whom == card.id:
            revocation.verify([card])
            raise bad_sender("the sender is revoked")


@dataclass
class Header(Unlocked):
    """What is known before the payload."""

    card: object
    ch: bytes
    sender: bytes
    forwarder: bytes

    @property
    def number(self):
        """(conversation id, sequence number), or two None."""
        claims = self.metadata.claims
        return claims.get(L.CONVERSATION), claims.get(L.SEQUENCE)

    @property
    def is_receipt(self):
        """Whether the data is a delivery receipt."""
        return self.metadata.claims.get(L.MEDIA_TYPE) == L.MEDIA_DELIVERY


def open_header(data, reader):
    """Steps 1 to 9."""
    now = int(time.time()) if reader.now is None else reader.now
    u = unlock(data, reader)
    card = forwarder = None
    if u.metadata.sign1:
        aad = sender_aad(u.header.protected, u.header.iv, u.rh)
        card = verify_signer(u.metadata.sign1, aad, reader)
    if u.block is not None and u.block.sign1:
        forwarder = verify_signer(u.block.sign1, u.block.aad, reader).id
    _check_addressed(u, reader)
    sender = _authenticated(u, card)
    ch = payload.core_hash(u.header.protected, u.header.iv, u.header.ciphertext, u.rh)
    h = Header(**vars(u), card=card, ch=ch, sender=sender, forwarder=forwarder)
    if h.is_receipt and (sender is None or u.block is not None):
        raise bad_sender("a delivery receipt, not from its sender himself")
    if reader.sender is not None:
        _demand(u, sender, card, reader, now)
    claims = u.metadata.claims
    if L.EXP in claims and now >= claims[L.EXP]:
        raise repeated("the message has expired")
    if reader.oldest is not None and claims[L.IAT] < reader.oldest or \
            reader.newest is not None and claims[L.IAT] > reader.newest:
        raise repeated("older or newer than what is accepted")
    return h


def open_envelope(data, reader):
    """All steps; nothing is returned unless everything verified."""
    h = open_header(data, reader)
    missing, late, pieces = begin(h, reader.state)
    result = b"".join(pieces)
    own_id = h.owner.id if h.owner else None
    opened = Opened(result, h.metadata, h.header, h.ch, h.entry.kind, h.sender, own_id,
                    h.card, h.block, missing, late)
    if h.is_receipt:
        opened.receipt = Delivery(result, h.sender).verify(h.card)
        if reader.state is not None:
            opened.confirmed = reader.state.check_receipt(*opened.receipt.what)
    if reader.state is not None:
        reader.state.record(h.ch, h.metadata.claims[L.IAT], h.sender, *h.number)
    return opened


def read_preamble(data, pos):
    """(salt, C, position of the first chunk)."""
    head = bytes.fromhex("5838")
    if not head.startswith(data[pos:pos + 2]):
        raise malformed("preamble: not a bstr of 56 bytes")
    if len(data) < pos + 58:
        raise not_authentic("truncated")
    return data[pos + 2:pos + 26], data[pos + 26:pos + 58], pos + 58


def _limited(pieces, most):
    """The pieces, as long as they are no more than so many bytes."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise over_limit("a delivery receipt: too long")
        yield piece


def begin(h, state=None):
    """Steps 10 and 10a: (numbers left out, late, pieces to come)."""
    claims = h.metadata.claims
    salt, commitment, pos = read_preamble(h.data, h.pos)
    key, base, expected = payload.derive(claims[L.IK], salt, h.ch)
    if not crypto.same(commitment, expected):
        raise not_authentic("commitment of the payload")
    missing, late = range(0), False
    if state is not None:
        missing, late = state.check(h.ch, claims[L.IAT], h.sender, *h.number)
    pieces = payload.read_chunks(h.data, pos, key, base)
    if h.metadata.mode == 2:
        pieces = payload.read_segments(pieces, claims[L.SEGMENT_SIZE], h.card.key,
                                       h.metadata.sign1.protected, h.ch)
    if L.PADDED in claims:
        pieces = payload.unpad(pieces)
    return missing, late, _limited(pieces, MAX_DELIVERY) if h.is_receipt else pieces


def released(h):
    """Steps 10 to 12: yields the data in verified pieces."""
    yield from begin(h)[2]


def inspect(data):
    """(status, complete headers seen) of looking at envelopes without a key.

    Any cost of a passphrase entry is shown as long as it fits in 32 bits.
    """
    seen = 0
    try:
        binary, pos = unarmor(data), 0
        armored, data = binary is not data, binary
        while pos < len(data) or not seen:
            if armored and seen:
                raise malformed("armor holds one envelope")
            if data[pos:pos + 6] != L.TAG_ENVELOPE + b"\x9f":
                raise malformed("not an envelope of this version")
            header = parse_header(data, pos + 6, 1, max_memory=(1 << 32) - 1, rewrap=True)
            seen += 1
            _, _, pos = read_preamble(data, pos + 6 + header.size)
            pos = payload.skip_chunks(data, pos)
    except Failure as failure:
        return failure.status, seen
    return 0, seen
