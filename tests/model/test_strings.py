"""Strings: texts and blobs in a column, byte for byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.columns import BLOB, TEXT

from bedplate.model import Strings

COLUMNS = st.one_of(
    st.tuples(st.lists(TEXT, max_size=10), st.just(True)),
    st.tuples(st.lists(BLOB, max_size=10), st.just(False)),
)


@given(COLUMNS)
@settings(deadline=None)
def test_what_goes_in_comes_out(column: tuple[list[str | bytes], bool]) -> None:
    items, text = column
    strings = Strings.of(items, text=text)

    assert strings.tolist() == items
    assert len(strings) == len(items)
    assert [strings[i] for i in range(-len(items), 0)] == items
    assert strings.longest() == max(
        (len(i.encode() if isinstance(i, str) else i) for i in items), default=0
    )


@given(COLUMNS, st.data())
@settings(deadline=None)
def test_taking_is_taking_from_the_list(
    column: tuple[list[str | bytes], bool], data: st.DataObject
) -> None:
    items, text = column
    places = st.lists(st.integers(0, len(items) - 1)) if items else st.just([])
    index = data.draw(places)
    taken = Strings.of(items, text=text).take(np.array(index, np.intp))

    assert taken.tolist() == [items[i] for i in index]
    assert taken.text is text


@given(st.lists(st.lists(TEXT, max_size=4), min_size=1, max_size=4))
@settings(deadline=None)
def test_joining_columns_is_joining_lists(columns: list[list[str]]) -> None:
    joined = Strings.joined_of([Strings.of(one) for one in columns])

    assert joined.tolist() == [item for one in columns for item in one]


def test_an_index_beyond_the_end_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        Strings.of(["a"])[1]


@pytest.mark.parametrize(
    ("items", "text"), [([1], True), ([b"a"], True), (["a"], False), (["a", None], True)]
)
def test_an_item_of_another_type_is_refused(items: list[object], text: bool) -> None:
    with pytest.raises(ValueError, match="is no"):
        Strings.of(items, text=text)  # type: ignore[arg-type]


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        Strings.of(["\ud800"])
