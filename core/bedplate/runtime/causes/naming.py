"""What several components are called together, so that people and `why` know whom is meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bedplate.runtime.causes.fact import Member


def name_of(ids: set[str], members: Mapping[str, Member]) -> str:
    """What just these are called together: one component, a level of the path, a process, an entry; empty: nothing."""
    if len(ids) == 1:
        return next(iter(ids))
    found = next((s for s in _levels(ids, members) if s), "")
    if found:
        return found
    for what in ("process", "entry"):
        names = {getattr(members[id_], what) for id_ in ids}
        if len(names) == 1 and (name := next(iter(names))) and _all_of(what, name, members) == ids:
            return str(name)
    return ""


def _levels(ids: set[str], members: Mapping[str, Member]) -> Iterable[str]:
    """The level of the path below which just these hang."""
    paths = [members[id_].path.split("/") for id_ in sorted(ids)]
    depth = 0
    while all(len(p) > depth + 1 and p[depth] == paths[0][depth] for p in paths):
        depth += 1
    level = "/".join(paths[0][:depth])
    below = {m.id for m in members.values() if m.path.startswith(f"{level}/") and _counts(m)}
    if depth > 1 and below == ids:
        yield paths[0][depth - 1]


def _all_of(what: str, name: str, members: Mapping[str, Member]) -> set[str]:
    return {m.id for m in members.values() if getattr(m, what) == name and _counts(m)}


def _counts(member: Member) -> bool:
    return member.expected and member.role != "analytic"
