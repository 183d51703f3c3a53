"""Stretches of a calendar: a shift with its planned time, or the time between two shifts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bedplate.calendar import Calendar

AHEAD = 8 * 86_400_000_000_000  # ns: how far to look for the next shift at once


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) in ns UTC. name: of the shift, "" between two · planned: its planned working time, in order."""

    start: int
    end: int
    name: str = ""
    planned: tuple[tuple[int, int], ...] = ()
    _begin: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _length: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _done: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        edges = np.array(self.planned or ((self.start, self.start),), np.int64)
        length = edges[:, 1] - edges[:, 0]
        object.__setattr__(self, "_begin", edges[:, 0])
        object.__setattr__(self, "_length", length)
        object.__setattr__(self, "_done", np.cumsum(length) - length)

    @classmethod
    def at(cls, calendar: Calendar, moment: int) -> Span:
        """The span that holds a moment, ns UTC. Between two shifts it may be cut after eight days."""
        shift = calendar.shift_at(moment)
        if shift is not None:
            planned = calendar.planned(shift.start_ns, shift.end_ns)
            return cls(shift.start_ns, shift.end_ns, shift.name, tuple(planned))
        following = calendar.shifts_between(moment, moment + AHEAD)
        return cls(moment, following[0].start_ns if following else moment + AHEAD)

    def planned_before(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) ns of planned time from the start of the shift to each moment."""
        index = np.maximum(self._begin.searchsorted(moments, "right") - 1, 0)
        inside = np.minimum(np.maximum(moments - self._begin[index], 0), self._length[index])
        return np.asarray(self._done[index] + inside)
