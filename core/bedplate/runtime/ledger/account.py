"""What one source was expected to bring, and what it brought: counted a scan, a batch or a stretch of time at once.

Of a source that is polled one sample is expected of each tag whenever its scan class is due; a value that a deadband
drops has come. Of a source that pushes what changed, continuity is: as often as its scan class would be due, a tag has
come when its session stands, it has spoken in it, and its newest value is not Bad. So both are counted in one unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.runtime.ledger.beat import Beat
from bedplate.runtime.ledger.reasons import Reason
from bedplate.runtime.ledger.tally import WAITS, Tags, Tally

SETTLES = 10.0  # s after which a tag of a source that pushes should have spoken


class Account(Tally):
    """Of one source; it is told of everything that happens."""

    # --- a source that is polled ---

    def begins(self, ns: int) -> None:
        """The scans of this class begin."""
        self.accrue()
        self.beats[ns].polled = True

    def ends(self, ns: int) -> None:
        """They end; what is under way ends with the word of why."""
        if beat := self.beats.get(ns):
            beat.polled = False
            if self._aside:
                beat.settle()

    def started(self, ns: int) -> None:
        """A scan was started."""
        beat = self._due(ns)
        if not beat.begun:
            beat.begun_at = self._clock.time_ns()
        beat.begun += 1

    def skipped(self, ns: int) -> None:
        """One was due while the one before is under way."""
        beat = self._due(ns)
        if (
            beat.early
        ):  # the first scan of a session stands for the moment that comes while it is under way
            beat.early = False
            return
        if not beat.skipped:
            beat.skipped_at = self._clock.time_ns()
        beat.skipped += 1

    def held(self, ns: int, why: str) -> None:
        """One was left out, because nobody could have taken its values."""
        beat = self._due(ns)
        if not self._aside:
            self._fold(beat)
            self.runs.turn(beat.tags, Reason.THROTTLED, self._clock.time_ns(), why)
            self._miss(beat.tags, Reason.THROTTLED, 1)

    def late(self, ns: int) -> None:
        """The answer said that it comes too late to be one."""
        if beat := self.beats.get(ns):
            beat.skipped_at = beat.skipped_at if beat.skipped else beat.begun_at
            beat.skipped, beat.begun = beat.skipped + beat.begun, 0

    def answered(self, ns: int, absent: Tags | None, bad: NDArray[np.bool_], version: int) -> None:
        """The scan was answered: with all tags but those absent (None: none are). bad: by local handle, and its
        version: while that is the same, so is the array."""
        beat = self.beats.get(ns)
        if beat is None or not beat.begun:
            return
        if self._aside:
            beat.settle()
            return
        beat.begun, beat.early = 0, False
        if beat.skipped:
            self._left_out(beat)
        if absent is None and beat.steady == version:
            beat.like += 1
            return
        self._fold(beat)
        self._sorted(beat.tags, absent, bad)
        beat.steady = version if absent is None else -1

    def _left_out(self, beat: Beat) -> None:
        """Scans that were due meanwhile: of a gap that only ends now, or because the device is slow."""
        self._fold(beat)
        since, count = beat.skipped_at, beat.settle()
        reason = self.runs.reason[beat.tags]
        away = np.isin(reason, WAITS) & (reason != Reason.NOT_YET)
        if away.any():
            self._gone_by(beat.tags[away], count)
        if not away.all():
            now = self._clock.time_ns()
            self._scatter(beat.tags[~away], Reason.THROTTLED, since, now, count)

    def _sorted(self, tags: Tags, absent: Tags | None, bad: NDArray[np.bool_]) -> None:
        reasons = np.where(bad, np.uint8(Reason.BAD_QUALITY), np.uint8(Reason.RECEIVED))
        if absent is not None:
            reasons[absent] = Reason.MISSING
        mine = reasons[tags]
        self.runs.turn(tags, mine, self._clock.time_ns())
        self.counts[mine, tags] += 1
        self.runs.miss(tags[mine > 0], 1)

    def _due(self, ns: int) -> Beat:
        beat = self.beats[ns]
        if (unnoticed := beat.due(self._clock.monotonic())) and not self._aside:
            now = self._clock.time_ns()
            since = now - round(unnoticed * beat.period * 1e9)
            self._scatter(beat.tags, Reason.THROTTLED, since, now, unnoticed)
        return beat

    # --- a source that pushes ---

    def subscribed(self) -> None:
        """It pushes from now on."""
        self._heard = self._clock.monotonic()
        self._settled_at = self._heard + SETTLES
        if self._beneath is not None:
            self._beneath[1:] = Reason.MISSING

    def spoke(self, tags: NDArray[Any], bad: NDArray[np.bool_], version: int) -> None:
        """Values of these local handles came. bad, version: as of `answered`."""
        self._heard = self._clock.monotonic()
        if self._steady == version:
            return
        reasons = np.where(bad, np.uint8(Reason.BAD_QUALITY), np.uint8(Reason.RECEIVED))
        if self._beneath is not None:
            self._beneath[tags] = reasons[tags]
            return
        if (self.runs.reason[tags] != reasons[tags]).any():
            self.accrue()
            tags = np.unique(tags)
            self.runs.turn(tags, reasons[tags], self._clock.time_ns())
        if (self.runs.reason == reasons).all():
            self._steady = version  # everybody has spoken, and nothing is new until another tag is Bad, or Good

    def overflowed(self, tags: Tags) -> None:
        """These came with the word that at least one before each was lost."""
        if len(tags) and not self._aside:
            now = self._clock.time_ns()
            self._scatter(np.unique(tags), Reason.OVERFLOW, now, now, 1)

    def came_late(self, tags: Tags, first: int, last: int) -> None:
        """Samples of an earlier window, with source times from first to last, ns UTC: what was missing is there."""
        if not self._aside:
            count = len(tags)
            self.runs.scatter(Reason.LATE, np.unique(tags), first, last + 1, count, filled=count)
