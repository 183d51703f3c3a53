"""Plugins for tests of back-pressure: one that has more than anybody takes, and some that take their time.

Each writes down in its folder how far it is, so that a test can tell how far ahead of the other side it ever was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from bedplate import Analytic, Batch, Connector, Output, Page, Stretch, Written
from bedplate.model import Body, DataType, TagInfo
from bedplate.wire import decode_batch

AT_ONCE = 10_000  # samples: as many as a publication may hold


class Config(BaseModel):
    folder: str = ""
    most: int = 1_000_000
    pause: float = 0.0
    of: str = "number"


def tell(folder: str, what: str, number: int) -> None:
    part = Path(folder) / f"{what}.part"
    part.write_text(str(number))
    part.rename(part.with_suffix(""))


class Torrent(Connector):
    """Pushes 1, 2, 3 … as fast as it is let, ten thousand at a time; `handed`: how many it has handed over."""

    Config = Config

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        handle = np.array([tags[0].handle], np.uint32)
        for first in range(1, self.config.most, AT_ONCE):
            numbers = np.arange(first, first + AT_ONCE)
            await send.batch(Batch.of(np.resize(handle, AT_ONCE), numbers, numbers))
            tell(self.config.folder, "handed", first + AT_ONCE - 1)
        await asyncio.Future()


class Brook(Connector):
    """Is polled, in the same process."""

    Config = Config

    async def open(self) -> None:
        self.count = 0

    async def read(self, tags: list[Any]) -> list[Any]:
        self.count += 1
        return [self.count for _ in tags]


class SlowSink(Connector):
    """Takes records slowly. Raises when two deliveries overlap or a number is missing or comes again."""

    Config = Config

    def open(self) -> None:
        self.last = self.largest = self.calls = 0
        self.busy = False

    def deliver(self, delivery: Any) -> int:
        assert not self.busy, "two deliveries at once"
        self.busy = True
        time.sleep(self.config.pause)
        self.calls += 1
        self.largest = max(self.largest, len(delivery.records))
        for record in delivery.records:
            if record.kind is Body.BATCH:
                numbers = decode_batch(record.payload).value
                assert numbers[0] == self.last + 1, f"{numbers[0]} after {self.last}"
                self.last = int(numbers[-1])
        tell(self.config.folder, "delivered", self.last)
        tell(self.config.folder, "largest", self.largest)
        self.busy = False
        return int(delivery.until)


class SlowSums(Analytic):
    """Adds slowly."""

    Config = Config

    def open(self) -> list[Output]:
        self.sum = self.last = 0
        return [Output("sum", DataType.INT64), Output("last", DataType.INT64)]

    def process(self, stretch: Stretch) -> Any:
        if (series := stretch.inputs.get(self.config.of)) is None:
            return
        time.sleep(self.config.pause)
        self.sum += int(series.value.sum())
        self.last = int(series.value[-1])
        tell(self.config.folder, "largest stretch", len(series.value))
        yield Written("sum", int(series.time[-1]), self.sum)
        yield Written("last", int(series.time[-1]), self.last)


PAGE = 10_000


class Library(Connector):
    """A history of `most` pages; `made`: how many it has made, `over`: that it was told to stop, or has ended."""

    Config = Config

    def deliver(self, delivery: Any) -> int:
        return int(delivery.until)

    def query(self, query: Any) -> Iterator[Page]:
        try:
            for number in range(1, self.config.most + 1):
                tell(self.config.folder, "made", number)
                yield page(number)
        finally:
            tell(self.config.folder, "over", 1)


class AsyncLibrary(Library):
    """The same as an asynchronous generator."""

    async def query(self, query: Any) -> AsyncIterator[Page]:  # type: ignore[override]
        try:
            for number in range(1, self.config.most + 1):
                tell(self.config.folder, "made", number)
                yield page(number)
        finally:
            tell(self.config.folder, "over", 1)


def page(number: int) -> Page:
    tag = TagInfo(1, "torrent/number", DataType.INT64)
    values = np.full(PAGE, number)
    times = np.arange(PAGE) + number * PAGE
    return Page([tag], [Batch.of(np.array([1], np.uint32), times, values)], 0.5)
