"""Alarms of the kernel itself: raised, over, acknowledged. Of what, those say who raise them.

States of ISA-18.2-2016: unacknowledged when it is raised, over when the reason is gone; acknowledged by a person in
between or after.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from bedplate.errors import JournalError
from bedplate.model import SEVERITY, Alarm, AlarmPriority, AlarmState, Event, EventKind
from bedplate.runtime.spine import Spine

STREAM = "kernel/event"
OWNER = "kernel"  # Event.component of these alarms; no component of a deployment may have this name
DUE = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


class KernelAlarms:
    """Writes events, and keeps nothing: the alarm book has the newest of each source. With a dead journal nothing is
    written; the kernel tells of that otherwise."""

    def __init__(self, spine: Spine) -> None:
        self._spine = spine

    def raised(
        self,
        source: str,
        priority: AlarmPriority,
        condition: str,
        do: str,
        *,
        text: str = "",
        detail: bytes = b"",
        since: int = 0,
    ) -> bool:
        """text: of the event, by default the condition · detail: what needs to be known of it after a restart · since:
        ns UTC, by default now. False when it stands already; then nothing changes."""
        if self._is_due(source):
            return False
        since = since or self._spine.clock.time_ns()
        state = AlarmState.UNACKNOWLEDGED
        alarm = Alarm(state, priority, condition=condition, do=do, active_since=since)
        self._write(source, alarm, text or condition, detail)
        return True

    def returned(self, source: str, text: str) -> bool:
        """It is over. False when nothing was the matter."""
        if not self._is_due(source):
            return False
        self._end(source, text, quiet=self._state(source) is AlarmState.ACKNOWLEDGED)
        return True

    def withdrawn(self, source: str, text: str) -> None:
        """What it was about is gone: nobody has to acknowledge it any more."""
        if self._state(source) not in (None, AlarmState.NORMAL):
            self._end(source, text, quiet=True)

    def acknowledge(self, source: str, by: str, comment: str) -> bool:
        """False when the alarm is not one of these. Raises JournalError."""
        event = self._event(source)
        if event is None or event.alarm is None:
            return False
        after = {
            AlarmState.UNACKNOWLEDGED: AlarmState.ACKNOWLEDGED,
            AlarmState.RETURNED_UNACKNOWLEDGED: AlarmState.NORMAL,
        }.get(event.alarm.state)
        if after is not None:
            now = self._spine.clock.time_ns()
            alarm = replace(event.alarm, state=after, acknowledged_at=now)
            alarm = replace(alarm, acknowledged_by=by, comment=comment)
            told = self._told(source, alarm, event.text, event.detail, by)
            self._spine.event(STREAM, told, sync=True)
        return True

    def every(self) -> Iterator[Event]:
        """The newest event of each, whatever its state."""
        found = map(self._event, list(self._spine.alarms.sources()))
        yield from (event for event in found if event and event.alarm)

    def due(self) -> Iterator[Event]:
        """Of those that are not over."""
        yield from (event for event in self.every() if event.alarm and event.alarm.state in DUE)

    def _event(self, source: str) -> Event | None:
        event = self._spine.alarms.get(source)
        return event if event and event.component == OWNER else None

    def _state(self, source: str) -> AlarmState | None:
        event = self._event(source)
        return event.alarm.state if event and event.alarm else None

    def _is_due(self, source: str) -> bool:
        return self._state(source) in DUE

    def _end(self, source: str, text: str, *, quiet: bool) -> None:
        """quiet: nobody has to acknowledge it."""
        event = self._event(source)
        assert event
        assert event.alarm
        state = AlarmState.NORMAL if quiet else AlarmState.RETURNED_UNACKNOWLEDGED
        now = self._spine.clock.time_ns()
        self._write(source, replace(event.alarm, state=state, returned_at=now), text)

    def _write(self, source: str, alarm: Alarm, text: str, detail: bytes = b"") -> None:
        with contextlib.suppress(JournalError):
            self._spine.event(STREAM, self._told(source, alarm, text, detail), sync=True)

    def _told(self, source: str, alarm: Alarm, text: str, detail: bytes, by: str = "") -> Event:
        severity, now = SEVERITY[alarm.priority], self._spine.clock.time_ns()
        return Event(source, EventKind.ALARM, now, text, severity, alarm, by, OWNER, detail)
