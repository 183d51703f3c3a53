"""Segment: a sealed Parquet file of samples, sorted by (path, time, position), and how one is written.

Every file has the same columns and names its tags by path, so that any tool reads it, alone or with the others. A file
appears under its name only whole: written as .tmp, synced, renamed, the folder synced.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bedplate.model import DataType

UNSET_NS: Final = 10 * 366 * 86_400_000_000_000
"""A newest sample so much older than its arrival has no time that anything should be thrown away by."""

ROW_GROUP = 131_072
"""Rows. A quarter of it made a query over 50 M samples two to three times as slow until the footers are cached."""

TIMESTAMP: Final = pa.timestamp("ns", "UTC")
VALUES: Final = {
    DataType.FLOAT64: pa.field("float64", pa.float64()),
    DataType.INT64: pa.field("int64", pa.int64()),
    DataType.UINT64: pa.field("uint64", pa.uint64()),
    DataType.BOOL: pa.field("bool", pa.bool_()),
    DataType.TEXT: pa.field("text", pa.large_string()),
    DataType.BLOB: pa.field("blob", pa.large_binary()),
}
SCHEMA: Final = pa.schema(
    [
        pa.field("path", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("time", TIMESTAMP, nullable=False),
        *VALUES.values(),
        pa.field("quality", pa.uint32(), nullable=False),
        pa.field("server_time", TIMESTAMP),
        pa.field("flags", pa.uint32()),
        pa.field("position", pa.uint64(), nullable=False),
    ]
)
ENCODINGS: Final = {
    "float64": "BYTE_STREAM_SPLIT",
    "int64": "DELTA_BINARY_PACKED",
    "uint64": "DELTA_BINARY_PACKED",
    "quality": "DELTA_BINARY_PACKED",
    "position": "DELTA_BINARY_PACKED",
}
SMALL: Final = ("quality", "position", "flags", "server_time", "bool")
"""Columns that are next to nothing once encoded: snappy, which costs less to set up for each page."""

ZSTD: Final = -1
"""Level. 10 % less time than 1 for the same bytes, measured on the mix of tests/bench_history.py."""

ABOUT: Final = b"bedplate.history"
"""Key of what a file says of itself, in its Parquet metadata."""
ABOUT_FACTS: Final = (
    *("first_position", "last_position", "cursor", "first_time", "last_time", "received", "rows"),
)
NAME: Final = re.compile(r"(\d{20})-(\d{20})\.parquet")


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed file. Positions and times are of its first and last samples, inclusive; cursor: everything up to this
    position is in this segment or an older one; received: newest arrival, ns UTC; size: bytes of the file;
    tags: bit set of tag numbers."""

    file: str
    first_position: int
    last_position: int
    cursor: int
    first_time: int
    last_time: int
    received: int
    rows: int
    size: int
    tags: bytes

    @property
    def newest(self) -> int:
        """The time that its age is counted from: of its newest sample, unless that is in the future, or so long ago
        that no clock was set: what a device says of 1970 it said when it came."""
        unset = self.last_time < self.received - UNSET_NS
        return self.received if unset else min(self.last_time, self.received)

    def tag_count(self) -> int:
        return int.from_bytes(self.tags, "little").bit_count()

    def numbers(self) -> NDArray[np.int64]:
        """Numbers of the tags that it has samples of."""
        bits = np.unpackbits(np.frombuffer(self.tags, np.uint8), bitorder="little")
        return np.flatnonzero(bits)

    def holds(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these tag numbers it has samples of."""
        bits = np.frombuffer(self.tags, np.uint8)
        inside = numbers < 8 * len(bits)
        found = np.zeros(len(numbers), np.bool_)
        wanted = numbers[inside]
        found[inside] = (bits[wanted >> 3] >> (wanted & 7)) & 1
        return found


def file_name(first_position: int, last_position: int) -> str:
    return f"{first_position:020d}-{last_position:020d}.parquet"


def bit_set(present: NDArray[np.bool_]) -> bytes:
    """present: (n,) whether tag number i is in it."""
    return np.packbits(present, bitorder="little").tobytes()


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class SegmentWriter:
    """Takes tables of SCHEMA in order; what comes out is under `name`, or nothing is."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder
        self._temporary = folder / f"{name}.tmp"
        self._writer: Any = None
        self._waiting: list[Any] = []
        self._waiting_rows = 0
        self.rows = 0

    def write(self, table: Any) -> None:
        """Raises OSError when the disk does not take it."""
        self.rows += table.num_rows
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= ROW_GROUP:
            whole = self._joined()
            self._waiting_rows = whole.num_rows % ROW_GROUP
            full = whole.num_rows - self._waiting_rows
            self._waiting = [whole.slice(full)] if self._waiting_rows else []
            self._put(whole.slice(0, full))

    def finish(self, segment: Segment) -> Segment:
        """Writes into the file what it holds, syncs it and gives it its name. Returns the segment with its bytes.
        Raises OSError."""
        if self._waiting_rows or self._writer is None:
            self._put(self._joined())
        about = {fact: getattr(segment, fact) for fact in ABOUT_FACTS}
        self._writer.add_key_value_metadata({ABOUT: json.dumps(about)})
        self._writer.close()
        with self._temporary.open("rb") as written:
            os.fsync(written.fileno())
        size = self._temporary.stat().st_size
        self._temporary.rename(self._folder / self.name)
        sync_folder(self._folder)
        return replace(segment, size=size)

    def discard(self) -> None:
        """Forgets all; harmless after `finish`."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()
        self._temporary.unlink(missing_ok=True)

    def _joined(self) -> Any:
        if len(self._waiting) == 1:
            return self._waiting[0]
        tables = self._waiting or [SCHEMA.empty_table()]
        return pa.concat_tables(tables).unify_dictionaries()

    def _put(self, table: Any) -> None:
        if self._writer is None:
            self._writer = _open(self._temporary, table)
        self._writer.write_table(table, row_group_size=ROW_GROUP)


def _open(file: Path, sample: Any) -> Any:
    shared = _times_repeat(sample)
    encodings = dict(ENCODINGS) if shared else {**ENCODINGS, "time": "DELTA_BINARY_PACKED"}
    return pq.ParquetWriter(
        file,
        SCHEMA,
        compression={n: "snappy" if n in SMALL else "zstd" for n in SCHEMA.names},
        compression_level={n: ZSTD for n in SCHEMA.names if n not in SMALL},
        use_dictionary=["path", "text", *(["time"] if shared else [])],
        column_encoding=encodings,
        write_statistics=["path", "time"],
        write_page_checksum=True,
        write_batch_size=ROW_GROUP,
    )


def _times_repeat(sample: Any) -> bool:
    """Whether many tags share their times, as when one scan stamps them all: then a dictionary takes 0.2 bytes a sample
    where differences take 2.9. Not when the times are so even that differences take nothing."""
    times = sample.column("time").slice(0, ROW_GROUP).cast(pa.int64()).to_numpy()
    if len(times) < 2 or len(np.unique(times)) * 4 > len(times):
        return False
    return len(np.unique(np.diff(times))) * 16 > len(np.unique(times))
