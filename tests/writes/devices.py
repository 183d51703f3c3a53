"""Machines that can be written, with everything a machine may do instead. A single file, as an author would try one.

`folder` is the machine: `values.json` holds what it has, `effects` a line for each write that reached it, `how` what it
does with the next ones (read each time): refuse, clamp, die, die-before, lost, hang, bug, deaf, away.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bedplate import Bad, Connector, Refused

START = {"speed": 100.0, "count": 7, "on": True, "name": "a", "guard": True, "state": 1}


class Machine:
    """What survives the plugin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def how(self) -> str:
        file = self.folder / "how"
        return file.read_text().strip() if file.exists() else ""

    @property
    def values(self) -> dict[str, Any]:
        file = self.folder / "values.json"
        return START | (json.loads(file.read_text()) if file.exists() else {})

    def take(self, name: str, value: Any) -> None:
        """The effect: counted, synced, and there."""
        said = "said" if self._said(value) else "silent"
        with (self.folder / "effects").open("a") as effects:
            effects.write(f"{name} {value} {said}\n")
            effects.flush()
            os.fsync(effects.fileno())
        kept = self.values | {name: min(value, 80.0) if self.how == "clamp" else value}
        fresh = self.folder / f"values.{os.getpid()}"
        fresh.write_text(json.dumps(kept))
        fresh.replace(self.folder / "values.json")

    def _said(self, value: Any) -> bool:
        """Whether the audit log says by now that this would be done; where there is one."""
        logs = self.folder.glob("audit/*.jsonl")
        return any(
            f"→ {value!r}" in json.loads(line)["text"] for log in logs for line in log.open()
        )


class Settings(BaseModel):
    folder: str


class Own(BaseModel):
    data_type: str = ""


class Device(Connector):
    """Polled."""

    Config = Settings
    TagSettings = Own

    async def open(self) -> None:
        self.machine = Machine(Path(self.config.folder))
        if self.machine.how == "away":
            raise ConnectionError("no answer from the machine")

    async def read(self, tags: list[Any]) -> list[Any]:
        values, how = self.machine.values, self.machine.how
        if how == "away":
            raise EOFError("the machine hung up")
        if how == "deaf":
            await asyncio.sleep(60)
        return [Bad("no sensor") if values[t.address] is None else values[t.address] for t in tags]

    async def write(self, tag: Any, value: Any) -> None:
        how = self.machine.how
        if how == "refuse":
            raise Refused("BadUserAccessDenied")
        if how == "die-before":
            os._exit(9)
        if how == "hang":
            await asyncio.sleep(60)
        self.machine.take(tag.address, value)
        if how == "die":
            os._exit(9)
        if how == "lost":
            raise ConnectionResetError("the machine hung up")
        if how == "bug":
            raise ZeroDivisionError("a bug")


class Pushing(Device):
    """The same, and says by itself what has changed; can't be asked."""

    async def read(self, tags: list[Any]) -> list[Any]:
        raise NotImplementedError

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        said: dict[int, Any] = {}
        while True:
            values = self.machine.values
            for tag in tags:
                if said.get(tag.handle) != values[tag.address]:
                    said[tag.handle] = values[tag.address]
                    await send(tag, values[tag.address])
            await asyncio.sleep(0.02)
