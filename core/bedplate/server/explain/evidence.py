"""What was seen, oldest first, each with its time: changes of state, what a component said, events of the journal."""

from __future__ import annotations

from collections.abc import Iterator

from bedplate.errors import JournalError
from bedplate.model import Body, Event, EventKind, quality
from bedplate.runtime.causes import Kind
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.lifecycle import Cause as Why
from bedplate.server.explain.case import Case, value_text
from bedplate.wire import decode_event

SHOWN = 8
RECORDS, SIZE, PAGES = 1500, 1 << 20, 4  # of the journal that are looked through for events
NOTHING_NEW = tuple(map(str, (Why.START, Why.RETRY, Why.STOP, Why.CLOSED)))
OPENED = f"up: {Why.OPENED}"
LONGEST = 300
BEFORE = 120_000_000_000  # ns before a trouble that are told too


async def facts(case: Case) -> list[str]:
    """At most a few lines; those around the begin of the trouble, and the newest."""
    found = {*_of_lives(case), *_of_tag(case)}
    for event in await _events(case.kernel):
        if _concerns(event, case):
            by = f" by {event.by}" if event.by else ""
            found.add((event.time, _prefix(event, case) + event.text[:LONGEST] + by))
    begin = case.cause.since - BEFORE if case.cause else 0
    if len(case.subject.components) > 1 and case.cause:
        found = {line for line in found if not line[1].endswith(OPENED)}
    near = [line for line in sorted(found) if line[0] >= begin]
    lines = _once(near or sorted(found))
    if len(lines) > SHOWN:
        lines = [*lines[: SHOWN // 2], *lines[-SHOWN // 2 :]]
    return [_line(case, *line) for line in lines]


def _line(case: Case, at: int, text: str, count: int, last: int) -> str:
    again = f" ({count} times since {case.at(at)})" if count > 1 else ""
    return f"{case.at(last)}  {text}{again}"


def _of_lives(case: Case) -> Iterator[tuple[int, str]]:
    several = len(case.subject.components) > 1
    for one in case.supervisors():
        name = f"{one.component.id} " if several else ""
        for transition in one.life.history:
            if transition.reason not in NOTHING_NEW:
                yield transition.at, f"{name}{transition.state}: {transition.reason[:LONGEST]}"
        if case.cause and case.cause.kind is Kind.FAULT and (place := _place(one.trace)):
            yield one.life.since, f"{name}{place}"


def _place(trace: str) -> str:
    """Where in the plugin's code it was, for its author."""
    places = [line.strip() for line in trace.splitlines() if line.strip().startswith("File ")]
    return f"its code: {places[-1]}" if places else ""


def _of_tag(case: Case) -> Iterator[tuple[int, str]]:
    tag, last, since = case.tag, case.last_good(), case.lapsed()
    if tag and last:
        yield last[0], f"last good value: {value_text(last[1], tag)}"
    if since:
        yield since, f"{case.subject.tag.rpartition('/')[2]} turned {quality.name(case.code)}"


async def _events(kernel: Kernel) -> list[Event]:
    """The newest of the journal, also of before a restart."""
    engine = kernel.engine
    position, found = max(0, engine.state().appended - RECORDS * PAGES), []
    try:
        for _ in range(PAGES):
            records = await engine.read(position, records=RECORDS, size=SIZE)
            found += [decode_event(r.payload) for r in records if r.kind is Body.EVENT]
            if not records:
                break
            position = records[-1].position
    except JournalError:
        return found
    return found


def _concerns(event: Event, case: Case) -> bool:
    if event.kind not in (EventKind.STATUS, EventKind.NOTE):
        return case.subject.kind == "alarm" and event.source == case.subject.name
    if event.kind is EventKind.STATUS and event.text.partition(": ")[2] in NOTHING_NEW:
        return False
    if case.subject.kind == "journal":
        return event.source == "kernel/journal"
    paths = {case.members[c].path for c in case.subject.components}
    return event.component in case.subject.components or (
        not event.component and event.source in paths
    )


def _prefix(event: Event, case: Case) -> str:
    if event.alarm is not None:
        return f"alarm {event.alarm.state.name.lower().replace('_', ' ')}: "
    several = len(case.subject.components) > 1
    return f"{event.component or event.source.rpartition('/')[2]} " if several else ""


def _once(lines: list[tuple[int, str]]) -> list[tuple[int, str, int, int]]:
    """When first, words, how often, and when last, by that: a trouble that repeats is one line."""
    found: dict[str, tuple[int, str, int, int]] = {}
    for at, text in lines:
        first, _, count, _ = found.get(text, (at, text, 0, at))
        found[text] = first, text, count + 1, at
    return sorted(found.values(), key=lambda line: (line[3], line[0], line[1]))
