"""Fetches what a source kept while it could not be reached: a page at a time, the oldest first, behind what is live.

Rule: live goes first. One page is under way, and the next waits three times as long as this one took; nothing is asked
for while the journal is full, or while people work on the device. Whatever goes wrong costs the page, never the
session: it is asked for again, later and later. What comes is history: it goes to whoever reads the journal, with its
own times and the flag, and to nobody who watches what is now.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.config.deployment import Component, TagSpec
from bedplate.errors import CallError, JournalError, ProtocolError
from bedplate.model import Batch, Event, EventKind
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.backfill.lot import Lot
from bedplate.runtime.backfill.missed import Missed
from bedplate.runtime.declaring import rule
from bedplate.runtime.output import legible
from bedplate.runtime.role import Bug, SettingsRefused, Unreachable, ok
from bedplate.runtime.spine import Spine
from bedplate.scan.past import PastIngest
from bedplate.wire import decode_batch

PAGE_WITHIN = 30.0  # s
SAMPLES_MOST = 10_000  # in a page
SETTLE = 1.0  # s after the first samples: the others come first
SHARE = 4  # it takes one part of so many of the time
PAUSE = 0.05  # s between two pages at least
LOOK = 1.0  # s between two looks whether it may go on
FIRST_AGAIN, LAST_AGAIN = 5.0, 600.0  # s
BARREN = 100  # pages one after the other that bring nothing new
Filled = Callable[[str, Sequence[str], int, int, int], Awaitable[None]]


@dataclass
class _Answer:
    """One that is being read. since, until: by local handle; page: of the next ask."""

    lot: Lot
    times: tuple[int, int]
    handles: list[int]
    paths: dict[int, str]
    since: NDArray[np.int64]
    until: NDArray[np.int64]
    page: bytes = b""
    barren: int = 0


class Backfill:
    """Of one source. tags: as they are now · able: it has a history; without one nothing happens here · filled: tells
    the gap ledger."""

    def __init__(
        self,
        component: Component,
        spine: Spine,
        tags: Callable[[], Sequence[TagSpec]],
        able: bool,
    ) -> None:
        self.able = able
        self._component = component
        self._spine = spine
        self._tags = tags
        self._ruled: Sequence[TagSpec] | None = None
        self._news = asyncio.Event()
        self._told: set[str] = set()
        self._asking = False
        self._again = FIRST_AGAIN
        self.missed = Missed(component.id, spine)
        self.paused = False
        self.filled: Filled = _nobody
        self.samples = 0  # fetched since the start

    # --- as the source says ---

    def watch(self, tags: Sequence[TagSpec]) -> None:
        """These are its tags now."""
        if self.able:
            self.missed.watch(tags)

    def came(self, batches: Sequence[Batch], *, stored: bool) -> None:
        """Live samples, as the plugin sent them; stored: in the journal. What is not is missed as well."""
        if not self.able:
            return
        if not stored:
            self.missed.lost()
        elif self.missed.came(batches):
            self._news.set()

    def lost(self) -> None:
        """The session is over, or did not begin."""
        if self.able:
            self.missed.lost()

    @contextlib.asynccontextmanager
    async def beside(self, attachment: Attachment) -> Any:
        """Fetches while the session lasts. Raises JournalError."""
        if not self.able:
            yield
            return
        await self.missed.load()
        task = asyncio.create_task(self._run(attachment))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    # --- fetching ---

    async def _run(self, attachment: Attachment) -> None:
        # a session that ended during a question may have ended because of it
        await asyncio.sleep(self._later() if self._asking else SETTLE)
        while True:
            self._news.clear()
            try:
                if await self._lot(attachment):
                    self._again = FIRST_AGAIN
                    continue
                wait = self._later()
            except _Unsupported:
                self._tell("its plugin does not read it, though its manifest says so")
                return
            except JournalError:
                wait = LOOK
            except ConnectionError:  # the session is about to end
                return
            await asyncio.sleep(wait)

    def _later(self) -> float:
        """How long to wait before the next try: longer each time."""
        wait, self._again = self._again, min(self._again * 2, LAST_AGAIN)
        return wait

    async def _lot(self, attachment: Attachment) -> bool:
        """The next lot, or the wait for one. False: not now."""
        lot = self.missed.next()
        if lot is None:
            await self._news.wait()
            await asyncio.sleep(SETTLE)
            return True
        answer = self._answer(lot)
        loop = asyncio.get_running_loop()
        while True:
            await self._may()
            began = loop.time()
            try:
                more = await self._page(attachment, answer)
            except (Unreachable, TimeoutError, Bug, SettingsRefused, ProtocolError) as error:
                self._tell(legible(str(error), 300))
                return False
            await asyncio.sleep(max(PAUSE, (loop.time() - began) * (SHARE - 1)))
            if not more:
                return True

    async def _may(self) -> None:
        """Waits while something else is more urgent."""
        engine = self._spine.engine
        while self.paused or engine.held or engine.leaves_out:  # noqa: ASYNC110  rarely, and of many reasons
            await asyncio.sleep(LOOK)

    def _answer(self, lot: Lot) -> _Answer:
        n = len(self._tags()) + 1
        since, until = np.full(n, 2**62, np.int64), np.zeros(n, np.int64)
        paths: dict[int, str] = {}
        for local, path, after, before in self.missed.of(lot):
            paths[local], since[local], until[local] = path, after, before
        return _Answer(lot, lot.times, sorted(paths), paths, since, until)

    async def _page(self, attachment: Attachment, answer: _Answer) -> bool:
        """Asks for one and keeps what is new of it. Whether there are more. Raises as `ok`, and JournalError."""
        start, end = answer.times
        ask = requests.ReadHistory(tags=answer.handles, to=end, page=answer.page)
        setattr(ask, "from", start)
        self._asking = True
        reply = await attachment.ask(self._component.id, PAGE_WITHIN, read_history=ask)
        self._asking = False
        if reply.answer.code == plugin_pb2.CODE_UNSUPPORTED:
            raise _Unsupported
        read = ok(reply).read_history
        batches = [decode_batch(encoded) for encoded in read.batches]
        if sum(map(len, batches)) > SAMPLES_MOST:
            raise Bug(f"a page of its history has more than {SAMPLES_MOST:,} samples")
        self._without(answer, read.problems)
        self._keep(answer, list(self._new(answer, batches)), last=not read.next_page)
        answer.page = read.next_page
        if not answer.page:
            await self._done(answer.lot)
        return bool(answer.page)

    def _new(self, answer: _Answer, batches: Sequence[Batch]) -> Iterator[Batch]:
        """What was asked for and is not there yet: the edges came live, and pages before a restart are kept."""
        for batch in batches:
            if not len(batch):
                continue
            tags = batch.tags().astype(np.intp)
            if not len(batch.time) or tags.max() >= len(answer.since):
                raise Bug("its history has samples without a time, or of tags that are not its own")
            times = batch.times()
            wanted = (times > answer.since[tags]) & (times < answer.until[tags])
            if wanted.any():
                yield batch if wanted.all() else batch.take(wanted)

    def _keep(self, answer: _Answer, batches: list[Batch], *, last: bool) -> None:
        count = sum(map(len, batches))
        answer.barren = 0 if count else answer.barren + 1
        if answer.barren > BARREN:
            raise Bug("the pages of its history bring nothing new and do not end")
        newest: dict[str, int] = {}
        for batch in batches:
            tags, times = batch.tags().astype(np.intp), batch.times()
            ends = np.zeros(len(answer.since), np.int64)
            np.maximum.at(ends, tags, times)
            for local in np.unique(tags).tolist():
                path = answer.paths[local]
                newest[path] = max(newest.get(path, 0), int(ends[local]))
        pairs = list(self._ingest().take(batches, self._spine.clock.time_ns()))
        self.missed.took(answer.lot, pairs, newest, last=last)
        self.samples += count

    def _ingest(self) -> PastIngest:
        """With the rules of now."""
        tags = self._tags()
        if tags is not self._ruled:
            self._ruled, spine = tags, self._spine
            rules = [*map(rule, tags)]
            stream = f"{self._component.id}/backfill"
            self._past = PastIngest(stream, rules, spine.registry, spine.current)
        return self._past

    def _without(self, answer: _Answer, problems: Sequence[Any]) -> None:
        """Of these tags the source keeps no history: they are not asked for again."""
        self.missed.without |= {answer.paths[p.tag] for p in problems if p.tag in answer.paths}

    async def _done(self, lot: Lot) -> None:
        """People and the ledger hear of it."""
        paths = [path for path in lot.missed if path not in self.missed.without]
        if not lot.samples:
            return
        tags = f"{len(paths)} tags" if len(paths) > 1 else "1 tag"
        self._say(f"fetched {lot.samples:,} samples of {tags} that were missed, from its history")
        with contextlib.suppress(CallError):
            await self.filled(self._component.id, paths, lot.first, lot.last, lot.samples)

    # --- words ---

    def _tell(self, why: str) -> None:
        """Once per reason: what comes again and again is one piece of news."""
        if why not in self._told and len(self._told) < 100:
            self._told.add(why)
            self._say(f"its history: {why}")

    def _say(self, text: str) -> None:
        component, now = self._component, self._spine.clock.time_ns()
        source = component.path or component.id
        event = Event(source, EventKind.NOTE, now, text, 100, component=component.id)
        with contextlib.suppress(JournalError):
            self._spine.event(f"{component.id}/event", event)


class _Unsupported(Exception):
    """The plugin is older than its manifest."""


async def _nobody(*_: Any) -> None:
    pass
