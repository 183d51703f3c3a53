"""Numbers of an interlock are those that were written."""

from __future__ import annotations

import pytest

from bedplate.interlock import BadInterlock, Fact, judge, parse


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("n != 9007199254740993", 2**53 + 1),
        ("n == 9007199254740993", 2**53),
        ("n < 9007199254740993", 2**53 + 1),
        ("n > -9007199254740993", -(2**53) - 1),
    ],
)
def test_a_whole_number_that_no_float_holds_is_compared_to_its_last_digit(
    text: str, n: int
) -> None:
    tree = parse(text, {"n": ""}, {})
    assert not judge(tree, {"n": ""}, lambda name: Fact(n)).holds


def test_a_number_beyond_all_numbers_is_told_and_not_compared() -> None:
    with pytest.raises(BadInterlock, match="beyond"):
        parse("n < 1e999", {"n": ""}, {})
