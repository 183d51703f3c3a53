"""Asks security modules, side by side: what is remembered is not asked again, the rest goes in portions.

Rule: whatever is no clear yes is a denial. A module that raises, answers too few decisions or none, or takes longer
than 500 ms for a portion, has failed; nothing it was asked for is allowed then, and it is asked no further.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bedplate.contracts import Check, Credential, Decision, LoggedIn, Subject, Verdict
from bedplate.errors import NotReady
from bedplate.gate.memory import LONGEST, Kept, Memory, who

DECIDE_WITHIN = 0.5  # s, for a portion
PORTION = 250  # checks in one ask
FOR_EVER = float("inf")


class Module(Protocol):
    """A security module that the deployment names, up or not. What it raises is a denial; NotReady: for now.
    authenticates: says who somebody is, too."""

    authenticates: bool

    async def authenticate(self, credential: Credential) -> Subject | LoggedIn | None:
        """Who this is; None: nobody it knows."""

    async def authorize(self, subject: Subject, checks: Sequence[Check]) -> Sequence[Decision]:
        """One Decision for each check, in order."""


@dataclass(slots=True)
class Outcome:
    """What one module says. denied: resource → rule · until: the monotonic moment up to which all of it may be
    remembered · failed: why nothing of it is allowed · waits: words for the caller when that is for now · words: for
    what is allowed, where they were asked for."""

    module: str
    denied: dict[str, str] = field(default_factory=dict)
    until: float = FOR_EVER
    failed: str = ""
    waits: str = ""
    words: str = ""

    @property
    def rule(self) -> str:
        """Why not all of it is allowed; empty: it is."""
        return self.failed or next(iter(self.denied.values()), "")


class Asking:
    """modules: id → module; those of the moment."""

    def __init__(
        self, modules: Mapping[str, Module], memory: Memory, within: float = DECIDE_WITHIN
    ) -> None:
        self._modules, self._memory, self._within = modules, memory, within

    async def ask(self, subject: Subject, action: str, resources: Collection[str]) -> list[Outcome]:
        """What each module says to all of these."""
        modules = list(self._modules.items())
        asked = [self._one(name, module, subject, action, resources) for name, module in modules]
        if len(asked) == 1:
            return [await asked[0]]
        return list(await asyncio.gather(*asked))

    async def told(self, subject: Subject, action: str, resource: str) -> list[Outcome]:
        """The same for one, asked anew, with the words of what is allowed."""

        async def one(name: str, module: Module) -> Outcome:
            task = await self._answer(module, subject, [Check(action, resource)])
            if failed := failure(task, 1):
                return Outcome(name, failed=failed, waits=_starting(task))
            (decision,) = task.result()
            if rule := _denial(decision):
                return Outcome(name, {resource: rule})
            return Outcome(name, words=decision.reason)

        return list(await asyncio.gather(*(one(*pair) for pair in self._modules.items())))

    async def _one(
        self, name: str, module: Module, subject: Subject, action: str, resources: Collection[str]
    ) -> Outcome:
        key, outcome = (name, who(subject), action), Outcome(name)
        missing = self._remembered(key, resources, outcome)
        for start in range(0, len(missing), PORTION):
            portion, ticket = missing[start : start + PORTION], self._memory.ticket(name)
            checks = [Check(action, resource) for resource in portion]
            task = await self._answer(module, subject, checks)
            if failed := failure(task, len(checks)):
                outcome.failed, outcome.waits = failed, _starting(task)
                break
            self._take(key, ticket, zip(portion, task.result(), strict=True), outcome)
        return outcome

    def _remembered(self, key: Any, resources: Collection[str], outcome: Outcome) -> list[str]:
        """Takes what is known; returns what is not."""
        kept, now = self._memory.of(key), self._memory.now()
        if not kept:
            return list(resources)
        missing, oldest = [], FOR_EVER
        for resource in resources:
            one = kept.get(resource)
            if one is None or one.until <= now:
                missing.append(resource)
                continue
            if one.rule:
                outcome.denied[resource] = one.rule
            oldest = min(oldest, one.until)
        outcome.until = oldest
        return missing

    def _take(self, key: Any, ticket: int, pairs: Any, outcome: Outcome) -> None:
        """Takes an answer, and remembers what of it may be."""
        now = self._memory.now()
        made: dict[tuple[float, str], Kept] = {}
        decided: list[tuple[str, Kept]] = []
        for resource, decision in pairs:
            rule = _denial(decision)
            if rule:
                outcome.denied[resource] = rule
            lasts = _lasts(decision)
            outcome.until = min(outcome.until, now + lasts)
            if lasts > 0:
                kept = made.setdefault((lasts, rule), Kept(now + lasts, rule))
                decided.append((resource, kept))
        if decided:
            self._memory.keep(key, ticket, decided)

    async def _answer(
        self, module: Module, subject: Subject, checks: Sequence[Check]
    ) -> asyncio.Future[Any]:
        """The ended task, or one that was given up."""
        task: asyncio.Future[Any] = asyncio.ensure_future(_authorize(module, subject, checks))
        try:
            await asyncio.wait([task], timeout=self._within)
            ended = task.done()
        finally:
            task.cancel()  # without effect on one that has ended
            task.add_done_callback(_unheard)
        return task if ended else asyncio.get_running_loop().create_future()


async def _authorize(module: Module, subject: Subject, checks: Sequence[Check]) -> Any:
    return await module.authorize(subject, checks)


def failure(task: asyncio.Future[Any], wanted: int) -> str:
    """Why the outcome of asking a module is no answer; empty when it is one."""
    if not task.done():
        return "no answer in time"
    if task.cancelled():
        return "gave up"
    if (error := task.exception()) is not None:
        return f"{type(error).__name__}: {error}"
    decisions = task.result()
    if not isinstance(decisions, Sequence) or len(decisions) != wanted:
        return f"did not answer with {wanted} decisions"
    return ""


def _denial(decision: Any) -> str:
    """The rule by which this is a denial; empty when it is none."""
    if isinstance(decision, Decision) and decision.verdict in (Verdict.ALLOW, Verdict.ABSTAIN):
        return ""
    return f"denied: {getattr(decision, 'reason', '')}".removesuffix(": ")


def _lasts(decision: Any) -> float:
    """Seconds that it may be remembered."""
    told = decision.remember if isinstance(decision, Decision) else 0.0
    return min(told, LONGEST) if told > 0 else 0.0


def _starting(task: asyncio.Future[Any]) -> str:
    """What a module says that is not up yet; empty for any other."""
    error = task.exception() if task.done() and not task.cancelled() else None
    return str(error) if isinstance(error, NotReady) else ""


def _unheard(task: asyncio.Future[Any]) -> None:
    """What a module that came too late raises is nobody's business any more."""
    if not task.cancelled():
        task.exception()
