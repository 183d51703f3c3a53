"""Batch: columns of samples, all of one value type. Immutable; never a list of objects.

A batch has n samples. `tag` and `time` hold n entries or one that stands for all; `quality` and `server_time` may
be absent. Times are ns since 1970-01-01 UTC, int64; tags are handles of a TagTable, uint32.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # pragma: no cover
    import pandas
    import pyarrow

type_Column = Any  # an ndarray, or Strings


class DataType(enum.IntEnum):
    """Type of a value column; numbers as bedplate.record.v1.DataType."""

    UNSPECIFIED = 0
    FLOAT64 = 1
    INT64 = 2
    UINT64 = 3
    BOOL = 4
    TEXT = 5
    BLOB = 6

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """numpy dtype of the column; None for TEXT and BLOB, which are Strings."""
        return DTYPES.get(self)


DTYPES: dict[DataType, np.dtype[Any]] = {
    DataType.FLOAT64: np.dtype("<f8"),
    DataType.INT64: np.dtype("<i8"),
    DataType.UINT64: np.dtype("<u8"),
    DataType.BOOL: np.dtype("?"),
}


class Flag(enum.IntFlag):
    """What a StatusCode can't say, for a whole batch."""

    HISTORICAL = 1
    LATE = 2
    CLOCK_UNSYNCHRONISED = 4
    OVERFLOW = 8
    SUBSTITUTED = 16


@dataclass(frozen=True, slots=True, eq=False)
class Strings:
    """A column of texts or blobs: all bytes one after the other, and where each ends.

    joined: bytes; end: (n,) uint32, not decreasing, the last one is len(joined).
    """

    joined: bytes
    end: NDArray[np.uint32]
    text: bool = True

    @classmethod
    def of(cls, items: Iterable[str | bytes], *, text: bool = True) -> Strings:
        encoded = [item.encode() if isinstance(item, str) else item for item in items]
        lengths = np.fromiter(map(len, encoded), dtype=np.uint64, count=len(encoded))
        return cls(b"".join(encoded), np.cumsum(lengths).astype(np.uint32), text)

    def __len__(self) -> int:
        return len(self.end)

    def __getitem__(self, index: int) -> str | bytes:
        index = range(len(self.end))[index]
        start = int(self.end[index - 1]) if index else 0
        item = self.joined[start : int(self.end[index])]
        return item.decode("utf-8", "replace") if self.text else item

    def tolist(self) -> list[Any]:
        return [self[i] for i in range(len(self))]

    def take(self, index: NDArray[Any]) -> Strings:
        chosen = np.flatnonzero(index) if index.dtype == bool else index
        starts = np.concatenate(([0], self.end[:-1])) if len(self) else self.end
        parts = [self.joined[int(starts[i]) : int(self.end[i])] for i in chosen]
        return Strings.of(parts, text=self.text)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """n samples in columns.

    data_type: type of value · tag: (n,) or (1,) uint32 · time: (n,), (1,) or, from a plugin that lets the kernel
    stamp, (0,) int64 ns UTC, source time · value: (n,) float64, int64, uint64, bool, or Strings · quality: (n,)
    uint32 StatusCode, None: all Good · server_time: (n,) or (1,) int64 ns UTC, or None.
    """

    data_type: DataType
    tag: NDArray[np.uint32]
    time: NDArray[np.int64]
    value: type_Column
    quality: NDArray[np.uint32] | None = None
    server_time: NDArray[np.int64] | None = None
    flags: Flag = Flag(0)

    def __post_init__(self) -> None:
        n = len(self.value)
        lengths = (
            ("tag", len(self.tag), {n, 1}),
            ("time", len(self.time), {n, 1, 0}),
            ("quality", n if self.quality is None else len(self.quality), {n}),
            ("server_time", n if self.server_time is None else len(self.server_time), {n, 1}),
        )
        for name, length, allowed in lengths:
            if length not in allowed:
                raise ValueError(f"column {name} has {length} entries for {n} samples")

    @classmethod
    def of(
        cls,
        tag: Sequence[int] | NDArray[np.uint32],
        time: Sequence[int] | NDArray[np.int64],
        value: Any,
        quality: Any = None,
        *,
        data_type: DataType | None = None,
        **more: Any,
    ) -> Batch:
        """A batch from anything numpy takes; texts and bytes become Strings.

        Raises ValueError when columns disagree in length or the value type is none of DataType.
        """
        column, kind = as_column(value, data_type)
        codes = None if quality is None else np.ascontiguousarray(quality, dtype=np.uint32)
        return cls(
            kind,
            np.ascontiguousarray(tag, dtype=np.uint32),
            np.ascontiguousarray(time, dtype=np.int64),
            column,
            codes,
            **more,
        )

    def __len__(self) -> int:
        return len(self.value)

    def tags(self) -> NDArray[np.uint32]:
        """(n,) handles, a single one spread."""
        return spread(self.tag, len(self))

    def times(self) -> NDArray[np.int64]:
        """(n,) source times, a single one spread. Raises ValueError when the batch is not stamped yet."""
        return spread(self.time, len(self))

    def qualities(self) -> NDArray[np.uint32]:
        """(n,) StatusCodes; zeros when absent."""
        return np.zeros(len(self), np.uint32) if self.quality is None else self.quality

    def take(self, index: NDArray[Any]) -> Batch:
        """The samples that index (positions or a mask) names, in that order."""
        column = self.value.take(index) if isinstance(self.value, Strings) else self.value[index]
        return Batch(
            self.data_type,
            pick(self.tag, index, len(self)),
            pick(self.time, index, len(self)),
            column,
            None if self.quality is None else self.quality[index],
            None if self.server_time is None else pick(self.server_time, index, len(self)),
            self.flags,
        )

    def to_arrow(self) -> pyarrow.RecordBatch:
        """Columns tag, time (timestamp ns UTC), value, quality. Raises ImportError without pyarrow."""
        import pyarrow as pa

        value = self.value.tolist() if isinstance(self.value, Strings) else self.value
        stamps = pa.array(self.times(), pa.timestamp("ns", "UTC"))
        return pa.record_batch(
            [pa.array(self.tags()), stamps, pa.array(value), pa.array(self.qualities())],
            names=["tag", "time", "value", "quality"],
        )

    def to_pandas(self) -> pandas.DataFrame:
        """The same as a DataFrame. Raises ImportError without pandas."""
        import pandas as pd

        value = self.value.tolist() if isinstance(self.value, Strings) else self.value
        stamps = pd.to_datetime(self.times(), utc=True)
        columns = {"tag": self.tags(), "time": stamps, "value": value, "quality": self.qualities()}
        return pd.DataFrame(columns)


def spread(column: NDArray[Any], n: int) -> NDArray[Any]:
    if len(column) == n:
        return column
    if len(column) != 1:
        raise ValueError(f"column of {len(column)} entries for {n} samples")
    return np.full(n, column[0], column.dtype)


def pick(column: NDArray[Any], index: NDArray[Any], n: int) -> NDArray[Any]:
    return column[index] if len(column) == n else column


def as_column(value: Any, data_type: DataType | None = None) -> tuple[type_Column, DataType]:
    """A value column and its type. Raises ValueError when numpy finds no one type for it."""
    if isinstance(value, Strings):
        return value, DataType.TEXT if value.text else DataType.BLOB
    if data_type in (DataType.TEXT, DataType.BLOB):
        return Strings.of(value, text=data_type is DataType.TEXT), data_type
    wanted = None if data_type is None else data_type.dtype
    column = np.ascontiguousarray(value, dtype=wanted)
    kind = KINDS.get(column.dtype.kind)
    if kind is None:
        if column.dtype.kind in "US":
            return Strings.of(column.tolist(), text=column.dtype.kind == "U"), TEXTS[
                column.dtype.kind
            ]
        raise ValueError(f"no value type for numpy dtype {column.dtype}")
    return np.ascontiguousarray(column, dtype=DTYPES[kind]), kind


KINDS = {"f": DataType.FLOAT64, "i": DataType.INT64, "u": DataType.UINT64, "b": DataType.BOOL}
TEXTS = {"U": DataType.TEXT, "S": DataType.BLOB}
