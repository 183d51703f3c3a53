"""A state that the file has no word for: a new firmware's code of a fault, most likely."""

from __future__ import annotations

import pytest

from bedplate.interlock import Fact, judge, parse

STATES = {0: "stopped", 3: "fault"}


@pytest.mark.case("A66")
@pytest.mark.parametrize("text", ["state != fault", "not state == fault", "fault != state"])
def test_a_state_without_a_label_is_not_known_to_be_another_one(text: str) -> None:
    tree = parse(text, {"state": "int64"}, {"state": STATES})

    def holds(value: int) -> bool:
        return judge(tree, ["state"], lambda name: Fact(value, "", STATES)).holds

    assert holds(0)
    assert not holds(3)
    assert not holds(7)
