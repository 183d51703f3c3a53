"""Another machine, as far as a kernel can tell: the programs of its remote places, with certificates of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.remote.certificates import Authority

from bedplate.remote.credentials import credentials
from bedplate.runtime.attaching import RemoteProgram


class Elsewhere:
    """said: what its programs said, a line each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority: Authority | None = None
        self._running: list[asyncio.Task[None]] = []
        self.programs: dict[str, RemoteProgram] = {}
        self.said: list[str] = []

    @property
    def authority(self) -> Authority:
        self._authority = self._authority or Authority()
        return self._authority

    def section(self, listen: str = "127.0.0.1:0") -> str:
        """For the deployment file."""
        tls = self.authority.kernel(self._folder / "tls" / "kernel")
        return f"\nplugins: {{listen: '{listen}', tls: '{tls}'}}\n"

    def run(self, places: Iterable[Any], host: str) -> None:
        """Starts what these places of a kernel wait for, at this address. Not twice."""
        for place in places:
            name = place.launch.place
            if place.placement == "remote" and f"{place.launch.kind} {name}" not in self.programs:
                self.start(place.launch, name, host)

    def start(self, launch: Any, name: str, host: str) -> RemoteProgram:
        """One program. name: the place of its certificate."""
        files = credentials(
            self.authority.place(self._folder / "tls" / f"{launch.kind}-{name}", name), server=False
        )
        work = self._folder / "elsewhere"
        work.mkdir(exist_ok=True)
        program = RemoteProgram(launch, host, files, work, self.said.append)
        self.programs[f"{launch.kind} {name}"] = program
        self._running.append(asyncio.create_task(program.run()))
        return program

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        self._running, self.programs = [], {}
