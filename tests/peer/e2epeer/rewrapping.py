"""Writing rewrap blocks, also deliberately wrong ones (section 10).

A run takes the names of sealing for what it makes alike: `claims`, `payload`,
`signed_protected`, `signature` and `metadata` are those of the block.  Its own:

    rewrap_aad           X
    rewrap_iv            12 bytes
    sealed               ciphertext of the block
"""

from . import crypto
from . import labels as L
from .blocks import parse_block, rewrap_aad, rewrap_key
from .errors import over_limit
from .header import MAX_HEADER, make_header
from .opening import unlock
from .sealing import Sealer, check_plan


class Rewrapper(Sealer):
    """One run; `plan.sender` is the rewrapper who signs, or None."""

    typ = L.TYP_REWRAP

    def __init__(self, plan, unlocked):
        super().__init__(plan)
        self.unlocked = u = unlocked
        s = self.state
        s.cek, s.iv = u.cek, u.header.iv
        s.cti = u.metadata.claims[L.CTI]
        s.ciphertext = u.header.ciphertext

    def rewrap(self):
        """The envelope for its new recipients."""
        s, u = self.state, self.unlocked
        self._recipients()
        self._set("rewrap_aad", rewrap_aad(s.protected, s.iv, s.ciphertext, s.recipients))
        self._metadata()
        self._set("rewrap_iv", crypto.random(12))
        self._set("sealed", crypto.gcm_seal(rewrap_key(s.cek), s.rewrap_iv, s.metadata,
                                            s.rewrap_aad))
        self._set("unprotected", {5: s.iv, L.REWRAP: [s.rewrap_iv, s.sealed]})
        self._set("header", make_header(s.protected, s.unprotected, s.ciphertext,
                                        s.recipients))
        if self.plan.strict and len(s.header) > MAX_HEADER:
            raise over_limit("header too long")
        start = u.pos - u.header.size
        return self._set("envelope", u.data[:start] + s.header + u.data[u.pos:])

    def _claims(self):
        plan, s = self.plan, self.state
        claims = {L.IAT: s.now, L.ORIGINAL_RH: self.unlocked.rh, **self._to()}
        if plan.sender and plan.carry_card:
            claims[L.CARD] = plan.sender.card.raw
        claims.update(plan.claims)
        return claims

    def _external_aad(self):
        return self.state.rewrap_aad

    def parse(self, block):
        """What the writer would refuse to read."""
        return parse_block(block, self.state.rewrap_aad)


def rewrap(data, reader, plan):
    """The envelope in data, which the reader can open, for those of the plan.

    `plan.sender` signs, where there is one; each recipient occurs once.
    """
    unlocked = unlock(data, reader)
    plan.cards = list({c.id: c for c in plan.cards}.values())
    plan.groups = list({g.kid: g for g in plan.groups}.values())
    check_plan(plan)
    return Rewrapper(plan, unlocked).rewrap()
