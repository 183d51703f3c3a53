"""The store as the running module sees it: one moment of it in memory, looked after every half second.

Rule: what can't be read is not believed: then nobody of the store is known until it can be read again. Everything that
touches the file runs on one thread, off the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from bedplate_access.roster import Roster
from bedplate_access.store import Change, Store

LOOK = 0.5  # s
WRITE_USES = 300.0  # s between two writes of when somebody was last there
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found. changes: since the last one."""

    roster: Roster
    changes: tuple[Change, ...]


class Watched:
    """changed: told, on the loop, of each change · failed: what is wrong, in words, once."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        changed: Callable[[Look], None],
        failed: Callable[[str], None],
    ) -> None:
        self._open_store = open_store
        self._changed, self._failed = changed, failed
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="access store")
        self._store: Store | None = None
        self._version = self._known = -1
        self._uses: dict[tuple[str, str], int] = {}
        self._task: asyncio.Task[None] | None = None
        self.problem = ""

    async def open(self) -> None:
        """Raises OSError."""
        self.take(await self.on_disk(self._first))
        self._task = asyncio.create_task(self._watch())
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.on_disk(self._shut)
        self._disk.shutdown(wait=False)

    async def on_disk(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does it on the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._disk, partial(work, *arguments)
        )

    async def with_store(self, work: Callable[[Store], T]) -> T:
        """The same, with the store. What it writes is looked at, at once. Raises OSError."""

        def run() -> T:
            assert self._store
            done = work(self._store)
            self._version = -1  # one's own writing does not count as another's
            return done

        done = await self.on_disk(run)
        await self.look()
        return done

    def used(self, table: str, key: str, at: int) -> None:
        """Somebody came in by it; written down later."""
        self._uses[(table, key)] = at

    async def look(self) -> None:
        """Finds out what others have changed."""
        try:
            found = await self.on_disk(self._again)
        except OSError as error:
            if not self.problem:
                self._failed(f"nobody is known while the store can't be read: {error}")
            self.problem = str(error)
            return
        if found:
            self.take(found)

    def take(self, look: Look) -> None:
        self.problem = ""
        self._changed(look)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody looks any more: what is known may be out of date, so it counts no more."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(f"nobody is known any more: {type(error).__name__}: {error}")

    async def _watch(self) -> None:
        beats = 0
        while True:
            await asyncio.sleep(LOOK)
            await self.look()
            beats += 1
            if beats * LOOK >= WRITE_USES:
                beats = 0
                await self.on_disk(self._write_uses)

    # --- on the thread ---

    def _first(self) -> Look:
        self._store = self._open_store()
        known = self._store.changes()
        self._known = known[-1].n if known else 0
        self._version = self._store.version()
        return Look(self._store.roster(), ())

    def _again(self) -> Look | None:
        assert self._store
        self._store.folder.check()
        if not self._store.folder.store.exists():
            raise FileNotFoundError(f"{self._store.folder.store} is gone")
        version = self._store.version()
        if version == self._version and not self.problem:
            return None
        roster, changes = self._store.roster(), self._store.changes(self._known)
        self._version = version
        self._known = changes[-1].n if changes else self._known
        return Look(roster, tuple(changes))

    def _write_uses(self) -> None:
        uses, self._uses = self._uses, {}
        if self._store and uses and not self.problem:
            with contextlib.suppress(
                OSError
            ):  # busy or full: for people to look at, nothing hangs on it
                self._store.used(uses)

    def _shut(self) -> None:
        self._write_uses()
        if self._store:
            self._store.close()
