"""A source that asks for word of each number, and writes down what it was told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bedplate import Connector, Refused


class Awaiting(Connector):
    """Its device says nothing twice."""

    class Config(BaseModel):
        folder: str

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        number = 0
        while True:
            number += 1
            words = [await send(tags[0], number, time=number)]
            await asyncio.gather(*(self._word(number, word) for word in words))
            await asyncio.sleep(0.005)

    async def _word(self, number: int, synced: Any) -> None:
        try:
            await synced
            told = "confirmed"
        except Refused:
            told = "refused"
        with (Path(self.config.folder) / told).open("a") as out:
            out.write(f"{number}\n")
