"""Intake: takes deliveries into the open tail, each record once, and hands full tails over to be sealed.

At most one tail is frozen and waits for its seal; when the next one is full too, `deliver` waits. Records that can't be
read are set aside and noted, never a reason to stop.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Protocol

from bedplate.contracts import Delivery
from bedplate.errors import ProtocolError
from bedplate.model import Body, Record, TagTable
from bedplate.wire import decode_batch, decode_event
from bedplate_history.archive import Archive, Note
from bedplate_history.block import Block
from bedplate_history.tail import StoredEvent, Tail

MAX_REFUSED_KEPT = 1000


class Clock(Protocol):
    """The module `time`, or a `bedplate.testing.FakeClock`."""

    def time_ns(self) -> int: ...

    def monotonic(self) -> float: ...


class Intake:
    """What was delivered and is in no segment yet. lock: the archive's; it guards tail and frozen."""

    def __init__(self, archive: Archive, rows: int, clock: Clock, note: Note) -> None:
        self._archive = archive
        self._rows = rows
        self._clock = clock
        self._note = note
        self._taken = self._durable = archive.cursor
        self._refused = 0
        self.lock: threading.Condition = archive.lock
        self.tail = Tail(until=self._taken)
        self.frozen: Tail | None = None
        self.broken: BaseException | None = None

    def deliver(self, delivery: Delivery) -> int:
        """Takes what is new of it. Returns the position up to which all is in synced files. Raises OSError
        when the disk takes no more; the session is over then."""
        for record in delivery.records:
            if record.position > self._taken:
                self._take(record, delivery.table)
        with self.lock:
            self._taken = self.tail.until = max(self._taken, delivery.until)
            return self._durable_position()

    def blocks(self) -> list[Block]:
        """All samples that are in no segment, in the order of the journal within a type. Call with the lock held."""
        return [block for tail in (self.frozen, self.tail) if tail for block in tail.blocks()]

    def freeze(self) -> None:
        """The tail stands still from now on, a new one begins. Call with the lock held and nothing frozen."""
        self.tail.until = self._taken
        self.tail.blocks()  # joined now: from here on queries and the seal read it side by side
        self.frozen, self.tail = self.tail, Tail(until=self._taken)
        self.lock.notify_all()

    def _durable_position(self) -> int:
        """Also what held nothing for the history survives a crash, as long as nothing before it is in memory only."""
        self._check()
        nothing = self.tail.empty and self.frozen is None
        self._durable = max(self._durable, self._archive.cursor, self.tail.until if nothing else 0)
        return self._durable

    def _check(self) -> None:
        if self.broken is not None:
            if isinstance(self.broken, OSError):
                raise OSError(f"nothing can be sealed: {self.broken}") from self.broken
            raise RuntimeError("nothing can be sealed any more") from self.broken

    def _take(self, record: Record, table: TagTable) -> None:
        """Under the lock as a whole: a tail is never frozen between a record and its position."""
        with self.lock:
            try:
                self._add(record, table)
            except (ProtocolError, ValueError, KeyError) as error:
                self._set_aside(record, error)
            self._taken = record.position
            if self.tail.weight >= self._rows:
                self.lock.wait_for(lambda: self.frozen is None or self.broken is not None)
                self._check()
                self.freeze()

    def _add(self, record: Record, table: TagTable) -> None:
        if record.kind is Body.BATCH:
            batch = decode_batch(record.payload)
            if len(batch):
                tags = self._archive.tags.numbers(batch, record.epoch, table)
                self.tail.add(tags, batch, record)
                self._begin()
        elif record.kind is Body.EVENT:
            event = decode_event(record.payload)
            self.tail.events.append(StoredEvent.of(record.position, event, record.payload))
            self._begin()
        elif record.kind is Body.TAGS:
            self._archive.tags.refresh(record.epoch, table)

    def _begin(self) -> None:
        if self.tail.begun is None:
            self.tail.begun = self._clock.monotonic()
            self.lock.notify_all()

    def _set_aside(self, record: Record, error: Exception) -> None:
        """The record's body becomes a file. The first is noted; many are a broken producer, not many notes."""
        self._refused += 1
        if self._refused <= MAX_REFUSED_KEPT:
            file: Path = (
                self._archive.folder.aside / f"record-{record.position}.{record.kind.name.lower()}"
            )
            file.write_bytes(record.payload)
        if self._refused == 1:
            why = f"unknown handle {error}" if isinstance(error, KeyError) else str(error)
            self._note(
                f"record {record.position} of {record.stream} can't be kept ({why}): it is in "
                f"{self._archive.folder.aside}, and so are the next {MAX_REFUSED_KEPT} of this kind"
            )
