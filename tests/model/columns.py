"""Strategies for columns and batches: every value type, every column that may be absent or stand for all."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bedplate.model import Batch, DataType, Flag, Strings

I64 = st.integers(-(2**63), 2**63 - 1)
U64 = st.integers(0, 2**64 - 1)
U32 = st.integers(0, 2**32 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)  # also NUL and astral planes
BLOB = st.binary(max_size=20)


def double(bits: int) -> float:
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


# Bit patterns, so that NaN payloads and signalling NaNs are among them.
FLOATS = st.one_of(
    st.floats(width=64),
    U64.map(double),
    st.sampled_from(
        [
            *(0.0, -0.0, float("inf"), float("-inf"), 5e-324, 2.2250738585072014e-308),
            *map(double, (0x7FF8000000000001, 0xFFF0000000000001, 0x7FF0000000000001)),
        ]
    ),
)
VALUES: dict[DataType, st.SearchStrategy[Any]] = {
    DataType.FLOAT64: FLOATS,
    DataType.INT64: I64,
    DataType.UINT64: U64,
    DataType.BOOL: st.booleans(),
    DataType.TEXT: TEXT,
    DataType.BLOB: BLOB,
}
TYPES = st.sampled_from(list(VALUES))


@st.composite
def batches(draw: st.DrawFn, most: int = 12) -> Batch:
    kind = draw(TYPES)
    n = draw(st.integers(0, most))

    def column(values: st.SearchStrategy[int], dtype: Any, *lengths: int) -> Any:
        length = draw(st.sampled_from(lengths))
        return np.array(draw(st.lists(values, min_size=length, max_size=length)), dtype)

    value = draw(st.lists(VALUES[kind], min_size=n, max_size=n))
    return Batch(
        kind,
        column(U32, np.uint32, n, 1),
        column(I64, np.int64, n, 1, 0),
        as_value(value, kind),
        column(U32, np.uint32, n) if draw(st.booleans()) else None,
        column(I64, np.int64, n, 1) if draw(st.booleans()) else None,
        Flag(draw(st.integers(0, 31))),
    )


def as_value(values: list[Any], kind: DataType) -> Any:
    if kind.dtype is None:
        return Strings.of(values, text=kind is DataType.TEXT)
    return np.array(values, kind.dtype)


def same_column(one: Any, other: Any) -> bool:
    """Bit by bit, so that one NaN is not another, nor 0 a -0."""
    if one is None or other is None:
        return one is other
    if isinstance(one, Strings):
        plain = isinstance(other, Strings) and (one.joined, one.text) == (other.joined, other.text)
        return plain and np.array_equal(one.end, other.end)
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


def same(one: Batch, other: Batch) -> bool:
    """The same in every column. An empty column of qualities can't be told from none."""
    names = ("tag", "time", "value", "quality", "server_time")
    empty = not len(one)
    return (one.data_type, one.flags, len(one)) == (
        other.data_type,
        other.flags,
        len(other),
    ) and all(
        same_column(getattr(one, name), getattr(other, name))
        for name in names
        if not (empty and name in ("quality", "server_time"))
    )
