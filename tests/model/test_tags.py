"""TagTable: handles that are never used again. Paths: what may be a name."""

from __future__ import annotations

import dataclasses
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bedplate.model import DataType, TagInfo, TagTable, path_problem, segment_problem

KINDS = st.sampled_from([DataType.FLOAT64, DataType.INT64, DataType.TEXT])
NAMES = st.sampled_from(["a", "b", "c/d"])


class HandlesAreNeverUsedAgain(RuleBasedStateMachine):
    """Against a plain list of what was given out."""

    def __init__(self) -> None:
        super().__init__()
        self.table = TagTable(7)
        self.given: dict[int, tuple[str, DataType]] = {}
        self.taken: set[int] = set()

    @rule(path=NAMES, kind=KINDS, description=st.text(max_size=3))
    def a_tag_of_our_own(self, path: str, kind: DataType, description: str) -> None:
        handle = self.table.take_handle()
        assert handle not in self.taken
        assert handle not in self.given
        self.taken.add(handle)
        self.table.put(TagInfo(handle, path, kind, description=description))
        self.given[handle] = path, kind

    @rule(handle=st.integers(-1, 12), path=NAMES, kind=KINDS)
    def a_tag_with_a_handle(self, handle: int, path: str, kind: DataType) -> None:
        known = self.given.get(handle)
        if handle < 1 or known not in (None, (path, kind)):
            with pytest.raises(ValueError, match="is not free"):
                self.table.put(TagInfo(handle, path, kind))
        else:
            self.table.put(TagInfo(handle, path, kind))
            self.given[handle] = path, kind

    @invariant()
    def the_table_says_what_was_given_out(self) -> None:
        table = self.table
        assert {t.handle: (t.path, t.data_type) for t in table} == self.given
        assert len(table) == len(self.given)
        assert table.limit > max([*self.given, *self.taken], default=0)
        assert set(table.paths()) == {path for path, _ in self.given.values()}
        for handle, (path, _) in self.given.items():
            newest = table.newest(path)
            assert handle in table
            assert table[handle].path == path
            assert newest is not None
            assert newest.path == path


TestHandlesAreNeverUsedAgain = HandlesAreNeverUsedAgain.TestCase
TestHandlesAreNeverUsedAgain.settings = settings(deadline=None, max_examples=60)


def test_the_newest_handle_of_a_path_is_the_one_given_out_last() -> None:
    table = TagTable(1, [TagInfo(3, "a", DataType.INT64), TagInfo(2, "a", DataType.FLOAT64)])

    newest = table.newest("a")
    assert newest is not None
    assert newest.handle == 2
    assert table.newest("b") is None
    assert table.take_handle() == 4


def test_what_is_known_of_a_handle_may_be_corrected_but_not_what_it_means() -> None:
    table = TagTable(1, [TagInfo(1, "a", DataType.INT64)])
    table.put(dataclasses.replace(table[1], unit="kW"))

    assert table[1].unit == "kW"
    with pytest.raises(ValueError, match="handle 1 of b is not free"):
        table.put(TagInfo(1, "b", DataType.INT64))


# names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a", "Füllstand", "温度", "press-07", "a b", ".x", "...", "ns=2;s=x", "é" * 64, "😀" * 32],
)
def test_ordinary_names_are_fine(name: str) -> None:
    assert segment_problem(name) == ""
    assert path_problem(f"acme/{name}/x") == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "empty"),
        ("e\u0301", "normal form C"),
        (".", "a step between folders"),
        ("..", "a step between folders"),
        ("a" * 129, "longer than 128 bytes"),
        ("é" * 65, "longer than 128 bytes"),
        *(
            (f"a{c}b", r"must not contain")
            for c in "/*?[]{}#+$\0\n\x7f\u0085\u200b\u200f\u202e\u2028\ud800"
        ),
    ],
)
@pytest.mark.case("A40")
def test_a_name_that_cannot_be_says_why(name: str, words: str) -> None:
    assert words in segment_problem(name)


@pytest.mark.parametrize("path", ["", "/", "a/", "/a", "a//b"])
def test_a_path_has_no_empty_level(path: str) -> None:
    assert "empty" in path_problem(path)


@given(st.text(max_size=140))
@settings(deadline=None)
@pytest.mark.case("A40")
def test_a_name_is_fine_exactly_when_the_rules_hold(name: str) -> None:
    fine = (
        0 < len(name.encode("utf-8", "surrogatepass")) <= 128
        and unicodedata.is_normalized("NFC", name)
        and not any(
            c in "/*?[]{}#+$\u2028\u2029" or unicodedata.category(c)[0] == "C" for c in name
        )
        and name not in (".", "..")
    )

    assert (segment_problem(name) == "") is fine
    problem = segment_problem(name)
    assert problem.isprintable()
