"""Merging: several segments, next to each other in the journal, become one of the same samples.

They are read a row group at a time and joined path by path, so memory holds a few row groups of each, however large
the result. It goes step by step, so that a seal that falls due need not wait for the end.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import pyarrow as pa

from bedplate_history.folder import Folder
from bedplate_history.segment import SCHEMA, Segment, SegmentWriter, file_name

Key = tuple[int, int]  # rank of a path, time


class Unreadable(Exception):
    """A segment can't be read. why: in words."""

    def __init__(self, segment: Segment, why: str) -> None:
        super().__init__(why)
        self.segment = segment
        self.why = why


class Run:
    """One segment on its way into a merge: rows that were read and not yet written, in order."""

    def __init__(self, segment: Segment, file: Any, ranks: dict[str, int]) -> None:
        self._segment = segment
        self._file = file
        self._ranks = ranks
        self._next = 0
        self.table = SCHEMA.empty_table()
        self.rank = np.empty(0, np.int64)
        self.time = np.empty(0, np.int64)

    @property
    def more(self) -> bool:
        return self._next < int(self._file.num_row_groups)

    def __len__(self) -> int:
        return len(self.rank)

    def last(self) -> Key:
        return int(self.rank[-1]), int(self.time[-1])

    def load(self) -> None:
        """One row group more. Raises Unreadable."""
        try:
            table = self._file.read_row_group(self._next)
        except (OSError, pa.ArrowException) as error:
            raise Unreadable(self._segment, f"can't be read: {error}") from error
        self._next += 1
        path = table.column("path").combine_chunks()
        rank = np.array([self._ranks[name] for name in path.dictionary.to_pylist()], np.int64)
        time = table.column("time").cast(pa.int64()).to_numpy()
        self.table = pa.concat_tables([self.table, table.cast(SCHEMA)])
        self.rank = np.concatenate((self.rank, rank[path.indices.to_numpy()]))
        self.time = np.concatenate((self.time, time))

    def before(self, key: Key | None) -> int:
        """How many rows are before this key; all of them before None."""
        if key is None:
            return len(self)
        low, high = (
            np.searchsorted(self.rank, key[0], "left"),
            np.searchsorted(self.rank, key[0], "right"),
        )
        return int(low + np.searchsorted(self.time[low:high], key[1], "left"))

    def cut(self, rows: int) -> tuple[Any, Any, Any]:
        """Takes the first rows out: table, ranks and times."""
        taken = self.table.slice(0, rows), self.rank[:rows], self.time[:rows]
        self.table, self.rank, self.time = (
            self.table.slice(rows),
            self.rank[rows:],
            self.time[rows:],
        )
        return taken


def merge(
    folder: Folder, segments: Sequence[Segment], paths: Sequence[str]
) -> Generator[Segment | None]:
    """Yields None after each step, then the merged segment, its file synced. segments: in the order of the journal;
    paths: all they hold. Closed early, or on any exception, it leaves no file. Raises Unreadable, OSError."""
    result = _described(segments)
    ranks = {path: rank for rank, path in enumerate(sorted(set(paths)))}
    writer = SegmentWriter(folder.samples, result.file)
    with ExitStack() as stack:
        stack.callback(writer.discard)
        runs = [
            Run(one, stack.enter_context(closing(_open(folder, one))), ranks) for one in segments
        ]
        for table in _joined(runs):
            writer.write(table)
            yield None
        yield writer.finish(result)


def _open(folder: Folder, segment: Segment) -> Any:
    try:
        return folder.parquet(segment.file)
    except (OSError, pa.ArrowException) as error:
        raise Unreadable(segment, f"can't be read: {error}") from error


def _joined(runs: Sequence[Run]) -> Iterator[Any]:
    """Tables that, one after the other, hold the rows of all runs in order."""
    while True:
        for run in runs:
            if not len(run) and run.more:
                run.load()
        if not any(map(len, runs)):
            return
        # What a run has not read yet is not before its last row, so all rows before the least of these are complete.
        limits = [run.last() for run in runs if run.more]
        limit = min(limits, default=None)
        parts = [run.cut(rows) for run in runs if (rows := run.before(limit))]
        if parts:
            yield _in_order(parts)
        else:
            for run in runs:
                if run.more and run.last() == limit:
                    run.load()


def _in_order(parts: Sequence[tuple[Any, Any, Any]]) -> Any:
    """Rows of several runs as one table. A stable sort: runs come in the order of the journal, ties stay in it."""
    table = pa.concat_tables([part[0] for part in parts]).unify_dictionaries()
    if len(parts) == 1:
        return table
    rank = np.concatenate([part[1] for part in parts])
    time = np.concatenate([part[2] for part in parts])
    return table.take(pa.array(np.lexsort((time, rank)))).combine_chunks()


def _described(segments: Sequence[Segment]) -> Segment:
    first, last = segments[0].first_position, segments[-1].last_position
    tags = 0
    for segment in segments:
        tags |= int.from_bytes(segment.tags, "little")
    return Segment(
        file=file_name(first, last),
        first_position=first,
        last_position=last,
        cursor=max(segment.cursor for segment in segments),
        first_time=min(segment.first_time for segment in segments),
        last_time=max(segment.last_time for segment in segments),
        received=max(segment.received for segment in segments),
        rows=sum(segment.rows for segment in segments),
        size=0,
        tags=tags.to_bytes(max(len(segment.tags) for segment in segments), "little"),
    )
