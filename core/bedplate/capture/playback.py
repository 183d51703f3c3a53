"""Answers as the device did: the recorded bytes, in the recorded order, as fast as they are asked for.

A reply is sent once all that the plugin had sent before it has come again, byte by byte, however it is cut into
packets. A request that is not the next one may still be one that was recorded: then it gets that one's reply, and is
counted. One that was never recorded is told with both readings, and the connection ends there, since nobody knows what
the device would have said.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from dataclasses import dataclass

from bedplate.capture.listener import CHUNK, Listener
from bedplate.capture.recording import RECEIVED, SENT, Conversation, Recording

QUIET = 0.2  # s: bytes that have no known reply yet may still go on


@dataclass(frozen=True, slots=True)
class Departure:
    """What was sent that is not in the record. request: which one of the connection, from 1 · recorded: what stands
    there, empty: nothing more."""

    connection: int
    request: int
    recorded: bytes
    sent: bytes

    def __str__(self) -> str:
        where = f"request {self.request} of connection {self.connection}"
        if not self.recorded:
            return f"{where} was never recorded\n  sent      {_shown(self.sent, 0)}"
        same = _same(self.recorded, self.sent)
        return (
            f"{where} is not the recorded one, from its byte {same + 1} on\n"
            f"  recorded  {_shown(self.recorded, same)}\n  sent      {_shown(self.sent, same)}"
        )


class Playback(Listener):
    """One endpoint. answered: requests that were; out_of_order: those of them that were not the next one; beyond: those
    after the end of the record."""

    def __init__(self, recording: Recording, endpoint: int) -> None:
        super().__init__()
        self._script = recording.at(endpoint)
        self._known: dict[bytes, list[bytes]] = defaultdict(list)
        for conversation in self._script:
            _learn(conversation, self._known)
        self._taken: dict[bytes, int] = defaultdict(int)
        self._connections = 0
        self.answered = 0
        self.out_of_order = self.beyond = 0
        self.departures: list[Departure] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        script = self._script[number - 1] if number <= len(self._script) else Conversation(0)
        with contextlib.suppress(OSError):  # the plugin went
            await _Player(self, number, script, reader, writer).play()

    def reply_to(self, request: bytes) -> bytes | None:
        """The reply to a request wherever it stands; to the n-th the n-th, and the last for ever. None: not known."""
        replies = self._known.get(request)
        if not replies:
            return None
        reply = replies[min(self._taken[request], len(replies) - 1)]
        self._taken[request] += 1
        return reply


class _Player:
    """One connection."""

    def __init__(
        self,
        playback: Playback,
        number: int,
        script: Conversation,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._playback = playback
        self._number = number
        self._script = script
        self._reader = reader
        self._writer = writer
        self._heard = bytearray()
        self._request = 0

    async def play(self) -> None:
        for direction, content in self._script.steps:
            if direction == RECEIVED:
                self._writer.write(content)
                await self._writer.drain()
                continue
            self._request += 1
            if not await self._hear(content):
                await self._by_heart(content)
                return
            del self._heard[: len(content)]
            self._playback.answered += 1
            self._playback.reply_to(content)
        if self._script.ended_by != "device":
            self._request += 1
            await self._by_heart(b"")

    async def _hear(self, wanted: bytes) -> bool:
        """Whether this is what comes next. False also when the plugin hangs up."""
        while len(self._heard) < len(wanted):
            if not wanted.startswith(bytes(self._heard)):
                return False
            more = await self._reader.read(CHUNK)
            if not more:
                return False
            self._heard += more
        return self._heard.startswith(wanted)

    async def _by_heart(self, recorded: bytes) -> None:
        """From here on each request is looked up, until one is not known or the plugin hangs up."""
        astray = bool(recorded)
        while True:
            if not self._heard and not await self._more(None):
                return
            while (reply := self._playback.reply_to(bytes(self._heard))) is None:
                if recorded.startswith(bytes(self._heard)) and self._reader.at_eof():
                    return  # it hung up within a request
                if not await self._more(QUIET):
                    self._playback.departures.append(
                        Departure(self._number, self._request, recorded, bytes(self._heard))
                    )
                    return
            self._heard.clear()
            self._playback.answered += 1
            self._playback.out_of_order += astray
            self._playback.beyond += not astray
            self._request, recorded = self._request + 1, b""
            self._writer.write(reply)
            await self._writer.drain()

    async def _more(self, within: float | None) -> bool:
        """Whether more came."""
        try:
            async with asyncio.timeout(within):
                more = await self._reader.read(CHUNK)
        except TimeoutError:
            return False
        self._heard += more
        return bool(more)


def _learn(conversation: Conversation, known: dict[bytes, list[bytes]]) -> None:
    steps = conversation.steps
    for at, (direction, content) in enumerate(steps):
        if direction == SENT:
            known[content].append(steps[at + 1][1] if at + 1 < len(steps) else b"")


def _same(one: bytes, other: bytes) -> int:
    """How many bytes they begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _shown(content: bytes, around: int, width: int = 24) -> str:
    """Some bytes from a little before a place on, in hex, and as text where it is one."""
    start = max(0, around - width // 2)
    part = content[start : start + width]
    hexed = part.hex(" ")
    cut = ("… " if start else "") + hexed + (" …" if start + width < len(content) else "")
    text = part.decode("ascii", "replace")
    legible = all(c.isprintable() or c in "\r\n\t" for c in text) and "\ufffd" not in text
    return f"{cut}   {text!r}" if legible and part else cut
