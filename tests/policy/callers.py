"""Callers for services that are tried without a door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from types import SimpleNamespace
from typing import Any, cast

from bedplate.contracts import Check, Decision, Subject, Verdict
from bedplate.gate.gate import Gate
from bedplate.server.door import Caller

SILENT: Any = SimpleNamespace(add=lambda entry, urgent=False: None)


def caller(subject: Subject, gate: Gate) -> Caller:
    """Somebody who is known, behind this gate."""
    return Caller(subject, None, cast(Any, SimpleNamespace(gate=gate)))


def anybody(name: str = "operator-1") -> Caller:
    """Who may do everything, where no module is asked."""
    return caller(Subject(name, ("admin",)), Gate({}, SILENT))


Decide = Callable[[Subject, Check], Decision]


class Module:
    """A security module in a few lines. asked: each ask's checks · authenticates: never."""

    authenticates = False

    def __init__(self, decide: Decide, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self.decide, self._before = decide, before
        self.asked: list[list[Check]] = []

    async def authenticate(self, credential: Any) -> None:
        return None

    async def authorize(self, subject: Subject, checks: Collection[Check]) -> list[Decision]:
        self.asked.append(list(checks))
        if self._before:
            await self._before()
        return [self.decide(subject, check) for check in checks]


def hiding(*words: str, remember: float = 0.0) -> Decide:
    """Denies each path with one of these words in it."""

    def decide(subject: Subject, check: Check) -> Decision:
        hidden = any(word in check.resource for word in words)
        verdict = Verdict.DENY if hidden else Verdict.ABSTAIN
        return Decision(verdict, "hidden" if hidden else "", remember)

    return decide
