"""Addresses, types and blocks: what fits comes back as it was, what does not is told in words."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate_s7.address import place_of
from bedplate_s7.codec import NUMBERS, Form, Unfit
from bedplate_s7.plan import MAX_GAP, Point, blocks_of

WHOLE = sorted(set(NUMBERS) - {"real", "lreal"})
ADDRESSES = {
    "DB1.DBD4": ("DB", 1, 4, None, 4),
    "%DB65535.DBX0.7": ("DB", 65535, 0, 7, 1),
    "MW20": ("M", 0, 20, None, 2),
    "M3.1": ("M", 0, 3, 1, 1),
    "E0.0": ("I", 0, 0, 0, 1),
    "AB2": ("Q", 0, 2, None, 1),
}
WRONG = [
    "", "DB1", "DB1.DBX0", "DB1.DBW0.1", "DB1.DBX0.8", "M3", "MW3.1", "DB1.DBB70000", "db1.dbw0", "T5",
]  # fmt: skip


@pytest.mark.parametrize("text", ADDRESSES)
def test_addresses_mean_what_tia_portal_means(text: str) -> None:
    place = place_of(text)
    assert (place.area, place.db, place.byte, place.bit, place.width) == ADDRESSES[text]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_address_is_told_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no address|only a bit has one|numbers go up"):
        place_of(text)


@given(st.sampled_from(WHOLE), st.integers(-(2**65), 2**65))
def test_whole_numbers_come_back_or_are_refused(name: str, value: int) -> None:
    try:
        raw = Form(name).encode(value)
    except Unfit:
        raw = b""
    size = 8 * struct.calcsize(NUMBERS[name])
    signed = NUMBERS[name][1].islower()
    fits = -(2 ** (size - 1)) <= value < 2 ** (size - 1) if signed else 0 <= value < 2**size
    assert bool(raw) == fits
    assert not raw or Form(name).decode(raw) == value


@given(st.text(max_size=300), st.integers(1, 254), st.sampled_from(["string", "wstring"]))
def test_texts_come_back_or_are_refused(text: str, length: int, name: str) -> None:
    form = Form(name, length=length)
    try:
        raw = form.encode(text)
    except Unfit as error:
        raw = b""
        told = str(error)
    assert len(raw) in (0, form.size)
    if raw:
        assert form.decode(raw) == text
    else:
        assert "characters" in told


@given(st.binary(min_size=6, max_size=6), st.sampled_from(["string", "wstring"]))
def test_any_bytes_are_a_text_or_no_text(raw: bytes, name: str) -> None:
    form = Form(name, length=4 if name == "string" else 1)
    try:
        assert len(form.decode(raw)) <= form.length
    except Unfit as told:
        assert "no such string lies here" in str(told)  # noqa: PT017 - one or the other


PLACES = st.builds(
    lambda db, byte, name: Point(place_of(f"DB{db}.DBB{byte}"), Form(name, length=5)),
    st.integers(1, 3),
    st.integers(0, 3000),
    st.sampled_from([*WHOLE, "string"]),
)


@given(st.lists(PLACES, max_size=60))
def test_every_point_lies_whole_in_one_block(points: list[Point]) -> None:
    blocks = blocks_of(points, range(len(points)))
    assert sorted(n for block in blocks for n in block.members) == list(range(len(points)))
    for block in blocks:
        for number in block.members:
            point = points[number]
            assert (point.place.area, point.place.db) == (block.area, block.db)
            assert block.start <= point.place.byte
            assert point.end <= block.start + block.size


@given(st.lists(PLACES, min_size=1, max_size=60))
def test_no_block_spans_more_than_the_gap(points: list[Point]) -> None:
    for block in blocks_of(points, range(len(points))):
        used = {b for n in block.members for b in range(points[n].place.byte, points[n].end)}
        ordered = sorted(used)
        steps = [b - a for a, b in pairwise(ordered)]
        assert max(steps, default=0) <= MAX_GAP + 1
