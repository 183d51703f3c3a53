"""The clock of one source against ours: what it says of its samples' times, as flags, and whether it is off.

Rule: nothing is refused, moved or put into another order because of its time. A sample that the source dates more than
the tolerance from when the kernel took it is flagged. Where a server's time comes with it, that counts for its age: a
value of OPC UA that did not change for hours is not late. Without one, being behind says nothing of a clock, since a
value may be old, unless it goes on for a minute by the same amount while its times go on; or is before 2000, which no
clock that was ever set says. Per batch, in columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bedplate.model import Batch
from bedplate.model.batch import Flag
from bedplate.model.column import spread

SECOND_NS = 1_000_000_000
TOLERANCE_NS = 60 * SECOND_NS
STEADY_NS = 60 * SECOND_NS
NEVER_SET_NS = 946_684_800 * SECOND_NS  # 2000-01-01 UTC
PARTS = (
    8  # more stretches of equal flags than this in a batch, and all of it gets what any of it has
)
_LEAST, _MOST = -(2**63), 2**63 - 1
_FUTURE = np.uint32(Flag.FUTURE | Flag.CLOCK_UNSYNCHRONISED)
_LATE, _UNSET = np.uint32(Flag.LATE), np.uint32(Flag.CLOCK_UNSYNCHRONISED)


class SourceClock:
    """Of one component. tolerance: ns.

    off: ns by which its clock is ahead of ours, negative: behind; 0: in step, or nobody can tell.
    """

    def __init__(self, tolerance: int = TOLERANCE_NS) -> None:
        self.tolerance = tolerance
        self._behind: tuple[int, int] | None = None  # received, newest: when it began to be behind
        self.off = 0

    def flagged(self, batch: Batch, received: int) -> Iterator[Batch]:
        """The batch, or parts of it in an order that changes none within a tag, with the flags that are due."""
        if not len(batch.time):  # the kernel stamps
            yield batch
            return
        low = max(received - self.tolerance, _LEAST)
        high = min(received + self.tolerance, _MOST)
        age, (oldest, newest) = batch.time, _ends(batch.time)
        eldest, latest = oldest, newest
        if batch.server_time is not None:
            server = spread(batch.server_time, len(batch))
            age = np.where(server == 0, batch.times(), server)
            eldest, newest = _ends(age)
            latest = max(latest, newest)
        if not batch.flags & Flag.HISTORICAL:
            self._judge(newest, latest, received, known=batch.server_time is not None)
        if latest <= high and eldest >= low and oldest >= NEVER_SET_NS:  # nearly always
            yield batch
            return
        yield from _parts(batch, self._codes(batch, age, low, high))

    def _codes(
        self, batch: Batch, age: NDArray[np.int64], low: int, high: int
    ) -> NDArray[np.uint32]:
        n = len(batch)
        time, age = batch.times(), spread(age, n)
        codes = np.zeros(n, np.uint32)
        codes[(time > high) | (age > high)] = _FUTURE
        codes[time < NEVER_SET_NS] |= _UNSET
        if not batch.flags & Flag.HISTORICAL:  # what is fetched from the past is no surprise
            codes[age < low] |= _LATE | (_UNSET if self.off < 0 else np.uint32(0))
        return codes

    def _judge(self, newest: int, latest: int, received: int, *, known: bool) -> None:
        """Whether its clock is off, by the newest that it said."""
        ahead = newest - received
        if latest - received > self.tolerance:
            self.off, self._behind = latest - received, None
        elif ahead >= -self.tolerance:
            self.off, self._behind = 0, None
        elif known or newest < NEVER_SET_NS:
            self.off, self._behind = ahead, None
        elif self._behind is None:
            self._behind = received, newest
        elif self._steady(newest, received):
            self.off = ahead

    def _steady(self, newest: int, received: int) -> bool:
        assert self._behind is not None
        began, first = self._behind
        if not 0 <= (newest - first) - (received - began) + self.tolerance <= 2 * self.tolerance:
            self._behind = received, newest  # it catches up, or is no clock: from here on
            return False
        return received - began >= STEADY_NS and newest > first


def _ends(column: NDArray[np.int64]) -> tuple[int, int]:
    if len(column) == 1:
        return int(column[0]), int(column[0])
    return int(column.min()), int(column.max())


def _parts(batch: Batch, codes: NDArray[np.uint32]) -> Iterator[Batch]:
    flags = batch.flags
    if (codes == codes[0]).all():
        yield replace(batch, flags=flags | Flag(int(codes[0])))
        return
    if len(batch.tag) > 1 and len(np.unique(batch.tag)) == len(batch):  # each tag once: any order
        for code in np.unique(codes):
            yield replace(batch.take(codes == code), flags=flags | Flag(int(code)))
        return
    edges = np.flatnonzero(np.diff(codes)) + 1
    if len(edges) >= PARTS:
        yield replace(batch, flags=flags | Flag(int(np.bitwise_or.reduce(codes))))
        return
    for part in np.split(np.arange(len(batch)), edges):
        yield replace(batch.take(part), flags=flags | Flag(int(codes[part[0]])))
