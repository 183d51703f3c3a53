"""Asks a plugin's process once a second whether it is still there. What becomes of one that is not, others decide."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
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
        while not attachment.gone.done():
            began = loop.time()
            try:
                await attachment.ask("", within=WITHIN, ping=Ping())
                missed, self.at = 0, loop.time()
                self.seconds = self.at - began
            except TimeoutError:
                missed += 1
            except ConnectionError:
                break
            if missed >= PINGS_MISSED:
                return f"did not answer {missed} pings"
            if beyond and (why := await beyond()):
                return why
            await asyncio.sleep(max(0.0, began + PING_EVERY - loop.time()))
        return ""
