"""The tags of the line: name, type, unit, span, whether writable.

Owns: the one table from which the OPC UA address space, the in-process connector and the
documentation are made.
Rule: names are `machine.tag` in snake case; an OPC UA node id is the same in CamelCase.
Does not hold values; those are in `plant.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bedplate_simline.machine import SETPOINT_RANGE

MACHINES: Final = ("filler", "capper", "labeller")

Value = float | int | bool | str


class Kind(Enum):
    """The OPC UA built-in type of a tag."""

    BOOLEAN = "Boolean"
    INT32 = "Int32"
    UINT32 = "UInt32"
    UINT64 = "UInt64"
    DOUBLE = "Double"
    STRING = "String"


@dataclass(frozen=True, slots=True)
class TagSpec:
    """One tag. `slow` ones are sampled twice a second, the others ten times.

    `unit` is a UCUM code, `span` the range of normal values (OPC UA EURange).
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    span: tuple[float, float] | None = None
    slow: bool = False
    writable: bool = False

    @property
    def node_id(self) -> str:
        """`filler.speed_setpoint` is `Filler.SpeedSetpoint` on OPC UA."""
        return ".".join(
            "".join(word.capitalize() for word in part.split("_")) for part in self.name.split(".")
        )


_TEMPERATURES: Final = {
    "filler": ("Product temperature", (0.0, 30.0)),
    "capper": ("Gearbox temperature", (0.0, 100.0)),
    "labeller": ("Glue temperature", (0.0, 200.0)),
}


def _machine_tags(machine: str) -> tuple[TagSpec, ...]:
    meaning, span = _TEMPERATURES[machine]
    speeds = (0.0, SETPOINT_RANGE[1])
    rows = (
        TagSpec("state", Kind.INT32, "0 stopped, 1 running, 2 idle, 3 fault, 4 setup"),
        TagSpec("speed", Kind.DOUBLE, "Bottles a minute", "1/min", speeds),
        TagSpec(
            "speed_setpoint", Kind.DOUBLE, "Wanted speed", "1/min", SETPOINT_RANGE, writable=True
        ),
        TagSpec("parts_total", Kind.UINT32, "Bottles worked on since the start"),
        TagSpec("parts_good", Kind.UINT32, "Bottles of those that were good"),
        TagSpec("temperature", Kind.DOUBLE, meaning, "Cel", span, slow=True),
        TagSpec("air_pressure", Kind.DOUBLE, "Compressed air", "bar", (0.0, 10.0), slow=True),
        TagSpec("guard_closed", Kind.BOOLEAN, "Guard door closed"),
        TagSpec("fault_code", Kind.INT32, "0 none, 11 product warm, 21 cap jam, 31 labels out"),
        TagSpec("fault_text", Kind.STRING, "The fault in words, empty without one"),
        TagSpec("order_id", Kind.STRING, "Production order in work"),
    )
    return tuple(_named(machine, row) for row in rows)


def _named(machine: str, row: TagSpec) -> TagSpec:
    return TagSpec(
        f"{machine}.{row.name}",
        row.kind,
        row.description,
        row.unit,
        row.span,
        row.slow,
        row.writable,
    )


def _meter_tags(machine: str) -> tuple[TagSpec, ...]:
    return (
        TagSpec(f"{machine}.power", Kind.DOUBLE, "Active power", "kW", (0.0, 20.0)),
        TagSpec(f"{machine}.energy", Kind.DOUBLE, "Active energy since the start", "kW.h"),
        TagSpec(f"{machine}.current", Kind.DOUBLE, "Current of a phase", "A", (0.0, 40.0)),
        TagSpec(f"{machine}.voltage", Kind.DOUBLE, "Phase to neutral", "V", (200.0, 260.0)),
        TagSpec(f"{machine}.power_factor", Kind.DOUBLE, "Power factor", "1", (0.0, 1.0)),
    )


PLC_TAGS: Final = (
    *(spec for machine in MACHINES for spec in _machine_tags(machine)),
    TagSpec("labeller.labels_left", Kind.UINT32, "Labels left on the roll"),
    TagSpec("line.phase", Kind.STRING, "What the shift plan says"),
    TagSpec("line.run_time", Kind.UINT64, "Time since the start of the plant", "ms", slow=True),
    TagSpec("line.bottles_before_capper", Kind.INT32, "Bottles on the conveyor to the capper"),
    TagSpec("line.bottles_before_labeller", Kind.INT32, "Bottles on the conveyor to the labeller"),
)
"""What the line's PLC shows: served over OPC UA."""

METER_TAGS: Final = tuple(spec for machine in MACHINES for spec in _meter_tags(machine))
"""What the energy meters show: served over Modbus."""

ALL_TAGS: Final = {spec.name: spec for spec in (*PLC_TAGS, *METER_TAGS)}
