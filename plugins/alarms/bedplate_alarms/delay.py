"""On delay and off delay: when a condition that holds becomes active, and when it is over.

Works on event time alone. A delay runs out at the start of the condition plus the delay, whoever notices when: either
the first sample at or after that time, or silence until no earlier sample can come any more. So a replay, and any
split of the same samples, gives the same changes.

While the input is missing (Bad, NaN) nothing returns: an off delay starts anew with the next sample that is surely
back. An on delay goes on: the last that was known is that the limit was passed. Out of service (off, or in maintenance)
it is dropped: what a machine did while people worked on it raises nothing.

In the normal case, nothing near the limit, a batch costs one comparison of a column, however long it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bedplate.event_time import LONG_AGO
from bedplate_alarms.condition import Condition, Readings


class Change(NamedTuple):
    """The condition became active, or is over. known: when it could be known: ns of the kernel's clock, and at one and
    the same time silence (0) speaks before samples (1) · time: ns, event time · value: of the sample that began it."""

    known: tuple[int, int]
    time: int
    active: bool
    value: Any


@dataclass(slots=True)
class Delayed:
    """One condition over time. on, off: the delays, lateness: all ns.

    Its state: active: after the delays · holds: before them · since: event time of the last turn of `holds` ·
    value: of the sample that turned it.
    """

    condition: Condition
    on: int
    off: int
    lateness: int
    active: bool = False
    holds: bool = False
    since: int = LONG_AGO
    value: Any = None

    def advance(self, readings: Readings | None, until: int) -> list[Change]:
        """The changes of the next samples, and of the silence up to `until` (ns, the kernel's clock)."""
        if readings is None or not len(readings):
            return [] if self.holds == self.active else self._run_out(until)
        if self.holds == self.active and not self._turning(readings).any():
            return []
        changes = self._walk(readings)
        return changes + self._run_out(until)

    def _turning(self, readings: Readings) -> NDArray[np.bool_]:
        return self.condition.back(readings) if self.holds else self.condition.beyond(readings)

    @property
    def _due(self) -> int:
        return self.since + (self.on if self.holds else self.off)

    def _run_out(self, until: int) -> list[Change]:
        if self.holds == self.active or self._due + self.lateness > until:
            return []
        return [self._fire((self._due + self.lateness, 0))]

    def _fire(self, known: tuple[int, int]) -> Change:
        self.active = self.holds
        return Change(known, self._due, self.active, self.value)

    def _walk(self, readings: Readings) -> list[Change]:
        """From turn to turn; samples between are not touched one by one."""
        beyond, back = self.condition.beyond(readings), self.condition.back(readings)
        dropped = self.condition.dropped(readings)
        unknown = self.condition.unknown(readings)
        _, event, received = readings.arrived
        changes: list[Change] = []
        i = 0
        while i < len(readings):
            if self.holds == self.active:
                turn, end = _first(back if self.holds else beyond, i), -1
            else:
                turn = _first(dropped if self.holds else beyond | unknown, i)
                end = max(i, self._first_after(event, received))
            if 0 <= end < len(readings) and (turn < 0 or end <= turn):
                sample = int(received[end]), 1
                changes.append(self._fire(min(sample, (self._due + self.lateness, 0))))
                i = end
            elif turn < 0:
                break
            else:
                change = self._turn(readings, turn)
                changes += [change] if change else []
                i = turn + 1
        return changes

    def _first_after(self, event: NDArray[np.int64], received: NDArray[np.int64]) -> int:
        """The first sample that shows that the delay has run out."""
        return min(
            int(np.searchsorted(event, self._due)),
            int(np.searchsorted(received, self._due + self.lateness)),
        )

    def _turn(self, readings: Readings, index: int) -> Change | None:
        pending = self.holds != self.active
        self.holds = not self.holds
        if pending:
            return None
        self.since, self.value = int(readings.arrived.event[index]), readings.value(index)
        known = int(readings.arrived.received[index])
        return self._fire((known, 1)) if self._due == self.since else None


def _first(mask: NDArray[np.bool_], start: int) -> int:
    """Position of the first True from start on, -1: none."""
    index = start + int(mask[start:].argmax())
    return index if mask[index] else -1
