"""The spine: everything that enters goes through here, once. Journal, current values, alarms and live in one step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence

from bedplate.clock import Clock
from bedplate.errors import JournalError
from bedplate.journal.engine import Commit, Engine, Entry, Loss
from bedplate.journal.gap import gap_entry
from bedplate.model import Batch, Body, Event, Record
from bedplate.runtime.alarms import AlarmBook
from bedplate.runtime.live import Fresh, Live
from bedplate.runtime.unstored import Unstored
from bedplate.scan.current import Current
from bedplate.scan.registry import Registry
from bedplate.wire import decode_event, encode_event

Pair = tuple[Entry, Batch | None]


class Spine:
    """What runtime rooms share. Runs on the kernel's loop. told_gap: hears of each loss that is declared."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.registry = Registry(engine.epoch)
        self.current = Current(self.registry.table)
        self.live = Live(engine.state().appended)
        self.alarms = AlarmBook()
        self.unstored = Unstored()
        self._owed: list[Pair] = []
        self.samples = 0
        self.gaps = 0  # declared
        self.told_gap: Callable[[str, Loss, str], None] = lambda stream, loss, reason: None
        self.declared: Callable[[Loss], None] = lambda loss: None  # one more

    @property
    def held(self) -> str:
        """Why connectors that can send again must bring nothing now, in words; empty when they may."""
        return self.engine.held

    @property
    def not_stored(self) -> str:
        """Why what is current and live now is not, or not yet, in the journal; empty when all is well."""
        return self.unstored.why or (self.engine.state().failed if self.engine.held else "")

    def append(
        self, pairs: Iterable[Pair], commit: Commit | None = None, *, sync: bool = False
    ) -> list[Record]:
        """Appends, updates what is current, and tells live. sync: somebody waits for the disk.
        Raises JournalError when the journal takes nothing; then nothing else has happened either."""
        pairs = [*self._owed, *pairs]
        if not pairs and commit is None:
            return []
        try:
            records = self.engine.append([entry for entry, _ in pairs], commit)
        except JournalError:
            # handles are given out by now: their table must come before whatever uses them
            self._owed = [pair for pair in pairs if pair[0].kind is Body.TAGS]
            raise
        self._owed = []
        fresh = [Fresh(record, batch) for record, (_, batch) in zip(records, pairs, strict=True)]
        self._know(fresh)
        if fresh:
            self.live.publish(fresh)
        if sync:
            self.engine.sync_soon()
        return records

    def past(self, pairs: Iterable[Pair], commit: Commit) -> None:
        """What was fetched of a time that is over, with how far that has come: it is in the journal, and not current or
        live. Raises JournalError."""
        entries = [entry for entry, _ in pairs]
        self.engine.append(entries, commit)
        self.samples += sum(entry.samples for entry in entries)

    def bring(
        self,
        pairs: Iterable[Pair],
        commit: Commit | None = None,
        *,
        sync: bool = False,
        keep: bool = False,
    ) -> str:
        """What a connector brought. keep: its source can send it again and waits for the disk, so it is appended
        whatever there is. Other samples are current and live, and in no journal, while that has no place: returns why,
        "" when they are. Raises JournalError."""
        why = "" if keep else self.engine.leaves_out
        if not why:
            pairs = list(pairs)
            if self.unstored.why:
                self.stored_again({entry.stream for entry, _ in pairs})
            self.append(pairs, commit, sync=sync)
        else:
            self._without(list(pairs), commit, sync, why)
        return why

    def derive(self, pairs: Iterable[Pair], commit: Commit, *, sync: bool = False) -> bool:
        """The same of an analytic, which has a reserve. Whether its commit will reach the disk. Raises JournalError."""
        pairs = list(pairs)
        if not (self.engine.spent or self.engine.backlogged) or not (why := self.engine.leaves_out):
            if self.unstored.why:
                self.stored_again({entry.stream for entry, _ in pairs})
            self.append(pairs, commit, sync=sync)
            return True
        try:
            self._without(pairs, commit, sync, why)
        except JournalError:  # not even events have a place in memory
            if not self.engine.held:
                raise
            self._leave_out(pairs, why)
            return False
        return True

    def _without(self, pairs: list[Pair], commit: Commit | None, sync: bool, why: str) -> None:
        """All but samples is appended: handles and events are few, and others depend on them."""
        self.append([p for p in pairs if p[0].kind is not Body.BATCH], commit, sync=sync)
        self._leave_out([p for p in pairs if p[0].kind is Body.BATCH], why)

    def _leave_out(self, pairs: list[Pair], why: str) -> None:
        streams = [entry.stream for entry, _ in pairs]
        for loss in self.unstored.begins(streams, self.clock.time_ns(), why):
            with contextlib.suppress(JournalError):
                self.gap(loss.stream, loss.reason, loss)
        records = self.engine.leave_out([entry for entry, _ in pairs])
        fresh = [Fresh(record, batch) for record, (_, batch) in zip(records, pairs, strict=True)]
        self._know(fresh)
        self.live.tell(fresh)
        self.unstored.take(records, self.engine.state().appended, why)

    def stored_again(self, streams: Iterable[str]) -> None:
        """Declares what these streams lost; the next of them is stored. Raises JournalError."""
        for stream in streams:
            if loss := self.unstored.lost(stream):
                self.gap(stream, loss.reason, loss)
                self.unstored.over(stream)

    def _know(self, fresh: Sequence[Fresh]) -> None:
        for one in fresh:
            if one.batch is not None:
                self.samples += len(one.batch)
                self.current.update(one.batch, one.record.received, one.record.position)
            elif one.record.kind is Body.EVENT:
                self.alarms.take(decode_event(one.record.payload))

    def gap(self, stream: str, reason: str, loss: Loss) -> None:
        """Declares a loss in a stream. Raises JournalError."""
        entry = gap_entry(stream, reason, loss, self.clock.time_ns())
        self.append([(entry, None)])
        self.gaps += 1
        self.told_gap(stream, loss, reason)
        self.declared(loss)

    def event(self, stream: str, event: Event, *, sync: bool = False) -> Record:
        """Appends one event."""
        entry = Entry(stream, Body.EVENT, encode_event(event), self.clock.time_ns())
        return self.append([(entry, None)], sync=sync)[-1]
