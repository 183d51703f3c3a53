"""Samples of one input, held until nothing older can come, then taken in order of their event time.

A value that says nothing (not Good, NaN, of another type) is held as NaN, for its time counts too. Only Good counts:
an uncertain state or counter would be counted for a whole shift.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bedplate.contracts import Series
from bedplate.event_time import EventTime
from bedplate.model import Strings
from bedplate.model.quality import good_mask

type_Column = NDArray[np.float64]
Reading = Callable[[Any], type_Column]
STOPPED, RUNNING, PLANNED_STOP, UNKNOWN = 0.0, 1.0, 2.0, float("nan")


class Samples(NamedTuple):
    """Samples of one input by event time. level: the last value before that said something · lost: whether a sample
    that says nothing came after it · event: (n,) ns · value: (n,), NaN where it says nothing."""

    level: float
    lost: bool
    event: NDArray[np.int64]
    value: type_Column

    def lost_at(self, points: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n points,) whether the last sample then said nothing."""
        flags = np.concatenate(([self.lost], np.isnan(self.value)))
        return np.asarray(flags[self.event.searchsorted(points, "right")])


class Held:
    """One input. read: a value column → (n,) float64, NaN: says nothing · keep: whether NaN is kept.

    first: event time of the first sample that said something, ns, None: none so far · level, lost: as in Samples, of
    what was taken.
    """

    def __init__(self, lateness: int, read: Reading, *, keep: bool = True) -> None:
        self.clock = EventTime(lateness)
        self.read, self.keep = read, keep
        self.first: int | None = None
        self.level, self.lost = UNKNOWN, False
        self.event: list[int] = []
        self.value: list[float] = []

    def add(self, series: Series) -> None:
        """Holds the samples of a series."""
        arrived = self.clock.take(series)
        values, event = self.read(arrived.series.value), arrived.event
        quality = arrived.series.quality
        if quality.any():
            values = np.where(good_mask(quality), values, np.nan)
        if not self.keep or self.first is None:
            known = ~np.isnan(values)
            if not self.keep:
                values, event, known = values[known], event[known], known[known]
            if self.first is None and known.any():
                self.first = int(event[int(known.argmax())])
        self.event += event.tolist()
        self.value += values.tolist()

    def take(self, start: int, end: int) -> Samples:
        """Samples with event times up to `end` (ns, included), none before `start`; they are held no longer."""
        n = bisect_right(self.event, end)
        event, value = np.array(self.event[:n], np.int64), np.array(self.value[:n], np.float64)
        del self.event[:n], self.value[:n]
        taken = Samples(self.level, self.lost, np.maximum(event, start), value)
        if n:
            newest = float(value[-1])
            self.lost = isnan(newest)
            if self.lost:
                known = value[~np.isnan(value)]
                newest = float(known[-1]) if len(known) else self.level
            self.level = newest
        return taken

    def state(self, at: int) -> list[Any]:
        """All of it, as JSON; the times of what is held count from `at`, ns, which makes them short."""
        events = [event - at for event in self.event]
        values = [None if isnan(value) else value for value in self.value]
        level = None if isnan(self.level) else self.level
        times = [self.clock.newest, self.clock.last, self.first]
        return [*times, level, self.lost, events, values]

    def restore(self, state: Sequence[Any], at: int) -> None:
        """Takes back what `state` gave. Raises ValueError, TypeError when it is something else."""
        self.clock.newest, self.clock.last, self.first, level, self.lost, events, values = state
        self.level = UNKNOWN if level is None else float(level)
        self.event = [event + at for event in events]
        self.value = [UNKNOWN if value is None else float(value) for value in values]


def read_count(values: Any) -> type_Column:
    """A counter: numbers from 0."""
    counts = read_number(values)
    told = (counts >= 0) & (counts < np.inf)
    return counts if told.all() else np.where(told, counts, np.nan)


def read_rate(values: Any) -> type_Column:
    """A rate: numbers above 0. At 0 the machine has no ideal; the last one stays in force."""
    rates = read_number(values)
    told = (rates > 0) & (rates < np.inf)
    return rates if told.all() else np.where(told, rates, np.nan)


def read_number(values: Any) -> type_Column:
    if isinstance(values, Strings):
        return np.full(len(values), np.nan)
    return np.asarray(values, np.float64)


def state_reader(classes: Mapping[int | str, float], labels: Mapping[int, str]) -> Reading:
    """Reads states. classes: number or label → RUNNING or PLANNED_STOP; anything else is STOPPED."""
    codes = {code: classes[label] for code, label in labels.items() if label in classes}
    codes |= {code: found for code, found in classes.items() if isinstance(code, int)}
    texts = {label: found for label, found in classes.items() if isinstance(label, str)}

    def read(values: Any) -> type_Column:
        if isinstance(values, Strings):
            if not values.text or not texts:
                return np.full(len(values), UNKNOWN)
            return np.array([texts.get(text, STOPPED) for text in values.tolist()])
        if not codes:
            return np.full(len(values), UNKNOWN)
        found = np.where(np.isnan(values), UNKNOWN, STOPPED)
        for code, meant in codes.items():
            found[values == code] = meant
        return found

    return read
