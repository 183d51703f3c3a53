"""What a component says in words: the newest for people who ask, each an event, within an allowance."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from bedplate.config.deployment import Component
from bedplate.errors import JournalError
from bedplate.model import Event, EventKind
from bedplate.runtime.allowance import Allowance
from bedplate.runtime.output import legible
from bedplate.runtime.role import Figures
from bedplate.runtime.spine import Spine

NOTE = 2000  # characters of a note
A_SECOND, AT_ONCE = 10.0, 200.0  # for long, and at once
FLOOD = 1000  # notes beyond that, in one session: a breach


class Notes:
    """Of one component."""

    def __init__(self, component: Component, spine: Spine, figures: Figures) -> None:
        self._source = component.path or component.id
        self._stream = f"{component.id}/event"
        self._spine = spine
        self._figures = figures
        self._allowance = Allowance(A_SECOND, AT_ONCE, spine.clock.monotonic)
        self.newest = ""
        self.said: Callable[[str], None] = lambda text: None  # each that is within the allowance

    def heard(self, text: str) -> str:
        """Takes one. Returns why its component can't go on like this; empty when it can."""
        if self._allowance.take():
            self.newest = legible(text, NOTE)
            now = self._spine.clock.time_ns()
            event = Event(self._source, EventKind.NOTE, now, self.newest)
            with contextlib.suppress(JournalError):
                self._spine.event(self._stream, event)
            self.said(self.newest)
            return ""
        self._figures.notes_left_out += 1
        if self._allowance.refused <= FLOOD:
            return ""
        self._allowance.refused = 0
        return f"sent more than {FLOOD:,} notes too many"
