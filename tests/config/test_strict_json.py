"""JSON that two readers could understand differently is refused, wherever a file or a stranger's bytes are read."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate import strict_json

ROOT = Path(__file__).parents[2]
OURS = {
    "core/bedplate/strict_json.py": "it is the reader",
    "core/bedplate/config/checking.py": "a text that it has written itself a line before, as a key of its cache",
    "plugins/access/bedplate_access/policy/rules.py": "what the library of the policies writes",
    "core/bedplate/command/store.py": "rows that it has written itself, NaN among them",
    **dict.fromkeys(
        (f"plugins/simline/bedplate_simline/{name}.py" for name in ("both", "launch", "serving")),
        "a simulator that does without Bedplate, and reads its own children and parent",
    ),
}


@pytest.mark.case("A41")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NaN", "NaN is no number of JSON"),
        ("[1, Infinity]", "Infinity is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ("1e999", "too large"),
        ("-1e999", "too large"),
        ('{"deny": 1, "allow": 2, "deny": 3}', "key 'deny' stands twice"),
        ('{"x": {"a": 1, "\\u0061": 2}}', "key 'a' stands twice"),
        ("18446744073709551616", "more than 64 bits"),
        ("-9223372036854775809", "more than 64 bits"),
        ("9" * 5_000, "more than 64 bits"),
        ('"\\ud800"', "surrogates not allowed"),
        ('{"\\udc00": 1}', "surrogates not allowed"),
        ('["\\ude00\\ud83d"]', "surrogates not allowed"),
        ("[" * 65 + "]" * 65, "deeper than 64"),
        ("[" * 100_000, "deeper than 64"),
        ('{"a":' * 100_000, "deeper than 64"),
        ("\ufeff{}", "BOM"),
        ("{} {}", "Extra data"),
        ("", "Expecting value"),
        ("{'a': 1}", "Expecting property name"),
        ("[1,]", "Expecting value"),
        ('"a\nb"', "control character"),
    ],
)
def test_what_could_be_understood_differently_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        strict_json.loads(text)

    assert why in str(caught.value)


@pytest.mark.case("A41")
@pytest.mark.parametrize(
    "content", [b"\xff", b"\xed\xa0\x80", '"a"'.encode("utf-16"), b'"\xc0\x80"']
)
def test_bytes_are_utf_8_and_nothing_else(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"codec|Expecting"):
        strict_json.loads(content)


def test_brackets_in_texts_are_no_depth() -> None:
    text = json.dumps({"a": "[" * 1_000, "b\\": '"{["' * 100})

    assert strict_json.loads(text) == json.loads(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(VALUES, st.booleans())
def test_what_is_written_is_read(value: Any, ascii: bool) -> None:
    assert strict_json.loads(json.dumps(value, ensure_ascii=ascii).encode()) == value


@given(st.text())
def test_any_text_is_read_as_json_reads_it_or_refused(text: str) -> None:
    try:
        found = strict_json.loads(text)
    except ValueError:
        return
    assert found == json.loads(text)


@pytest.mark.case("A41")
def test_nothing_of_ours_reads_json_in_another_way() -> None:
    """A new reader has to be this one, or to say here why it may be another."""
    found = {
        f"{file}:{line}" for file in sources() for line in readers(ROOT / file) if file not in OURS
    }

    assert found == set()


def sources() -> Iterator[str]:
    for place in ("core/bedplate", "plugins"):
        for file in (ROOT / place).rglob("*.py"):
            name = str(file.relative_to(ROOT))
            if not {"tests", "templates", "v1"} & set(file.parts):
                yield name


def readers(file: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Attribute) and node.attr in ("loads", "load", "JSONDecoder"):
            if isinstance(node.value, ast.Name) and node.value.id == "json":
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "json":
            yield from (node.lineno for name in node.names if name.name in ("loads", "load"))
