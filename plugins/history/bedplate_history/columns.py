"""Arrow columns of a result ⇄ batches, and the tables that statements find in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bedplate.model import Batch, DataType, Flag, Strings
from bedplate_history.segment import TIMESTAMP, VALUES


def memory_schema(data_type: DataType) -> Any:
    """Columns of an Arrow table that stands for samples in a statement."""
    return pa.schema(
        [
            ("tag", pa.uint32()),
            ("time", TIMESTAMP),
            ("value", VALUES[data_type].type),
            ("quality", pa.uint32()),
            ("position", pa.uint64()),
            ("row", pa.int64()),
            ("server_time", TIMESTAMP),
            ("flags", pa.uint32()),
        ]
    )


def memory_table(data_type: DataType, parts: Sequence[Any]) -> Any:
    """Tables or record batches of such columns as one table; None when they have no rows."""
    schema = memory_schema(data_type)
    tables = [pa.table(p.columns, names=p.schema.names).cast(schema) for p in parts if p.num_rows]
    return pa.concat_tables(tables) if tables else None


def batches_of(data_type: DataType, rows: Any) -> Iterator[Batch]:
    """Samples as batches, split where flags change or server times begin or end, which a batch has for all or none."""
    if not rows.num_rows:
        return
    server = rows.column("server_time")
    flags = pc.fill_null(rows.column("flags"), 0)
    if server.null_count == rows.num_rows and not pc.any(pc.not_equal(flags, 0)).as_py():
        yield batch_of(data_type, rows)
        return
    has, mark = server.is_valid().to_numpy(zero_copy_only=False), flags.to_numpy()
    changes = np.flatnonzero((has[1:] != has[:-1]) | (mark[1:] != mark[:-1])) + 1
    edges = [0, *changes.tolist(), rows.num_rows]
    for start, end in pairwise(edges):
        part = rows.slice(start, end - start)
        stamps = part.column("server_time").to_numpy() if has[start] else None
        yield batch_of(data_type, part, stamps, Flag(int(mark[start])))


def batch_of(
    data_type: DataType,
    rows: Any,
    server_time: NDArray[np.int64] | None = None,
    flags: Flag = Flag(0),
) -> Batch:
    """A batch of the first four columns: tag, time (int64 ns), value, quality."""
    tag, time, value, quality = (rows.column(index) for index in range(4))
    codes = quality.to_numpy()
    return Batch(
        data_type,
        tag.to_numpy(),
        time.to_numpy(),
        _value(data_type, value),
        codes if codes.any() else None,
        server_time,
        flags,
    )


def _value(data_type: DataType, column: Any) -> Any:
    if data_type not in (DataType.TEXT, DataType.BLOB):
        return column.to_numpy(zero_copy_only=False)
    large = column.cast(VALUES[data_type].type)
    _, offsets, joined = large.buffers()
    ends = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
    text = bytes(joined[int(ends[0]) : int(ends[-1])]) if joined else b""
    return Strings(text, (ends[1:] - ends[0]).astype(np.uint32), data_type is DataType.TEXT)


def text_bytes(batch: Batch) -> int:
    """Bytes of the texts or blobs of a batch; 0 for numbers."""
    return len(batch.value.joined) if isinstance(batch.value, Strings) else 0


def pieces(batch: Batch, size: int) -> Iterator[Batch]:
    """The batch in parts of at most so many bytes of text, but at least one sample each."""
    if text_bytes(batch) <= size:
        yield batch
        return
    start = 0
    while start < len(batch):
        before = int(batch.value.end[start - 1]) if start else 0
        end = int(np.searchsorted(batch.value.end, before + size, "right"))
        end = max(end, start + 1)
        yield batch.take(np.arange(start, end))
        start = end
