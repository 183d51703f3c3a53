"""The records of a Process ask as what an analytic takes: new samples of each path, in order, and events.

A path has one type within a stretch. Where its type changes a new stretch begins, so that nothing is converted and any
split of the same records gives the same results. Does not know assets or inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bedplate.contracts import Series
from bedplate.errors import ProtocolError
from bedplate.model import Batch, Body, DataType, Event, Record, Strings, TagTable
from bedplate.wire import decode_batch, decode_event


@dataclass(slots=True)
class Piece:
    """Samples of one path from one record."""

    data_type: DataType
    series: Series


@dataclass(slots=True)
class Run:
    """Records of one stretch. received: ns UTC of the last one."""

    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    received: int = 0

    def fits(self, fresh: dict[str, Piece]) -> bool:
        """Whether no path of these changes its type."""
        return all(
            path not in self.pieces or self.pieces[path][0].data_type is piece.data_type
            for path, piece in fresh.items()
        )

    def series(self) -> dict[str, Series]:
        return {path: joined([p.series for p in pieces]) for path, pieces in self.pieces.items()}


def runs(records: Iterable[Record], table: TagTable) -> Iterator[Run]:
    """The records as runs; at least one, also without records.

    Raises ProtocolError for a batch or an event that can't be decoded, and for a handle that no table named.
    """
    run = Run()
    for record in records:
        if record.kind is Body.EVENT:
            run.events.append(decode_event(record.payload))
        elif record.kind is Body.BATCH:
            fresh = _pieces(decode_batch(record.payload), record.received, table)
            if not run.fits(fresh):
                yield run
                run = Run()
            for path, piece in fresh.items():
                run.pieces.setdefault(path, []).append(piece)
        run.received = record.received
    yield run


def _pieces(batch: Batch, received: int, table: TagTable) -> dict[str, Piece]:
    tags, times, codes = batch.tags(), batch.times(), batch.qualities()
    arrived = np.full(len(batch), received, np.int64)
    found: dict[str, Piece] = {}
    for handle in np.unique(tags).tolist():
        if handle not in table:
            raise ProtocolError(f"a record uses handle {handle}, which no table named")
        index = np.flatnonzero(tags == handle)
        value = batch.value.take(index) if isinstance(batch.value, Strings) else batch.value[index]
        series = Series(times[index], value, codes[index], arrived[index])
        found[table[handle].path] = Piece(batch.data_type, series)
    return found


def joined(pieces: list[Series]) -> Series:
    """One series of several of one type."""
    if len(pieces) == 1:
        return pieces[0]
    values: list[Any] = [one.value for one in pieces]
    return Series(
        np.concatenate([one.time for one in pieces]),
        Strings.joined_of(values) if isinstance(values[0], Strings) else np.concatenate(values),
        np.concatenate([one.quality for one in pieces]),
        np.concatenate([one.received for one in pieces if one.received is not None]),
    )
