"""Plugins that behave and misbehave in every way the supervisor must bear. A single file, as an author would try one.

`folder` holds files by which a test steers them: `cut` (the device is away), `wrong` (the plugin has a bug).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
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
    Refused,
    SecurityModule,
    Stretch,
    Verdict,
    Written,
)
from bedplate.model import Body, DataType
from bedplate.wire import decode_batch


class Steered(BaseModel):
    folder: str = ""
    how: str = ""


def _asked(config: Any, what: str) -> bool:
    return bool(config.folder) and (Path(config.folder) / what).exists()


class Counter(Connector):
    """Counts its reads: one number per tag and read, rising by one."""

    Config = Steered

    async def open(self) -> None:
        if _asked(self.config, "cut"):
            raise ConnectionError("the device is away")
        self.count = 0

    async def read(self, tags: list[Any]) -> list[Any]:
        if _asked(self.config, "cut"):
            raise EOFError("the device hung up")
        if _asked(self.config, "wrong"):
            return [self.count / 0 for _ in tags]
        self.count += 1
        return [Bad("no such register") if tag.address == "none" else self.count for tag in tags]


class Blocking(Counter):
    """The same as plain defs, on a thread."""

    def open(self) -> None:  # type: ignore[override]
        self.count = 0

    def read(self, tags: list[Any]) -> list[Any]:  # type: ignore[override]
        time.sleep(0.02)
        self.count += 1
        return [self.count for _ in tags]


class Picky(Connector):
    """Refuses its settings or an address."""

    Config = Steered

    def open(self) -> None:
        if self.config.how == "settings":
            raise Invalid("how must not be settings", pointer="/how")
        raise Invalid("99 is no register", tag=self.tags[0].name)

    def read(self, tags: list[Any]) -> list[Any]:
        return [0 for _ in tags]


class Troubled(Connector):
    """Ends, floods or hangs, as `how` says."""

    Config = Steered

    async def open(self) -> None:
        if self.config.how == "hang in open":
            await asyncio.sleep(3600)
        if self.config.how == "slow in open":
            await asyncio.sleep(0.3)
        if self.config.how == "exit in open":
            print("no licence", file=sys.stderr, flush=True)
            os._exit(4)

    async def read(self, tags: list[Any]) -> list[Any]:
        match self.config.how:
            case "exit":
                os._exit(3)
            case "exit 0":
                os._exit(0)
            case "flood":
                sys.stdout.write("\x1b[31mflood" * 200_000 + "\n")
                sys.stdout.flush()
            case "hang in read":
                await asyncio.sleep(3600)
            case "too few":
                return []
        return [1.0 for _ in tags]

    async def close(self) -> None:
        if self.config.how == "hang in close":
            await asyncio.sleep(3600)


class Pusher(Connector):
    """Pushes 1, 2, 3 … and writes down in a file which numbers the kernel confirmed to have on disk.

    A number is never sent twice, so that one found twice in a history was doubled by somebody else.
    """

    class Config(BaseModel):
        folder: str
        most: int = 10_000_000
        pause: float = 0.0

    async def open(self) -> None:
        self.sent = Path(self.config.folder) / "sent"
        self.confirmed = Path(self.config.folder) / "confirmed"
        self.next = int(self.sent.read_text() or 0) + 1 if self.sent.exists() else 1

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        while self.next <= self.config.most:
            last = min(self.next + 49, self.config.most)
            self._keep(self.sent, str(last))
            for number in range(self.next, last + 1):
                synced = await send(tags[0], number, time=number)
            await synced
            with self.confirmed.open("a") as out:
                out.write(f"{self.next} {last}\n")
            self.next = last + 1
            await asyncio.sleep(self.config.pause)
        await asyncio.Future()

    def _keep(self, file: Path, text: str) -> None:
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.rename(file)


class Teller(Connector):
    """Pushes 1, 2, 3 … whatever the kernel says of it, and writes down the last number that is said to be on disk."""

    class Config(BaseModel):
        folder: str
        pause: float = 0.0

    async def open(self) -> None:
        self.waiting: set[asyncio.Task[None]] = set()

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        number = 0
        while True:
            number += 1
            task = asyncio.create_task(self._tell(number, await send(tags[0], number)))
            self.waiting.add(task)
            task.add_done_callback(self.waiting.discard)
            await asyncio.sleep(self.config.pause)

    async def _tell(self, number: int, synced: Any) -> None:
        with contextlib.suppress(Refused, ConnectionError):
            await synced
            part = Path(self.config.folder) / "part"
            part.write_text(str(number))
            part.rename(part.with_name("confirmed"))


class Counting(Connector):
    """Pushes 1, 2, 3 … for as long as its program lives, whatever becomes of its sessions. Keeps nothing: what the
    platform loses is lost."""

    class Config(BaseModel):
        pause: float = 0.0

    last = 0

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        while True:
            Counting.last += 1
            await send(tags[0], Counting.last, time=Counting.last)
            await asyncio.sleep(self.config.pause)


class Sink(Connector):
    """Takes what it gets and writes the numbers down, one file for each component; hangs while <component>.hangs is
    there."""

    class Config(BaseModel):
        folder: str

    async def deliver(self, delivery: Delivery) -> int:
        folder = Path(self.config.folder)
        if (folder / f"{self.component}.hangs").exists():
            await asyncio.sleep(3600)
        with (folder / f"{self.component}.got").open("a") as out:
            for record in delivery.records:
                if record.kind is Body.BATCH:
                    batch = decode_batch(record.payload)
                    out.writelines(f"{value}\n" for value in batch.value.tolist())
        return delivery.until


class Keeper(Sink):
    """A sink that can be asked, as a history can: everybody waits for it."""

    def query(self, query: Any) -> Any:
        yield from ()


class Sums(Analytic):
    """The running sum of one tag: a crash anywhere must give the same numbers."""

    class Config(BaseModel):
        of: str = "number"

    def open(self) -> list[Output]:
        self.sum, self.count = 0, 0
        return [Output("sum", DataType.INT64), Output("count", DataType.INT64)]

    def restore(self, state: bytes) -> None:
        self.sum, self.count = map(int, state.split())

    def process(self, stretch: Stretch) -> Any:
        series = stretch.inputs.get(self.config.of)
        if series is None:
            return
        for when, value in zip(series.time.tolist(), series.value.tolist(), strict=True):
            self.sum += value
            self.count += 1
            yield Written("sum", when, self.sum)
            yield Written("count", when, self.count)

    def state(self) -> bytes:
        return f"{self.sum} {self.count}".encode()


class DenyAll(SecurityModule):
    """Denies everything, or misbehaves, as `how` says."""

    Config = Steered

    async def authorize(self, subject: Any, checks: Any) -> Any:
        match self.config.how:
            case "raise":
                raise RuntimeError("no")
            case "silent":
                await asyncio.sleep(3600)
            case "none":
                return []
            case "allow":
                return [Decision(Verdict.ALLOW) for _ in checks]
        return [Decision(Verdict.DENY, "because") for _ in checks]


class Refusing(Counter):
    """Refuses every read."""

    async def read(self, tags: list[Any]) -> list[Any]:
        raise Refused("not now")
