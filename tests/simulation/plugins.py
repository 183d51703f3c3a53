"""Plugins of the simulated plant, over devices and stores that outlive them. What they are told they write down there.

Every number is made once, rises, and is never sent twice by a plugin, so that one found twice in the history was
doubled by somebody else, and one that is missing was lost by somebody else.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from bedplate import Analytic, Connector, Delivery, Output, Refused, Written
from bedplate.model import Batch, Body, DataType, Record

if TYPE_CHECKING:
    from tests.simulation.world import World


BULK = 400  # samples of a publication in a flood


@dataclass
class Device:
    """What a source reads. made: the newest number; confirmed: those it was told are on disk; open: handed over, and
    no word yet; failed: handed over, and told that they may be lost · flood: it has more than anybody takes."""

    made: int = 0
    confirmed: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    cut: bool = False
    flood: bool = False

    def settle(self, numbers: list[int], kept: bool) -> None:
        self.open.difference_update(numbers)
        (self.confirmed if kept else self.failed).update(numbers)


@dataclass
class Archive:
    """What a history has on its disk. position: its cursor, in the same transaction as its rows."""

    rows: list[tuple[Record, dict[int, str]]] = field(default_factory=list)
    position: int = 0
    wrong: list[str] = field(default_factory=list)
    slow: float = 0.0


@dataclass
class Inbox:
    """What a sink has taken, in order of arrival."""

    rows: list[tuple[Record, dict[int, str]]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def names(delivery: Delivery, record: Record) -> dict[int, str]:
    """The paths of the handles that a record may use, as its reader was told."""
    if record.kind is not Body.BATCH:
        return {}
    return {tag.handle: tag.path for tag in delivery.table}


def offers_of(world: World) -> dict[str, type]:
    """The classes, bound to this world."""
    return {
        cls.__name__.lower(): type(cls.__name__, (cls,), {"world": world})
        for cls in (Pusher, Away, Poller, Keeper, Sink, Sums)
    }


class Nothing(BaseModel):
    pass


def bulk(handle: int) -> Batch:
    moments = np.arange(BULK)
    return Batch.of(np.full(BULK, handle, np.uint32), moments, moments)


class Pusher(Connector):
    """Pushes bursts of numbers and asks for word of each burst."""

    Config = Nothing
    world: World

    @property
    def device(self) -> Device:
        return self.world.push

    async def open(self) -> None:
        if self.device.cut:
            raise ConnectionError("the device is away")

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        dice: Random = self.world.dice
        waiting: set[asyncio.Task[None]] = set()
        for tag in tags[1:]:
            await send(tag, 0, time=0)
        while True:
            if self.device.cut:
                raise EOFError("the device hung up")
            if self.device.flood:
                await send.batch(bulk(tags[1].handle))
                await asyncio.sleep(0.02)
                continue
            burst: list[int] = []
            try:
                for _ in range(dice.randint(1, 4)):
                    self.device.made += 1
                    number = self.device.made
                    burst.append(number)
                    self.device.open.add(number)
                    synced = await send(tags[0], number, time=number)
            except (ConnectionError, asyncio.CancelledError):
                self.device.settle(burst, False)
                raise
            word = asyncio.ensure_future(self._word(burst, synced))
            waiting.add(word)
            word.add_done_callback(waiting.discard)
            await asyncio.sleep(dice.uniform(0.1, 0.5))

    async def _word(self, burst: list[int], synced: Any) -> None:
        try:
            await synced
        except (ConnectionError, Refused):
            self.device.settle(burst, False)
        else:
            self.device.settle(burst, True)


class Away(Pusher):
    """The same from elsewhere, where sessions outlive cuts."""

    @property
    def device(self) -> Device:
        return self.world.away


class Poller(Connector):
    """Counts its reads."""

    Config = Nothing
    world: World

    async def open(self) -> None:
        if self.world.poll.cut:
            raise ConnectionError("the device is away")

    async def read(self, tags: list[Any]) -> list[Any]:
        if self.world.poll.cut:
            raise EOFError("the device hung up")
        self.world.poll.made += 1
        return [self.world.poll.made for _ in tags]


class Keeper(Connector):
    """A history: holds the newest rows in memory, seals them with its cursor in one transaction, now and then."""

    Config = Nothing
    world: World

    async def open(self) -> None:
        self._open: list[tuple[Record, dict[int, str]]] = []
        self._last = self.world.archive.position

    async def cursor(self) -> int:
        return self.world.archive.position

    async def deliver(self, delivery: Delivery) -> int:
        archive = self.world.archive
        await asyncio.sleep(archive.slow)
        for record in delivery.records:
            if record.position <= self._last:
                archive.wrong.append(f"the history got {record.position} after {self._last}")
            self._last = record.position
            self._open.append((record, names(delivery, record)))
        self._last = max(self._last, delivery.until)
        if self.world.dice.random() < 0.4:
            archive.rows += self._open
            self._open, archive.position = [], delivery.until
        return archive.position

    def query(self, query: Any) -> Any:
        yield from ()


class Sink(Connector):
    """Takes what it gets."""

    Config = Nothing
    world: World

    async def open(self) -> None:
        self._last = 0

    async def deliver(self, delivery: Delivery) -> int:
        inbox = self.world.inbox
        await asyncio.sleep(self.world.sink_slow)
        for record in delivery.records:
            if record.position <= self._last:
                inbox.wrong.append(f"the sink got {record.position} after {self._last}")
            self._last = record.position
            inbox.rows.append((record, names(delivery, record)))
        return delivery.until


class Sums(Analytic):
    """The running sum and count of one tag: a crash anywhere must give the same numbers."""

    class Config(BaseModel):
        of: str = "number"

    world: World

    def open(self) -> list[Output]:
        self.sum, self.count = 0, 0
        return [Output("sum", DataType.INT64), Output("count", DataType.INT64)]

    def restore(self, state: bytes) -> None:
        self.sum, self.count = map(int, state.split())

    def process(self, stretch: Any) -> Any:
        series = stretch.inputs.get(self.config.of)
        if series is None:
            return
        columns = zip(series.time.tolist(), series.value.tolist(), series.quality, strict=True)
        for when, value, code in columns:
            if code == 0 and not math.isnan(value):
                self.sum += value
                self.count += 1
                yield Written("sum", when, self.sum)
                yield Written("count", when, self.count)

    def state(self) -> bytes:
        return f"{self.sum} {self.count}".encode()
