"""Wrong passwords: each makes the next answer for that name slower, five within 15 min end them for a while.

Rule: unknown names are treated like known ones, an attempt counts before it is judged, so that many at once are no way
around it, and what is locked does not count, so that the lock ends. The local socket never comes through here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable

MOST, WITHIN = 5, 900.0  # wrong ones; s
DELAYS = (0.0, 0.1, 0.2, 0.3, 0.4)  # s before the answer, by how many were wrong before
NAMES = 10_000  # that are remembered


class Attempts:
    """monotonic: s."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._wrong: OrderedDict[bytes, deque[float]] = OrderedDict()

    def begin(self, name: str) -> float | None:
        """Counts one, wrong until `right` says otherwise. Returns the seconds to wait, None: locked."""
        times = self._of(name)
        if len(times) >= MOST:
            return None
        times.append(self._now())
        return DELAYS[len(times) - 1]

    def right(self, name: str) -> None:
        """It was the right one: all is forgotten."""
        self._wrong.pop(_key(name), None)

    def left(self, name: str) -> int:
        """How many more may be wrong."""
        return MOST - len(self._of(name))

    def _of(self, name: str) -> deque[float]:
        key = _key(name)
        times = self._wrong.setdefault(key, deque(maxlen=MOST))
        self._wrong.move_to_end(key)
        if len(self._wrong) > NAMES:
            self._make_room(key)
        while times and self._now() - times[0] >= WITHIN:
            times.popleft()
        return times

    def _make_room(self, key: bytes) -> None:
        """What is over goes, or else what has the fewest wrong ones: a flood of other names must not open a lock."""
        oldest, times = next(iter(self._wrong.items()))
        if times and self._now() - times[-1] < WITHIN:
            oldest = self._fewest(key)
        del self._wrong[oldest]

    def _fewest(self, key: bytes) -> bytes:
        """Whoever else has the fewest wrong ones; the oldest of them."""
        for most in range(1, MOST + 1):
            for one, times in self._wrong.items():
                if len(times) <= most and one != key:
                    return one
        raise AssertionError("there are others")


def _key(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()
