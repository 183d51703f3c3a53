"""From text to words, numbers and signs, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bedplate.errors import BedplateError
from bedplate.shown import plain

LONGEST = 1_000  # characters of an interlock
KEYWORDS = frozenset({"and", "or", "not", "true", "false"})
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
      | (?P<word>[^\W\d][\w./-]*)
      | (?P<text>"[^"\n]*"|'[^'\n]*')
      | (?P<sign>==|!=|<=|>=|<|>|\(|\))
    """,
    re.VERBOSE,
)
_INSTEAD = {
    "=": "for equal write ==",
    "&": "write and",
    "|": "write or",
    "!": "write not",
    '"': "a quotation mark is left open",
    "'": "a quotation mark is left open",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression, and where. line, column: from 1."""

    line: int
    column: int
    text: str

    def __str__(self) -> str:
        where = (
            f"line {self.line}, column {self.column}" if self.line > 1 else f"column {self.column}"
        )
        return f"{self.text} ({where})"


class BadInterlock(BedplateError):
    """An expression that is none."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Token:
    """kind: number, word, text, sign, keyword, end · text: without quotation marks · at: offset in the expression."""

    kind: str
    text: str
    at: int


def bad(text: str, at: int, why: str) -> BadInterlock:
    """An error at an offset of the expression."""
    before = text[:at]
    return BadInterlock(Fault(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1, why))


def said(word: str) -> str:
    """A piece of the expression in a sentence about it."""
    return f"'{plain(word, 40)}'"


def tokens(text: str) -> Iterator[Token]:
    """All of them, then one of kind `end`. Raises BadInterlock."""
    if len(text) > LONGEST:
        raise bad(text, 0, f"is longer than {LONGEST} characters")
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise bad(text, at, _unknown(text[at]))
        kind, word = str(found.lastgroup), found.group()
        if kind == "text":
            yield Token(kind, word[1:-1], at)
        elif kind != "space":
            yield Token("keyword" if kind == "word" and word in KEYWORDS else kind, word, at)
        at = found.end()
    yield Token("end", "", at)


def _unknown(sign: str) -> str:
    if sign.isdigit() or sign in "-.":
        return "this is no number; a name that begins like this goes into quotation marks"
    return f"{said(sign)} means nothing here{f': {_INSTEAD[sign]}' if sign in _INSTEAD else ''}"
