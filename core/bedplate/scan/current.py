"""Current values: the newest sample of each tag, in columns indexed by handle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.model import Batch, DataType, Strings, TagTable
from bedplate.model.column import DTYPES


class Current:
    """Kept for the handles of one epoch. Numbers lie as raw 64-bit patterns, texts and blobs in a mapping."""

    def __init__(self, table: TagTable) -> None:
        self._table = table
        self._bits = np.zeros(0, np.uint64)
        self.time = np.zeros(0, np.int64)
        self.quality = np.zeros(0, np.uint32)
        self.received = np.zeros(0, np.int64)
        self.position = np.zeros(0, np.uint64)
        self._strings: dict[int, Any] = {}

    def _grow(self, limit: int) -> None:
        if limit <= len(self.time):
            return
        size = max(limit, 2 * len(self.time), 256)
        for name in ("_bits", "time", "quality", "received", "position"):
            column = getattr(self, name)
            setattr(
                self, name, np.concatenate((column, np.zeros(size - len(column), column.dtype)))
            )

    def update(self, batch: Batch, received: int, position: int) -> None:
        """Takes a stamped batch in journal handles; of several samples of a tag the last one stays."""
        self._grow(self._table.limit)
        tags = batch.tags().astype(np.intp)  # numpy is twice as quick with these
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

    def _numbers(self, handles: NDArray[Any], kind: DataType) -> NDArray[Any]:
        bits = self._bits[handles]
        column: NDArray[Any] = bits != 0 if kind is DataType.BOOL else bits.view(DTYPES[kind])
        return column

    def batches(
        self, handles: NDArray[np.uint32], code: int | None = None, time: int | None = None
    ) -> Iterator[Batch]:
        """The newest samples of these handles that have one, one batch per type; with code and time put in their place
        when they are given."""
        known = np.array([h for h in handles.tolist() if self.has(h)], np.uint32)
        kinds = np.array([self._table[h].data_type for h in known.tolist()], np.uint8)
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
