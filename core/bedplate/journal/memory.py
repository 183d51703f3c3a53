"""An engine that keeps everything in memory: for tests, and to measure what the disk costs.

What is appended counts as synced, and survives `close` and `open` of the same object, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from bedplate.clock import Clock
from bedplate.errors import JournalError
from bedplate.journal.engine import Commit, Entry, JournalState, Loss
from bedplate.journal.numbering import Numbering
from bedplate.journal.progress import Progress
from bedplate.journal.tail import Tail
from bedplate.model import Body, Record


class MemoryEngine:
    """An `Engine` (see there). keep: bytes of memory above which it forgets its oldest records; None: never."""

    pending_bytes = 0
    backlogged = False
    held = leaves_out = ""
    spent = False

    def __init__(self, *, clock: Clock, keep: int | None = None) -> None:
        self.epoch = 0
        self._clock = clock
        self._failed = "the journal is not open"
        self._numbering = Numbering(0, 0)
        self._synced = Progress()
        self._tail = Tail(0, keep)
        self._tags: list[Record] = []
        self._cursors: dict[str, int] = {}
        self._states: dict[str, dict[str, bytes]] = {}

    async def open(self) -> None:
        if not self._failed:
            raise JournalError("the journal is open already")
        self.epoch = max(self.epoch + 1, self._clock.time_ns())
        self._numbering = Numbering(self.epoch, self._synced.position)
        self._synced = Progress(self._synced.position)
        self._forget_tables()
        self._failed = ""

    async def close(self) -> None:
        self._failed = "the journal is closed"
        self._synced.fail(self._failed)

    def append(self, entries: Sequence[Entry], commit: Commit | None = None) -> list[Record]:
        if self._failed:
            raise JournalError(self._failed)
        records = self._numbering.number(entries)
        if commit is not None:
            self._keep(commit)
        if records:
            self._tail.extend(records)
            self._tags += [record for record in records if record.kind is Body.TAGS]
            self._synced.advance(records[-1].position)
            self._tail.shrink(self._synced.position)
        return records

    def _keep(self, commit: Commit) -> None:
        self._cursors[commit.reader] = commit.position
        states = self._states.setdefault(commit.reader, {})
        states.update(commit.states)
        for key, state in commit.states.items():
            if not state:
                del states[key]

    def leave_out(self, entries: Sequence[Entry]) -> list[Record]:
        return self._numbering.leave_out(entries)

    def sync_soon(self) -> None:
        """Everything is."""

    async def synced(self, position: int, *, now: bool = True) -> None:
        await self._synced.reach(position)

    async def read(
        self, after: int, *, records: int = 1000, size: int = 1 << 20, ahead: bool = False
    ) -> list[Record]:
        return self._tail.slice(after, self._synced.position, records, size)

    async def wait(self, after: int, *, ahead: bool = False) -> int:
        await self._synced.reach(after + 1)
        return self._synced.position

    async def cursor(self, reader: str) -> tuple[int, dict[str, bytes]]:
        return self._cursors.get(reader, 0), dict(self._states.get(reader, {}))

    def advance(self, position: int) -> None:
        self._numbering.advance(position)

    async def trim(self, upto: int) -> None:
        self._tail.forget(min(upto, self._synced.position))
        self._forget_tables()

    def _forget_tables(self) -> None:
        oldest = self._tail.oldest(0)
        held = oldest.epoch if oldest else self.epoch
        self._tags = [record for record in self._tags if record.epoch >= held]

    async def tables(self, epoch: int) -> list[Record]:
        return [record for record in self._tags if record.epoch == epoch]

    def losses(self) -> list[Loss]:
        return []

    def state(self) -> JournalState:
        oldest = self._tail.oldest(0)
        return JournalState(
            first=oldest.position if oldest else 0,
            appended=self._synced.position,
            synced=self._synced.position,
            bytes=self._tail.size,
            oldest=oldest.received if oldest else 0,
            syncs=0,
            bytes_written=0,
            failed=self._failed,
            records=self._numbering.records,
            samples=self._numbering.samples,
            taken=self._numbering.taken,
        )
