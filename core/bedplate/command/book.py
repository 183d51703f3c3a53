"""Commands as the guard remembers them: the newest in memory, all of them on disk, many to one sync.

`trouble` says why nothing can be kept at present; while it does, the guard writes nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from bedplate.command.command import Command
from bedplate.command.store import Kept, Store, StoreError

NEWEST = 1000  # commands in memory
AGAIN = 1.0  # s between two tries of a disk that fails
FAILURES = (sqlite3.Error, OSError, StoreError, ValueError, KeyError, TypeError)
Key = tuple[str, str]
T = TypeVar("T")


class Book:
    """One for the guard, on its loop. file: None: in memory. monotonic: s."""

    def __init__(self, file: Path | None, monotonic: Callable[[], float]) -> None:
        self._store = Store(file)
        self._now = monotonic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commands")
        self._pending: list[tuple[Kept, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._tried = 0.0
        self._closed = False
        self._newest: OrderedDict[Key, Kept] = OrderedDict()
        self.trouble = "the commands of before are not read yet"
        self.read = False  # until then nothing is sent: rates and ids are not known

    async def open(self, now: int) -> list[Kept]:
        """What has no end yet, or one that the audit log may not have. now: ns UTC."""
        found = await self._on_disk(self._read, now)
        if found is not None:
            self.read, self.trouble = True, ""
        newest, unfinished = found or ([], [])
        for kept in reversed(newest):
            self._remember(kept)
        return unfinished

    def _read(self, now: int) -> tuple[list[Kept], list[Kept]]:
        self._store.open()
        self._store.forget(now)
        return self._store.newest(NEWEST), self._store.unfinished()

    async def close(self) -> None:
        while self._writing and not self._writing.done():
            await asyncio.wait([self._writing])
        await self._on_disk(self._store.close)
        self._closed = True
        self._thread.shutdown(wait=False)

    async def put(self, command: Command, content: str, *, told: bool) -> bool:
        """Keeps it as it stands now. True once it is on disk."""
        return await self.note(command, content, told=told)

    def note(self, command: Command, content: str, *, told: bool) -> asyncio.Future[bool]:
        """The same, for those who do not wait."""
        kept = Kept(command, content, told)
        self._remember(kept)
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._pending.append((kept, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return done

    async def find(self, key: Key) -> Kept | None:
        """What was kept under this key; None: nothing, or there is trouble."""
        return self._newest.get(key) or await self._on_disk(self._store.find, *key)

    async def recover(self) -> None:
        """Tries again whether it can be written, while there is trouble."""
        if self.trouble and self._now() - self._tried >= AGAIN:
            self._tried = self._now()
            await self._on_disk(self._store.write, [])

    def newest(self) -> list[Command]:
        """The newest first."""
        return [kept.command for kept in reversed(self._newest.values())]

    def _remember(self, kept: Kept) -> None:
        self._newest[kept.command.by.id, kept.command.command_id] = kept
        if len(self._newest) > NEWEST:
            self._newest.popitem(last=False)

    async def _write_all(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            await self._on_disk(self._store.write, [kept for kept, _ in batch])
            for _, done in batch:
                if not done.done():
                    done.set_result(not self.trouble)

    async def _on_disk(self, work: Callable[..., T], *arguments: Any) -> T | None:
        """None and `trouble` when it fails."""
        if self._closed:
            self.trouble = "commands can't be kept: the kernel is ending"
            return None
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self._thread, work, *arguments)
        except FAILURES as error:
            self.trouble = f"commands can't be kept: {error}"
            return None
        if self.read:
            self.trouble = ""
        return result
