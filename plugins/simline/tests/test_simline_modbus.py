"""What the line's meters serve, seen through a Modbus client."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from bedplate_simline.launch import Simulator
from bedplate_simline.plant import Plant
from bedplate_simline.registers import METER_REGISTERS

Start = Callable[..., Simulator]
pytestmark = pytest.mark.asyncio

HOUR_NS = 3_600_000_000_000


@asynccontextmanager
async def connected(ready: dict[str, Any]) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(ready["host"], port=ready["port"], timeout=5)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def float_at(client: AsyncModbusTcpClient, unit: int, address: int) -> float:
    """The float32 at `address`, in ABCD."""
    answer = await client.read_holding_registers(address, count=2, device_id=unit)
    assert not answer.isError(), answer
    return float(unpack("f", answer.registers))


def unpack(layout: str, registers: Sequence[int]) -> Any:
    return struct.unpack(f">{layout}", struct.pack(f">{len(registers)}H", *registers))[0]


async def test_each_machine_has_a_meter_with_plausible_readings(simulator: Start) -> None:
    start_ns = time.time_ns() - 15_000_000_000  # fifteen seconds into the shift everything runs
    ready = simulator("modbus", "--start-ns", str(start_ns)).ready()
    async with connected(ready) as client:
        for unit, kilowatts in ((1, 12.0), (2, 3.5), (3, 2.9)):
            power = await float_at(client, unit, 19026)
            assert power / 1000 == pytest.approx(kilowatts, rel=0.25)
            voltage = await float_at(client, unit, 19000)
            assert voltage == pytest.approx(230.0, abs=5.0)
            current = await float_at(client, unit, 19012)
            factor = await float_at(client, unit, 19044)
            assert power == pytest.approx(3 * voltage * current * factor, rel=0.1)
            assert await float_at(client, unit, 19060) > 0.0


async def test_a_meter_answers_for_its_whole_block_and_not_beyond(simulator: Start) -> None:
    async with connected(simulator("modbus").ready()) as client:
        whole = await client.read_holding_registers(19000, count=120, device_id=1)
        assert len(whole.registers) == 120
        assert unpack("f", whole.registers[:2]) == pytest.approx(230.0, abs=5.0)
        same = await client.read_input_registers(19000, count=2, device_id=1)
        assert unpack("f", same.registers) == pytest.approx(230.0, abs=5.0)
        for address in (18999, 19119):
            beyond = await client.read_holding_registers(address, count=2, device_id=1)
            assert beyond.exception_code == 2


async def test_a_meter_cannot_be_written(simulator: Start) -> None:
    async with connected(simulator("modbus").ready()) as client:
        answer = await client.write_registers(19026, [0, 0], device_id=1)
        assert answer.exception_code == 2


async def test_a_unit_that_is_not_there_does_not_respond(simulator: Start) -> None:
    async with connected(simulator("modbus").ready()) as client:
        answer = await client.read_holding_registers(19000, count=2, device_id=9)
        assert answer.exception_code == 11
        assert await float_at(client, 1, 19000) > 200.0


async def test_unit_4_shows_the_first_meter_in_cdab_with_holes(simulator: Start) -> None:
    async with connected(simulator("modbus").ready()) as client:
        answer = await client.read_holding_registers(19000, count=2, device_id=4)
        assert unpack("f", answer.registers[::-1]) == pytest.approx(230.0, abs=5.0)
        for address, _ in METER_REGISTERS.values():
            assert not (
                await client.read_holding_registers(address, count=2, device_id=4)
            ).isError()
        hole = await client.read_holding_registers(19000, count=14, device_id=4)
        assert hole.exception_code == 2


async def test_unit_4_has_one_of_every_data_type(simulator: Start) -> None:
    async with connected(simulator("modbus").ready()) as client:

        async def at(address: int, count: int) -> list[int]:
            answer = await client.read_holding_registers(address, count=count, device_id=4)
            return list(answer.registers)

        assert unpack("h", await at(100, 1)) == -1234
        assert unpack("H", await at(101, 1)) == 54321
        assert unpack("i", await at(102, 2)) == -123456789
        assert unpack("I", await at(104, 2)) == 3123456789
        assert unpack("q", await at(106, 4)) == -(10**18)
        assert unpack("Q", await at(110, 4)) == 10**19
        assert unpack("f", await at(114, 2)) == -0.15625
        assert unpack("d", await at(116, 4)) == 3.141592653589793
        assert unpack("16s", await at(130, 8)) == b"BEDPLATE SIMLINE"
        orders = struct.pack(">8H", *await at(120, 8))
        a, b, c, d = struct.pack(">f", 12418.0)
        assert orders == bytes([a, b, c, d, c, d, a, b, b, a, d, c, d, c, b, a])


async def test_unit_4_has_live_inputs(simulator: Start) -> None:
    start_ns = time.time_ns() - 15_000_000_000
    ready = simulator("modbus", "--start-ns", str(start_ns)).ready()
    async with connected(ready) as client:
        bits = await client.read_discrete_inputs(0, count=6, device_id=4)
        assert bits.bits[:6] == [True, True, True, False, False, False]
        answer = await client.read_input_registers(0, count=12, device_id=4)
    assert 30 <= unpack("h", answer.registers[0:1]) <= 90
    assert unpack("h", answer.registers[1:2]) == -123
    assert unpack("I", answer.registers[2:4]) > 10
    assert unpack("16s", answer.registers[4:12]).rstrip(b"\0") == b"PO-4711"


async def test_unit_4_keeps_what_is_written_to_it(simulator: Start) -> None:
    async with connected(simulator("modbus").ready()) as client:
        coils = await client.read_coils(0, count=8, device_id=4)
        assert coils.bits == [True, False] * 4
        await client.write_coil(1, True, device_id=4)
        await client.write_registers(3, [7, 65535], device_id=4)
        coils = await client.read_coils(0, count=3, device_id=4)
        assert coils.bits[:3] == [True, True, True]
        scratch = await client.read_holding_registers(2, count=4, device_id=4)
        assert scratch.registers == [0, 7, 65535, 0]


async def test_a_late_server_is_where_the_plant_is(simulator: Start) -> None:
    start_ns = time.time_ns() - HOUR_NS
    ready = simulator("modbus", "--seed", "3", "--start-ns", str(start_ns)).ready()
    async with connected(ready) as client:
        energy = await float_at(client, 1, 19060) / 1000
    plant = Plant(seed=3)
    plant.advance_to(HOUR_NS)
    earliest = float(plant.read("filler.energy"))
    plant.advance_to(time.time_ns() - start_ns)
    assert earliest * 0.999 <= energy <= float(plant.read("filler.energy")) * 1.001


async def test_garbage_harms_only_who_sent_it(simulator: Start) -> None:
    server = simulator("modbus")
    ready = server.ready()
    _, writer = await asyncio.open_connection(ready["host"], ready["port"])
    writer.write(b"\x00\x01\xff\xff\xff\xff garbage \x00" * 50)
    await writer.drain()
    async with connected(ready) as client:
        assert await float_at(client, 1, 19000) > 200.0
    writer.close()
    server.close_stdin()
    assert server.process.poll() is None
