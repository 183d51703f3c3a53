"""Interlocks: conditions on other tags of an asset, `guard_closed and state != fault`. No `eval`, only comparing.

    expression  = disjunction
    disjunction = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | comparison
    comparison  = operand [ ("==" | "!=" | "<" | "<=" | ">" | ">=") operand ] | "(" expression ")"
    operand     = name | label | number | "true" | "false" | '"name or label"'

Pure: no clock, no file. Used by `bedplate check` (problems) and by the write guard (parse, holds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bedplate.errors import BedplateError


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression. column: from 1."""

    column: int
    text: str


class BadInterlock(BedplateError):
    """An expression that is none."""


def problems(
    text: str, names: Mapping[str, str], states: Mapping[str, Mapping[int, str]]
) -> list[Fault]:
    """Everything wrong with an interlock; none: it can be used. names: of the tags of the same asset → their data type
    ("bool", "float64", "text" …, "" where the file does not say) · states: name → its labels by number."""
    return []
