"""my-thing machines: one line asks, one line answers, over TCP.

LIST               ->  temperature setpoint
GET temperature    ->  21.437          or  ERR no such value
SET setpoint 25.0  ->  OK              or  ERR read only
"""

import asyncio
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bedplate import Bad, Connector, Node, Refused, Tag
from bedplate.settings import Duration


class MyThing(Connector):
    """One machine. It fails in plain words; the kernel keeps the pace, tries again, scales and stamps."""

    class Config(BaseModel):
        """What the operator sets. Each description stands in the editor, and in what `check` says."""

        model_config = ConfigDict(extra="forbid")

        host: str = Field(description="Name or address of the machine.")
        port: int = Field(9100, ge=1, le=65535, description="Its TCP port.")
        timeout: Duration = Field(2.0, description="How long an answer may take.")

    Address = Annotated[
        str,
        Field(
            pattern="^[a-z][a-z0-9_]*$",
            description="Name of a value in the machine; `bedplate browse` lists them.",
            examples=["temperature"],
        ),
    ]

    async def open(self) -> None:
        """Connects. What it raises is told to the operator, and tried again."""
        async with asyncio.timeout(self.config.timeout):
            self.reader, self.writer = await asyncio.open_connection(
                self.config.host, self.config.port
            )

    async def close(self) -> None:
        self.writer.close()

    async def read(self, tags: list[Tag]) -> list[float | Bad]:
        """One value a tag, in order. A value that the machine does not have is Bad, and only that one."""
        return [await self.value_of(tag.address) for tag in tags]

    async def write(self, tag: Tag, value: float) -> None:
        if not isinstance(value, int | float):
            raise Refused(f"{value!r} is no number")
        answer = await self.ask(f"SET {tag.address} {float(value)!r}")
        if answer != "OK":
            raise Refused(answer.removeprefix("ERR "))

    async def browse(self, below: str, depth: int) -> list[Node]:
        names = (await self.ask("LIST")).split()
        if not below:
            return [Node(name, name, name) for name in names]
        if below not in names:
            raise Refused(f"there is no {below}")
        return []  # below a value there is nothing

    async def value_of(self, name: str) -> float | Bad:
        answer = await self.ask(f"GET {name}")
        if answer.startswith("ERR "):
            return Bad(answer.removeprefix("ERR "))
        try:
            return float(answer)
        except ValueError:
            raise ConnectionError(f"asked for {name}, the machine said {answer[:40]!r}") from None

    async def ask(self, line: str) -> str:
        """One line for one line. A time-out or nonsense ends the session: a late answer is never the next one's."""
        self.writer.write(f"{line}\n".encode())
        try:
            async with asyncio.timeout(self.config.timeout):
                return (await self.reader.readuntil(b"\n")).decode().strip()
        except (UnicodeDecodeError, asyncio.LimitOverrunError):
            raise ConnectionError("the machine sends what is no line of text") from None
