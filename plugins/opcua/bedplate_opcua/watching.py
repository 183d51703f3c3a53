"""Whether the server is alive, judged by what comes from it; an open socket proves nothing.

Rule: values and signs of life of a subscription are proof. When nothing came for a while the server is asked for its
state; no answer ends the session. A subscription that is silent for longer than it promised ends it as well, even if
the server still answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from asyncua.ua.uatypes import NodeId

from bedplate_opcua.attributes import read_attributes
from bedplate_opcua.publishing import Publisher
from bedplate_opcua.session import Session
from bedplate_opcua.stack import answering, ua
from bedplate_opcua.subscription import Subscriptions

ASK_AFTER: Final = 2.0
"""Seconds of silence after which the server is asked; with a request_timeout of 3 s it is lost after 5 s."""
ASK_EVERY: Final = 30.0
"""Seconds after which it is asked in any case, for its state and its clock."""
CLOCK_TOLERANCE: Final = 10.0
RUNNING: Final = 0
STATUS: Final = (
    (NodeId(ua.ObjectIds.Server_ServerStatus_State), "Value"),
    (NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime), "Value"),
)


class Watch:
    """Watches one session. clock: monotonic seconds."""

    def __init__(
        self,
        session: Session,
        publisher: Publisher,
        subscriptions: Subscriptions,
        note: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._note = note
        self._clock = clock
        self._asked = clock()
        self._since: dict[int, float] = {}
        self._state = RUNNING
        self._told_clock = False

    async def run(self) -> None:
        """Watches until the server is lost. Raises ConnectionError or TimeoutError."""
        while True:
            now = self._clock()
            last = max([self._asked, *self._publisher.heard.values()])
            if now - last >= ASK_AFTER or now - self._asked >= ASK_EVERY:
                await self._ask()
                continue
            self._look_at_subscriptions(now)
            await asyncio.sleep(max(0.05, min(last + ASK_AFTER, self._asked + ASK_EVERY) - now))

    def _look_at_subscriptions(self, now: float) -> None:
        for subscription in self._subscriptions.all.values():
            born = self._since.setdefault(subscription.id, now)
            silent = now - self._publisher.heard.get(subscription.id, born)
            if silent > subscription.silence:
                self._subscriptions.all.clear()  # no session shall take it over
                raise ConnectionError(
                    f"the server answers, but its subscription was silent for {silent:.1f} s"
                )

    async def _ask(self) -> None:
        """Reads ServerStatus. Raises TimeoutError when neither that nor anything else comes."""
        began = self._clock()
        try:
            with answering("asking for the state of the server"):
                state, time = await read_attributes(self._session, STATUS)
        except TimeoutError:
            if any(heard > began for heard in self._publisher.heard.values()):
                self._asked = self._clock()
                return  # busy, but alive
            raise
        self._asked = self._clock()
        self._look_at_state(state)
        self._look_at_clock(time)

    def _look_at_state(self, state: Any) -> None:
        if not isinstance(state, int) or state == self._state:
            return
        self._state = int(state)
        self._note(f"the server says it is {ua.ServerState(state).name if state < 8 else state}")

    def _look_at_clock(self, theirs: Any) -> None:
        if self._told_clock or not isinstance(theirs, datetime):
            return
        ahead = (theirs.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
        if abs(ahead) > CLOCK_TOLERANCE:
            self._told_clock = True
            side = "ahead of" if ahead > 0 else "behind"
            self._note(
                f"the server's clock is {abs(ahead):.0f} s {side} ours; its times are kept as they are"
            )
