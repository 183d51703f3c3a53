"""Stands between a plugin and its device, on this machine only, and writes down what passes.

It changes nothing: bytes go on as they come, an end goes on as an end, a device that does not answer is a connection
that ends at once. What is slow slows the other side, so nothing piles up here.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

from bedplate.capture.listener import CHUNK, Listener, reset
from bedplate.capture.recording import RECEIVED, SENT, Recorder

CONNECT_WITHIN = 10.0  # s


class Proxy(Listener):
    """One place. ports: its own, once it listens. numbers: of connections, shared by all proxies of a recording."""

    def __init__(
        self, host: str, port: int, index: int, recorder: Recorder, numbers: Iterator[int]
    ) -> None:
        super().__init__()
        self._there = (host, port)
        self._index = index
        self._recorder = recorder
        self._numbers = numbers

    @staticmethod
    def numbering() -> Iterator[int]:
        return itertools.count(1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        self._recorder.fact(open=number, to=self._index)
        await self._connect(number, reader, writer)

    async def _connect(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                far_reader, far_writer = await asyncio.open_connection(*self._there, limit=CHUNK)
        except OSError as error:
            self._recorder.fact(close=number, by="device", why=str(error) or "no answer")
            reset(writer)  # as the device's did
            return
        try:
            await self._pass_on(number, (reader, writer), (far_reader, far_writer))
        finally:
            far_writer.close()

    async def _pass_on(self, number: int, near: tuple[Any, Any], far: tuple[Any, Any]) -> None:
        """Both ways until both have ended, or one of them broke."""
        ways = {
            asyncio.create_task(self._copy(number, SENT, near[0], far[1])): "plugin",
            asyncio.create_task(self._copy(number, RECEIVED, far[0], near[1])): "device",
        }
        told = False
        try:
            waiting = set(ways)
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    broken = task.exception()
                    if not told:
                        why = str(broken) if broken else ""
                        self._recorder.fact(close=number, by=ways[task], why=why)
                        told = True
                    if broken:
                        reset(near[1])
                        return
        finally:
            for task in ways:
                task.cancel()
            await asyncio.wait(ways)

    async def _copy(
        self, number: int, direction: str, reader: asyncio.StreamReader, writer: Any
    ) -> None:
        """One way. Raises OSError when the connection breaks."""
        while content := await reader.read(CHUNK):
            self._recorder.data(direction, number, content)
            writer.write(content)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
