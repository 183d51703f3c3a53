"""One scan class of a connector that is polled: asks when it is due, and notices when no answer comes.

A scan is never overlapped. One that is late is told at once, and the session ends when the answer is as late as none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bedplate.remote.attachment import MARGIN, Attachment, Silence
from bedplate.runtime import lifecycle

OFTEN = 1.0  # s: a scan that is due so often looks for itself whether the one before is late


class Poll:
    """Called when the scan is due; says whether one was started.

    answered: gets the future of each answer · late: told once when an answer takes long · failed: gets a Silence ·
    held: whether to wait, because nobody could take the values.
    """

    def __init__(self, attachment: Attachment, ask: Any, period: float, within: float) -> None:
        self._attachment, self._ask = attachment, ask
        self._period, self._within = period, within
        self._loop = asyncio.get_running_loop()
        self._began = 0.0
        self._told = False
        self._look_at: asyncio.TimerHandle | None = None
        self.under_way: asyncio.Future[Any] | None = None
        self.answered: Callable[[asyncio.Future[Any]], None] = lambda future: None
        self.late: Callable[[str], None] = lambda text: None
        self.failed: Callable[[Exception], None] = lambda error: None
        self.held: Callable[[], bool] = lambda: False

    def __call__(self) -> bool:
        if self.under_way is not None and not self.under_way.done():
            self._look()
            return False
        if self.held():
            return False
        self._began, self._told = self._loop.time(), False
        self.under_way = self._attachment.ask_template(self._ask, self._within)
        self.under_way.add_done_callback(self.answered)
        if self._period > OFTEN:
            self._look_at = self._loop.call_later(lifecycle.SLOW, self._look_again)
        return True

    def end(self) -> None:
        if self._look_at:
            self._look_at.cancel()
        if self.under_way is not None and not self.under_way.done():
            self._attachment.give_up(self._ask)

    def _look_again(self) -> None:
        if self.under_way is not None and not self.under_way.done():
            self._look()
            self._look_at = self._loop.call_later(OFTEN, self._look_again)

    def _look(self) -> None:
        age = self._loop.time() - self._began
        if age > self._within + MARGIN:
            self.failed(Silence(f"no answer within {self._within + MARGIN:.1f} s to read"))
        elif age > lifecycle.SLOW and not self._told:
            self._told = True
            self.late(f"read has not answered for {lifecycle.SLOW:.0f} s")
