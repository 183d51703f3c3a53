"""The bytes of one connection, both ways: what one side reads the other writes, with no more in memory than that takes.

Nothing reaches the server before the client has sent the whole preface of HTTP/2, so that who only connects, or drips,
costs a socket and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bedplate.listening.meter import Meter
from bedplate.listening.turns import Turns

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LINGERS = 1.0  # s that the last words of the server have to leave


class Side(asyncio.Protocol):
    """One side. lost: done once it is gone · full: it takes no more for now."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.other: asyncio.Transport | None = None
        self.full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.other
        self.other.write(data)

    def pause_writing(self) -> None:
        self.full = True
        if self.other:
            self.other.pause_reading()

    def resume_writing(self) -> None:
        self.full = False
        if self.other:
            self.other.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


class Client(Side):
    """The client's. objected: told why it is cut off for what it sends · turns: by which its calls begin until it is
    welcome · begun: done once the preface is here."""

    def __init__(self, objected: Callable[[str], None], turns: Turns) -> None:
        super().__init__()
        self._objected, self._turns = objected, turns
        self._meter = Meter(asyncio.get_running_loop().time)
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server: Side | None = None
        self._held = b""  # not passed on: there is no server yet, or it is not its turn
        self._waits = self._welcome = False

    def data_received(self, data: bytes) -> None:
        if self._waits:  # it was told to go on because the server has room again
            self._held += data
            self.transport.pause_reading()
            return
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
        self._server = server
        server.other, self.other = self.transport, server.transport
        held, self._held = self._held, b""
        self.transport.resume_reading()
        self.other.write(PREFACE)
        self._pass_on(held[len(PREFACE) :])

    def welcome(self) -> None:
        """It has said who it is: it waits no more."""
        self._welcome = True
        if self._waits:
            self._turns.leave(self._go_on)
            self._go_on()

    def connection_lost(self, error: Exception | None) -> None:
        self._turns.leave(self._go_on)
        super().connection_lost(error)

    def _go_on(self) -> None:
        """The call that waited begins."""
        self._waits = False
        if self.lost.done():
            return
        held, self._held = self._held, b""
        self._pass_on(held)
        if self._server and not self._waits and not self._server.full:
            self.transport.resume_reading()

    def _pass_on(self, data: bytes) -> None:
        """Up to where it must wait, or all."""
        assert self.other
        at = 0
        while at < len(data) and not self._waits:
            calls = self._meter.calls
            at = self._meter.read(data, at)
            if self._meter.objection:
                self._objected(self._meter.objection)
                self.transport.abort()
                return
            begins = self._meter.calls > calls
            self._waits = begins and not (self._welcome or self._turns.take(self._go_on))
        self.other.write(data[:at])
        if self._waits:
            self._held = data[at:]
            self.transport.pause_reading()


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
