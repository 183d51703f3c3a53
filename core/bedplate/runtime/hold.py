"""What one source did not bring because the journal took nothing from connectors: declared as gaps in its stream.

Two records a hold: one when it begins, so that a kernel killed meanwhile has said so, and one with the whole span when
it is over. Gaps are written from the journal's reserve.
"""

from __future__ import annotations

import contextlib

from bedplate.errors import JournalError
from bedplate.journal.engine import Loss
from bedplate.runtime.spine import Spine


class Hold:
    """Of one stream. scans, samples: left out in the hold that is on, or was last."""

    def __init__(self, stream: str, spine: Spine) -> None:
        self._stream, self._spine = stream, spine
        self._since = 0
        self._why = ""
        self.scans = self.samples = 0

    @property
    def on(self) -> bool:
        return bool(self._since)

    def skipped(self, samples: int, why: str) -> None:
        """A scan of so many tags was left out."""
        if not self._since:
            self._since, self._why = self._spine.clock.time_ns(), why
            self.scans = self.samples = 0
            self._declare(0, f"nothing is read from now on: {why}")
        self.scans += 1
        self.samples += samples

    def over(self) -> None:
        """Values are taken again, or nobody asks for them any more."""
        if self._since:
            now = self._spine.clock.time_ns()
            self._declare(now, f"{self.scans:,} scans were left out: {self._why}")
            self._since = 0

    def _declare(self, until: int, reason: str) -> None:
        samples = self.samples if until else 0
        loss = Loss(0, 0, reason, self._stream, 0, 0, samples, self._since, until)
        with contextlib.suppress(JournalError):  # a dead journal is told by the kernel
            self._spine.gap(self._stream, reason, loss)
