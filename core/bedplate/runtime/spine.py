"""The spine: everything that enters goes through here, once. Journal, current values, alarms and live in one step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bedplate.clock import Clock
from bedplate.journal.engine import Commit, Engine, Entry, Loss
from bedplate.model import Batch, Body, Event, Record
from bedplate.record.v1 import record_pb2
from bedplate.runtime.alarms import AlarmBook
from bedplate.runtime.live import Fresh, Live
from bedplate.scan.current import Current
from bedplate.scan.registry import Registry
from bedplate.wire import decode_event, encode_event

Pair = tuple[Entry, Batch | None]


class Spine:
    """What runtime rooms share. Runs on the kernel's loop."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.registry = Registry(engine.epoch)
        self.current = Current(self.registry.table)
        self.live = Live(engine.state().appended)
        self.alarms = AlarmBook()
        self.samples = 0
        self.gaps = 0  # declared

    @property
    def held(self) -> str:
        """Why connectors must bring nothing now, in words; empty when they may."""
        return self.engine.held

    def append(
        self, pairs: Iterable[Pair], commit: Commit | None = None, *, sync: bool = False
    ) -> list[Record]:
        """Appends, updates what is current, and tells live. sync: somebody waits for the disk.
        Raises JournalError when the journal takes nothing; then nothing else has happened either."""
        pairs = list(pairs)
        if not pairs and commit is None:
            return []
        records = self.engine.append([entry for entry, _ in pairs], commit)
        fresh = [Fresh(record, batch) for record, (_, batch) in zip(records, pairs, strict=True)]
        self._know(fresh)
        if fresh:
            self.live.publish(fresh)
        if sync:
            self.engine.sync_soon()
        return records

    def _know(self, fresh: Sequence[Fresh]) -> None:
        for one in fresh:
            if one.batch is not None:
                self.samples += len(one.batch)
                self.current.update(one.batch, one.record.received, one.record.position)
            elif one.record.kind is Body.EVENT:
                self.alarms.take(decode_event(one.record.payload))

    def gap(self, stream: str, reason: str, loss: Loss) -> None:
        """Declares a loss in a stream. Raises JournalError."""
        gap = record_pb2.Gap(
            stream=loss.stream,
            first_seq=loss.first_seq,
            last_seq=loss.last_seq,
            samples=loss.samples,
            to=loss.until,
            reason=reason,
        )
        setattr(gap, "from", loss.since)  # a word of Python's
        entry = Entry(stream, Body.GAP, gap.SerializeToString(), self.clock.time_ns())
        self.append([(entry, None)])
        self.gaps += 1

    def event(self, stream: str, event: Event, *, sync: bool = False) -> Record:
        """Appends one event."""
        entry = Entry(stream, Body.EVENT, encode_event(event), self.clock.time_ns())
        return self.append([(entry, None)], sync=sync)[0]
