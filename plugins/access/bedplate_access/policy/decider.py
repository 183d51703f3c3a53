"""Decides checks by the policies: one evaluation for all resources that they can't tell apart.

Rule: a policy that fails to evaluate denies. A call that shows things, asked about for the platform, is allowed when
there may be anything that it could show; then each path is decided for itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import cedarpy

from bedplate import Check, Decision, Subject, Verdict
from bedplate.calendar import Calendar
from bedplate_access.policy import actions
from bedplate_access.policy.moment import caller, lasts, moment
from bedplate_access.policy.rules import Rules
from bedplate_access.roster import OWN

ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\0": "\\0",
}
NOTHING = "nothing permits it"


@dataclass(frozen=True, slots=True)
class Found:
    """rules: names of those that decided · errors: of policies that could not be evaluated."""

    allowed: bool
    rules: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        if self.errors:
            return f"a policy could not be evaluated: {self.errors[0]}"
        named = ", ".join(self.rules) or NOTHING
        return named if self.allowed else f"policy: {named}"


class Decider:
    """calendar: whose shifts `context.shift` names. Groups that this module gives are no groups for policies."""

    def __init__(
        self,
        rules: Rules,
        calendar: Calendar | None = None,
        time_ns: Callable[[], int] = time.time_ns,
        *,
        here: tzinfo | None = None,
    ) -> None:
        self._rules, self._calendar, self._time_ns = rules, calendar, time_ns
        self._here = here
        self._base = cedarpy.Entities.from_json_str(actions.entities())

    def decide(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        """One for each, in order."""
        now = self._time_ns()
        context = {**moment(now, self._calendar, self._here), **caller(subject)}
        remember = lasts(now, self._rules.moments)
        found = self.found(subject, checks, context)
        verdicts = {True: Verdict.ALLOW, False: Verdict.DENY}
        return [Decision(verdicts[one.allowed], one.words, remember) for one in found]

    def found(
        self, subject: Subject, checks: Sequence[Check], context: Mapping[str, Any]
    ) -> list[Found]:
        """The same in a context that is given."""
        kinds = [self._kind(check) for check in checks]
        first = dict(zip(reversed(kinds), reversed(checks), strict=True))  # one of each kind
        exact = {kind: check for kind, check in first.items() if not _as_such(check)}
        entities = self._base.with_added_json_str(
            json.dumps([self._user(subject), *self._assets(exact.values())])
        )
        request = {"principal": {"type": "User", "id": subject.id}, "context": json.dumps(context)}
        answers = cedarpy.is_authorized_batch(
            [{**request, **_asked(check)} for check in exact.values()], self._rules.set, entities
        )
        told = {kind: self._told(a) for kind, a in zip(exact, answers, strict=True)}
        for kind, check in first.items():
            if _as_such(check):
                told[kind] = self._possible(subject, check, context, entities)
        return [told[kind] for kind in kinds]

    def _kind(self, check: Check) -> tuple[Any, ...]:
        """Resources of one kind can't be told apart by the policies."""
        if not check.resource or self._rules.by_path:
            return check.action, check.resource
        return check.action, None, *self._named(check.resource)

    def _named(self, path: str) -> list[str]:
        """Of the assets that policies name, those that this is or is in."""
        named, levels = self._rules.assets, path.split("/")
        places = ("/".join(levels[:n]) for n in range(1, len(levels) + 1))
        return [place for place in places if place in named]

    def _user(self, subject: Subject) -> dict[str, Any]:
        groups = [one for one in subject.groups if not one.startswith(OWN)]
        parents = [{"type": "Role", "id": role} for role in subject.roles]
        parents += [{"type": "Group", "id": group} for group in groups]
        attributes = {"roles": list(subject.roles), "groups": groups}
        return {"uid": {"type": "User", "id": subject.id}, "attrs": attributes, "parents": parents}

    def _assets(self, checks: Iterable[Check]) -> list[dict[str, Any]]:
        """Below those alone that policies name: the others make no difference."""
        paths = dict.fromkeys(check.resource for check in checks)
        return [
            {
                "uid": {"type": "Asset", "id": path},
                "attrs": {"path": path},
                "parents": [{"type": "Asset", "id": p} for p in self._named(path) if p != path],
            }
            for path in paths
        ]

    def _told(self, answer: Any) -> Found:
        errors = tuple(answer.diagnostics.errors)
        names = (self._rules.rules[one].name for one in answer.diagnostics.reasons)
        return Found(answer.allowed and not errors, tuple(sorted(names)), errors)

    def _possible(
        self, subject: Subject, check: Check, context: Mapping[str, Any], entities: Any
    ) -> Found:
        """Whether there can be a resource for which it is allowed."""
        asked = {
            "principal": f"User::{_written(subject.id)}",
            "action": f"Action::{_written(check.action)}",
            "context": context,
        }
        answer = cedarpy.is_authorized_partial(asked, self._rules.set, entities)
        errors = tuple(answer.diagnostics.errors)
        if answer.decision is cedarpy.Decision.Deny or errors:
            names = (self._rules.rules[one].name for one in answer.diagnostics.reasons)
            return Found(False, tuple(sorted(names)), errors)
        may = [*answer.diagnostics.reasons, *answer.diagnostics.may_be_determining]
        names = (r.name for one in may if not (r := self._rules.rules[one]).forbids)
        return Found(True, tuple(sorted(set(names))))


def _as_such(check: Check) -> bool:
    return not check.resource and check.action in actions.BY_PATH


def _written(text: str) -> str:
    """A text as Cedar writes it: any other way of writing the same is refused there."""
    return f'"{"".join(map(_character, text))}"'


def _character(one: str) -> str:
    return ESCAPES.get(one) or (one if one.isprintable() else f"\\u{{{ord(one):x}}}")


def _asked(check: Check) -> dict[str, Any]:
    return {
        "action": {"type": "Action", "id": check.action},
        "resource": {"type": "Asset", "id": check.resource},
    }
