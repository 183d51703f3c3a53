"""The line's energy meters: a Modbus TCP server that shows the plant.

Owns: the register map of a meter and the server.
Rule: registers are made from the plant when a request reads them; addresses count from 0, as on
the wire. Units 1, 2, 3 are the meters of filler, capper, labeller: float32, ABCD, the same for
function codes 3 and 4. Unit 4 is `modbus_test_unit.py`. For any other the server answers as a
gateway does: target failed to respond.
Does not decide any value; that is `plant.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simdevice import SimAction

from bedplate_simline.modbus_test_unit import TEST_UNIT, fill_test_unit, test_unit_map
from bedplate_simline.plant import Plant
from bedplate_simline.registers import METER_BLOCK, measured, put, words
from bedplate_simline.serving import every_period, say
from bedplate_simline.tags import MACHINES

Fill = Callable[[Plant, int, int, list[int]], None]
"""Puts the plant's values into (function code, address of the first register, registers)."""

_UNITS: Final = dict(enumerate(MACHINES, start=1))


class MeterServer:
    """The Modbus TCP server of one plant."""

    def __init__(self, plant: Plant, elapsed_ns: Callable[[], int]) -> None:
        self._plant = plant
        self._elapsed_ns = elapsed_ns

    async def serve(self, host: str, port: int) -> None:
        """Listen, say where, follow the plant until cancelled. Raises OSError when it cannot."""
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)  # a client's mistake: no news
        server: Any = ModbusTcpServer(self._devices(), address=(host, port), trace_pdu=_as_gateway)
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {host}:{port}; is the port taken?") from error
        try:
            say({"host": host, "port": server.transport.sockets[0].getsockname()[1]})
            await every_period(self._follow)
        finally:
            await server.shutdown()

    async def _follow(self) -> None:
        self._plant.advance_to(self._elapsed_ns())

    def _devices(self) -> list[SimDevice]:
        block = SimData(
            METER_BLOCK.start,
            values=[0] * len(METER_BLOCK),
            datatype=DataType.REGISTERS,
            readonly=True,
        )
        meters = [
            SimDevice(unit, block, action=self._refresh(_fill_meter(machine)))
            for unit, machine in _UNITS.items()
        ]
        test = SimDevice(TEST_UNIT, test_unit_map(), action=self._refresh(fill_test_unit))
        return [*meters, test]

    def _refresh(self, fill: Fill) -> SimAction:
        """What pymodbus calls before it answers: brings the registers up to date for a read."""

        async def refresh(
            function: int,
            first: int,
            address: int,
            count: int,
            registers: list[int],
            written: list[int] | list[bool] | None,
        ) -> ExcCodes | None:
            if written is None:
                await self._follow()
                fill(self._plant, function, first, registers)
            return None

        return refresh


def _fill_meter(machine: str) -> Fill:
    def fill(plant: Plant, function: int, first: int, registers: list[int]) -> None:
        for address, value in measured(plant, machine):
            put(registers, address - first, words("f", value))

    return fill


def _as_gateway(sending: bool, pdu: ModbusPDU) -> ModbusPDU:
    """Answer for a unit that does not exist: pymodbus calls that a device failure."""
    if sending and pdu.isError() and pdu.dev_id not in (*_UNITS, TEST_UNIT):
        return ExceptionResponse(
            pdu.function_code & 0x7F,
            ExcCodes.GATEWAY_NO_RESPONSE,
            device_id=pdu.dev_id,
            transaction=pdu.transaction_id,
        )
    return pdu
