"""What `read` and `send` hand over, turned into columns: one Batch per value type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from bedplate.contracts import Bad, Sample, Tag
from bedplate.model import Batch, DataType, Strings, quality
from bedplate.model.batch import spread

NO_TIME = np.empty(0, np.int64)
PLAIN = {
    float: DataType.FLOAT64,
    int: DataType.INT64,
    bool: DataType.BOOL,
    str: DataType.TEXT,
    bytes: DataType.BLOB,
    np.uint64: DataType.UINT64,
}


def batches_of(tags: Sequence[Tag], values: Any) -> tuple[list[Batch], dict[int, str]]:
    """Batches for the values of these tags, and by handle why a tag is Bad.

    Raises ValueError when there are not as many values as tags: an author's mistake.
    """
    if isinstance(values, Batch):
        return [values], {}
    if isinstance(values, list) and values and all(isinstance(v, Batch) for v in values):
        return values, {}
    if len(values) != len(tags):
        raise ValueError(f"read was asked for {len(tags)} tags and returned {len(values)} values")
    handles = np.fromiter((tag.handle for tag in tags), np.uint32, len(tags))
    if isinstance(values, np.ndarray):
        return [Batch.of(handles, NO_TIME, values)], {}
    types = set(map(type, values))
    if len(types) == 1 and (kind := PLAIN.get(next(iter(types)))) and kind is not DataType.INT64:
        return [Batch.of(handles, NO_TIME, values, data_type=kind)], {}
    return _mixed(tags, values)


def _mixed(tags: Sequence[Tag], values: Sequence[Any]) -> tuple[list[Batch], dict[int, str]]:
    samples = [(tag.handle, *_as_sample(value)) for tag, value in zip(tags, values, strict=True)]
    reasons = {s[0]: s[5] for s in samples if s[5]}
    return of_samples(samples), reasons


def of_samples(samples: Sequence[tuple[int, Any, int | None, int, int | None, str]]) -> list[Batch]:
    """One batch per value type of (handle, value, time, quality, server_time, reason) rows."""
    groups: dict[DataType, list[Any]] = {}
    for sample in samples:
        groups.setdefault(type_of(sample[1]), []).append(sample)
    return [_batch(kind, rows) for kind, rows in groups.items()]


def _as_sample(value: Any) -> tuple[Any, int | None, int, int | None, str]:
    if isinstance(value, Sample):
        inner, _, code, _, why = _as_sample(value.value)
        return inner, value.time, value.quality or code, value.server_time, why
    if isinstance(value, Bad):
        return float("nan"), None, value.code, None, value.why or quality.name(value.code)
    if value is None:
        return float("nan"), None, quality.BAD, None, "no value"
    if isinstance(value, np.generic) and not isinstance(value, np.uint64):
        value = value.item()  # a uint64 would turn into INT64, and the tag change its type
    if type_of(value) is DataType.UNSPECIFIED:
        why = f"{value!r:.80} is no value a tag can have"
        return float("nan"), None, quality.BAD_TYPE_MISMATCH, None, why
    return value, None, quality.GOOD, None, ""


def type_of(value: Any) -> DataType:
    """The DataType of a Python value; UNSPECIFIED when there is none."""
    kind = PLAIN.get(type(value), DataType.UNSPECIFIED)
    if kind is DataType.INT64 and not -(2**63) <= value < 2**63:
        return DataType.UINT64 if 0 <= value < 2**64 else DataType.UNSPECIFIED
    return kind


def _batch(kind: DataType, rows: list[Any]) -> Batch:
    handles, values, times, codes, servers, _ = zip(*rows, strict=True)
    stamped = _stamps(times)
    return Batch.of(
        handles,
        NO_TIME if stamped is None else stamped,
        list(values),
        codes if any(codes) else None,
        data_type=kind,
        server_time=_stamps(servers),
    )


def merged(batches: Iterable[Batch], most: int) -> Iterator[Batch]:
    """Neighbours of the same type and the same columns as one batch, up to so many samples: what is due within one
    linger costs one record, not many."""
    run: list[Batch] = []
    size = 0
    for batch in batches:
        if run and (size + len(batch) > most or not _alike(run[0], batch)):
            yield _join(run)
            run, size = [], 0
        run.append(batch)
        size += len(batch)
    if run:
        yield _join(run)


def _alike(one: Batch, other: Batch) -> bool:
    kinds = [
        (
            b.data_type,
            b.flags,
            b.quality is None,
            b.server_time is None,
            len(b.time) == 0,
            isinstance(b.value, Strings),
        )
        for b in (one, other)
    ]
    return kinds[0] == kinds[1] and not kinds[0][-1]


def _join(run: list[Batch]) -> Batch:
    if len(run) == 1:
        return run[0]
    first = run[0]
    return Batch(
        first.data_type,
        np.concatenate([b.tags() for b in run]),
        np.concatenate([b.times() for b in run]) if len(first.time) else NO_TIME,
        np.concatenate([b.value for b in run]),
        None if first.quality is None else np.concatenate([b.qualities() for b in run]),
        None
        if first.server_time is None
        else np.concatenate(
            [spread(b.server_time, len(b)) for b in run if b.server_time is not None]
        ),
        first.flags,
    )


def _stamps(times: Sequence[int | None]) -> Any:
    """Times as a column; None when the source gave none. A sample without one among others takes the newest."""
    known = [t for t in times if t is not None]
    if not known:
        return None
    newest = max(known)
    return np.array([newest if t is None else t for t in times], np.int64)
