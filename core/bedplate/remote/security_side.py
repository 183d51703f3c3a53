"""A security module inside a plugin: how it serves the asks of its kind."""

from __future__ import annotations

from typing import Any

from bedplate.contracts import (
    Check,
    Credential,
    Decision,
    LoggedIn,
    SecurityModule,
    Subject,
    Verdict,
)
from bedplate.remote.opening import with_secrets
from bedplate.remote.session import Session

LONGEST = 3600.0  # s that a decision may be remembered


class SecuritySession(Session):
    """Serves Authorize and Authenticate for a SecurityModule; asks may overlap."""

    object: SecurityModule

    def build(self, cls: type[SecurityModule], open_: Any) -> SecurityModule:
        built = cls()
        built.config = cls.Config.model_validate(
            with_secrets(open_.config_json, dict(open_.secrets))
        )
        built.component = self.component
        built.files = {state.key: bytes(state.value) for state in open_.states}
        return built

    async def serve(self, what: str, ask: Any, reply: Any) -> None:
        if what == "authenticate":
            await self._authenticate(ask.authenticate, reply)
        else:
            await self._authorize(ask.authorize, reply)

    async def _authenticate(self, shown: Any, reply: Any) -> None:
        password = shown.password
        credential = Credential(
            shown.token,
            password.name,
            password.password,
            shown.certificate,
            shown.peer,
            shown.bound,
        )
        found = await self.call("authenticate", credential)
        if isinstance(found, LoggedIn):
            reply.session = found.token
        subject = found.subject if isinstance(found, LoggedIn) else found
        if isinstance(subject, Subject):
            fill_subject(reply.subject, subject)

    async def _authorize(self, asked: Any, reply: Any) -> None:
        checks = [Check(c.action, c.resource) for c in asked.checks]
        for decision in await self.call("authorize", subject_of(asked.subject), checks):
            known = isinstance(decision, Decision)
            reply.decisions.add(
                verdict=int(decision.verdict if known else Verdict.DENY),
                reason=decision.reason if known else "no decision",
                remember_ms=int(1000 * min(decision.remember, LONGEST)) if known else 0,
            )


def subject_of(message: Any) -> Subject:
    """A Subject out of its message."""
    return Subject(
        message.id,
        tuple(message.roles),
        message.peer,
        message.method,
        tuple(message.groups),
        message.credential,
        message.until,
    )


def fill_subject(message: Any, subject: Subject) -> None:
    """And back."""
    message.id, message.peer, message.method = subject.id, subject.peer, subject.method
    message.credential, message.until = subject.credential, subject.until
    message.roles.extend(subject.roles)
    message.groups.extend(subject.groups)
