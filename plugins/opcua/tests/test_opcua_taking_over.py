"""A subscription outlives its session: after a cut the next session goes on with it, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plugins.opcua.tests.peer import NAMESPACE, Received, Server, built, node, tags_for, until
from tests.end_to_end.site import running
from tests.remote.proxy import Proxy, network

from bedplate import Batch, DataType, Refused, Tag
from bedplate.runtime.lifecycle import Backoff
from bedplate_opcua import OpcUa
from bedplate_opcua.acknowledging import Acknowledgements
from bedplate_opcua.lease import Lease

USER: dict[str, Any] = {"username": "operator", "password": "oil at 47"}
"""A server gives a subscription back to the user who made it; one that is anonymous and unsecured is nobody."""
QUICK = {"publishing_interval": "50ms", "sampling_interval": "0s", "queue_size": 5000}
SEED, CUTS = int(os.environ.get("BEDPLATE_SEED", "20261123")), 20


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that tells every change."""
    one = Server(tmp_path_factory.mktemp("lively"), capabilities={"minSupportedSampleRate": 0})
    yield one
    one.kill()


@pytest.fixture
def counter(lively: Server) -> Iterator[Server]:
    """The same; it counts from 0 in each test."""
    yield lively
    lively.do("still", node="Signal")
    lively.do("set", node="Signal", value=0)
    lively.do("set", node="Temp", value=20)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is open and dead is noticed in less than a second."""
    monkeypatch.setattr("bedplate_opcua.watching.ASK_AFTER", 0.3)
    monkeypatch.setattr("bedplate_opcua.feed.LISTEN", 0.3)
    monkeypatch.setattr(OpcUa.leases, "_kept", {})


class Storing(Received):
    """A kernel. synced: it says that it has the samples on disk; refusing: that it will not take them."""

    def __init__(self) -> None:
        super().__init__()
        self.synced = asyncio.Event()
        self.synced.set()
        self.refusing = False

    async def batch(self, batch: Batch) -> Awaitable[None]:
        await super().batch(batch)
        return Word(self.synced, self.refusing)


class Word:
    """What the kernel says of a batch; it may be dropped."""

    def __init__(self, synced: asyncio.Event, refused: bool) -> None:
        self._synced, self._refused = synced, refused

    def __await__(self) -> Any:
        yield from self._synced.wait().__await__()
        if self._refused:
            raise Refused("there is no room")


@asynccontextmanager
async def sessions(
    url: str, tags: Sequence[Tag], received: Received, **settings: Any
) -> AsyncIterator[list[str]]:
    """One session after the other, each with an object of its own, as the kernel does it. Yields what they note."""
    notes: list[str] = []

    async def forever() -> None:
        while True:
            connector = built(url, tags, **QUICK, **settings)
            connector.note = notes.append
            with suppress(OSError):
                await connector.open()
                try:
                    await connector.subscribe(list(tags), received)  # type: ignore[arg-type]
                finally:
                    await connector.close()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(forever())
    try:
        yield notes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def url(proxy: Proxy) -> str:
    return f"opc.tcp://{proxy.address}/test"


async def cut(proxy: Proxy, dice: random.Random) -> str:
    """One of three ways in which a network fails."""
    how = dice.choice(["reset", "hang_up", "lose"])
    getattr(proxy, how)()
    return how


PLANT = """
bedplate: 1
name: counting
scan_classes: {fast: 100ms}
connectors:
  press:
    use: opcua
    placement: inline
    path: hall/press
    endpoint_url: opc.tcp://AT/test
    security_policy: None
    username: operator
    password: {secret: "file:FOLDER/password"}
    publishing_interval: 50ms
    sampling_interval: 0s
    queue_size: 5000
    request_timeout: 1s
    address_prefix: "nsu=NAMESPACE;s="
    scan: fast
    tags:
      n: {address: Signal}
      still: {address: Oil.Temp}
  history: {use: history, placement: inline, deliver: ["**"], folder: history, seal: {rows: 500, age: 1s}}
journal: {folder: journal, sync: 50ms}
api: {listen: "127.0.0.1:0"}
"""


async def test_every_number_is_in_history_once_and_in_order_through_twenty_cuts(
    counter: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("bedplate.runtime.supervisor.Backoff", lambda *_: Backoff(0.1, 0.3))
    folder, dice = tmp_path / "site", random.Random(SEED)
    folder.mkdir()
    (folder / "password").write_text("oil at 47")
    (folder / "password").chmod(0o600)
    async with network(f"127.0.0.1:{counter.port}") as proxy:
        text = PLANT.replace("AT", proxy.address, 1).replace("NAMESPACE", NAMESPACE)
        async with running(folder, text, placement="inline") as site:
            await until_up(site)
            counter.do("ramp", node="Signal", every=20)
            for _ in range(CUTS):
                taken = proxy.taken
                await asyncio.sleep(dice.uniform(0.05, 0.6))
                await cut(proxy, dice)
                await until(lambda taken=taken: proxy.taken > taken, 20)
            await asyncio.sleep(1)
            await until_up(site)
            counter.do("still", node="Signal")
            last = counter.do("get", node="Signal")["value"]
            rows = await stored(site, "n", last)
            still = (await site.client.current("press/still"))["hall/press/still"]
    numbers = [
        value for value, _ in dict.fromkeys(rows)
    ]  # the present value is said again where nothing came
    assert numbers == list(range(numbers[0], last + 1)), f"BEDPLATE_SEED={SEED} plays it again"
    assert numbers[0] <= 1
    assert len(rows) - len(numbers) <= CUTS
    assert still.quality.tolist() == [0], "what did not change is known again"


async def until_up(site: Any) -> None:
    for _ in range(400):
        if await site.all_up():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come up")


async def stored(site: Any, name: str, last: int) -> list[tuple[int, int]]:
    """(value, source time) of what is Good in the history, once the last number is in it."""
    path = f"hall/press/{name}"
    for _ in range(200):
        series = (await site.client.history(path, last="2h")).get(path)
        if series is not None and last in series.value.tolist():
            break
        await asyncio.sleep(0.1)
    assert series is not None
    times = series.time.astype("datetime64[ns]").astype("int64").tolist()
    found = zip(series.value.tolist(), times, series.quality.tolist(), strict=True)
    return [(int(value), time) for value, time, code in found if code == 0]


async def test_a_kernel_that_takes_nothing_through_a_cut_gets_all_of_it_afterwards(
    counter: Server,
) -> None:
    tags, received = tags_for(node("Signal")), Storing()
    async with (
        network(f"127.0.0.1:{counter.port}") as proxy,
        sessions(url(proxy), tags, received, **USER),
    ):
        await until(lambda: len(received.values(1)) > 1)
        received.open.clear()
        counter.do("ramp", node="Signal", every=20)
        await asyncio.sleep(0.5)
        proxy.reset()
        await asyncio.sleep(1)
        received.open.set()
        await until(lambda: received.values(1)[-1] > 80)
    numbers = list(dict.fromkeys(received.values(1)))
    assert numbers == list(range(numbers[-1] + 1))


async def test_what_is_not_on_disk_is_not_acknowledged(counter: Server) -> None:
    tags, received = tags_for(node("Signal")), Storing()
    async with sessions(counter.url, tags, received, **USER) as notes:
        await until(lambda: received.values(1))
        await until(lambda: len(counter.do("unacknowledged")["numbers"]) <= 2)
        received.synced.clear()
        counter.do("ramp", node="Signal", every=20)
        await until(lambda: received.values(1)[-1] > 60)
        kept = counter.do("unacknowledged")["numbers"]
        assert len(kept) > 10, "the kernel has them, and not on its disk"
        assert kept == list(range(kept[0], kept[-1] + 1))
        received.synced.set()
        await until(lambda: len(counter.do("unacknowledged")["numbers"]) <= 5)
        assert not notes[1:], notes


async def test_a_list_that_is_full_acknowledges_the_oldest_and_says_so(
    counter: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Acknowledgements.__init__, "__defaults__", (8,))
    tags, received = tags_for(node("Signal")), Storing()
    async with sessions(counter.url, tags, received, **USER) as notes:
        await until(lambda: received.values(1))
        received.synced.clear()
        counter.do("ramp", node="Signal", every=20)
        await until(lambda: received.values(1)[-1] > 100)
        assert 5 < len(counter.do("unacknowledged")["numbers"]) < 13
        assert len([note for note in notes if "slow to store" in note]) == 1
        assert received.values(1)[-1] > 100, "it goes on"


async def test_what_the_kernel_refuses_is_not_acknowledged_and_what_follows_is(
    counter: Server,
) -> None:
    tags, received = tags_for(node("Signal")), Storing()
    async with sessions(counter.url, tags, received, **USER):
        await until(lambda: received.values(1))
        received.refusing = True
        counter.do("ramp", node="Signal", every=20)
        await until(lambda: received.values(1)[-1] > 50)
        received.refusing = False
        number = received.values(1)[-1]
        await until(lambda: received.values(1)[-1] > number + 50)
        kept = counter.do("unacknowledged")["numbers"]
        assert 5 < len(kept) < 64
        await asyncio.sleep(0.3)
        assert counter.do("unacknowledged")["numbers"][:5] == kept[:5]


async def test_a_server_that_does_not_give_it_back_makes_a_new_one_and_says_so(
    counter: Server,
) -> None:
    """Anonymous and unsecured: it can't know that we are who made it (OPC 10000-4 §5.14.7)."""
    tags, received = tags_for(node("Signal")), Storing()
    async with (
        network(f"127.0.0.1:{counter.port}") as proxy,
        sessions(url(proxy), tags, received) as notes,
    ):
        await until(lambda: len(received.values(1)) > 1)
        await asyncio.sleep(0.3)
        proxy.reset()
        await until(lambda: any("does not give our subscription back" in n for n in notes))
        assert any("BadUserAccessDenied" in note for note in notes)
        counter.do("set", node="Signal", value=77)
        await until(lambda: received.values(1)[-1] == 77)


async def test_a_server_that_was_started_anew_gets_a_new_subscription(counter: Server) -> None:
    tags, received = tags_for(node("Signal")), Storing()
    async with sessions(counter.url, tags, received, **USER) as notes:
        await until(lambda: len(received.values(1)) > 1)
        counter.kill()
        counter.start()
        await until(lambda: any("BadSubscriptionIdInvalid" in note for note in notes))
        counter.do("set", node="Signal", value=78)
        await until(lambda: received.values(1)[-1] == 78)


async def test_a_session_that_is_closed_leaves_no_subscription_behind(counter: Server) -> None:
    before = counter.do("sessions")["subscriptions"]
    tags, received = tags_for(node("Signal")), Storing()
    async with sessions(counter.url, tags, received, **USER):
        await until(lambda: len(received.values(1)) > 1)
        assert counter.do("sessions")["subscriptions"] > before
    await until(lambda: counter.do("sessions")["subscriptions"] <= before)


async def test_other_tags_do_not_get_the_subscription_of_those_before(counter: Server) -> None:
    one, other = tags_for(node("Signal")), tags_for(node("Oil.Temp"))
    received = Storing()
    async with network(f"127.0.0.1:{counter.port}") as proxy:
        connector = built(url(proxy), one, **USER)
        await connector.open()
        task = asyncio.create_task(connector.subscribe(one, received))  # type: ignore[arg-type]
        await until(lambda: received.values(1))
        proxy.reset()
        await asyncio.wait([task])
        await connector.close()
        received.batches.clear()
        async with sessions(url(proxy), other, received, **USER):
            await until(lambda: received.values(1) == [20.0, 20.0] or received.values(1) == [20.0])
            counter.do("set", node="Signal", value=5)
            counter.do("set", node="Temp", value=21)
            await until(lambda: received.values(1)[-1] == 21)
        assert set(received.values(1)) == {20.0, 21.0}


def test_a_lease_is_bounded_and_of_one_component_with_its_settings() -> None:
    leases, config = type(OpcUa.leases)(), built("opc.tcp://127.0.0.1").config
    tags = tags_for("i=2258")
    for number in range(1000):
        leases.keep(f"press-{number}", Lease(config, tuple(tags)))
    kept = [leases.take(f"press-{n}", config, tags) for n in range(1000)]
    assert len(leases._kept) == 0
    assert len(kept) == 1000
    lease = Lease(config, tuple(tags))
    leases.keep("press", lease)
    other = built("opc.tcp://127.0.0.2").config
    assert leases.take("press", other, tags) is not lease
    leases.keep("press", lease)
    assert leases.take("press", config.model_copy(), tags_for("i=2258")) is lease


def test_numbers_that_the_server_still_has_are_acknowledged_unless_they_wait_for_the_disk() -> None:
    acknowledgements = Acknowledgements()
    message = acknowledgements.received(1, 7, 2)
    acknowledgements.known(1, [6, 7])
    assert acknowledgements.take() == [(1, 6)]
    acknowledgements.settled(message)
    assert acknowledgements.take() == []
    acknowledgements.settled(message)
    assert acknowledgements.take() == [(1, 7)]


def test_a_lease_knows_the_newest_of_each_tag() -> None:
    lease = Lease(built("opc.tcp://127.0.0.1").config, tuple(tags_for("i=1", "i=2")))
    batch = Batch(
        DataType.INT64,
        np.array([1, 2, 1], np.uint32),
        np.array([10, 20, 30], np.int64),
        np.array([1, 2, 3], np.int64),
    )
    lease.saw([batch])
    assert lease.newest.tolist() == [0, 30, 20]
    assert lease.came.tolist() == [False, True, True]
