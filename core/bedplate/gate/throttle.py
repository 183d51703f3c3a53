"""Whether one more refusal gets a line of its own in the audit log: a flood of them must not fill the disk, and none is
passed over: those without a line are counted, and told in one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

AT_ONCE, EACH_SECOND = 100, 1.0  # lines of one address
ADDRESSES = 1024


@dataclass(slots=True)
class _Address:
    lines: float
    since: float
    untold: int = 0


class Throttle:
    """now: a monotonic clock, s."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._addresses: dict[str, _Address] = {}  # the oldest first

    def line(self, host: str) -> bool:
        """Whether there is one for this refusal; if not, it is counted."""
        now = self._now()
        one = self._addresses.pop(host, None) or _Address(AT_ONCE, now)
        one.lines = min(AT_ONCE, one.lines + (now - one.since) * EACH_SECOND)
        one.since = now
        self._addresses[host] = one
        if len(self._addresses) > ADDRESSES:
            told = (h for h, found in self._addresses.items() if not found.untold)
            del self._addresses[next(told, next(iter(self._addresses)))]
        if one.lines < 1:
            one.untold += 1
            return False
        one.lines -= 1
        return True

    def untold(self, host: str) -> int:
        """How many had no line since this was asked last."""
        one = self._addresses.get(host)
        if one is None:
            return 0
        count, one.untold = one.untold, 0
        return count
