"""`bedplate run` as a user starts it: its lines, its exit code, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

BEDPLATE = Path(sys.executable).with_name("bedplate")


class Program:
    """One deployment file in a folder, over as many lives as a test wants; killed at the end. FOLDER is filled in.

    lines: what it said in this life, stdout and stderr · $BEDPLATE_HOME is that of the test.
    """

    def __init__(self, folder: Path, text: str, *, plugins: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.file = folder / "plant.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text.replace("FOLDER", str(folder)), encoding="utf-8")
        self._plugins = [word for plugin in plugins for word in ("--plugin", str(plugin))]
        self._reading: asyncio.Task[None] | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.lines: list[str] = []
        self.address = ""

    async def begin(self, *words: str, json: bool = True) -> None:
        """Starts it and does not wait. json: lines that `said` can read, and any free port unless words name one."""
        if json:
            words = ("--json", *words)
        if "--listen" not in words and json:
            words = ("--listen", "127.0.0.1:0", *words)
        self.lines = []
        self.process = await asyncio.create_subprocess_exec(
            *(str(BEDPLATE), "run", str(self.file)),
            *(*self._plugins, *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(os.environ),
        )
        self._reading = asyncio.create_task(self._read())

    async def start(self, *words: str, within: float = 60.0) -> None:
        """Returns once the API serves. Fails with what it said when it ends instead."""
        await self.begin(*words)
        async with asyncio.timeout(within):
            while not (said := self.said("running")):
                assert self._reading
                assert not self._reading.done(), "".join(self.lines)
                await asyncio.sleep(0.02)
        self.address = said[0]["api"]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Lines of this kind."""
        found = []
        for line in self.lines:
            with contextlib.suppress(ValueError):
                fact = json.loads(line)
                if fact["event"] == event:
                    found.append(fact)
        return found

    async def _read(self) -> None:
        assert self.process
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            self.lines.append(line.decode())

    async def ended(self, within: float = 60.0) -> int:
        """Its exit code, when all that it said has been read."""
        assert self.process
        assert self._reading
        async with asyncio.timeout(within):
            await self._reading
            return await self.process.wait()

    async def stop(self, within: float = 10.0) -> int:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(within)

    async def kill(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.ended()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.kill()


def plugins_of(folder: Path) -> list[int]:
    """Processes of plugins that run for a deployment file in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            here = (process / "cwd").readlink() == folder
            if here and b"bedplate.remote.plugin" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found
