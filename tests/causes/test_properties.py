"""Whatever the facts are: their order does not matter, and each component in trouble is in exactly one cause."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.causes.acme import AT, GONE, S, plant

from bedplate.model import quality
from bedplate.runtime.causes import BadTag, Fact, Kind, Whose, causes
from bedplate.runtime.causes.network import Row, span
from bedplate.runtime.causes.silence import when

PLANT = plant()
TIMES = st.integers(0, 20).map(lambda tenths: AT + tenths * S // 2)
TAGS = st.builds(
    BadTag,
    st.sampled_from(["temperature", "pressure", "state"]),
    st.sampled_from([GONE, quality.BAD_NO_COMMUNICATION, quality.BAD_DEVICE_FAILURE]),
    st.sampled_from(["", "wire broken"]),
    TIMES,
    st.booleans(),
)
FACTS = st.builds(
    Fact,
    st.sampled_from(sorted(PLANT)),
    st.sampled_from([kind for kind in Kind if kind is not Kind.PLATFORM]),
    st.sampled_from(["unreachable", "faulted", "degraded"]),
    TIMES,
    st.sampled_from(["did not answer", "process of x ended with exit code 3", "error 17", "no route to host"]),
    st.one_of(st.just(0), TIMES),
    st.lists(TAGS, min_size=1, max_size=3, unique_by=lambda tag: tag.name).map(tuple),
)  # fmt: skip
PRESSES = st.sampled_from([f"press-{n:02}" for n in range(1, 41)])
HEARD = st.one_of(st.just(0), TIMES)
SILENT = st.builds(Fact, PRESSES, st.just(Kind.SILENT), st.just("unreachable"), TIMES, heard=HEARD)
MANY = st.lists(FACTS, max_size=40)
EXAMPLES = settings(max_examples=100, deadline=None)


@EXAMPLES
@given(MANY, st.randoms(use_true_random=False))
def test_any_order_of_the_same_facts_gives_the_same_causes(facts: list[Fact], mixed) -> None:  # type: ignore[no-untyped-def]
    other = [*facts, *facts[:3]]
    mixed.shuffle(other)
    assert causes(other, PLANT) == causes(facts, PLANT)


@EXAMPLES
@given(MANY)
def test_each_component_in_trouble_is_in_exactly_one_cause(facts: list[Fact]) -> None:
    found = Counter(component for one in causes(facts, PLANT) for component in one.components)
    assert set(found) == {fact.component for fact in facts}
    assert set(found.values()) <= {1}


@EXAMPLES
@given(MANY)
def test_every_cause_is_a_line_with_a_name_an_owner_and_something_to_do(facts: list[Fact]) -> None:
    for one in causes(facts, PLANT):
        assert one.subject
        assert one.text
        assert "\n" not in one.problem
        assert one.whose is not Whose.UNKNOWN
        assert one.advice
        assert "{" not in "".join(one.advice)
        assert one.components


@EXAMPLES
@given(st.lists(SILENT, max_size=20, unique_by=lambda fact: fact.component))
def test_presses_of_one_cause_fell_silent_within_two_seconds_of_the_next(facts: list[Fact]) -> None:
    by_component = {fact.component: fact for fact in facts}
    for one in causes(facts, PLANT):
        times = sorted(when(by_component[c]) for c in one.components)
        reach = times[0][1]
        for begin, end in times:
            assert begin - reach <= 2 * S
            reach = max(reach, end)


def test_rows_of_addresses_are_written_short_and_know_who_is_within() -> None:
    row = [f"10.20.1.{n}" for n in (30, 21, 25)]
    assert span(row) == "10.20.1.21-30"
    assert "10.20.1.24" in Row(row)
    assert "10.20.1.31" not in Row(row)
    assert "10.20.2.24" not in Row(row)
    assert span(["fe80::1", "fe80::9"]) == "fe80::1-9"
    assert span(["b.line2.acme", "a.line2.acme"]) == "a.line2.acme, b.line2.acme"
    assert span([f"press-{n}.line2.acme" for n in range(9)]) == "line2.acme"
    assert span(["/dev/ttyS0"]) == "/dev/ttyS0"
