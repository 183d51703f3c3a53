"""`bedplate run` as a user starts it, to be killed; and what its API says."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bedplate.client import connect_async
from bedplate.errors import CallError
from bedplate.model import quality
from bedplate.server.platform import Platform, prepare

BEDPLATE = Path(sys.executable).with_name("bedplate")
RIGS = Path(__file__).parents[1] / "runtime" / "rigs.py"
PLANT = """
bedplate: 1
name: kill
connectors:
  push: {use: pusher, folder: FOLDER, pause: 0.001, tags: {number: {address: a}}}
  history: {use: history, deliver: ["**"], folder: history, seal: {rows: 3000, age: 1s}}
journal: {folder: journal, sync: 50ms}
api: {listen: "127.0.0.1:0"}
"""


class Running:
    """One plant in a folder, over as many lives of its kernel as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "plant.yaml"
        self.file.write_text(PLANT.replace("FOLDER", str(folder)))
        self.environment = os.environ | {"BEDPLATE_HOME": str(folder / "home")}
        self.process: asyncio.subprocess.Process | None = None
        self.platform: Platform | None = None
        self.address = ""
        self.lines: list[str] = []
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once the API serves. Fails with what the kernel said when it does not."""
        self.process = await asyncio.create_subprocess_exec(
            str(BEDPLATE), "run", str(self.file), "--plugin", str(RIGS), "--json",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=self.environment,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.lines = []
        async with asyncio.timeout(30):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line)
                if '"running"' in line:
                    break
        assert self.lines, "the kernel said nothing"
        assert '"running"' in self.lines[-1], "".join(self.lines)
        self.address = json.loads(self.lines[-1])["api"]
        self._reading = asyncio.create_task(self._read(self.process.stdout))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.lines.append(line.decode())

    async def start_here(self) -> None:
        """The same within this process, for tests that kill something else."""
        self.platform = Platform(prepare(self.file, [RIGS]))
        self.address = await self.platform.start()

    async def kill(self) -> None:
        if self.platform:
            await self.platform.stop()
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        if self._reading:
            self._reading.cancel()

    async def ask(self, what: Callable[[Any], Awaitable[Any]]) -> Any:
        """One question to the API."""
        os.environ["BEDPLATE_HOME"] = str(self.folder / "home")
        async with connect_async(self.address) as client:
            return await what(client)

    async def pid(self, component: str) -> int:
        """Of the process that runs a component."""
        status = await self.ask(lambda client: client.status())
        return next((p.pid for p in status.processes if component in p.components), 0)

    def confirmed(self) -> set[int]:
        """The numbers that the kernel has said to have on disk."""
        file = self.folder / "confirmed"
        ranges = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return {
            n
            for words in ranges
            if len(words) == 2
            for n in range(int(words[0]), int(words[1]) + 1)
        }

    async def stored(self) -> list[int]:
        """Every number in history, in order; none while the history is not up."""
        try:
            result = await self.ask(lambda client: client.history("push/number", start=1))
        except CallError as error:
            if error.code == "UNAVAILABLE":
                return []
            raise
        if not len(result):
            return []
        series = result[
            "push/number"
        ]  # a lost session repeats its last value as Uncertain: that is no new sample
        return [
            int(v)
            for v, code in zip(series.value, series.quality, strict=True)
            if quality.is_good(int(code))
        ]


async def until(condition: Callable[[], Any], within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)
