"""How far something has come, and who waits for it to come further. Event-loop side only; knows no engine."""

from __future__ import annotations

import asyncio

from bedplate.errors import JournalError


class Progress:
    """A number that rises, and those who wait for it. One `advance` wakes all whom it concerns."""

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._failed = ""

    async def reach(self, position: int) -> None:
        """Returns once the number is at least this. Raises JournalError when it never will be."""
        if self.position >= position:
            return
        if self._failed:
            raise JournalError(self._failed)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((position, future))
        await future

    def advance(self, position: int) -> None:
        """The number is now this, unless it is larger already."""
        if position <= self.position:
            return
        self.position = position
        served = [future for wanted, future in self._waiting if wanted <= position]
        if served:
            self._waiting = [waiter for waiter in self._waiting if waiter[0] > position]
        for future in served:
            if not future.done():
                future.set_result(None)

    def fail(self, reason: str) -> None:
        """It goes no further: everybody who waits, or will, gets a JournalError."""
        self._failed = reason
        waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            if not future.done():
                future.set_exception(JournalError(reason))
