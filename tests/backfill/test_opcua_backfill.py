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


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    one = Server(tmp_path, history={"count": 3, "most": 100_000})
    yield one
    one.kill()


async def is_whole(site: Site, server: Server, name: str, first: int) -> bool:
    had, has = said(server, name, first), await kept(site.client, name)
    return {at for _, at in had[:-3]} <= {at for _, at in has}


async def test_what_was_recorded_during_a_cut_is_in_history_once_in_time_order_and_alarms_nobody(
    server: Server, tmp_path: Path
) -> None:
    async with (
        network(server) as proxy,
        running(tmp_path, plant(proxy), placement="inline") as site,
    ):
        await until(site.all_up)
        server.do("record", nodes=list(NAMES), every=50)
        await asyncio.sleep(1)
        began = time.time_ns() // 1_000_000 - 500
        cut(proxy)
        await until(lambda: _is(site, "unreachable"))
        now = time.time_ns() // 1_000_000
        server.do("remember", node="Recorded2", values=[[9999, now + 1], [1, now + 100]])
        await asyncio.sleep(3)
        proxy.target = f"127.0.0.1:{server.port}"
        await until(lambda: _is(site, "up"))
        back = time.time_ns() // 1_000_000
        for name in NAMES:
            await until(lambda name=name: is_whole(site, server, name, began))
        await until(lambda: _filled(site))

        for gain, name in enumerate(NAMES, 1):
            has = [one for one in await kept(site.client, name) if one[1] > began]
            had = {at: value * gain for value, at in said(server, name, began)}
            assert has == sorted(has, key=lambda one: one[1])
            assert len({at for _, at in has}) == len(has)
            assert {at: value for value, at in has if at < back} == {
                at: value
                for at, value in had.items()
                if at < back and at in dict(map(reversed, has))  # type: ignore[arg-type]
            }
        assert [value for value, _ in await kept(site.client, "spike")] == [9999, 1]
        assert not [e for e in await site.client.alarms("**", all=True) if "spike" in e.source]
        current = (await site.client.current("press/Recorded0"))["hall/press/Recorded0"]
        assert current.time.astype("int64")[-1] > back * 1_000_000


async def _is(site: Site, state: str) -> bool:
    return await site.state("press") == state


async def _filled(site: Site) -> Any:
    report = await site.client.gaps("press/Recorded0")
    return any(gap.filled for gap in report.gaps if gap.reason == "unreachable")
