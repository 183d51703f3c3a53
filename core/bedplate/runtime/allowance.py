"""How often something may happen: so many a second for long, and so many at once."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """A token bucket. refused: how often there was none left since the bucket was last full; may be set back."""

    def __init__(self, rate: float, at_once: float, monotonic: Callable[[], float]) -> None:
        self._rate, self._most, self._left = rate, at_once, at_once
        self._now = monotonic
        self._at = monotonic()
        self.refused = 0

    def take(self) -> bool:
        """Takes one. False when there is none."""
        now = self._now()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left == self._most:
            self.refused = 0
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True
