"""From what a plugin delivers to what the journal keeps: check, stamp, convert, scale, range, deadband, encode.

A plugin speaks of its tags by their local handles (1 … n, in the order of Open); here they become journal handles, by
path and type. Nothing is coerced silently: an integer becomes a float only where the tag is a float and the number
survives; what does not fit keeps the tag's type and gets the quality BadTypeMismatch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.errors import ProtocolError
from bedplate.journal.engine import Entry
from bedplate.model import Batch, Body, DataType, Strings, quality
from bedplate.model.column import DTYPES
from bedplate.scan.current import Current, introduce
from bedplate.scan.registry import Registry
from bedplate.scan.rules import Picked, Rule, Rules
from bedplate.scan.source_clock import SourceClock
from bedplate.wire import encode_batch

EXACT = 2**53  # beyond it a float64 no longer holds every integer
EU_EXCEEDED = quality.CODES["UncertainEngineeringUnitsExceeded"]
NUMBERS = (DataType.FLOAT64, DataType.INT64, DataType.UINT64)


class Ingest:
    """One per connector component."""

    def __init__(
        self,
        stream: str,
        rules: Sequence[Rule],
        registry: Registry,
        current: Current,
        clock: SourceClock | None = None,
    ) -> None:
        self.stream = stream
        self._clock = clock or SourceClock()
        self._paths = ["", *(rule.path for rule in rules)]
        self._rules = Rules(rules)
        self._registry = registry
        self._current = current
        n = self._rules.size
        self.handle = np.zeros(n, np.uint32)
        self._type = np.zeros(n, np.uint8)
        self._version = 0  # of handle and type
        self._last = np.full(n, np.nan)
        self._last_code = np.full(n, 0xFFFFFFFF, np.uint32)
        self.raw = np.zeros(n, np.uint8)  # type that the source sends, of tags that are scaled
        self.seen = np.zeros(n, np.int64)
        self.good = np.zeros(n, bool)
        self.bad = np.zeros(n, bool)  # what the source said is Bad, or sent as what does not fit
        self.bad_version = 0  # of bad
        self._any_bad = False
        self.samples = 0
        self._aside: NDArray[np.uint32] | None = None  # true qualities, while people see another

    def take(self, batches: Iterable[Batch], received: int) -> Iterator[tuple[Entry, Batch | None]]:
        """Entries for the journal with the batch in journal handles, in order; a TAGS entry (with None) goes before the
        first use of a handle. Raises ProtocolError for a handle that is none of this component's."""
        for batch in self._flagged(batches, received):
            try:
                picked = self._rules.pick(batch.tag, len(batch))
            except IndexError:
                text = f"{self.stream}: a sample of a tag that is not its own"
                raise ProtocolError(text) from None
            self.samples += len(batch)
            self.seen[picked.index] = received
            for part in self._typed(batch, picked):
                yield from self._finish(part, received)

    def _flagged(self, batches: Iterable[Batch], received: int) -> Iterator[Batch]:
        for batch in batches:
            if len(batch):
                yield from self._clock.flagged(batch, received)

    def stale(
        self, code: int, received: int, local: NDArray[np.intp] | None = None
    ) -> Iterator[tuple[Entry, Batch | None]]:
        """The last value of every tag, or of these alone, with this quality: the source went quiet, or was away since
        the start."""
        if local is None:
            local = np.arange(1, len(self.handle))
            yield from self._adopt(received)
        self.good[local] = False
        if self._aside is not None:
            self._aside[local], self._last_code[local] = code, 0xFFFFFFFF
            return
        handles = self.handle[local]
        for batch in self._current.batches(handles[handles > 0], code, received):
            self._last_code[local] = 0xFFFFFFFF
            yield self._entry(batch, received), batch

    # --- set aside ---

    def set_aside(self, received: int, *, off: bool) -> Iterator[tuple[Entry, Batch | None]]:
        """Every tag is BadOutOfService from now on, with the values that come meanwhile. off: they were so before."""
        if self._aside is not None:
            return
        yield from self._adopt(received)
        known = [bool(h) and self._current.has(int(h)) for h in self.handle]
        codes = np.full(len(self.handle), quality.BAD_WAITING, np.uint32)
        codes[known] = self._current.quality[self.handle[known]]
        if not off:  # set aside before a restart: what they were nobody knows any more
            codes[codes == quality.BAD_OUT_OF_SERVICE] = quality.UNCERTAIN_LAST_USABLE
        handles = self.handle[known]
        for batch in self._current.batches(handles, quality.BAD_OUT_OF_SERVICE, received):
            yield self._entry(batch, received), batch
        self._aside = codes

    def back(self, received: int) -> Iterator[tuple[Entry, Batch | None]]:
        """Every tag says again what it is: its newest value with the quality that it came with, as of now. A source
        that sends what changed would say nothing of the others."""
        codes, self._aside = self._aside, None
        if codes is None:
            return
        mine = self.handle > 0
        by_handle = np.zeros(int(self.handle.max()) + 1, np.uint32)
        by_handle[self.handle[mine]] = codes[mine]
        for batch in self._current.batches(self.handle[mine], 0, received):
            true = by_handle[batch.tag]
            changed = replace(batch, quality=true).take(true != quality.BAD_OUT_OF_SERVICE)
            if len(changed):
                yield self._entry(changed, received), changed

    def _adopt(self, received: int) -> Iterator[tuple[Entry, None]]:
        """Handles of this epoch for tags that nobody delivered in it, and that have a value from before."""
        for local in np.flatnonzero(self.handle[1:] == 0) + 1:
            known = self._registry.table.newest(self._paths[local])
            declared = self._rules.declared[local]
            if known and self._current.has(known.handle) and declared in (0, known.data_type):
                yield self._introduce(np.array([local]), known.data_type, received), None

    def adopt(
        self, rules: Sequence[Rule], anew: Sequence[int], received: int
    ) -> Iterator[tuple[Entry, Batch | None]]:
        """Other rules for the same tags, from the next batch on. anew: local handles of those of which readers must be
        told anew, since their unit or labels differ. What these and the rescaled ones are now is said again."""
        before, self._rules = self._rules, Rules(rules)
        self._version += 1
        rescaled = before.rescaled(self._rules)
        self._last[rescaled], self._last_code[rescaled] = np.nan, 0xFFFFFFFF
        raw = rescaled[before.scaled[rescaled] & ~self._rules.scaled[rescaled]]
        self._type[raw] = 0  # what they are without a scale, their source says
        again = np.setdiff1d(np.union1d(rescaled, np.array(anew, np.intp)), raw)
        of = {int(self.handle[local]): int(local) for local in again if self.handle[local]}
        for batch in list(self._current.batches(np.array(sorted(of), np.uint32))):
            local = np.array([of[int(handle)] for handle in batch.tag], np.intp)
            for part, tags in self._in_new_scale(batch, local, before):
                new = np.isin(tags, anew) | (self._type[tags] != int(part.data_type))
                if new.any():
                    yield self._introduce(tags[new], part.data_type, received), None
                said = replace(part, tag=self.handle[tags], time=np.array([received], np.int64))
                yield self._entry(said, received), said

    def _in_new_scale(
        self, batch: Batch, local: NDArray[np.intp], before: Rules
    ) -> Iterator[tuple[Batch, NDArray[np.intp]]]:
        """Values that were scaled otherwise, or not at all; and those that are not scaled."""
        rules, scaled = self._rules, self._rules.scaled[local]
        if batch.data_type not in NUMBERS or not scaled.any():
            yield batch, local
            return
        if not scaled.all():
            yield batch.take(~scaled), local[~scaled]
        batch, local = batch.take(scaled), local[scaled]
        with np.errstate(all="ignore"):  # a gain of 0 leaves nothing to go back to
            was = (batch.value.astype(np.float64) - before.offset[local]) / before.gain[local]
        value = was * rules.gain[local] + rules.offset[local]
        yield replace(batch, value=value, data_type=DataType.FLOAT64), local

    # --- types ---

    def _typed(self, batch: Batch, picked: Picked) -> Iterator[Batch]:
        """Parts of one type each that fits their tags; values scaled."""
        if picked.some_scaled and batch.data_type in NUMBERS:
            yield from self._scale(batch, picked)
        elif picked.kind is batch.data_type and picked.version == self._version:  # nearly always
            yield batch
        else:
            yield from self._fitted(batch, picked.index)

    def _scale(self, batch: Batch, picked: Picked) -> Iterator[Batch]:
        gain, offset = picked.gain, picked.offset
        self.raw[picked.index] = batch.data_type
        if not picked.scaled.all():
            mask = picked.scaled
            yield from self._fitted(batch.take(~mask), picked.index[~mask])
            batch, gain, offset = batch.take(mask), gain[mask], offset[mask]
        yield replace(batch, value=batch.value * gain + offset, data_type=DataType.FLOAT64)

    def _fitted(self, batch: Batch, local: NDArray[np.intp]) -> Iterator[Batch]:
        known = self._type[local]
        wanted = np.where(known, known, self._rules.declared[local])
        if not wanted.any() or (wanted == int(batch.data_type)).all():
            yield batch
        else:
            yield from self._sorted_out(batch, local, wanted)

    def _sorted_out(
        self, batch: Batch, local: NDArray[np.intp], wanted: NDArray[Any]
    ) -> Iterator[Batch]:
        for number in np.unique(wanted):
            mask = wanted == number
            part, tags = (batch, local) if mask.all() else (batch.take(mask), local[mask])
            want = DataType(int(number)) or part.data_type
            yield from self._converted(part, tags, want)

    def _converted(self, batch: Batch, local: NDArray[np.intp], want: DataType) -> Iterator[Batch]:
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
        firm = self._rules.declared[local] != 0
        if firm.any():
            yield self._without_value(batch.take(firm), want, quality.BAD_TYPE_MISMATCH)
            batch, local = batch.take(~firm), local[~firm]
        if len(batch):  # nobody declared the type and the source changed it: a new handle
            self._type[local] = 0
            self._version += 1
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
        picked = self._rules.pick(batch.tag, len(batch))
        if batch.data_type in NUMBERS:
            if self._rules.any_range:
                batch = self._in_range(batch, picked)
            if self._rules.any_deadband:
                batch = self._outside_deadband(batch, picked.index)
                if not len(batch):
                    return
                picked = self._rules.pick(batch.tag, len(batch))
        codes = batch.quality
        self.good[picked.index] = True if codes is None else quality.good_mask(codes)
        if codes is not None or self._any_bad:
            self._mark_bad(picked.index, codes)
        if picked.kind is not batch.data_type or picked.version != self._version:
            unknown = self._type[picked.index] != int(batch.data_type)
            if unknown.any():
                yield (
                    self._introduce(np.unique(picked.index[unknown]), batch.data_type, received),
                    None,
                )
            picked.handles = self.handle[picked.index]
            picked.handles.flags.writeable = False
            picked.kind, picked.version = batch.data_type, self._version
        if self._aside is not None:
            self._aside[picked.index] = 0 if codes is None else codes
            out = np.full(len(batch), quality.BAD_OUT_OF_SERVICE, np.uint32)
            batch = replace(batch, quality=out)
        time = batch.time if len(batch.time) else np.array([received], np.int64)
        batch = replace(batch, tag=picked.handles, time=time)
        yield self._entry(batch, received), batch

    def _mark_bad(self, local: NDArray[np.intp], codes: NDArray[np.uint32] | None) -> None:
        now = np.zeros(len(local), bool) if codes is None else codes >= quality.BAD
        if (self.bad[local] != now).any():
            self.bad[local] = now
            self.bad_version += 1
            self._any_bad = bool(self.bad.any())

    def _introduce(self, local: NDArray[np.intp], kind: DataType, received: int) -> Entry:
        paths = [(self._paths[i], kind) for i in local.tolist()]
        handles, entry = introduce(self._registry, self._current, self.stream, paths, received)
        self.handle[local], self._type[local] = handles, int(kind)
        self._version += 1
        return entry

    def _in_range(self, batch: Batch, picked: Picked) -> Batch:
        outside = (batch.value < picked.low) | (batch.value > picked.high)
        if not outside.any():
            return batch
        codes = batch.qualities().copy()
        codes[outside & (codes == 0)] = EU_EXCEEDED
        return replace(batch, quality=codes)

    def _outside_deadband(self, batch: Batch, local: NDArray[np.intp]) -> Batch:
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
        band = self._rules.deadband[local]
        near = np.abs(value - self._last[local]) < band  # NaN is never near
        result: NDArray[np.bool_] = ~near | (codes != self._last_code[local]) | (band == 0)
        return result

    def _outside_one_by_one(self, batch: Batch, local: NDArray[np.intp]) -> Batch:
        """Several samples of one tag in a batch: each is compared with the one kept before it."""
        value, codes = batch.value.astype(np.float64), batch.qualities()
        keep = self._rules.deadband[local] == 0
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
