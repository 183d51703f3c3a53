"""What was written last, and so is newer than what the plant shows: two clients that race on one tag must not both
find the value that was there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bedplate.command.plant import Reading
from bedplate.model import quality

SETTLES = 2.0  # s: a value that came this soon after a write may have been on its way before
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Last:
    at: float
    value: Any


class Written:
    """By path. All times in s of the monotonic clock."""

    def __init__(self) -> None:
        self._last: dict[str, Last] = {}

    def note(self, path: str, value: Any, at: float) -> Last | None:
        """value: as it read back; None: it was sent, and nobody knows. Returns what was noted before."""
        before = self._last.pop(path, None)
        self._last[path] = Last(at, value)
        if len(self._last) > MOST:
            self._last.pop(next(iter(self._last)))
        return before

    def put_back(self, path: str, before: Last | None) -> None:
        """The last one has changed nothing."""
        self._last.pop(path, None)
        if before is not None:
            self._last[path] = before

    def newer(self, path: str, reading: Reading | None, now: float) -> Reading | None:
        """What counts: the reading, or what was read back since."""
        last = self._last.get(path)
        if last is None or (reading is not None and now - reading.age > last.at + SETTLES):
            return reading
        if reading is not None and not quality.is_good(reading.quality):
            return reading  # whatever was read back, nobody knows it any more
        code = quality.BAD_WAITING if last.value is None else quality.GOOD
        return Reading(last.value, code, now - last.at)
