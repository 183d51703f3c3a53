"""Event time: when samples of one input count, the same in every replay and however they are split.

Source time says when a value was true, but clocks of devices are wrong, and first notifications carry the time of a
change long ago. So an analytic that measures durations takes the source time between two bounds, both known to the
journal: not after the kernel received the sample, and at most `lateness` before. What is still to come then has an
event time of at least `until - lateness` (the watermark of Akidau et al., The Dataflow Model, VLDB 2015), so a timer
may run out there without anybody looking at a clock.

A Good sample with an older source time than one already taken is late: it says nothing about now and is left out.
After a minute without a newer one the source's clock was set back (a change to winter time): it counts again. Bad and
Uncertain samples are often made by the kernel with its own time; they are never late and make nothing late.

Owns the time line of one input and no values. It reads no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bedplate.contracts import Series
from bedplate.model import Strings
from bedplate.model.quality import good_mask

SET_BACK = 60_000_000_000  # ns without a newer sample, after which an older source time is a clock that was set back
LONG_AGO = -(1 << 62)


class Arrived(NamedTuple):
    """Samples that count. series: as received, without late ones · event, received: (n,) int64 ns, not decreasing."""

    series: Series
    event: NDArray[np.int64]
    received: NDArray[np.int64]


@dataclass(slots=True)
class EventTime:
    """The time line of one input. lateness: ns that a sample may be under way · newest: source time of the newest Good
    sample, ns · last: event time of the last sample, ns. newest and last are its state."""

    lateness: int
    newest: int = LONG_AGO
    last: int = LONG_AGO

    def watermark(self, until: int) -> int:
        """ns: samples still to come have this event time or a later one."""
        return until - self.lateness

    def take(self, series: Series) -> Arrived:
        """The next samples, in order of arrival; those that are late are left out."""
        received = series.time if series.received is None else series.received
        if len(series) == 1 and not int(series.quality[0]):
            return self._take_one(series, received)
        source = np.minimum(series.time, received)
        kept = self._in_time(source, received, series.quality)
        if kept is not None:
            series, source, received = _pick(series, kept), source[kept], received[kept]
        event = np.maximum(source, received - self.lateness)
        if len(event):
            event[0] = max(int(event[0]), self.last)
            if len(event) > 1:
                np.maximum.accumulate(event, out=event)
            self.last = int(event[-1])
        return Arrived(series, event, received)

    def _take_one(self, series: Series, received: NDArray[np.int64]) -> Arrived:
        """The same for the most common case of all: one Good sample."""
        taken = int(received[0])
        source = min(int(series.time[0]), taken)
        if source < self.newest and taken - self.newest <= SET_BACK:
            none = np.zeros(1, np.bool_)
            return Arrived(_pick(series, none), received[:0], received[:0])
        self.newest = source
        self.last = max(source, taken - self.lateness, self.last)
        return Arrived(series, np.array([self.last], np.int64), received)

    def _in_time(
        self, source: NDArray[np.int64], received: NDArray[np.int64], quality: NDArray[np.uint32]
    ) -> NDArray[np.bool_] | None:
        """Which samples are not late, None: all."""
        good = good_mask(quality) if quality.any() else None
        judged = source if good is None else source[good]
        if not len(judged):
            return None
        if judged[0] >= self.newest and (len(judged) == 1 or (judged[1:] >= judged[:-1]).all()):
            self.newest = int(judged[-1])
            return None
        return self._one_by_one(source, received, good)

    def _one_by_one(
        self,
        source: NDArray[np.int64],
        received: NDArray[np.int64],
        good: NDArray[np.bool_] | None,
    ) -> NDArray[np.bool_]:
        kept = np.ones(len(source), np.bool_)
        for i in range(len(source)) if good is None else np.flatnonzero(good):
            if source[i] < self.newest and received[i] - self.newest <= SET_BACK:
                kept[i] = False
            else:
                self.newest = int(source[i])
        return kept


def _pick(series: Series, kept: NDArray[np.bool_]) -> Series:
    column = series.value
    value = column.take(kept) if isinstance(column, Strings) else column[kept]
    received = None if series.received is None else series.received[kept]
    return Series(series.time[kept], value, series.quality[kept], received)
