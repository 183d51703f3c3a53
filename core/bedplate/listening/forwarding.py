"""The bytes of one connection, both ways: what one side reads the other writes, with no more in memory than that takes.

Nothing reaches the server before the client has sent the whole preface of HTTP/2, so that who only connects, or drips,
costs a socket and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bedplate.listening.meter import Meter

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LINGERS = 1.0  # s that the last words of the server have to leave


class Side(asyncio.Protocol):
    """One side. lost: done once it is gone."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.other: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.other
        self.other.write(data)

    def pause_writing(self) -> None:
        if self.other:
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if self.other:
            self.other.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


class Client(Side):
    """The client's. begun: done once the preface is here · objected: told why it is cut off for what it sends."""

    def __init__(self, objected: Callable[[str], None]) -> None:
        super().__init__()
        self._objected = objected
        self._meter = Meter(asyncio.get_running_loop().time)
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held = b""

    def data_received(self, data: bytes) -> None:
        if self.other:
            self._pass_on(data)
            return
        self._held += data
        if hasattr(
            self, "transport"
        ):  # what came with the end of a handshake is looked at once that is over
            self._look()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._held:
            self._look()

    def _look(self) -> None:
        if not self._held.startswith(PREFACE[: len(self._held)]):
            self.transport.abort()
        elif len(self._held) >= len(PREFACE) and not self.begun.done():
            self.transport.pause_reading()
            self.begun.set_result(None)

    async def begins(self) -> None:
        """Returns once the preface is here. Raises ConnectionError when it is none, or the client hung up."""
        await asyncio.wait([self.begun, self.lost], return_when=asyncio.FIRST_COMPLETED)
        if not self.begun.done():
            raise ConnectionError("no HTTP/2")

    def join(self, server: Side) -> None:
        """From now on both sides hear each other."""
        server.other, self.other = self.transport, server.transport
        held, self._held = self._held, b""
        self.transport.resume_reading()
        self.other.write(PREFACE)
        self._pass_on(held[len(PREFACE) :])

    def _pass_on(self, data: bytes) -> None:
        assert self.other
        if objection := self._meter.objection(data):
            self._objected(objection)
            self.transport.abort()
        else:
            self.other.write(data)


async def until_over(client: Client, server: Side, over: asyncio.Event) -> None:
    """Returns once either side is gone or `over` is set; then both are."""
    ending = asyncio.create_task(over.wait())
    ends: list[asyncio.Future[Any]] = [client.lost, ending]
    try:
        await asyncio.wait([*ends, server.lost], return_when=asyncio.FIRST_COMPLETED)
        if server.lost.done() and not client.lost.done():
            client.transport.close()
            await asyncio.wait(ends, timeout=LINGERS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.cancel()
        client.transport.abort()
        server.transport.abort()
