"""The store on its thread, in order: what was asked for first is done first, so that a question sees all that was
counted before it. What the disk refuses is tried again with the next writing, up to a number of windows.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bedplate.errors import CallError
from bedplate.runtime.ledger.span import Span
from bedplate.runtime.ledger.store import Before, SourceKey, Store, Window

WAITING = 1000  # windows, and gaps, that are kept in memory while the disk refuses
Owned = tuple[SourceKey, Span]
TROUBLE = (sqlite3.Error, OSError)


class Book:
    """file: None keeps everything in memory, without a thread. failed: why nothing is kept on disk, empty when it is ·
    windows: closed and not yet written · ended: gaps, the same."""

    def __init__(self, file: Path | None) -> None:
        self._store = Store(file)
        self._thread = ThreadPoolExecutor(1, "gaps") if file else None
        self.windows: list[Window] = []
        self.ended: list[Owned] = []
        self.failed = self._in_memory = ""

    async def open(self) -> Before:
        """What the kernel before left. Without a usable file all is kept in memory."""
        try:
            before: Before = await self._do(self._store.open)
        except TROUBLE as error:
            self._store = Store(None)
            self.failed = self._in_memory = f"gaps are kept in memory only: {error}"
            before = await self._do(self._store.open)
        return before

    async def write(
        self, windows: Sequence[Window], lasting: Sequence[Owned], now: int, *, sync: bool
    ) -> None:
        """What waits, windows that are open, and all gaps that last. sync: also survives a power cut."""
        closed, ended = self.windows, self.ended
        self.windows, self.ended = [], []
        write = partial(self._store.write, [*closed, *windows], ended, lasting, now, sync=sync)
        try:
            await self._do(write)
            self.failed = self._in_memory
        except TROUBLE as error:
            self.failed = f"gaps can't be written: {error}"
            self.windows = [*closed, *self.windows][-WAITING:]
            self.ended = [*ended, *self.ended][-WAITING:]

    async def ask(self, what: Callable[[Store], Any]) -> Any:
        """What comes of it on the thread. Raises CallError when the disk refuses."""
        try:
            return await self._do(lambda: what(self._store))
        except TROUBLE as error:
            text = f"the gap ledger can't be read: {error}"
            raise CallError(text, code="UNAVAILABLE") from error

    async def close(self) -> None:
        """Legal twice."""
        with contextlib.suppress(*TROUBLE, RuntimeError):
            await self._do(lambda: self._store.close())  # noqa: PLW0108  it may be another by then
        if self._thread:
            self._thread.shutdown(wait=False)

    async def _do(self, what: Callable[[], Any]) -> Any:
        if self._thread is None:
            return what()
        return await asyncio.get_running_loop().run_in_executor(self._thread, what)
