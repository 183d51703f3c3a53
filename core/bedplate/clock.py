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
