"""A security module as the gate sees it. One that starts, also again after a crash, is waited for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bedplate.config.deployment import Component
from bedplate.contracts import Check, Credential, Decision, LoggedIn, Subject, Verdict
from bedplate.errors import NotReady
from bedplate.remote.attachment import Attachment
from bedplate.remote.security_side import LONGEST, fill_subject, subject_of
from bedplate.runtime import requests
from bedplate.runtime.lifecycle import State
from bedplate.runtime.role import Bug, Role, Unreachable, ok
from bedplate.runtime.spine import Spine
from bedplate.security.v1 import security_pb2
from bedplate.wire import twin

DECIDE_WITHIN = 0.5  # s
AUTHENTICATE_WITHIN = 2.0  # s: a password is slow to check, and is meant to be
STARTS_WITHIN = 30.0  # s; a module that is not up for longer has failed
SERVES = (State.UP, State.DEGRADED)
RETURNS = (State.STARTING, State.UNREACHABLE)
Settings = Callable[[], tuple[Mapping[str, Any], Mapping[str, bytes]]]
Authorize = twin(security_pb2.Authorize)
Authenticate = twin(security_pb2.Authenticate)


class Guard(Role):
    """Asks the module. Without an attached module every question fails, and the gate denies."""

    def __init__(
        self, component: Component, spine: Spine, settings: Settings, *, authenticates: bool = False
    ) -> None:
        super().__init__(component, spine)
        self.authenticates = authenticates
        self._settings = settings
        self.files: Mapping[str, bytes] = {}  # that its settings name, as they were applied
        self._last_up = spine.clock.monotonic()

    async def open_message(self) -> Any:
        settings, secrets = self._settings()
        return requests.open_security(self.component, settings, secrets, self.files)

    async def serve(self, attachment: Attachment, reply: Any) -> None:
        try:
            await asyncio.Future()
        finally:
            self._last_up = self.spine.clock.monotonic()
            self.forget()

    async def authenticate(self, credential: Credential) -> Subject | LoggedIn | None:
        """Who this is. Raises NotReady, ConnectionError, TimeoutError, or what its answer means: nobody."""
        ask = Authenticate(peer=credential.peer, bound=credential.bound)
        if credential.certificate:
            ask.certificate = credential.certificate
        elif credential.name:
            ask.password.name, ask.password.password = credential.name, credential.password
        else:
            ask.token = credential.token
        reply = await self._asked(AUTHENTICATE_WITHIN, authenticate=ask)
        if not reply.HasField("subject"):
            return None
        subject = replace(subject_of(reply.subject), peer=credential.peer)
        return LoggedIn(subject, reply.session) if reply.session else subject

    async def authorize(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        """Raises NotReady, ConnectionError, TimeoutError, or what its answer means; each of them is a denial."""
        ask = Authorize()
        fill_subject(ask.subject, subject)
        for check in checks:
            ask.checks.add(action=check.action, resource=check.resource)
        reply = await self._asked(DECIDE_WITHIN, authorize=ask)
        if len(reply.decisions) != len(checks):
            found, wanted = len(reply.decisions), len(checks)
            self.slow(f"authorize answered {found} of {wanted} checks: what it guards is denied")
        return [
            Decision(Verdict(d.verdict), d.reason, min(d.remember_ms / 1000, LONGEST))
            for d in reply.decisions
        ]

    async def _asked(self, within: float, **what: Any) -> Any:
        if self.attachment is None or self.state() not in SERVES:
            raise self._absent()
        began = self.spine.clock.monotonic()
        try:
            async with asyncio.timeout(within):
                reply = ok(await self.attachment.ask(self.component.id, within, **what))
        except (TimeoutError, asyncio.CancelledError):  # the gate does not wait longer either
            if self.spine.clock.monotonic() - began >= 0.9 * within:
                name = next(iter(what))
                self.slow(f"{name} has not answered for {within} s: what it guards is denied")
            raise
        except (Bug, Unreachable) as error:
            self.slow(f"{next(iter(what))} failed: {error}: what it guards is denied")
            raise
        except ConnectionError:  # it ended while it was asked
            self._last_up = self.spine.clock.monotonic()
            raise self._absent(ended=True) from None
        self.well()
        return reply

    def _absent(self, *, ended: bool = False) -> Exception:
        """Why nobody can be asked: it starts, or it has failed."""
        away = self.spine.clock.monotonic() - self._last_up
        if ended or (self.state() in RETURNS and away < STARTS_WITHIN):
            return NotReady(f"security module {self.component.id} is starting; try again")
        return ConnectionError(f"security module {self.component.id} is not up")
