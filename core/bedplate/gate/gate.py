"""The gate. Order: who asks → the kernel's table → every security module, side by side → the audit log.

Modules may only add denials. One that denies, raises, answers too few decisions or none, or takes longer than 500 ms,
denies. One that is starting denies too, and where nobody else does, the caller is told to try again. Nothing is
remembered from one call to the next: a decision is as fresh as the modules' answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bedplate.contracts import Check, Credential, Decision, LoggedIn, Subject, Verdict
from bedplate.errors import Denied, NotReady, Unauthenticated
from bedplate.gate.audit import Audit, Entry
from bedplate.gate.identity import Authenticator
from bedplate.gate.policy import ACTIONS, by_kernel_alone, objection

DECIDE_WITHIN = 0.5  # s, for all modules together


class Module(Protocol):
    """A security module that the deployment names, up or not. What it raises is a denial; NotReady: for now.
    authenticates: says who somebody is, too."""

    authenticates: bool

    async def authenticate(self, credential: Credential) -> Subject | LoggedIn | None:
        """Who this is; None: nobody it knows."""

    async def authorize(self, subject: Subject, checks: Sequence[Check]) -> Sequence[Decision]:
        """One Decision for each check, in order."""


class Gate:
    """modules: id → module. Safe to use from many calls at once, on one loop."""

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        modules: Mapping[str, Module],
        audit: Audit,
        decide_within: float = DECIDE_WITHIN,
    ) -> None:
        self._authenticators = authenticators
        self._modules = modules
        self._audit = audit
        self._within = decide_within

    async def authenticate(self, credential: Credential) -> Subject:
        """Who calls, by the first that knows: the kernel itself, then every module that authenticates.

        Raises Unauthenticated, with the same words whatever was wrong; NotReady when one that might know starts.
        """
        for authenticator in self._authenticators:
            if subject := authenticator(credential.token, credential.peer):
                return subject
        found, waits = await self._by_modules(credential)
        if found:
            return found
        shown = credential.token or credential.name or credential.certificate
        rule = "kernel: unknown credential" if shown else "kernel: no credential"
        self._audit.add(
            Entry("authenticate", "refused", peer=credential.peer, rule=rule), urgent=True
        )
        if waits:
            raise NotReady(waits)
        raise Unauthenticated("a valid token is needed")

    async def _by_modules(self, credential: Credential) -> tuple[Subject | None, str]:
        """Who it is; and who is still starting, when nobody knows."""
        waits = ""
        for module in self._modules.values():
            if not module.authenticates or not (credential.token or credential.certificate):
                continue
            task = asyncio.ensure_future(module.authenticate(credential))
            await asyncio.wait([task])
            if (error := task.exception()) is not None:
                waits = str(error) if isinstance(error, NotReady) else waits
            elif isinstance(found := task.result(), Subject) and found.id:
                return found, ""
        return None, waits

    async def check(self, subject: Subject, action: str, *resources: str) -> None:
        """Returns when the subject may do this to all of these resources; none: to the platform itself.

        Raises Denied; NotReady when a module that is starting is all that stands against it. The rule stands in the
        audit log, not in the error.
        """
        checks = [Check(action, resource) for resource in resources or ("",)]
        rule, waits = objection(subject, action), ""
        if not rule and self._modules and not by_kernel_alone(subject, action):
            rule, waits = await self._ask(subject, checks)
        told = ", ".join(check.resource for check in checks)
        entry = Entry(
            action=action,
            verdict="refused" if rule else "allowed",
            who=subject.id,
            method=subject.method,
            peer=subject.peer,
            resource=told,
            rule=rule,
        )
        if rule:
            self._audit.add(entry, urgent=True)
            if waits:
                raise NotReady(waits)
            raise Denied(f"{subject.id} may not do {action}{f' to {told[:200]}' if told else ''}")
        if not ACTIONS[action].changes:
            self._audit.add(entry)
        elif not await self._audit.write(entry):
            raise Denied(
                f"{action} is refused while the audit log can't be written; `bedplate status` says why"
            )

    async def _ask(self, subject: Subject, checks: Sequence[Check]) -> tuple[str, str]:
        """The rule by which some module denies, empty when none does; and who is still starting, when nobody else
        denies."""
        asked = {
            asyncio.ensure_future(self._authorize(module, subject, checks)): name
            for name, module in self._modules.items()
        }
        try:
            await asyncio.wait(asked, timeout=self._within)
            rules = [_denial(task, len(checks)) for task in asked]
        finally:
            for task in asked:
                task.cancel()
                task.add_done_callback(_forget)
        told = [f"{name}: {rule}" for name, rule in zip(asked.values(), rules, strict=True) if rule]
        waits = [text for task in asked if (text := _starting(task))]
        return "; ".join(told), "; ".join(waits) if len(waits) == len(told) else ""

    async def _authorize(
        self, module: Module, subject: Subject, checks: Sequence[Check]
    ) -> Sequence[Decision]:
        return await module.authorize(subject, checks)


def _denial(task: asyncio.Future[Any], wanted: int) -> str:
    """Why the outcome of asking a module is a denial; empty when it is none."""
    if not task.done():
        return "no answer in time"
    if task.cancelled():
        return "gave up"
    if (error := task.exception()) is not None:
        return f"{type(error).__name__}: {error}"
    decisions = task.result()
    if not isinstance(decisions, Sequence) or len(decisions) != wanted:
        return f"did not answer with {wanted} decisions"
    for decision in decisions:
        if not isinstance(decision, Decision) or decision.verdict not in (
            Verdict.ALLOW,
            Verdict.ABSTAIN,
        ):
            return f"denied: {getattr(decision, 'reason', '')}".removesuffix(": ")
    return ""


def _starting(task: asyncio.Future[Any]) -> str:
    """What a module says that is not up yet; empty for any other."""
    error = task.exception() if task.done() and not task.cancelled() else None
    return str(error) if isinstance(error, NotReady) else ""


def _forget(task: asyncio.Future[Any]) -> None:
    """What a module that came too late raises is nobody's business any more."""
    if not task.cancelled():
        task.exception()
