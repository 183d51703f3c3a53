"""Writing in the type of the node, and what the server or we refuse."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.opcua.tests.peer import Server, node, opened, tags_for

from bedplate import DataType, Refused
from bedplate_opcua.datatypes import RANGES, BuiltIn
from bedplate_opcua.writing import as_built_in


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("Setpoint", 2.5, "Double"),
        ("Setpoint", 3, "Double"),
        ("Small", -12, "Int16"),
        ("Ratio", 0.25, "Float"),
        ("Word", "neu", "String"),
        ("Flag", True, "Boolean"),
    ],
)
@pytest.mark.parametrize("typed", [True, False], ids=["type learned", "type asked for"])
async def test_a_value_is_written_in_the_type_of_the_node(
    server: Server, name: str, value: Any, kind: str, typed: bool
) -> None:
    more = {"writable": True} if typed else {"data_type": DataType.FLOAT64}
    tags = tags_for(node(name), **more)
    async with opened(server.url, tags) as connector:
        before = server.do("get", node=name)["value"]
        await connector.write(tags[0], value)
        assert server.do("get", node=name) == {"value": value, "type": kind}
        await connector.write(tags[0], before)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Fixed", 1.0, "BadNotWritable|BadUserAccessDenied"),
        ("Small", 40_000, "BadOutOfRange: 40000 does not fit into Int16"),
        ("Small", 1.5, "BadTypeMismatch: 1.5 is no Int16"),
        ("Small", True, "BadTypeMismatch"),
        ("Flag", 1, "BadTypeMismatch: 1 is no Boolean"),
        ("Word", 1, "BadTypeMismatch"),
        ("Ratio", 1e39, "BadOutOfRange"),
        ("Types.Array", 1.0, "BadTypeMismatch"),
        ("Nowhere", 1.0, "BadNodeIdUnknown"),
    ],
)
async def test_what_cannot_be_written_is_refused_and_the_session_goes_on(
    server: Server, name: str, value: Any, why: str
) -> None:
    tags = tags_for(node(name), node("Types.Double"), writable=True)
    async with opened(server.url, tags) as connector:
        with pytest.raises(Refused, match=why):
            await connector.write(tags[0], value)
        assert len(await connector.read(tags)) >= 1


@given(st.sampled_from(sorted(RANGES)), st.integers(-(2**70), 2**70))
def test_an_integer_fits_or_is_refused(kind: int, value: int) -> None:
    low, high = RANGES[kind]
    if low <= value <= high:
        assert as_built_in(value, kind) == value
    else:
        with pytest.raises(Refused, match="BadOutOfRange"):
            as_built_in(value, kind)


@given(
    st.sampled_from(list(BuiltIn)),
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.none()),
)
def test_any_value_for_any_type_is_taken_or_refused(kind: int, value: Any) -> None:
    with suppress(Refused):
        as_built_in(value, kind)
