"""Reading envelopes, in the order of section 6."""

import time
from dataclasses import dataclass, field

from . import armor, crypto, payload
from . import labels as L
from .cose import enc_structure
from .errors import (Failure, bad_sender, malformed, need_passphrase, no_key,
                     not_authentic, over_limit, repeated)
from .header import (MAX_MEMORY, PASS, PUBLIC_KEY_KINDS, RSA, X25519, matches,
                     parse_header, unwrap_key, unwrap_passphrase)
from .metadata import header_aad, parse_metadata, sender_aad, to_element

KIND_ALG = {RSA: L.OAEP, X25519: L.ECDH}
MAX_HIDDEN_RSA_TRIED = 128


@dataclass
class Reader:
    """What a reader has, and what he asks for.

    `sender` is None (nobody asked for), "any", or an identity id.
    """

    identities: list = field(default_factory=list)
    passphrase: bytes = None
    known: list = field(default_factory=list)
    revocations: list = field(default_factory=list)
    sender: object = None
    now: int = None
    max_memory: int = MAX_MEMORY


@dataclass
class Opened:
    """The outcome: data, and what is known about the message."""

    data: bytes
    metadata: object
    header: object
    ch: bytes
    opened_by: str
    sender: bytes
    own_id: bytes


def unarmor(data):
    """The binary envelope in data, which may be armored."""
    if data[:1] == b"\xda":
        return data
    return armor.decode(armor.MESSAGE, data)


def frame_start(data):
    """The offset of the header, after tag and array head."""
    start = L.TAG_ENVELOPE + b"\x9f"
    if data[:6] != start:
        raise malformed("not an envelope of this version")
    return 6


def _keys_for(entry, reader):
    """The (identity, key) pairs that an entry is tried with (4.6)."""
    return [(identity, key) for identity in reader.identities
            if entry.kid in (None, identity.id)
            for key in identity.enc_keys if key.alg == KIND_ALG.get(entry.kind)]


def _candidates(header, reader):
    """Yields (entry, identity or None, function that unwraps)."""
    tried = 0
    for entry in header.entries:
        keys = _keys_for(entry, reader)
        if entry.kind == RSA and entry.kid is None and keys:
            tried += 1
            if tried > MAX_HIDDEN_RSA_TRIED:
                raise over_limit("too many hidden RSA entries")
        for identity, key in keys:
            yield entry, identity, lambda e=entry, k=key: unwrap_key(e, k)
    for entry in header.entries:
        if entry.kind == PASS and reader.passphrase is not None:
            yield entry, None, lambda e=entry: unwrap_passphrase(e, reader.passphrase)


def find_cek(header, reader):
    """(CEK, entry, identity, failure): the first candidate that fits kc."""
    key_tried = False
    for entry, identity, unwrap in _candidates(header, reader):
        key_tried |= entry.kind != PASS
        cek = matches(header, unwrap())
        if cek is not None:
            return cek, entry, identity, _no_match(header, key_tried)
    raise _no_match(header, key_tried)


def _no_match(header, key_tried):
    has_pass = any(e.kind == PASS for e in header.entries)
    return need_passphrase() if has_pass and not key_tried else no_key()


def _newest_card(metadata, reader):
    """The sender's card with the highest serial, a known one before the carried."""
    own = [i.card for i in reader.identities]
    cards = [c for c in reader.known + own if c.id == metadata.sign1.kid]
    if metadata.card:
        cards.append(metadata.card)
    if not cards:
        raise bad_sender("the sender's card is not known")
    return max(cards, key=lambda c: c.serial)


def _verify_sender(header, metadata, reader):
    """Step 7; the card that counts for the rest."""
    card = _newest_card(metadata, reader)
    if card.key.alg != metadata.sign1.alg:
        raise malformed("alg is not that of the sender's key")
    aad = sender_aad(header.protected, header.iv, header.rh)
    if not metadata.sign1.verifies(card.key, aad):
        raise not_authentic("signature of the metadata")
    return card


def _check_sender(header, metadata, card, entry, identity, reader, now):
    """Step 8; the id of the authenticated sender, or None."""
    sender = None
    if card is not None:
        if entry.kind in PUBLIC_KEY_KINDS and entry.kid is None:
            own = to_element(metadata.claims[L.CTI], identity.id)
            if own not in metadata.claims.get(L.TO, []):
                raise bad_sender("not addressed to you")
        alone = len(header.entries) == 1 and header.entries[0].kind in PUBLIC_KEY_KINDS
        if metadata.mode == 2 or alone:
            sender = card.id
    if reader.sender is not None:
        _demand(sender, card, reader, now)
    return sender


def _demand(sender, card, reader, now):
    """What only matters where a sender was asked for."""
    if sender is None:
        raise bad_sender("no authenticated sender")
    if reader.sender not in ("any", sender):
        raise bad_sender("another sender")
    card.check_exp(now)
    for revocation in reader.revocations:
        if revocation.whom == sender:
            revocation.verify([card])
            raise bad_sender("the sender is revoked")


@dataclass
class Header:
    """What is known before the payload; `pos` is where the preamble begins."""

    data: bytes
    pos: int
    header: object
    metadata: object
    card: object
    ch: bytes
    entry: object
    identity: object
    sender: bytes


def open_header(data, reader):
    """Steps 1 to 9."""
    now = int(time.time()) if reader.now is None else reader.now
    data = unarmor(data)
    start = frame_start(data)
    header = parse_header(data, start, 1, max_memory=reader.max_memory)
    cek, entry, identity, failure = find_cek(header, reader)
    if header.rewrap is not None:
        raise malformed("rewrapped envelopes are not supported")
    plain = crypto.gcm_open(cek, header.iv, header.ciphertext,
                            enc_structure(header.protected, header_aad(header.rh)))
    if plain is None:
        raise failure
    metadata = parse_metadata(plain)
    card = _verify_sender(header, metadata, reader) if metadata.sign1 else None
    sender = _check_sender(header, metadata, card, entry, identity, reader, now)
    if L.EXP in metadata.claims and now >= metadata.claims[L.EXP]:
        raise repeated("the message has expired")
    ch = payload.core_hash(header.protected, header.iv, header.ciphertext, header.rh)
    return Header(data, start + header.size, header, metadata, card, ch, entry,
                  identity, sender)


def open_envelope(data, reader):
    """All steps; nothing is returned unless everything verified."""
    h = open_header(data, reader)
    result = b"".join(released(h))
    own_id = h.identity.id if h.identity else None
    return Opened(result, h.metadata, h.header, h.ch, h.entry.kind, h.sender, own_id)


def read_preamble(data, pos):
    """(salt, C, position of the first chunk)."""
    head = bytes.fromhex("5838")
    if not head.startswith(data[pos:pos + 2]):
        raise malformed("preamble: not a bstr of 56 bytes")
    if len(data) < pos + 58:
        raise not_authentic("truncated")
    return data[pos + 2:pos + 26], data[pos + 26:pos + 58], pos + 58


def released(h):
    """Steps 10 to 12: yields the data in verified pieces."""
    claims = h.metadata.claims
    salt, commitment, pos = read_preamble(h.data, h.pos)
    key, base, expected = payload.derive(claims[L.IK], salt, h.ch)
    if not crypto.same(commitment, expected):
        raise not_authentic("commitment of the payload")
    pieces = payload.read_chunks(h.data, pos, key, base)
    if h.metadata.mode == 2:
        pieces = payload.read_segments(pieces, claims[L.SEGMENT_SIZE], h.card.key,
                                       h.metadata.sign1.protected, h.ch)
    if L.PADDED in claims:
        pieces = payload.unpad(pieces)
    yield from pieces


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
            header = parse_header(data, pos + 6, 1, max_memory=(1 << 32) - 1)
            seen += 1
            _, _, pos = read_preamble(data, pos + 6 + header.size)
            pos = payload.skip_chunks(data, pos)
    except Failure as failure:
        return failure.status, seen
    return 0, seen
