"""What a subscription delivers, and what it does when nodes vanish or the kernel is slow."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest
from plugins.opcua.tests.peer import Server, node, subscribed, tags_for, until

from bedplate import Batch, DataType
from bedplate.model import quality
from bedplate_opcua import feed, lease
from bedplate_opcua.backlog import Backlog


async def test_first_values_come_at_once_then_every_change(server: Server) -> None:
    tags = tags_for(node("Oil.Temp"), node("Word"), node("Flag"), node("Types.Enum"))
    async with subscribed(server.url, tags) as (_, received, _):
        await until(lambda: all(received.values(t.handle) for t in tags))
        server.do("set", node="Temp", value=31.25)
        server.do("set", node="Word", value="b")
        server.do("set", node="Flag", value=True)
        await until(lambda: received.values(1)[-1] == 31.25 and received.values(2)[-1] == "b")
        await until(lambda: received.values(3)[-1] is True)
    kinds = [received.type_of(t.handle) for t in tags]
    assert kinds == [DataType.FLOAT64, DataType.TEXT, DataType.BOOL, DataType.INT64]
    for name, value in (("Temp", 20), ("Word", "a"), ("Flag", False)):
        server.do("set", node=name, value=value)


async def test_bad_and_uncertain_and_source_times_pass(server: Server) -> None:
    tags = tags_for(node("Oil.Temp"))
    async with subscribed(server.url, tags) as (_, received, _):
        await until(lambda: received.values(1))
        stamp = "2026-05-06T07:08:09.123Z"
        server.do("set", node="Temp", value=40, status="BadSensorFailure", time=stamp)
        await until(lambda: quality.name(received.samples(1)[-1][1]) == "BadSensorFailure")
        assert received.samples(1)[-1][2] == 1778051289_123_000_000
        server.do("set", node="Temp", value=41, status="UncertainSensorNotAccurate")
        await until(
            lambda: quality.name(received.samples(1)[-1][1]) == "UncertainSensorNotAccurate"
        )
        assert received.values(1)[-1] == 41
        server.do("set", node="Temp", value=20)
        await until(lambda: received.samples(1)[-1][1] == 0)


async def test_a_queue_keeps_a_fast_signal_through_slow_publishing(server: Server) -> None:
    tags = tags_for(node("Signal"))
    wish = {"publishing_interval": "500ms", "sampling_interval": "50ms"}
    async with subscribed(server.url, tags, **wish) as (_, received, _):
        await until(lambda: received.values(1))
        server.do("ramp", node="Signal", every=100)
        await until(lambda: len(received.values(1)) > 62, 12)
        server.do("still", node="Signal")
    values = received.values(1)[2:]
    missing = values[-1] - values[0] + 1 - len(set(values))
    assert missing <= 0.05 * len(values)
    assert values == sorted(values)


async def test_a_queue_that_ran_over_says_so(server: Server) -> None:
    tags = tags_for(node("Signal"))
    wish = {"publishing_interval": "1s", "sampling_interval": "0s", "queue_size": 2}
    async with subscribed(server.url, tags, **wish) as (_, received, _):
        await until(lambda: len(received.values(1)) >= 2)
        server.do("ramp", node="Signal", every=20)
        await until(lambda: len(received.values(1)) > 8, 5)
        server.do("still", node="Signal")
    codes = [code for _, code, _ in received.samples(1)]
    assert any(code & quality.OVERFLOW == quality.OVERFLOW for code in codes)
    assert all(quality.is_good(code) for code in codes)


async def test_a_vanished_node_harms_only_itself_and_comes_back(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "TRY_AGAIN", 0.5)
    tags = tags_for(node("Vanishing"), node("Oil.Temp"), node("Never"))
    async with subscribed(server.url, tags) as (connector, received, _):
        await until(lambda: received.values(2) and received.samples(3))
        assert {quality.name(code) for _, code, _ in received.samples(3)} == {"BadNodeIdUnknown"}
        server.do("remove", node="Vanishing")
        await until(lambda: quality.name(received.samples(1)[-1][1]) == "BadNodeIdUnknown")
        server.do("set", node="Temp", value=51)
        await until(lambda: received.values(2)[-1] == 51)
        server.do("add")
        await until(lambda: received.samples(1)[-1][1] == 0)
        server.do("set", node="Vanishing", value=77)
        await until(lambda: received.values(1)[-1] == 77)
        notes: list[str] = connector.notes  # type: ignore[attr-defined]
    told = [note for note in notes if "BadNodeIdUnknown for" in note]
    assert "Never" in told[0]
    assert len(told) <= 3  # when something changed, not at every try
    server.do("set", node="Temp", value=20)


async def test_a_slow_kernel_loses_the_oldest_and_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "MOST_WAITING", 20)
    tags = tags_for(node("Signal"))
    async with subscribed(server.url, tags, sampling_interval="0s") as (connector, received, _):
        await until(lambda: received.values(1))
        received.open.clear()
        for start in range(0, 100, 5):
            server.do("burst", node="Signal", **{"from": 5000 + start, "count": 5})
            await asyncio.sleep(0.06)
        received.open.set()
        await until(lambda: received.values(1)[-1] == 5099)
        notes: list[str] = connector.notes  # type: ignore[attr-defined]
    kept = [(value, code) for value, code, _ in received.samples(1) if value >= 5000]
    assert len(kept) < 60
    assert sum(code & quality.OVERFLOW == quality.OVERFLOW for _, code in kept) >= 1
    assert len([note for note in notes if "the kernel is slow" in note]) == 1


async def test_closing_leaves_no_subscription_on_the_server(server: Server) -> None:
    before = server.do("sessions")["subscriptions"]
    async with subscribed(server.url, tags_for(node("Oil.Temp"))) as (_, received, _):
        await until(lambda: received.values(1))
        assert server.do("sessions")["subscriptions"] == before + 1
    await until(lambda: server.do("sessions")["subscriptions"] == before)


async def test_a_silent_tag_costs_no_session(server: Server) -> None:
    """Signs of life alone keep the session; nothing is reported lost."""
    async with subscribed(server.url, tags_for(node("Fixed"))) as (_, received, task):
        await until(lambda: received.values(1))
        began = time.monotonic()
        while time.monotonic() - began < 6:
            assert not task.done()
            await asyncio.sleep(0.2)


async def test_a_backlog_marks_the_next_sample_of_each_tag_that_lost_some() -> None:
    backlog = Backlog(limit=4)
    for value, tags in enumerate(([1, 2], [1, 3], [3, 1, 1, 2])):
        backlog.put([Batch.of(tags, [1] * len(tags), [float(value)] * len(tags))])
    assert (backlog.dropped, len(backlog)) == (4, 4)
    batch, _ = await backlog.take()
    assert batch.quality is not None
    marked = np.flatnonzero(batch.quality).tolist()
    assert marked == [0, 1, 3]
