"""The alarms as they stand: the newest event of each source, rebuilt from the journal at start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bedplate.model import AlarmState, Event, EventKind

WATCHED = 10_000  # changes that may wait for one who watches


class AlarmBook:
    """Runs on the kernel's loop. An alarm that is normal stays in the book, so that people see when it returned."""

    def __init__(self) -> None:
        self._alarms: dict[str, Event] = {}
        self._changed: set[asyncio.Queue[Event | None]] = set()

    def take(self, event: Event) -> None:
        if event.kind is not EventKind.ALARM or event.alarm is None:
            return
        self._alarms[event.source] = event
        self.retell(event)

    def retell(self, event: Event) -> None:
        """To all who watch."""
        for queue in list(self._changed):
            if queue.qsize() < WATCHED:
                queue.put_nowait(event)
            else:  # whoever reads it finds the hole at its end
                self._changed.discard(queue)
                queue.put_nowait(None)

    def standing(self, *, all_: bool = False) -> list[Event]:
        """Alarms that need a person, highest severity first; with all_, also those that are normal."""
        chosen = [e for e in self._alarms.values() if all_ or not _normal(e)]
        return sorted(chosen, key=lambda e: (-e.severity, e.alarm.active_since if e.alarm else 0))

    def sources(self) -> Iterable[str]:
        return self._alarms

    def get(self, source: str) -> Event | None:
        return self._alarms.get(source)

    def watch(self) -> asyncio.Queue[Event | None]:
        """Every change from now on; None, and nothing more, for who reads too slowly."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._changed.add(queue)
        return queue

    def unwatch(self, queue: asyncio.Queue[Event | None]) -> None:
        self._changed.discard(queue)


def _normal(event: Event) -> bool:
    return event.alarm is None or event.alarm.state is AlarmState.NORMAL
