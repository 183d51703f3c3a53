"""Selectors against a plain reference; and none of them may take long, since clients write them."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bedplate.model import Selector, is_selector, tails

LEVEL = st.text("ab.", min_size=1, max_size=4)
PATHS = st.lists(LEVEL, min_size=1, max_size=6).map("/".join)
PATTERN = st.text("ab.*", min_size=1, max_size=5).filter(lambda level: "**" not in level)
SELECTORS = st.lists(st.one_of(PATTERN, st.just("**")), min_size=1, max_size=6).map("/".join)


def matches(selector: list[str], path: list[str]) -> bool:
    """What the words say, tried out."""
    if not selector:
        return not path
    if selector[0] == "**":
        return any(matches(selector[1:], path[i:]) for i in range(len(path) + 1))
    return bool(path) and level_matches(selector[0], path[0]) and matches(selector[1:], path[1:])


def level_matches(pattern: str, level: str) -> bool:
    if not pattern:
        return not level
    if pattern[0] == "*":
        return any(level_matches(pattern[1:], level[i:]) for i in range(len(level) + 1))
    return level[:1] == pattern[0] and level_matches(pattern[1:], level[1:])


@given(SELECTORS, PATHS)
@example("a/**/**", "a")
@example("**/a/**/b", "a/a/b/b")
@example("a*a", "a")
@settings(deadline=None, max_examples=1500)
def test_a_selector_matches_what_its_words_say(selector: str, path: str) -> None:
    assert Selector([selector]).matches(path) == matches(selector.split("/"), path.split("/"))


@given(PATTERN, LEVEL)
@settings(deadline=None)
def test_a_star_matches_within_a_level_as_in_file_names(pattern: str, level: str) -> None:
    assert Selector([pattern]).matches(level) == fnmatch.fnmatchcase(level, pattern)


@pytest.mark.parametrize(
    ("selector", "path", "wanted"),
    [
        ("**", "a", True),
        ("**", "a/b/c", True),
        ("*", "a", True),
        ("*", "a/b", False),
        ("a/*/c", "a/b/c", True),
        ("a/*/c", "a/c", False),
        ("a/**/c", "a/c", True),
        ("a/**", "a", True),
        ("a/**", "ab", False),
        ("**/power", "power", True),
        ("**/power", "overpower", False),
        ("a.b", "axb", False),
        ("**/press-*/temp*", "acme/line1/press-07/temperature", True),
        ("a\n*", "a\nb", True),
    ],
)
def test_examples(selector: str, path: str, wanted: bool) -> None:
    assert Selector([selector]).matches(path) is wanted


def test_several_selectors_are_one_question_and_none_match_nothing() -> None:
    assert Selector(["a/*", "b"]).matches("b")
    assert not Selector([]).matches("a")


@pytest.mark.parametrize("text", ["", "a//b", "/a", "a/", "a/**b", "***", "a**"])
def test_a_malformed_selector_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"empty level|must stand alone"):
        Selector([text])


@pytest.mark.parametrize(
    ("selector", "path"),
    [
        ("*a" * 40 + "*b", "a" * 128),
        ("/".join(["**", "a"] * 30) + "/**/b", "/".join("a" * 300)),
        ("/".join(["**", "*a*b*a*"] * 30) + "/c", "/".join(["abab" * 32] * 60)),
        ("**/" + "*a" * 60 + "*/**/c", "/".join(["a" * 128] * 100)),
    ],
)
def test_no_selector_takes_long(selector: str, path: str) -> None:
    one = Selector([selector])
    began = time.process_time()

    assert not one.matches(path)
    assert time.process_time() - began < 0.1


def test_a_tail_names_whole_levels_and_the_whole_wins() -> None:
    paths = ["a/b", "x/a/b", "x/ca/b"]

    assert tails("a/b", paths) == ["a/b"]
    assert tails("b", paths) == paths
    assert tails("ca/b", paths) == ["x/ca/b"]
    assert tails("c", paths) == []
    assert is_selector("a/*")
    assert not is_selector("a/b")
