"""The engine that needs nothing else: one SQLite file in a folder of its own.

`append` numbers records and queues them in memory; a sync writes everything queued in one transaction (`GroupCommit`).
Readers who keep up are served from memory (`Tail`), the others from the file. It does not decide who is acknowledged,
what may be trimmed, or when a producer must stop: those who call it do.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from bedplate.clock import Clock
from bedplate.errors import JournalError
from bedplate.journal.cursors import Cursors
from bedplate.journal.damage import DECLARED, words_of
from bedplate.journal.engine import Commit, Entry, JournalState, Loss
from bedplate.journal.files import FURTHEST, GONE, Files
from bedplate.journal.group_commit import GroupCommit
from bedplate.journal.numbering import Numbering
from bedplate.journal.progress import Progress
from bedplate.journal.quota import Quota
from bedplate.journal.tail import Tail
from bedplate.journal.trouble import Trouble, broken, no_room
from bedplate.journal.turn import Turn
from bedplate.journal.writer import Standing
from bedplate.model import Body, Record

P = ParamSpec("P")
T = TypeVar("T")

PENDING_MOST = 32 << 20  # bytes in memory, not on disk, above which producers must wait
LEFT_OUT_FROM = 48 << 20  # the same, above which what nobody has twice is left out
MOST = 64 << 20  # the same, above which a disk in trouble lets nothing more be appended
KEEP = 16 << 20  # bytes of newest records kept in memory for readers
LOOK = 0.5  # s between two looks at the room, which others take and give back too
STUCK = 10.0  # s that a sync takes, after which the disk counts as dead until it is done
FULL = "the disk is full"
SLOW = "the journal's disk is too slow: reading waits for it"
LAST_TRY = 1.0  # s for a disk in trouble at the end
NOT_OPEN, CLOSED = "the journal is not open", "the journal is closed"


class EmbeddedEngine:
    """An `Engine` (see there). folder: its own, made when absent. sync: seconds that a record which nobody waits for
    may stay in memory only. keep: bytes of newest records held in memory for readers. size, min_free: as of `Quota`.

    When the disk is full, or an error came from it, nothing is confirmed any more, connectors are held, and what others
    append waits in memory, up to a bound; it goes on giving what is on disk, and to those who read ahead also what is
    not. It tries again by itself: on the same file when there was no room, in a new one otherwise. What is cancelled
    while it waits may still happen there.
    """

    def __init__(
        self,
        folder: Path,
        *,
        sync: float = 0.25,
        clock: Clock,
        keep: int = KEEP,
        size: int | None = None,
        min_free: int | None = None,
    ) -> None:
        self.folder = self._folder = folder
        self._interval, self._keep = sync, keep
        self._files = files = Files(folder, clock.time_ns)
        self._path, self._damage = files.path, files.damage
        self._writer, self._reader = files.writer, files.reader
        self._trouble = Trouble(clock.monotonic)
        self._writing: ThreadPoolExecutor | None = None
        self._reading: ThreadPoolExecutor | None = None
        self._commits: GroupCommit | None = None
        self._quota, self._limit = Quota(folder, size, min_free), size or 0
        self._watch: asyncio.Task[None] | None = None
        self._failed, self._stuck = NOT_OPEN, ""
        self._start(Standing())

    def _start(self, standing: Standing) -> None:
        self.epoch = standing.epoch
        self._first, self._oldest, self._floor = standing.first, standing.oldest, standing.floor
        self._appended, self._syncs = standing.last, 0
        self._numbering = Numbering(standing.epoch, standing.last)
        self._tail = Tail(standing.last, self._keep)
        self._synced = Progress(standing.last)
        self._seen = Progress(standing.last)  # by those who read ahead
        self._tables: list[Record] = []
        self._cursors = Cursors()

    @property
    def pending_bytes(self) -> int:
        return self._commits.pending_bytes if self._commits else 0

    @property
    def backlogged(self) -> bool:
        return self.pending_bytes > PENDING_MOST

    @property
    def held(self) -> str:
        return self._ailing or (SLOW if self.backlogged else self._quota.full)

    @property
    def leaves_out(self) -> str:
        crowded = self.pending_bytes > LEFT_OUT_FROM
        if self._ailing or crowded:
            return (self._ailing or SLOW) if crowded else ""
        return self._quota.full

    @property
    def _ailing(self) -> str:
        """Why the disk takes nothing; readers that may read ahead do so meanwhile."""
        return self._trouble.text or self._stuck

    @property
    def spent(self) -> bool:
        return self._quota.spent

    async def open(self) -> None:
        if self._writing is not None:
            raise JournalError(f"{self._folder} is open already")
        self._writing = self._thread("journal-write")
        self._reading = self._thread("journal-read")
        try:
            standing = await self._run(self._writing, self._files.open)
        except JournalError:
            await self._let_go()
            raise
        self._start(standing)
        self._commits = GroupCommit(self._writing, self._files.write, self._interval, self._done)
        self._failed = ""
        await self._recall()
        self._look()
        self._watch = asyncio.create_task(self._keep_watch())

    def _thread(self, name: str) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, name)

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self._look()
            if self._trouble.due:
                await self._recover()

    def _look(self) -> None:
        self._quota.look(self._writer.used, self._writer.free)
        waited = self._commits.under_way if self._commits else 0.0
        self._stuck = (
            f"the journal's disk does not answer ({waited:.0f} s)" if waited > STUCK else ""
        )
        if self._files.gone and not self._trouble.text:
            self._stall(OSError(GONE))
        if self._ailing:
            self._seen.advance(self._appended)

    async def _recover(self) -> None:
        """After an error: never again on the connection, and, unless there was just no room, on the file."""
        error, renew = self._trouble.tried()
        known = self._tail.slice(self._tail.before, self._synced.position, FURTHEST, FURTHEST)
        try:
            await self._run(self._reading, self._reader.close)
            await self._run(self._writing, self._writer.disconnect)
            if renew:
                tables = [r for r in self._tables if r.position <= self._synced.position]
                before = self._tail.before
                await self._run(self._writing, self._files.renew, error, before, known, tables)
                self._trouble.renewed()
            await self._run(self._writing, self._writer.connect)
        except JournalError as again:
            self._trouble.again(str(again) if renew else self._trouble.text)
        else:
            # since this try began a sync may have failed
            if self._commits and not self._trouble.renews:
                self._commits.resume()
                if not self._commits.waiting:
                    self._trouble.over()
        with contextlib.suppress(JournalError):
            await self._run(self._reading, self._reader.open)

    async def close(self) -> None:
        try:
            if self._commits and not self._failed:
                self._failed = CLOSED  # nobody appends from here on
                await self._last_try()
        finally:
            self._fail(CLOSED)
            await self._let_go()

    async def _last_try(self) -> None:
        assert self._commits
        if self._trouble.text:
            await self._recover()
        for _ in range(round(STUCK / LAST_TRY)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_TRY):
                    await self._commits.flush()
                    return
            if self._trouble.text:
                return

    async def _let_go(self) -> None:
        writing, self._writing = self._writing, None
        reading, self._reading = self._reading, None
        if self._watch:
            self._watch.cancel()
        if writing and reading:
            reading.submit(self._reader.close)
            closing = writing.submit(self._close_files, reading)
            writing.shutdown(wait=False)
            await asyncio.shield(asyncio.wrap_future(closing))

    def _close_files(self, reading: ThreadPoolExecutor) -> None:
        reading.shutdown()
        self._files.close()

    def append(self, entries: Sequence[Entry], commit: Commit | None = None) -> list[Record]:
        if self._failed or self._commits is None:
            raise JournalError(self._failed)
        if self._trouble.text and self.pending_bytes > MOST:
            raise JournalError(self._trouble.text)
        records = self._numbering.number(entries)
        if records:
            self._tail.extend(records)
            self._appended = records[-1].position
            self._tables += [record for record in records if record.kind is Body.TAGS]
            if self._ailing:
                self._seen.advance(self._appended)
            if not self._first:
                self._first, self._oldest = records[0].position, records[0].received
        if commit:
            self._cursors.take(commit)
        self._commits.add(records, commit)
        return records

    def leave_out(self, entries: Sequence[Entry]) -> list[Record]:
        return self._numbering.leave_out(entries)

    def sync_soon(self) -> None:
        if self._commits:
            self._commits.sync_soon()

    async def synced(self, position: int, *, now: bool = True) -> None:
        if now and self._commits and position > self._commits.handed:
            self._commits.sync_soon()
        await self._synced.reach(position)

    async def read(
        self, after: int, *, records: int = 1000, size: int = 1 << 20, ahead: bool = False
    ) -> list[Record]:
        after = max(after, self._floor)
        upto = max(self._synced.position, self._seen.position if ahead else 0)
        if after < self._tail.before:
            stored = await self._look_up(self._reader.read, after, upto, max(records, 1), size)
            if stored:
                return stored
        return self._tail.slice(max(after, self._floor), upto, records, size)

    async def wait(self, after: int, *, ahead: bool = False) -> int:
        progress = self._seen if ahead else self._synced
        await progress.reach(after + 1)
        return progress.position

    async def cursor(self, reader: str) -> tuple[int, dict[str, bytes]]:
        while self._commits and not (self._failed or self._ailing):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._commits.flush()
                    break
        if self._cursors.get(reader) is None:
            self._cursors.learn(reader, await self._look_up(self._reader.cursor, reader))
        return self._cursors.get(reader) or (0, {})

    def advance(self, position: int) -> None:
        if position > self._numbering.last:
            jump = (self._numbering.last + 1, position)
            self._damage.expect(*jump)
            self._declared([jump])
        self._numbering.advance(position)

    async def trim(self, upto: int) -> None:
        upto = min(upto, self._synced.position)
        if upto <= self._floor:
            return
        self._floor = upto
        self._tail.forget(upto)
        try:
            while not await self._run(self._writing, self._writer.trim, upto):
                pass  # syncs get their turn between the steps
            standing = await self._run(self._writing, self._writer.standing)
        except JournalError as error:
            self._stall(error.__cause__ or error)
            raise
        self._look()
        self._first, self._oldest = standing.first, standing.oldest
        if not self._first and (record := self._tail.oldest(self._floor)):
            self._first, self._oldest = record.position, record.received

    async def tables(self, epoch: int) -> list[Record]:
        return await self._look_up(self._reader.tables, epoch)

    def losses(self) -> list[Loss]:
        taken = self._damage.take(self._floor)
        self._declared((loss.first, loss.last) for loss in taken if loss.last)
        return taken

    def _declared(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Remembers over a restart that these are known to be missing."""
        states = {words_of(first, last): b"1" for first, last in ranges}
        if states and self._commits and not self._failed:
            self._commits.add((), Commit(DECLARED, 0, states))

    async def _recall(self) -> None:
        _, states = await self.cursor(DECLARED)
        self._damage.recall(states)

    def state(self) -> JournalState:
        return JournalState(
            first=self._first,
            appended=self._appended,
            synced=self._synced.position,
            bytes=self._writer.bytes,
            oldest=self._oldest,
            syncs=self._syncs,
            bytes_written=self._writer.written(),
            failed=self._failed or self._ailing,
            free=self._writer.free,
            records=self._numbering.records,
            samples=self._numbering.samples,
            taken=self._numbering.taken,
            damaged=self._damage.records,
            full=self._quota.full,
            limit=self._limit,
            room=self._quota.room,
        )

    def _stall(self, error: BaseException) -> None:
        """Nothing is written until the watch has found a way."""
        if self._commits:
            self._commits.pause()
        full = no_room(error, self._folder)
        self._trouble.met(error, f"{self._path}: {FULL if full else error}", not full)
        self._seen.advance(self._appended)

    async def _look_up(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A question to the file; a broken one is told to those who mend it. Raises JournalError."""
        try:
            return await self._run(self._reading, work, *args, **kwargs)
        except JournalError as error:
            if error.__cause__ and broken(error.__cause__) and not self._trouble.text:
                self._stall(error.__cause__)
            raise

    def _done(self, turn: Turn, problem: BaseException | None) -> None:
        """A turn has been written, or failed to."""
        if problem:
            self._stall(problem)
            return
        self._trouble.over()
        self._syncs += 1
        self._look()
        if turn.records:
            self._synced.advance(turn.records[-1].position)
            self._seen.advance(self._synced.position)
            self._tail.shrink(self._synced.position)
        if self._writing and self._writer.checkpoint_is_due:
            self._writing.submit(self._writer.checkpoint)  # should it fail, the next turn will

    def _fail(self, reason: str) -> None:
        """No more records are taken; whoever waits is told; what never reached the disk is dropped."""
        self._failed = reason
        self._synced.fail(reason)
        self._seen.fail(reason)
        self._tail.cut(self._synced.position)
        if self._commits:
            self._commits.stop(reason)

    async def _run(
        self,
        thread: ThreadPoolExecutor | None,
        work: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What `work` returns, from a thread. Raises JournalError for whatever the disk or SQLite says no to."""
        if thread is None:
            raise JournalError(self._failed)
        try:
            return await asyncio.wrap_future(thread.submit(work, *args, **kwargs))
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"{self._path}: {error}") from error
