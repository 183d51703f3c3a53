"""What is current and live, and in no journal: there was no place for it, and its device won't say it twice.

Rule: of each stream one run at a time, named by its seqs, declared as a gap when it begins, so that a kernel killed
meanwhile has said so, and with its whole extent when the stream is stored again. The newest of it is kept, in bounded
memory, for analytics that stand at the end of the journal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bedplate.journal.engine import Loss
from bedplate.model import Record

KEPT, KEPT_RECORDS = 8 << 20, 20_000  # bytes, records


@dataclass(slots=True)
class Run:
    """Of one stream. first, last: seqs · since, until: `received`, ns UTC."""

    why: str
    since: int
    until: int = 0
    first: int = 0
    last: int = 0
    records: int = 0
    samples: int = 0

    def take(self, record: Record, why: str) -> None:
        self.first = self.first or record.seq
        self.last, self.until, self.why = record.seq, record.received, why
        self.records += 1
        self.samples += record.samples

    def begun(self, stream: str) -> Loss:
        """No numbers yet: a kernel that is killed knows no more than this."""
        reason = f"nothing is stored from now on: {self.why}"
        return Loss(0, 0, reason, stream, since=self.since)

    def whole(self, stream: str) -> Loss:
        reason = f"{self.records:,} records were not stored: {self.why}"
        ends = self.first, self.last, self.samples, self.since, self.until
        return Loss(0, 0, reason, stream, *ends)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """after: position of the journal's newest record when it came · number: counts them."""

    number: int
    after: int
    record: Record


class Unstored:
    """samples: so many since the start."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._kept: deque[LeftOut] = deque()
        self._bytes = 0
        self.newest = 0
        self.samples = 0

    @property
    def why(self) -> str:
        """Why something is not stored now; empty when everything is."""
        return next((run.why for run in reversed(self._runs.values())), "")

    @property
    def streams(self) -> Sequence[str]:
        """Those of which something is not stored now."""
        return list(self._runs)

    def begins(self, streams: Iterable[str], now: int, why: str) -> list[Loss]:
        """Of these, what no run is on of: to be declared before a record of it is numbered."""
        fresh = [stream for stream in dict.fromkeys(streams) if stream not in self._runs]
        self._runs |= {stream: Run(why, now) for stream in fresh}
        return [self._runs[stream].begun(stream) for stream in fresh]

    def take(self, records: Iterable[Record], after: int, why: str) -> None:
        """These are not stored. after: position of the journal's newest record."""
        for record in records:
            self._runs[record.stream].take(record, why)
            self.samples += record.samples
            self._keep(record, after)

    def _keep(self, record: Record, after: int) -> None:
        self.newest += 1
        self._kept.append(LeftOut(self.newest, after, record))
        self._bytes += len(record.payload)
        while self._bytes > KEPT or len(self._kept) > KEPT_RECORDS:
            self._bytes -= len(self._kept.popleft().record.payload)

    def lost(self, stream: str) -> Loss | None:
        """What the stream lost until now, if anything."""
        run = self._runs.get(stream)
        return run.whole(stream) if run else None

    def over(self, stream: str) -> None:
        """That is declared, and the stream is stored again."""
        self._runs.pop(stream, None)

    def next(self, number: int) -> list[LeftOut]:
        """After this number, all that came at one place of the journal."""
        found: list[LeftOut] = []
        if number < self.newest and self._kept:
            skip = max(0, number + 1 - self._kept[0].number)
            after = self._kept[skip].after
            for index in range(skip, len(self._kept)):
                if self._kept[index].after != after:
                    break
                found.append(self._kept[index])
        return found
