"""Whether an address that a component's own settings name can be reached: one TCP connect, a second at most.

Rule: asked only while the component has no session, since some devices take one connection and drop the older one;
once in five seconds at most; nothing is sent.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass

from bedplate.runtime.causes import Spot

WITHIN = 1.0  # s
HOLDS = 5.0  # s
MOST = 1000  # answers kept


@dataclass(frozen=True, slots=True)
class Seen:
    """state: good, bad, unknown."""

    state: str
    text: str


class NetworkCheck:
    """Asks, and remembers for a moment."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._seen: dict[Spot, tuple[float, Seen]] = {}

    async def ask(self, spot: Spot) -> Seen:
        kept = self._seen.get(spot)
        if kept and self._now() - kept[0] < HOLDS:
            return kept[1]
        seen = await (self._dial(spot) if spot.port else asyncio.to_thread(_portless, spot.host))
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen[spot] = self._now(), seen
        return seen

    async def _dial(self, spot: Spot) -> Seen:
        began = self._now()
        try:
            async with asyncio.timeout(WITHIN):
                _, writer = await asyncio.open_connection(spot.host, spot.port)
        except TimeoutError:
            return Seen("bad", f"{spot} took no connection within {WITHIN:.0f} s")
        except OSError as error:
            return Seen("bad", f"{spot}: {_words(error)}")
        writer.transport.abort()
        return Seen("good", f"{spot} takes connections, in {(self._now() - began) * 1000:.0f} ms")


def _words(error: OSError) -> str:
    """Without what asyncio puts around it."""
    if error.errno and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error).lower()


def _portless(path: str) -> Seen:
    """A serial port, or a host whose port is not in the settings."""
    if not path.startswith("/"):
        return Seen("unknown", f"{path}: its settings name no port that could be tried")
    if os.path.exists(path):
        return Seen("good", f"{path} is there")
    return Seen("bad", f"{path} is not there: is the adapter plugged in?")
