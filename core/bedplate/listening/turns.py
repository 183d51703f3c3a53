"""How much a second those may ask for who have not said who they are, all together; who wants more waits his turn.

A handshake costs the loop a millisecond and a call a quarter of one before anybody can ask whose it is, so that a burst
of them would keep the loop from those who are known. Each connection that waits gets one at a time, in turn: many calls
on one connection do not keep out a newcomer with his first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

CALLS, HANDSHAKES = (400.0, 128.0), (200.0, 64.0)  # a second, and at once
TICK = 0.02  # s between two looks at who waits


class Turns:
    """Of one listener, on its loop. clock: monotonic, s · limits: how many a second, and at once."""

    def __init__(self, clock: Callable[[], float], limits: tuple[float, float]) -> None:
        self._clock = clock
        self._rate, self._burst = limits
        self._left, self._since = self._burst, clock()
        self._waiting: dict[Callable[[], None], None] = {}
        self._ticking: asyncio.TimerHandle | None = None

    def take(self, go_on: Callable[[], None]) -> bool:
        """May it be now? If not, go_on is called once when it may, by when it has been paid for."""
        if not self._waiting and self._paid():
            return True
        self._waiting[go_on] = None
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)
        return False

    def leave(self, go_on: Callable[[], None]) -> None:
        """Who waited does so no more."""
        self._waiting.pop(go_on, None)

    async def turn(self) -> None:
        """Returns when it may be. Who is cancelled takes nobody's turn."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def go_on() -> None:
            if not mine.done():
                mine.set_result(None)

        try:
            if not self.take(go_on):
                await mine
        finally:
            self.leave(go_on)

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
        self._left = min(self._burst, self._left + (now - self._since) * self._rate)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
