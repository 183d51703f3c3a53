"""How many calls a second those may begin who have not said who they are, all together; who wants more waits his turn.

A call costs gRPC a quarter of a millisecond before anybody can ask whose it is, so that a burst of them would keep the
loop from those who are known. Each connection that waits gets one call at a time, in turn: many calls on one connection
do not keep out a newcomer with his first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

RATE, BURST = 400.0, 128.0  # calls a second, and at once
TICK = 0.02  # s between two looks at who waits


class Turns:
    """Of one listener, on its loop. clock: monotonic, s."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left, self._since = BURST, clock()
        self._waiting: dict[Callable[[], None], None] = {}
        self._ticking: asyncio.TimerHandle | None = None

    def take(self, go_on: Callable[[], None]) -> bool:
        """May a call begin now? If not, go_on is called once when it may, by when it has been paid for."""
        if not self._waiting and self._paid():
            return True
        self._waiting[go_on] = None
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)
        return False

    def leave(self, go_on: Callable[[], None]) -> None:
        """Who waited does so no more."""
        self._waiting.pop(go_on, None)

    def _tick(self) -> None:
        self._ticking = None
        turn = list(self._waiting)
        for go_on in turn:
            if go_on in self._waiting and self._paid():
                del self._waiting[go_on]
                go_on()
        if self._waiting:
            self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _paid(self) -> bool:
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._since) * RATE)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
