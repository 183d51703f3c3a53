"""What of one source was missed: per tag the time between its newest sample before a loss and its first one after.

Rule: what is known to be missed goes to disk in the same turn as the first sample after it, and what was fetched in the
same commit as the samples. So nothing is forgotten over a restart, and nothing comes twice. How far a tag had come
before a restart, its current value says: what the kernel itself put in its place counts for nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bedplate.config.deployment import TagSpec
from bedplate.errors import JournalError
from bedplate.journal.engine import Commit
from bedplate.model import Batch, TagInfo, quality
from bedplate.runtime.backfill.lot import MOST, Lot
from bedplate.runtime.spine import Pair, Spine

FURTHEST = 7 * 86_400 * 1_000_000_000  # ns: what is older is not asked for
AHEAD = 60 * 1_000_000_000  # ns: a time beyond now that says nothing of how far a tag has come
LOTS_MOST = 10_000
BAD = np.uint32(quality.BAD)
MARKS = (
    quality.UNCERTAIN_LAST_USABLE,
    quality.BAD_NO_COMMUNICATION,
    quality.BAD_OUT_OF_SERVICE,
)
"""What the kernel says of a tag whose source is silent."""


def reader_of(component: str) -> str:
    """The cursor that goes by this name."""
    return f"{component}/backfill"


class Missed:
    """Of one source. lots: what is to be fetched, the oldest first."""

    def __init__(self, component: str, spine: Spine) -> None:
        self._reader = reader_of(component)
        self._spine = spine
        self._paths: tuple[str, ...] = ()
        self._newest = np.zeros(1, np.int64)  # source time by local handle, 0: it never had a value
        self._since = np.zeros(1, np.int64)  # the same of tags that have not come since the loss
        self._waiting = False
        self._loaded = False
        self._key = 0
        self.lots: list[Lot] = []
        self.without: set[str] = set()  # of these the source keeps no history

    def watch(self, tags: Sequence[TagSpec]) -> None:
        """These tags by local handle, 1 … n; what was known of those before stays."""
        self._paths = tuple(tag.path for tag in tags)
        before, n = len(self._newest), len(tags) + 1
        for name in ("_newest", "_since"):
            column = np.zeros(n, np.int64)
            column[: min(before, n)] = getattr(self, name)[:n]
            setattr(self, name, column)
        fresh = [self._known(path) for path in self._paths[before - 1 :]]
        self._newest[before:] = self._since[before:] = fresh
        self._waiting = bool(self._since.any())

    def _known(self, path: str) -> int:
        """Source time of the newest sample that is in the journal; 0: there is none."""
        current = self._spine.current
        tag: TagInfo | None = self._spine.registry.table.newest(path)
        if tag is None or not current.has(tag.handle):
            return 0
        if int(current.quality[tag.handle]) in MARKS:
            return int(current.lapses.good_time[tag.handle])
        return int(current.time[tag.handle])

    @property
    def locals(self) -> dict[str, int]:
        """Local handles by path."""
        return {path: local for local, path in enumerate(self._paths, 1)}

    # --- what comes ---

    def lost(self) -> None:
        """The source is silent from now on: each tag misses what comes after its newest sample."""
        untold = self._since == 0
        self._since[untold] = self._newest[untold]
        self._waiting = bool(self._since.any())

    def came(self, batches: Iterable[Batch]) -> bool:
        """Live samples, in local handles, that are in the journal now. Whether there is more to be fetched."""
        now, more = self._spine.clock.time_ns(), False
        for batch in batches:
            if not len(batch.time):  # the source says no times: it can't be asked about them either
                continue
            tags, times = batch.tags().astype(np.intp), batch.times()
            if self._waiting:
                more = self._first(tags, times, batch.quality, now) or more
            if times.max() > now + AHEAD:
                tags, times = tags[times <= now + AHEAD], times[times <= now + AHEAD]
            self._newest[tags] = np.maximum(self._newest[tags], times)
        return more

    def _first(
        self,
        tags: NDArray[np.intp],
        times: NDArray[np.int64],
        codes: NDArray[np.uint32] | None,
        now: int,
    ) -> bool:
        """The first values since the loss: what lies between is missed. One without a value says nothing yet."""
        back = self._since[tags] > 0
        if codes is not None:
            back &= codes < BAD
        if not back.any():
            return False
        missed: dict[str, tuple[int, int]] = {}
        for tag, time in zip(tags[back].tolist(), times[back].tolist(), strict=True):
            since, path = int(self._since[tag]), self._paths[tag - 1]
            self._since[tag] = 0
            floor = max(since, now - FURTHEST)
            if since and floor + 1 < time and path not in self.without:
                missed[path] = (floor, time)
        self._waiting = bool(self._since.any())
        self._add(missed)
        return bool(missed)

    def _add(self, missed: dict[str, tuple[int, int]]) -> None:
        """Kept with the samples that end it: nothing else is written in between."""
        items = iter(missed.items())
        while part := dict(islice(items, MOST)):
            self._key += 1
            key = f"{self._spine.engine.epoch:x}.{self._key}"
            lot = Lot.of(key, part)
            if len(self.lots) < LOTS_MOST:
                self.lots.append(lot)
                self._keep(lot)

    def _keep(self, lot: Lot) -> None:
        with contextlib.suppress(
            JournalError
        ):  # it is fetched all the same, while this kernel lives
            self._spine.append((), self._commit(lot.key, lot.encode()))

    # --- what is fetched ---

    async def load(self) -> None:
        """What the kernel before, or this component under other settings, left undone. Raises JournalError."""
        if self._loaded:
            return
        engine = self._spine.engine
        await engine.synced(engine.state().appended)  # a cursor may be read before it is on disk
        _, states = await engine.cursor(self._reader)
        mine = {lot.key for lot in self.lots}
        kept = [Lot.decode(key, state) for key, state in states.items() if key not in mine]
        self._loaded = True
        self.lots = sorted([*self.lots, *(lot for lot in kept if lot)], key=lambda lot: lot.first)

    def next(self) -> Lot | None:
        """The oldest, without the tags that are none any more or have no history; those that are left empty end."""
        while self.lots:
            lot, here = self.lots[0], self.locals
            gone = [p for p in lot.missed if p not in here or p in self.without]
            for path in gone:
                del lot.missed[path]
            if lot.missed:
                return lot
            self.took(lot, (), {}, last=True)
        return None

    def took(self, lot: Lot, pairs: Sequence[Pair], newest: dict[str, int], *, last: bool) -> None:
        """Samples of a page go to the journal, with how far they have come. newest: the last source time, by path;
        last: the source has no more of that time. Raises JournalError; then nothing has happened."""
        risen = lot.risen(newest, sum(entry.samples for entry, _ in pairs))
        self._spine.past(pairs, self._commit(lot.key, b"" if last else risen.encode()))
        lot.missed, lot.samples = risen.missed, risen.samples
        if last:
            self.lots.remove(lot)

    def _commit(self, key: str, state: bytes) -> Commit:
        return Commit(self._reader, self._spine.engine.state().appended, {key: state})

    def of(self, lot: Lot) -> Iterator[tuple[int, str, int, int]]:
        """(local handle, path, newest before, first after) of each tag."""
        here = self.locals
        for path, (since, until) in lot.missed.items():
            yield here[path], path, since, until
