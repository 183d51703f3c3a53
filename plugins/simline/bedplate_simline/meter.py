"""The energy meter of one machine.

Owns: power, energy, current, voltage and power factor, which follow what the machine does.
Rule: power and energy are never negative; the energy counter never goes down.
Does not know registers; that is `modbus.py`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from bedplate_simline.state import State

PHASES = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What a machine draws in kW: `standing` by state, and `working` on top at 120 a minute."""

    standing: Mapping[State, float]
    working: float


def load(*, stopped: float, ready: float, fault: float, setup: float, working: float) -> Load:
    """A load in kW; idle and running share what a ready machine draws."""
    return Load(
        {
            State.STOPPED: stopped,
            State.RUNNING: ready,
            State.IDLE: ready,
            State.FAULT: fault,
            State.SETUP: setup,
        },
        working,
    )


class Meter:
    """kW, kWh, A per phase, V phase to neutral, power factor."""

    def __init__(self, what: Load, rng: random.Random) -> None:
        self._load = what
        self._rng = rng
        self._steady = what.standing[State.STOPPED]
        self.power = self._steady
        self.energy = 0.0
        self.voltage = 230.0

    @property
    def power_factor(self) -> float:
        """Poor when the drives only stand by, good under load."""
        share = self._steady / (self._load.standing[State.RUNNING] + self._load.working)
        return 0.52 + 0.36 * min(1.0, share)

    @property
    def current(self) -> float:
        """Amperes in each of three equal phases."""
        return self.power * 1000.0 / (PHASES * self.voltage * self.power_factor)

    def step(self, dt: float, state: State, speed: float) -> None:
        """Go on by `dt` seconds with the machine in `state` at `speed` 1/min."""
        aim = self._load.standing[state] + self._load.working * speed / 120.0
        self._steady += (aim - self._steady) * min(1.0, dt / 0.4)
        self.power = max(0.0, self._steady * self._rng.gauss(1.0, 0.006))
        self.energy += self.power * dt / 3600.0
        self.voltage += (230.0 - self.voltage) * dt / 15.0 + self._rng.gauss(0.0, 0.05)
