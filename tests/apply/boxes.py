"""Plugins that can be watched from outside: machines that count who connects, sinks and analytics that write down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bedplate import (
    Analytic,
    Bad,
    Connector,
    Decision,
    Delivery,
    Invalid,
    Output,
    SecurityModule,
    Stretch,
    Verdict,
    Written,
)
from bedplate.model import Body, DataType
from bedplate.wire import decode_batch


class Box(Connector):
    """Talks to a machine of `machines.py`: each read is one line over one connection."""

    class Config(BaseModel):
        port: int
        word: str = ""

    async def open(self) -> None:
        if self.config.word == "no":
            raise Invalid("not this word", pointer="/word")
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.config.port)
        try:
            await self._ask(f"open {self.component} {os.getpid()}")
        except BaseException:
            self.writer.close()
            raise

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def read(self, tags: list[Any]) -> list[Any]:
        answer = await self._ask("read " + " ".join(tag.address for tag in tags))
        return [Bad(one[1:]) if isinstance(one, str) and one[:1] == "!" else one for one in answer]

    async def _ask(self, line: str) -> Any:
        self.writer.write(line.encode() + b"\n")
        answer = await self.reader.readline()
        if not answer:
            raise EOFError("the machine hung up")
        return json.loads(answer)


class Log(Connector):
    """A sink that keeps what it gets, one line a sample: path, value, quality."""

    class Config(BaseModel):
        folder: str

    def open(self) -> None:
        self.paths: dict[int, str] = {}

    def deliver(self, delivery: Delivery) -> int:
        with (Path(self.config.folder) / f"{self.component}.log").open("a") as out:
            for record in delivery.records:
                if record.kind is not Body.BATCH:
                    continue
                batch = decode_batch(record.payload)
                names = [delivery.table[h].path for h in batch.tags().tolist()]
                for row in zip(
                    names, batch.value.tolist(), batch.qualities().tolist(), strict=True
                ):
                    out.write(json.dumps(row) + "\n")
        return delivery.until


class Sum(Analytic):
    """Counts the samples of one tag; a sample that is read twice or never is seen in its output."""

    class Config(BaseModel):
        of: str = "number"
        word: str = ""

    def open(self) -> list[Output]:
        self.count = 0
        return [Output("count", DataType.INT64)]

    def restore(self, state: bytes) -> None:
        self.count = int(state)

    def process(self, stretch: Stretch) -> Any:
        series = stretch.inputs.get(self.config.of)
        for when in series.time.tolist() if series else ():
            self.count += 1
            yield Written("count", when, self.count)

    def state(self) -> bytes:
        return str(self.count).encode()


class Yes(SecurityModule):
    async def authorize(self, subject: Any, checks: Any) -> Any:
        return [Decision(Verdict.ALLOW) for _ in checks]
