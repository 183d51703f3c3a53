"""What goes wrong at each machine, and the temperature that goes with it.

Owns: the product in the filler, the head of the capper, the label roll of the labeller: their
temperature, their fault and how likely a part is bad.
Rule: a fault has a cause that can be seen coming in the tags (product warms up, labels run out).
Does not move bottles or count them; that is `machine.py`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Protocol

from bedplate_simline.shift import Recurring
from bedplate_simline.state import State


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason for which a machine stops by itself; `scrap` is how many parts it spoils."""

    code: int
    text: str
    scrap: int = 0


PRODUCT_WARM: Final = Fault(11, "Product too warm to fill")
CAP_JAM: Final = Fault(21, "Caps jammed in the chute", scrap=3)
LABELS_OUT: Final = Fault(31, "Label roll empty")


class Trouble(Protocol):
    """The part of a machine that can go wrong. Times are seconds, temperatures °C."""

    temperature: float

    def step(self, now: float, dt: float, state: State) -> Fault | None:
        """Go on by `dt`; the fault that holds the machine now, or None."""

    def reject_rate(self) -> float:
        """Probability that the next part is bad."""

    def part_made(self) -> None:
        """Hear that one part went through."""


class Product:
    """The filler's product: filled cold, warms up when the chiller trips, too warm it foams."""

    TRIP: Final = 14.0
    RESTART: Final = 9.0

    def __init__(self, rng: random.Random, pace: float) -> None:
        self._rng = rng
        self._lag = 20.0 * pace
        self._chiller_trips = Recurring(rng, (42.0, 48.0), (220.0, 300.0), pace)
        self._warming = False
        self._fault: Fault | None = None
        self.temperature = 6.0

    def step(self, now: float, dt: float, state: State) -> Fault | None:
        if self._chiller_trips.due(now):
            self._warming = True
        aim = 20.0 if self._warming else 5.8
        self.temperature += (aim - self.temperature) * dt / self._lag
        self.temperature += self._rng.gauss(0.0, 0.015)
        if self.temperature >= self.TRIP:
            self._warming = False
            if state in (State.RUNNING, State.IDLE):
                self._fault = PRODUCT_WARM
        elif self.temperature <= self.RESTART:
            self._fault = None
        return self._fault

    def reject_rate(self) -> float:
        return 0.003 + 0.01 * max(0.0, self.temperature - 9.0)

    def part_made(self) -> None:
        """Nothing: product does not run out."""


class CapperHead:
    """The capper's head: caps jam in its chute while it runs; its gearbox warms with the work."""

    def __init__(self, rng: random.Random, pace: float) -> None:
        self._rng = rng
        self._pace = pace
        self._jams = Recurring(rng, (24.0, 30.0), (130.0, 190.0), pace)
        self._clear_at: float | None = None
        self.temperature = 38.0

    def step(self, now: float, dt: float, state: State) -> Fault | None:
        aim = 61.0 if state is State.RUNNING else 27.0
        self.temperature += (aim - self.temperature) * dt / (180.0 * self._pace)
        self.temperature += self._rng.gauss(0.0, 0.01)
        if self._clear_at is None and state is State.RUNNING and self._jams.due(now):
            self._clear_at = now + self._rng.uniform(20.0, 32.0) * self._pace
        if self._clear_at is not None and now >= self._clear_at:
            self._clear_at = None
        return None if self._clear_at is None else CAP_JAM

    def reject_rate(self) -> float:
        return 0.004

    def part_made(self) -> None:
        """Nothing: the cap hopper is kept full."""


class LabelRoll:
    """The labeller's roll: one label a bottle, then somebody must hang a new one."""

    def __init__(self, rng: random.Random, pace: float) -> None:
        self._rng = rng
        self._pace = pace
        self._full = max(5, round(380 * pace))
        self._hung_at: float | None = None
        self.labels_left = max(5, round(190 * pace))
        self.temperature = 152.0

    def step(self, now: float, dt: float, state: State) -> Fault | None:
        aim = 120.0 if state is State.SETUP else 155.0
        self.temperature += (aim - self.temperature) * dt / (30.0 * self._pace)
        self.temperature += self._rng.gauss(0.0, 0.06)
        if self._hung_at is None and self.labels_left == 0:
            self._hung_at = now + self._rng.uniform(12.0, 20.0) * self._pace
        if self._hung_at is not None and now >= self._hung_at:
            self._hung_at = None
            self.labels_left = self._full
        return None if self._hung_at is None else LABELS_OUT

    def reject_rate(self) -> float:
        return 0.002

    def part_made(self) -> None:
        self.labels_left -= 1
