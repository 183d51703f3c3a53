"""What a stream shows goes by what is decided now: within five seconds, and only while somebody decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from tests.policy.plant import Plant, running

from bedplate.api.v1 import api_pb2
from bedplate.plugin.v1 import plugin_pb2
from bedplate.wire import decode_batch


class Stream:
    """A subscription to everything. seen: paths of samples that came since the last look."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._names: dict[int, str] = {}
        self.seen: list[str] = []
        self.events: list[str] = []
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while (found := await self._call.read()) is not grpc.aio.EOF:
            response = api_pb2.SubscribeResponse.FromString(found)
            self._names |= {t.handle: t.path for table in response.tables for t in table.tags}
            for record in response.records:
                if record.HasField("event"):
                    self.events.append(record.event.source)
                else:
                    batch = decode_batch(record.batch.SerializeToString())
                    self.seen += [self._names[int(h)] for h in batch.tags()]
            await self._call.write(api_pb2.SubscribeRequest(credit=1).SerializeToString())

    async def shows(self, word: str, within: float = 5.0) -> None:
        """Waits for it."""
        self.seen = []
        async with asyncio.timeout(within):
            while not any(word in path for path in self.seen):
                await asyncio.sleep(0.02)

    async def hides(self, word: str, within: float = 5.0) -> None:
        """Waits until others come and it does not."""
        async with asyncio.timeout(within):
            while True:
                await self.shows("filler")
                await asyncio.sleep(0.3)
                if not any(word in path for path in self.seen):
                    return

    async def code(self) -> Any:
        async with asyncio.timeout(8):
            return await self._call.code()

    async def close(self) -> None:
        self._call.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def subscribed(plant: Plant, **open_: Any) -> AsyncIterator[Stream]:
    async with plant.channel() as channel:
        call = channel.stream_stream("/bedplate.api.v1.Live/Subscribe")(metadata=plant.metadata)
        first = api_pb2.SubscribeRequest(open=api_pb2.SubscribeOpen(credit=50, **open_))
        await call.write(first.SerializeToString())
        stream = Stream(call)
        try:
            yield stream
        finally:
            await stream.close()


@pytest.mark.case("A18")
async def test_a_stream_stops_showing_what_is_forbidden_and_shows_it_again(tmp_path: Path) -> None:
    async with running(tmp_path, remember=3600) as plant, subscribed(plant) as stream:
        await stream.shows("oven/recipe")
        plant.order(hidden=["recipe"], remember=3600)
        await stream.hides("recipe", within=4.0)
        await stream.shows("oven/setpoint")
        plant.order(hidden=[], remember=3600)
        await stream.shows("oven/recipe")
        plant.order(actions=["live.subscribe"])
        assert await stream.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("remember", [0, 0.3])
async def test_without_a_word_it_is_asked_again_in_time(tmp_path: Path, remember: float) -> None:
    """remember 0: not at all; a stream asks every four seconds then."""
    orders = {"remember": remember, "quiet": True}
    async with running(tmp_path, **orders) as plant, subscribed(plant) as stream:
        await stream.shows("oven/recipe")
        plant.order(hidden=["recipe"], **orders)
        await stream.hides("recipe", within=5.5)


@pytest.mark.case("A12")
@pytest.mark.parametrize("how", ["none", "hang"])
async def test_a_module_that_fails_denies_within_half_a_second_and_is_flagged(
    tmp_path: Path, how: str
) -> None:
    async with running(tmp_path) as plant, plant.channel() as channel:
        plant.order(how=how)
        await asyncio.sleep(0.2)
        call = channel.unary_unary("/bedplate.api.v1.Admin/GetStatus")
        began = asyncio.get_running_loop().time()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"", metadata=plant.metadata)
        assert asyncio.get_running_loop().time() - began < 1.5
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
        door = plant.platform.kernel.components["door"]
        async with asyncio.timeout(5):
            while door.life.state == "up":
                await asyncio.sleep(0.02)


async def test_a_stream_waits_while_its_module_begins_anew_and_goes_on(tmp_path: Path) -> None:
    """Nothing is shown by what a module said that is gone."""
    orders = {"remember": 3600, "hidden": ["recipe"]}
    async with running(tmp_path, **orders) as plant, subscribed(plant) as stream:
        await stream.shows("oven/setpoint")
        door = plant.platform.kernel.components["door"]
        door.lose(plugin_pb2.CODE_UNREACHABLE, "cut")
        async with asyncio.timeout(5):
            while door.life.state == "up":
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        stream.seen = []
        while door.life.state != "up":
            assert not stream.seen
            await asyncio.sleep(0.02)
        await stream.shows("oven/setpoint", within=8)
        assert not any("recipe" in path for path in stream.seen)


async def test_events_of_what_is_hidden_are_hidden_too(tmp_path: Path) -> None:
    async with (
        running(tmp_path, hidden=["oven"]) as plant,
        subscribed(plant, events=True) as stream,
    ):
        await stream.shows("filler")
        kernel = plant.platform.kernel
        kernel.note("acme/hall/oven", "the oven is hot", 100)
        kernel.note("acme/hall/filler", "the filler is full", 100)
        async with asyncio.timeout(5):
            while "acme/hall/filler" not in stream.events:
                await asyncio.sleep(0.02)
        assert "acme/hall/oven" not in stream.events
