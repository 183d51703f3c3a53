"""Registers: where a meter keeps what, and how values become 16-bit words.

Owns: the register map of a meter (that of a common German panel meter) and the packing.
Rule: addresses count from 0, as on the wire.
Does not serve them; that is `modbus.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from bedplate_simline.plant import Plant

METER_REGISTERS: Final = {  # tag: (address, register units in one unit of the tag)
    "voltage": (19000, 1.0),  # V
    "current": (19012, 1.0),  # A
    "power": (19026, 1000.0),  # W
    "power_factor": (19044, 1.0),
    "energy": (19060, 1000.0),  # Wh
}
METER_BLOCK: Final = range(19000, 19120)
"""A meter answers for all of it, 0 where it has nothing to say."""


def words(layout: str, *values: float | int | bytes) -> list[int]:
    """Registers of `values`, big-endian as `struct` packs them: `words("f", 1.5)` is ABCD."""
    packed = struct.pack(f">{layout}", *values)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def put(registers: list[int], place: int, new: list[int]) -> None:
    """Overwrite registers from `place` on, in the list itself."""
    registers[place : place + len(new)] = new


def measured(plant: Plant, machine: str) -> Iterator[tuple[int, float]]:
    """Address and value of each register pair of a machine's meter, in the register's unit."""
    for tag, (address, factor) in METER_REGISTERS.items():
        yield address, float(plant.read(f"{machine}.{tag}")) * factor
