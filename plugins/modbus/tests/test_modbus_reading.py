"""Reading from independent servers: libmodbus (C), modbus-serial and jsmodbus (Node)."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.modbus.tests.driving import Peer, bad, good, opened, values

from bedplate import DataType, Refused
from bedplate.model import quality

FOUR = ("coil", "discrete_input", "holding_register", "input_register")


async def test_all_register_types_of_libmodbus_are_read(libmodbus: Peer) -> None:
    described = {
        f"{register_type}-{i}": {"address": i, "register_type": register_type}
        for register_type in FOUR
        for i in range(0, 190, 7)
    }
    async with opened(libmodbus.port, described, unit_id=2) as modbus:
        found = await values(modbus)
    for i in range(0, 190, 7):
        assert found[f"coil-{i}"] is found[f"discrete_input-{i}"] is ((2 * i) % 3 == 0)
        assert found[f"holding_register-{i}"] == 2000 + i
        assert found[f"input_register-{i}"] == 4000 + i


async def test_every_data_type_in_every_byte_order_is_what_node_laid_out(
    modbus_serial: Peer,
) -> None:
    where = modbus_serial.hello["where"]
    kinds = {(entry["data_type"], entry["byte_order"]) for entry in where}
    assert len(kinds) == 14 * 4 + 2 + 2
    described = {str(i): {k: v for k, v in e.items() if k != "value"} for i, e in enumerate(where)}
    async with opened(modbus_serial.port, described) as modbus:
        answer = await modbus.read(modbus.tags)
        found = await values(modbus)
    assert {batch.data_type for batch in answer} == {
        DataType.FLOAT64,
        DataType.INT64,
        DataType.UINT64,
        DataType.BOOL,
        DataType.TEXT,
    }
    for i, entry in enumerate(where):
        value = entry["value"]
        wanted = int(value) if entry["data_type"] in ("int64", "uint64") else value
        assert (entry, found[str(i)]) == (entry, wanted)


async def test_thousands_of_coils_are_read_in_blocks_and_unaligned(modbus_serial: Peer) -> None:
    described = {str(i): {"address": i, "register_type": "coil"} for i in range(3, 5000, 2)}
    described |= {f"d{i}": {"address": i, "register_type": "discrete_input"} for i in (0, 6, 7, 8)}
    async with opened(modbus_serial.port, described) as modbus:
        found = await values(modbus)
    assert all(found[str(i)] is (i % 5 == 0) for i in range(3, 5000, 2))
    assert [found[f"d{i}"] for i in (0, 6, 7, 8)] == [True, False, True, False]


async def test_125_registers_come_in_one_request_and_the_next_in_another(
    modbus_serial: Peer,
) -> None:
    described = {str(i): {"address": i, "unit_id": 3} for i in range(100, 230)}
    async with opened(modbus_serial.port, described) as modbus:
        await modbus.read(modbus.tags)
    assert modbus_serial.asked((225, 5)) == [(100, 1), (100, 125), (225, 5)]


async def test_one_request_for_each_tag_when_the_device_wants_that(modbus_serial: Peer) -> None:
    described = {str(i): {"address": i, "data_type": "int32"} for i in (10, 12, 14)}
    async with opened(modbus_serial.port, described, one_request_per_tag=True) as modbus:
        await modbus.read(modbus.tags)
    assert modbus_serial.asked((14, 2)) == [(10, 2), (10, 2), (12, 2), (14, 2)]


async def test_tags_of_several_units_are_read_over_one_connection(libmodbus: Peer) -> None:
    described = {f"u{u}-{i}": {"address": i, "unit_id": u} for u in (1, 2, 3) for i in (5, 9)}
    async with opened(libmodbus.port, described) as modbus:
        found = await values(modbus)
    assert found == {f"u{u}-{i}": 1000 * u + i for u in (1, 2, 3) for i in (5, 9)}
    assert len(libmodbus.heard("connection")) == 1


async def test_a_subset_of_tags_is_read_in_any_order(libmodbus: Peer) -> None:
    described = {str(i): {"address": i} for i in range(20)}
    async with opened(libmodbus.port, described) as modbus:
        for some in ([7, 3, 19], [0], [3, 7], []):
            tags = [modbus.tags[i] for i in some]
            found = {
                int(handle) - 1: value
                for batch in await modbus.read(tags)
                for handle, value in zip(batch.tags(), batch.value.tolist(), strict=True)
            }
            assert found == {i: 1000 + i for i in some}


async def test_an_address_beyond_the_device_is_bad_and_harms_only_itself(libmodbus: Peer) -> None:
    described = {str(i): {"address": i} for i in range(180, 204, 2)}
    async with opened(libmodbus.port, described) as modbus:
        answer = await modbus.read(modbus.tags)
        found = await values(modbus)
    assert good(found) == {str(i): 1000 + i for i in range(180, 200, 2)}
    assert bad(found) == {
        "200": "illegal data address: holding register 200, unit 1",
        "202": "illegal data address: holding register 202, unit 1",
    }
    assert [v.code for v in answer[10:]] == [quality.CODES["BadNodeIdUnknown"]] * 2


async def test_jsmodbus_answers_with_no_registers_and_that_is_bad_never_a_value(
    jsmodbus: Peer,
) -> None:
    described = {str(i): {"address": i, "data_type": "uint32"} for i in (96, 98, 100, 200, 50)}
    described["half"] = {"address": 99, "data_type": "uint32"}
    async with opened(jsmodbus.port, described) as modbus:
        found = await values(modbus)
    assert good(found) == {str(i): (i << 16) + i + 1 for i in (96, 98, 50)}
    assert bad(found) == {
        "half": "answered 2 bytes of values instead of 4: holding register 99, unit 1",
        "100": "answered 0 bytes of values instead of 4: holding register 100, unit 1",
        "200": "answered 0 bytes of values instead of 4: holding register 200, unit 1",
    }


async def test_jsmodbus_gives_coils_and_inputs(jsmodbus: Peer) -> None:
    described: dict[str, dict[str, Any]] = {
        str(i): {"address": i, "register_type": "coil"} for i in (0, 1, 2, 15)
    }
    described |= {"i": {"address": "300043"}, "d": {"address": "100003"}}
    async with opened(jsmodbus.port, described) as modbus:
        found = await values(modbus)
    assert found == {"0": True, "1": False, "2": True, "15": True, "i": 42, "d": True}


async def test_a_uint64_stays_one_when_a_neighbour_is_bad(modbus_serial: Peer) -> None:
    described = {
        "big": {"address": 10, "data_type": "uint64", "unit_id": 2},
        "gone": {"address": 30, "unit_id": 2},
    }
    async with opened(modbus_serial.port, described) as modbus:
        answer = await modbus.read(modbus.tags)
    assert answer[0].dtype == "uint64"
    assert answer[0] == (10 << 48) + (11 << 32) + (12 << 16) + 13


async def test_decode_shows_a_device_in_four_byte_orders(modbus_serial: Peer) -> None:
    where = [e for e in modbus_serial.hello["where"] if e["data_type"] == "float32"]
    described = {e["byte_order"]: {"address": e["address"]} for e in where}
    described |= {"gone": {"address": 30, "unit_id": 2}, "coil": {"address": "000001"}}
    async with opened(modbus_serial.port, described) as modbus:
        for tag in modbus.tags[:4]:
            found = await modbus.decode(tag, "float32")
            assert [order for order, value in found.items() if value == 12418.5] == [tag.name]
        with pytest.raises(Refused, match="illegal data address: holding register 30, unit 2"):
            await modbus.decode(modbus.tags[4], "uint16")
        with pytest.raises(Refused, match="no byte order"):
            await modbus.decode(modbus.tags[5], "uint16")
        with pytest.raises(Refused, match="hold no float8"):
            await modbus.decode(modbus.tags[0], "float8")
