"""What a reader found missing or unreadable in the journal file, each loss told once. Blocking side and loop side share
it: one thread adds, the loop takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from bedplate.journal.engine import Loss
from bedplate.model import Record

DECLARED = "kernel/declared"  # reader whose states are the ranges that were declared lost
MOST = 10_000  # losses waiting to be declared; more in one go are one


class Damage:
    """records: how many were found lost so far."""

    def __init__(self) -> None:
        self.records = 0
        self._known: set[tuple[int, int]] = set()
        self._untold: deque[Loss] = deque(maxlen=MOST)

    def expect(self, first: int, last: int) -> None:
        """This is known already."""
        self._known.add((first, last))

    def covers(self, first: int, last: int) -> bool:
        """Whether this is known."""
        return (first, last) in self._known

    def recall(self, words: Iterable[str]) -> None:
        """The same, as `words_of` wrote it down."""
        for word in words:
            first, _, last = word.partition("-")
            if first.isdecimal() and last.isdecimal():
                self.expect(int(first), int(last))

    def missing(self, first: int, last: int, reason: str) -> None:
        """These positions are not there, or nothing about them can be read."""
        self._add(Loss(first, last, reason), last - first + 1)

    def unreadable(self, records: Sequence[Record], reason: str) -> None:
        """What these were is known, their payload is not. One loss for each run of a stream."""
        runs: dict[str, list[Record]] = {}
        for record in records:
            run = runs.setdefault(record.stream, [])
            if run and record.seq != run[-1].seq + 1:
                self._run(run, reason)
                run = runs[record.stream] = []
            run.append(record)
        for run in runs.values():
            self._run(run, reason)

    def file(self, reason: str) -> None:
        """The whole file was broken; what else is missing shows when it is read."""
        self._untold.append(Loss(0, 0, reason))

    def take(self, floor: int) -> list[Loss]:
        """What was found since the last time; what was forgotten on purpose meanwhile is no loss."""
        taken = [self._untold.popleft() for _ in range(len(self._untold))]
        return [loss for loss in taken if not loss.last or loss.last > floor]

    def _run(self, run: Sequence[Record], reason: str) -> None:
        loss = Loss(
            run[0].position,
            run[-1].position,
            reason,
            run[0].stream,
            run[0].seq,
            run[-1].seq,
            sum(record.samples for record in run),
            run[0].received,
            run[-1].received,
        )
        self._add(loss, len(run))

    def _add(self, loss: Loss, records: int) -> None:
        if (loss.first, loss.last) not in self._known:
            self._known.add((loss.first, loss.last))
            self.records += records
            self._untold.append(loss)


def words_of(first: int, last: int) -> str:
    """A range of positions, for `recall`."""
    return f"{first}-{last}"
