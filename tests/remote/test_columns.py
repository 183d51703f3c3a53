"""What authors hand over becomes columns: nothing coerced, nothing out of order, one wrong value harms only itself."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.columns import BLOB, FLOATS, I64, TEXT, U32, U64, batches, same, same_column

from bedplate.contracts import Bad, Sample, Tag, Written
from bedplate.model import Batch, DataType, quality
from bedplate.remote.columns import batches_of, joined, merged, of_rows, written_batches
from bedplate.remote.samples import MOST_BYTES, row_of, type_of

TAGS = [Tag(handle, f"t{handle}") for handle in range(1, 9)]
PLAIN = st.one_of(FLOATS, I64, U64, st.booleans(), TEXT, BLOB)
NUMPY = st.one_of(
    *(FLOATS.map(np.float64), st.floats(width=32).map(np.float32), U64.map(np.uint64)),
    *(I64.map(np.int64), st.integers(0, 255).map(np.uint8), st.booleans().map(np.bool_)),
)
WITHOUT = st.one_of(
    st.none(),
    st.builds(Bad, st.text(max_size=5), st.integers(0x40000000, 2**32 - 1)),
    st.sampled_from([2**64, -(2**63) - 1, object(), [1.0], 1j, "\ud800", np.array([1, 2])]),
)
SAMPLES = st.builds(Sample, st.one_of(PLAIN, NUMPY, WITHOUT), st.none() | I64, U32, st.none() | I64)
ANY = st.one_of(PLAIN, NUMPY, WITHOUT, SAMPLES)


def by_handle(found: list[Batch]) -> dict[int, tuple[DataType, Any, int, int | None]]:
    """Type, value, code and time of each handle."""
    samples = {}
    for batch in found:
        times = batch.times().tolist() if len(batch.time) else [None] * len(batch)
        codes = batch.qualities().tolist()
        rows = zip(batch.tags().tolist(), batch.value.tolist(), codes, times, strict=True)
        samples.update({h: (batch.data_type, value, c, t) for h, value, c, t in rows})
    return samples


def has_a_value(value: Any) -> bool:
    inner = value.value if isinstance(value, Sample) else value
    return (
        type_of(inner.item() if isinstance(inner, np.generic) else inner)
        is not (DataType.UNSPECIFIED)
        and inner != "\ud800"
    )


@given(st.lists(ANY, min_size=1, max_size=8))
@settings(deadline=None, max_examples=400)
def test_every_tag_gets_its_value_or_the_reason_why_there_is_none(values: list[Any]) -> None:
    tags = TAGS[: len(values)]
    found, reasons = batches_of(tags, values)
    samples = by_handle(found)

    assert sorted(samples) == [tag.handle for tag in tags]
    for tag, value in zip(tags, values, strict=True):
        kind, got, code, time = samples[tag.handle]
        if isinstance(value, Sample) and value.time is not None:
            assert time == value.time
        if not has_a_value(value):
            assert not quality.is_good(code)
            assert got != got
            assert reasons[tag.handle]
            continue
        inner = value.value if isinstance(value, Sample) else value
        plain = inner.item() if isinstance(inner, np.generic) else inner
        assert tag.handle not in reasons
        assert kind is type_of(inner if isinstance(inner, np.uint64) else plain)
        assert repr(got) == repr(plain)
        assert code == (value.quality if isinstance(value, Sample) else quality.GOOD)


@given(st.lists(st.sampled_from([DataType.FLOAT64, DataType.INT64]), max_size=5), st.data())
@settings(deadline=None)
def test_one_batch_per_value_type_is_enough(kinds: list[DataType], data: st.DataObject) -> None:
    values = [data.draw(FLOATS if kind is DataType.FLOAT64 else I64) for kind in kinds]
    found, _ = batches_of(TAGS[: len(kinds)], values)

    assert len(found) == len(set(kinds))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1.5, 2.5]), DataType.FLOAT64),
        (np.array([1, 2], np.int16), DataType.INT64),
        (np.array([True, False]), DataType.BOOL),
        ((1, 2), DataType.INT64),
        (["a\0", "b"], DataType.TEXT),
        ([b"a\0", b""], DataType.BLOB),
        ([np.uint64(1), np.uint64(2**64 - 1)], DataType.UINT64),
        ([2**63 - 1, 0], DataType.INT64),
    ],
)
def test_values_of_one_type_are_one_column(values: Any, kind: DataType) -> None:
    (batch,), reasons = batches_of(TAGS[:2], values)

    assert batch.data_type is kind
    assert batch.value.tolist() == list(values)
    assert batch.tag.tolist() == [1, 2]
    assert not len(batch.time)
    assert reasons == {}


def test_batches_go_through_as_they_are() -> None:
    one, other = Batch.of([1], [5], [1.0]), Batch.of([2], [5], ["a"])

    assert batches_of(TAGS, one) == ([one], {})
    assert batches_of(TAGS, [one, other]) == ([one, other], {})
    assert batches_of([], []) == ([], {})


class Mode(enum.IntEnum):
    AUTO = 3


class Word(enum.StrEnum):
    HELLO = "hello"


def test_enums_are_their_values_and_bytearrays_bytes() -> None:
    found = by_handle(batches_of(TAGS[:3], [Mode.AUTO, Word.HELLO, bytearray(b"ab")])[0])

    assert [found[h][:2] for h in (1, 2, 3)] == [
        (DataType.INT64, 3),
        (DataType.TEXT, "hello"),
        (DataType.BLOB, b"ab"),
    ]


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0], np.zeros(3)])
def test_another_number_of_values_than_of_tags_is_the_authors_mistake(values: Any) -> None:
    with pytest.raises(ValueError, match=r"asked for 2 tags and returned \d values"):
        batches_of(TAGS[:2], values)


@pytest.mark.parametrize("values", ["ab", b"ab", {1: 2, 3: 4}, None, iter([1, 2]), 5])
def test_what_is_no_list_is_the_authors_mistake(values: Any) -> None:
    with pytest.raises(ValueError, match="must return a list or an array"):
        batches_of(TAGS[:2], values)


@pytest.mark.parametrize(
    "sample",
    [
        *(Sample(1.0, time=1.5), Sample(1.0, time="now"), Sample(1.0, time=2**63)),  # type: ignore[arg-type]
        *(Sample(1.0, quality=-1), Sample(1.0, quality=2**32), Sample(1.0, server_time=1j)),  # type: ignore[arg-type]
    ],
)
@pytest.mark.case("A57")
def test_a_time_or_a_quality_that_is_none_is_the_authors_mistake(sample: Sample) -> None:
    with pytest.raises(ValueError, match=r"must be an int|does not fit"):
        row_of(1, sample)


def test_no_value_is_never_good_whatever_the_author_says() -> None:
    assert row_of(1, Sample(None, quality=quality.GOOD)).code == quality.BAD
    assert row_of(1, Sample(object(), quality=quality.UNCERTAIN)).code == quality.BAD_TYPE_MISMATCH
    assert row_of(1, Bad("why", quality.GOOD)).code == quality.BAD
    assert row_of(1, Sample(Bad("why", quality.BAD_WAITING))).code == quality.BAD_WAITING
    assert row_of(1, Sample(1.0, quality=quality.UNCERTAIN)).code == quality.UNCERTAIN


def test_a_value_that_is_too_long_for_a_message_is_bad() -> None:
    for value in ("ü" * (MOST_BYTES // 2 + 1), b"x" * (MOST_BYTES + 1)):
        found, reasons = batches_of(TAGS[:1], [value])
        assert by_handle(found)[1][2] == quality.BAD_OUT_OF_RANGE
        assert "bytes" in reasons[1]
    assert batches_of(TAGS[:1], [b"x" * MOST_BYTES])[1] == {}


# order ----------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 3), st.one_of(FLOATS, I64, st.none(), TEXT)), max_size=20))
@settings(deadline=None, max_examples=300)
def test_the_samples_of_a_tag_stay_in_order_also_where_its_type_changes(
    rows: list[tuple[int, Any]],
) -> None:
    found = of_rows([row_of(handle, value) for handle, value in rows])

    for handle in (1, 2, 3):
        got = [
            value
            for batch in found
            for h, value in zip(batch.tags().tolist(), batch.value.tolist(), strict=True)
            if h == handle
        ]
        wanted = [float("nan") if value is None else value for h, value in rows if h == handle]
        assert list(map(repr, got)) == list(map(repr, wanted))


@given(st.lists(batches(most=5).filter(len), max_size=8), st.integers(1, 12))
@settings(deadline=None, max_examples=300)
def test_merging_changes_neither_samples_nor_their_order(found: list[Batch], most: int) -> None:
    left = list(found)
    for one in merged(found, most, 60):  # each is the join of the next few
        run = [left.pop(0)]
        while sum(map(len, run)) < len(one):
            run.append(left.pop(0))
        assert same(joined(run), one)
        assert len(one) <= most or len(run) == 1
    assert not left


def test_neighbours_that_fit_are_merged() -> None:
    numbers = [Batch.of([1], [i], [float(i)]) for i in range(10)]
    texts = [Batch.of([1], [i], ["ab"]) for i in range(10)]

    assert [len(one) for one in merged(numbers, 4, 100)] == [4, 4, 2]
    assert [len(one) for one in merged(texts, 100, 8)] == [4, 4, 2]
    assert [len(one) for one in merged([*numbers, *texts], 100, 100)] == [10, 10]


# what an analytic writes ----------------------------------------------------------------------------------------------


def test_written_values_become_one_batch_per_type_in_order() -> None:
    found = list(
        written_batches(
            [
                (1, DataType.FLOAT64, Written("a", 10, 1.5)),
                (2, DataType.TEXT, Written("b", 10, "x")),
                (1, DataType.FLOAT64, Written("a", [20, 30], np.array([2.5, 3.5]), [0, 1 << 30])),
                (3, DataType.FLOAT64, Written("c", 40, 4)),
            ]
        )
    )

    numbers, texts = found
    assert numbers.tag.tolist() == [1, 1, 1, 3]
    assert numbers.time.tolist() == [10, 20, 30, 40]
    assert numbers.value.tolist() == [1.5, 2.5, 3.5, 4.0]
    assert numbers.quality is not None
    assert numbers.quality.tolist() == [0, 0, 1 << 30, 0]
    assert texts.value.tolist() == ["x"]
    assert texts.quality is None


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (DataType.INT64, 1.5, quality.BAD_TYPE_MISMATCH),
        (DataType.INT64, float("nan"), quality.BAD_TYPE_MISMATCH),
        (DataType.UINT64, -1, quality.BAD_TYPE_MISMATCH),
        (DataType.FLOAT64, "1.5", quality.BAD_TYPE_MISMATCH),
        (DataType.TEXT, 1.5, quality.BAD_TYPE_MISMATCH),
        (DataType.BOOL, 2, quality.BAD_TYPE_MISMATCH),
        (DataType.FLOAT64, None, quality.BAD),
        (DataType.BLOB, None, quality.BAD),
    ],
)
def test_a_written_value_that_its_output_does_not_hold_is_bad_and_harms_no_other(
    kind: DataType, value: Any, code: int
) -> None:
    (alone,) = written_batches([(1, kind, Written("a", 10, value))])
    assert alone.data_type is kind
    assert alone.qualities().tolist() == [code]

    if kind is DataType.INT64:
        (beside,) = written_batches([(1, kind, Written("a", [1, 2], [7, value]))])
        assert beside.value.tolist() == [7, 0]
        assert beside.qualities().tolist() == [0, code]


@given(st.lists(FLOATS, min_size=1, max_size=5))
@settings(deadline=None)
def test_written_numbers_keep_every_bit(values: list[float]) -> None:
    (batch,) = written_batches([(1, DataType.FLOAT64, Written("a", 1, values))])

    assert same_column(batch.value, np.array(values))


@pytest.mark.parametrize(
    "one", [Written("a", [1, 2], [1.0]), Written("a", 1.5, 1.0), Written("a", 1, [1.0], [0, 0])]
)
def test_times_and_qualities_that_do_not_fit_are_the_authors_mistake(one: Written) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        list(written_batches([(1, DataType.FLOAT64, one)]))
