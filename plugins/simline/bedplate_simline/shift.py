"""The plan of a shift: when the line is meant to produce, pause, change over and end.

Owns: the calendar of one compressed shift and the moments at which trouble is due.
Rule: pure functions of the plant's own time (seconds since it started) and a seed; no clock.
Does not decide what a machine does with its duty; that is `machine.py`.

Compression: a full eight-hour shift (start-up, production, break, changeover, run-out, end) takes
`length` real seconds. Only the calendar and the recurrence of faults are compressed. Rates are
not: a filler that says 118 bottles a minute fills 118 in a minute of real time, so that counters,
speed and an OEE computed on wall time agree with each other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Final

NATURAL_LENGTH: Final = 600.0
"""Seconds for which the durations below are written; shorter shifts shrink them in proportion."""

STAGGER: Final = 2.0
"""Seconds by which each machine follows the one before it at a planned start or stop."""


class Phase(Enum):
    """What the shift plan says at a moment, as `line.phase` shows it."""

    START_UP = "start-up"
    PRODUCTION = "production"
    BREAK = "break"
    CHANGEOVER = "changeover"
    RUN_OUT = "run-out"
    CLOSED = "closed"


class Duty(Enum):
    """What the plan asks of one machine."""

    PRODUCE = "produce"
    STOP = "stop"
    SET_UP = "set up"


_PLAN: Final = (
    (0.42, 0.48, Phase.BREAK),
    (0.68, 0.75, Phase.CHANGEOVER),
    (0.95, 0.98, Phase.RUN_OUT),
    (0.98, 1.00, Phase.CLOSED),
)
_DUTY: Final = {
    Phase.BREAK: Duty.STOP,
    Phase.CLOSED: Duty.STOP,
    Phase.CHANGEOVER: Duty.SET_UP,
}


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of `length` real seconds that repeats for ever. Raises ValueError below 10 s."""

    length: float = NATURAL_LENGTH

    def __post_init__(self) -> None:
        if not 10.0 <= self.length <= 7 * 86_400.0:
            raise ValueError(f"a shift of {self.length} s: between 10 s and 7 days is possible")

    @property
    def pace(self) -> float:
        """Factor on every duration of seconds: 1 from ten minutes on, less for a shorter shift."""
        return min(1.0, self.length / NATURAL_LENGTH)

    def phase(self, now: float) -> Phase:
        """The phase at `now`, seconds since the plant started."""
        into = now % self.length
        if into < 5 * self.pace:
            return Phase.START_UP
        for begin, end, phase in _PLAN:
            if begin * self.length <= into < end * self.length:
                return phase
        return Phase.PRODUCTION

    def duty(self, position: int, now: float) -> Duty:
        """What machine number `position` (0 is the first of the line) shall do at `now`."""
        lag = (1 + position * STAGGER) * self.pace
        if now % self.length < lag:
            return Duty.STOP
        phase = self.phase(now - lag)
        if phase is Phase.RUN_OUT and position == 0:
            return Duty.STOP
        return _DUTY.get(phase, Duty.PRODUCE)

    def order(self, now: float) -> str:
        """The production order in work; a changeover begins the next one."""
        number, into = divmod(now, self.length)
        return f"PO-{4711 + int(number) + (into >= _PLAN[1][0] * self.length)}"


class Recurring:
    """Moments at which one kind of trouble is due: drawn from a seed, not from a clock."""

    def __init__(
        self,
        rng: random.Random,
        first: tuple[float, float],
        every: tuple[float, float],
        pace: float,
    ) -> None:
        self._rng = rng
        self._every = every
        self._pace = pace
        self._next = rng.uniform(*first) * pace

    def due(self, now: float) -> bool:
        """True once for each moment that has passed; asked late, it answers late, not twice."""
        if now < self._next:
            return False
        self._next = now + self._rng.uniform(*self._every) * self._pace
        return True
