"""How an alarm or another event reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.padding import Padding
from rich.text import Text

from bedplate.model import Alarm, AlarmPriority, AlarmState, Event, EventKind, tails
from bedplate.shown import age_text, cells, padded, plain

STYLES = {
    AlarmPriority.HIGHEST: "bold red",
    AlarmPriority.HIGH: "red",
    AlarmPriority.MEDIUM: "yellow",
}
WORDS = {
    AlarmState.NORMAL: "normal",
    AlarmState.UNACKNOWLEDGED: "not acknowledged",
    AlarmState.RETURNED_UNACKNOWLEDGED: "returned, not acknowledged",
}

DUE = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)


def priority(alarm: Alarm) -> Text:
    return Text.assemble((alarm.priority.name.lower(), STYLES.get(alarm.priority, "")))


def state(alarm: Alarm) -> str:
    if alarm.state is AlarmState.ACKNOWLEDGED:
        return (
            f"acknowledged by {plain(alarm.acknowledged_by)}"
            if alarm.acknowledged_by
            else "acknowledged"
        )
    if alarm.state is AlarmState.OUT_OF_SERVICE:
        return f"out of service: {plain(alarm.out_of_service, 200)}"
    return WORDS.get(alarm.state, "unknown")


def line_of(event: Event) -> Text:
    """What happened, without when and where."""
    if event.alarm is not None:
        line = priority(event.alarm).append(f"  {state(event.alarm)}")
        return line.append(_because(event), "dim") if _because(event) else line
    kind = "" if event.kind is EventKind.STATUS else f"{event.kind.name.lower()}  "
    by = f" by {plain(event.by)}" if event.by else ""
    return Text(f"{kind}{plain(event.text, 200)}{by}")


def _because(event: Event) -> str:
    return f"  {plain(event.alarm.condition or event.text, 200)}" if event.alarm else ""


def reason(event: Event) -> str:
    """Why it stands and what to do, for the line below an alarm."""
    if event.alarm is None:
        return plain(event.text, 200)
    parts = (event.alarm.condition or event.text, event.alarm.do, event.alarm.comment)
    return " · ".join(plain(part, 200) for part in parts if part)


def listing(
    events: Sequence[Event], names: Mapping[str, str], now: int, width: int
) -> Iterator[Any]:
    """Alarms, each with why and what to do below it; and how to acknowledge those that wait for it, beside each where
    there is room, else once below."""
    wide = max(cells(names[event.source]) for event in events)
    yield Text(f"{'priority':<8}  {padded('alarm', wide)}  {'since':>10}  state", "dim")
    firsts = [_first(event, padded(names[event.source], wide), now) for event in events]
    hints = [_hint(event, names[event.source]) for event in events]
    lines = [f"{f.plain}    {hint}" for f, hint in zip(firsts, hints, strict=True) if hint]
    beside = all(cells(line) <= width for line in lines)
    for event, first, hint in zip(events, firsts, hints, strict=True):
        yield first.append(f"    {hint}", "dim") if hint and beside else first
        if why := reason(event):
            yield Padding(Text(why, "dim"), (0, 0, 0, 10), expand=False)
    if any(hints) and not beside:
        yield Text(f"\n{next(filter(None, hints))}", "dim")


def _first(event: Event, name: str, now: int) -> Text:
    alarm = event.alarm or Alarm(AlarmState.UNSPECIFIED, AlarmPriority.UNSPECIFIED)
    line = priority(alarm)
    return line.append(" " * (10 - len(line)) + f"{name}  {_since(alarm, now):>10}  {state(alarm)}")


def _hint(event: Event, name: str) -> str:
    due = event.alarm and event.alarm.state in DUE
    return f"bedplate alarms ack {shlex.quote(name)}" if due else ""


def _since(alarm: Alarm, now: int) -> str:
    return age_text((now - alarm.active_since) / 1e9) if alarm.active_since else ""


def short_names(sources: Iterable[str]) -> dict[str, str]:
    """The shortest tail of at least two levels that names each source alone."""
    every = list(sources)
    return {source: _short(source, every) for source in every}


def _short(source: str, every: list[str]) -> str:
    levels = source.split("/")
    for count in range(2, len(levels)):
        tail = "/".join(levels[-count:])
        if len(tails(tail, every)) == 1:
            return tail
    return source
