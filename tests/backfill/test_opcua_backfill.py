"""What an OPC UA server recorded while it could not be reached, through the whole platform."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plugins.opcua.tests.peer import Server
from tests.backfill.recording import NAMES, cut, kept, network, plant, said
from tests.end_to_end.site import Site, running, until
from tests.faults.running import Running

from bedplate.client import connect_async
from bedplate.errors import CallError


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    one = Server(tmp_path, history={"count": 3, "most": 100_000})
    yield one
    one.kill()


async def is_whole(site: Site, server: Server, name: str, times: tuple[int, int]) -> bool:
    had, has = said(server, name, times[0]), await kept(site.client, name)
    return {at for _, at in had if at < times[1]} <= {at for _, at in has}


async def test_what_was_recorded_during_a_cut_is_in_history_once_in_time_order_and_alarms_nobody(
    server: Server, tmp_path: Path
) -> None:
    async with (
        network(server) as proxy,
        running(tmp_path, plant(proxy), placement="inline") as site,
    ):
        await until(site.all_up)
        assert site.platform
        backoff = site.platform.kernel.components["press"]._backoff
        backoff._first = backoff._last = 0.3
        server.do("record", nodes=list(NAMES), every=50)
        await asyncio.sleep(1)
        cut(proxy)
        await until(lambda: _is(site, "unreachable"))
        await asyncio.sleep(0.3)
        began = {name: max(at for _, at in await kept(site.client, name)) for name in NAMES}
        server.do("drop_subscriptions")  # what these hold would come live, a queue full of it
        now = time.time_ns() // 1_000_000
        server.do("remember", node="Recorded2", values=[[9999, now + 1], [1, now + 100]])
        await asyncio.sleep(2)
        over = time.time_ns() // 1_000_000 - 100  # what is newer comes live
        proxy.target = f"127.0.0.1:{server.port}"
        await until(lambda: _is(site, "up"))
        for name in NAMES:
            await until(lambda name=name: is_whole(site, server, name, (began[name], over)))
        await until(lambda: _filled(site))

        for gain, name in enumerate(NAMES, 1):
            has = [one for one in await kept(site.client, name) if began[name] < one[1] < over]
            assert has == [(v * gain, at) for v, at in said(server, name, began[name]) if at < over]
        spike = dict.fromkeys(await kept(site.client, "spike"))  # what is live comes twice
        assert [value for value, _ in spike] == [9999, 1]
        assert not [e for e in await site.client.alarms("**", all=True) if "spike" in e.source]
        current = (await site.client.current("press/Recorded0"))["hall/press/Recorded0"]
        assert current.time.astype("int64")[-1] > over * 1_000_000


async def _is(site: Site, state: str) -> bool:
    return await site.state("press") == state


async def _filled(site: Site) -> Any:
    report = await site.client.gaps("press/Recorded0")
    return any(gap.filled for gap in report.gaps if gap.reason == "unreachable")


async def test_a_kernel_that_is_killed_while_it_fetches_goes_on_where_it_was(
    server: Server, tmp_path: Path
) -> None:
    since = time.time_ns() // 1_000_000 - 3_600_000
    values = [[i, since + 300 * i] for i in range(10_000)]
    async with network(server) as proxy:
        bedplate = Running(tmp_path)
        bedplate.file.write_text(plant(proxy).replace("placement: PLACE", "placement: inline"))
        try:
            for name in NAMES:
                server.do("remember", node=name, values=values[:1])
            await bedplate.start()
            await until(lambda: _rows(bedplate, "Recorded1"), 30)
            await bedplate.kill()
            for name in NAMES:
                server.do("remember", node=name, values=values[1:])

            await bedplate.start()
            await until(lambda: _more(bedplate, 1), 30)  # what is live comes at each start
            seen = len(await _rows(bedplate, "Recorded0"))
            await bedplate.kill()
            await bedplate.start()
            await until(lambda: _more(bedplate, len(values) - 1), 60)
            await until(lambda: _more(bedplate, len(values) - 1, "Recorded1"), 60)
            rows = {name: await _rows(bedplate, name) for name in NAMES}
        finally:
            await bedplate.kill()

    assert 1 < seen < len(values)
    for gain, name in enumerate(NAMES, 1):
        between = [row for row in rows[name] if values[0][1] < row[1] < values[-1][1]]
        assert between == [(value * gain, at) for value, at in values[1:-1]]


async def _rows(bedplate: Running, name: str) -> list[tuple[int, int]]:
    try:
        async with connect_async(bedplate.address) as client:
            return await kept(client, name)
    except (CallError, KeyError):
        return []


async def _more(bedplate: Running, than: int, name: str = "Recorded0") -> bool:
    return len(dict.fromkeys(await _rows(bedplate, name))) > than
