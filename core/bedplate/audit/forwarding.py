"""Sends the lines of a log on, from the files, by a cursor of its own: an outage, a restart and a rotation leave none
out, and nobody who writes waits. At least once: what was sent and is not settled when a connection ends comes again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from bedplate.audit.anchoring import Place
from bedplate.audit.chain import Link
from bedplate.audit.cursor import Cursor
from bedplate.audit.feed import Feed
from bedplate.clock import Clock

LOOK = 1.0  # s between looks for more, when nobody says that there is
FIRST, LONGEST = 0.5, 30.0  # s between tries
FAREWELL = 2.0  # s at the end, for what has not gone yet
Lines = Sequence[tuple[Link, bytes]]


class Sender(Protocol):
    """Where lines go. Every method but close raises OSError when it is not there."""

    async def open(self) -> None: ...
    async def send(self, lines: Lines) -> None: ...
    async def checkpoint(self, line: bytes) -> None: ...
    def settled(self) -> int:
        """The last line that has surely arrived, as far as one can know; 0: none of this connection."""

    async def close(self) -> None: ...


class Forwarder:
    """place: takes checkpoints too · found: the last line that was there at the start · problem: why nothing arrives;
    empty while it does."""

    def __init__(
        self,
        folder: Path,
        sender: Sender,
        clock: Clock,
        place: Place,
        found: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.name, self._folder, self._sender, self._clock = place.name, folder, sender, clock
        self.place, self._found = place, found
        self.problem = ""
        self.settled = 0
        self._more = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def more(self) -> None:
        """There are new lines."""
        self._more.set()

    async def close(self) -> None:
        """What is left goes within two seconds, or at the next start."""
        self._closing = True
        self._more.set()
        if self._task:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, FAREWELL)

    async def _run(self) -> None:
        cursor = await asyncio.to_thread(Cursor, self._folder, self.name)
        if (found := self._found()) is not None:
            cursor.index = min(cursor.index, found)  # the log of a backup may be behind it
        self.settled, wait = cursor.index, FIRST
        while True:
            try:
                await self._connected(cursor)
                return
            except OSError as error:
                wait = FIRST if not self.problem else min(LONGEST, wait * 2)
                self.problem = self.place.problem = str(error.strerror or error)
            finally:
                await self._sender.close()
            if self._closing:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._until_closing(), wait)

    async def _until_closing(self) -> None:
        while not self._closing:
            self._more.clear()
            await self._more.wait()

    async def _connected(self, cursor: Cursor) -> None:
        """Until it closes; raises OSError when the other side goes."""
        await self._sender.open()
        self.problem = ""
        feed = Feed(self._folder, cursor.index)
        try:
            while True:
                self._more.clear()
                page = await asyncio.to_thread(feed.read)
                if page:
                    await self._sender.send(page)
                await self._carry()
                await self._settle(cursor)
                if not page:
                    if self._closing:
                        return
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._more.wait(), LOOK)
        finally:
            feed.close()

    async def _carry(self) -> None:
        offered = self.place.offered
        if offered:
            await self._sender.checkpoint(offered.line())
            self.place.took(offered, self._clock.monotonic())

    async def _settle(self, cursor: Cursor) -> None:
        settled = self._sender.settled()
        if settled > cursor.index:
            with contextlib.suppress(OSError):  # then they come again after a restart
                await asyncio.to_thread(cursor.save, settled)
            self.settled = settled
