"""A Modbus TCP device written out by hand, so that a test can make it answer anything at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One request. at: when it came, loop time."""

    transaction: int
    unit: int
    function: int
    address: int
    count: int
    at: float

    def frame(self, pdu: bytes) -> bytes:
        """An MBAP frame that answers this request."""
        head = self.transaction.to_bytes(2) + bytes(2) + (len(pdu) + 1).to_bytes(2)
        return head + bytes([self.unit]) + pdu

    def values(self) -> bytes:
        """The answer of a device whose every register holds `register(unit, address)`."""
        words = range(self.address, self.address + self.count)
        found = b"".join(register(self.unit, address).to_bytes(2) for address in words)
        return self.frame(bytes([self.function, len(found)]) + found)

    def refusal(self, code: int) -> bytes:
        return self.frame(bytes([self.function | 0x80, code]))


def register(unit: int, address: int) -> int:
    return (address * 7 + unit * 1001) % 65536


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


async def honest(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(asked.values())


@dataclass
class Device:
    """port on 127.0.0.1; connections: how many so far; asked: all requests."""

    port: int = 0
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)


@asynccontextmanager
async def device(answer: Answer) -> AsyncIterator[Device]:
    """A device that calls `answer` for each request, and for the next one of a connection when that returned."""
    found = Device()
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        found.connections += 1
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6]) - 1)
                asked = Asked(
                    int.from_bytes(head[:2]),
                    head[6],
                    pdu[0],
                    int.from_bytes(pdu[1:3]),
                    int.from_bytes(pdu[3:5]),
                    asyncio.get_running_loop().time(),
                )
                found.asked.append(asked)
                await answer(asked, writer)
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # asyncio 3.11 logs a handler that ends in any other way
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for task in serving:
            if task and not task.done():
                task.cancel()
        await asyncio.gather(*filter(None, serving), return_exceptions=True)
