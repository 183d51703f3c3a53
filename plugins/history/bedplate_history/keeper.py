"""Keeper: the one thread that writes files. Seals first, then merges step by step, then lets go what is too old."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence

import pyarrow as pa

from bedplate.clock import AgeClock
from bedplate_history.archive import Archive
from bedplate_history.catalogue import Change
from bedplate_history.intake import Clock, Intake
from bedplate_history.keeping import SPAN, expired, mergeable
from bedplate_history.merging import Unreadable, merge
from bedplate_history.sealing import seal
from bedplate_history.segment import Segment
from bedplate_history.settings import Keep, Seal
from bedplate_history.tail import Tail

RETAIN_EVERY = 600.0
"""Seconds after which it looks for what is too old although nothing was sealed."""


class Keeper(threading.Thread):
    """Runs until `stop`. A disk that takes no more ends it: `Intake.broken` says why, and the session with it."""

    def __init__(
        self, archive: Archive, intake: Intake, seals: Seal, keep: Keep, clock: Clock
    ) -> None:
        super().__init__(name="history keeper", daemon=True)
        self._archive = archive
        self._intake = intake
        self._seals = seals
        self._clock = clock
        self._ages = AgeClock(clock)
        self._size = keep.size
        self._age = None if keep.age is None else round(keep.age * 1e9)
        self._merge: Generator[Segment | None] | None = None
        self._merging: Sequence[Segment] = ()
        self._settled: Sequence[Segment] | None = None
        self._stopping = False
        self._retained = clock.monotonic()
        self._lock = archive.lock

    def stop(self) -> None:
        """Seals what is in memory, then ends; a merge under way is given up. Returns when it has ended."""
        with self._lock:
            self._stopping = True
            self._lock.notify_all()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        failure: BaseException | None = None
        try:
            self._retain()
            while self._turn():
                pass
        except (OSError, pa.ArrowException) as error:
            failure = error if isinstance(error, OSError) else OSError(str(error))
        except BaseException as error:
            failure = error
            raise
        finally:
            self._give_up_merge()
            with self._lock:
                self._intake.broken = failure or ConnectionError("the history was closed")
                self._lock.notify_all()

    def _turn(self) -> bool:
        """One thing, the most urgent. False: it is time to end."""
        with self._lock:
            self._freeze_when_due()
            tail, stopping = self._intake.frozen, self._stopping
        if tail is not None:
            self._seal(tail)
            self._retain()
        elif stopping:
            return False
        elif not self._merge_step():
            self._rest()
        return True

    def _freeze_when_due(self) -> None:
        tail = self._intake.tail
        if self._intake.frozen is None and tail.begun is not None:
            due = tail.begun + self._seals.age
            if self._stopping or self._clock.monotonic() >= due:
                self._intake.freeze()

    def _rest(self) -> None:
        """Until there may be something to do."""
        if self._clock.monotonic() - self._retained >= RETAIN_EVERY:
            self._retain()
        with self._lock:
            tail = self._intake.tail
            if self._intake.frozen is None and not self._stopping:
                now = self._clock.monotonic()
                begun = now if tail.begun is None else tail.begun
                age = RETAIN_EVERY if tail.begun is None else self._seals.age
                self._lock.wait(min(max(begun + age - now, 0.0), RETAIN_EVERY))

    def _seal(self, tail: Tail) -> None:
        segment = seal(self._archive.folder.samples, tail, self._archive.tags)

        def visible() -> None:
            self._intake.frozen = None
            self._lock.notify_all()

        change = Change(
            added=() if segment is None else (segment,), events=tail.events, cursor=tail.until
        )
        self._archive.commit(change, visible)

    # merging ----------------------------------------------------------------------------------------------------------

    def _merge_step(self) -> bool:
        """A little of the merge that is due. False: none is."""
        if self._merge is None and not self._begin_merge():
            return False
        assert self._merge is not None
        try:
            merged = next(self._merge)
        except Unreadable as error:
            self._give_up_merge()
            self._archive.set_aside(error.segment, error.why)
            return True
        if merged is not None:
            self._archive.commit(Change(added=(merged,), removed=self._merging))
            self._give_up_merge()
            self._retain()
        return True

    def _begin_merge(self) -> bool:
        with self._lock:
            segments = self._archive.segments
        if segments is self._settled:
            return False
        span = None if self._age is None else self._age // SPAN
        self._merging = mergeable(segments, self._seals.rows, span)
        if self._merging:
            self._merge = merge(self._archive.folder, self._merging, self._paths(self._merging))
        else:
            self._settled = segments
        return bool(self._merging)

    def _paths(self, segments: Sequence[Segment]) -> list[str]:
        numbers = {number for segment in segments for number in segment.numbers().tolist()}
        return [self._archive.tags[number].path for number in numbers]

    def _give_up_merge(self) -> None:
        if self._merge is not None:
            self._merge.close()
        self._merge, self._merging = None, ()

    # letting go -------------------------------------------------------------------------------------------------------

    def _retain(self) -> None:
        self._retained = self._clock.monotonic()
        now = self._ages.time_ns()
        age = None if now is None else self._age  # after the clock was set nothing is too old
        with self._lock:
            segments = self._archive.segments
        gone = expired(segments, now or 0, age, self._size)
        too_old = [segment.newest for segment in gone]
        if now is not None and age is not None:
            too_old.append(now - age)
        if too_old:
            self._archive.commit(Change(removed=gone, events_before=max(too_old)))
