"""Looking around in a server, and making tags of what was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.opcua.tests.peer import Server, node, opened, tags_for

from bedplate import DataType, Refused
from bedplate.model import Selector, path_problem, segment_problem
from bedplate_opcua.browsing import Browser
from bedplate_opcua.naming import Names, legal


async def test_the_root_shows_objects_one_level_deep(server: Server) -> None:
    async with opened(server.url) as connector:
        nodes = await connector.browse("", 1)
    machine = next(one for one in nodes if one.name == "Machine")
    assert (machine.address, machine.path) == (node("Machine"), "Machine")
    assert (machine.is_variable, machine.has_children) == (False, True)
    assert {"Server", "Machine"} <= {one.name for one in nodes}
    assert all("/" not in one.path for one in nodes)


async def test_a_variable_is_told_with_type_unit_description_and_access(server: Server) -> None:
    async with opened(server.url) as connector:
        nodes = {one.path: one for one in await connector.browse(node("Machine"), 3)}
    temp = nodes["Temp"]
    assert (temp.data_type, temp.unit, temp.description) == (
        DataType.FLOAT64,
        "°C",
        "Temperature of the oil",
    )
    assert temp.is_variable
    assert not temp.has_children
    assert float(temp.value) == 20
    assert nodes["Setpoint"].writable
    assert not nodes["Fixed"].writable
    assert nodes["Types/Enum"].data_type is DataType.INT64
    assert nodes["Types/UInt64"].data_type is DataType.UINT64
    assert nodes["Types/Array"].data_type is DataType.UNSPECIFIED
    assert "Temp/EURange" not in nodes


async def test_what_was_found_can_be_read_under_its_address(server: Server) -> None:
    async with opened(server.url) as connector:
        found = await connector.browse(node("Machine"), 1)
    tags = tags_for(*(one.address for one in found if one.is_variable))
    async with opened(server.url, tags) as connector:
        batches = await connector.read(tags)
    assert sum(map(len, batches)) == len(tags)
    assert all(batch.quality is None for batch in batches)


async def test_a_small_server_is_asked_in_small_parts(server: Server) -> None:
    async with opened(server.url, max_items_per_request=3) as connector:
        few = await connector.browse(node("Machine"), 5)
    async with opened(server.url) as connector:
        assert few == await connector.browse(node("Machine"), 5)


async def test_a_large_server_is_cut_with_a_note(server: Server) -> None:
    async with opened(server.url) as connector:
        notes: list[str] = []
        browser = Browser(
            connector._session, connector._limits, connector._namespaces, notes.append
        )
        assert len(await browser.nodes(node("Machine"), 5, most=7)) == 7
    assert notes == [f"more than 7 nodes below {node('Machine')}: the rest is left out"]


async def test_the_diagnostics_of_the_server_come_only_when_asked_for(server: Server) -> None:
    async with opened(server.url) as connector:
        everything = await connector.browse("", 10)
        below = await connector.browse("i=2253", 2)
    assert not any(one.path.startswith("Server/") for one in everything)
    assert "ServerStatus/CurrentTime" in {one.path for one in below}


@pytest.mark.parametrize("below", ["nonsense", "nsu=urn:nobody;s=x"])
async def test_a_start_that_is_none_is_named(server: Server, below: str) -> None:
    async with opened(server.url) as connector:
        with pytest.raises(Refused, match=r"nonsense|urn:nobody"):
            await connector.browse(below, 1)


async def test_every_path_can_be_the_name_of_a_tag(server: Server) -> None:
    """The kernel makes tags of them, chosen by `include` and `exclude` of the deployment file."""
    async with opened(server.url) as connector:
        found = await connector.browse(node("Machine"), 5)
    paths = [one.path for one in found]
    assert "Odd_Name _1_" in paths
    assert len(set(paths)) == len(paths)
    assert all(path_problem(path) == "" for path in paths)
    chosen = {path for path in paths if Selector(["Types/U*", "T*"]).matches(path)}
    assert {"Temp", "Types", "Types/UInt16", "Types/UInt32", "Types/UInt64"} <= chosen


def test_nodes_with_the_same_name_get_different_paths() -> None:
    names = Names()
    given = [
        names.below(parent, name)
        for parent, name in (("a", "x"), ("a", "x"), ("b", "x"), ("a", "x"), ("", "x"))
    ]
    assert given == ["a/x", "a/x~2", "b/x", "a/x~3", "x"]


@given(st.lists(st.text(), min_size=1))
def test_any_names_become_different_legal_segments(many: list[str]) -> None:
    names = Names()
    given_out = [names.below("", name) for name in many]
    assert len(set(given_out)) == len(many)
    assert all(segment_problem(segment) == "" for segment in given_out)


@given(st.text())
def test_any_name_becomes_a_legal_segment(name: str) -> None:
    assert segment_problem(legal(name)) == ""
