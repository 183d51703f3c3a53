"""Machines on loopback that know who talks to them. One server a machine; a line asked, a line of JSON answered."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any


class Machine:
    """sessions: connections ever made · open: now · asked: reads so far; each register counts how often
    it was read · pids: of the processes that spoke to it · away: it hangs up on everybody."""

    def __init__(self) -> None:
        self.sessions = self.open = self.asked = self.most = 0
        self.pids: list[int] = []
        self._counts: dict[str, int] = {}
        self.away = False
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> Machine:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        while self.open:
            await asyncio.sleep(0.01)

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            writer.transport.abort()
            return
        await asyncio.sleep(0.01)  # the end of the one before may be read after this one was let in
        self.sessions += 1
        self.open += 1
        self.most = max(self.most, self.open)
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError):
                while line := await reader.readline():
                    writer.write(json.dumps(self._answer(line.decode().split())).encode() + b"\n")
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.close()

    def _answer(self, words: list[str]) -> Any:
        if words[0] == "open":
            self.pids.append(int(words[2]))
            return "hello"
        self.asked += 1
        return ["!no such register" if word == "none" else self._next(word) for word in words[1:]]

    def _next(self, word: str) -> int:
        self._counts[word] = self._counts.get(word, 0) + 1
        return self._counts[word]
