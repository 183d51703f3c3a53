"""A source that pushes 1, 2, 3 … and waits for nobody, as most devices do; a sink that refuses some of it for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bedplate import Connector, Refused
from bedplate.model import Body, Flag
from bedplate.record.v1 import record_pb2
from bedplate.wire import decode_batch


class Ticker(Connector):
    """Fifty a second."""

    class Config(BaseModel):
        folder: str = ""

    async def open(self) -> None:
        self.count = 0

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        while True:
            self.count += 1
            await send(tags[0], self.count)
            await asyncio.sleep(0.02)


class Picky(Connector):
    """Refuses every number that `refuses` divides; says which record it was, or not. Writes the others down."""

    class Config(BaseModel):
        folder: str
        refuses: int = 10
        says: bool = True

    def deliver(self, delivery: Any) -> int:
        for record in delivery.records:
            if record.kind is not Body.BATCH:
                continue
            for number in decode_batch(record.payload).value.tolist():
                if number and number % self.config.refuses == 0:
                    position = record.position if self.config.says else 0
                    raise Refused(f"{number} is no number for us", position=position)
                with (Path(self.config.folder) / f"{self.component}.got").open("a") as out:
                    out.write(f"{number}\n")
        return int(delivery.until)


class Witness(Connector):
    """Writes down the losses that it is told of."""

    class Config(BaseModel):
        folder: str

    def deliver(self, delivery: Any) -> int:
        with (Path(self.config.folder) / "losses").open("a") as out:
            for record in delivery.records:
                if record.kind is Body.GAP:
                    gap = record_pb2.Gap.FromString(record.payload)
                    out.write(f"{gap.stream} {gap.samples}\n")
        return int(delivery.until)


class Laned(Connector):
    """Writes down each number with its lane, keeps the lanes apart, and is away while <component>.away is there."""

    class Config(BaseModel):
        folder: str

    def open(self) -> None:
        if (Path(self.config.folder) / f"{self.component}.away").exists():
            raise ConnectionError("the network is cut")

    def deliver(self, delivery: Any) -> int:
        self.open()
        lane = "past" if delivery.backlog else "live"
        with (Path(self.config.folder) / f"{self.component}.got").open("a") as out:
            for record in delivery.records:
                if record.kind is Body.BATCH:
                    batch = decode_batch(record.payload)
                    flagged = int(bool(batch.flags & Flag.HISTORICAL))
                    out.writelines(f"{lane} {flagged} {n}\n" for n in batch.value.tolist())
        return int(delivery.until)
