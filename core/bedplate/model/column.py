"""Columns of values: their types, and how what somebody hands over becomes one, exactly or not at all."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.model.strings import Strings

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
KINDS = {"f": DataType.FLOAT64, "i": DataType.INT64, "u": DataType.UINT64, "b": DataType.BOOL}
WHOLE = 2**53  # up to here every integer is a float64


def as_column(value: Any, data_type: DataType | None = None) -> tuple[type_Column, DataType]:
    """A value column and its type; without data_type the one that fits by itself.

    value: (n,) ndarray, Strings, or a sequence of numbers, of texts or of bytes. Nothing is rounded, cut off, parsed or
    turned into text: raises ValueError when the values are of no one type, or the wanted type can't hold them exactly.
    """
    found = _strings(value)
    if found is not None:
        if data_type not in (None, found[1]):
            raise ValueError(f"texts or bytes for a column of {data_type.name}")
        return found
    column = _numbers(value)
    if data_type is None:
        data_type = KINDS.get(column.dtype.kind)
    if data_type in (DataType.TEXT, DataType.BLOB) and not len(column):
        return Strings.of((), text=data_type is DataType.TEXT), data_type
    dtype = None if data_type is None else DTYPES.get(data_type)
    if data_type is None or dtype is None:
        raise ValueError(f"no value type for numpy dtype {column.dtype}")
    return exact(column, dtype), data_type


def _strings(value: Any) -> tuple[Strings, DataType] | None:
    if isinstance(value, Strings):
        return value, DataType.TEXT if value.text else DataType.BLOB
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "US":
            return None
        text = value.dtype.kind == "U"
        return Strings.of(value.tolist(), text=text), DataType.TEXT if text else DataType.BLOB
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not len(value):
        return None
    first: Any = value[0]
    if not isinstance(first, (str, bytes)):
        return None
    text = isinstance(first, str)
    return Strings.of(value, text=text), DataType.TEXT if text else DataType.BLOB


def _numbers(value: Any) -> NDArray[Any]:
    if isinstance(value, (list, tuple)) and set(map(type, value)) == {int}:
        return _integers(value)
    column = np.atleast_1d(np.asarray(value))
    if column.ndim != 1:
        raise ValueError(f"a column of {column.ndim} dimensions")
    if column.dtype.kind == "f" and isinstance(value, (list, tuple)):
        large = [
            one for one in value if isinstance(one, (int, np.integer)) and abs(int(one)) > WHOLE
        ]
        if large:
            raise ValueError(f"{large[0]} among other numbers: no one type holds them all")
    return column


def _integers(values: Sequence[int]) -> NDArray[Any]:
    """int64, or uint64 where that is not enough; numpy by itself would make floats of some."""
    for dtype in (np.int64, np.uint64):
        with contextlib.suppress(OverflowError):
            return np.array(values, dtype)
    raise ValueError("integers that neither int64 nor uint64 holds")


def exact(values: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """(n,) of this dtype with exactly these values. Raises ValueError when one of them can't be held."""
    if isinstance(values, np.ndarray) and values.dtype == dtype and values.ndim == 1:
        return np.ascontiguousarray(values)
    column = _numbers(values)
    if column.dtype == dtype or not len(column):
        return np.ascontiguousarray(column, dtype=dtype)
    if column.dtype.kind not in KINDS:
        raise ValueError(f"no {dtype} in a column of {column.dtype}")
    if column.dtype.kind == dtype.kind and (
        dtype.kind == "f" or column.dtype.itemsize <= dtype.itemsize
    ):
        return np.ascontiguousarray(column, dtype=dtype)
    with np.errstate(all="ignore"):
        cast = column.astype(dtype)
        same = (cast.astype(column.dtype) == column) & ((cast < 0) == (column < 0))
    if dtype.kind == "f":
        same &= np.abs(cast) <= WHOLE
    elif column.dtype.kind == "f" and dtype.kind in "iu":
        same &= column < float(np.iinfo(dtype).max) + 1  # beyond it a cast is undefined
    if not same.all():
        raise ValueError(f"{column[~same][0]} does not fit into {dtype}")
    return np.ascontiguousarray(cast)


def spread(column: NDArray[Any], n: int) -> NDArray[Any]:
    """A column of n entries; a single entry stands for all. Raises ValueError for any other length."""
    if len(column) == n:
        return column
    if len(column) != 1:
        raise ValueError(f"column of {len(column)} entries for {n} samples")
    return np.full(n, column[0], column.dtype)


def pick(column: NDArray[Any], index: NDArray[Any], n: int) -> NDArray[Any]:
    """The entries that index names; a single entry goes on standing for all."""
    return column[index] if len(column) == n else column
