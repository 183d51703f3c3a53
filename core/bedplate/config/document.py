"""The strict reader: bytes of a file → nodes that know their line.

Rule: what two readers could understand differently is refused: duplicate keys, anchors, aliases, merge keys, tags,
directives, tabs, control characters, a second document. Scalars are YAML 1.2 (core schema): `NO`, `0123`, `1_000` and
`12:30:00` are text. Whatever the bytes, the result is nodes or problems, in time bounded by the size limit. It knows
nothing of what the file means.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bedplate.errors import Problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_VALUES = 150_000
MAX_REFUSALS = 1_000

# C0 but line feed, DEL, C1, line and paragraph separators, bidirectional overrides, non-characters. A carriage return
# is fine before a line feed.
_FORBIDDEN = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\r(?!\n)"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII
)
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(slots=True, eq=False)
class Node:
    """A value and where it stands. Compared by identity.

    value: None, bool, int, float, str, list of Node or dict of Node · line: of its key where it has one, from 1 ·
    text: a scalar as written · origin: the cell or default a `$parameter` was filled with.
    """

    value: Any
    file: str
    line: int
    key: str = ""
    parent: Node | None = field(default=None, repr=False)
    text: str = ""
    origin: Node | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """Dotted path in its file."""
        keys, node = [], self
        while node.parent is not None:
            keys.append(node.key if len(node.key) <= 80 else node.key[:79] + "…")
            node = node.parent
        return ".".join(reversed(keys)).replace(".[", "[")

    def get(self, key: str) -> Node | None:
        """The entry of a mapping; None when there is none, or this is no mapping."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> list[tuple[str, Node]]:
        """The entries of a mapping; none when this is no mapping."""
        return list(self.value.items()) if isinstance(self.value, dict) else []

    def plain(self) -> Any:
        """The value without lines, as JSON has it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class _Event(Protocol):
    """What is used of the parser's events."""

    start_mark: Any


def scalar(text: str) -> Any:
    """The value of a plain scalar. Raises ValueError for a number no other reader could hold."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        if len(text) <= 24 and -(1 << 63) <= (number := int(text, 0)) < 1 << 64:
            return number
        raise ValueError("number beyond 64 bits; put it in quotes if it is text")
    if _FLOAT.fullmatch(text) or _INFINITE.fullmatch(text):
        value = float(text) if len(text) <= 400 and text[-1] not in "fFnN" else math.inf
        if math.isfinite(value):
            return value
        raise ValueError("not a finite number; put it in quotes if it is text")
    return text


def decode(content: bytes, file: str) -> tuple[str, list[Problem]]:
    """The text of a file, or what no file may hold."""
    if len(content) > MAX_BYTES:
        return "", [Problem(file, 0, "", f"larger than {MAX_BYTES >> 20} MiB")]
    if content.startswith(b"\xef\xbb\xbf"):
        return "", [
            Problem(file, 1, "", "starts with a byte order mark; save it as UTF-8 without one")
        ]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return "", [Problem(file, line, "", f"not UTF-8: byte 0x{content[error.start]:02x}")]
    problems: dict[int, Problem] = {}
    for match in _FORBIDDEN.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        what = "tab; use spaces" if match[0] == "\t" else f"control character U+{ord(match[0]):04X}"
        problems[line] = Problem(file, line, "", what)
        if len(problems) == 20:
            break
    return text, list(problems.values())


def read(content: bytes, file: str) -> tuple[Node | None, list[Problem]]:
    """The nodes of a YAML file, None when it can't be read to its end, and all that is wrong with its form."""
    text, problems = decode(content, file)
    if problems:
        return None, problems
    composer = _Composer(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            composer.take(event)
    except _Unreadable as error:
        composer.refuse(error.line, str(error))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else composer.line
        composer.refuse(min(line, text.count("\n") + 1), _clean(error))
    except (YAMLError, ValueError, LookupError, AttributeError, TypeError, AssertionError):
        composer.refuse(
            composer.line, "not YAML"
        )  # the parser's own weak spots, such as "\U00110000"
    else:
        if composer.root is None:
            composer.refuse(0, "empty")
        return composer.root, composer.problems
    return None, composer.problems


class _Unreadable(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


class _Composer:
    """Builds nodes from the parser's events without recursion, so depth is ours to limit."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.line = 1
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._values = 0
        self._open: list[Node] = []
        self._key: list[tuple[str, int] | None] = []

    def refuse(self, line: int, text: str, path: str = "") -> None:
        self.problems.append(Problem(self.file, line, path, text))

    def take(self, event: _Event) -> None:
        kind = type(event).__name__
        self.line = event.start_mark.line + 1
        if kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent", "AliasEvent"):
            self._values += 1
            if self._values > MAX_VALUES or len(self.problems) > MAX_REFUSALS:
                what = (
                    f"more than {MAX_VALUES} values"
                    if self._values > MAX_VALUES
                    else "too much is wrong"
                )
                raise _Unreadable(self.line, f"{what}; not read further")
            self._check(event, kind)
            self._node(event, kind)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._open.pop()
            self._key.pop()
        elif kind == "DocumentStartEvent":
            self._document(event)

    def _document(self, event: Any) -> None:
        if event.version or event.tags:
            self.refuse(1, "directives (%) are not allowed")
        if self.root is not None:
            raise _Unreadable(self.line, "a second document starts here; one file holds one")

    def _check(self, event: Any, kind: str) -> None:
        if kind == "AliasEvent":
            raise _Unreadable(
                self.line,
                f"aliases are not allowed: *{event.anchor[:40]}; a type says it once for many",
            )
        if event.anchor is not None:
            self.refuse(
                self.line,
                f"anchors are not allowed: &{event.anchor[:40]}; a type says it once for many",
            )
        if event.tag is not None:
            self.refuse(self.line, f"tags are not allowed: {str(event.tag)[:80]}")

    def _node(self, event: Any, kind: str) -> None:
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.value, dict) and self._key[-1] is None:
            if kind != "ScalarEvent":
                raise _Unreadable(self.line, "a key must be plain text")
            self._take_key(event)
            return
        node = Node({} if kind[0] == "M" else [], self.file, self.line, parent=parent)
        self._place(node, parent)
        if kind == "ScalarEvent":
            self._scalar(node, event)
        else:
            self._open.append(node)
            self._key.append(None)
            if len(self._open) > MAX_DEPTH:
                raise _Unreadable(self.line, f"nested deeper than {MAX_DEPTH}")

    def _take_key(self, event: Any) -> None:
        if event.value == "<<" and event.implicit[0]:
            self.refuse(self.line, "merge keys (<<) are not allowed; a type says it once for many")
        _encodable(event.value, self.line)
        self._key[-1] = (event.value, self.line)

    def _scalar(self, node: Node, event: Any) -> None:
        node.text = node.value = event.value
        _encodable(event.value, self.line)
        if event.implicit[0]:
            try:
                node.value = scalar(event.value)
            except ValueError as error:
                self.refuse(self.line, str(error), node.path)

    def _place(self, node: Node, parent: Node | None) -> None:
        if parent is None:
            self.root = node
        elif isinstance(parent.value, list):
            node.key = f"[{len(parent.value)}]"
            parent.value.append(node)
        else:
            node.key, node.line = self._key[-1] or ("", node.line)
            self._key[-1] = None
            if (first := parent.value.setdefault(node.key, node)) is not node:
                self.refuse(node.line, f"duplicate key, already in line {first.line}", node.path)


def _encodable(text: str, line: int) -> None:
    if _SURROGATE.search(text):
        raise _Unreadable(line, "half a character (a lone surrogate)")


def _clean(error: MarkedYAMLError) -> str:
    """The parser's words, without its excerpt: a broken line may hold what must not be shown."""
    words = " ".join(f"{error.context or ''} {error.problem or ''}".split())
    return f"not YAML: {words[:160]}"
