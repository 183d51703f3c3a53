"""When a tag stopped being Good, and what it said last before that. Costs nothing while all is Good.

Kept for the handles of one epoch, in columns: what was before a restart is the history's to say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NOT_GOOD = np.uint32(0xC0000000)


class Lapses:
    """since: when its present quality, which is not Good, began · good_time: source time of its last Good value,
    good_bits: that value as it lies in `Current`; all ns UTC by handle, 0: not known. Holds only while the current
    quality is not Good."""

    def __init__(self) -> None:
        self.since = np.zeros(0, np.int64)
        self.good_time = np.zeros(0, np.int64)
        self.good_bits = np.zeros(0, np.uint64)
        self.texts: dict[int, Any] = {}

    def grow(self, size: int) -> None:
        for name in ("since", "good_time", "good_bits"):
            column = getattr(self, name)
            more = np.zeros(max(0, size - len(column)), column.dtype)
            setattr(self, name, np.concatenate((column, more)))

    def carry(self, old: int, new: int) -> None:
        for column in (self.since, self.good_time, self.good_bits):
            column[new] = column[old]
        if old in self.texts:
            self.texts[new] = self.texts[old]

    def note(
        self, tags: NDArray[np.intp], codes: NDArray[np.uint32], at: int, before: Before
    ) -> None:
        """Before samples become current. tags, codes: (n,); before: what was current until now, of all handles."""
        bad = (codes & NOT_GOOD) != 0
        if not bad.any():
            return
        tags, codes = tags[bad], codes[bad]
        known, old = before.received[tags] > 0, before.quality[tags]
        was_good = tags[known & ((old & NOT_GOOD) == 0)]
        self.good_time[was_good] = before.time[was_good]
        self.good_bits[was_good] = before.bits[was_good]
        texts = before.texts
        if texts:
            self.texts.update({h: texts[h] for h in was_good.tolist() if h in texts})
        self.since[tags[~known | (old != codes)]] = at


class Before:
    """Columns of current values, by handle."""

    __slots__ = ("bits", "quality", "received", "texts", "time")

    def __init__(self, current: Any) -> None:
        self.bits: NDArray[np.uint64] = current._bits
        self.time: NDArray[np.int64] = current.time
        self.quality: NDArray[np.uint32] = current.quality
        self.received: NDArray[np.int64] = current.received
        self.texts: dict[int, Any] = current._strings
