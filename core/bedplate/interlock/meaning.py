"""Whether an interlock holds. Never true by ignorance.

What is not known (stale, Bad, missing, of another type than it is compared with, NaN; a number without a label where it
is compared with one) makes its comparison false, and where it stands anywhere below a `not` the whole is false: what
holds would hold whatever the unknown ones are.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any as Whatever

from bedplate.interlock.syntax import All, Any, Comparison, Constant, Not, Operand, Tree, Word
from bedplate.shown import plain, value_text

SIGNS: Mapping[str, Callable[[Whatever, Whatever], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a tag. value: None: nothing, and why says it · states: its labels."""

    value: Whatever
    why: str = ""
    states: Mapping[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"not known ({self.why})" if self.value is None else value_text(self.value, self.states)
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """holds: the condition is true · text: what it was judged by, for people: "guard_closed is false"."""

    holds: bool
    text: str


def judge(tree: Tree, names: Collection[str], look: Callable[[str], Fact]) -> Outcome:
    """names: of the tags that there are; any other word is a label. look: asked once for each tag that is named."""
    facts = {name: look(name) for name in sorted(_named(tree, names))}
    judging = _Judging(facts)
    holds = judging.true(tree, denied=False) and not judging.blind
    return Outcome(holds, ", ".join(f"{plain(name)} is {fact}" for name, fact in facts.items()))


def _named(tree: Tree, names: Collection[str]) -> set[str]:
    match tree:
        case Word():
            return {tree.text} & set(names)
        case Constant():
            return set()
        case Comparison():
            return _named(tree.left, names) | _named(tree.right, names)
        case Not():
            return _named(tree.part, names)
    return {name for part in tree.parts for name in _named(part, names)}


class _Judging:
    """blind: something unknown stood below a `not`."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self._facts = facts
        self.blind = False

    def true(self, tree: Tree, *, denied: bool) -> bool:
        """denied: it stands below a `not`. Every part is looked at, so that none that is unknown is overlooked."""
        match tree:
            case Not():
                return not self.true(tree.part, denied=True)
            case All() | Any():
                parts = [self.true(part, denied=denied) for part in tree.parts]
                return all(parts) if isinstance(tree, All) else any(parts)
            case Comparison():
                found = self._compared(tree)
            case _:
                found = self._alone(tree)
        self.blind |= found is None and denied
        return found is True

    def _alone(self, operand: Operand) -> bool | None:
        value = self._value(operand)
        return value if isinstance(value, bool) else None

    def _compared(self, tree: Comparison) -> bool | None:
        """None: not known, or not to be compared."""
        for one, other in ((tree.left, tree.right), (tree.right, tree.left)):
            if self._fact(one) is None and isinstance(one, Word):
                return self._label(self._fact(other), one.text, tree.sign)
        left, right = self._value(tree.left), self._value(tree.right)
        if not _alike(left, right) or (tree.sign not in ("==", "!=") and not _number(left)):
            return None
        return SIGNS[tree.sign](left, right)

    def _label(self, fact: Fact | None, label: str, sign: str) -> bool | None:
        """A tag against a label of its states, or a text against a text."""
        if fact is None or fact.value is None or sign not in ("==", "!="):
            return None
        if isinstance(fact.value, str) and not fact.states:
            return (fact.value == label) is (sign == "==")
        numbers = {number for number, text in fact.states.items() if text == label}
        if not numbers or not _number(fact.value) or fact.value not in fact.states:
            return None  # a state that has no word is not known to be another one
        return (fact.value in numbers) is (sign == "==")

    def _fact(self, operand: Operand) -> Fact | None:
        return self._facts.get(operand.text) if isinstance(operand, Word) else None

    def _value(self, operand: Operand) -> Whatever:
        if isinstance(operand, Constant):
            return operand.value
        fact = self._fact(operand)
        return None if fact is None else fact.value


def _number(value: Whatever) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _alike(left: Whatever, right: Whatever) -> bool:
    """Whether two values can be compared."""
    if isinstance(left, bool | str):
        return type(left) is type(right)
    return _number(left) and _number(right)
