"""Interlocks as text: what can be written, and what is said of what can't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.interlock import BadInterlock, parse, problems

NAMES = {
    "guard_closed": "bool",
    "state": "",
    "speed": "float32",
    "recipe": "text",
    "bearing-temp": "float64",
    "oee/availability": "float64",
    "running": "bool",
    "odd name": "bool",
}
STATES = {"state": {0: "stopped", 1: "running", 3: "fault", 4: "in setup"}}


def told(text: str) -> list[str]:
    return [str(one) for one in problems(text, NAMES, STATES)]


@pytest.mark.parametrize(
    "text",
    [
        "guard_closed",
        "not guard_closed or speed <= 3.5e1",
        "guard_closed and state != fault",
        "fault != state",
        'state == "in setup"',
        "'odd name' and bearing-temp<80",
        "oee/availability >= .5",
        "-5 < speed",
        "((guard_closed)) and (not (state == stopped))",
        "speed > bearing-temp",
        'recipe == "A 12"',
        "guard_closed == true",
        "state == 1",
        "true",
    ],
)
def test_what_can_be_written(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty (column 1)"),
        ("guard_closd", "'guard_closd' is no tag of this asset; did you mean guard_closed? (column 1)"),
        ("guard_closed and\n state != falt", "'falt' is no label of this tag; did you mean fault? (line 2, column 11)"),
        ("speed >", "ends after '>' (column 8)"),
        ("(guard_closed", "a parenthesis is left open (column 1)"),
        ("guard_closed)", "')' can't stand here (column 13)"),
        ("guard_closed speed", "'speed' can't follow 'guard_closed': and, or, or a comparison is missing (column 14)"),
        ("guard_closed && speed > 1", "'&' means nothing here: write and (column 14)"),
        ("!guard_closed", "'!' means nothing here: write not (column 1)"),
        ("speed = 3", "'=' means nothing here: for equal write == (column 7)"),
        ("speed", "speed is a number: compare it, as in speed > 0 (column 1)"),
        ("0 < speed < 5", "compares twice: write a < b and b < c (column 11)"),
        ("(guard_closed) == true", "compares a condition: only tags and values are compared (column 16)"),
        ("state < fault", "fault is a label: write == or != (column 9)"),
        ("state == running", "running is a tag and a label of state: write the number of the label (column 10)"),
        ("speed == true", "compares a bool with a number: that never holds (column 1)"),
        ("guard_closed > guard_closed", "a bool is neither less nor more: write == or != (column 1)"),
        ("1 < 2", "compares no tag (column 1)"),
        ("5", "a number is no condition (column 1)"),
        ("recipe", 'recipe is a text: compare it, as in recipe == "…" (column 1)'),
        ("speed > 1_000", "this is no number; a name that begins like this goes into quotation marks (column 9)"),
        ('recipe == "A', "'\"' means nothing here: a quotation mark is left open (column 11)"),
        ("not " * 50 + "guard_closed", "is nested more than 40 deep (column 161)"),
        ("(" * 50 + "guard_closed" + ")" * 50, "is nested more than 40 deep (column 41)"),
        ("guard_closed or " * 80 + "running", "is longer than 1000 characters (column 1)"),
        ("__import__('os')", "'(' can't stand here (column 11)"),
        ("guard_closed\x1b[2J", "'·' means nothing here (column 13)"),
    ],
)  # fmt: skip
def test_what_cannot_is_told_at_its_place(text: str, said: str) -> None:
    assert told(text) == [said]


def test_every_wrong_name_is_told() -> None:
    assert len(told("a and b or not c > 1")) == 3


@given(
    st.text(alphabet=" ()<>=!andortspeguil_cks0123456789.\"'-\n", max_size=60)
    | st.text(max_size=30)
)
def test_no_text_does_more_than_be_wrong(text: str) -> None:
    found = problems(text, NAMES, STATES)
    if found:
        with pytest.raises(BadInterlock, match="column"):
            parse(text, NAMES, STATES)
    else:
        parse(text, NAMES, STATES)
    assert all(str(one).isprintable() for one in found)
