"""The bottling line as a whole: filler, capper and labeller with conveyors between them.

Owns: the plant's time and the values of all tags.
Rule: deterministic: the same seed, shift and writes give the same trajectory, however the time is
cut into steps, in any process. The only input besides is how much time has passed.
Does not read a clock and does not speak any protocol.
"""

from __future__ import annotations

import random
from typing import Final

from bedplate_simline.machine import SETPOINT_RANGE, Conveyor, Machine
from bedplate_simline.meter import Load, Meter, load
from bedplate_simline.shift import NATURAL_LENGTH, Shift
from bedplate_simline.tags import ALL_TAGS, MACHINES, Value
from bedplate_simline.trouble import CapperHead, LabelRoll, Product, Trouble

TICK_NS: Final = 100_000_000
"""The plant moves in whole ticks of 0.1 s."""

CONVEYOR_CAPACITY: Final = 40

LEFT_OVER: Final = 10
"""Bottles that the shift before left on each conveyor."""

_SETPOINTS: Final = {"filler": 118.0, "capper": 124.0, "labeller": 130.0}
_LOADS: Final[dict[str, Load]] = {
    "filler": load(stopped=0.4, ready=2.4, fault=1.3, setup=1.6, working=10.1),
    "capper": load(stopped=0.2, ready=0.9, fault=1.1, setup=0.7, working=2.7),
    "labeller": load(stopped=0.3, ready=0.9, fault=0.7, setup=0.8, working=2.1),
}


class Plant:
    """A line that starts at second 0, stopped, at the beginning of a shift.

    `seed` decides every random draw; `shift` is the length of a shift in real seconds (10 s to
    7 days, else ValueError).
    """

    def __init__(self, seed: int = 7, shift: float = NATURAL_LENGTH) -> None:
        self._shift = Shift(shift)
        self._asked_ns = 0
        self._ticks = 0
        self._noise = random.Random(f"{seed}/noise")
        self._belts = tuple(Conveyor(CONVEYOR_CAPACITY, LEFT_OVER) for _ in range(2))
        self._machines = self._build_machines(seed)
        self._meters = {
            name: Meter(_LOADS[name], random.Random(f"{seed}/{name}/meter")) for name in MACHINES
        }
        self._speed = dict.fromkeys(MACHINES, 0.0)
        self._air = dict.fromkeys(MACHINES, 6.3)

    def _build_machines(self, seed: int) -> dict[str, Machine]:
        pace = self._shift.pace
        rngs = {name: random.Random(f"{seed}/{name}") for name in MACHINES}
        self._roll = LabelRoll(rngs["labeller"], pace)
        troubles: tuple[Trouble, ...] = (
            Product(rngs["filler"], pace),
            CapperHead(rngs["capper"], pace),
            self._roll,
        )
        belts = (None, *self._belts, None)
        return {
            name: Machine(name, _SETPOINTS[name], trouble, rngs[name], belts[i], belts[i + 1])
            for i, (name, trouble) in enumerate(zip(MACHINES, troubles, strict=True))
        }

    @property
    def now(self) -> float:
        """Seconds of plant time, a multiple of the tick."""
        return self._ticks * TICK_NS / 1e9

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass. Raises ValueError for a negative or infinite time."""
        if not 0.0 <= seconds < float("inf"):
            raise ValueError(f"cannot advance by {seconds} s: time goes forward")
        self.advance_to(self._asked_ns + round(seconds * 1e9))

    def advance_to(self, elapsed_ns: int) -> None:
        """Be where the plant is `elapsed_ns` after its start; a time already passed is no step."""
        self._asked_ns = max(self._asked_ns, elapsed_ns)
        while (self._ticks + 1) * TICK_NS <= self._asked_ns:
            self._ticks += 1
            self._tick()

    def _tick(self) -> None:
        now = self.now
        dt = TICK_NS / 1e9
        for position, (name, machine) in enumerate(self._machines.items()):
            machine.step(now, dt, self._shift.duty(position, now))
            self._meters[name].step(dt, machine.state, machine.speed)
            self._measure(name, machine)

    def _measure(self, name: str, machine: Machine) -> None:
        """Readings that are noisier than the thing itself."""
        moving = machine.speed > 1.0
        self._speed[name] = machine.speed + self._noise.gauss(0.0, 0.25) if moving else 0.0
        aim = 6.1 if moving else 6.3
        self._air[name] += (aim - self._air[name]) * 0.05 + self._noise.gauss(0.0, 0.008)

    def read(self, name: str) -> Value:
        """The value of a tag now, in the tag's unit. Raises KeyError for an unknown name."""
        owner, _, tag = name.partition(".")
        if owner == "line":
            return self._line_values()[tag]
        if tag == "labels_left" and owner == "labeller":
            return self._roll.labels_left
        return self._machine_values(owner)[tag]

    def values(self) -> dict[str, Value]:
        """The values of all tags now, by name, in the tags' units."""
        found = {f"line.{tag}": value for tag, value in self._line_values().items()}
        for owner in MACHINES:
            found |= {f"{owner}.{tag}": v for tag, v in self._machine_values(owner).items()}
        found["labeller.labels_left"] = self._roll.labels_left
        return found

    def _line_values(self) -> dict[str, Value]:
        return {
            "phase": self._shift.phase(self.now).value,
            "run_time": self._ticks * TICK_NS // 1_000_000,
            "bottles_before_capper": self._belts[0].count,
            "bottles_before_labeller": self._belts[1].count,
        }

    def _machine_values(self, name: str) -> dict[str, Value]:
        machine = self._machines[name]
        fault = machine.fault
        values: dict[str, Value] = {
            "state": int(machine.state),
            "speed": max(0.0, round(self._speed[name], 1)),
            "speed_setpoint": machine.speed_setpoint,
            "parts_total": machine.parts_total,
            "parts_good": machine.parts_good,
            "temperature": round(machine.trouble.temperature, 2),
            "air_pressure": round(self._air[name], 2),
            "guard_closed": machine.guard_closed,
            "fault_code": 0 if fault is None else fault.code,
            "fault_text": "" if fault is None else fault.text,
            "order_id": self._shift.order(self.now),
        }
        return values | self._meter_values(name)

    def _meter_values(self, name: str) -> dict[str, Value]:
        meter = self._meters[name]
        return {
            "power": meter.power,
            "energy": meter.energy,
            "current": meter.current,
            "voltage": meter.voltage,
            "power_factor": meter.power_factor,
        }

    def write(self, name: str, value: float) -> None:
        """Change a setpoint at once.

        Raises KeyError for an unknown name, PermissionError for a tag that is read-only,
        ValueError for a value outside its range (NaN too).
        """
        if not ALL_TAGS[name].writable:
            raise PermissionError(f"{name} is read-only")
        low, high = SETPOINT_RANGE
        if not low <= value <= high:
            raise ValueError(f"{name}: {value:g} is outside {low:g} to {high:g} 1/min")
        self._machines[name.partition(".")[0]].speed_setpoint = float(value)
