"""The links between the history and the device, each with what was seen of it.

Rule: beyond a link that is broken nothing is claimed: what stands behind it could not be seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from bedplate.api.v1 import why_pb2
from bedplate.model import quality
from bedplate.runtime.causes import BadTag
from bedplate.runtime.causes.reading import of_tag
from bedplate.runtime.lifecycle import Cause, State
from bedplate.runtime.source import Source
from bedplate.runtime.supervisor import Supervisor
from bedplate.server.explain.case import FINE, Case, length
from bedplate.server.explain.network_check import NetworkCheck, Seen

GOOD, BAD, UNKNOWN = "good", "bad", "unknown"
LATE = 60.0  # s that a history may be behind
Link = why_pb2.Link


async def chain(case: Case, check: NetworkCheck) -> list[Link]:
    """From the history to the device."""
    return [link async for link in _links(case, check)]


async def _links(case: Case, check: NetworkCheck) -> AsyncIterator[Link]:
    one = case.first
    if one is None or case.members[one.component.id].role != "history":
        yield _history(case)
    yield _journal(case)
    if one is None:
        return
    process = _process(case, one)
    yield process
    member = case.members[one.component.id]
    if member.spots or member.role == "source":
        yield await _network(case, one, check)
    yield _session(one, case, process)
    if isinstance(one.role, Source):
        yield _scan(one, one.role, case)
        if case.subject.tag:
            yield _node(case, one, one.role)
    elif hasattr(one.role, "position"):
        yield _reading(one, case)


def _history(case: Case) -> Link:
    kernel = case.kernel
    history = kernel.history
    if history is None:
        return Link(name="history", state=UNKNOWN, text="this deployment keeps none")
    one = kernel.components[history.component.id]
    if one.life.state is not State.UP:
        return Link(name="history", state=BAD, text=f"{one.life.state}: {one.life.reason}")
    behind = kernel.spine.live.age(history.position, case.now)
    text = f"{history.component.id} holds everything up to {length(behind)} ago"
    return Link(name="history", state=GOOD if behind < LATE else BAD, text=text)


def _journal(case: Case) -> Link:
    state = case.kernel.engine.state()
    if state.failed or state.full:
        return Link(name="journal", state=BAD, text=state.failed or state.full)
    return Link(name="journal", state=GOOD, text="on disk up to a moment ago")


def _process(case: Case, one: Supervisor) -> Link:
    place, launch = one.place, one.place.launch
    version = getattr(launch, "version", "")
    name = f"{launch.name} ({launch.plugin}{f' {version}' if version else ''})"
    attachment = place.run.attachment if place.run else None
    if attachment is None or attachment.gone.done():
        why = attachment.gone.result() if attachment else place.overdue.text or "it has not started"
        return Link(name="process", state=BAD, text=f"{name}: {why}")
    others = [c for c in place.components if c != one.component.id]
    well = sum(
        case.kernel.components[c].life.state in FINE for c in others if c in case.kernel.components
    )
    up = f", up {case.ago(place.started)}" if place.started else ""
    beats = ", answers its pings" if place.answers_pings else ""
    mates = f", {well} of {len(others)} others in it well" if others else ""
    where = f" {place.placement}" if place.placement != "process" else ""
    return Link(name="process", state=GOOD, text=f"{name}{where}{up}{beats}{mates}")


async def _network(case: Case, one: Supervisor, check: NetworkCheck) -> Link:
    spots = case.members[one.component.id].spots
    if not spots:
        return Link(
            name="network", state=UNKNOWN, text="its settings name no address that could be tried"
        )
    if one.life.state in FINE or one.life.state is State.SET_ASIDE:
        return Link(
            name="network", state=GOOD, text=f"{spots[0]}: its session stands, so it was not tried"
        )
    if one.place.placement == "remote":
        text = f"{spots[0]} is reached from elsewhere, not from this machine: not tried"
        return Link(name="network", state=UNKNOWN, text=text)
    seen = await asyncio.gather(*(check.ask(spot) for spot in spots[:3]))
    return Link(name="network", state=_all(seen), text="; ".join(one.text for one in seen))


def _all(seen: list[Seen]) -> str:
    """The worst of them."""
    return next(state for state in (BAD, UNKNOWN, GOOD) if state in {one.state for one in seen})


def _session(one: Supervisor, case: Case, process: Link) -> Link:
    life = one.life
    if life.state in FINE:
        return Link(name="session", state=GOOD, text=f"stands for {case.ago(_opened(one))}")
    if process.state == BAD:
        return Link(name="session", state=UNKNOWN, text="could not be seen: no process")
    if life.state is State.STARTING and life.reason in (str(Cause.START), str(Cause.RETRY)):
        return Link(
            name="session", state=UNKNOWN, text=f"is being opened, for {case.ago(life.since)}"
        )
    quiet = life.state in (State.OFF, State.SET_ASIDE)
    text = f"{life.state}: {one.overdue or life.reason}"
    if (tries := one.role.figures.restarts) and life.state is State.UNREACHABLE:
        text += f"; tried again {tries:,} times since the start, every 10 s at the latest"
    return Link(name="session", state=UNKNOWN if quiet else BAD, text=text)


def _opened(one: Supervisor) -> int:
    """When it came up, whatever of it was partly Bad since."""
    since = one.life.since
    for transition in reversed(one.life.history):
        if transition.state not in FINE:
            break
        since = transition.at
    return since


def _scan(one: Supervisor, role: Source, case: Case) -> Link:
    name = "scan" if role.credit is None else "subscription"
    if one.life.state not in (*FINE, State.SET_ASIDE):
        return Link(name=name, state=UNKNOWN, text="could not be seen: no session")
    good, whole, quiet = role.good(), len(role.tags), role.quietest()
    ago = f", the oldest value {length(quiet)} ago" if quiet >= 0 else ", no value yet"
    skipped = f", {role.figures.skipped:,} scans left out" if role.figures.skipped else ""
    state = BAD if not good and whole else GOOD
    return Link(name=name, state=state, text=f"{good} of {whole} tags good{ago}{skipped}")


def _node(case: Case, one: Supervisor, role: Source) -> Link:
    if case.good:
        return Link(name="node", state=GOOD, text="gives its value")
    if one.life.state not in FINE:
        return Link(name="node", state=UNKNOWN, text="could not be seen: no session")
    bad = bad_tag(case, role)
    why, _ = of_tag(bad)
    number = f" 0x{bad.code:08X}"
    text = f"{quality.name(bad.code)}{number}: {bad.why or why}; asked again with each scan"
    if role.credit is not None:
        text = f"{quality.name(bad.code)}{number}: {bad.why or why}; asked again every minute"
    return Link(name="node", state=BAD, text=text)


def bad_tag(case: Case, role: Source) -> BadTag:
    """The subject as a tag that is not Good."""
    names = {tag.path: number for number, tag in enumerate(role.tags, 1)}
    number = names.get(case.subject.tag, 0)
    why = role.figures.problems.get(number, "")
    name = role.tags[number - 1].name if number else case.subject.tag
    return BadTag(name, case.code, why, case.lapsed(), case.last_good() is not None)


def _reading(one: Supervisor, case: Case) -> Link:
    position = getattr(one.role, "position", 0)
    behind = case.kernel.spine.live.age(position, case.now)
    waiting = max(0, case.kernel.engine.state().appended - position)
    text = f"{length(behind)} behind, {waiting:,} records wait for it"
    return Link(name="reading", state=GOOD if behind < LATE else BAD, text=text)


def unseen(links: list[Link]) -> Iterator[str]:
    """Names of those that could not be seen."""
    yield from (link.name for link in links if link.state == UNKNOWN)
