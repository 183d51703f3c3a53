"""The alarms as they stand: the newest event of each source, rebuilt from the journal at start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bedplate.model import AlarmState, Event, EventKind


class AlarmBook:
    """Runs on the kernel's loop. An alarm that is normal stays in the book, so that people see when it returned."""

    def __init__(self) -> None:
        self._alarms: dict[str, Event] = {}
        self._changed: set[asyncio.Queue[Event]] = set()

    def take(self, event: Event) -> None:
        if event.kind is not EventKind.ALARM or event.alarm is None:
            return
        self._alarms[event.source] = event
        for queue in self._changed:
            queue.put_nowait(event)

    def standing(self, *, all_: bool = False) -> list[Event]:
        """Alarms that need a person, highest severity first; with all_, also those that are normal."""
        chosen = [e for e in self._alarms.values() if all_ or not _normal(e)]
        return sorted(chosen, key=lambda e: (-e.severity, e.alarm.active_since if e.alarm else 0))

    def sources(self) -> Iterable[str]:
        return self._alarms

    def get(self, source: str) -> Event | None:
        return self._alarms.get(source)

    def watch(self) -> asyncio.Queue[Event]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._changed.add(queue)
        return queue

    def unwatch(self, queue: asyncio.Queue[Event]) -> None:
        self._changed.discard(queue)


def _normal(event: Event) -> bool:
    return event.alarm is None or event.alarm.state is AlarmState.NORMAL
