"""Tail: what was delivered and is in no file yet. Grows by whole records, is frozen whole, never changes after that.

Not thread-safe; the owner holds the lock. Nothing is done per sample: columns are collected in lists, and joined when
there are many, when a query looks, and when the tail is frozen; a block of less than BLOCK_ROWS takes up the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bedplate.model import Batch, DataType, Event, Record
from bedplate_history.block import Block, Gathering, concat

PIECES = 1024
"""Batches that wait to be joined; each holds its record's bytes, and many small ones more memory than their rows."""

BLOCK_ROWS = 65_536
SAMPLE_BYTES = 64


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the catalogue keeps it. payload: bytes of bedplate.record.v1.Event."""

    position: int
    source: str
    time: int
    kind: int
    payload: bytes

    @classmethod
    def of(cls, position: int, event: Event, payload: bytes) -> StoredEvent:
        return cls(position, event.source, event.time, int(event.kind), payload)


@dataclass(slots=True)
class Tail:
    """begun: monotonic seconds of the first record in it, None while empty · until: journal position up to which
    everything was offered · size: bytes of its records · received: newest arrival, ns UTC."""

    until: int
    begun: float | None = None
    rows: int = 0
    size: int = 0
    received: int = 0
    events: list[StoredEvent] = field(default_factory=list)
    _blocks: dict[DataType, list[Block]] = field(default_factory=dict)
    _gathering: dict[DataType, Gathering] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return self.begun is None

    @property
    def weight(self) -> int:
        """What it takes in memory, in samples of a number; large texts and blobs count for several."""
        return max(self.rows, self.size // SAMPLE_BYTES) + len(self.events)

    def add(self, tags: NDArray[np.uint32], batch: Batch, record: Record) -> None:
        """The batch of a record, its tags as numbers. Raises ValueError when its samples have no time."""
        kind = batch.data_type
        gathering = self._gathering.setdefault(kind, Gathering(kind))
        gathering.add(tags, batch, record.position)
        self.rows += len(batch)
        self.size += len(record.payload)
        self.received = max(self.received, record.received)
        if len(gathering.batches) >= PIECES:
            self._join(kind)

    def blocks(self) -> list[Block]:
        """All samples, within a type in the order of the journal."""
        for kind in list(self._gathering):
            self._join(kind)
        return [block for blocks in self._blocks.values() for block in blocks]

    def _join(self, kind: DataType) -> None:
        blocks = self._blocks.setdefault(kind, [])
        new = self._gathering.pop(kind).block()
        if blocks and len(blocks[-1]) < BLOCK_ROWS:
            new = concat((blocks.pop(), new))
        blocks.append(new)
