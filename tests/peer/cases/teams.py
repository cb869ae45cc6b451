"""Groups that the cases write to."""

from dataclasses import replace

from e2epeer import crypto
from e2epeer.groups import GroupKey
from e2epeer.sealing import Plan
from e2epeer.wrapping import Wrapper


class Teams:
    """Group keys by name, and the wrapped keys that bob can read.

    team      alice's, with bob, carol and mallory
    team-2    its next epoch: mallory was removed
    reissued  mallory's wrapped key around the key of team
    other     another group of alice and bob, of the same name
    foreign   a group of alice and carol, which bob is not in
    """

    def __init__(self, people):
        self.p = people
        self.keys, self.files = {}, {}
        alice, mallory = people.alice.id, people.mallory.id
        team = GroupKey(crypto.random(32), alice, crypto.random(16), "team", 1,
                        self._ids("alice", "bob", "carol", "mallory"))
        self._add("team", team)
        self._add("team-2", replace(team, key=crypto.random(32), epoch=2,
                                    members=self._ids("alice", "bob", "carol")))
        self._add("reissued", replace(team, maker=mallory), "mallory")
        self._add("other", replace(team, key=crypto.random(32), random=crypto.random(16),
                                   members=self._ids("alice", "bob")))
        self._add("foreign", replace(team, key=crypto.random(32), random=crypto.random(16),
                                     members=self._ids("alice", "carol")), to=("carol",))

    def _ids(self, *names):
        return [getattr(self.p, n).id for n in names]

    def _add(self, name, group, maker="alice", to=("bob", "carol")):
        self.keys[name] = group
        self.files[name] = self.wrap(group, maker, to)

    def wrap(self, group, maker="alice", to=("bob",), **plan):
        """A wrapped key, without the writer's checks."""
        cards = [getattr(self.p, n).card for n in to]
        who = getattr(self.p, maker) if maker else None
        return Wrapper(Plan(cards, sender=who, strict=False, **plan), group).wrap()
