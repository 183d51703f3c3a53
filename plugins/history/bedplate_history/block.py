"""Block: samples of one value type in columns, in the order of the journal. Immutable; what memory holds of history.

Numeric values stay numpy; texts and blobs are Arrow arrays, since both sort and write them without touching a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bedplate.model import Batch, DataType, Strings

UNKNOWN = np.iinfo(np.int64).min
"""In a column of server times: there is none. As a timestamp it is numpy's and Arrow's null."""

EARLIEST, LATEST = -(2**62), 2**63 - 3
"""Source times are held within these, November 1823 to April 2262: so the begin of a window never underflows, and
DuckDB takes none for infinity."""

WIDEST = 2**62
"""Largest window, ns."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """n samples. tag: (n,) uint32 numbers of StoredTags · time, server_time: (n,) int64 ns UTC · value:
    ndarray or Arrow array · quality: (n,) uint32 · position: (n,) uint64 · flags: (n,) uint32.
    server_time and flags are None when no sample has any."""

    data_type: DataType
    tag: NDArray[np.uint32]
    time: NDArray[np.int64]
    value: Any
    quality: NDArray[np.uint32]
    position: NDArray[np.uint64]
    server_time: NDArray[np.int64] | None = None
    flags: NDArray[np.uint32] | None = None
    first_time: int = field(init=False)
    last_time: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_time", int(self.time.min()) if len(self) else 0)
        object.__setattr__(self, "last_time", int(self.time.max()) if len(self) else 0)

    def __len__(self) -> int:
        return len(self.tag)

    def take(self, index: NDArray[Any]) -> Block:
        return Block(
            self.data_type,
            self.tag[index],
            self.time[index],
            self.value.take(index),
            self.quality[index],
            self.position[index],
            None if self.server_time is None else self.server_time[index],
            None if self.flags is None else self.flags[index],
        )


@dataclass(slots=True)
class Gathering:
    """Batches of one type on their way into a block: lists of columns, nothing copied yet."""

    data_type: DataType
    tags: list[NDArray[np.uint32]] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def add(self, tags: NDArray[np.uint32], batch: Batch, position: int) -> None:
        """tags: (n,) or (1,) numbers. Raises ValueError when the batch has no times."""
        if len(batch.time) not in {1, len(batch)}:
            raise ValueError("its samples have no time")
        self.tags.append(tags)
        self.batches.append(batch)
        self.positions.append(position)

    def block(self) -> Block:
        batches = self.batches
        lengths = np.fromiter(map(len, batches), np.int64, len(batches))
        time = np.concatenate([b.times() for b in batches])
        return Block(
            self.data_type,
            np.concatenate([spread(t, len(b)) for t, b in zip(self.tags, batches, strict=True)]),
            np.clip(time, EARLIEST, LATEST),
            join([arrow_or_numpy(b.value) for b in batches]),
            np.concatenate([b.qualities() for b in batches]),
            np.repeat(np.array(self.positions, np.uint64), lengths),
            self._server_times(),
            self._flags(lengths),
        )

    def _server_times(self) -> NDArray[np.int64] | None:
        if all(b.server_time is None for b in self.batches):
            return None
        none = np.array([UNKNOWN], np.int64)
        columns = (none if b.server_time is None else b.server_time for b in self.batches)
        return np.concatenate(
            [spread(c, len(b)) for c, b in zip(columns, self.batches, strict=True)]
        )

    def _flags(self, lengths: NDArray[np.int64]) -> NDArray[np.uint32] | None:
        flags = np.array([int(b.flags) for b in self.batches], np.uint32)
        return np.repeat(flags, lengths) if flags.any() else None


def concat(blocks: Sequence[Block]) -> Block:
    """One block of at least one, all of one type."""
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        blocks[0].data_type,
        np.concatenate([b.tag for b in blocks]),
        np.concatenate([b.time for b in blocks]),
        join([b.value for b in blocks]),
        np.concatenate([b.quality for b in blocks]),
        np.concatenate([b.position for b in blocks]),
        _join_optional([b.server_time for b in blocks], blocks, np.int64(UNKNOWN)),
        _join_optional([b.flags for b in blocks], blocks, np.uint32(0)),
    )


def _join_optional(columns: Sequence[Any], blocks: Sequence[Block], missing: Any) -> Any:
    if all(column is None for column in columns):
        return None
    whole = [
        np.full(len(b), missing) if c is None else c for c, b in zip(columns, blocks, strict=True)
    ]
    return np.concatenate(whole)


def spread(column: NDArray[Any], n: int) -> NDArray[Any]:
    return column if len(column) == n else np.full(n, column[0], column.dtype)


def join(columns: Sequence[Any]) -> Any:
    return (
        np.concatenate(columns) if isinstance(columns[0], np.ndarray) else pa.concat_arrays(columns)
    )


def arrow_or_numpy(column: Any) -> Any:
    """A value column as a block holds it; texts and blobs become Arrow arrays without a copy of their bytes."""
    if not isinstance(column, Strings):
        return column
    offsets = np.concatenate((np.zeros(1, np.int64), column.end.astype(np.int64)))
    kind = pa.large_string() if column.text else pa.large_binary()
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(column.joined)]
    return pa.Array.from_buffers(kind, len(column), buffers)


def as_arrow(column: Any) -> Any:
    return pa.array(column) if isinstance(column, np.ndarray) else column
