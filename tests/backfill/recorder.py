"""A device that keeps all it ever measured: one number every 200 µs, which says when it was. A single file.

`folder` holds files by which a test steers it: `cut` (it is away), `wrong` (its history has a bug), `slow`; `asked` has
a line for each question to its history.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from bedplate import Bad, Batch, Connector, Sample

TICK = 200_000  # ns


class Steered(BaseModel):
    folder: str


class Device(Connector):
    """Without a history that can be read, though its manifest says so."""

    Config = Steered

    def asked(self, what: str) -> bool:
        return (Path(self.config.folder) / what).exists()

    async def open(self) -> None:
        if self.asked("cut"):
            raise ConnectionError("the device is away")

    async def read(self, tags: list[Any]) -> list[Any]:
        if self.asked("cut"):
            raise EOFError("the device hung up")
        now = time.time_ns() // TICK
        return [Sample(float(now), now * TICK) for _ in tags]

    def tell(self, tags: list[Any], start: int, end: int) -> None:
        with (Path(self.config.folder) / "asked").open("a") as file:
            file.write(f"{','.join(tag.name for tag in tags)} {start} {end}\n")
        if self.asked("wrong"):
            raise ZeroDivisionError("a bug")
        if self.asked("slow"):
            time.sleep(1.5)


def ticks(start: int, end: int) -> Any:
    return np.arange(-(-start // TICK), -(-end // TICK))


class Generating(Device):
    """A generator, tag by tag; of `none` there is nothing."""

    def read_history(self, tags: list[Any], start: int, end: int) -> Iterator[Any]:
        self.tell(tags, start, end)
        for tag in tags:
            if tag.name == "none":
                yield tag, Bad("it keeps no such thing")
                continue
            numbers = ticks(start, end)
            for part in np.array_split(numbers, max(1, len(numbers) // 700)):
                yield Batch.of([tag.handle], part * TICK, part.astype(float))


class Awaiting(Device):
    """An async generator of samples."""

    async def read_history(self, tags: list[Any], start: int, end: int) -> AsyncIterator[Any]:
        self.tell(tags, start, end)
        for tag in tags:
            await asyncio.sleep(0)
            yield tag, [Sample(float(n), int(n) * TICK) for n in ticks(start, end).tolist()]


class Listing(Device):
    """A plain def that returns all at once."""

    def read_history(self, tags: list[Any], start: int, end: int) -> list[Batch]:
        self.tell(tags, start, end)
        n = ticks(start - 5 * TICK, end + 5 * TICK)  # with bounds, as some histories answer
        return [Batch.of([tag.handle], n * TICK, n.astype(float)) for tag in tags]
