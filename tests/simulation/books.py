"""The books: what must hold at every step, and what must balance at the end.

Conservation: each number that its source was told to be on disk is in the history, unless a gap says that it is not.
Order within a stream, nothing twice, results of the analytic as of an uninterrupted run, bounds of memory, and life
after the last fault.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from bedplate.journal.embedded import EmbeddedEngine
from bedplate.model import Body, Record
from bedplate.record.v1 import record_pb2
from bedplate.runtime.lifecycle import State
from bedplate.wire import decode_batch

if TYPE_CHECKING:
    from tests.simulation.world import World


CREDIT = 8  # publications under way per component, in this small plant
BULK = "/bulk"  # what nobody counts
TOLD = (Body.BATCH, Body.EVENT)  # kinds of records that readers are given
PENDING_MOST = (
    8192 + (CREDIT + 2) * 9000
)  # bytes that wait for the disk, with a window that comes then


class Broken(AssertionError):
    """A sentence of the promise does not hold."""


class Books:
    """numbers: good values in the history, by path, in the order of the journal · gaps: of each stream, as declared."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._checked = 0
        self._newest: dict[str, tuple[int, int]] = {}
        self._written: dict[tuple[str, int], int] = {}
        self._holes: dict[tuple[str, int], set[int]] = defaultdict(set)
        self._told: dict[tuple[str, int], set[int]] = defaultdict(set)
        self.numbers: dict[str, list[int]] = defaultdict(list)
        self.gaps: dict[str, list[Any]] = defaultdict(list)
        self.wrong = ""
        world.disk.written = self._on_disk

    # --- at each step ---

    def _on_disk(self, record: Record) -> None:
        """Within a stream and an epoch nothing is missing on the disk but what a gap there names: before the next
        samples are, since handles and gaps are stored meanwhile."""
        name = record.stream, record.epoch
        if record.kind is Body.GAP:
            gap = record_pb2.Gap.FromString(record.payload)
            self.gaps[gap.stream or record.stream].append(gap)
            named = set(range(gap.first_seq, gap.last_seq + 1))
            self._holes[gap.stream, record.epoch] -= named
            self._told[gap.stream, record.epoch] |= named
        last = self._written.get(name, 0)
        self._written[name] = max(last, record.seq)
        self._holes[name] |= set(range(last + 1, record.seq)) - self._told[name]
        if record.kind is Body.BATCH and self._holes[name] and not self.wrong:
            self.wrong = f"{name} has no {sorted(self._holes[name])} on disk, and no gap says so"

    def look(self) -> None:
        world = self._world
        problems = [*world.archive.wrong, *world.inbox.wrong, world.stuck, self.wrong]
        problems += [f"an error that nobody caught: {text}" for text in world.loop.problems]
        if problems := [text for text in problems if text]:
            raise Broken(problems[0])
        if world.disk.again:
            raise Broken("a file whose sync had failed was written again")
        self._rows()
        if world.up and world.kernel is not None:
            self._bounds(world.kernel)

    def _rows(self) -> None:
        """New rows of the history: in order within their stream, so that none is there twice."""
        rows = self._world.archive.rows
        for record, names in rows[self._checked :]:
            name = (record.epoch, record.seq)
            before = self._newest.get(record.stream, (0, 0))
            if before >= name:
                raise Broken(f"{record.stream} in the history: {name} after {before}")
            self._newest[record.stream] = name
            if record.kind is Body.BATCH:
                if strange := set(decode_batch(record.payload).tags().tolist()) - names.keys():
                    raise Broken(f"the history was not told what {strange} of {record.stream} is")
                for path, number in _good(record, names):
                    self.numbers[path].append(number)
        self._checked = len(rows)

    def _bounds(self, kernel: Any) -> None:
        engine: EmbeddedEngine = kernel.engine
        if engine.pending_bytes > PENDING_MOST:
            raise Broken(f"{engine.pending_bytes:,} bytes wait; {PENDING_MOST:,} are the most")
        for name in ("one", "away"):
            credit = kernel.components[name].role.credit
            if credit is not None and not 0 <= credit <= CREDIT:
                raise Broken(f"{name} has credit for {credit} publications")
        for name, supervisor in kernel.components.items():
            attachment = supervisor.role.attachment
            if attachment and len(attachment._waiting) > 20:
                raise Broken(f"{len(attachment._waiting)} asks to {name} are under way")
        self._cursor(getattr(kernel.components["history"].role, "durable", 0))

    def _cursor(self, durable: int) -> None:
        """The kernel counts nothing as kept by the history that the history has not on its disk."""
        kept = self._world.archive.position
        early = [
            p
            for p, r in self._world.disk.file.records.items()
            if kept < p <= durable and r.kind in TOLD
        ]
        if durable > kept and early:
            raise Broken(f"{min(early)} counts as kept by the history, which has come to {kept}")

    # --- life ---

    def unwell(self) -> str:
        """What is not as it should be, long after the last fault; empty when all is."""
        world = self._world
        if not world.up or world.kernel is None:
            return "no kernel"
        kernel = world.kernel
        for name, supervisor in kernel.components.items():
            if supervisor.life.state is not State.UP:
                return f"{name} is {supervisor.life.state}: {supervisor.life.reason}"
        state = kernel.engine.state()
        if state.failed or kernel.engine.held:
            return f"the journal: {state.failed or kernel.engine.held}"
        for name, device in (("push", world.push), ("away", world.away)):
            if not device.confirmed or max(device.confirmed) < device.made - 20:
                newest = max(device.confirmed, default=0)
                return f"{name} has made {device.made}, and was told that {newest} is on disk"
        lag = state.synced - world.archive.position
        if lag > 60:
            return f"the history is {lag} records behind"
        if missing := self._missing():
            return missing
        if problem := self._result():
            return problem
        return ""

    # --- at the end ---

    def close(self) -> None:
        world = self._world
        self.look()
        found = self.numbers
        for name in ("one/number", "away/number", "poll/number"):
            numbers = found[name]
            if numbers != sorted(set(numbers)):
                raise Broken(f"{name} is not in order: {_slip(numbers)}")
        if missing := self._missing():
            raise Broken(missing)
        if problem := self._result():
            raise Broken(problem)
        made = {"one/number": world.push.made, "away/number": world.away.made}
        for name, newest in made.items():
            if found[name] and found[name][-1] > newest:
                raise Broken(f"{name} was invented: {found[name][-1]}")
        self._sink()

    def _missing(self) -> str:
        found, world = self.numbers, self._world
        for name, device in (("one", world.push), ("away", world.away)):
            stored = set(found[f"{name}/number"])
            newest = max(stored, default=0)
            confirmed = sorted(n for n in device.confirmed - stored if n <= newest)
            if confirmed:
                return f"{name}: {confirmed[:10]} were confirmed, and are not in the history"
            left = sorted(n for n in device.open - stored if n <= newest)
            if left and device is world.away:
                return f"{name}: {left[:10]} were handed over, and are not in the history"
        return ""

    def _result(self) -> str:
        """The analytic has written what an uninterrupted run would have; where something was declared as not stored,
        it goes on from what it knew."""
        found = self.numbers
        counts, sums = found["one/sums/count"], found["one/sums/sum"]
        for numbers in (counts, sums):
            if any(after <= before for before, after in pairwise(numbers)):
                return f"the analytic went back: {_slip(numbers)}"
        if self.gaps["sums/live"] or self.gaps["one/live"]:
            return ""
        inputs = found["one/number"]
        if counts != list(range(1, len(counts) + 1)):
            return f"the counts of the analytic are not of one run: {counts}"
        for index, (total, said) in enumerate(zip(accumulate(inputs), sums, strict=False)):
            if said != total:
                return f"the analytic says {said} after {index + 1} numbers, not {total}"
        if len(inputs) - len(sums) > 40:
            return f"the analytic is {len(inputs) - len(sums)} numbers behind"
        return ""

    def _sink(self) -> None:
        """What the sink did not get it was told to have lost, with a count that is no smaller."""
        kernel = self._world.kernel
        assert kernel is not None
        role: Any = kernel.components["sink"].role
        taken = {record.position for record, _ in self._world.inbox.rows}
        lost = role.buffer.lost
        never = [
            record
            for record, names in self._world.archive.rows
            if record.stream == "one/live"
            and record.kind is Body.BATCH
            and "one/number" in used(record, names)
            and record.position <= role.durable
            and record.position not in taken
        ]
        outside = [r.position for r in never if not lost.first <= r.position <= lost.last]
        if outside:
            raise Broken(f"the sink never got {outside[:5]}, and nobody says so")
        if sum(record.samples for record in never) > lost.samples:
            raise Broken(f"the sink lost more than the {lost.samples} samples that are declared")


def used(record: Record, names: dict[int, str]) -> set[str]:
    """Paths that a batch has samples of."""
    return {names[handle] for handle in set(decode_batch(record.payload).tags().tolist())}


def _good(record: Record, names: dict[int, str]) -> Iterator[tuple[str, int]]:
    batch = decode_batch(record.payload)
    columns = zip(
        batch.tags().tolist(), batch.value.tolist(), batch.qualities().tolist(), strict=True
    )
    for handle, value, code in columns:
        if code == 0 and not names[handle].endswith(BULK):
            yield names[handle], int(value)


def _slip(numbers: list[int]) -> str:
    """Where a list stops to rise."""
    for before, after in pairwise(numbers):
        if after <= before:
            return f"{after} after {before}"
    doubled = [n for n, times in Counter(numbers).items() if times > 1]
    return f"{doubled[:5] or numbers[:5]}"
