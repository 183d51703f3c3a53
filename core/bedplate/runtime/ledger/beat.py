"""When the tags of one scan class are due, and what became of each time they were.

Due moments are whole numbers: index(t) = ⌊(t − phase) / period⌋ of the monotonic clock, the same phase as the pacer's.
Every moment is counted once, whoever accounts for it: a scan, a scan that was left out, or time in which nobody scans.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class Beat:
    """tags: local handles, (n,) · polled: scans account for its moments, else time does · steady: version of what is
    Bad that the newest scan was like, -1: it was not whole · like: scans since that were like it, not yet in the
    columns · begun, skipped: moments whose end is open; …_at: wall time of the first of them, ns UTC."""

    def __init__(self, period: float, phase: float, tags: NDArray[np.intp], now: float) -> None:
        self.period, self.phase = period, phase
        self.tags = tags
        self.counted = self._index(now)
        self.polled = False
        self.steady, self.like = -1, 0
        self.begun = self.skipped = 0
        self.begun_at = self.skipped_at = 0
        self.early = False  # the scan under way began a session, beside the beat

    def _index(self, now: float) -> int:
        return math.floor((now - self.phase) / self.period)

    def passed(self, now: float) -> int:
        """Moments since it was asked last, for time in which nobody scans."""
        index = self._index(now)
        count = max(0, index - self.counted)
        self.counted = max(index, self.counted)
        return count

    def due(self, now: float) -> int:
        """A scan is due. Returns how many moments before it nobody noticed. The one at the begin of a session is beside
        the beat; one that comes a little late, in the next period already, has missed none."""
        behind = self._index(now) - self.counted
        self.early = self.early or behind <= 0
        if behind <= 0:
            return 0
        unnoticed = max(0, behind - 2)
        self.counted += 1 + unnoticed
        return unnoticed

    def settle(self) -> int:
        """How many moments have no end; they have one now."""
        count, self.begun, self.skipped = self.begun + self.skipped, 0, 0
        self.early = False
        return count

    @property
    def open_since(self) -> int:
        """Wall time of the first moment whose end is open, ns UTC; 0: there is none."""
        if self.begun:
            return self.begun_at
        return self.skipped_at if self.skipped else 0
