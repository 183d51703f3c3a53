"""How many plugins may start at once. A start costs a second of a processor, and a plant of 200 processes would
otherwise take the whole machine for a minute: from data that flows already, from people, from the pings.

Turns are given in the order in which they are asked for. A start that takes long loses its turn and goes on, so that
plugins which hang on their way up hold up nobody for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 4
PATIENCE = 5.0  # s


class Starts:
    """A queue of starts."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._patience = patience

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn; the start happens within. Cancelled while it waits, it takes none."""
        await self._free.acquire()
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self._free.release()

        impatient = asyncio.get_running_loop().call_later(self._patience, leave)
        try:
            yield
        finally:
            impatient.cancel()
            leave()
