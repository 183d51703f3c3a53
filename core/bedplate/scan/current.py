"""Current values: the newest sample of each tag, in columns indexed by handle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.journal.engine import Entry
from bedplate.model import Batch, DataType, Strings, TagTable
from bedplate.model.column import DTYPES
from bedplate.scan.lapse import NOT_GOOD, Before, Lapses
from bedplate.scan.registry import Registry


class Current:
    """Kept for the handles of one epoch. Numbers lie as raw 64-bit patterns, texts and blobs in a mapping."""

    def __init__(self, table: TagTable) -> None:
        self._table = table
        self._bits = np.zeros(0, np.uint64)
        self.time = np.zeros(0, np.int64)
        self.quality = np.zeros(0, np.uint32)
        self.received = np.zeros(0, np.int64)
        self.position = np.zeros(0, np.uint64)
        self._kinds = np.zeros(1, np.uint8)  # by handle, as far as somebody asked
        self._strings: dict[int, Any] = {}
        self.lapses = Lapses()

    def _grow(self, limit: int) -> None:
        if limit <= len(self.time):
            return
        size = max(limit, 2 * len(self.time), 256)
        for name in ("_bits", "time", "quality", "received", "position"):
            column = getattr(self, name)
            setattr(
                self, name, np.concatenate((column, np.zeros(size - len(column), column.dtype)))
            )
        self.lapses.grow(size)

    def update(self, batch: Batch, received: int, position: int) -> None:
        """Takes a stamped batch in journal handles; of several samples of a tag the last one stays."""
        self._grow(self._table.limit)
        tags = batch.tags().astype(np.intp)  # numpy is twice as quick with these
        if batch.quality is not None:
            self.lapses.note(tags, batch.qualities(), received, Before(self))
        self.time[tags] = batch.time if len(batch.time) == 1 else batch.times()
        self.quality[tags] = 0 if batch.quality is None else batch.quality
        self.received[tags] = received
        self.position[tags] = position
        if isinstance(batch.value, Strings):
            self._strings.update(zip(tags.tolist(), batch.value.tolist(), strict=True))
        elif batch.data_type is DataType.BOOL:
            self._bits[tags] = batch.value
        else:
            self._bits[tags] = batch.value.view(np.uint64)

    def carry(self, old: int, new: int) -> None:
        """The newest sample of one handle becomes that of another one of the same path and type."""
        self._grow(self._table.limit)
        for column in (self._bits, self.time, self.quality, self.received, self.position):
            column[new] = column[old]
        if old in self._strings:
            self._strings[new] = self._strings[old]
        self.lapses.carry(old, new)

    def has(self, handle: int) -> bool:
        return handle < len(self.received) and bool(self.received[handle])

    def value(self, handle: int) -> Any:
        """The value as a Python object; None when there is none yet."""
        if not self.has(handle):
            return None
        kind = self._table[handle].data_type
        if kind in (DataType.TEXT, DataType.BLOB):
            return self._strings.get(handle)
        return self._numbers(np.array([handle]), kind)[0].item()

    def lapsed(self, handles: NDArray[np.uint32]) -> Iterator[Batch]:
        """The last Good samples of those of these handles that have lapsed since, one batch per type."""
        within = handles[handles < len(self.received)]
        bad = (self.quality[within] & NOT_GOOD) != 0
        known = within[bad & (self.lapses.good_time[within] > 0)]
        kinds = self._kinds_known()[known]
        for number in np.unique(kinds):
            kind, chosen = DataType(int(number)), known[kinds == number]
            if kind in (DataType.TEXT, DataType.BLOB):
                found = [self.lapses.texts.get(h, "") for h in chosen.tolist()]
                value: Any = Strings.of(found, text=kind is DataType.TEXT)
            else:
                value = _as(self.lapses.good_bits[chosen], kind)
            yield Batch(kind, chosen, self.lapses.good_time[chosen], value)

    def restore_lapsed(self, batch: Batch) -> None:
        """Last Good samples of before a restart; nothing else is known of them."""
        self._grow(self._table.limit)
        tags = batch.tags().astype(np.intp)
        self.lapses.good_time[tags] = batch.times()
        if isinstance(batch.value, Strings):
            self.lapses.texts.update(zip(tags.tolist(), batch.value.tolist(), strict=True))
        else:
            boolean = batch.data_type is DataType.BOOL
            bits = batch.value if boolean else batch.value.view(np.uint64)
            self.lapses.good_bits[tags] = bits

    def last_good(self, handle: int) -> tuple[int, Any] | None:
        """Source time and value before it stopped being Good; None while it is Good, and when that is not known."""
        if not self.has(handle) or not self.quality[handle] & 0xC0000000:
            return None
        at, kind = int(self.lapses.good_time[handle]), self._table[handle].data_type
        if not at:
            return None
        if kind in (DataType.TEXT, DataType.BLOB):
            return at, self.lapses.texts.get(handle)
        return at, _as(self.lapses.good_bits[[handle]], kind)[0].item()

    def _numbers(self, handles: NDArray[Any], kind: DataType) -> NDArray[Any]:
        return _as(self._bits[handles], kind)

    def _kinds_known(self) -> NDArray[np.uint8]:
        """The type of every handle of the table, 0 for one that is not in it."""
        begin, limit, table = len(self._kinds), self._table.limit, self._table
        if begin < limit:
            fresh = [table[h].data_type if h in table else 0 for h in range(begin, limit)]
            self._kinds = np.concatenate((self._kinds, np.array(fresh, np.uint8)))
        return self._kinds

    def batches(
        self, handles: NDArray[np.uint32], code: int | None = None, time: int | None = None
    ) -> Iterator[Batch]:
        """The newest samples of these handles that have one, one batch per type; with code and time put in their place
        when they are given."""
        within = handles[handles < len(self.received)]
        known = within[self.received[within] > 0]
        kinds = self._kinds_known()[known]
        for number in np.unique(kinds):
            kind, chosen = DataType(int(number)), known[kinds == number]
            if kind in (DataType.TEXT, DataType.BLOB):
                text = kind is DataType.TEXT
                value: Any = Strings.of([self._strings[h] for h in chosen.tolist()], text=text)
            else:
                value = self._numbers(chosen, kind)
            codes = self.quality[chosen] if code is None else np.full(len(chosen), code, np.uint32)
            times = self.time[chosen] if time is None else np.array([time], np.int64)
            yield Batch(kind, chosen, times, value, codes if codes.any() else None)


def _as(bits: NDArray[np.uint64], kind: DataType) -> NDArray[Any]:
    column: NDArray[Any] = bits != 0 if kind is DataType.BOOL else bits.view(DTYPES[kind])
    return column


def introduce(
    registry: Registry,
    current: Current,
    stream: str,
    tags: Sequence[tuple[str, DataType]],
    now: int,
) -> tuple[list[int], Entry]:
    """New handles for (path, type), and the record that tells every reader of them. A tag that has a value of this type
    keeps it: one from before a restart stays current until there is a newer one."""
    before = [registry.table.newest(path) for path, _ in tags]
    handles, entry = registry.handles(stream, tags, now)
    for known, (_, kind), handle in zip(before, tags, handles, strict=True):
        if known is not None and known.data_type is kind and current.has(known.handle):
            current.carry(known.handle, handle)
    return handles, entry
