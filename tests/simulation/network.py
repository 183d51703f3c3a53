"""A network within one loop: gRPC streams as messages in order, each a moment later; cut, dead without a word, garbled.

Both ends of Attach are the real ones; only what grpc.aio does between them is done here. Messages travel as bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from contextvars import copy_context
from random import Random
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from tests.simulation.loop import Process, VirtualLoop

from bedplate.remote.kinds import Kind

IN_FLIGHT = 64  # messages of one direction after which a writer waits: HTTP/2 flow control


class Direction:
    """Messages one way."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._arrived: deque[bytes] = deque()
        self._limbo: list[bytes] = []
        self._last = 0.0
        self._under_way = 0
        self._ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self.dark = False  # nothing gets through, and nobody is told

    async def write(self, message: bytes) -> None:
        while self._under_way >= IN_FLIGHT and not self._ended:
            self._room.clear()
            await self._room.wait()
        if self._ended:
            raise asyncio.InvalidStateError("the stream is over")
        self._under_way += 1
        if self.dark:
            self._limbo.append(message)
        else:
            self._send(message)

    def _send(self, message: bytes) -> None:
        loop = self._network.loop
        self._last = max(self._last, loop.time() + self._network.delay())
        loop.call_at(self._last, self._arrive, message, context=self._network.context)

    def _arrive(self, message: bytes) -> None:
        if not self._ended:
            self._arrived.append(message)
            self._news.set()

    async def read(self) -> bytes | None:
        """None: it is over."""
        while not self._arrived:
            if self._ended:
                return None
            self._news.clear()
            await self._news.wait()
        self._under_way -= 1
        self._room.set()
        return self._arrived.popleft()

    def light(self) -> None:
        """What was held up comes after all: TCP sends again."""
        self.dark = False
        limbo, self._limbo = self._limbo, []
        for message in limbo:
            self._send(message)

    def end(self) -> None:
        self._ended = True
        self._news.set()
        self._room.set()


class Stream:
    """One Attach. up: to the kernel."""

    def __init__(self, network: Network, kind: Kind, client: Process, server: Process) -> None:
        self.kind, self.client, self.server = kind, client, server
        self.network = network
        self.up, self.down = Direction(network), Direction(network)
        self.over = False
        self.code: tuple[grpc.StatusCode, str] = (grpc.StatusCode.UNAVAILABLE, "it broke")
        self.garble = 0  # messages of the plugin that are to arrive garbled
        self.handler: asyncio.Task[None] | None = None

    def break_(self) -> None:
        """Both ends learn of it a moment later; the end that can't be reached does not."""
        if not self.over:
            self.over = True
            for direction in (self.up, self.down):
                loop = self.network.loop
                loop.call_later(self.network.delay(), direction.end, context=self.network.context)

    def darken(self) -> None:
        self.up.dark = self.down.dark = True

    def lighten(self) -> None:
        self.up.light()
        self.down.light()


class Call:
    """What the plugin's side holds: as grpc.aio's StreamStreamCall."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def write(self, message: Any) -> None:
        await self._stream.up.write(message.SerializeToString())

    async def read(self) -> Any:
        found = await self._stream.down.read()
        return grpc.aio.EOF if found is None else self._stream.kind.to.FromString(found)

    def cancel(self) -> None:
        self._stream.break_()

    def done(self) -> bool:
        return self._stream.over

    async def code(self) -> grpc.StatusCode:
        return self._stream.code[0]

    async def details(self) -> str:
        return self._stream.code[1]


class Context:
    """What the kernel's side is given: as grpc.aio's ServicerContext."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream, self._name = stream, name

    def peer(self) -> str:
        return self._name

    async def read(self) -> Any:
        stream = self._stream
        found = await stream.up.read()
        if found is None:
            return grpc.aio.EOF
        if stream.garble:
            stream.garble -= 1
            raise DecodeError("garbled on the way")
        return stream.kind.come.FromString(found)

    async def write(self, message: Any) -> None:
        await self._stream.down.write(message.SerializeToString())

    async def abort(self, code: grpc.StatusCode, text: str) -> None:
        self._stream.code = (code, text)
        raise ConnectionAbortedError(text)


class Network:
    """hosts: who answers at an address, and in which process."""

    def __init__(self, loop: VirtualLoop, dice: Random) -> None:
        self.loop, self._dice = loop, dice
        self.context = copy_context()
        self.hosts: dict[str, tuple[Any, Process]] = {}
        self.streams: list[Stream] = []
        self.slow = 0.0  # s more, at most, for each message
        self._count = 0

    def delay(self) -> float:
        return self._dice.uniform(0.0001, 0.002) + self._dice.random() * self.slow

    async def dial(self, address: str, kind: Kind, client: Process) -> Stream | None:
        """None when nobody answers there."""
        await asyncio.sleep(self.delay())
        host, server = self.hosts.get(address, (None, None))
        if host is None or server is None or server.dead or server.frozen:
            return None
        self.streams = [one for one in self.streams if not one.over]
        stream = Stream(self, kind, client, server)
        self.streams.append(stream)
        self._count += 1
        name = f"{address}#{self._count}"
        stream.handler = server.start(self._handle(host, kind, stream, name))
        return stream

    async def _handle(self, host: Any, kind: Kind, stream: Stream, name: str) -> None:
        with contextlib.suppress(ConnectionAbortedError):
            await host.attach(kind, Context(stream, name))
        stream.break_()

    def died(self, process: Process) -> None:
        """The machine closes its connections."""
        for stream in self.streams:
            if process in (stream.client, stream.server):
                stream.break_()
        self.hosts = {a: pair for a, pair in self.hosts.items() if pair[1] is not process}

    def of(self, client: Process) -> list[Stream]:
        return [s for s in self.streams if s.client is client and not s.over]
