"""A source that pushes 1, 2, 3 … and waits for nobody, as most devices do."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import BaseModel

from bedplate import Connector


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
