"""A connector that brings values: polled by `read`, or pushing by `subscribe`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.config.deployment import Component, TagSpec
from bedplate.errors import JournalError, ProtocolError
from bedplate.journal.engine import Commit
from bedplate.model import Selector, quality
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.backfill.backfill import Backfill
from bedplate.runtime.browsing import all_pages, tag_at
from bedplate.runtime.clock_notes import ClockNotes
from bedplate.runtime.declaring import declared, rule
from bedplate.runtime.ledger.account import Account
from bedplate.runtime.ledger.counting import absent, pushed
from bedplate.runtime.left_out import LeftOut
from bedplate.runtime.output import legible
from bedplate.runtime.produced import Produced
from bedplate.runtime.role import Role, ok
from bedplate.runtime.scanning import READ_WITHIN, Scanning
from bedplate.runtime.spine import Spine
from bedplate.runtime.window import Window
from bedplate.scan.ingest import Ingest
from bedplate.scan.pace import Pacer
from bedplate.scan.source_clock import SourceClock
from bedplate.wire import decode_batch

BAD_AFTER = 10.0  # s of silence after which Uncertain becomes Bad
PROBLEM = 300  # characters of why a tag is Bad
CREDIT = 64  # publications under way per component
HELD = 0.2  # s between two looks whether the journal takes more
TELL = 1.0  # s, the same for the words of a source that waits for the disk

Settings = Callable[[], tuple[Mapping[str, Any], Mapping[str, bytes]]]


class Source(Role):
    """Ingest, pacing and credit of one connector."""

    def __init__(
        self,
        component: Component,
        spine: Spine,
        capabilities: Sequence[str],
        settings: Settings,
        pacer: Pacer,
        linger: float,
        *,
        replays: bool = False,
    ) -> None:
        super().__init__(component, spine)
        self.tags: tuple[TagSpec, ...] = component.tags
        self._capabilities = capabilities
        self._settings = settings
        self._pacer = pacer
        self._linger = linger
        self._replays = replays
        self._browsed = component.browse is None
        self._worse: asyncio.TimerHandle | None = None
        self._bad_at = 0.0  # time of the loop; 0: not due any more
        self._away = False  # since the last value: its tags are Uncertain or Bad
        self._off = False  # the same: its tags are BadOutOfService
        self._aside = False  # people work on its device
        self._unsynced: tuple[int, int] = (0, 0)
        self._owed = 0
        self._told_held = False
        self._window: Window | None = None  # of the session, until Close was answered
        self._scanning: Scanning | None = None  # of the session, while it polls
        self._produced = Produced(component.id, spine)
        self.clock = SourceClock()
        self._clock_notes = ClockNotes(component, spine)
        self.keeps_on = "subscribe" in capabilities
        self.health: Callable[[bool], None] = lambda whole: None
        self.arrived: Callable[[Any], None] = lambda batch: None  # one that was pushed, raw
        self.account = Account(component.id, spine.clock, pushes="subscribe" in capabilities)
        has_history = "read_history" in capabilities
        self.backfill = Backfill(component, spine, lambda: self.tags, has_history)
        self._make_ingest()

    def _make_ingest(self) -> None:
        component = self.component
        self.spine.registry.declare(declared(component.id, tag) for tag in self.tags)
        rules = [*map(rule, self.tags)]
        self._left_out = LeftOut(len(self.tags))
        self.account.watch(self.tags)
        self.backfill.watch(self.tags)
        registry, current = self.spine.registry, self.spine.current
        self.ingest = Ingest(f"{component.id}/live", rules, registry, current, self.clock)
        if self._aside:
            self.set_aside(True)

    async def open_message(self) -> Any:
        settings, secrets = self._settings()
        tags = self.tags if self._browsed else ()
        return requests.open_connector(
            self.component,
            tags,
            settings,
            secrets,
            epoch=self.spine.engine.epoch,
            linger=self._linger,
            credit=CREDIT,
        )

    async def serve(self, attachment: Attachment, reply: Any) -> None:
        if self._worse and "subscribe" in self._capabilities:
            self._worse.cancel()  # it may have nothing to say for long; one that is polled must answer
        if not self._browsed:
            await self._browse(attachment)
            ok(
                await attachment.ask(
                    self.component.id, READ_WITHIN * 3, open=await self.open_message()
                )
            )
        if not self.tags:
            await asyncio.Future()
        async with self.backfill.beside(attachment):
            if "subscribe" in self._capabilities:
                await self._subscribe(attachment)
            else:
                await self._poll(attachment)

    # --- browse to tags ---

    async def _browse(self, attachment: Attachment) -> None:
        """Tags found below the root that the deployment names; names are the paths of the nodes."""
        spec = self.component.browse
        assert spec is not None
        include, exclude = Selector(spec.include), Selector(spec.exclude)
        nodes = await all_pages(attachment, self.component.id, str(spec.root), spec.depth)
        known = {tag.name for tag in self.tags}
        found = [
            tag_at(self.component, node)
            for node in nodes
            if node.is_variable
            and include.matches(node.path)
            and not exclude.matches(node.path)
            and node.path not in known
        ]
        self.check_published(tag.path for tag in found)
        self.tags = (*self.tags, *found)
        self._browsed = True
        self._make_ingest()

    # --- push ---

    async def _subscribe(self, attachment: Attachment) -> None:
        self._window = window = Window(CREDIT)
        ask = requests.Subscribe(resume_after=await self._produced.begin(attachment))
        ok(await attachment.ask(self.component.id, READ_WITHIN * 3, subscribe=ask))
        self.account.subscribed()
        try:
            while True:  # word of what is on disk, once per sync
                await self._news()
                position, seq = self._unsynced
                if not seq or self.spine.engine.state().synced < position:
                    seq = 0
                credit = 0 if self._withheld() else self._owed
                if seq or (credit and not self._unsynced[1]):
                    self._unsynced = (0, 0)
                    self._owed -= credit
                    window.grant(credit)
                    attachment.receipt(self.component.id, credit=credit, synced=seq)
        finally:
            self._unsynced, self._owed = (0, 0), 0

    async def _news(self) -> None:
        """A sync; or a moment has passed while it waits for one: nothing but room in the journal sets credit free, and
        people are told."""
        engine = self.spine.engine
        waits = TELL if self._keeps else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HELD if self._owed else waits):
                await engine.wait(engine.state().synced)

    def _withheld(self) -> str:
        """Why it must wait for the journal, empty when it need not; told when that begins and when it is over."""
        engine = self.spine.engine
        why = engine.held
        if why and not self._keeps and (engine.leaves_out or engine.state().failed):
            why = ""
        if why:
            self.slow(why)
            self._told_held = True
        elif self._told_held:
            self._told_held = False
            self.well()
        return why

    @property
    def _keeps(self) -> bool:
        """Whether its source has what is not on disk, and waits for that."""
        return self._replays or self._produced.durable

    def publication(self, publication: Any) -> None:
        seq = publication.producer_seq
        try:
            window = self._asked()
            window.take(self.attachment.untold(self.component.id) if self.attachment else 0)
            again = self._produced.repeated(seq)
        except ProtocolError:
            self.figures.dropped += publication_samples(publication)
            raise
        if not again:
            batch = decode_batch(publication.batch)
            self.figures.consumed += len(batch)
            left_out = self._take([batch], self._produced.taken(seq))
            if left_out and self.attachment:  # it must not hear that this is on disk
                self.attachment.receipt(self.component.id, refused=seq, text=left_out)
            pushed(self.account, batch, self.ingest)
            self.arrived(batch)
        state = self.spine.engine.state()
        self._unsynced = (state.appended, self._produced.last)
        if not self.attachment:
            return
        if self._produced.durable:
            self._owe(window, state.appended > state.synced)
        elif self._withheld():
            self._owed += 1  # no new credit until there is room
        else:
            window.grant(1)
            self.attachment.receipt(self.component.id, credit=1)

    def _asked(self) -> Window:
        if self._window is None:
            raise ProtocolError("publishes without having been asked to")
        return self._window

    def _owe(self, window: Window, pending: bool) -> None:
        """Credit for a program that keeps what is not on disk: it comes with the sync, or now if none is to come."""
        self._owed += 1
        if not pending and not self.spine.held:
            (_, seq), self._unsynced = self._unsynced, (0, 0)
            assert self.attachment
            window.grant(self._owed)
            self.attachment.receipt(self.component.id, credit=self._owed, synced=seq)
            self._owed = 0
        elif self._owed >= CREDIT // 2 and not self.spine.held:
            self.spine.engine.sync_soon()

    # --- poll ---

    async def _poll(self, attachment: Attachment) -> None:
        self._scanning = scanning = Scanning(attachment, self._pacer, self.account)
        scanning.answered, scanning.late = self._answered, self._read_late
        scanning.held, scanning.skipped = self._held, self._skip
        try:
            await scanning.run(self.tags)
        finally:
            self._scanning = None

    def repace(self) -> None:
        """Reads its tags as their scan classes say now."""
        if self._scanning:
            self._scanning.set(self.tags)

    def _held(self) -> str:
        """Nothing is read of a source that keeps it, until the journal takes it."""
        return self._withheld() if self._keeps else ""

    def _read_late(self, text: str) -> None:
        self.slow(text)
        self.on_lost()

    def _skip(self) -> None:
        self.figures.skipped += 1

    def _answered(self, ns: int, asked: NDArray[np.intp], reply: Any) -> None:
        if reply.answer.code == plugin_pb2.CODE_EXPIRED:
            self.account.late(ns)
            return
        read = ok(reply).read
        batches = [decode_batch(encoded) for encoded in read.batches]
        self.figures.consumed += sum(map(len, batches))
        if self.figures.problems:  # a scan of one class says nothing of the tags of another
            for handle in {int(h) for batch in batches for h in batch.tag}:
                self.figures.problems.pop(handle, None)
        self.figures.problems.update(
            {p.tag: legible(p.text, PROBLEM) for p in read.problems if 0 < p.tag <= len(self.tags)}
        )
        self._take(batches)
        ingest = self.ingest
        self.account.answered(ns, absent(asked, batches), ingest.bad, ingest.bad_version)
        stale, gone = self._left_out.after(asked, batches)
        if len(stale):
            self._mark(quality.UNCERTAIN_LAST_USABLE, stale)
        if len(gone):
            self._mark(quality.BAD_NO_COMMUNICATION, gone)

    # --- both ---

    def _take(self, batches: list[Any], commit: Commit | None = None) -> str:
        """Returns why they are in no journal, "" when they are."""
        self._away = self._off = False
        if self._worse:
            self._worse.cancel()
        pairs = list(self.ingest.take(batches, self.spine.clock.time_ns()))
        # a source that keeps everything waits for the disk
        left_out = self.spine.bring(pairs, commit, sync=self._replays, keep=self._keeps)
        self.backfill.came(batches, stored=not left_out)
        self.figures.produced += sum(entry.samples for entry, _ in pairs)
        self._clock_notes.look(self.clock.off)
        seen = self.ingest.seen[1:] > 0
        if not self._told_held:  # that is what people should read now
            self.health(bool(self.ingest.good[1:][seen].all()))
        return left_out

    def closed(self) -> None:
        self._window = None

    def on_lost(self) -> None:
        """Its tags turn Uncertain now, Bad when no value comes, those of before a restart too; or out of service."""
        loop = asyncio.get_running_loop()
        self.backfill.lost()
        if self.off() or self._off:
            self._out_of_service()
            return
        if not self._away:
            self._away, self._bad_at = True, loop.time() + BAD_AFTER
            self._mark(quality.UNCERTAIN_LAST_USABLE)
        if self._worse:
            self._worse.cancel()
        if self._bad_at:
            self._worse = loop.call_at(self._bad_at, self._turn_bad)

    def _out_of_service(self) -> None:
        if self._worse:
            self._worse.cancel()
        self._bad_at = 0.0
        if self._off != self.off():
            self._off = self.off()
            self._away = True
            self._mark(quality.BAD_OUT_OF_SERVICE if self._off else quality.BAD_NO_COMMUNICATION)

    def _turn_bad(self) -> None:
        self._bad_at = 0.0
        self._mark(quality.BAD_NO_COMMUNICATION)

    def set_aside(self, aside: bool) -> None:
        """Its tags are out of service from now on; back, they say again what they are."""
        self.backfill.paused = aside
        self._aside, now = aside, self.spine.clock.time_ns()
        pairs = self.ingest.set_aside(now, off=self._off) if aside else self.ingest.back(now)
        with contextlib.suppress(JournalError):
            self.spine.bring(pairs)

    def _mark(self, code: int, local: NDArray[np.intp] | None = None) -> None:
        with contextlib.suppress(
            JournalError
        ):  # a dead journal is reported by the kernel, not by each source
            self.spine.bring(self.ingest.stale(code, self.spine.clock.time_ns(), local))

    # --- for status ---

    @property
    def credit(self) -> int | None:
        """Publications that a source which pushes may send now; None for one that is polled."""
        if "subscribe" not in self._capabilities:
            return None
        return self._window.credit if self._window else 0

    def heard(self) -> int:
        """When the newest of its current values came, ns UTC; 0: there is none."""
        current, known = (
            self.spine.current,
            map(self.spine.registry.table.newest, self.account.paths),
        )
        handles = [tag.handle for tag in known if tag and current.has(tag.handle)]
        return int(current.received[handles].max()) if handles else 0

    def good(self) -> int:
        return int(np.count_nonzero(self.ingest.good[1:]))

    def quietest(self) -> float:
        """Age in seconds of the tag that was heard longest ago; -1 when nothing was heard. A source that pushes sends
        what changed, so there its newest word counts for all its tags."""
        seen = self.ingest.seen[1:]
        if not len(seen) or not seen.any():
            return -1.0
        last = seen.max() if "subscribe" in self._capabilities else seen[seen > 0].min()
        return float(self.spine.clock.time_ns() - int(last)) / 1e9


def publication_samples(publication: Any) -> int:
    """How many samples it says to hold; a batch that can't be read counts as one."""
    try:
        return len(decode_batch(publication.batch))
    except ProtocolError:
        return 1
