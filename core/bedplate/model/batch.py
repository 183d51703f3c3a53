"""Batch: columns of samples, all of one value type. Immutable, its arrays read-only; never a list of objects.

A batch has n samples. `tag` and `time` hold n entries or one that stands for all; `quality` and `server_time` may
be absent. Times are ns since 1970-01-01 UTC, int64; tags are handles of a TagTable, uint32.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bedplate.model.column import DTYPES, DataType, as_column, exact, pick, spread, type_Column
from bedplate.model.strings import Strings

if TYPE_CHECKING:  # pragma: no cover
    import pandas
    import pyarrow

U4, I8 = np.dtype(np.uint32), np.dtype(np.int64)


class Flag(enum.IntFlag):
    """What a StatusCode can't say, for a whole batch."""

    HISTORICAL = 1
    LATE = 2
    CLOCK_UNSYNCHRONISED = 4
    OVERFLOW = 8
    SUBSTITUTED = 16
    FUTURE = 32


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
        """Raises ValueError when a column has another length or dtype than the batch has samples and type."""
        n = len(self.value)
        if isinstance(self.value, Strings):
            if self.data_type != (DataType.TEXT if self.value.text else DataType.BLOB):
                raise ValueError(f"column value of texts or bytes in a batch of {self.data_type!r}")
        elif self.data_type in DTYPES:
            self._keep("value", self.value, DTYPES[self.data_type], (n,))
        else:
            raise ValueError(f"a batch of {self.data_type!r} with numbers")
        self._keep("tag", self.tag, U4, (n, 1))
        self._keep("time", self.time, I8, (n, 1, 0))
        if self.quality is not None:
            self._keep("quality", self.quality, U4, (n,))
        if self.server_time is not None:
            self._keep("server_time", self.server_time, I8, (n, 1))

    def _keep(self, name: str, column: Any, dtype: Any, lengths: tuple[int, ...]) -> None:
        """One column, as a view that nobody can write through."""
        if len(column) not in lengths:
            raise ValueError(f"column {name} has {len(column)} entries for {lengths[0]} samples")
        if column.dtype != dtype:
            raise ValueError(f"column {name} is {column.dtype}, not {dtype}")
        if column.flags.writeable:
            column = column.view()
            column.flags.writeable = False
            object.__setattr__(self, name, column)

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

        Raises ValueError when columns disagree in length, the values are of no DataType, or a column can't hold
        exactly what is given for it.
        """
        column, kind = as_column(value, data_type)
        codes = None if quality is None else exact(quality, U4)
        return cls(kind, exact(tag, U4), exact(time, I8), column, codes, **more)

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
