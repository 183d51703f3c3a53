"""Read-back of a source that can't be read: what it says by itself after a write.

Rule: a sample that was on its way before the device took the value is no answer. So the value that was sent ends the
waiting at once, another one only when the time is over. A source that sends what changes says nothing when the device
had this value before: then what it said last counts.
"""

from __future__ import annotations

import asyncio
from typing import Any

from bedplate.command import Point, ReadBack
from bedplate.command.raw import same
from bedplate.model import quality
from bedplate.runtime.source import Source


class FreshSamples:
    """Listens from now on for one tag of a source, by its handle in the session. sent: raw."""

    def __init__(self, role: Source, local: int, point: Point, sent: Any) -> None:
        self._role, self._local, self._point, self._sent = role, local, point, sent
        self._last: Any = None
        self._there = asyncio.Event()
        role.arrived = self._arrived

    async def wait(self, within: float, before: Any) -> ReadBack:
        """before: what the tag was when nothing comes, raw; None: not Good."""
        try:
            async with asyncio.timeout(within):
                await self._there.wait()
        except TimeoutError:
            if self._last is None and same(self._point, self._sent, before):
                self._last = before
        finally:
            self.end()
        if self._last is None:
            return ReadBack(None, f"it said nothing new within {within:g} s")
        return ReadBack(self._last)

    def end(self) -> None:
        """Listens no more."""
        self._role.arrived = _nobody

    def _arrived(self, batch: Any) -> None:
        last = last_of(batch, self._local)
        if last is not None and quality.is_good(last[1]):
            self._last = last[0]
            if same(self._point, self._sent, self._last):
                self._there.set()


def last_of(batch: Any, local: int) -> tuple[Any, int] | None:
    """The last value of one tag in a batch, with its quality; None: the batch has none."""
    of = batch.tags() == local
    if not of.any():
        return None
    mine = batch.take(of)
    return mine.value.tolist()[-1], int(mine.qualities()[-1])


def _nobody(batch: Any) -> None:
    """Nobody waits."""
