"""HistoryRead against an independent server: what it kept, page by page, and what it keeps none of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from plugins.opcua.tests.peer import Server, node, opened, tags_for

from bedplate import Bad, Batch, Tag
from bedplate_opcua import OpcUa

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def historian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("historian"), history={"count": 30, "most": 100_000})
    yield one
    one.kill()


async def everything(
    connector: OpcUa, tags: Sequence[Tag], start: int, end: int
) -> tuple[dict[int, list[tuple[Any, int, int]]], dict[int, str]]:
    """(value, source time, quality) by handle, and why there is none."""
    found: dict[int, list[tuple[Any, int, int]]] = {}
    without: dict[int, str] = {}
    async for item in connector.read_history(list(tags), start, end):
        if isinstance(item, Batch):
            rows = zip(
                item.tags().tolist(),
                item.value.tolist(),
                item.times().tolist(),
                item.qualities().tolist(),
                strict=True,
            )
            for handle, *row in rows:
                found.setdefault(handle, []).append(tuple(row))  # type: ignore[arg-type]
        else:
            tag, bad = item
            assert isinstance(bad, Bad)
            without[tag.handle] = bad.why
    return found, without


def remembered(server: Server, name: str, count: int, since: int, step: int) -> list[list[int]]:
    values = [[i + 1, (since + i * step) // 1_000_000] for i in range(count)]
    server.do("remember", node=name, values=values)
    return values


async def test_a_history_longer_than_one_answer_comes_whole_and_in_order(historian: Server) -> None:
    since = time.time_ns() - 3600 * SECOND
    said = remembered(historian, "Recorded0", 9_500, since, 100_000_000)
    tags = tags_for(node("Recorded0"))

    async with opened(historian.url, tags) as connector:
        found, without = await everything(connector, tags, since - SECOND, time.time_ns())

    assert [(v, t // 1_000_000) for v, t, _ in found[1]] == [tuple(one) for one in said]
    assert not without


async def test_values_come_with_the_status_that_they_had(historian: Server) -> None:
    historian.do("record", nodes=["Recorded1"], every=10, bad=3)
    await asyncio.sleep(0.4)
    historian.do("still", node="Recorded1")
    said = historian.do("said", node="Recorded1")["said"]
    tags = tags_for(node("Recorded1"))

    async with opened(historian.url, tags) as connector:
        found, _ = await everything(connector, tags, said[0][1] * 1_000_000, time.time_ns())

    assert [(v, t // 1_000_000, q) for v, t, q in found[1]] == [tuple(one) for one in said]
    assert {q for _, _, q in found[1]} == {0, 0x4093_0000}


async def test_many_nodes_are_asked_in_parts(historian: Server) -> None:
    since = time.time_ns() - 600 * SECOND
    names = [f"Recorded{i}" for i in range(2, 30)]
    for name in names:
        remembered(historian, name, 300, since, SECOND)
    tags = tags_for(*map(node, names))

    async with opened(historian.url, tags) as connector:
        found, _ = await everything(connector, tags, since - SECOND, time.time_ns())

    for tag in tags:
        assert [v for v, _, _ in found[tag.handle]][:300] == list(range(1, 301))


async def test_a_node_without_a_history_says_so_and_is_not_asked_again(server: Server) -> None:
    tags = tags_for(node("Oil.Temp"), node("NoSuchNode"))

    async with opened(server.url, tags) as connector:
        asked = 0
        send = connector._session.send

        async def counted(*given: Any) -> Any:
            nonlocal asked
            asked += 1
            return await send(*given)

        connector._session.send = counted  # type: ignore[method-assign]
        found, without = await everything(connector, tags[:1], 0, time.time_ns())
        assert not found
        assert "no history" in without[1]
        assert asked == 0  # its access level said so
        for _ in range(2):
            found, without = await everything(connector, tags, 0, time.time_ns())
            assert not found
            assert set(without) == {1, 2}
        assert asked == 1


async def test_who_wants_no_more_gives_its_place_back(historian: Server) -> None:
    since = time.time_ns() - 7200 * SECOND
    tags = tags_for(node("Recorded0"))

    async with opened(historian.url, tags) as connector:
        for _ in range(30):  # more than the server has places for
            pages: AsyncIterator[Any] = connector.read_history(tags, since, time.time_ns())
            assert len(await anext(pages)) == 4000
            await pages.aclose()  # type: ignore[attr-defined]
        found, _ = await everything(connector, tags, since, time.time_ns())

    assert len(found[1]) >= 9_500


async def test_a_slow_reader_of_history_does_not_hold_up_what_is_live(
    tmp_path: Path, historian: Server
) -> None:
    tags = tags_for(node("Recorded0"), node("Oil.Temp"))

    async with opened(historian.url, tags) as connector:
        pages = connector.read_history(tags[:1], 0, time.time_ns())
        await anext(pages)
        (batch,) = await connector.read(tags[1:])
        assert len(batch) == 1
        await pages.aclose()  # type: ignore[attr-defined]
