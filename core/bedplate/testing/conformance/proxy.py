"""The cable between a plugin and its simulator, in the kit's hands: it can be cut, go silent, drip, or garble.

A TCP proxy on loopback. Without a simulator it leads nowhere: `refuse` and `silent` still work.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

from bedplate.capture.listener import reset

DRIP_EVERY = 0.002  # s
GARBAGE = 48  # bytes garbled at the head of each piece


class Proxy:
    """mode: pass, silent, drip or garbage · connections: how many were accepted · port: stays the same."""

    def __init__(self, upstream: Callable[[], int | None]) -> None:
        self.mode = "pass"
        self.connections = 0
        self.port = 0
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._random = random.Random(3)
        self._pieces = 0

    async def listen(self) -> None:
        """Accepts, on the port it had before."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Nobody listens any more, and all connections are reset."""
        if self._server:
            self._server.close()
            self._server = None
        self.cut()

    async def heal(self) -> None:
        """As on the first day."""
        self.mode = "pass"
        await self.listen()

    def cut(self) -> None:
        """Resets every connection."""
        for writer in list(self._writers):
            reset(writer)
        self._writers.clear()

    async def close(self) -> None:
        await self.refuse()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        port = self._upstream()
        try:
            if port is None:
                await self._swallow(reader)
                return
            there, back = await asyncio.open_connection("127.0.0.1", port)
            self._writers.add(back)
            await self._both(reader, writer, there, back)
        except OSError:
            writer.transport.abort()
        finally:
            self._writers.discard(writer)

    async def _both(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        """Ends with the first direction that ends, and closes the other side too."""
        ways = [
            asyncio.create_task(self._pump(reader, back, False)),
            asyncio.create_task(self._pump(there, writer, True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, back):
                self._writers.discard(end)
                end.close()

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                pass

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_plugin: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.mode == "silent":  # what is under way on a dead cable is lost
                    continue
                if self.mode == "garbage" and to_plugin:
                    data = self._garbled(data)
                if self.mode == "drip" and to_plugin:
                    await self._drip(data, writer)
                    continue
                writer.write(data)
                await writer.drain()

    def _garbled(self, data: bytes) -> bytes:
        """Noise at the head of a piece. Every other piece keeps its line ends, for protocols of lines."""
        self._pieces += 1
        noise = self._random.randbytes(min(len(data), GARBAGE))
        if self._pieces % 2:
            kept = (old if old in b"\r\n" else new for old, new in zip(data, noise, strict=False))
            noise = bytes(kept)
        return noise + data[GARBAGE:]

    async def _drip(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        step = 1 if len(data) < 512 else len(data) // 256
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
            await writer.drain()
            await asyncio.sleep(DRIP_EVERY)
