"""Facts → causes. What each kind goes by: faults by plugin and words, or by process and moment; settings and what is
slow by plugin and words; silence by time and network; tags by type, name and code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from bedplate.runtime.causes import wording
from bedplate.runtime.causes.cause import Cause
from bedplate.runtime.causes.fact import Fact, Kind, Member
from bedplate.runtime.causes.sets import Sets, join_meeting
from bedplate.runtime.causes.silence import Silence, silences

_NUMBERS = re.compile(r"\d+")
_ORDER = {kind: number for number, kind in enumerate(Kind)}
Clock = Callable[[int], str]


def causes(
    facts: Iterable[Fact], members: Mapping[str, Member], clock: Clock | None = None
) -> list[Cause]:
    """The most severe first. clock: a moment (ns UTC) as people of this plant read it; by default UTC.

    A component of which several facts are told counts for the one that stands first in `Kind`.
    """
    by_kind: dict[Kind, list[Fact]] = defaultdict(list)
    for fact in _first_of_each(facts):
        by_kind[fact.kind].append(fact)
    words = wording.Words(members, clock or wording.utc)
    found = words.storage(by_kind.pop(Kind.STORAGE, []))
    found += [words.silence(one) for one in _silences(by_kind.pop(Kind.SILENT, []), members)]
    for kind, group in by_kind.items():
        found += [words.of(kind, part) for part in _parts(kind, group, members)]
    return sorted(found, key=lambda c: (-c.severity, c.since, c.subject, c.text))


def _first_of_each(facts: Iterable[Fact]) -> list[Fact]:
    """One for each component; all of those that are nobody's."""
    kept: dict[str, Fact] = {}
    whole = []
    for fact in sorted(set(facts), key=lambda f: (_ORDER[f.kind], f)):
        if not fact.component:
            whole.append(fact)
        elif fact.component not in kept:
            kept[fact.component] = fact
    return whole + sorted(kept.values())


def _silences(facts: Sequence[Fact], members: Mapping[str, Member]) -> list[Silence]:
    """Devices and readers apart: what is before a machine is not before a broker."""
    sources = [f for f in facts if members[f.component].role == "source"]
    readers = [f for f in facts if members[f.component].role != "source"]
    return [*silences(sources, members), *silences(readers, members)]


def _parts(kind: Kind, facts: Sequence[Fact], members: Mapping[str, Member]) -> list[list[Fact]]:
    if kind in (Kind.BEHIND, Kind.PLATFORM):
        return [[fact] for fact in facts]
    sets = Sets(len(facts))
    sets.join_all(_key(kind, fact, members[fact.component]) for fact in facts)
    if kind is Kind.FAULT:
        _join_moments(sets, facts, members)
    return sets.of(facts)


def _key(kind: Kind, fact: Fact, member: Member) -> Hashable:
    if kind is Kind.AWAY:
        return member.process
    if kind is Kind.SLOW:
        return member.process, fact.state, fact.reason
    if kind is Kind.TAGS:
        what = frozenset((tag.name, tag.code) for tag in fact.tags)
        return (member.type, member.use, what) if member.type else fact.component
    return member.plugin, alike(fact.reason, fact.component)


def _join_moments(sets: Sets, facts: Sequence[Fact], members: Mapping[str, Member]) -> None:
    """A process that ends takes all its components with it, whatever words each had for it."""
    of_process: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for number, fact in enumerate(facts):
        of_process[members[fact.component].process].append((fact.since, fact.since, number))
    for spans in of_process.values():
        join_meeting(sets, spans)


def alike(reason: str, component: str) -> str:
    """A reason without what differs from one component to the next: numbers, and its own name."""
    text = reason.removeprefix("in open: ").replace(component or "\0", "…")
    return _NUMBERS.sub("#", text)
