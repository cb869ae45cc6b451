"""Wrapped keys: reading and making them (section 9)."""

import time
from dataclasses import replace

from . import armor, crypto
from . import labels as L
from .cose import enc_structure, parse_sign1
from .errors import bad_sender, malformed, over_limit
from .groups import TABLE, GroupKey
from .header import MAX_METADATA, parse_header
from .identity import Identity
from .metadata import header_aad, sender_aad
from .opening import demand_signer, find_cek, unarmor, verify_signer
from .sealing import Plan, Sealer

LABELS = "e2e1 wrapped header", "e2e1 wrapped sender"


def parse_wrapped(plain):
    """The COSE_Sign1 that a wrapped key encrypts; not yet who signed."""
    if len(plain) > MAX_METADATA:
        raise over_limit("wrapped key: too long")
    return parse_sign1(plain, L.TYP_WRAPPED, TABLE)


def read_wrapped(data, reader):
    """The group key of a wrapped key, after all steps."""
    data = unarmor(data, armor.WRAPPED_KEY)
    if data[:5] != L.TAG_WRAPPED:
        raise malformed("not a wrapped key")
    header = parse_header(data, 5, 0, max_memory=reader.max_memory)
    if len(data) != 5 + header.size:
        raise malformed("bytes after the wrapped key")
    # A removed member holds the key of the epoch before.
    cek, _, owner, failure = find_cek(header, replace(reader, groups=[]))
    plain = crypto.gcm_open(cek, header.iv, header.ciphertext, enc_structure(
        header.protected, header_aad(header.rh, LABELS[0])))
    if plain is None:
        raise failure
    sign1 = parse_wrapped(plain)
    aad = sender_aad(header.protected, header.iv, header.rh, LABELS[1])
    card = verify_signer(sign1, aad, reader)
    group = GroupKey.of_claims(sign1.kid, sign1.claims)
    if isinstance(owner, Identity) and owner.id not in group.members:
        raise bad_sender("not a member")
    if reader.sender is not None:
        demand_signer(card, reader, int(time.time()) if reader.now is None else reader.now)
    if reader.state is not None:
        reader.state.learn_group(group)
    return group


class Wrapper(Sealer):
    """One run of the writer of wrapped keys; `plan.sender` is the maker."""

    typ = L.TYP_WRAPPED
    labels = LABELS
    parse = staticmethod(parse_wrapped)

    def __init__(self, plan, group):
        super().__init__(plan)
        self.group = group

    def wrap(self):
        """The wrapped key."""
        self._recipients()
        self._metadata()
        self._header()
        return self._set("envelope", L.TAG_WRAPPED + self.state.header)

    def _claims(self):
        plan, s = self.plan, self.state
        claims = {L.IAT: s.now, L.CTI: s.cti, **self.group.claims}
        if plan.sender and plan.carry_card:
            claims[L.CARD] = plan.sender.card.raw
        claims.update(plan.claims)
        return claims


def _wrap(maker, cards, group):
    for card in cards:
        card.check_exp(int(time.time()))
    if len(cards) > 1024:
        raise over_limit("too many members")
    return Wrapper(Plan(cards, sender=maker), group).wrap()


def _once(cards):
    return list({c.id: c for c in cards}.values())


def _check_maker(group, maker, cards):
    """Only the maker changes his group, and he needs the card of each who stays."""
    if maker.id != group.maker:
        raise bad_sender("only its maker changes a group")
    if {c.id for c in cards} != set(group.members):
        raise malformed("the cards are not those of the members")


def new_group(maker, cards, name=None, key=None):
    """A wrapped key for a new group of the maker and others."""
    cards = _once([maker.card, *cards])
    group = GroupKey(key or crypto.random(32), maker.id, crypto.random(16), name, 1,
                     [c.id for c in cards])
    return _wrap(maker, cards, group)


def add_member(group, maker, cards, card):
    """The wrapped key of the same epoch for one member more; cards of the others."""
    cards = _once([maker.card, *cards])
    _check_maker(group, maker, cards)
    cards = _once([*cards, card])
    return _wrap(maker, cards, replace(group, members=[c.id for c in cards]))


def remove_member(group, maker, cards, ident):
    """The wrapped key of the next epoch; cards of all who were members."""
    cards = _once([maker.card, *cards])
    _check_maker(group, maker, cards)
    cards = [c for c in cards if c.id != ident]
    if ident == maker.id or len(cards) == len(group.members):
        raise malformed("not a member who can be removed")
    return _wrap(maker, cards, replace(group, key=crypto.random(32), epoch=group.epoch + 1,
                                       members=[c.id for c in cards]))
