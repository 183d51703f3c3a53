"""Bench scales: one letter asks, one line answers, over TCP.

W  ->  12.340 kg      the weight
T  ->   0.500 kg      the tare
X  ->  ?              what the scale does not know
"""

import asyncio
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bedplate import Bad, Connector, Tag
from bedplate.settings import Duration


class Scale(Connector):
    """One scale. The address of a tag is the letter that asks for it."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

        host: str = Field(description="Name or address of the scale.")
        port: int = Field(4001, ge=1, le=65535, description="Its TCP port.")
        timeout: Duration = Field(2.0, description="How long an answer may take.")

    Address = Annotated[
        str, Field(pattern="^[A-Z]$", description="W weight, T tare.", examples=["W"])
    ]

    async def open(self) -> None:
        async with asyncio.timeout(self.config.timeout):
            self.reader, self.writer = await asyncio.open_connection(
                self.config.host, self.config.port
            )

    async def close(self) -> None:
        self.writer.close()

    async def read(self, tags: list[Tag]) -> list[float | Bad]:
        return [await self.ask(tag.address) for tag in tags]

    async def ask(self, letter: str) -> float | Bad:
        self.writer.write(f"{letter}\r\n".encode())
        try:
            async with asyncio.timeout(self.config.timeout):
                line = (await self.reader.readuntil()).decode()
            if line.startswith("?"):
                return Bad(f"the scale does not know {letter}")
            return float(line.removesuffix("kg\r\n"))
        except (ValueError, asyncio.LimitOverrunError):
            raise ConnectionError("the scale says what is no weight") from None
