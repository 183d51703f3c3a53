"""A41: what two readers could understand differently is refused, each with its line; strings stay strings."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.config import document


def told(content: bytes | str) -> list[str]:
    data = content if isinstance(content, bytes) else content.encode()
    return [
        " ".join(str(p).removeprefix("f.yaml").lstrip(": ").split())
        for p in document.read(data, "f.yaml")[1]
    ]


def value(text: str) -> object:
    node, problems = document.read(f"a: {text}\n".encode(), "f.yaml")
    assert problems == []
    assert node is not None
    return node.plain()["a"]


REFUSED = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", ["3 a: duplicate key, already in line 1"]),
    "duplicate key below": ("x:\n  a: 1\n  'a': 2\n", ["3 x.a: duplicate key, already in line 2"]),
    "duplicate key in flow": ("x: {write_guard: deny, write_guard: allow}",
        ["1 x.write_guard: duplicate key, already in line 1"]),
    "anchor": ("a: &x 1\n", ["1 anchors are not allowed: &x; a type says it once for many"]),
    "anchor on a mapping": ("a: &x\n  b: 1\n", ["1 anchors are not allowed: &x; a type says it once for many"]),
    "alias": ("a: 1\nb: *x\n", ["2 aliases are not allowed: *x; a type says it once for many"]),
    "merge key": ("a: {<<: {b: 1}}\n", ["1 merge keys (<<) are not allowed; a type says it once for many"]),
    "python tag": ("a: !!python/object:os.system x\n",
        ["1 tags are not allowed: tag:yaml.org,2002:python/object:os.system"]),
    "own tag": ("a: 1\nb: !secret hunter2\n", ["2 tags are not allowed: !secret"]),
    "tag on a list": ("a: !!set [1]\n", ["1 tags are not allowed: tag:yaml.org,2002:set"]),
    "directive": ("%YAML 1.1\n---\na: 1\n", ["1 directives (%) are not allowed"]),
    "second document": ("a: 1\n---\nb: 2\n", ["2 a second document starts here; one file holds one"]),
    "tab": ("a:\n\tb: 1\n\tc: 2\n", ["2 tab; use spaces", "3 tab; use spaces"]),
    "escape": ("a: 1\nb: \x1b[31m\n", ["2 control character U+001B"]),
    "nul": (b"a: 1\x00\n", ["1 control character U+0000"]),
    "next line": ("a: 1\u0085b: 2\n", ["1 control character U+0085"]),
    "right-to-left override": ("a: \u202e1\n", ["1 control character U+202E"]),
    "lone carriage return": (b"a: 1\rb: 2\n", ["1 control character U+000D"]),
    "byte order mark": (b"\xef\xbb\xbfa: 1\n", ["1 starts with a byte order mark; save it as UTF-8 without one"]),
    "latin-1": (b"a: 1\nb: 20 \xb0C\n", ["2 not UTF-8: byte 0xb0"]),
    "utf-16": ("a: 1\n".encode("utf-16"), ["1 not UTF-8: byte 0xff"]),
    "surrogate": ('a: "\\ud800"\n', ["1 half a character (a lone surrogate)"]),
    "beyond unicode": ('a: 1\nb: "\\U00110000"\n', ["2 not YAML"]),
    "number beyond 64 bits": (f"a: {2**64}\n", ["1 a: number beyond 64 bits; put it in quotes if it is text"]),
    "five thousand digits": (f"a: {'9' * 5000}\n", ["1 a: number beyond 64 bits; put it in quotes if it is text"]),
    "infinity": ("a: [.inf]\n", ["1 a[0]: not a finite number; put it in quotes if it is text"]),
    "not a number": ("a: .nan\n", ["1 a: not a finite number; put it in quotes if it is text"]),
    "overflow": ("a: 1e999\n", ["1 a: not a finite number; put it in quotes if it is text"]),
    "mapping as key": ("? {a: 1}\n: 2\n", ["1 a key must be plain text"]),
    "depth": ("[" * 5000, ["1 nested deeper than 20"]),
    "size": (b"a: " + b"x" * (2 << 20), ["larger than 1 MiB"]),
    "empty": ("", ["empty"]),
    "comment only": ("# nothing\n", ["empty"]),
    "unfinished": ("a: 1\nb: [1,\n",
        ["3 not YAML: while parsing a flow node expected the node content, but found '<stream end>'"]),
    "two colons": ("a: 1\nb: c: d\n", ["2 not YAML: mapping values are not allowed here"]),
}  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), REFUSED.values(), ids=REFUSED)
@pytest.mark.case("A41")
def test_what_is_ambiguous_is_refused_with_its_line(
    content: bytes | str, expected: list[str]
) -> None:
    assert told(content) == expected


def test_everything_wrong_with_the_form_is_told_at_once() -> None:
    assert told("a: &x 1\na: !t 2\nb: {<<: 1e999}\n") == [
        "1 anchors are not allowed: &x; a type says it once for many",
        "2 tags are not allowed: !t",
        "2 a: duplicate key, already in line 1",
        "3 merge keys (<<) are not allowed; a type says it once for many",
        "3 b.<<: not a finite number; put it in quotes if it is text",
    ]


STAYS_TEXT = [
    "NO",
    "no",
    "yes",
    "on",
    "Off",
    "y",
    "0123",
    "1_000",
    "12:30:00",
    "06:00",
    "2027-05-01",
    "0b1",
    "1e",
    "+",
]


@pytest.mark.parametrize("text", STAYS_TEXT)
@pytest.mark.case("A41")
def test_what_yaml_1_1_took_for_something_else_is_text(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-17", -17),
        ("+5", 5),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("6e-3", 0.006),
        ("'1'", "1"),
        ('"true"', "true"),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_scalars_are_yaml_1_2(text: str, expected: object) -> None:
    found = value(text)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.case("A41")
def test_windows_line_ends_are_line_ends() -> None:
    node, problems = document.read(b"a: 1\r\nb: |\r\n  x\r\n  y\r\nb: 2\r\n", "f.yaml")

    assert node is not None
    assert node.plain() == {"a": 1, "b": "x\ny\n"}
    assert [str(p) for p in problems] == ["f.yaml:5  b: duplicate key, already in line 2"]


def test_a_node_knows_its_line_and_path() -> None:
    node, _ = document.read(b"# c\na:\n  - x\n  - b: |\n      1\n      2\n    c: 3\n", "f.yaml")

    assert node is not None
    inner = node.value["a"].value[1].value["c"]
    assert (inner.line, inner.path, inner.value) == (7, "a[1].c", 3)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300), st.text(alphabet="ab:-?[]{}&*!|>'\"%@`#,\n \t\\x0", max_size=120)
    )
)
@pytest.mark.case("A41")
def test_any_bytes_are_nodes_or_problems(content: bytes | str) -> None:
    data = content if isinstance(content, bytes) else content.encode()

    node, problems = document.read(data, "f.yaml")

    assert node is not None or problems


HUGE = {
    "brackets": "[" * (1 << 20),
    "braces": "{" * (1 << 20),
    "dashes": "- " * (1 << 19),
    "questions": "? " * (1 << 19),
    "colons": ": " * (1 << 19),
    "tags": "a: " + "!" * 200_000,
    "quotes": "a: '" + "''" * (1 << 19),
    "lines": 'a: "' + "a\n" * (1 << 18),
    "comments": "#\n" * (1 << 19),
    "documents": "---\n" * (1 << 18),
    "keys": "".join(f"k{i}: {i}\n" for i in range(60_000)),
    "same key": "k: 1\n" * 200_000,
    "flow": "a: [" + "1, " * 300_000 + "1]",
    "scalar": "a: " + "x" * ((1 << 20) - 10),
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
@pytest.mark.case("A41")
def test_a_mebibyte_of_anything_is_read_in_bounded_time(text: str) -> None:
    start = time.process_time()
    document.read(text.encode(), "f.yaml")

    assert time.process_time() - start < 20
