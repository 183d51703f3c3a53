"""Policies, parsed and checked once; and what they look at, so that no more than that is asked of them.

Rule: two resources that the policies can't tell apart are decided once. They can tell them by the assets that they
name, and by the path where they look at it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cedarpy

from bedplate_access.policy.actions import schema
from bedplate_access.policy.texts import Broken, PolicyFile, Statement, statements
from bedplate_access.settings import ROLES

TOLD = re.compile(r"`([^`]+)`")
IN_EACH = re.compile(r' in context for Action::"[^"]*"| for Action::"[^"]*"')
FOLLOWS = "unable to find an applicable action"  # from what was said before
CLOCK = frozenset({"hour", "minute", "weekday", "shift"})
BY_HIERARCHY = ("in", "==", "!=")


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy. name: its @id, or the place where it stands · forbids: it denies what it is about."""

    name: str
    place: str
    forbids: bool


class Rules:
    """All that hold. files: that they were read from · rules: by Cedar's own numbers · assets: paths that they name ·
    by_path: whether they look at paths as such · moments: whether they look at the clock."""

    def __init__(self, files: Sequence[PolicyFile]) -> None:
        """Raises Broken with every mistake that was found."""
        self.files = tuple(files)
        found = [one for file in files for one in statements(file)]
        self._parse(found)
        policies = json.loads(cedarpy.policies_to_json_str(self._text(found)))["staticPolicies"]
        self.rules = {
            name: _rule(policy, found[int(name.removeprefix("policy"))])
            for name, policy in policies.items()
        }
        whole = [policies[f"policy{number}"] for number in range(len(found))]
        self._check(found, whole)
        self.set = cedarpy.PolicySet.from_str(self._text(found))
        self.assets = frozenset(_of_type(whole, "Asset"))
        self.by_path = any(_looks(one, "resource") for one in whole)
        self.moments = frozenset(_context(whole)) & CLOCK

    def _text(self, found: Sequence[Statement]) -> str:
        return "\n".join(one.text for one in found)

    def _parse(self, found: Sequence[Statement]) -> None:
        """One by one: the parser does not say where."""
        wrong = []
        for one in found:
            try:
                parsed = cedarpy.PolicySet.from_str(one.text)
            except ValueError as error:
                wrong.append(f"{one.file}:{_line(one, str(error))}: {error}")
                continue
            if len(parsed) != 1:
                wrong.append(f"{one.place}: a template permits nothing; write the policy out")
        if wrong:
            raise Broken("\n".join(wrong))

    def _check(self, found: Sequence[Statement], policies: Sequence[Any]) -> None:
        """Names that are used twice, and words that nobody knows."""
        wrong: list[str] = []
        places: dict[str, str] = {}
        for rule in self.rules.values():
            if first := places.get(rule.name):
                wrong.append(f"{rule.place}: @id {rule.name} is that of {first} too")
            places[rule.name] = rule.place
        for error in cedarpy.validate_policies(self._text(found), schema()).errors:
            number = int(error.policy_id.removeprefix("policy") or 0)
            text = error.error.partition(", ")[2] or error.error
            place = found[number].place
            if not (text.startswith(FOLLOWS) and any(w.startswith(f"{place}:") for w in wrong)):
                wrong.append(f"{place}: {IN_EACH.sub('', text)}")
        for number, policy in enumerate(policies):
            for role in sorted({*_of_type(policy, "Role")} - {*ROLES}):
                near = difflib.get_close_matches(role, ROLES, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(ROLES)}"
                wrong.append(f"{found[number].place}: there is no role {role}{hint}")
        if wrong:
            raise Broken("\n".join(dict.fromkeys(wrong)))


def _rule(policy: Any, statement: Statement) -> Rule:
    name = policy.get("annotations", {}).get("id") or statement.place.rpartition("/")[2]
    return Rule(name, statement.place, policy["effect"] == "forbid")


def _line(statement: Statement, error: str) -> int:
    """Where in it the words of the error stand."""
    words = TOLD.findall(error) or [error.rpartition(": ")[2]]
    at = statement.text.find(words[0])
    return statement.line + (statement.text.count("\n", 0, at) if at > 0 else 0)


# --- what they look at ---


def _of_type(node: Any, type_: str) -> Iterator[str]:
    """Ids of the entities of a type that are written anywhere."""
    if isinstance(node, dict):
        if node.get("type") == type_ and isinstance(node.get("id"), str):
            yield node["id"]
        for value in node.values():
            yield from _of_type(value, type_)
    elif isinstance(node, list):
        for value in node:
            yield from _of_type(value, type_)


def _looks(node: Any, variable: str) -> bool:
    """Whether a variable is used in any other way than by its place in the hierarchy."""
    if isinstance(node, list):
        return any(_looks(one, variable) for one in node)
    if not isinstance(node, dict):
        return False
    if node.get("Var") == variable:
        return True
    for operator, inner in node.items():
        sides = inner if isinstance(inner, dict) else {}
        placed = operator in BY_HIERARCHY and sides.get("left") == {"Var": variable}
        if _looks(sides.get("right") if placed else inner, variable):
            return True
    return False


def _context(node: Any) -> Iterator[str]:
    """Attributes of the context that are used; all, where it is used as a whole."""
    if isinstance(node, list):
        for one in node:
            yield from _context(one)
    elif isinstance(node, dict):
        if node.get("Var") == "context":
            yield from CLOCK
        for operator, inner in node.items():
            if operator in (".", "has") and inner.get("left") == {"Var": "context"}:
                yield inner["attr"]
            else:
                yield from _context(inner)
