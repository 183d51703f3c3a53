"""Any order of appends, commits, trims, restarts and kills: the engine holds what a list of records would."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Commit, Engine, Entry
from bedplate.journal.memory import MemoryEngine
from bedplate.model import Body, Record
from bedplate.testing import FakeClock

ENTRIES = st.lists(
    st.builds(
        Entry,
        stream=st.sampled_from(["a/live", "a/event", "ü/live"]),
        kind=st.sampled_from(Body),
        payload=st.binary(max_size=300),
        received=st.integers(-(2**63), 2**63 - 1),
        producer_seq=st.integers(0, 2**64 - 1),
        samples=st.integers(0, 2**32 - 1),
    ),
    max_size=8,
)
SHARED_MEMORY = Path("/dev/shm")
READERS = st.sampled_from(["history", "oee"])
STATES = st.dictionaries(st.sampled_from(["", "x", "y"]), st.binary(max_size=20), max_size=3)


class Model:
    """What the journal should hold: everything ever appended, and how far it is synced and trimmed."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.floor = self.next = self.epoch = 0
        self.cursors: dict[str, tuple[int, dict[str, bytes]]] = {}

    def held(self) -> list[Record]:
        return [record for record in self.records if record.position > self.floor]

    def tables(self, epoch: int) -> list[Record]:
        held = {record.epoch for record in self.held()} | {self.epoch}
        oldest = min(held)
        tags = [record for record in self.records if record.kind is Body.TAGS]
        return [record for record in tags if record.epoch == epoch >= oldest]

    def commit(self, commit: Commit) -> None:
        _, states = self.cursors.get(commit.reader, (0, {}))
        merged = {**states, **commit.states}
        self.cursors[commit.reader] = commit.position, {k: v for k, v in merged.items() if v}


class JournalMachine(RuleBasedStateMachine):
    """Rules leave nothing pending, so that a kill loses nothing; test_kill does the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.model = Model()
        self.seqs: dict[str, int] = {}

    def make(self) -> Engine:
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.engine = self.make()
        self.opened()

    def opened(self) -> None:
        self.loop.run_until_complete(self.engine.open())
        assert self.engine.epoch > self.model.epoch
        self.model.epoch = self.engine.epoch
        self.model.next = self.model.records[-1].position + 1 if self.model.records else 1
        self.seqs = {}

    @rule(entries=ENTRIES, reader=READERS | st.none(), back=st.integers(0, 9), states=STATES)
    def append(
        self, entries: list[Entry], reader: str | None, back: int, states: dict[str, bytes]
    ) -> None:
        commit = None
        if reader is not None:
            commit = Commit(reader, max(self.model.next - back, 0), states)
            self.model.commit(commit)
        records = self.engine.append(entries, commit)
        assert len(records) == len(entries)
        for entry, record in zip(entries, records, strict=True):
            self.expect(entry, record)

    def expect(self, entry: Entry, record: Record) -> None:
        seq = self.seqs[entry.stream] = self.seqs.get(entry.stream, 0) + 1
        assert (record.position, record.seq) == (self.model.next, seq)
        assert (record.stream, record.kind, record.payload) == (
            entry.stream,
            entry.kind,
            entry.payload,
        )
        self.model.next += 1
        self.model.records.append(record)

    @rule(entries=st.lists(ENTRIES, min_size=2, max_size=4))
    def append_one_after_the_other(self, entries: list[list[Entry]]) -> None:
        for some in entries:
            self.append(some, None, 0, {})
            self.engine.sync_soon()
            self.loop.run_until_complete(asyncio.sleep(0))

    @rule(by=st.integers(0, 20))
    def advance(self, by: int) -> None:
        self.engine.advance(self.model.next - 1 + by)
        self.model.next += by

    @rule(share=st.floats(0, 1))
    def trim(self, share: float) -> None:
        if self.model.records:
            self.settle()
            newest = self.model.records[-1].position
            upto = self.model.floor + round((newest - self.model.floor) * share)
            self.loop.run_until_complete(self.engine.trim(upto))
            self.model.floor = max(self.model.floor, upto)

    @rule(seconds=st.integers(-1000, 1000))
    def clock_jumps(self, seconds: int) -> None:
        self.clock.jump(seconds)

    @rule()
    def restart(self) -> None:
        self.loop.run_until_complete(self.engine.close())
        self.engine = self.make()
        self.opened()

    @precondition(lambda self: self.model.records)
    @rule(share=st.floats(0, 1), records=st.integers(1, 20), size=st.integers(1, 2000))
    def read_from_anywhere(self, share: float, records: int, size: int) -> None:
        self.settle()
        after = round(self.model.records[-1].position * share)
        found = self.loop.run_until_complete(self.engine.read(after, records=records, size=size))
        due = [record for record in self.model.held() if record.position > after]
        assert found == due[: len(found)]
        assert len(found) <= records
        assert sum(len(record.payload) for record in found[:-1]) < size
        assert bool(found) == bool(due)

    def settle(self) -> None:
        if self.model.records:
            self.loop.run_until_complete(self.engine.synced(self.model.records[-1].position))

    @invariant()
    def everything_is_there(self) -> None:
        if not hasattr(self, "engine"):
            return
        self.loop.run_until_complete(self.compare())

    async def compare(self) -> None:
        held = self.model.held()
        for reader in ("history", "oee"):
            assert await self.engine.cursor(reader) == self.model.cursors.get(reader, (0, {}))
        self.settled = self.model.records[-1].position if self.model.records else 0
        await self.engine.synced(self.settled)
        assert await self.engine.read(0, size=1 << 30) == held
        for epoch in {record.epoch for record in self.model.records}:
            assert await self.engine.tables(epoch) == self.model.tables(epoch)
        state = self.engine.state()
        assert (state.synced, state.appended, state.failed) == (self.settled, self.settled, "")
        assert state.first == (held[0].position if held else 0)
        assert state.oldest == (held[0].received if held else 0)

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.loop.run_until_complete(self.engine.close())
        self.loop.close()


class EmbeddedMachine(JournalMachine):
    keep = 1 << 20

    def __init__(self) -> None:
        super().__init__()
        memory = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None  # no sync to wait for
        self.place = Path(tempfile.mkdtemp(prefix="bedplate-journal-", dir=memory))
        self.folder = self.place / "0"

    def make(self) -> Engine:
        return EmbeddedEngine(self.folder, sync=3600, clock=self.clock, keep=self.keep)

    @rule()
    def killed(self) -> None:
        """The next start finds the files as they lie while the owner still has them open."""
        self.settle()
        before, self.folder = self.folder, self.place / str(int(self.folder.name) + 1)
        shutil.copytree(before, self.folder)
        self.loop.run_until_complete(self.engine.close())
        self.engine = self.make()
        self.opened()

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.place)


class ForgetfulMachine(EmbeddedMachine):
    """Everything is read from the file."""

    keep = 0


class MemoryMachine(JournalMachine):
    def __init__(self) -> None:
        super().__init__()
        self.memory = MemoryEngine(clock=self.clock)

    def make(self) -> Engine:
        return self.memory


LIMITS = settings(max_examples=40, stateful_step_count=25, deadline=None)

TestEmbedded = EmbeddedMachine.TestCase
TestEmbedded.settings = LIMITS
TestForgetful = ForgetfulMachine.TestCase
TestForgetful.settings = LIMITS
TestMemory = MemoryMachine.TestCase
TestMemory.settings = LIMITS
