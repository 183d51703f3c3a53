"""Writing to independent servers, which tell what arrived."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.modbus.tests.driving import Peer, by_name, opened

from bedplate import Refused

W = {"writable": True}


async def arrived(peer: Peer) -> dict[str, Any]:
    while "body" not in (line := peer.next()):
        pass
    return line


@pytest.mark.parametrize(
    ("entry", "value", "function", "body"),
    [
        ({"address": 7}, 513, 6, "00070201"),
        ({"address": 7, "byte_order": "BADC"}, 513, 6, "00070102"),
        ({"address": 7, "data_type": "int16"}, -2, 6, "0007fffe"),
        ({"address": 7, "data_type": "bool"}, True, 6, "00070001"),
        ({"address": 8, "data_type": "float32"}, 12418.0, 16, "0008000204" + "46420800"),
        (
            {"address": 8, "data_type": "float32", "byte_order": "CDAB"},
            12418.0,
            16,
            "0008000204" + "08004642",
        ),
        (
            {"address": 8, "data_type": "float32", "byte_order": "BADC"},
            12418.0,
            16,
            "0008000204" + "42460008",
        ),
        (
            {"address": 8, "data_type": "float32", "byte_order": "DCBA"},
            12418.0,
            16,
            "0008000204" + "00084246",
        ),
        ({"address": 9, "data_type": "int64"}, -2, 16, "0009000408" + "fffffffffffffffe"),
        (
            {"address": 9, "data_type": "string", "length": 3},
            "Öl",
            16,
            "0009000306" + "c3966c000000",
        ),
        ({"address": "000012"}, True, 5, "000bff00"),
        ({"address": "000012"}, False, 5, "000b0000"),
        ({"address": 7, "bit": 3}, True, 22, "0007fff70008"),
        ({"address": 7, "bit": 3, "byte_order": "BADC"}, True, 22, "0007f7ff0800"),
        ({"address": 7, "data_type": "uint8_high"}, 171, 22, "000700ffab00"),
        ({"address": 7, "data_type": "int8_low"}, -1, 22, "0007ff0000ff"),
    ],
)
async def test_a_value_goes_out_by_the_right_function_and_reads_back(
    libmodbus: Peer, entry: dict[str, Any], value: Any, function: int, body: str
) -> None:
    async with opened(libmodbus.port, {"t": entry | W}, unit_id=3) as modbus:
        await modbus.write(modbus.tags[0], value)
        assert await arrived(libmodbus) == {"unit": 3, "function": function, "body": body}
        assert by_name(modbus, await modbus.read(modbus.tags)) == {"t": value}


async def test_a_bit_is_written_without_touching_its_neighbours(libmodbus: Peer) -> None:
    described: dict[str, dict[str, Any]] = {
        "whole": {"address": 1} | W,
        "bit": {"address": 1, "bit": 9} | W,
        "low": {"address": 1, "data_type": "uint8_low"} | W,
    }
    async with opened(libmodbus.port, described) as modbus:
        whole, bit, low = modbus.tags
        await modbus.write(whole, 0x0055)
        await modbus.write(bit, True)
        await modbus.write(low, 0xAA)
        found = by_name(modbus, await modbus.read(modbus.tags))
    assert found == {"whole": 0x02AA, "bit": True, "low": 0xAA}


async def test_functions_15_and_16_for_single_values_where_the_device_wants_that(
    libmodbus: Peer,
) -> None:
    described = {"coil": {"address": "000012"} | W, "word": {"address": 7} | W}
    async with opened(libmodbus.port, described, write_multiple=True) as modbus:
        await modbus.write(modbus.tags[0], True)
        assert await arrived(libmodbus) == {"unit": 1, "function": 15, "body": "000b00010101"}
        await modbus.write(modbus.tags[1], 513)
        assert await arrived(libmodbus) == {"unit": 1, "function": 16, "body": "00070001020201"}


async def test_a_value_out_of_range_is_refused_before_the_wire(libmodbus: Peer) -> None:
    async with opened(libmodbus.port, {"t": {"address": 7} | W}) as modbus:
        for value in (70000, -1, 1.5, "x", float("nan")):
            with pytest.raises(Refused):
                await modbus.write(modbus.tags[0], value)
        await modbus.read(modbus.tags)
    assert libmodbus.heard("body") == []


async def test_the_device_says_no_and_the_connection_stays(libmodbus: Peer) -> None:
    described = {"gone": {"address": 500} | W, "here": {"address": 5}}
    async with opened(libmodbus.port, described) as modbus:
        gone, here = modbus.tags
        with pytest.raises(Refused, match="illegal data address: holding register 500, unit 1"):
            await modbus.write(gone, 1)
        assert by_name(modbus, await modbus.read([here]), [here]) == {"here": 1005}
    assert len(libmodbus.heard("connection")) == 1


async def test_a_device_without_mask_write_says_so_and_nothing_is_written(
    modbus_serial: Peer,
) -> None:
    async with opened(modbus_serial.port, {"t": {"address": 5, "bit": 3} | W}) as modbus:
        with pytest.raises(Refused, match="can't write part of a register"):
            await modbus.write(modbus.tags[0], True)
        await modbus.read(modbus.tags)
    assert modbus_serial.heard("write") == []


async def test_jsmodbus_and_modbus_serial_take_values_in_every_byte_order(
    jsmodbus: Peer, modbus_serial: Peer
) -> None:
    described = {
        f"{data_type} {order}": {"address": 8 * i, "data_type": data_type, "byte_order": order} | W
        for i, (data_type, order) in enumerate(
            (t, o) for t in ("int32", "float64") for o in ("ABCD", "CDAB", "BADC", "DCBA")
        )
    }
    for peer in (jsmodbus, modbus_serial):
        async with opened(peer.port, described) as modbus:
            for i, tag in enumerate(modbus.tags):
                await modbus.write(tag, -1000 - i)
            found = by_name(modbus, await modbus.read(modbus.tags))
        assert list(found.values()) == [-1000 - i for i in range(8)]


async def test_what_cannot_be_written_is_refused(libmodbus: Peer) -> None:
    described = {"input": {"address": "300001"}, "contact": {"address": "100001"}}
    async with opened(libmodbus.port, described) as modbus:
        for tag in modbus.tags:
            with pytest.raises(Refused, match="can't be written"):
                await modbus.write(tag, 1)
