"""Where the kernel gets its time from. Passed in, so that tests can hold it still and turn it back."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for stamps, monotonic time for durations. Never one for the other's job."""

    def time_ns(self) -> int:
        """ns since 1970-01-01 UTC. May jump either way."""

    def monotonic(self) -> float:
        """Seconds since an unknown moment. Never goes back."""


class SystemClock:
    """The clock of the machine."""

    def time_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()


STEP = 3600.0  # s: a wall clock that is set further than this is not believed …
BELIEVED = 86_400.0  # … before it has gone on from there for so long


class AgeClock:
    """What time it is for what is forgotten by its age, which is for ever: a clock that somebody sets to 2038 must not
    empty a journal or a history. Goes by both clocks: they go on together unless one was set, or the machine slept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset: float | None = None  # s of the wall clock beyond the other one
        self._set = 0.0, 0.0  # offset after the wall clock was set, and when by the other one

    def time_ns(self) -> int | None:
        """ns since 1970-01-01 UTC; None: nobody knows, so nothing is too old."""
        wall, now = self._clock.time_ns(), self._clock.monotonic()
        offset = wall / 1e9 - now
        if self._offset is None or abs(offset - self._offset) <= STEP:
            self._offset = offset
            self._set = offset, now
            return wall
        if abs(offset - self._set[0]) > STEP:
            self._set = offset, now
        if now - self._set[1] < BELIEVED:
            return None
        self._offset = offset
        return wall
