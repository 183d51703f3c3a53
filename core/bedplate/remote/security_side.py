"""A security module inside a plugin: how it serves the asks of its kind."""

from __future__ import annotations

from typing import Any

from bedplate.contracts import Check, Decision, SecurityModule, Subject, Verdict
from bedplate.remote.opening import with_secrets
from bedplate.remote.session import Session


class SecuritySession(Session):
    """Serves Authorize for a SecurityModule; asks may overlap."""

    object: SecurityModule

    def build(self, cls: type[SecurityModule], open_: Any) -> SecurityModule:
        built = cls()
        built.config = cls.Config.model_validate(
            with_secrets(open_.config_json, dict(open_.secrets))
        )
        built.component = self.component
        return built

    async def serve(self, what: str, ask: Any, reply: Any) -> None:
        who = ask.authorize.subject
        subject = Subject(who.id, tuple(who.roles), who.peer, who.method)
        checks = [Check(c.action, c.resource) for c in ask.authorize.checks]
        for decision in await self.call("authorize", subject, checks):
            known = isinstance(decision, Decision)
            verdict = decision.verdict if known else Verdict.DENY
            reply.decisions.add(
                verdict=int(verdict), reason=decision.reason if known else "no decision"
            )
