"""Asks a plugin's process once a second whether it is still there. What becomes of one that is not, others decide.

Rule: a late answer is an answer. It may lie behind much that the process had sent before, on a machine with much to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import MARGIN, Attachment
from bedplate.wire import twin

PING_EVERY, PINGS_MISSED = 1.0, 3
WITHIN = 0.1  # s, and the margin of every ask
Ping = twin(plugin_pb2.Ping)


class Pings:
    """Of one place, over all its runs. at: when it last answered (time of the loop); seconds: how long that took."""

    def __init__(self) -> None:
        self.at = self.seconds = 0.0

    async def failure(
        self, attachment: Attachment, beyond: Callable[[], Awaitable[str]] | None = None
    ) -> str:
        """Pings for as long as the stream stands. Returns in words why it should stand no longer: too many pings
        without an answer, or what `beyond` says between two of them; empty when it is gone."""
        missed, loop = 0, asyncio.get_running_loop()
        asked = Asked(attachment, self._heard)
        try:
            while not attachment.gone.done():
                began = asked.one_more()
                missed = 0 if await asked.answered() else missed + 1
                if missed >= PINGS_MISSED:
                    return f"did not answer {missed} pings"
                if beyond and (why := await beyond()):
                    return why
                await asyncio.sleep(max(0.0, began + PING_EVERY - loop.time()))
        except ConnectionError:
            return ""
        finally:
            asked.forget()
        return ""

    def _heard(self, began: float) -> None:
        self.at = asyncio.get_running_loop().time()
        self.seconds = self.at - began


class Asked:
    """The pings of one stream that have no answer yet. heard: called at an answer with when (time of the loop) its ping
    was asked."""

    def __init__(self, attachment: Attachment, heard: Callable[[float], None]) -> None:
        self._attachment, self._heard = attachment, heard
        self._pings: dict[asyncio.Future[Any], tuple[Any, float]] = {}

    def one_more(self) -> float:
        """Asks. Returns when."""
        ping, now = self._attachment.kind.ask(ping=Ping()), asyncio.get_running_loop().time()
        future = self._attachment.ask_template(ping, WITHIN)
        future.add_done_callback(self._done)
        self._pings[future] = ping, now
        return now

    def _done(self, future: asyncio.Future[Any]) -> None:
        if not future.cancelled() and not future.exception() and future in self._pings:
            self._heard(self._pings[future][1])

    async def answered(self) -> bool:
        """Whether any of them is answered within the time of the newest. Raises ConnectionError."""
        found, _ = await asyncio.wait(self._pings, timeout=WITHIN + MARGIN)
        newest = max((self._pings[future][1] for future in found), default=0.0)
        for future in found:
            future.result()
            del self._pings[future]
        self.forget(newest)
        return bool(found)

    def forget(self, before: float = float("inf")) -> None:
        """Waits no more for those that were asked before."""
        for future, (ping, began) in list(self._pings.items()):
            if began < before:
                del self._pings[future]
                self._attachment.give_up(ping)
                future.cancel()
