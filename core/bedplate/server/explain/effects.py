"""Who else is hit and who is not; and what hangs on it: limits that nobody watches, results without input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from bedplate.model import quality
from bedplate.runtime.causes import Kind
from bedplate.runtime.source import Source
from bedplate.runtime.supervisor import Supervisor
from bedplate.runtime.watching import INPUTS, code_of, words
from bedplate.server.explain.case import FINE, QUIET, Case
from bedplate.shown import some


def also(case: Case) -> list[str]:
    """Others of its type, or of its plugin, and of its process."""
    one = case.first
    if one is None or case.subject.kind == "journal":
        return []
    found = (_of_cause(case), *_more(case), _type_mates(case), _process_mates(case))
    return list(filter(None, found))


def _more(case: Case) -> Iterator[str]:
    """Other causes that hit a part of it."""
    mine = set(case.subject.components)
    if len(mine) > 1:
        others = (one for one in case.causes if one is not case.cause)
        yield from (one.problem for one in others if mine & set(one.components))


def _of_cause(case: Case) -> str:
    if case.cause is None:
        return ""
    others = [c for c in case.cause.components if c not in case.subject.components]
    return f"the same cause hits {some(others)}" if others else ""


def _type_mates(case: Case) -> str:
    one = case.first
    assert one
    mine = case.members[one.component.id]
    what = mine.type or mine.use
    mates = [
        m.id
        for m in case.members.values()
        if (m.type or m.use) == what and m.id not in case.subject.components and m.role == mine.role
    ]
    if not mates:
        return "" if len(case.subject.components) > 1 else f"it is the only {what}"
    states = {c: case.kernel.components[c].life.state for c in mates}
    aside = [c for c, state in states.items() if state in QUIET]
    well = [c for c in mates if states[c] in FINE]
    kind = "type" if mine.type else "use"
    text = f"{len(well)} of {len(mates) - len(aside)} others of {kind} {what} answer"
    if case.cause and case.cause.kind is Kind.TAGS and case.subject.tag:
        name = case.subject.tag.rpartition("/")[2]
        have = [
            c
            for c in well
            if quality.is_good(code_of(f"{case.members[c].path}/{name}", case.kernel.spine))
        ]
        text = f"{len(have)} of {len(well)} others of {kind} {what} that answer have {name}"
    return f"{text}; {some(aside)} off or set aside" if aside else text


def _process_mates(case: Case) -> str:
    one = case.first
    assert one
    mates = [c for c in one.place.components if c not in case.subject.components]
    if not mates:
        return ""
    well = sum(case.kernel.components[c].life.state in FINE for c in mates if c in case.members)
    return f"{well} of {len(mates)} others in process {one.place.launch.name} are well"


def effects(case: Case) -> list[str]:
    """What an analytic wants of these tags and does not get."""
    if case.first and (watched := getattr(case.first.role, "watched", None)):
        return [words(watched, case.kernel.spine) or "none: it has all its inputs"]
    paths = set(_paths(case))
    if not paths:
        return []
    lines = [
        line for one in case.kernel.tier("analytic") for line in _of_analytic(case, one, paths)
    ]
    aside = [s for s in case.supervisors() if case.kernel.maintenance.locked(s.component.id)]
    lines += [f"writing to {s.component.id} is locked" for s in aside]
    return lines or [_none(case, paths)]


def _none(case: Case, paths: set[str]) -> str:
    """Nothing that hangs on it is without input."""
    every = (w for one in case.kernel.tier("analytic") for w in getattr(one.role, "watched", ()))
    count = sum(1 for watched in every if watched.path in paths)
    if not count:
        return "no limit and no result hangs on it"
    if count == 1:
        return "none: the limit or input that hangs on it has a value"
    return f"none: all {count} limits and inputs that hang on it have a value"


def _paths(case: Case) -> Iterator[str]:
    """Tags of the subject that have no usable value."""
    if case.subject.tag:
        yield case.subject.tag
        return
    for one in case.supervisors():
        if isinstance(one.role, Source):
            yield from (tag.path for tag in one.role.tags)


def _of_analytic(case: Case, one: Supervisor, paths: set[str]) -> Iterator[str]:
    hit: dict[tuple[str, str], list[str]] = defaultdict(list)
    for watched in getattr(one.role, "watched", ()):
        code = code_of(watched.path, case.kernel.spine)
        if watched.path in paths and quality.is_bad(code):
            asset, _, own = watched.name.partition("/")
            hit[asset, watched.noun].append(own)
    name = one.component.id
    every: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (asset, noun), owns in hit.items():
        every[noun, some(sorted(set(owns)))].append(asset)
    for (noun, listed), assets in every.items():
        of = some(sorted(assets))
        if noun == INPUTS:
            yield f"{name} of {of} has no {listed}: its results stand still"
        else:
            yield f"{name}: nobody watches {listed} of {of}, which has no input"
