"""Records of a journal for people and tools: paths for handles, values for columns. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedplate.errors import JournalError, ProtocolError
from bedplate.journal.damage import Damage
from bedplate.journal.engine import Loss
from bedplate.journal.reader import Reader
from bedplate.journal.survey import opened
from bedplate.model import Body, Record, Selector
from bedplate.record.v1 import record_pb2
from bedplate.wire import decode_batch, decode_event, decode_table

Sample = tuple[str, int, Any, int]  # path, ns UTC, value, StatusCode


@dataclass(frozen=True, slots=True)
class Choice:
    """selectors: of paths, none: all · streams: none: all · start, end: `received`, ns UTC, end exclusive."""

    selectors: Sequence[str] = ()
    streams: Sequence[str] = ()
    start: int = 0
    end: int = 1 << 62

    def wants(self, record: Record) -> bool:
        in_time = self.start <= record.received < self.end
        return in_time and (not self.streams or record.stream in self.streams)


@dataclass(frozen=True, slots=True)
class Taken:
    """One record. samples: of a batch · body: an `Event` of the model, or a gap or a table as a mapping."""

    position: int
    stream: str
    epoch: int
    seq: int
    received: int
    kind: str
    samples: Sequence[Sample] = ()
    body: Any = None


def take_out(path: Path, choice: Choice) -> Iterator[Taken | Loss]:
    """In order of position, what could not be read where it is missed. Raises JournalError."""
    damage = Damage()
    try:
        with opened(path, damage) as reader:
            tables = _Tables(reader)
            for record in reader.all(reader.floor):
                yield from damage.take(0)
                if choice.wants(record) and (taken := _taken(record, tables, choice)):
                    yield taken
            yield from damage.take(0)
    except sqlite3.Error as error:
        raise JournalError(f"{path}: {error}: `bedplate doctor journal repair`") from error


class _Tables:
    """Paths by epoch and handle."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._paths: dict[int, dict[int, str]] = {}

    def path(self, epoch: int, handle: int) -> str:
        if epoch not in self._paths:
            records = self._reader.tables(epoch)
            self._paths[epoch] = {
                tag.handle: tag.path for r in records for tag in decode_table(r.payload)
            }
        return self._paths[epoch].get(handle, f"(handle {handle})")


def _taken(record: Record, tables: _Tables, choice: Choice) -> Taken | None:
    kind = record.kind.name.lower()
    ends = record.position, record.stream, record.epoch, record.seq, record.received, kind
    try:
        if record.kind is Body.BATCH:
            samples = list(_samples(record, tables, choice))
            return Taken(*ends, samples) if samples else None
        if record.kind is Body.TAGS:
            return None  # its paths stand with the samples
        return Taken(*ends, body=_body(record))
    except ProtocolError as error:
        return Taken(*ends, body={"unreadable": str(error)})


def _samples(record: Record, tables: _Tables, choice: Choice) -> Iterator[Sample]:
    batch = decode_batch(record.payload)
    selector = Selector(choice.selectors) if choice.selectors else None
    qualities = [0] * len(batch) if batch.quality is None else batch.quality.tolist()
    columns = batch.tags().tolist(), batch.times().tolist(), batch.value.tolist(), qualities
    for handle, time, value, code in zip(*columns, strict=True):
        path = tables.path(record.epoch, handle)
        if selector is None or selector.matches(path):
            yield path, time, value, code


def _body(record: Record) -> Any:
    if record.kind is Body.EVENT:
        return decode_event(record.payload)
    gap = record_pb2.Gap.FromString(record.payload)
    numbers = {"first_seq": gap.first_seq, "last_seq": gap.last_seq, "samples": gap.samples}
    ends = {"from": getattr(gap, "from"), "to": gap.to}
    return {"stream": gap.stream, **numbers, **ends, "reason": gap.reason}
