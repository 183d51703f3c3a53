"""The order of a segment, by (path, time, position), and the tables that stand in it.

Memory is in the order of the journal, so each tag's samples are nearly always in order already: a radix sort by path
alone does, and only tags that are not in order then are sorted by time as well. Ties keep the order of the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bedplate.model import DataType
from bedplate_history.block import UNKNOWN, Block, as_arrow, concat
from bedplate_history.segment import ROW_GROUP, SCHEMA, TIMESTAMP, VALUES
from bedplate_history.tags import StoredTags


def by_type(blocks: Sequence[Block]) -> list[Block]:
    """One block for each type, in the order of the journal."""
    kinds = dict.fromkeys(block.data_type for block in blocks)
    return [concat([block for block in blocks if block.data_type is kind]) for kind in kinds]


def ranks(present: NDArray[np.bool_], tags: StoredTags) -> tuple[list[str], NDArray[np.uint32]]:
    """The paths that are present, sorted, and tag number → index of its path among them."""
    numbers = np.flatnonzero(present).tolist()
    paths = sorted({tags[number].path for number in numbers})
    index = {path: rank for rank, path in enumerate(paths)}
    rank = np.zeros(len(present), np.uint32)
    for number in numbers:
        rank[number] = index[tags[number].path]
    return paths, rank


def in_order(
    rank: NDArray[np.uint32], time: NDArray[np.int64], position: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint64]]:
    """Indices in the order of (rank, time, position), equal ones as they come; and the three columns in that order."""
    order = _radix(rank)
    r, t, p = rank[order], time[order], position[order]
    late = t[1:] < t[:-1]
    tied = np.flatnonzero(t[1:] == t[:-1])
    late[tied] = p[tied + 1] < p[tied]
    disordered = np.unique(r[1:][late & (r[1:] == r[:-1])])
    if len(disordered):
        where = np.flatnonzero(np.isin(r, disordered))
        better = where[np.lexsort((p[where], t[where], r[where]))]
        order[where], t[where], p[where] = order[better], t[better], p[better]
    return order, r, t, p


def _radix(rank: NDArray[np.uint32]) -> NDArray[np.int64]:
    """A stable argsort; numpy has a radix sort for 16 bits."""
    order = np.argsort(rank.astype(np.uint16), kind="stable")  # the low 16 bits
    if len(rank) and int(rank.max()) > 0xFFFF:
        high = (rank >> 16).astype(np.uint16)[order]
        order = order[np.argsort(high, kind="stable")]
    return order


def sorted_tables(
    blocks: Sequence[Block], paths: Sequence[str], rank: NDArray[np.uint32]
) -> Iterator[Any]:
    """Tables of SCHEMA, each a row group long, in order. blocks: one for each type, at least one."""
    columns = Columns(blocks, pa.array(paths, pa.string()), rank)
    for start in range(0, len(columns), ROW_GROUP):
        yield columns.table(start, start + ROW_GROUP)


class Columns:
    """Blocks of several types side by side: rows of the second follow those of the first, and so on."""

    def __init__(self, blocks: Sequence[Block], paths: Any, rank: NDArray[np.uint32]) -> None:
        self._blocks = {block.data_type: block for block in blocks}
        self._starts = dict(zip(self._blocks, np.cumsum([0, *map(len, blocks)]), strict=False))
        self._paths = paths
        ranked = _whole([rank[block.tag] for block in blocks])
        time = _whole([block.time for block in blocks])
        position = _whole([block.position for block in blocks])
        self._order, self._rank, self._time, self._position = in_order(ranked, time, position)
        self._quality = _whole([block.quality for block in blocks])
        self._server_time = _optional([block.server_time for block in blocks], blocks, UNKNOWN)
        self._flags = _optional([block.flags for block in blocks], blocks, 0)

    def __len__(self) -> int:
        return len(self._order)

    def table(self, start: int, end: int) -> Any:
        """The rows from start to end, in order."""
        rows = self._order[start:end]
        columns = {
            "path": self._path_column(self._rank[start:end]),
            "time": pa.array(self._time[start:end]).view(TIMESTAMP),
            **{VALUES[kind].name: self._values(kind, rows) for kind in VALUES},
            "quality": pa.array(self._quality[rows]),
            "server_time": _nullable(self._server_time, rows, UNKNOWN, pa.int64()).view(TIMESTAMP),
            "flags": _nullable(self._flags, rows, 0, pa.uint32()),
            "position": pa.array(self._position[start:end]),
        }
        return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)

    def _path_column(self, rank: NDArray[np.uint32]) -> Any:
        """Only the paths of these rows in the dictionary, since each row group is written with all of it."""
        first, last = int(rank[0]), int(rank[-1])
        names = self._paths.slice(first, last - first + 1)
        return pa.DictionaryArray.from_arrays(pa.array((rank - first).astype(np.int32)), names)

    def _values(self, kind: DataType, rows: NDArray[np.int64]) -> Any:
        block = self._blocks.get(kind)
        if block is None:
            return pa.nulls(len(rows), VALUES[kind].type)
        index = rows - self._starts[kind]
        other = (index < 0) | (index >= len(block))
        if not other.any():
            return as_arrow(block.value.take(index))
        if other.all():
            return pa.nulls(len(rows), VALUES[kind].type)
        return as_arrow(block.value).take(pa.array(index, mask=other))


def _whole(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _optional(columns: Sequence[NDArray[Any] | None], blocks: Sequence[Block], none: int) -> Any:
    """One column for all blocks, `none` where a block has none; None when no block has any."""
    dtype = next((column.dtype for column in columns if column is not None), None)
    if dtype is None:
        return None
    whole = (
        np.full(len(b), none, dtype) if c is None else c
        for c, b in zip(columns, blocks, strict=True)
    )
    return np.concatenate(list(whole))


def _nullable(column: Any, rows: NDArray[np.int64], none: int, kind: Any) -> Any:
    if column is None:
        return pa.nulls(len(rows), kind)
    chosen = column[rows]
    return pa.array(chosen, kind, mask=chosen == none)
