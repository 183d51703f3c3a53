"""Bench scales that answer one letter with one line."""

import asyncio
from typing import Annotated

from bedplate import Bad, Connector, Tag
from bedplate.settings import Duration
from pydantic import BaseModel, ConfigDict, Field


class Scale(Connector):
    """One scale. The address of a tag is the letter that asks for it: W weight, T tare."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

        host: str = Field(description="Where the scale is.")
        port: int = Field(4001, ge=1, le=65535, description="Its TCP port.")
        timeout: Duration = Field(2.0, description="How long an answer may take.")

    Address = Annotated[str, Field(pattern="^[A-Z]$")]

    async def open(self) -> None:
        async with asyncio.timeout(self.config.timeout):
            self.reader, self.writer = await asyncio.open_connection(
                self.config.host, self.config.port
            )

    async def read(self, tags: list[Tag]) -> list[float | Bad]:
        return [await self.ask(tag.address) for tag in tags]

    async def ask(self, letter: str) -> float | Bad:
        self.writer.write(f"{letter}\r\n".encode())
        async with asyncio.timeout(self.config.timeout):
            line = await self.reader.readuntil()
        if line.startswith(b"?"):
            return Bad(f"the scale does not know {letter}")
        return float(line.split()[0])

    async def close(self) -> None:
        self.writer.close()
