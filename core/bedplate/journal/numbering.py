"""Gives records their names: a position in the journal, a seq in (stream, epoch), a checksum. Keeps no record."""

from __future__ import annotations

from collections.abc import Sequence

from bedplate.journal.engine import Entry
from bedplate.model import Record
from bedplate.wire import checksum


class Numbering:
    """Positions go on from `last` without holes; seqs start at 1, because each start of the kernel is a new epoch."""

    def __init__(self, epoch: int, last: int) -> None:
        self.epoch = epoch
        self.last = last
        self.records = 0
        self.samples = 0
        self._seqs: dict[str, int] = {}

    def number(self, entries: Sequence[Entry]) -> list[Record]:
        """The records that these entries become, in their order."""
        numbered = []
        for entry in entries:
            seq = self._seqs[entry.stream] = self._seqs.get(entry.stream, 0) + 1
            self.last += 1
            self.samples += entry.samples
            numbered.append(self._record(entry, seq))
        self.records += len(numbered)
        return numbered

    def _record(self, entry: Entry, seq: int) -> Record:
        return Record(
            position=self.last,
            stream=entry.stream,
            epoch=self.epoch,
            seq=seq,
            received=entry.received,
            kind=entry.kind,
            payload=entry.payload,
            producer_seq=entry.producer_seq,
            crc=checksum(entry.payload),
            samples=entry.samples,
        )

    def advance(self, position: int) -> None:
        """The next position is above this one."""
        self.last = max(self.last, position)
