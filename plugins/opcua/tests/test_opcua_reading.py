"""Reading and its types, times and qualities, from a server on another stack."""

from __future__ import annotations

import time
from typing import Any

import pytest
from plugins.opcua.tests.peer import Server, node, opened, tags_for

from bedplate import Batch, DataType, Invalid
from bedplate.model import quality

TYPES: dict[str, tuple[DataType, Any]] = {
    "Boolean": (DataType.BOOL, True),
    "SByte": (DataType.INT64, -5),
    "Byte": (DataType.UINT64, 250),
    "Int16": (DataType.INT64, -30000),
    "UInt16": (DataType.UINT64, 60000),
    "Int32": (DataType.INT64, -2000000000),
    "UInt32": (DataType.UINT64, 4000000000),
    "Int64": (DataType.INT64, -2),
    "UInt64": (DataType.UINT64, 2**64 - 2),
    "Float": (DataType.FLOAT64, 1.5),
    "Double": (DataType.FLOAT64, 0.1),
    "String": (DataType.TEXT, "Öl °C"),
    "DateTime": (DataType.TEXT, "2026-03-04T05:06:07.089000Z"),
    "Guid": (DataType.TEXT, "72962b91-fa75-4ae6-8d28-b404dc7daf63"),
    "ByteString": (DataType.BLOB, b"\x00\x01\xff"),
    "LocalizedText": (DataType.TEXT, "läuft"),
    "Enum": (DataType.INT64, 2),
}


def one(batches: list[Batch], handle: int) -> tuple[DataType, Any, int, int, int]:
    """Type, value, quality, source and server time of a tag."""
    for batch in batches:
        for i, tag in enumerate(batch.tags()):
            if tag == handle:
                server = 0 if batch.server_time is None else int(batch.server_time[i])
                value = batch.value.tolist()[i]
                code, stamp = int(batch.qualities()[i]), int(batch.times()[i])
                return batch.data_type, value, code, stamp, server
    raise AssertionError(f"no sample for {handle}")


async def test_every_scalar_type_arrives_as_it_is(server: Server) -> None:
    tags = tags_for(*(node(f"Types.{name}") for name in TYPES))
    async with opened(server.url, tags) as connector:
        batches = await connector.read(tags)
    for tag, (data_type, value) in zip(tags, TYPES.values(), strict=True):
        assert one(batches, tag.handle)[:3] == (data_type, value, quality.GOOD), tag.name
    assert len({batch.data_type for batch in batches}) == len(batches)


async def test_an_array_is_bad_and_said_once(server: Server) -> None:
    tags = tags_for(node("Types.Array"), node("Types.Double"))
    async with opened(server.url, tags) as connector:
        for _ in range(3):
            batches = await connector.read(tags)
        notes: list[str] = connector.notes  # type: ignore[attr-defined]
    assert quality.name(one(batches, 1)[2]) == "BadNotSupported"
    assert one(batches, 2)[:3] == (DataType.FLOAT64, 0.1, 0)
    assert [n for n in notes if "array of Double" in n] == notes


async def test_source_and_server_time_are_those_of_the_server(server: Server) -> None:
    tags = tags_for(node("Oil.Temp"))
    server.do("set", node="Temp", value=21.5, time="2026-01-02T03:04:05.678Z")
    async with opened(server.url, tags) as connector:
        _, value, _, source, server_time = one(await connector.read(tags), 1)
    assert (value, source) == (21.5, 1767323045_678_000_000)
    assert abs(server_time - time.time_ns()) < 5e9


async def test_times_finer_than_microseconds_survive(server: Server) -> None:
    """asyncua's own decoder rounds to microseconds and reads the picoseconds from the wrong place."""
    tags = tags_for(node("Oil.Temp"))
    at = server.do("picoseconds", node="Temp", value=22.5)["time"]
    async with opened(server.url, tags) as connector:
        _, value, _, source, _ = one(await connector.read(tags), 1)
    assert (value, source) == (22.5, at * 1_000_000 + 12)


@pytest.mark.parametrize(
    "status", ["BadSensorFailure", "UncertainLastUsableValue", "GoodLocalOverride"]
)
async def test_status_codes_pass_unchanged(server: Server, status: str) -> None:
    tags = tags_for(node("Oil.Temp"))
    server.do("set", node="Temp", value=23.5, status=status)
    async with opened(server.url, tags) as connector:
        data_type, value, code, _, _ = one(await connector.read(tags), 1)
    server.do("set", node="Temp", value=20)
    assert (data_type, quality.name(code)) == (DataType.FLOAT64, status)
    assert value == 23.5


async def test_an_unknown_node_harms_only_itself(server: Server) -> None:
    tags = tags_for(node("Nowhere"), "nsu=urn:nobody;s=x", node("Types.Double"), "i=4294967295")
    async with opened(server.url, tags) as connector:
        batches = await connector.read(tags)
    names = [quality.name(one(batches, tag.handle)[2]) for tag in tags]
    assert names == ["BadNodeIdUnknown", "BadNodeIdUnknown", "Good", "BadNodeIdUnknown"]


async def test_addresses_behind_a_prefix_are_found(server: Server) -> None:
    tags = tags_for("Oil.Temp", "ns=1;s=Types.Double", "i=2258")
    async with opened(server.url, tags, address_prefix=node("")) as connector:
        batches = await connector.read(tags)
    assert one(batches, 1)[1:3] == (20.0, 0)
    assert one(batches, 2)[1] == 0.1
    assert one(batches, 3)[0] is DataType.TEXT


async def test_an_address_that_is_none_is_named(server: Server) -> None:
    with pytest.raises(Invalid, match=r"'Oil\.Temp' is no NodeId; write ns=3;s=") as caught:
        async with opened(server.url, tags_for("Oil.Temp")):
            pass
    assert caught.value.tag == "Oil.Temp"


async def test_more_tags_than_one_request_may_hold_are_read_in_parts(server: Server) -> None:
    tags = tags_for(*[node("Types.Double")] * 1203, node("Types.String"))
    async with opened(server.url, tags, max_items_per_request=100) as connector:
        batches = await connector.read(tags)
    assert sorted(map(len, batches)) == [1, 1203]
