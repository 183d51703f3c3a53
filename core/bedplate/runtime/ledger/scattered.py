"""Losses that come one by one and again and again: a queue that runs over, a device slower than its scan, a tag that is
Bad every other time. One gap for all of a reason, for as long as each window has some of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bedplate.runtime.ledger.span import Span


class Scattered:
    """Of one source and reason. size: its local handles with the unused 0."""

    def __init__(self, reason: int, size: int, text: str) -> None:
        self.reason, self._text = reason, text
        self._tags = np.zeros(size, bool)
        self._first = self._last = 0
        self._missing = self._filled = self._times = 0
        self.fresh = False  # had some since the last window

    def add(
        self,
        tags: NDArray[np.intp] | None,
        since: int,
        until: int,
        missing: int,
        *,
        filled: int = 0,
    ) -> None:
        self._tags[slice(1, None) if tags is None else tags] = True
        self._first = min(self._first or since, since)
        self._last = max(self._last, until)
        self._missing += missing
        self._filled += filled
        self._times += 1
        self.fresh = True

    def span(self) -> Span:
        every = bool(self._tags[1:].all())
        text = f"{self._text}, {self._times:,} times" if self._times > 1 else self._text
        return Span(
            self.reason,
            self._first,
            self._last,
            None if every else np.flatnonzero(self._tags),
            self._missing,
            self._filled,
            text,
        )
