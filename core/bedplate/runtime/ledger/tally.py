"""How the tags of one source stand as time goes by and as its state changes, and the counts that come of it.

It keeps nothing on disk and knows no windows: `Ledger` takes its columns. What its samples say is for `Account`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bedplate.clock import Clock
from bedplate.config.deployment import TagSpec
from bedplate.runtime.ledger.beat import Beat
from bedplate.runtime.ledger.reasons import NOT_EXPECTED, OF_STATE, ROWS, Reason
from bedplate.runtime.ledger.runs import Runs
from bedplate.runtime.ledger.span import Span
from bedplate.runtime.lifecycle import State
from bedplate.scan.pace import phase

SILENCE = 15.0  # s at most that the loss of a source that pushes may have gone unnoticed
WAITS = [int(r) for r in (*OF_STATE.values(), Reason.NOT_YET)]
"""A tag of a source that pushes which has not spoken since."""
Tags = NDArray[np.intp]


class Tally:
    """Of one source. counts: (ROWS, n + 1) of the present window, by reason and local handle."""

    def __init__(self, component: str, clock: Clock, *, pushes: bool = False) -> None:
        self.component = component
        self.pushes = pushes
        self._clock = clock
        self._beneath: NDArray[np.uint8] | None = None  # how its tags stand while it is set aside
        self._heard = self._settled_at = 0.0
        self._begun = False
        self._steady = (
            -1
        )  # of a source that pushes: version of what is Bad that all its tags are like
        self.frozen = (
            False  # it is no part of the deployment now: it may come back with other settings
        )
        self.late_before = (
            0  # source times before it are of windows that are over, ns UTC; 0: none is
        )
        self.paths: tuple[str, ...] = ()
        self.runs = Runs(1)
        self.counts = np.zeros((ROWS, 1), np.int64)
        self.beats: dict[int, Beat] = {}
        self.periods = np.zeros(1, np.int64)  # by local handle, ns
        self.begin: tuple[int, int] = (
            Reason.NOT_YET,
            0,
        )  # of tags that are new: how, and since when
        self.begun: Callable[[], None] = lambda: None  # its first tags are known

    # --- which tags ---

    def watch(self, tags: Sequence[TagSpec]) -> None:
        """These tags by local handle, 1 … n; a tag keeps its handle. What was counted stays, and who scans goes on."""
        self.columns()
        self._steady = -1
        self.paths = tuple(tag.path for tag in tags)
        n, now = len(tags) + 1, self._clock.monotonic()
        before, runs, counts = len(self.runs.reason), Runs(n), np.zeros((ROWS, n), np.int64)
        kept = min(before, n)
        counts[:, :kept] = self.counts[:, :kept]
        runs.adopt(self.runs, kept)
        self.runs, self.counts = runs, counts
        handles = np.arange(1, n)
        self.periods = np.array([0, *(tag.scan_ns for tag in tags)], np.int64)
        periods = self.periods[1:]
        paces = {ns: handles[periods == ns] for ns in set(periods.tolist())}
        self.beats = {ns: self._beat(ns, tags, now) for ns, tags in paces.items()}
        if self.begin[0] != Reason.NOT_YET:
            self.runs.turn(handles[kept - 1 :], *self.begin)
        if tags:
            self.begun()

    def resume(self, reason: Reason, since: int) -> None:
        """Its tags have not come since then, ns UTC: the kernel before was alive last."""
        self.begin = (reason, since)
        self.runs.turn(self.all, reason, since)

    def missed(self, reason: Reason, counts: NDArray[np.int64], *, now: bool) -> None:
        """What was counted for it; now: of the present window."""
        if reason is not Reason.RECEIVED:
            self.runs.miss(self.all, counts[reason, 1:])
        if now:
            self.counts += counts

    def continues(self, former: Tally) -> None:
        """It is in the place of another one of the same component, which has ended."""
        former.columns()
        if former.paths == self.paths:
            self.counts = former.counts
            self.runs.adopt(former.runs, len(self.runs.reason))
        else:
            self.runs.turn(self.all, Reason.RESTART, self._clock.time_ns())
        self.begin = (Reason.RESTART, self._clock.time_ns())

    def leaves(self) -> list[Span]:
        """It is no longer part of the deployment: its gaps end now."""
        self.runs.turn(self.all, Reason.NOT_YET, self._clock.time_ns())
        self.runs.end()
        return self.runs.ended(self._clock.time_ns())

    def _beat(self, ns: int, tags: Tags, now: float) -> Beat:
        before = self.beats.get(ns)
        if before is not None and np.array_equal(before.tags, tags):
            before.steady = -1
            return before
        period = ns / 1e9
        return Beat(period, phase(f"{self.component}/{ns}", period), tags, now)

    @property
    def all(self) -> Tags:
        return np.arange(1, len(self.runs.reason))

    # --- states and time ---

    def moved(self, state: State, text: str) -> None:
        """The source is in another state; text: why."""
        reason = OF_STATE.get(state)
        if reason is Reason.MAINTENANCE:
            self._set_aside(text)
            return
        if self._beneath is not None:
            self._take_back(up=reason is None)
        first, self._begun = not self._begun, True
        first = first and state is State.STARTING and self.begin[0] == Reason.NOT_YET
        if reason is not None and not first:
            self.down(reason, text)

    @property
    def _aside(self) -> bool:
        return self._beneath is not None

    def _set_aside(self, text: str) -> None:
        if self._beneath is None:
            beneath = self.runs.reason.copy()
            self.down(Reason.MAINTENANCE, text)
            self._beneath = beneath

    def _take_back(self, *, up: bool) -> None:
        """Of a source that pushes what changed, a tag stands as it did, or as it said meanwhile."""
        beneath, self._beneath = self._beneath, None
        if up and self.pushes and beneath is not None:
            self.accrue()
            self.runs.turn(self.all, beneath[1:], self._clock.time_ns())

    def down(self, reason: Reason, text: str = "") -> None:
        """Nothing comes from now on. Of a source that pushes, from when it was heard last, if that is not long ago."""
        now, at = self._clock.time_ns(), self._clock.monotonic()
        back = 0.0
        if self.pushes and reason is Reason.UNREACHABLE and self._heard:
            back = at - max(self._heard, at - SILENCE)
        self.accrue(at - back)
        self._steady = -1
        for beat in self.beats.values():
            self._fold(beat)
            since, count = beat.open_since or now - round(back * 1e9), beat.settle()
            beat.polled = beat.polled and reason is Reason.MAINTENANCE  # its session stands
            self.runs.turn(beat.tags, reason, since, text, event=now)
            if count and reason not in NOT_EXPECTED:
                self._miss(beat.tags, reason, count)
        if reason is not Reason.MAINTENANCE:
            self._heard = self._settled_at = 0.0
        self.begin = (reason, now)

    def accrue(self, at: float | None = None) -> None:
        """Counts the time until now (of the monotonic clock) in which nobody scanned, or a source pushed."""
        if self.frozen:
            return
        now = self._clock.monotonic() if at is None else at
        for beat in self.beats.values():
            if not beat.polled:
                self._pass(beat, now)
        if self._settled_at and now >= self._settled_at and not self._aside:
            self._settled_at = 0.0
            mute = self.all[np.isin(self.runs.reason[1:], WAITS)]
            self.runs.turn(mute, Reason.MISSING, self._clock.time_ns())

    def _pass(self, beat: Beat, now: float) -> None:
        reason = self.runs.reason[beat.tags]
        if not self.pushes and not reason.all():  # its session is over, and nobody has said why
            return
        if count := beat.passed(now):
            self._gone_by(beat.tags, count)

    def _gone_by(self, tags: Tags, count: int) -> None:
        """So many moments are counted as each of these tags stands now."""
        reason = self.runs.reason[tags]
        self.counts[reason, tags] += count
        self.runs.miss(tags[(reason > 0) & ~np.isin(reason, NOT_EXPECTED)], count)

    def _miss(self, tags: Tags, reason: Reason, count: int) -> None:
        self.counts[reason, tags] += count
        self.runs.miss(tags, count)

    def _scatter(self, tags: Tags, reason: Reason, since: int, until: int, count: int) -> None:
        self.counts[reason, tags] += count
        self.runs.scatter(reason, tags, since, until, count * len(tags))

    # --- for the ledger ---

    def columns(self) -> NDArray[np.int64]:
        """The counts of the present window so far; to be copied."""
        self.accrue()
        for beat in self.beats.values():
            self._count(beat)
        self.counts[Reason.NOT_YET] = 0
        return self.counts

    def _count(self, beat: Beat) -> None:
        """Scans that were like the one before them, into the columns."""
        if beat.like:
            reason, count = self.runs.reason[beat.tags], beat.like
            beat.like = 0
            self.counts[reason, beat.tags] += count
            self.runs.miss(beat.tags[reason > 0], count)

    def _fold(self, beat: Beat) -> None:
        """The same, before something else happens to its tags."""
        self._count(beat)
        beat.steady = -1

    def close(self) -> NDArray[np.int64]:
        """The window is over: its counts."""
        counts = self.columns()
        self.counts = np.zeros_like(counts)
        self.runs.window()
        return counts

    def spans(self) -> tuple[list[Span], list[Span]]:
        """Gaps that ended since the last call, and those that last."""
        return self.runs.ended(self._clock.time_ns()), self.runs.lasting()
