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
        numbered, seqs, epoch, position = [], self._seqs, self.epoch, self.last
        for entry in entries:
            position += 1
            seq = seqs[entry.stream] = seqs.get(entry.stream, 0) + 1
            numbered.append(
                Record(
                    position,
                    entry.stream,
                    epoch,
                    seq,
                    entry.received,
                    entry.kind,
                    entry.payload,
                    entry.producer_seq,
                    checksum(entry.payload),
                    entry.samples,
                )
            )
        self.last = position
        self.records += len(numbered)
        self.samples += sum(entry.samples for entry in entries)
        self.taken += sum(len(entry.payload) for entry in entries)
        return numbered

    def advance(self, position: int) -> None:
        """The next position is above this one."""
        self.last = max(self.last, position)
