"""A clock that moves only when told."""

from __future__ import annotations

START = 1_700_000_000_000_000_000  # 2023-11-14 22:13:20 UTC


class FakeClock:
    """A `bedplate.clock.Clock`. now: ns since 1970-01-01 UTC."""

    def __init__(self, now: int = START) -> None:
        self._now = now
        self._monotonic = 0.0

    def time_ns(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Time passes, on both clocks. Raises ValueError for less than nothing."""
        if seconds < 0:
            raise ValueError("time does not go back; `jump` moves the wall clock")
        self._now += round(seconds * 1e9)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock, forward or back; the monotonic clock does not notice."""
        self._now += round(seconds * 1e9)
