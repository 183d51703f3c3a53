"""A security module as the gate sees it. One that starts, also again after a crash, is waited for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bedplate.config.deployment import Component
from bedplate.contracts import Check, Decision, Subject, Verdict
from bedplate.errors import NotReady
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.lifecycle import State
from bedplate.runtime.role import Role, ok
from bedplate.runtime.spine import Spine
from bedplate.security.v1 import security_pb2
from bedplate.wire import twin

DECIDE_WITHIN = 0.5  # s
STARTS_WITHIN = 30.0  # s; a module that is not up for longer has failed
SERVES = (State.UP, State.DEGRADED)
RETURNS = (State.STARTING, State.UNREACHABLE)
Settings = Callable[[], tuple[Mapping[str, Any], Mapping[str, bytes]]]
Authorize = twin(security_pb2.Authorize)


class Guard(Role):
    """Asks the module. Without an attached module every question fails, and the gate denies."""

    def __init__(self, component: Component, spine: Spine, settings: Settings) -> None:
        super().__init__(component, spine)
        self._settings = settings
        self._last_up = spine.clock.monotonic()

    async def open_message(self) -> Any:
        settings, secrets = self._settings()
        return requests.open_security(self.component, settings, secrets)

    async def serve(self, attachment: Attachment, reply: Any) -> None:
        try:
            await asyncio.Future()
        finally:
            self._last_up = self.spine.clock.monotonic()

    async def authorize(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        """Raises NotReady, ConnectionError, TimeoutError, or what its answer means; each of them is a denial."""
        if self.attachment is None or self.state() not in SERVES:
            raise self._absent()
        ask = Authorize()
        ask.subject.id, ask.subject.peer, ask.subject.method = (
            subject.id,
            subject.peer,
            subject.method,
        )
        ask.subject.roles.extend(subject.roles)
        for check in checks:
            ask.checks.add(action=check.action, resource=check.resource)
        try:
            async with asyncio.timeout(DECIDE_WITHIN):
                asked = self.attachment.ask(self.component.id, DECIDE_WITHIN, authorize=ask)
                reply = ok(await asked)
        except TimeoutError:
            self.slow(f"authorize has not answered for {DECIDE_WITHIN} s: what it guards is denied")
            raise
        except ConnectionError:  # it ended while it was asked
            self._last_up = self.spine.clock.monotonic()
            raise self._absent(ended=True) from None
        self.well()
        return [Decision(Verdict(d.verdict), d.reason) for d in reply.decisions]

    def _absent(self, *, ended: bool = False) -> Exception:
        """Why nobody can be asked: it starts, or it has failed."""
        away = self.spine.clock.monotonic() - self._last_up
        if ended or (self.state() in RETURNS and away < STARTS_WITHIN):
            return NotReady(f"security module {self.component.id} is starting; try again")
        return ConnectionError(f"security module {self.component.id} is not up")
