"""Who fell silent together: one device, what stands before several, or a whole network.

Rule: devices behind one address belong together when all of them are silent, or fell silent within two seconds;
addresses of one neighbourhood when they fell silent within two seconds; at the start, when nobody has a time, only a
row of three or more in which nobody answers. When it happened is known up to a scan: between the last that was heard
and when it was noticed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bedplate.runtime.causes.fact import Fact, Member, Spot
from bedplate.runtime.causes.network import Row, network
from bedplate.runtime.causes.sets import Sets, join_meeting

LOOK_BACK = 15_000_000_000  # ns before it was noticed that it may have happened
ROW = 3  # addresses without any time that make a row

Members = Mapping[str, Member]
Part = list[Fact]


@dataclass(frozen=True, slots=True)
class Silence:
    """Facts of one cause. scope: device, behind (one address), host, network, everything, alike (no address is known) ·
    others: ids of devices that stand among these and answer."""

    scope: str
    facts: tuple[Fact, ...]
    others: tuple[str, ...] = ()


def silences(facts: Iterable[Fact], members: Members) -> list[Silence]:
    """Each fact in exactly one of them."""
    facts = sorted(facts)
    nowhere = [f for f in facts if members[f.component].spot is None]
    somewhere = [f for f in facts if members[f.component].spot is not None]
    alike = _met(
        [[f] for f in nowhere], [(members[f.component].process, f.reason) for f in nowhere]
    )
    found = [Silence("device" if len(p) == 1 else "alike", tuple(p)) for p in map(_flat, alike)]
    return [*found, *_Plant(members, somewhere).silences()]


class _Plant:
    """Who is silent, and who answers."""

    def __init__(self, members: Members, facts: Sequence[Fact]) -> None:
        self._facts = facts
        self._spot: dict[str, Spot] = {m.id: m.spot for m in members.values() if m.spot}
        silent = {fact.component for fact in facts}
        self._well = {
            id_: spot
            for id_, spot in self._spot.items()
            if id_ not in silent and members[id_].expected and members[id_].role == "source"
        }

        self._well_spots = set(self._well.values())

    def silences(self) -> list[Silence]:
        by_spot: dict[Spot, Part] = defaultdict(list)
        for fact in self._facts:
            by_spot[self._spot[fact.component]].append(fact)
        behind = [part for spot, facts in by_spot.items() for part in self._behind(spot, facts)]
        kept: list[Part] = []
        for group in _met(behind, map(self._net, behind)):
            kept += [_flat(group)] if self._one_cause(_flat(group)) else group
        if self._is_everything(kept):
            return [Silence("everything", tuple(sorted(_flat(kept))))]
        return [self._silence(part) for part in kept]

    def _is_everything(self, parts: Sequence[Part]) -> bool:
        """Nobody answers anywhere, in several networks, since one moment."""
        if self._well or len({self._net(part) for part in parts}) < 2 or len(_met(parts)) > 1:
            return False
        return len(parts) >= ROW or all(fact.heard for fact in self._facts)

    def _behind(self, spot: Spot, facts: Part) -> list[Part]:
        if spot not in self._well_spots:
            return [facts]
        return [_flat(group) for group in _met([[fact] for fact in facts])]

    def _net(self, part: Part) -> Hashable:
        return network(self._spot[part[0].component].host)

    def _spots(self, facts: Iterable[Fact]) -> set[Spot]:
        return {self._spot[fact.component] for fact in facts}

    def _one_cause(self, facts: Part) -> bool:
        """Time tells it; without one, a row in which nobody answers."""
        spots = self._spots(facts)
        if len(spots) == 1 or any(fact.heard for fact in facts):
            return True
        hosts = {spot.host for spot in spots}
        return (len(hosts) == 1 or len(hosts) >= ROW) and not self._among(hosts)

    def _among(self, hosts: Collection[str]) -> list[str]:
        row = Row(hosts)
        return sorted(id_ for id_, spot in self._well.items() if spot.host in row)

    def _silence(self, facts: Part) -> Silence:
        facts, spots = sorted(facts), self._spots(facts)
        hosts = {spot.host for spot in spots}
        if len(spots) == 1:
            others = sorted(id_ for id_, spot in self._well.items() if spot in spots)
            scope = "device" if len(facts) == 1 else "behind"
            return Silence(scope, tuple(facts), tuple(others))
        scope = "host" if len(hosts) == 1 else "network"
        return Silence(scope, tuple(facts), tuple(self._among(hosts)))


def _met(parts: Sequence[Part], keys: Iterable[Hashable] = ()) -> list[list[Part]]:
    """Parts of one key whose times meet."""
    by_key: dict[Hashable, list[tuple[int, int, int]]] = defaultdict(list)
    every = list(keys) or [None] * len(parts)
    for number, (part, key) in enumerate(zip(parts, every, strict=True)):
        by_key[key] += [(*when(fact), number) for fact in part]
    sets = Sets(len(parts))
    for spans in by_key.values():
        join_meeting(sets, spans)
    return sets.of(parts)


def _flat(parts: Iterable[Part]) -> Part:
    return [fact for part in parts for fact in part]


def when(fact: Fact) -> tuple[int, int]:
    """Between which moments it happened."""
    heard = min(fact.heard, fact.since)
    return (max(heard, fact.since - LOOK_BACK) if heard else fact.since), fact.since
