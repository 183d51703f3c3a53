"""One question for every call: may this subject do this action to this resource?

Order: identity → the kernel's own policy (deny what it does not know) → every security module. A module may only add
denials; its exception, its time-out, a missing decision and silence are denials. Over the local admin socket the
`admin.*` actions are the kernel's alone to decide, so that a dead module can still be seen and removed.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from bedplate.contracts import Check, Decision, Subject, Verdict
from bedplate.errors import Denied
from bedplate.gate.audit import Audit

READS = frozenset(
    {
        "catalog.tags",
        "catalog.assets",
        "live.current",
        "live.subscribe",
        "history.query",
        "alarms.list",
        "alarms.watch",
        "admin.status",
        "admin.plugins",
    }
)
CHANGES = frozenset({"alarms.acknowledge"})
MODULE_WITHIN = 0.5  # s


class Module(Protocol):
    """A security module as the gate meets it."""

    async def authorize(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]: ...


class Gate:
    """modules: asked each time, since they come and go; all of the deployment's, whether they are up or not."""

    def __init__(self, token: str, modules: Callable[[], Iterable[Module]], audit: Audit) -> None:
        self._token = token
        self._modules = modules
        self._audit = audit

    def authenticate(self, token: str, peer: str) -> Subject:
        """Raises Denied("unauthenticated"). The admin socket's folder mode is its identity."""
        if peer.startswith("unix:"):
            return Subject("local-socket", ("admin",), peer, "socket")
        if hmac.compare_digest(token.encode(), self._token.encode()):
            return Subject("local", ("admin",), peer, "token")
        self._write(
            Subject("nobody", (), peer, "none"), Check("authenticate"), "deny", "no valid token"
        )
        raise Denied("unauthenticated")

    async def check(self, subject: Subject, action: str, resource: str = "") -> None:
        """Raises Denied. Refusals and changes are on disk before this returns."""
        check = Check(action, resource)
        rule = self._kernel_rule(action)
        if not rule and not (subject.method == "socket" and action.startswith("admin.")):
            rule = await self._module_rule(subject, check)
        written = self._write(subject, check, "deny" if rule else "allow", rule or "kernel")
        if not written and action in CHANGES:
            rule = rule or f"the audit file can't be written: {self._audit.failed}"
        if rule:
            raise Denied(f"{action} is denied")

    def _kernel_rule(self, action: str) -> str:
        return "" if action in READS or action in CHANGES else "unknown action"

    async def _module_rule(self, subject: Subject, check: Check) -> str:
        """Why a module denies; empty when none does."""
        for module in self._modules():
            try:
                async with asyncio.timeout(MODULE_WITHIN):
                    decisions = await module.authorize(subject, [check])
            except Exception as error:  # noqa: BLE001  whatever happens in a module is a denial
                return f"security module failed: {type(error).__name__}: {error}"
            if len(decisions) != 1 or decisions[0].verdict not in (Verdict.ALLOW, Verdict.ABSTAIN):
                reason = decisions[0].reason if decisions else "no decision"
                return f"security module: {reason or 'denied'}"
        return ""

    def _write(self, subject: Subject, check: Check, verdict: str, rule: str) -> bool:
        entry = {
            "who": subject.id,
            "method": subject.method,
            "peer": subject.peer,
            "action": check.action,
            "resource": check.resource,
            "verdict": verdict,
            "rule": rule,
        }
        return self._audit.write(entry, sync=verdict == "deny" or check.action in CHANGES)
