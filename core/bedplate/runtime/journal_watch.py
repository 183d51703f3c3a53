"""Looks after the journal for as long as the kernel runs: forgets what all readers have, at once when it is full, and
tells of what people must know. An alarm and an event when it is full or can't be written, and when that is over, and
gaps of what was not stored meanwhile.

It decides nothing about who must wait, or what is stored: those who bring values ask the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from bedplate.errors import JournalError
from bedplate.journal.gap import words_of_loss
from bedplate.model import AlarmPriority, Event, EventKind
from bedplate.runtime.kernel_alarms import OWNER, STREAM, KernelAlarms
from bedplate.runtime.snapshot import Snapshot
from bedplate.runtime.spine import Spine

JOURNAL = "kernel/journal"  # source of what concerns the journal
LOOK = 0.5  # s
HOUSEKEEPING = 30.0  # s between snapshots, each of which lets the journal forget
WHEN_FULL = 2.0  # s between them while it is full
FULL, DISK, BROKEN = (f"{JOURNAL}/{name}" for name in ("full", "disk", "broken"))
DO = {
    FULL: "see which reader is behind in `bedplate status`; give the journal more room: what arrives is not stored",
    DISK: "make room on the journal's disk, or replace it: what arrives is not stored",
    BROKEN: "look at the journal's disk; a broken file is kept beside the journal",
}
MOST = 20  # losses that are told one by one at a time; all are declared


class JournalWatch:
    """One for the kernel. cursors: how far each reader is durable."""

    def __init__(
        self,
        spine: Spine,
        snapshot: Snapshot,
        alarms: KernelAlarms,
        cursors: Callable[[], Iterable[int]],
    ) -> None:
        self._spine, self._snapshot, self._alarms = spine, snapshot, alarms
        self._cursors = cursors
        self._kept = spine.clock.monotonic()

    async def run(self) -> None:
        """Until it is cancelled."""
        for source in (FULL, DISK, BROKEN):  # of the kernel before
            self._alarms.returned(source, "Bedplate was started again")
        while True:
            await asyncio.sleep(LOOK)
            with contextlib.suppress(JournalError):
                self._declare()
                state = self._spine.engine.state()
                self._tell(FULL, state.full, "the journal has room again")
                self._tell(DISK, state.failed, "the journal's disk takes everything again")
                if not self._spine.engine.leaves_out:
                    self._spine.stored_again(self._spine.unstored.streams)
                if not state.failed:
                    await self._keep_house()

    def _tell(self, source: str, why: str, over: str) -> None:
        if why and self._alarms.raised(source, AlarmPriority.HIGH, why, DO[source]):
            self._note(why, 700)
        elif not why and self._alarms.returned(source, over):
            self._note(over, 100)

    def _declare(self) -> None:
        """A gap for each loss, in the stream it concerns, or in the kernel's own when that is not known."""
        losses = self._spine.engine.losses()
        for number, loss in enumerate(losses):
            text = words_of_loss(loss)
            self._spine.gap(loss.stream or STREAM, text, loss)
            if number < MOST:
                self._alarms.raised(BROKEN, AlarmPriority.HIGHEST, text, DO[BROKEN])
                self._note(text, 900)

    def _note(self, text: str, severity: int) -> None:
        now = self._spine.clock.time_ns()
        event = Event(JOURNAL, EventKind.NOTE, now, text, severity, component=OWNER)
        self._spine.event(STREAM, event, sync=True)

    async def _keep_house(self) -> None:
        now = self._spine.clock.monotonic()
        state = self._spine.engine.state()
        if now - self._kept < (WHEN_FULL if state.full else HOUSEKEEPING):
            return
        if state.full and min(self._cursors(), default=state.appended) < state.first:
            return  # nothing could be forgotten
        self._kept = now
        upto = min((self._snapshot.position, *self._cursors()))  # the snapshot that is on disk
        self._snapshot.save()
        await self._spine.engine.trim(upto)
