"""Modbus unit 4: something of everything, for the tests of connectors.

Owns: its register map (the table below).
Rule: constants never change, so that a test can name them; live values follow the plant.

  coils              0-7      writable, at the start 1 0 1 0 1 0 1 0
  discrete inputs    0-2      filler, capper, labeller is running
                     3-5      filler, capper, labeller has a fault
  input registers    0        int16   filler temperature, 0.1 °C
                     1        int16   -123
                     2-3      uint32  filler parts_total
                     4-11     string  filler order_id, 16 bytes, filled with NUL
  holding registers  0-9      writable, at the start 0
                     100      int16   -1234            101      uint16  54321
                     102-103  int32   -123456789       104-105  uint32  3123456789
                     106-109  int64   -1000000000000000000 (-10^18)
                     110-113  uint64  10000000000000000000 (10^19)
                     114-115  float32 -0.15625         116-119  float64 3.141592653589793
                     120-127  float32 12418.0 four times: ABCD, CDAB, BADC, DCBA
                     130-137  string  "BEDPLATE SIMLINE"
                     19000 …  the filler's meter as in unit 1, but CDAB, and with holes: a
                              request that touches one is refused with ILLEGAL DATA ADDRESS

Does not serve it; that is `modbus.py`.
"""

from __future__ import annotations

from typing import Final

from pymodbus.simulator import DataType, SimData

from bedplate_simline.plant import Plant
from bedplate_simline.registers import METER_REGISTERS, measured, put, words
from bedplate_simline.state import State
from bedplate_simline.tags import MACHINES

TEST_UNIT: Final = 4

_TEXT_BYTES: Final = 16

Maps = tuple[list[SimData], list[SimData], list[SimData], list[SimData]]


def test_unit_map() -> Maps:
    """Coils, discrete inputs, holding registers, input registers at the start."""
    coils = SimData(0, values=[True, False] * 4, datatype=DataType.BITS)
    inputs = SimData(0, values=[False] * 6, datatype=DataType.BITS, readonly=True)
    return [coils], [inputs], _holding_registers(), [_registers(0, [0] * 12)]


def fill_test_unit(plant: Plant, function: int, first: int, registers: list[int]) -> None:
    """Put the live values into the block that `function` reads."""
    if function == 2:
        registers[0] = _discrete_inputs(plant)
    elif function == 3:
        for address, value in measured(plant, "filler"):
            put(registers, address - first, words("f", value)[::-1])
    elif function == 4:
        put(registers, 0, _input_registers(plant))


def _discrete_inputs(plant: Plant) -> int:
    states = [plant.read(f"{machine}.state") for machine in MACHINES]
    bits = [state == wanted for wanted in (State.RUNNING, State.FAULT) for state in states]
    return sum(bit << place for place, bit in enumerate(bits))


def _input_registers(plant: Plant) -> list[int]:
    temperature = round(float(plant.read("filler.temperature")) * 10)
    total = int(plant.read("filler.parts_total"))
    order = str(plant.read("filler.order_id")).encode()
    return words(f"hhI{_TEXT_BYTES}s", temperature, -123, total, order)


def _holding_registers() -> list[SimData]:
    integers = words("hHiIqQ", -1234, 54321, -123456789, 3123456789, -(10**18), 10**19)
    reals = words("fd", -0.15625, 3.141592653589793)
    return [
        _registers(0, [0] * 10, readonly=False),
        _registers(100, integers + reals),
        _registers(120, _four_orders(12418.0)),
        _registers(130, words(f"{_TEXT_BYTES}s", b"BEDPLATE SIMLINE")),
        *(_registers(address, [0, 0]) for address, _ in METER_REGISTERS.values()),
    ]


def _four_orders(value: float) -> list[int]:
    """ABCD, CDAB, BADC, DCBA."""
    abcd = words("f", value)
    badc = [(word & 0xFF) << 8 | word >> 8 for word in abcd]
    return abcd + abcd[::-1] + badc + badc[::-1]


def _registers(address: int, values: list[int], readonly: bool = True) -> SimData:
    return SimData(address, values=list(values), datatype=DataType.REGISTERS, readonly=readonly)
