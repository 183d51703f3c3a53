"""A block that a device refuses is halved until the tags that cause it are alone; the search is remembered."""

from __future__ import annotations

import pytest
from plugins.modbus.tests.driving import Peer, bad, good, opened, values


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_missing_registers_are_found_once_and_then_left_out_for_a_minute(
    modbus_serial: Peer,
) -> None:
    described = {str(i): {"address": i} for i in range(100)}
    clock = Clock()
    async with opened(modbus_serial.port, described, unit_id=2, clock=clock) as modbus:
        first = await values(modbus)
        assert set(bad(first)) == {"30", "31", "47"}
        assert good(first) == {str(i): i for i in range(100) if i not in (30, 31, 47)}
        assert len(modbus_serial.asked((50, 50))) < 30

        for _ in range(3):
            clock.now += 15
            again = await values(modbus)
            assert (good(again), bad(again)) == (good(first), bad(first))
            assert modbus_serial.asked((48, 52)) == [(0, 30), (32, 15), (48, 52)]

        clock.now += 15.1
        assert set(bad(await values(modbus))) == {"30", "31", "47"}
        assert modbus_serial.asked((50, 50))[0] == (0, 100)


async def test_a_gap_that_does_not_exist_costs_a_second_request_and_no_tag(
    modbus_serial: Peer,
) -> None:
    described = {str(i): {"address": i} for i in (28, 29, 32, 33)}
    async with opened(modbus_serial.port, described, unit_id=2) as modbus:
        assert await values(modbus) == {"28": 28, "29": 29, "32": 32, "33": 33}
        assert modbus_serial.asked((32, 2)) == [(28, 1), (28, 6), (28, 2), (32, 2)]
        assert await values(modbus) == {"28": 28, "29": 29, "32": 32, "33": 33}
        assert modbus_serial.asked((32, 2)) == [(28, 2), (32, 2)]


async def test_a_device_that_gives_fewer_registers_at_a_time_is_read_in_pieces(
    modbus_serial: Peer,
) -> None:
    described = {str(i): {"address": i, "register_type": "input_register"} for i in range(100)}
    async with opened(modbus_serial.port, described) as modbus:
        for _ in range(2):
            assert await values(modbus) == {str(i): i for i in range(100)}
            found = modbus_serial.asked((75, 25))
        assert found == [(0, 25), (25, 25), (50, 25), (75, 25)]


async def test_a_tag_that_spans_a_missing_register_is_bad_alone(modbus_serial: Peer) -> None:
    described = {
        "before": {"address": 44, "data_type": "uint32"},
        "across": {"address": 46, "data_type": "uint32"},
        "inside": {"address": 46},
        "after": {"address": 48, "data_type": "uint32"},
    }
    async with opened(modbus_serial.port, described, unit_id=2) as modbus:
        for _ in range(2):
            found = await values(modbus)
            assert set(bad(found)) == {"across"}
            assert good(found) == {
                "before": (44 << 16) + 45,
                "inside": 46,
                "after": (48 << 16) + 49,
            }


@pytest.mark.parametrize("register_type", ["coil", "discrete_input"])
async def test_bits_beyond_the_device_are_isolated_too(libmodbus: Peer, register_type: str) -> None:
    described = {str(i): {"address": i, "register_type": register_type} for i in range(150, 230, 3)}
    async with opened(libmodbus.port, described) as modbus:
        for _ in range(2):
            found = await values(modbus)
            assert good(found) == {str(i): i % 3 == 0 for i in range(150, 200, 3)}
            assert all("illegal data address" in why for why in bad(found).values())
