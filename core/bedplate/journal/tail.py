"""The newest records, in memory, so that readers who keep up cost no I/O. Knows neither disk nor waiting."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from bedplate.model import Record

RECORD_COST = 400  # bytes of memory that a record takes besides its payload, roughly


def position_of(record: Record) -> int:
    return record.position


class Tail:
    """Holds every record above the position `before`. limit: bytes of memory; None keeps all."""

    def __init__(self, before: int, limit: int | None) -> None:
        self.before = before
        self._limit = limit
        self.size = 0
        self._records: list[Record] = []

    def extend(self, records: Sequence[Record]) -> None:
        self._records.extend(records)
        self.size += sum(len(record.payload) + RECORD_COST for record in records)

    def slice(self, after: int, upto: int, records: int, size: int) -> list[Record]:
        """Records above `after`, up to and including `upto`, at most so many and about so many bytes of payload."""
        start = self._index(after)
        stop = min(self._index(upto), start + max(records, 1))
        if stop <= start:
            return []
        total = 0
        for index in range(start, stop):
            total += len(self._records[index].payload)
            if total >= size:
                stop = index + 1
                break
        return self._records[start:stop]

    def oldest(self, after: int) -> Record | None:
        """The first record above this position."""
        start = self._index(after)
        return self._records[start] if start < len(self._records) else None

    def forget(self, upto: int) -> None:
        """Drops what is not above this position."""
        self._drop(self._index(upto))
        self.before = max(self.before, upto)

    def cut(self, after: int) -> None:
        """Drops what is above this position: it never reached the disk."""
        kept = self._index(after)
        self.size -= sum(len(r.payload) + RECORD_COST for r in self._records[kept:])
        del self._records[kept:]

    def shrink(self, synced: int) -> None:
        """Down to the limit, by a quarter of it at a time; nothing that is not synced is dropped."""
        if self._limit is None or self.size <= self._limit:
            return
        count, size = 0, self.size
        for record in self._records:
            if size <= self._limit * 3 // 4 or record.position > synced:
                break
            size -= len(record.payload) + RECORD_COST
            count += 1
        self._drop(count)

    def _index(self, position: int) -> int:
        return bisect_right(self._records, position, key=position_of)

    def _drop(self, count: int) -> None:
        if count:
            dropped = self._records[:count]
            self.size -= sum(len(record.payload) + RECORD_COST for record in dropped)
            self.before = max(self.before, dropped[-1].position)
            del self._records[:count]
