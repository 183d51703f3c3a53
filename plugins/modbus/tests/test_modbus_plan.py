"""Requests planned into blocks: what holds for any tags and any limits."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bedplate_modbus.plan import COILS, Block, Limits, Span, blocks_of

TYPES = ["coil", "discrete_input", "holding_register", "input_register"]


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Span], Limits]:
    limits = Limits(
        draw(st.integers(0, 40)),
        draw(st.integers(8, 125)),
        draw(st.integers(8, 2000)),
        draw(st.booleans()),
    )
    places = st.tuples(
        st.integers(0, 3), st.sampled_from(TYPES), st.integers(0, 400), st.integers(1, 8)
    )
    found = draw(st.lists(places, max_size=60))
    return [Span(i, *place) for i, place in enumerate(found)], limits


@given(plans())
def test_every_tag_lies_whole_in_exactly_one_block(plan: tuple[list[Span], Limits]) -> None:
    spans, limits = plan
    blocks = blocks_of(spans, limits)
    placed = [span for block in blocks for span in block.spans]
    assert sorted(placed, key=lambda span: span.index) == spans
    for block in blocks:
        for span in block.spans:
            assert (span.unit, span.register_type) == (block.unit, block.register_type)
            assert block.start <= span.address
            assert span.end <= block.start + block.count


@given(plans())
def test_no_block_is_longer_than_the_limits_or_wider_than_its_tags(
    plan: tuple[list[Span], Limits],
) -> None:
    spans, limits = plan
    for block in blocks_of(spans, limits):
        longest = limits.max_coils if block.register_type in COILS else limits.max_registers
        assert 1 <= block.count <= longest
        assert block.start == min(span.address for span in block.spans)
        assert block.start + block.count == max(span.end for span in block.spans)
        assert not limits.one_request_per_tag or len(block.spans) == 1
        covered = {a for span in block.spans for a in range(span.address, span.end)}
        gaps = [b - a - 1 for a, b in itertools.pairwise(sorted(covered))]
        assert all(gap <= limits.max_gap for gap in gaps)


@given(plans())
def test_two_blocks_stay_apart_only_for_a_reason(plan: tuple[list[Span], Limits]) -> None:
    spans, limits = plan
    if limits.one_request_per_tag:
        return
    for one, two in itertools.pairwise(blocks_of(spans, limits)):
        if (one.unit, one.register_type) == (two.unit, two.register_type):
            gap = two.start - (one.start + one.count)
            joined = max(one.start + one.count, two.spans[0].end) - one.start
            assert gap > limits.max_gap or joined > limits.longest(one.register_type)


@given(plans())
def test_the_bytes_of_two_blocks_never_overlap(plan: tuple[list[Span], Limits]) -> None:
    spans, limits = plan
    end = 0
    for block in blocks_of(spans, limits):
        assert block.place == end
        end += block.count * (1 if block.register_type in COILS else 2)


@given(plans(), st.data())
def test_parts_of_a_block_put_their_bytes_where_the_block_would(
    plan: tuple[list[Span], Limits], data: st.DataObject
) -> None:
    spans, limits = plan
    for block in blocks_of(spans, limits):
        refused = data.draw(st.sets(st.sampled_from(block.spans), max_size=3))
        parts: list[Block] = list(block.between(refused))
        assert {s for part in parts for s in part.spans} == set(block.spans) - refused
        if len(block.spans) > 1:
            parts += block.halves()
            assert sum(len(half.spans) for half in block.halves()) == len(block.spans)
        for part in parts:
            assert part.count <= block.count
            assert all(part.place_of(span) == block.place_of(span) for span in part.spans)


def test_the_five_tags_of_a_meter_are_one_request() -> None:
    spans = [
        Span(i, 7, "holding_register", address, 2)
        for i, address in enumerate([19026, 19060, 19012, 19000, 19044])
    ]
    blocks = blocks_of(spans, Limits())
    assert [(block.start, block.count) for block in blocks] == [(19000, 62)]
