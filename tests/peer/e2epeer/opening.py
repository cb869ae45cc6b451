"""Reading envelopes, in the order of section 6."""

import time
from dataclasses import dataclass, field

from . import armor, crypto, payload
from . import labels as L
from .cose import enc_structure
from .errors import (bad_sender, malformed, need_passphrase, no_key,
                     not_authentic, over_limit, repeated)
from .header import (MAX_MEMORY, PASS, PUBLIC_KEY_KINDS, RSA, X25519, matches,
                     parse_header, unwrap_key, unwrap_passphrase)
from .metadata import header_aad, parse_metadata, sender_aad, to_element

KIND_ALG = {RSA: L.OAEP, X25519: L.ECDH}
MAX_RSA_TRIALS = 128


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


def _candidates(header, reader):
    """Yields (entry, identity or None, function that unwraps)."""
    trials = 0
    for entry in header.entries:
        if entry.kind == PASS and reader.passphrase is not None:
            yield entry, None, lambda e=entry: unwrap_passphrase(e, reader.passphrase)
        if entry.kind not in KIND_ALG:
            continue
        for identity in reader.identities:
            if entry.kid is not None and entry.kid != identity.id:
                continue
            for key in identity.enc_keys:
                if key.alg != KIND_ALG[entry.kind]:
                    continue
                if entry.kind == RSA and entry.kid is None:
                    trials += 1
                    if trials > MAX_RSA_TRIALS:
                        raise over_limit("too many hidden RSA entries")
                yield entry, identity, lambda e=entry, k=key: unwrap_key(e, k)


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
    """The card of the sender with the highest serial: carried or known."""
    own = [i.card for i in reader.identities]
    cards = [c for c in reader.known + own if c.id == metadata.sign1.kid]
    if metadata.card:
        cards.insert(0, metadata.card)
    if not cards:
        raise bad_sender("the sender's card is not known")
    return max(cards, key=lambda c: c.serial)


def _verify_sender(header, metadata, reader):
    """Step 7; the card that counts for the rest."""
    card = _newest_card(metadata, reader)
    if card.key.alg != metadata.sign1.alg:
        raise malformed("alg is not that of the sender's key")
    for one in {id(c): c for c in (card, metadata.card) if c}.values():
        one.verify()
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
            card.check_exp(now)
            for revocation in reader.revocations:
                if revocation.ends_identity == sender:
                    revocation.verify([card])
                    raise bad_sender("the sender is revoked")
    if reader.sender is not None:
        if sender is None:
            raise bad_sender("no authenticated sender")
        if reader.sender not in ("any", sender):
            raise bad_sender("another sender")
    return sender


def open_envelope(data, reader):
    """All steps; nothing is returned unless everything verified."""
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
    result = read_payload(data, start + header.size, metadata, card, ch)
    own_id = identity.id if identity else None
    return Opened(result, metadata, header, ch, entry.kind, sender, own_id)


def read_preamble(data, pos):
    """(salt, C, position of the first chunk)."""
    head = bytes.fromhex("5838")
    if not head.startswith(data[pos:pos + 2]):
        raise malformed("preamble: not a bstr of 56 bytes")
    if len(data) < pos + 58:
        raise not_authentic("truncated")
    return data[pos + 2:pos + 26], data[pos + 26:pos + 58], pos + 58


def read_payload(data, pos, metadata, card, ch):
    """Steps 10 to 12: the data."""
    salt, commitment, pos = read_preamble(data, pos)
    key, base, expected = payload.derive(metadata.claims[L.IK], salt, ch)
    if not crypto.same(commitment, expected):
        raise not_authentic("commitment of the payload")
    pieces = payload.read_chunks(data, pos, key, base)
    if metadata.mode == 2:
        pieces = payload.read_segments(pieces, metadata.claims[L.SEGMENT_SIZE],
                                       card.key, metadata.sign1.protected, ch)
    result = b"".join(pieces)
    return payload.unpad(result) if L.PADDED in metadata.claims else result
