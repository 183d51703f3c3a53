"""What `read`, `send` and `process` hand over, turned into columns: one Batch per value type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.contracts import Tag, Written
from bedplate.model import Batch, DataType, Strings, quality
from bedplate.model.column import as_column, exact, spread
from bedplate.remote.samples import MOST_BYTES, PLAIN, Row, row_of, type_of

NO_TIME = np.empty(0, np.int64)
EMPTY: dict[DataType, Any] = {
    DataType.FLOAT64: float("nan"),
    DataType.INT64: 0,
    DataType.UINT64: 0,
    DataType.BOOL: False,
    DataType.TEXT: "",
    DataType.BLOB: b"",
}


def batches_of(tags: Sequence[Tag], values: Any) -> tuple[list[Batch], dict[int, str]]:
    """Batches for the values of these tags, and by handle why a tag is Bad.

    Raises ValueError when there are not as many values as tags: an author's mistake.
    """
    if isinstance(values, Batch):
        return [values], {}
    if isinstance(values, list) and values and all(isinstance(v, Batch) for v in values):
        return values, {}
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__len__"):
        kind = type(values).__name__
        raise ValueError(f"read must return a list or an array of values, not {kind}")
    if len(values) != len(tags):
        raise ValueError(f"read was asked for {len(tags)} tags and returned {len(values)} values")
    if (column := _column(values)) is not None:
        handles = np.fromiter((tag.handle for tag in tags), np.uint32, len(tags))
        return [Batch.of(handles, NO_TIME, column)], {}
    rows = [row_of(tag.handle, value) for tag, value in zip(tags, values, strict=True)]
    return of_rows(rows), {row.handle: row.why for row in rows if row.why}


def _column(values: Any) -> Any:
    """The values as one column when they are of one type; None when each has to be looked at."""
    if isinstance(values, np.ndarray):
        return values if values.dtype.kind in "fiub" else None
    types = set(map(type, values))
    kind = PLAIN.get(types.pop()) if len(types) == 1 else None
    if kind is None:
        return None
    if kind is DataType.INT64:
        column = np.array(values)
        return column if column.dtype.kind == "i" else None  # some are beyond 2^63
    try:
        column = as_column(values, kind)[0]
    except ValueError:
        return None
    return None if isinstance(column, Strings) and column.longest() > MOST_BYTES else column


def of_rows(rows: Sequence[Row]) -> list[Batch]:
    """One batch per value type. The samples of a tag stay in order, also where its type changes."""
    batches: list[Batch] = []
    groups: dict[DataType, list[Row]] = {}
    kinds: dict[int, DataType] = {}
    for row in rows:
        kind = type_of(row.value)
        if kinds.setdefault(row.handle, kind) is not kind:
            batches += [_batch(one, group) for one, group in groups.items()]
            groups, kinds = {}, {row.handle: kind}
        groups.setdefault(kind, []).append(row)
    return batches + [_batch(one, group) for one, group in groups.items()]


def _batch(kind: DataType, rows: list[Row]) -> Batch:
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


def _stamps(times: Sequence[int | None]) -> Any:
    """Times as a column; None when the source gave none. A sample without one among others takes the newest."""
    known = [t for t in times if t is not None]
    if not known:
        return None
    newest = max(known)
    return np.array([newest if t is None else t for t in times], np.int64)


def merged(batches: Iterable[Batch], most: int, most_bytes: int) -> Iterator[Batch]:
    """Neighbours of the same type and the same columns as one batch, up to so many samples and bytes of text: what is
    due within one linger costs one record, not many."""
    run: list[Batch] = []
    size = weight = 0
    for batch in batches:
        more = text_bytes(batch)
        full = size + len(batch) > most or weight + more > most_bytes
        if run and (full or _columns(run[0]) != _columns(batch)):
            yield joined(run)
            run, size, weight = [], 0, 0
        run.append(batch)
        size += len(batch)
        weight += more
    if run:
        yield joined(run)


def text_bytes(batch: Batch) -> int:
    """Bytes of its texts or blobs; 0 for numbers."""
    return len(batch.value.joined) if isinstance(batch.value, Strings) else 0


def _columns(batch: Batch) -> tuple[Any, ...]:
    stamped = len(batch.time) > 0
    absent = batch.quality is None, batch.server_time is None
    return batch.data_type, batch.flags, stamped, *absent


def joined(run: Sequence[Batch]) -> Batch:
    """One batch of several of the same type and the same columns."""
    if len(run) == 1:
        return run[0]
    first = run[0]
    values: list[Any] = [b.value for b in run]
    servers = [spread(b.server_time, len(b)) for b in run if b.server_time is not None]
    return Batch(
        first.data_type,
        np.concatenate([b.tags() for b in run]),
        np.concatenate([b.times() for b in run]) if len(first.time) else NO_TIME,
        Strings.joined_of(values) if isinstance(first.value, Strings) else np.concatenate(values),
        None if first.quality is None else np.concatenate([b.qualities() for b in run]),
        np.concatenate(servers) if servers else None,
        first.flags,
    )


def written_batches(written: Iterable[tuple[int, DataType, Written]]) -> Iterator[Batch]:
    """One batch per value type, in the order of writing, of (handle, type, what was written). A value that the type
    does not hold is Bad. Raises ValueError for times or qualities that are none, or not as many as values."""
    groups: dict[DataType, list[Batch]] = {}
    for handle, kind, one in written:
        values, codes = fitted(one.value, kind)
        if one.quality is not None:
            given = spread(exact(one.quality, np.dtype(np.uint32)), len(codes))
            codes = np.where(given >> 30 < codes >> 30, codes, given)
        groups.setdefault(kind, []).append(
            Batch.of([handle], one.time, values, codes, data_type=kind)
        )
    for batches in groups.values():
        whole = joined(batches)
        plain = whole.quality is not None and not whole.quality.any()
        yield Batch(whole.data_type, whole.tag, whole.time, whole.value) if plain else whole


def fitted(value: Any, kind: DataType) -> tuple[Any, NDArray[np.uint32]]:
    """Values as a column of this type, and their codes: one that does not fit is an empty one and Bad."""
    single = np.ndim(value) == 0 and not isinstance(value, Strings)
    values = [value] if single else value
    try:
        column = as_column(values, kind)[0]
        return column, np.zeros(len(column), np.uint32)
    except ValueError:
        pairs = [_one_fitted(one, kind) for one in (values if single else list(values))]
        return as_column([v for v, _ in pairs], kind)[0], np.array([c for _, c in pairs], np.uint32)


def _one_fitted(value: Any, kind: DataType) -> tuple[Any, int]:
    if value is None:
        return EMPTY[kind], quality.BAD
    try:
        column = as_column([value], kind)[0]
    except ValueError:
        return EMPTY[kind], quality.BAD_TYPE_MISMATCH
    return column[0], quality.GOOD
