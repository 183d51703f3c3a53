"""What the history tests share: a journal to deliver from, a history driven as the kernel drives it, and a model that
says what a history must answer: a list of samples, no files, no SQL."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bedplate.contracts import Aggregate, Delivery, Page, Query
from bedplate.model import Batch, Body, DataType, Event, EventKind, Flag, Record, TagInfo, TagTable
from bedplate.model import quality as codes
from bedplate.wire import encode_batch, encode_event
from bedplate_history import History

SUBNORMAL = 0x40A40000
FAR = 2**62


@dataclass(frozen=True)
class Kept:
    """A sample as the model holds it; row: its place in its record."""

    path: str
    data_type: DataType
    time: int
    value: Any
    quality: int
    position: int
    row: int
    server_time: int | None = None
    flags: int = 0


@dataclass
class Journal:
    """Records in order, and a table of handles, as a kernel would have them."""

    epoch: int = 7
    records: list[Record] = field(default_factory=list)
    samples: list[Kept] = field(default_factory=list)
    tags: dict[tuple[str, DataType], TagInfo] = field(default_factory=dict)
    next: int = 1

    def table(self) -> TagTable:
        return TagTable(self.epoch, self.tags.values())

    def handle(self, path: str, data_type: DataType, **about: Any) -> int:
        key = (path, data_type)
        if key not in self.tags:
            self.tags[key] = TagInfo(len(self.tags) + 1, path, data_type, **about)
        return self.tags[key].handle

    def restart(self) -> None:
        """The kernel starts again: a new epoch, in which handles mean other tags."""
        self.epoch += 1
        self.tags = {
            key: TagInfo(handle, *key) for handle, key in enumerate(reversed(self.tags), 1)
        }

    def batch(
        self,
        paths: Sequence[str],
        times: Sequence[int],
        values: Sequence[Any],
        quality: Sequence[int] | None = None,
        *,
        data_type: DataType = DataType.FLOAT64,
        server_time: Sequence[int] | None = None,
        flags: Flag = Flag(0),
    ) -> Record:
        """Appends a batch."""
        column = values if data_type.dtype is None else np.array(values, data_type.dtype)
        batch = Batch.of(
            [self.handle(path, data_type) for path in paths],
            times,
            column,
            quality,
            data_type=data_type,
            server_time=None if server_time is None else np.array(server_time, np.int64),
            flags=flags,
        )
        tags, stamps = batch.tags(), batch.times()
        for row, value in enumerate(values):
            path = next(key[0] for key, tag in self.tags.items() if tag.handle == tags[row])
            stamp = server_time[row if len(server_time) > 1 else 0] if server_time else None
            code = 0 if quality is None else quality[row]
            self.samples.append(
                Kept(
                    path,
                    data_type,
                    int(stamps[row]),
                    value,
                    code,
                    self.next,
                    row,
                    stamp,
                    int(flags),
                )
            )
        return self.append(Body.BATCH, encode_batch(batch))

    def event(self, source: str, at: int) -> Record:
        return self.append(Body.EVENT, encode_event(Event(source, EventKind.NOTE, at, text="?")))

    def append(self, kind: Body, payload: bytes, skip: int = 0) -> Record:
        position = self.next + skip
        record = Record(
            position, "press/live", self.epoch, position, position * 10**9, kind, payload
        )
        self.records.append(record)
        self.next = position + 1
        return record

    def after(self, position: int) -> list[Record]:
        return [record for record in self.records if record.position > position]


def opened(folder: Path, notes: list[str] | None = None, **settings: Any) -> History:
    """A history as the kernel opens one."""
    history = History()
    history.config = History.Config.model_validate({"folder": str(folder), **settings})
    history.tags, history.component, history.path, history.epoch = [], "history", "history", 7
    history.note = [].append if notes is None else notes.append
    history.open()
    return history


def deliver(history: History, journal: Journal, records: Sequence[Record] | None = None) -> int:
    """Delivers what the history does not have yet, or these; in runs of one epoch, as the kernel does. A journal of one
    epoch only: its table is the one of today."""
    chosen = journal.after(history.cursor()) if records is None else records
    until = chosen[-1].position if chosen else journal.next - 1
    return history.deliver(Delivery(chosen, journal.table(), until))


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Waits for a condition; what it returned. Fails when it does not come true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found


def sealed(history: History, position: int) -> None:
    until(lambda: history.cursor() >= position)


def crash(history: History) -> None:
    """As far as files go, what a killed process leaves: nothing is sealed, the folder is free."""
    history._intake.tail = type(history._intake.tail)(until=0)
    history.close()


def files(folder: Path) -> list[Path]:
    return sorted((folder / "samples").glob("*.parquet"))


def asked(history: History, *selectors: str, start: int = -FAR, end: int = FAR, **more: Any) -> Any:
    """(path, type) → list of (time, value, quality), in the order of the answer."""
    return collected(history.query(Query(selectors or ("**",), start, end, **more)))


def collected(pages: Iterable[Page]) -> dict[tuple[str, DataType], list[tuple[int, Any, int]]]:
    answer: dict[tuple[str, DataType], list[tuple[int, Any, int]]] = {}
    told: list[Any] = []
    last_handle, last_progress = 0, 0.0
    for page in pages:
        assert sum(map(len, page.batches)) <= 50_000
        assert not told or list(page.tags) == told, "tags change within an answer"
        assert page.progress >= last_progress
        told, last_progress = list(page.tags), page.progress
        by_handle = {tag.handle: tag for tag in told}
        for batch in page.batches:
            handles = batch.tags().tolist()
            assert handles == sorted(handles)
            assert not handles or handles[0] >= last_handle
            last_handle = handles[-1] if handles else last_handle
            for row, handle in enumerate(handles):
                tag = by_handle[handle]
                assert tag.data_type == batch.data_type
                value = batch.value[row]
                found = answer.setdefault((tag.path, tag.data_type), [])
                time_, code = int(batch.times()[row]), int(batch.qualities()[row])
                found.append((time_, value.item() if hasattr(value, "item") else value, code))
    assert told == [] or last_progress == 1.0
    return answer


def expected(
    samples: Iterable[Kept],
    matches: Callable[[str], bool],
    start: int,
    end: int,
    aggregate: Aggregate = Aggregate.RAW,
    every: int = 0,
    limit: int = 0,
    last_before: bool = False,
) -> dict[tuple[str, DataType], list[tuple[int, Any, int]]]:
    """What a history that holds these samples must answer."""
    tags: dict[tuple[str, DataType], list[Kept]] = {}
    for sample in samples:
        if matches(sample.path):
            tags.setdefault((sample.path, sample.data_type), []).append(sample)
    answer = {}
    for (path, kind), own in sorted(tags.items(), key=lambda item: item[0][1]):
        own.sort(key=lambda s: (s.time, s.position, s.row))
        inside = [s for s in own if start <= s.time < end]
        if aggregate is Aggregate.RAW:
            found = [(s.time, s.value, s.quality) for s in inside[-limit:]]
            if last_before:
                found = [(s.time, s.value, s.quality) for s in own if s.time < start][-1:] + found
            key = (path, kind)
        else:
            key, found = _windows(path, kind, inside, aggregate, every, start)
            found = found[-limit:]
        if found:
            answer[key] = answer.get(key, []) + found
    return answer


def _windows(
    path: str, kind: DataType, own: list[Kept], aggregate: Aggregate, every: int, start: int
) -> Any:
    text = kind in (DataType.TEXT, DataType.BLOB)
    result = {
        Aggregate.AVERAGE: DataType.FLOAT64,
        Aggregate.SUM: DataType.FLOAT64,
        Aggregate.COUNT: DataType.UINT64,
    }.get(aggregate, kind)
    if text and aggregate not in (Aggregate.FIRST, Aggregate.LAST, Aggregate.COUNT):
        return (path, kind), []
    windows: dict[int, list[Kept]] = {}
    for sample in own:
        windows.setdefault(sample.time // every * every if every else start, []).append(sample)
    found = []
    for begin, all_ in sorted(windows.items()):
        usable = [s for s in all_ if not codes.is_bad(s.quality)]
        if usable:
            code = 0 if all(codes.is_good(s.quality) for s in all_) else SUBNORMAL
            if aggregate in (Aggregate.FIRST, Aggregate.LAST):
                code = usable[0 if aggregate is Aggregate.FIRST else -1].quality
            found.append((begin, _value([s.value for s in usable], aggregate), code))
    return (path, result), found


def _value(values: list[Any], aggregate: Aggregate) -> Any:
    numbers = [v for v in values if not (isinstance(v, float) and math.isnan(v))] or values
    match aggregate:
        case Aggregate.COUNT:
            return len(values)
        case Aggregate.FIRST:
            return values[0]
        case Aggregate.LAST:
            return values[-1]
        case Aggregate.MINIMUM:
            return min(numbers)
        case Aggregate.MAXIMUM:
            return max(numbers)
        case Aggregate.SUM:
            return float(sum(values))
    return sum(values) / len(values)


def same(got: Any, wanted: Any) -> None:
    """Two answers are equal; numbers nearly, since a sum depends on its order."""
    assert got.keys() == wanted.keys()
    for key, rows in wanted.items():
        assert len(got[key]) == len(rows), key
        for (t1, v1, q1), (t2, v2, q2) in zip(got[key], rows, strict=True):
            assert (t1, q1) == (t2, q2), key
            assert type(v1) is type(v2), key
            if isinstance(v1, float):
                alike = v1 == v2 or (math.isnan(v1) and math.isnan(v2))
                assert alike or math.isclose(v1, v2, rel_tol=1e-9, abs_tol=1e-9), key
            else:
                assert v1 == v2, key
