"""The client against the real thing: a simulated line in this process, journal, history and the gate."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bedplate.client import AsyncClient, AsyncSubscription, Status, connect, connect_async
from bedplate.errors import CallError
from bedplate.model import AlarmState, Event
from bedplate.server.platform import Platform, prepare

PLANT = """
bedplate: 1
name: bench
path: line1
scan_classes: {fast: 50ms}
connectors:
  line:
    use: simline
    placement: inline
    tags:
      filler-speed: {address: filler.speed, unit: 1/min, scan: fast}
      capper-speed: {address: capper.speed, unit: 1/min, scan: fast}
      state: {address: filler.state, scan: fast, states: {0: stopped, 1: running}}
      order: {address: filler.order_id, scan: fast}
  history: {use: history, placement: inline, deliver: ["**"], folder: history}
analytics:
  stops:
    use: alarms
    placement: inline
    for: line
    limits: {runs: {tag: state, equals: 1, priority: high, do: Have a look}}
api: {listen: "127.0.0.1:0"}
"""
SPEED = "line1/line/filler-speed"


@pytest.fixture
async def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    (tmp_path / "plant.yaml").write_text(PLANT)
    platform = Platform(prepare(tmp_path / "plant.yaml"))
    await platform.start()
    yield platform
    await platform.stop()


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[AsyncClient]:
    async with connect_async() as client:
        await awaited(client.current, lambda current: len(current) == 4)
        yield client


async def awaited(ask: Callable[[], Awaitable[Any]], fits: Callable[[Any], bool]) -> Any:
    """Asks until the answer fits, at most 20 s."""
    async with asyncio.timeout(20):
        while not fits(answer := await ask()):
            await asyncio.sleep(0.05)
        return answer


async def collected(subscription: AsyncSubscription, count: int) -> list[tuple[int, float]]:
    """(time, value) of the first samples of the filler's speed, at least so many."""
    found: list[tuple[int, float]] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            update = await anext(subscription)
            if SPEED in update:
                series = update[SPEED]
                found += zip(series.time.tolist(), series.value.tolist(), strict=True)
    return found


async def kept(client: AsyncClient, first: int, last: int) -> list[tuple[int, float]]:
    """The same from history, once it has them."""

    async def ask() -> Any:
        return await client.history(SPEED, start=first, end=last + 1)

    result = await awaited(ask, lambda r: r.samples and r[SPEED].time.tolist()[-1] == last)
    return list(zip(result[SPEED].time.tolist(), result[SPEED].value.tolist(), strict=True))


async def test_what_a_subscriber_saw_is_what_history_tells(client: AsyncClient) -> None:
    async with client.subscribe("filler-speed") as subscription:
        seen = await collected(subscription, 30)
    assert await kept(client, seen[0][0], seen[-1][0]) == seen


async def test_a_resumed_subscription_has_no_hole_and_no_sample_twice(client: AsyncClient) -> None:
    async with client.subscribe("filler-speed") as subscription:
        seen = await collected(subscription, 10)
    async with client.subscribe("filler-speed") as meanwhile:
        await collected(meanwhile, 10)
    async with client.subscribe("filler-speed", resume=subscription.resume_token) as resumed:
        seen += await collected(resumed, 30)
    assert await kept(client, seen[0][0], seen[-1][0]) == seen


async def test_one_that_was_cut_for_its_slowness_goes_on_without_a_hole(
    client: AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.server.live.STALL", 0.2)
    slow = client.subscribe("filler-speed")
    seen = await collected(slow, 1)

    async def listeners() -> int:
        return platform.kernel.spine.live.listeners

    await awaited(listeners, lambda count: count == 0)
    with contextlib.suppress(CallError):
        while True:
            seen += await collected(slow, 1)
    async with client.subscribe("filler-speed", resume=slow.resume_token) as resumed:
        seen += await collected(resumed, 10)
    assert await kept(client, seen[0][0], seen[-1][0]) == seen


async def test_a_subscription_may_begin_with_what_is_current(client: AsyncClient) -> None:
    async with client.subscribe("**", current_first=True) as subscription:
        update = await anext(subscription)
    assert len(update) == 4
    assert update["order"].value.dtype == object


async def test_windows_of_history_have_one_value_each(client: AsyncClient) -> None:
    seen = await collected(client.subscribe("filler-speed"), 30)
    await kept(client, seen[0][0], seen[-1][0])
    windows = await client.history("**/*speed", last="1min", every="500ms", agg="max")
    times = windows[SPEED].time.tolist()
    assert set(windows) == {SPEED, "line1/line/capper-speed"}
    assert {time % 500_000_000 for time in times} == {0}
    whole = await client.history(SPEED, last="1min", agg="count")
    assert whole.to_numpy().value.tolist()[0] >= 30


async def test_alarms_are_acknowledged_through_the_client(client: AsyncClient) -> None:
    (alarm,) = await awaited(client.alarms, lambda alarms: len(alarms) == 1)
    assert await client.acknowledge("runs", "seen") == alarm.source

    def acknowledged(alarms: list[Event]) -> bool:
        return bool(alarms[0].alarm and alarms[0].alarm.state is AlarmState.ACKNOWLEDGED)

    (taken,) = await awaited(client.alarms, acknowledged)
    assert taken.alarm.comment == "seen"


async def test_status_plugins_and_assets_are_told(client: AsyncClient) -> None:
    def all_up(status: Status) -> bool:
        return [c.state for c in status.components] == ["up"] * 3

    status = await awaited(client.status, all_up)
    assert (status.name, status.path) == ("bench", "line1")
    assert status.components[0].samples > 0
    assert "admitted" in {plugin.verdict for plugin in await client.plugins()}
    assert (await client.assets())[0].path == "line1/line"


async def test_an_ambiguous_tail_lists_its_candidates(client: AsyncClient) -> None:
    with pytest.raises(CallError, match="no tag named spede"):
        await client.tags("spede")
    with pytest.raises(CallError, match="no alarm named jam"):
        await client.acknowledge("jam")


async def test_the_ordinary_client_reads_the_same(client: AsyncClient) -> None:
    def read() -> tuple[int, str, int]:
        with connect() as ordinary:
            with ordinary.subscribe("filler-speed") as subscription:
                live = next(subscription)
            return len(ordinary.tags()), ordinary.status().name, len(live)

    assert await asyncio.to_thread(read) == (4, "bench", 1)


async def test_a_platform_that_stops_ends_its_subscribers_with_a_sentence(
    client: AsyncClient, platform: Platform
) -> None:
    subscription = client.subscribe("filler-speed")
    await collected(subscription, 1)
    await platform.stop()
    with pytest.raises(CallError, match="broke off"):
        await collected(subscription, 1000)
    with pytest.raises(CallError, match="no Bedplate"):
        connect()
