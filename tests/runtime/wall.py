"""The clock of the machine, set by somebody."""

from __future__ import annotations

from datetime import datetime

from bedplate.clock import SystemClock


class Wall(SystemClock):
    """Goes on from where it is set."""

    def __init__(self) -> None:
        self._ahead = 0
        self._passed = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._passed

    def passes(self, seconds: float) -> None:
        """Time, on both clocks."""
        self._ahead += round(seconds * 1e9)
        self._passed += seconds

    def time_ns(self) -> int:
        return super().time_ns() + self._ahead

    def set(self, to: datetime, seconds: float = 0.0) -> None:
        self._ahead += ns(to, seconds) - self.time_ns()

    def jump(self, seconds: float) -> None:
        self._ahead += round(seconds * 1e9)


def ns(moment: datetime, seconds: float = 0.0) -> int:
    return round((moment.timestamp() + seconds) * 1e9)
