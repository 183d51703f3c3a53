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
        self.taken = 0
        self._seqs: dict[str, int] = {}

    def number(self, entries: Sequence[Entry]) -> list[Record]:
        """The records that these entries become, in their order."""
        first = self.last + 1
        numbered = [self._record(position, entry) for position, entry in enumerate(entries, first)]
        self.last += len(numbered)
        self.records += len(numbered)
        self.samples += sum(entry.samples for entry in entries)
        self.taken += sum(len(entry.payload) for entry in entries)
        return numbered

    def leave_out(self, entries: Sequence[Entry]) -> list[Record]:
        """The same without a place in the journal."""
        return [self._record(0, entry) for entry in entries]

    def _record(self, position: int, entry: Entry) -> Record:
        seq = self._seqs[entry.stream] = self._seqs.get(entry.stream, 0) + 1
        return Record(
            position,
            entry.stream,
            self.epoch,
            seq,
            entry.received,
            entry.kind,
            entry.payload,
            entry.producer_seq,
            checksum(entry.payload),
            entry.samples,
        )

    def advance(self, position: int) -> None:
        """The next position is above this one."""
        self.last = max(self.last, position)
