"""What a reader wants of the journal, resolved once per change of the tables to all, none or a mask.

Handles belong to an epoch. Records of an older epoch, which a reader meets after a restart, are read with the tables
the journal kept for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from bedplate.journal.engine import Engine
from bedplate.model import Body, Record, TagInfo, TagTable
from bedplate.record.v1 import record_pb2
from bedplate.wire import decode_batch, decode_table, encode_batch, table_message, twin

Wants = Callable[[str], bool]


def is_past(stream: str) -> bool:
    """Whether it holds what was fetched afterwards."""
    return stream.endswith("/backfill")


def table_of(records: Iterable[Record], epoch: int) -> TagTable:
    """The table that these records of kind TAGS make."""
    table = TagTable(epoch)
    for record in records:
        for tag in decode_table(record.payload):
            table.put(tag)
    return table


class Subscription:
    """One reader's choice. wants: whether a path is wanted; events: whether events are, by stream; gaps: whether losses
    are, of streams of which something is wanted; past: whether what was fetched of a time that is over is."""

    def __init__(
        self,
        wants: Wants,
        *,
        all_: bool = False,
        events: Wants = lambda stream: False,
        gaps: bool = False,
        past: bool = False,
    ) -> None:
        self._wants = wants
        self._past = past
        self._gaps = gaps
        self._all = all_
        self._events = events
        self._epoch = 0
        self._table = TagTable(0)
        self._mask = np.zeros(0, bool)
        self._streams: dict[str, bool] = {}
        self._untold: dict[str, list[TagInfo]] = {}

    def again(self) -> Subscription:
        """The same choice for a reader that has been told nothing yet."""
        return Subscription(
            self._wants, all_=self._all, events=self._events, gaps=self._gaps, past=self._past
        )

    @property
    def table(self) -> TagTable:
        """Of the epoch that it reads. Not to be changed."""
        return self._table

    def decide(self, wants: Wants, *, all_: bool) -> None:
        """Another choice from now on. Who was told of a handle that is wanted still is not told again."""
        told, untold = self._mask, {t.handle for tags in self._untold.values() for t in tags}
        self._wants, self._all = wants, all_
        self._mask, self._streams, self._untold = np.zeros(0, bool), {}, {}
        self.refresh()
        for stream, tags in self._untold.items():
            self._untold[stream] = [
                tag
                for tag in tags
                if tag.handle in untold or tag.handle >= len(told) or not told[tag.handle]
            ]

    async def turn(self, epoch: int, live: TagTable, engine: Engine) -> None:
        """Goes on with records of this epoch."""
        if epoch != self._epoch:
            table = live if epoch == live.epoch else table_of(await engine.tables(epoch), epoch)
            self._epoch, self._table = epoch, table
            self._mask, self._streams, self._untold = np.zeros(0, bool), {}, {}
        self.refresh()

    def use(self, table: TagTable) -> None:
        """The same for the present epoch, whose table grows as it goes."""
        self._epoch, self._table = table.epoch, table
        self.refresh()

    def wanted(self, tag: TagInfo) -> bool:
        """Whether what is current of it is wanted."""
        return self._all or self._wants(tag.path)

    def refresh(self) -> None:
        """Decides the handles that are new since the last time."""
        known, limit = len(self._mask), self._table.limit
        if limit <= known:
            return
        fresh = np.zeros(limit - known, bool)
        for handle in range(max(known, 1), limit):
            if handle not in self._table:
                continue
            tag = self._table[handle]
            wanted = self._all or self._wants(tag.path)
            wanted = wanted and (self._past or not is_past(tag.stream))
            fresh[handle - known] = wanted
            self._streams[tag.stream] = self._streams.get(tag.stream, False) or wanted
            if wanted:
                self._untold.setdefault(tag.stream, []).append(tag)
        self._mask = np.concatenate((self._mask, fresh))

    def choose(self, record: Record, batch: Any = None) -> Record | None:
        """The record as this reader gets it: whole, masked, or not at all. batch: its columns, if at hand."""
        if record.kind is Body.EVENT:
            return record if self._events(record.stream) else None
        if record.kind is Body.GAP:
            return record if self._gaps and self.wants_gap(record) else None
        if record.kind is not Body.BATCH or (
            not self._all and not self._streams.get(record.stream)
        ):
            return None
        if self._all:
            return record if self._past or not is_past(record.stream) else None
        batch = batch or decode_batch(record.payload)
        wanted = self._mask[batch.tags()]
        if wanted.all():
            return record
        return _masked(record, batch, wanted) if wanted.any() else None

    def wants_gap(self, record: Record) -> bool:
        """Whether it is a loss declared in a stream of which something is wanted."""
        return record.kind is Body.GAP and (self._all or self._streams.get(record.stream, False))

    def tables(self, records: Iterable[Record]) -> list[Any]:
        """Tables (twin messages) of the handles that these records bring and the reader was not told of yet."""
        streams = {r.stream for r in records if r.kind is Body.BATCH}
        fresh = {stream: self._untold.pop(stream) for stream in streams if self._untold.get(stream)}
        return [
            twin(record_pb2.TagTable).FromString(
                table_message(self._epoch, stream, tags).SerializeToString()
            )
            for stream, tags in fresh.items()
        ]


def _masked(record: Record, batch: Any, wanted: Any) -> Record:
    payload = encode_batch(batch.take(wanted))
    return replace(record, payload=payload, crc=0, samples=int(wanted.sum()))
