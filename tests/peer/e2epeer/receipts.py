"""Answering the wish for a delivery receipt (section 11)."""

from . import labels as L
from .errors import bad_sender
from .sealing import Plan, seal
from .statements import delivery_claims, make_delivery


def answer(opened, identity):
    """The sealed delivery receipt for a message that this identity opened."""
    claims = opened.metadata.claims
    if L.RECEIPT not in claims or claims.get(L.MEDIA_TYPE) == L.MEDIA_DELIVERY:
        raise bad_sender("nobody asked for a delivery receipt")
    if opened.sender is None or opened.block is not None:
        raise bad_sender("no receipt for a sender who is not verified, or did not send it here")
    made = make_delivery(identity, delivery_claims(claims[L.CTI], opened.ch, opened.data))
    return seal_receipt(made, claims[L.CTI], opened.card, identity)


def seal_receipt(made, message_id, card, identity, **plan):
    """The envelope around a delivery receipt, for who sent the message."""
    about = {L.MEDIA_TYPE: L.MEDIA_DELIVERY, L.REPLY_TO: message_id}
    return seal(Plan([card], sender=identity, claims={**about, **plan.pop("claims", {})},
                     **plan), made)
