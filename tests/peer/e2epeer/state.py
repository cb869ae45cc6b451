"""What a reader and a sender remember (5.7, 9 and 11)."""

import json

from . import claims as C
from .errors import not_authentic, repeated

WINDOW = 1024


class State:
    """Accepted messages, numbers, epochs, and what was sent."""

    def __init__(self):
        self.accepted = {}
        self.forgotten = None
        self.numbers = {}
        self.epochs = {}
        self.sent = {}

    def check(self, ch, iat, sender, conversation, number):
        """(numbers left out, whether it is late); status 4 where it is refused.

        `sender` is None where he is not verified, and `number` where there is none.
        """
        if ch in self.accepted:
            raise repeated("accepted before")
        if self.forgotten is not None and iat <= self.forgotten:
            raise repeated("as old as what was forgotten")
        if sender is None or number is None:
            return range(0), False
        C.number("sequence number", number)
        highest, seen = self.numbers.get((sender, conversation), (0, set()))
        if number > highest:
            return range(highest + 1, number), False
        if number <= highest - WINDOW:
            raise repeated("a number below those remembered")
        if number in seen:
            raise repeated("a number that was seen")
        return range(0), True

    def record(self, ch, iat, sender, conversation, number):
        """Remembers a message, all of which verified."""
        self.accepted[ch] = iat
        if sender is None or number is None:
            return
        highest, seen = self.numbers.get((sender, conversation), (0, set()))
        highest = max(highest, number)
        seen = {n for n in seen | {number} if n > highest - WINDOW}
        self.numbers[sender, conversation] = highest, seen

    def forget(self, iat):
        """Forgets messages issued at or before a time, and refuses such from now on."""
        old = [i for i in self.accepted.values() if i <= iat]
        if old:
            self.accepted = {c: i for c, i in self.accepted.items() if i > iat}
            self.forgotten = max([*old, self.forgotten or 0])

    def newest_epoch(self, group):
        """The highest epoch known of a group, or 0."""
        return self.epochs.get(group.lineage, 0)

    def learn_group(self, group):
        """Remembers the epoch of a group key that was read."""
        self.epochs[group.lineage] = max(group.epoch, self.newest_epoch(group))

    def sends(self, message_id, ch, digest):
        """Remembers a message for which a receipt is wanted."""
        self.sent[message_id] = ch, digest

    def check_receipt(self, message_id, ch, digest):
        """True if this message is remembered; status 1 if another was sent."""
        if message_id not in self.sent:
            return False
        if self.sent[message_id] != (ch, digest):
            raise not_authentic("a receipt for something else than what was sent")
        return True

    def dump(self):
        """As text."""
        return json.dumps({
            "accepted": [[c.hex(), i] for c, i in self.accepted.items()],
            "forgotten": self.forgotten,
            "numbers": [[s.hex(), c.hex(), h, sorted(n)]
                        for (s, c), (h, n) in self.numbers.items()],
            "epochs": [[m.hex(), r.hex(), n, e] for (m, r, n), e in self.epochs.items()],
            "sent": [[m.hex(), c.hex(), d.hex()] for m, (c, d) in self.sent.items()]})

    @classmethod
    def load(cls, text):
        """From what dump() wrote."""
        raw, state, b = json.loads(text), cls(), bytes.fromhex
        state.accepted = {b(c): i for c, i in raw["accepted"]}
        state.forgotten = raw["forgotten"]
        state.numbers = {(b(s), b(c)): (h, set(n)) for s, c, h, n in raw["numbers"]}
        state.epochs = {(b(m), b(r), n): e for m, r, n, e in raw["epochs"]}
        state.sent = {b(m): (b(c), b(d)) for m, c, d in raw["sent"]}
        return state
