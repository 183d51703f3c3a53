"""From words to a tree, by precedence: comparing binds closest, then not, then and, then or."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bedplate.interlock.tokens import Token, bad, said, tokens

DEEPEST = 40  # parentheses and nots within each other
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Word:
    """A tag, or a label of the states of what it is compared with. quoted: it stood in quotation marks."""

    text: str
    at: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, true or false."""

    value: float | bool
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Operand
    sign: str
    right: Operand
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    part: Tree


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Tree, ...]


Operand: TypeAlias = Word | Constant
Tree: TypeAlias = Operand | Comparison | Not | All | Any


def tree(text: str) -> Tree:
    """The tree of an expression. Raises BadInterlock at the first thing that can't be."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [*tokens(text)]
        self._next = 0
        self._depth = 0

    def whole(self) -> Tree:
        if len(self._tokens) == 1:
            raise bad(self._text, 0, "is empty")
        found = self._any()
        if (rest := self._peek()).kind != "end":
            raise bad(self._text, rest.at, self._unexpected(rest))
        return found

    def _any(self) -> Tree:
        parts = self._series("or", self._all)
        return parts[0] if len(parts) == 1 else Any(parts)

    def _all(self) -> Tree:
        parts = self._series("and", self._not)
        return parts[0] if len(parts) == 1 else All(parts)

    def _series(self, word: str, part: Callable[[], Tree]) -> tuple[Tree, ...]:
        parts = [part()]
        while self._takes("keyword", word):
            parts.append(part())
        return tuple(parts)

    def _not(self) -> Tree:
        if not (token := self._takes("keyword", "not")):
            return self._comparison()
        self._deeper(token)
        part = self._not()
        self._depth -= 1
        return Not(part)

    def _comparison(self) -> Tree:
        if token := self._takes("sign", "("):
            return self._parenthesis(token)
        left = self._operand()
        sign = self._peek()
        if sign.text not in COMPARISONS or sign.kind != "sign":
            return left
        self._next += 1
        right = self._operand()
        again = self._peek()
        if again.kind == "sign" and again.text in COMPARISONS:
            raise bad(self._text, again.at, "compares twice: write a < b and b < c")
        return Comparison(left, sign.text, right, left.at)

    def _parenthesis(self, opened: Token) -> Tree:
        self._deeper(opened)
        inner = self._any()
        if not self._takes("sign", ")"):
            rest = self._peek()
            why = "a parenthesis is left open" if rest.kind == "end" else self._unexpected(rest)
            raise bad(self._text, opened.at if rest.kind == "end" else rest.at, why)
        self._depth -= 1
        after = self._peek()
        if after.kind == "sign" and after.text in COMPARISONS:
            raise bad(
                self._text, after.at, "compares a condition: only tags and values are compared"
            )
        return inner

    def _operand(self) -> Operand:
        token = self._peek()
        self._next += 1
        if token.kind in ("word", "text"):
            return Word(token.text, token.at, quoted=token.kind == "text")
        if token.kind == "number":
            return Constant(self._number(token), token.at)
        if token.text in ("true", "false"):
            return Constant(token.text == "true", token.at)
        self._next -= 1
        raise bad(self._text, token.at, self._unexpected(token))

    def _number(self, token: Token) -> float:
        """A whole one to its last digit: tags of 64 bits hold what no float does."""
        if token.text.removeprefix("-").isdigit():
            return int(token.text)
        if math.isinf(number := float(token.text)):
            raise bad(self._text, token.at, f"{said(token.text)} is beyond all numbers")
        return number

    def _unexpected(self, token: Token) -> str:
        before = self._tokens[self._next - 1] if self._next else None
        if token.kind == "end":
            return f"ends after {said(before.text)}" if before else "is empty"
        if before and before.kind in ("word", "text", "number") and token.kind != "sign":
            return f"{said(token.text)} can't follow {said(before.text)}: and, or, or a comparison is missing"
        return f"{said(token.text)} can't stand here"

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise bad(self._text, token.at, f"is nested more than {DEEPEST} deep")

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _takes(self, kind: str, text: str) -> Token | None:
        token = self._peek()
        if (token.kind, token.text) != (kind, text):
            return None
        self._next += 1
        return token
