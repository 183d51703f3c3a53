"""The elements of one shift so far: how long it was planned, ran, was unknown, and what came out of it.

Works on columns: the samples between two moments, and the points in time at which the elements are wanted. Times are
whole nanoseconds and quantities are added in order of event time, so it does not matter how the time is cut.

Times count while work is planned (ISO 22400: planned busy time), less states that are planned stops. Quantities count
during the whole shift: parts of a machine that runs through a break are parts of that shift.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bedplate_oee.held import PLANNED_STOP, RUNNING, UNKNOWN, Samples
from bedplate_oee.kpi import Elements
from bedplate_oee.span import Span

type_Times = NDArray[np.int64]
type_Column = NDArray[np.float64]


class Moments(NamedTuple):
    """From where to where: ns, what lies in (start, end]. points: when elements are wanted, the last one is `end` ·
    heard: the last sample of any input up to start · silence: ns without any of them, after which the state is
    unknown · events: of all inputs, in order."""

    start: int
    end: int
    points: type_Times
    heard: int
    silence: int
    events: type_Times

    @property
    def quiet(self) -> bool:
        """Whether there can be a silence at all."""
        return self.end - self.heard > self.silence

    def silences(self) -> list[tuple[int, int]]:
        """Where nothing was heard for longer than `silence`: from when the state is unknown, and until when."""
        if not self.quiet:
            return []
        marks = np.concatenate(([self.heard], self.events, [self.end]))
        index = np.flatnonzero(np.diff(marks) > self.silence)
        begins = np.maximum(marks[index] + self.silence, self.start)
        return list(zip(begins.tolist(), marks[index + 1].tolist(), strict=True))

    def heard_at(self) -> NDArray[np.bool_]:
        """(n points,) whether anything was heard within `silence`."""
        if not self.quiet:
            return np.ones(len(self.points), np.bool_)
        last = np.concatenate(([self.heard], self.events))
        index = self.events.searchsorted(self.points, "right")
        return np.asarray(self.points - last[index] <= self.silence)


@dataclass(slots=True)
class Account:
    """Elements of a shift so far. began: start of the shift, ns · told: its name was written · planned, run, stopped
    (planned stops), unknown: ns · total, good: parts · ideal: s that the parts would take at the ideal rate."""

    began: int = 0
    told: bool = False
    planned: int = 0
    run: int = 0
    stopped: int = 0
    unknown: int = 0
    total: float = 0.0
    good: float = 0.0
    ideal: float = 0.0

    def state(self) -> list[Any]:
        """As JSON."""
        return list(astuple(self))

    def advance(
        self,
        span: Span,
        at: Moments,
        state: Samples,
        total: Samples,
        good: Samples,
        rate: Samples,
    ) -> Elements:
        """Takes the samples and gives the elements at `at.points`."""
        planned, run, stopped, unknown = self._times(span, at, state)
        made = increments(total)
        seconds = made * 60.0 / rate_at(rate, total.event)
        quantities = (
            running_sum(self.total, made, total.event, at.points),
            running_sum(self.good, increments(good), good.event, at.points),
            running_sum(self.ideal, seconds, total.event, at.points),
        )
        self.total, self.good, self.ideal = (float(column[-1]) for column in quantities)
        return Elements(
            (planned - stopped) / 1e9,
            run / 1e9,
            unknown / 1e9,
            quantities[2],
            quantities[0],
            quantities[1],
            total.lost_at(at.points) | good.lost_at(at.points),
        )

    def _times(self, span: Span, at: Moments, state: Samples) -> tuple[type_Times, ...]:
        """planned, run, stopped, unknown at each point, ns."""
        starts, classes = with_silences(at, state)
        before = span.planned_before(np.concatenate((starts, at.points)))
        begun, reached = before[: len(starts)], before[len(starts) :]
        index = starts.searchsorted(at.points, "right") - 1
        lengths = begun[1:] - begun[:-1]
        found = [self.planned + reached - begun[0]]
        masks = (classes == RUNNING, classes == PLANNED_STOP, np.isnan(classes))
        for mask, so_far in zip(masks, (self.run, self.stopped, self.unknown), strict=True):
            sums = np.concatenate(([so_far], lengths * mask[:-1])).cumsum()
            found.append(sums[index] + (reached - begun[index]) * mask[index])
        self.planned, self.run, self.stopped, self.unknown = (int(one[-1]) for one in found)
        return tuple(found)


def with_silences(at: Moments, state: Samples) -> tuple[type_Times, type_Column]:
    """When each state begins, from `at.start` on, and which it is; unknown while nothing is heard."""
    starts = np.concatenate(([at.start], state.event))
    classes = np.concatenate(([UNKNOWN if state.lost else state.level], state.value))
    for begin, end in at.silences():
        index = int(starts.searchsorted(begin, "right"))
        level = classes[index - 1]
        starts = np.insert(starts, index, [begin, end])
        classes = np.insert(classes, index, [UNKNOWN, level])
    return starts, classes


def increments(counter: Samples) -> type_Column:
    """(n,) how much each sample of a counter adds. Less than before is a reset: it counts from 0. The first sample
    ever adds nothing, one that says nothing neither."""
    known = ~np.isnan(counter.value)
    values = counter.value if known.all() else counter.value[known]
    if not len(values):
        return np.zeros(len(counter.value))
    before = np.concatenate(([values[0] if isnan(counter.level) else counter.level], values[:-1]))
    steps = np.where(values < before, values, values - before)
    if len(steps) == len(known):
        return steps
    added = np.zeros(len(known))
    added[known] = steps
    return added


def rate_at(rate: Samples, moments: type_Times) -> type_Column:
    """(n,) the rate in force at each moment."""
    levels = np.concatenate(([rate.level], rate.value))
    return np.asarray(levels[rate.event.searchsorted(moments, "right")])


def running_sum(
    start: float, steps: type_Column, event: type_Times, points: type_Times
) -> type_Column:
    """(n points,) the sum at each point, added one after the other."""
    sums = np.concatenate(([start], steps)).cumsum()
    return np.asarray(sums[event.searchsorted(points, "right")])
