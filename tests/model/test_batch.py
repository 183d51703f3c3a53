"""Batch: columns that agree in length and type, that nobody can change, and that nothing is coerced into."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.columns import VALUES, as_value, batches, same, same_column

from bedplate.model import Batch, DataType, Flag, Strings

U4, I8 = np.uint32, np.int64


def test_columns_that_disagree_in_length_are_refused() -> None:
    with pytest.raises(ValueError, match="column tag has 2 entries for 3 samples"):
        Batch.of([1, 2], [1, 2, 3], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="column time has 2 entries for 3 samples"):
        Batch.of([1], [1, 2], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="column quality has 1 entries for 3 samples"):
        Batch.of([1], [1], [1.0, 2.0, 3.0], [0])
    with pytest.raises(ValueError, match="column server_time has 0 entries for 3 samples"):
        Batch.of([1], [1], [1.0, 2.0, 3.0], server_time=np.zeros(0, I8))


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("tag", np.array([1], np.int64)),
        ("time", np.array([1.0])),
        ("value", np.array([1], np.int32)),
        ("quality", np.array([0], np.uint8)),
        ("server_time", np.array([1], np.uint64)),
    ],
)
def test_a_column_of_another_dtype_is_refused_rather_than_cast(column: str, wrong: Any) -> None:
    columns = {"tag": np.array([1], U4), "time": np.array([1], I8), "value": np.array([1], I8)}

    with pytest.raises(ValueError, match=f"column {column} is {wrong.dtype}"):
        Batch(DataType.INT64, **(columns | {column: wrong}))


@pytest.mark.parametrize("kind", [DataType.UNSPECIFIED, DataType.TEXT, DataType.BLOB])
def test_numbers_are_no_batch_of_texts_or_of_no_type(kind: DataType) -> None:
    with pytest.raises(ValueError, match="with numbers"):
        Batch(kind, np.array([1], U4), np.array([1], I8), np.array([1.0]))


def test_texts_are_no_batch_of_blobs() -> None:
    with pytest.raises(ValueError, match="texts or bytes in a batch of"):
        Batch(DataType.BLOB, np.array([1], U4), np.array([1], I8), Strings.of(["a"]))


def test_one_tag_and_one_time_stand_for_all() -> None:
    batch = Batch.of([7], [5], [1.0, 2.0, 3.0])

    assert batch.tags().tolist() == [7, 7, 7]
    assert batch.times().tolist() == [5, 5, 5]
    assert batch.qualities().tolist() == [0, 0, 0]


def test_the_times_of_a_batch_that_is_not_stamped_cannot_be_had() -> None:
    with pytest.raises(ValueError, match="column of 0 entries for 2 samples"):
        Batch.of([1], [], [1.0, 2.0]).times()


@given(batches())
@settings(deadline=None)
def test_nobody_can_write_through_a_batch(batch: Batch) -> None:
    for name in ("tag", "time", "value", "quality", "server_time"):
        column = getattr(batch, name)
        array = column.end if isinstance(column, Strings) else column
        if array is not None and len(array):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
    with pytest.raises(AttributeError):
        batch.flags = Flag.LATE  # type: ignore[misc]


def test_the_array_that_was_handed_in_stays_its_owners() -> None:
    mine = np.array([1.0, 2.0])
    Batch(DataType.FLOAT64, np.array([1], U4), np.array([1], I8), mine)

    mine[0] = 3.0
    assert mine.tolist() == [3.0, 2.0]


@given(batches(), st.data())
@settings(deadline=None)
def test_taking_samples_is_taking_them_from_every_column(batch: Batch, data: st.DataObject) -> None:
    n = len(batch)
    index = np.array(
        data.draw(st.lists(st.integers(0, n - 1), max_size=2 * n) if n else st.just([])), np.intp
    )
    taken = batch.take(index)

    assert len(taken) == len(index)
    assert taken.tags().tolist() == batch.tags()[index].tolist()
    assert taken.qualities().tolist() == batch.qualities()[index].tolist()
    assert same_column(
        taken.value, as_value([batch.value.tolist()[i] for i in index], batch.data_type)
    )
    if len(batch.time):
        assert taken.times().tolist() == batch.times()[index].tolist()


@given(batches(), st.data())
@settings(deadline=None)
def test_a_mask_and_its_positions_take_the_same(batch: Batch, data: st.DataObject) -> None:
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(batch), max_size=len(batch))), bool
    )

    assert same(batch.take(mask), batch.take(np.flatnonzero(mask)))


# of ------------------------------------------------------------------------------------------------------------------


@given(st.sampled_from(list(VALUES)), st.data())
@settings(deadline=None)
def test_values_of_one_type_keep_every_bit(kind: DataType, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[kind], min_size=1, max_size=8))

    batch = Batch.of([1], [1], values, data_type=kind)

    assert batch.data_type is kind
    assert same_column(
        batch.value,
        Strings.of(values, text=kind is DataType.TEXT)
        if kind.dtype is None
        else np.array(values, kind.dtype),
    )


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, 2], DataType.FLOAT64),
        ([1, 2], DataType.INT64),
        ([2**63 - 1, -(2**63)], DataType.INT64),
        ([0, 2**64 - 1], DataType.UINT64),
        ([True, False], DataType.BOOL),
        (["a\0", ""], DataType.TEXT),
        ([b"a\0", b"\0"], DataType.BLOB),
        (np.array([1, 2], np.uint8), DataType.UINT64),
        (np.array([1, 2], ">i2"), DataType.INT64),
        (np.array([1, 2], np.float32), DataType.FLOAT64),
        (np.array(["a", "bb"]), DataType.TEXT),
        ([np.uint64(2**64 - 1)], DataType.UINT64),
        (Strings.of([b"x"], text=False), DataType.BLOB),
        (5.0, DataType.FLOAT64),
    ],
)
def test_the_type_is_found_and_nothing_is_lost(values: Any, kind: DataType) -> None:
    batch = Batch.of([1], [1], values)

    assert batch.data_type is kind
    assert batch.value.tolist() == (
        values.tolist()
        if hasattr(values, "tolist")
        else np.atleast_1d(np.array(values, object)).tolist()
    )


@pytest.mark.parametrize(
    "values",
    [
        *([1, "a"], ["a", 1], ["a", b"a"], [b"a", "a"], [None], [1.0, None], [object()], [1j]),
        *([2**63, -1], [2**64], [2**60, 0.5], [[1.0], [2.0]], ["\ud800"], np.array([None])),
        *(np.array(["2020-01-01"], "M8[ns]"), "text", b"bytes", {1.0: 2.0}),
    ],
    ids=lambda value: "object()" if "object at" in repr(value) else repr(value),
)
def test_values_of_no_one_type_are_refused(values: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Batch.of([1], [1], values)


WANTED = [
    ([1.5], DataType.INT64),
    ([-1], DataType.UINT64),
    ([2**63], DataType.INT64),
    ([float("nan")], DataType.INT64),
    ([float("inf")], DataType.UINT64),
    ([2.0**63], DataType.INT64),
    ([2.0**64], DataType.UINT64),
    ([2], DataType.BOOL),
    ([2**53 + 1], DataType.FLOAT64),
    (["1.5"], DataType.FLOAT64),
    ([1.5], DataType.TEXT),
    (["a"], DataType.BLOB),
    ([b"a"], DataType.TEXT),
    ([1.0], DataType.UNSPECIFIED),
]


@pytest.mark.parametrize(("values", "kind"), WANTED)
def test_what_a_type_does_not_hold_exactly_is_refused(values: list[Any], kind: DataType) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Batch.of([1], [1], values, data_type=kind)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.0, -2.0], DataType.INT64),
        ([1, 2**53], DataType.FLOAT64),
        ([True], DataType.FLOAT64),
        ([1, 0], DataType.BOOL),
        ([2**63 - 1], DataType.UINT64),
        ([], DataType.TEXT),
        ([], DataType.BLOB),
        ([], DataType.BOOL),
    ],
)
def test_what_a_type_holds_exactly_is_taken(values: list[Any], kind: DataType) -> None:
    batch = Batch.of([1], [1], values, data_type=kind)

    assert batch.data_type is kind
    assert batch.value.tolist() == values


NUMBERS = [DataType.FLOAT64, DataType.INT64, DataType.UINT64, DataType.BOOL]


@given(st.sampled_from(list(itertools.product(NUMBERS, NUMBERS))), st.data())
@settings(deadline=None)
def test_a_number_becomes_another_type_only_with_its_value(
    kinds: tuple[DataType, DataType], data: st.DataObject
) -> None:
    have, want = kinds
    number = np.array([data.draw(VALUES[have])], have.dtype)
    try:
        batch = Batch.of([1], [1], number, data_type=want)
    except ValueError:
        return
    if have is not want:
        assert batch.value.tolist() == number.tolist()  # Python compares int and float exactly


@pytest.mark.parametrize(
    ("tag", "time", "quality"),
    [
        ([-1], [1], None),
        ([2**32], [1], None),
        ([1.5], [1], None),
        ([1], [1.5], None),
        ([1], [2**63], None),
        ([1], ["1"], None),
        ([1], [1], [-1]),
        ([1], [1], [2**32]),
        (np.array([-1]), [1], None),
        ([1], [1], np.array([2**32])),
    ],
)
def test_handles_times_and_qualities_out_of_range_are_refused(
    tag: Any, time: Any, quality: Any
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Batch.of(tag, time, [1.0], quality)


def test_arrow_and_pandas_get_the_same_samples() -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    batch = Batch.of([1, 2], [10, 20], ["a", "b"], [0, 0x80000000])

    table, frame = batch.to_arrow(), batch.to_pandas()
    assert isinstance(table, pyarrow.RecordBatch)
    assert isinstance(frame, pandas.DataFrame)
    assert table.column("value").to_pylist() == frame["value"].tolist() == ["a", "b"]
    assert [t.value for t in frame["time"]] == [10, 20]
    assert table.column("quality").to_pylist() == [0, 0x80000000]
