"""Whether an interlock holds, against an oracle that tries every value that an unknown tag might have."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.interlock import Fact, judge, parse

NAMES = {"a": "bool", "b": "bool", "n": "", "m": "", "state": "", "t": "text"}
LABELS = {0: "stopped", 1: "running", 4: "stopped"}
STATES = {"state": LABELS}
VALUES: dict[str, list[Any]] = {
    "a": [False, True],
    "b": [False, True],
    "n": [0, 1.5, 3],
    "m": [0, 3],
    "state": [0, 1, 4],
    "t": ["x", "y"],
}
ATOMS = [
    *("a", "b", "true", "false", "a == b", "a != true", "n < m", "n >= 1.5", "n != m", "3 == m"),
    *(
        "state == running",
        "state != stopped",
        "stopped == state",
        "state == 1",
        't == "x"',
        't != "x"',
    ),
]
PYTHON = {  # what an atom means, said by other means
    **{text: text.replace("true", "True").replace("false", "False") for text in ATOMS},
    "state == running": "state == 1",
    "state != stopped": "state not in (0, 4)",
    "stopped == state": "state in (0, 4)",
}


def holds(text: str, values: dict[str, Any]) -> bool:
    facts = {name: Fact(value, states=STATES.get(name, {})) for name, value in values.items()}
    tree = parse(text, NAMES, STATES)
    return judge(tree, NAMES, lambda name: facts.get(name, Fact(None, "stale"))).holds


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, Any]:
    """(text, the same for Python)"""
    shape = st.recursive(
        st.sampled_from(ATOMS),
        lambda inner: st.one_of(
            inner.map(lambda part: ("not", part)),
            st.tuples(st.sampled_from(["and", "or"]), inner, inner),
        ),
        max_leaves=7,
    )
    found = draw(shape)
    return _text(found), found


def _text(shape: Any) -> str:
    if isinstance(shape, str):
        return shape
    if shape[0] == "not":
        return f"not ({_text(shape[1])})"
    return f"({_text(shape[1])}) {shape[0]} ({_text(shape[2])})"


def oracle(shape: Any, values: dict[str, Any]) -> bool:
    if isinstance(shape, str):
        return bool(eval(PYTHON[shape], {"__builtins__": {}}, dict(values)))
    if shape[0] == "not":
        return not oracle(shape[1], values)
    left, right = oracle(shape[1], values), oracle(shape[2], values)
    return (left and right) if shape[0] == "and" else (left or right)


@given(expressions(), st.fixed_dictionaries({n: st.sampled_from(v) for n, v in VALUES.items()}))
def test_what_is_known_is_judged_as_it_is_written(pair: Any, values: dict[str, Any]) -> None:
    assert holds(pair[0], values) is oracle(pair[1], values)


@pytest.mark.case("A66")
@settings(max_examples=150)
@given(
    expressions(),
    st.fixed_dictionaries({}, optional={n: st.sampled_from(v) for n, v in VALUES.items()}),
)
def test_what_holds_would_hold_whatever_the_unknown_tags_are(
    pair: Any, known: dict[str, Any]
) -> None:
    if not holds(pair[0], known):
        return
    unknown = [name for name in VALUES if name not in known and name in pair[0]]
    for chosen in itertools.product(*(VALUES[name] for name in unknown)):
        filled = {name: VALUES[name][0] for name in VALUES}
        assert oracle(pair[1], filled | known | dict(zip(unknown, chosen, strict=True)))


@pytest.mark.case("A66")
@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("a", {}),
        ("not a", {}),
        ("a or not a", {}),
        ("not a or b", {"b": True}),  # below a not: nothing that is unknown may help
        ("not (a and b)", {"b": False}),
        ("n != 3", {}),
        ("not n == 3", {}),
        ("n == n", {"n": float("nan")}),
        ("not n > 1", {"n": float("nan")}),
        ("a", {"a": 1}),
        ("not a", {"a": "false"}),
        ("n < 3", {"n": True}),
        ("state != stopped", {"state": "gone"}),
    ],
)
def test_ignorance_never_lets_anything_through(text: str, known: dict[str, Any]) -> None:
    assert not holds(text, known)


def test_an_unknown_tag_beside_a_known_one_counts_as_false() -> None:
    assert holds("a or b", {"b": True})


def test_people_read_what_it_was_judged_by() -> None:
    tree = parse("a and state != stopped and n > 2", NAMES, STATES)
    facts = {"a": Fact(True), "state": Fact(1, states=LABELS), "n": Fact(None, "12 s old")}
    outcome = judge(tree, NAMES, lambda name: facts[name])
    assert outcome.text == "a is true, n is not known (12 s old), state is running"
