"""A disk that does what disks do, decided by a seed: it is slow, full, loses what was not synced, fails a sync.

It holds the journal's file (`File`) as SQLite would: a transaction is there or not. A sync that failed leaves what was
written in the page cache: later reads see it, later syncs say that all is well, and a crash takes it with all that came
after. Only a new file helps. That is what Linux does (fsyncgate).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from copy import copy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bedplate.errors import JournalError
from bedplate.journal.turn import Turn
from bedplate.journal.writer import Standing
from bedplate.model import Body, Record

PAGES, RECORD = 4096, 100  # bytes of an empty file, and of a record besides its payload


@dataclass
class File:
    """What one journal file holds. records: by position."""

    records: dict[int, Record] = field(default_factory=dict)
    tags: dict[int, Record] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    states: dict[str, dict[str, bytes]] = field(default_factory=dict)
    epoch: int = 0
    floor: int = 0
    newest: int = 0
    size: int = PAGES

    def copied(self) -> File:
        one = copy(self)
        one.records, one.tags = dict(self.records), dict(self.tags)
        one.cursors = dict(self.cursors)
        one.states = {reader: dict(states) for reader, states in self.states.items()}
        return one

    def take(self, turn: Turn) -> None:
        for record in turn.records:
            self.records[record.position] = record
            self.size += len(record.payload) + RECORD
            self.newest = max(self.newest, record.position)
            if record.kind is Body.TAGS:
                self.tags[record.position] = record
        self.cursors.update(turn.cursors)
        for (reader, key), state in turn.states.items():
            states = self.states.setdefault(reader, {})
            self.size += len(state) - len(states.get(key, b""))
            states[key] = state
            if not state:
                del states[key]

    def trim(self, upto: int) -> None:
        self.floor = max(self.floor, upto)
        for position in [p for p in self.records if p <= upto]:
            self.size -= len(self.records.pop(position).payload) + RECORD
        oldest = min(self.records, default=0)
        held = self.records[oldest].epoch if oldest else self.epoch
        self.tags = {p: r for p, r in self.tags.items() if r.epoch >= held}


class VirtualDisk:
    """One journal's disk over all lives of its kernel. Faults are set from outside.

    slow: s that a sync may take at most · fail: syncs that are to fail · full: no room · capacity: bytes."""

    def __init__(self, dice: Random, capacity: int = 64 << 20) -> None:
        self.dice, self.capacity = dice, capacity
        self.slow, self.fail, self.full = 0.004, 0, False
        self.file = File()  # as everybody sees it
        self._kept: File | None = None  # as a crash leaves it, where that differs
        self.owned = False
        self.written: Callable[[Record], None] = lambda record: None  # hears of what is on disk
        self.syncs = self.failures = self.renewals = 0
        self.again = 0  # writes to a file whose sync had failed

    def crash(self) -> None:
        """Power goes, or the owner is killed: what was not synced is gone."""
        if self._kept is not None:
            self.file, self._kept = self._kept, None
        self.owned = False

    def write(self, turn: Turn) -> None:
        """A transaction and its sync. Raises sqlite3.Error."""
        if self.full:
            raise _error("database or disk is full", sqlite3.SQLITE_FULL)
        poisoned = self._kept is not None
        if self.fail > 0 and not poisoned:
            self.fail -= 1
            self.failures += 1
            self._kept = self.file.copied()
            self.file.take(turn)
            raise _error("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC)
        self.syncs += 1
        self.again += poisoned
        self.file.take(turn)
        for record in turn.records:
            self.written(record)

    def change(self, change: Callable[[File], None]) -> None:
        """A small transaction. Raises sqlite3.Error."""
        if self.full:
            raise _error("database or disk is full", sqlite3.SQLITE_FULL)
        change(self.file)

    def renew(self, before: int, known: Sequence[Record], tables: Sequence[Record]) -> None:
        """What can be read goes on in a new file, synced as a whole. Raises sqlite3.Error."""
        if self.full:
            raise _error("database or disk is full", sqlite3.SQLITE_FULL)
        if self.fail > 0:
            self.fail -= 1
            raise _error("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC)
        new = self.file.copied()
        upto = known[-1].position if known else before  # as `bedplate.journal.rescue` does
        new.records = {p: r for p, r in new.records.items() if p <= before or p > upto}
        new.records |= {record.position: record for record in known}
        new.size = PAGES + sum(len(r.payload) + RECORD for r in new.records.values())
        new.tags |= {record.position: record for record in tables}
        self.file, self._kept = new, None
        self.renewals += 1

    def free(self, folder: Any = None) -> tuple[int, int]:
        left = 0 if self.full else self.capacity - self.file.size
        return max(0, left), self.capacity


def _error(text: str, code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


class DiskWriter:
    """The same surface as `bedplate.journal.writer.Writer`."""

    checkpoint_is_due = False

    def __init__(self, disk: VirtualDisk) -> None:
        self._disk = disk
        self._open = False
        self._broken = ""
        self._epoch = 0

    @property
    def bytes(self) -> int:
        return self._disk.file.size

    used = bytes
    free = 0

    def open(self, now: int) -> Standing:
        self.connect()
        self._epoch = max(self._disk.file.epoch + 1, now)
        self._disk.change(lambda file: setattr(file, "epoch", self._epoch))
        self._disk.change(lambda file: file.trim(file.floor))
        return self.standing()

    def connect(self) -> None:
        self._open, self._broken = True, ""

    def disconnect(self) -> None:
        self._open = False

    close = disconnect

    def standing(self) -> Standing:
        file = self._disk.file
        first = min(file.records, default=0)
        newest = max((*file.records, file.floor))
        oldest = file.records[first].received if first else 0
        return Standing(self._epoch, newest, first, oldest, file.floor)

    def write(self, turn: Turn) -> None:
        self._try(self._disk.write, turn)

    def trim(self, upto: int) -> bool:
        self._try(self._disk.change, lambda file: file.trim(upto))
        return True

    def _try(self, work: Callable[[Any], None], what: Any) -> None:
        if not self._open or self._broken:
            raise sqlite3.OperationalError(self._broken or "the journal is not open")
        try:
            work(what)
        except sqlite3.Error as error:
            self._broken = str(error)
            raise

    def checkpoint(self) -> None:
        """There is no log."""

    def written(self) -> int:
        return self._disk.syncs * PAGES


class DiskReader:
    """The same surface as `bedplate.journal.reader.Reader`."""

    def __init__(self, disk: VirtualDisk) -> None:
        self._disk = disk

    def open(self) -> None:
        """Nothing to be done."""

    close = open

    def read(self, after: int, upto: int, records: int, size: int) -> list[Record]:
        file = self._disk.file
        found: list[Record] = []
        for position in sorted(p for p in file.records if after < p <= upto):
            found.append(file.records[position])
            size -= len(file.records[position].payload)
            if len(found) >= records or size <= 0:
                break
        return found

    def tables(self, epoch: int) -> list[Record]:
        tags = self._disk.file.tags
        return [tags[p] for p in sorted(tags) if tags[p].epoch == epoch]

    def cursor(self, reader: str) -> tuple[int, dict[str, Any]]:
        file = self._disk.file
        return file.cursors.get(reader, 0), dict(file.states.get(reader, {}))


class VirtualThread:
    """The same surface as an executor of one thread, on the loop: one thing at a time, each after a while.

    What it does happens at one moment, and its caller hears of it at a later one: who is killed between the two has
    something on disk that nobody was told of."""

    def __init__(self, delay: Callable[[], float]) -> None:
        self._delay = delay
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._busy = self._over = False

    def submit(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        if self._over:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[Any] = Future()
        self._jobs.append((future, lambda: work(*args, **kwargs)))
        self._next()
        return future

    def _next(self) -> None:
        if self._jobs and not self._busy:
            self._busy = True
            asyncio.get_running_loop().call_later(self._delay(), self._do)

    def _do(self) -> None:
        if not self._jobs:  # a shutdown did them
            self._busy = False
            return
        future, work = self._jobs.popleft()
        outcome = _tried(work)
        asyncio.get_running_loop().call_later(self._delay() / 2, self._told, future, outcome)

    def _told(self, future: Future[Any], outcome: tuple[Any, BaseException | None]) -> None:
        self._busy = False
        _settle(future, outcome)
        self._next()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._over = True
        while wait and self._jobs:
            future, work = self._jobs.popleft()
            _settle(future, _tried(work))


def _tried(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except (sqlite3.Error, OSError, JournalError) as error:
        return None, error


def _settle(future: Future[Any], outcome: tuple[Any, BaseException | None]) -> None:
    result, error = outcome
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
