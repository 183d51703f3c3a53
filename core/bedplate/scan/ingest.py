"""From what a plugin delivers to what the journal keeps: check, stamp, convert, scale, range, deadband, encode.

A plugin speaks of its tags by their local handles (1 … n, in the order of Open); here they become journal handles, by
path and type. Nothing is coerced silently: an integer becomes a float only where the tag is a float and the number
survives; what does not fit keeps the tag's type and gets the quality BadTypeMismatch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.errors import ProtocolError
from bedplate.journal.engine import Entry
from bedplate.model import Batch, Body, DataType, Strings, quality
from bedplate.model.column import DTYPES
from bedplate.scan.current import Current
from bedplate.scan.registry import Registry
from bedplate.wire import encode_batch

EXACT = 2**53  # beyond it a float64 no longer holds every integer
EU_EXCEEDED = quality.CODES["UncertainEngineeringUnitsExceeded"]
NUMBERS = (DataType.FLOAT64, DataType.INT64, DataType.UINT64)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the deployment wants of one tag. scale: value = raw * gain + offset."""

    path: str
    data_type: DataType = DataType.UNSPECIFIED
    scale: tuple[float, float] | None = None
    range: tuple[float, float] | None = None
    deadband: float = 0.0


class Ingest:
    """One per connector component."""

    def __init__(
        self, stream: str, rules: Sequence[Rule], registry: Registry, current: Current
    ) -> None:
        self.stream = stream
        self._rules = rules
        self._registry = registry
        self._current = current
        n = len(rules) + 1
        self.handle = np.zeros(n, np.uint32)
        self._type = np.zeros(n, np.uint8)
        self._declared = np.array([0, *(r.data_type for r in rules)], np.uint8)
        self._gain, self._offset = np.ones(n), np.zeros(n)
        self._scaled = np.zeros(n, bool)
        self._low, self._high = np.full(n, -np.inf), np.full(n, np.inf)
        self._deadband = np.array([0.0, *(r.deadband for r in rules)])
        self._last = np.full(n, np.nan)
        self._last_code = np.full(n, 0xFFFFFFFF, np.uint32)
        self.seen = np.zeros(n, np.int64)
        self.good = np.zeros(n, bool)
        self.samples = 0
        self._prepare()

    def _prepare(self) -> None:
        for index, rule in enumerate(self._rules, 1):
            if rule.scale:
                self._gain[index], self._offset[index] = rule.scale
                self._scaled[index] = True
                self._declared[index] = DataType.FLOAT64
            if rule.range:
                self._low[index], self._high[index] = rule.range
        self._any_scaled = bool(self._scaled.any())
        self._any_range = bool(np.isfinite(self._low).any() or np.isfinite(self._high).any())
        self._any_deadband = bool(self._deadband.any())

    def take(self, batches: Iterable[Batch], received: int) -> Iterator[tuple[Entry, Batch | None]]:
        """Entries for the journal with the batch in journal handles, in order; a TAGS entry (with None) goes before the
        first use of a handle. Raises ProtocolError for a handle that is none of this component's."""
        for batch in batches:
            if not len(batch):
                continue
            local = batch.tags()
            if int(local.max()) >= len(self.handle) or not int(local.min()):
                raise ProtocolError(f"{self.stream}: a sample of a tag that is not its own")
            self.samples += len(batch)
            self.seen[local] = received
            for part in self._typed(batch, local):
                yield from self._finish(part, received)

    def stale(self, code: int, received: int) -> Iterator[tuple[Entry, Batch | None]]:
        """The last value of every tag with this quality: the source went quiet."""
        self.good[:] = False
        for batch in self._current.batches(self.handle[self.handle > 0], code, received):
            self._last_code[:] = 0xFFFFFFFF
            yield self._entry(batch, received), batch

    # --- types ---

    def _typed(self, batch: Batch, local: NDArray[np.uint32]) -> Iterator[Batch]:
        """Parts of one type each that fits their tags; values scaled."""
        if self._any_scaled and batch.data_type in NUMBERS:
            scaled = self._scaled[local]
            if scaled.any():
                yield from self._scale(batch, local, scaled)
                return
        known = self._type[local]
        if (known == int(batch.data_type)).all():  # nearly always
            yield batch
            return
        wanted = np.where(known, known, self._declared[local])
        if not wanted.any() or (wanted == int(batch.data_type)).all():
            yield batch
        else:
            yield from self._sorted_out(batch, local, wanted)

    def _scale(
        self, batch: Batch, local: NDArray[np.uint32], scaled: NDArray[np.bool_]
    ) -> Iterator[Batch]:
        if not scaled.all():
            yield from self._typed(batch.take(~scaled), local[~scaled])
            batch, local = batch.take(scaled), local[scaled]
        value = batch.value * self._gain[local] + self._offset[local]
        yield replace(batch, value=value, data_type=DataType.FLOAT64)

    def _sorted_out(
        self, batch: Batch, local: NDArray[np.uint32], wanted: NDArray[Any]
    ) -> Iterator[Batch]:
        for number in np.unique(wanted):
            mask = wanted == number
            part, tags = (batch, local) if mask.all() else (batch.take(mask), local[mask])
            want = DataType(int(number)) or part.data_type
            yield from self._converted(part, tags, want)

    def _converted(
        self, batch: Batch, local: NDArray[np.uint32], want: DataType
    ) -> Iterator[Batch]:
        if batch.data_type is want:
            yield batch
            return
        bad = (batch.qualities() & quality.BAD) != 0
        if bad.any():  # no value: it keeps the type the tag has
            yield self._without_value(batch.take(bad), want, None)
            batch, local = batch.take(~bad), local[~bad]
        if not len(batch):
            return
        if (value := _exactly(batch.value, batch.data_type, want)) is not None:
            yield replace(batch, value=value, data_type=want)
            return
        firm = self._declared[local] != 0
        if firm.any():
            yield self._without_value(batch.take(firm), want, quality.BAD_TYPE_MISMATCH)
            batch, local = batch.take(~firm), local[~firm]
        if len(batch):  # nobody declared the type and the source changed it: a new handle
            self._type[local] = 0
            yield batch

    def _without_value(self, batch: Batch, want: DataType, code: int | None) -> Batch:
        n = len(batch)
        codes = batch.qualities() if code is None else np.full(n, code, np.uint32)
        dtype = want.dtype
        value: Any = (
            Strings.of([""] * n, text=want is DataType.TEXT)
            if dtype is None
            else np.zeros(n, dtype)
        )
        if want is DataType.FLOAT64:
            value = np.full(n, np.nan)
        return replace(batch, value=value, data_type=want, quality=codes)

    # --- rules ---

    def _finish(self, batch: Batch, received: int) -> Iterator[tuple[Entry, Batch | None]]:
        local = batch.tags()
        if batch.data_type in NUMBERS:
            if self._any_range:
                batch = self._in_range(batch, local)
            if self._any_deadband:
                batch = self._outside_deadband(batch, local)
                local = batch.tags()
        if not len(batch):
            return
        codes = batch.quality
        self.good[local] = True if codes is None else quality.good_mask(codes)
        unknown = self._type[local] != int(batch.data_type)
        if unknown.any():
            yield self._introduce(np.unique(local[unknown]), batch.data_type, received), None
        time = batch.time if len(batch.time) else np.array([received], np.int64)
        batch = replace(batch, tag=self.handle[local], time=time)
        yield self._entry(batch, received), batch

    def _introduce(self, local: NDArray[np.uint32], kind: DataType, received: int) -> Entry:
        paths = [(self._rules[i - 1].path, kind) for i in local.tolist()]
        handles, entry = self._registry.handles(self.stream, paths, received)
        self.handle[local], self._type[local] = handles, int(kind)
        return entry

    def _in_range(self, batch: Batch, local: NDArray[np.uint32]) -> Batch:
        outside = (batch.value < self._low[local]) | (batch.value > self._high[local])
        if not outside.any():
            return batch
        codes = batch.qualities().copy()
        codes[outside & (codes == 0)] = EU_EXCEEDED
        return replace(batch, quality=codes)

    def _outside_deadband(self, batch: Batch, local: NDArray[np.uint32]) -> Batch:
        """Absolute deadband against the last sample kept (OPC 10000-4 §7.22.2); a change of quality always passes."""
        if len(np.unique(local)) < len(local):
            return self._outside_one_by_one(batch, local)
        value, codes = batch.value.astype(np.float64), batch.qualities()
        keep = self._moved(value, codes, local)
        self._last[local[keep]], self._last_code[local[keep]] = value[keep], codes[keep]
        return batch if keep.all() else batch.take(keep)

    def _moved(
        self, value: NDArray[Any], codes: NDArray[Any], local: NDArray[Any]
    ) -> NDArray[np.bool_]:
        band = self._deadband[local]
        near = np.abs(value - self._last[local]) < band  # NaN is never near
        result: NDArray[np.bool_] = ~near | (codes != self._last_code[local]) | (band == 0)
        return result

    def _outside_one_by_one(self, batch: Batch, local: NDArray[np.uint32]) -> Batch:
        """Several samples of one tag in a batch: each is compared with the one kept before it."""
        value, codes = batch.value.astype(np.float64), batch.qualities()
        keep = self._deadband[local] == 0
        for i in np.flatnonzero(~keep):
            one = slice(i, i + 1)
            keep[i] = self._moved(value[one], codes[one], local[one])[0]
            if keep[i]:
                self._last[local[i]], self._last_code[local[i]] = value[i], codes[i]
        return batch if keep.all() else batch.take(keep)

    def _entry(self, batch: Batch, received: int) -> Entry:
        return Entry(self.stream, Body.BATCH, encode_batch(batch), received, samples=len(batch))


def _exactly(value: Any, have: DataType, want: DataType) -> Any:
    """The column in the wanted type when every number survives; None when one does not."""
    if isinstance(value, Strings) or have not in NUMBERS or want not in NUMBERS:
        return None
    if want is DataType.FLOAT64:
        fits = have is not DataType.FLOAT64 and bool(
            (np.abs(value.astype(np.float64)) <= EXACT).all()
        )
    elif have is DataType.FLOAT64:
        fits = False
    elif want is DataType.UINT64:
        fits = bool((value >= 0).all())
    else:
        fits = bool((value < 2**63).all())
    return value.astype(DTYPES[want]) if fits else None
