"""Listens on this machine, serves each connection in a task of its own, and ends them all together."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Any

CHUNK = 1 << 16  # bytes read at a time
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: an abort, not an end


def reset(writer: asyncio.StreamWriter) -> None:
    """The other side sees a connection that breaks."""
    if found := writer.get_extra_info("socket"):
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


class Listener:
    """Subclasses say what a connection is for."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; it is closed afterwards. Cancelled when all of them end."""
        raise NotImplementedError

    async def start(self) -> int:
        """Listens; returns the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            await self.serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the end of all
        finally:
            self._open.discard(task)
            writer.close()
