"""One machine of the line and the conveyor between two of them.

Owns: state, speed, counters of a machine; bottles on a conveyor.
Rule: bottles are conserved: what a machine takes it counts, what is good goes on, what is bad is
thrown out; counters never go down.
Does not know the calendar (`shift.py`) nor what breaks (`trouble.py`).
"""

from __future__ import annotations

import random
from typing import Final

from bedplate_simline.shift import Duty
from bedplate_simline.state import State
from bedplate_simline.trouble import Fault, Trouble

SETPOINT_RANGE: Final = (40.0, 140.0)
"""Speeds a machine accepts, bottles a minute."""

RESTART_AT: Final = 6
"""Bottles that must wait (or places that must be free) before an idle machine starts again."""

SLOW_FROM: Final = 12
"""Bottles waiting (or places free) below which a machine slows down to keep the line flowing."""

SPIN_UP: Final = 30.0
SPIN_DOWN: Final = 90.0
"""Change of speed, 1/min a second."""


class Conveyor:
    """Bottles between two machines, at most `capacity` of them; `count` wait there at first."""

    def __init__(self, capacity: int, count: int) -> None:
        self.capacity = capacity
        self.count = count

    @property
    def free(self) -> int:
        """Places left."""
        return self.capacity - self.count


class Machine:
    """A machine that takes bottles from `infeed` and puts good ones on `outfeed`."""

    def __init__(
        self,
        name: str,
        speed_setpoint: float,
        trouble: Trouble,
        rng: random.Random,
        infeed: Conveyor | None,
        outfeed: Conveyor | None,
    ) -> None:
        self.name = name
        self.speed_setpoint = speed_setpoint
        self.trouble = trouble
        self.infeed = infeed
        self.outfeed = outfeed
        self.state = State.STOPPED
        self.speed = 0.0
        self.parts_total = 0
        self.parts_good = 0
        self.fault: Fault | None = None
        self._rng = rng
        self._progress = 0.0

    @property
    def guard_closed(self) -> bool:
        """Somebody who clears a fault or sets up has the guard open."""
        return self.state not in (State.FAULT, State.SETUP)

    def step(self, now: float, dt: float, duty: Duty) -> None:
        """Go on by `dt` seconds, short enough that at most one bottle passes."""
        fault = self.trouble.step(now, dt, self.state)
        if fault is not None and self.fault is None:
            self._scrap(fault.scrap)
        self.fault = fault
        self.state = self._next_state(duty)
        self._spin(dt)
        if self.state is State.RUNNING:
            self._work(dt)

    def _next_state(self, duty: Duty) -> State:
        if self.fault is not None:
            return State.FAULT
        if duty is Duty.STOP:
            return State.STOPPED
        if duty is Duty.SET_UP:
            return State.SETUP
        needed = RESTART_AT if self.state is State.IDLE else 1
        return State.IDLE if self._room() < needed else State.RUNNING

    def _room(self) -> int:
        """The smaller of bottles waiting before and places free behind this machine."""
        waiting = SLOW_FROM if self.infeed is None else self.infeed.count
        free = SLOW_FROM if self.outfeed is None else self.outfeed.free
        return min(waiting, free)

    def _spin(self, dt: float) -> None:
        aim = 0.0
        if self.state is State.RUNNING:
            aim = self.speed_setpoint * min(1.0, max(0.4, self._room() / SLOW_FROM))
        rise = SPIN_UP * dt
        fall = SPIN_DOWN * dt
        self.speed += max(-fall, min(rise, aim - self.speed))

    def _work(self, dt: float) -> None:
        self._progress += self.speed / 60.0 * dt
        if self._progress < 1.0:
            return
        self._progress -= 1.0
        self._pass_one(good=self._rng.random() >= self.trouble.reject_rate())
        self.trouble.part_made()

    def _scrap(self, parts: int) -> None:
        waiting = parts if self.infeed is None else self.infeed.count
        for _ in range(min(parts, waiting)):
            self._pass_one(good=False)

    def _pass_one(self, *, good: bool) -> None:
        if self.infeed is not None:
            self.infeed.count -= 1
        self.parts_total += 1
        self.parts_good += good
        if good and self.outfeed is not None:
            self.outfeed.count += 1
