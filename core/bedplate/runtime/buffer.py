"""What a reader that nobody depends on may lag behind. A slow or dead sink loses for itself alone, and that is said.

Rule: what it has not confirmed and is older than `age`, more than `size`, or in the way while the journal is full, it
does not get any more: its cursor moves on, in one commit with the count of what was lost. Only histories and analytics
are waited for. Size is of the journal that is held for it, at the journal's average per record. The journal itself is
trimmed elsewhere, by the cursors of all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from bedplate import strict_json
from bedplate.clock import AgeClock
from bedplate.config.deployment import Buffer, Component
from bedplate.journal.engine import Commit, Entry
from bedplate.model import Body, Event, EventKind, Record
from bedplate.runtime.epochs import by_epoch
from bedplate.runtime.spine import Pair, Spine
from bedplate.runtime.subscription import Subscription
from bedplate.wire import encode_event

AGE = 7 * 86_400_000_000_000  # ns; of sinks whose buffer says nothing else
DECLARE = 600.0  # s between two events of one loss that goes on
AT_ONCE = 50  # stretches in one go
PART = 20  # while the journal is full, one part of so many goes at a time
RECORDS, SIZE = 4000, 4 << 20
KEY = "lost"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("min", 60_000_000_000))


@dataclass(frozen=True, slots=True)
class Loss:
    """What a reader did not get, of what it asked for. first, last: positions · since, until: when the first and the
    last came, ns UTC · all 0: nothing."""

    records: int = 0
    samples: int = 0
    first: int = 0
    last: int = 0
    since: int = 0
    until: int = 0

    @classmethod
    def of(cls, records: Sequence[Record]) -> Loss:
        if not records:
            return cls()
        first, last = records[0], records[-1]
        samples = sum(record.samples for record in records)
        ends = first.position, last.position, first.received, last.received
        return cls(len(records), samples, *ends)

    def __add__(self, later: Loss) -> Loss:
        if not (self.records and later.records):
            return self if self.records else later
        records, samples = self.records + later.records, self.samples + later.samples
        return Loss(records, samples, self.first, later.last, self.since, later.until)

    @property
    def words(self) -> str:
        return f"what came from {_moment(self.since)} to {_moment(self.until)}"


class SinkBuffer:
    """Of one reader. Not to be used while something is being delivered to it.

    upto: it gets nothing up to here · lost: since it has had a cursor · why: which limit it was, the last time ·
    declared: hears of a loss, in words.
    """

    def __init__(self, component: Component, spine: Spine, subscription: Subscription) -> None:
        self.limit(component.buffer)
        self._component = component
        self._spine = spine
        self._subscription = subscription.again()
        self._ages = AgeClock(spine.clock)
        self._begun = False
        self._declared = -DECLARE
        self._fresh = Loss()  # not declared yet
        self.upto = 0
        self.lost = Loss()
        self.why = ""
        self.declared: Callable[[str], None] = lambda text: None

    def limit(self, limits: Buffer | None) -> None:
        """What it may lag behind from now on."""
        limits = limits or Buffer()
        self._age = limits.age_ns or (None if limits.size_bytes else AGE)
        self._size = limits.size_bytes

    async def relieve(self, durable: int) -> Loss:
        """Gives up what is beyond the limits, after what is durable. Raises JournalError."""
        await self._begin()
        position = self.upto = max(self.upto, durable)
        whole = Loss()
        for _ in range(AT_ONCE):
            over = await self._over(position)
            if not over:
                break
            for run in by_epoch(over):
                whole += Loss.of(await self._chosen(run))
            position = over[-1].position
        if position > self.upto or self._fresh.records:
            self._commit(position, whole)
        return whole

    async def _begin(self) -> None:
        if self._begun:
            return
        self.upto, states = await self._spine.engine.cursor(self._component.id)
        kept = strict_json.loads(states.get(KEY) or b"{}")
        self.lost, self._fresh = Loss(**kept.get("lost", {})), Loss(**kept.get("fresh", {}))
        self.why = kept.get("why", "")
        self._begun = True

    async def _over(self, position: int) -> Sequence[Record]:
        """The next records that are beyond a limit."""
        engine = self._spine.engine
        upto, why = self._floor(position)
        now = self._ages.time_ns()
        oldest = now - self._age if self._age and now is not None else 0
        for records, size in ((1, 1), (RECORDS, SIZE)):
            found = await engine.read(position, records=records, size=size)
            over = [r for r in found if r.position <= upto or r.received < oldest]
            if not over or over[0] is not found[0]:
                return ()
        self.why = why if over[0].position <= upto else f"older than {duration(self._age or 0)}"
        return over

    def _floor(self, position: int) -> tuple[int, str]:
        """Up to which position there is too much for it, and of what."""
        state = self._spine.engine.state()
        if not state.first or state.appended <= position:
            return 0, ""
        if getattr(state, "full", ""):
            return position + max(1, (state.appended - position) // PART), "the journal is full"
        if self._size is None:
            return 0, ""
        each = max(1.0, (state.bytes - state.free) / (state.appended - state.first + 1))
        return state.appended - int(self._size / each), f"more than {size(self._size)}"

    async def _chosen(self, records: Sequence[Record]) -> list[Record]:
        await self._subscription.turn(
            records[0].epoch, self._spine.registry.table, self._spine.engine
        )
        return [r for r in map(self._subscription.choose, records) if r is not None]

    def _commit(self, position: int, loss: Loss) -> None:
        """Cursor, counts and, from time to time, the event: in one step."""
        self.lost, self._fresh = self.lost + loss, self._fresh + loss
        now = self._spine.clock.monotonic()
        due = bool(self._fresh.records) and now - self._declared >= DECLARE
        if not due and position == self.upto:
            return
        told, text = self._fresh, self._text(self._fresh)
        kept = {"lost": self.lost, "fresh": Loss() if due else told}
        state = json.dumps({"why": self.why} | {key: asdict(one) for key, one in kept.items()})
        commit = Commit(self._component.id, position, {KEY: state.encode()})
        self._spine.append(self._event(told, text) if due else (), commit, sync=due)
        self.upto = position
        if due:
            self._fresh, self._declared = Loss(), now
            self.declared(text)

    def _text(self, loss: Loss) -> str:
        records = f"{loss.samples:,} samples in {loss.records:,} records"
        return f"{self._component.id} lost {records}, {loss.words}: {self.why}"

    def _event(self, loss: Loss, text: str) -> Iterable[Pair]:
        component, now = self._component, self._spine.clock.time_ns()
        event = Event(
            component.path or component.id,
            EventKind.NOTE,
            now,
            text,
            severity=500,
            component=component.id,
            detail=json.dumps({"lost": asdict(loss) | {"why": self.why}}).encode(),
        )
        entry = Entry(f"{component.id}/event", Body.EVENT, encode_event(event), now)
        return [(entry, None)]


def _moment(at_ns: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=at_ns // 1000):%Y-%m-%d %H:%M:%S} UTC"


def duration(ns: int) -> str:
    """As people write it: 7 d, 36 h, 2.5 s."""
    for unit, each in _UNITS:
        if ns >= each and ns % each == 0:
            return f"{ns // each} {unit}"
    return f"{ns / 1e9:g} s"


def size(count: int) -> str:
    """As people write it: 30 GB, 500 MB, 20 kB."""
    for unit, each in (("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if count >= each:
            return f"{count / each:g} {unit}"
    return f"{count} B"
