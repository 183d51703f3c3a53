"""How often: never more than n in any period, by the monotonic clock.

It keeps the moments themselves. A token bucket of n lets 2n through within a period that begins when it is full, and
`rate: 6/min` is what a machine can bear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """most: so many · period: within any so many s."""

    most: int
    period: float

    def __str__(self) -> str:
        return f"{self.most} in {self.period:g} s"


class Rates:
    """Of whatever has a key. monotonic: s."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._taken: dict[str, deque[float]] = {}

    def wait(self, key: str, rate: Rate) -> float:
        """s until there is room for one more; 0: now."""
        since = self._now() - rate.period
        taken = [at for at in self._taken.get(key, ()) if at > since]
        if not rate.most:
            return rate.period
        return 0.0 if len(taken) < rate.most else taken[-rate.most] - since

    def take(self, key: str, rate: Rate, ago: float = 0.0) -> float:
        """One happens now, or did so many s ago. Returns its moment."""
        if len(self._taken) > MOST_KEYS:
            self._forget_oldest()
        moments = self._taken.setdefault(key, deque())
        at = self._now() - ago
        moments.append(at)
        while len(moments) > rate.most:
            moments.popleft()
        return at

    def give_back(self, key: str, at: float) -> None:
        """The one of this moment has not happened; others, which came after it, may have."""
        if at in (moments := self._taken.get(key, deque())):
            moments.remove(at)

    def _forget_oldest(self) -> None:
        newest = sorted(self._taken.items(), key=lambda one: one[1][-1] if one[1] else 0.0)
        self._taken = dict(newest[MOST_KEYS // 2 :])
