"""Connectors that cost nothing, so that what is measured is the platform. A single file for `--plugin`.

Times that they send are CLOCK_MONOTONIC in seconds: the same clock in every process of the machine.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from bedplate import Batch, Connector


class Free(Connector):
    """Answers every read with the time at which it was asked, for all tags: a protocol without a price."""

    async def open(self) -> None:
        self.values = np.empty(len(self.tags))

    async def read(self, tags: list[Any]) -> Any:
        values = self.values[: len(tags)]
        values.fill(time.monotonic())
        return values


class Notified(Connector):
    """Ten times a second a notification of one value per tag, which is when it came; once there is a file `notify`."""

    class Config(BaseModel):
        folder: str

    async def open(self) -> None:
        self.begin = Path(self.config.folder) / "notify"

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        while not self.begin.exists():
            await asyncio.sleep(0.5)
        while True:
            for tag in tags:
                await send(tag, time.monotonic())
            await asyncio.sleep(0.1)


class Burst(Connector):
    """Pushes what the file `go` in its folder asks for, {"batch": 1000, "total": 10000000}, then the times at which it
    began and heard that all of it is on disk, to its tags `began` and `synced`."""

    class Config(BaseModel):
        folder: str

    async def open(self) -> None:
        self.go = Path(self.config.folder) / "go"

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        marks = {tag.name: tag for tag in tags if tag.name in ("began", "synced")}
        handles = np.array([tag.handle for tag in tags if tag.name not in marks], np.uint32)
        while True:
            while not self.go.exists():
                await asyncio.sleep(0.01)
            asked = json.loads(self.go.read_text())
            self.go.unlink()
            began = time.monotonic()
            await self._push(handles, asked["batch"], asked["total"], send)
            synced = time.monotonic()
            await send(marks["began"], began)
            await send(marks["synced"], synced)

    async def _push(self, handles: Any, batch: int, total: int, send: Any) -> None:
        tag = np.resize(handles, batch)
        value = np.random.default_rng(1).random(batch)
        time_ns = time.time_ns() + np.arange(batch)
        synced = None
        for start in range(0, total, batch):
            synced = await send.batch(Batch.of(tag, time_ns + start, value))
        if synced is not None:
            await synced
