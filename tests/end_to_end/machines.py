"""Small machines for connectors of a page: Helix's packers, as their maker describes them, and a bench scale."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

HELIX = '''"""Helix packaging machines over HLX. Each frame: length u16, function u8, body; big endian."""

import asyncio
import struct
from typing import Annotated

from bedplate import Bad, Connector, Refused, Tag
from pydantic import BaseModel, Field

STATUS = {1: "machine busy", 2: "no such register in this firmware", 3: "register is read-only"}


class Helix(Connector):
    """One Helix machine. The address of a tag is its register number."""

    class Config(BaseModel):
        host: str
        port: int = 9100

    Address = Annotated[int, Field(ge=0, le=65535)]

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection(self.config.host, self.config.port)

    async def close(self) -> None:
        self.writer.close()

    async def read(self, tags: list[Tag]) -> list[float | Bad]:
        reply = await self.ask(1, struct.pack(f">{len(tags)}H", *(tag.address for tag in tags)))
        return [Bad(STATUS[code]) if code else value for code, value in struct.iter_unpack(">Bd", reply)]

    async def write(self, tag: Tag, value: float) -> None:
        (code,) = await self.ask(2, struct.pack(">Hd", tag.address, value))
        if code:
            raise Refused(STATUS[code])

    async def ask(self, function: int, body: bytes) -> bytes:
        self.writer.write(struct.pack(">HB", 1 + len(body), function) + body)
        (size,) = struct.unpack(">H", await self.reader.readexactly(2))
        frame = await self.reader.readexactly(size)
        if frame[0] != function:
            raise ConnectionError(f"asked for function {function}, machine answered {frame[0]}")
        return frame[1:]
'''

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Machine:
    """A TCP server that can be switched off and on again on its port, with all its connections."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def on(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def off(self) -> None:
        """Hangs up on everybody and listens no more."""
        assert self._server
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self.talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


class Packer(Machine):
    """registers: number → value; others are not in this firmware. lying: answers with another function."""

    def __init__(self, registers: dict[int, float]) -> None:
        super().__init__()
        self.registers = registers
        self.lying = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (size,) = struct.unpack(">H", await reader.readexactly(2))
            frame = await reader.readexactly(size)
            asked = [number for (number,) in struct.iter_unpack(">H", frame[1:])]
            told = [
                (0, self.registers[number]) if number in self.registers else (2, 0.0)
                for number in asked
            ]
            body = b"".join(struct.pack(">Bd", *one) for one in told)
            function = 9 if self.lying else frame[0]
            writer.write(struct.pack(">HB", 1 + len(body), function) + body)


class Scale(Machine):
    """weight: kg, asked for with W."""

    weight = 12.34

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            assert line == b"W\r\n"
            writer.write(f"  {self.weight:.3f} kg\r\n".encode())
