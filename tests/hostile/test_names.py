"""Names and values of strangers: what can't be a name is refused by its place, what is a value comes back bit by bit,
and nothing of either becomes a file."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.plant import RigOffer, plant, state, until, value

from bedplate.config.loading import parse
from bedplate.errors import ConfigError
from bedplate.model.tag import path_problem

HOSTILE = Path(__file__).with_name("saying.py")
OFFERS = {"saying": RigOffer("saying", "connector", ("read",), "saying:Saying", "saying", HOSTILE)}
NAMES = [
    *("", "a\0b", "a\nb", "a\r2026-01-01 ADMIN OK", "\u200fa", "\u202ea", "\u2028", "../../etc/x", "..", "a/../b"),
    *("/etc/passwd", "n" * 10_240, "\ud800", "a\x1b[2J", "e\u0301", "*", "$x", "C:\\*", "a\x7f"),
]  # fmt: skip


@pytest.mark.case("A40")
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_what_can_not_be_a_name_is_none(name: str) -> None:
    assert path_problem(name)


@pytest.mark.case("A40")
@given(st.text(alphabet=st.sampled_from("./\\ab\0\n\u202e*é "), max_size=12))
def test_a_path_that_is_taken_never_leaves_the_folder_it_might_be_put_in(name: str) -> None:
    """Nobody does; if somebody did, it would stay below."""
    if path_problem(name):
        return
    root = Path("/srv/data")
    assert (root / name).absolute().is_relative_to(root)
    assert ".." not in Path(name).parts
    assert not {"\0", "\n"} & set(name)


@pytest.mark.case("A40")
@pytest.mark.parametrize(
    "name", ["../../etc/x", "..", "a/../b", "n" * 129, "/etc", "a\\nb", "\\u202e"]
)
def test_a_hostile_name_of_a_tag_or_component_is_refused_at_its_line(
    tmp_path: Path, name: str
) -> None:
    known = OFFERS["saying"].schema
    tag = f'bedplate: 1\nname: x\nconnectors:\n  a: {{use: saying, tags: {{"{name}": {{address: x}}}}}}\n'
    component = f'bedplate: 1\nname: x\nconnectors:\n  "{name}": {{use: saying, tags: {{t: {{address: x}}}}}}\n'
    for text in (tag, component):
        with pytest.raises(ConfigError) as caught:
            parse(text.encode(), "f.yaml", tmp_path, lambda use: known)
        assert {problem.line for problem in caught.value.problems} == {4}
        assert all(str(problem).isprintable() for problem in caught.value.problems)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.case("A40")
async def test_hostile_values_come_back_bit_by_bit_and_become_no_file(tmp_path: Path) -> None:
    tags = "{nan, inf, minus_inf, minus_zero, subnormal, least, megabyte, text, path, surrogate}"
    named = ", ".join(f"{name}: {{address: {name}}}" for name in tags.strip("{}").split(", "))
    text = f"connectors:\n  s: {{use: saying, placement: PLACE, tags: {{{named}}}}}\n"
    async with plant(tmp_path, text, placement="inline", offers=OFFERS) as kernel:
        await until(lambda: state(kernel, "s") in ("up", "degraded"))
        names = ("nan", "inf", "minus_inf", "minus_zero", "subnormal", "least", "text", "path")
        await until(lambda: all(value(kernel, f"s/{name}") is not None for name in names))
        got: dict[str, Any] = {name: value(kernel, f"s/{name}") for name in names}
        problems = kernel.components["s"].role.figures.problems

        assert math.isnan(got["nan"])
        assert (got["inf"], got["minus_inf"]) == (math.inf, -math.inf)
        assert struct.pack("<d", got["minus_zero"]) == struct.pack("<d", -0.0)
        assert got["subnormal"] == 5e-324
        assert got["least"] == -(1 << 63)
        assert got["text"] == "a\0b\n2026-01-01 ADMIN OK\u202e\x1b[2J"
        assert got["path"] == "../../etc/x"
        assert value(kernel, "s/megabyte") == "x" * (1 << 20)
        assert problems == {10: "'\\ud800' is no Unicode text"}, "that item alone, by its tag"
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert all(name.startswith("journal/") for name in files), files
