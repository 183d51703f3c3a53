"""Records as the kernel hands them to analytics and readers: made from plain samples, numbered, with their table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bedplate.model import Batch, Body, DataType, Event, Record, TagInfo
from bedplate.record.v1 import record_pb2
from bedplate.testing.opening import EPOCH
from bedplate.wire import (
    checksum,
    encode_batch,
    encode_event,
    record_message,
    table_message,
    twin,
)

STREAM = "source/live"


class Journal:
    """Numbers records as a journal does. Handles are given out as paths come."""

    def __init__(self, epoch: int = EPOCH) -> None:
        self.epoch = epoch
        self.position = 0
        self._tags: dict[tuple[str, DataType], TagInfo] = {}

    def samples(
        self,
        path: str,
        times: Sequence[int],
        values: Any,
        quality: Any = None,
        data_type: DataType | None = None,
        received: int | None = None,
    ) -> Any:
        """One record with samples of a tag. times: ns UTC; received: the last of them unless told."""
        batch = Batch.of([1], times, values, quality, data_type=data_type)
        tag = self.tag(path, batch.data_type)
        moved = Batch.of([tag.handle], times, values, quality, data_type=batch.data_type)
        when = max(times) if received is None else received
        return self._record(Body.BATCH, encode_batch(moved), when)

    def event(self, event: Event) -> Any:
        """One record with an event."""
        return self._record(Body.EVENT, encode_event(event), event.time)

    def gap(self, first: int, last: int, time: int) -> Any:
        """One record that declares a loss."""
        gap = record_pb2.Gap(stream=STREAM, first_seq=first, last_seq=last, reason="a test")
        return self._record(Body.GAP, gap.SerializeToString(), time)

    def _record(self, kind: Body, payload: bytes, received: int) -> Any:
        self.position += 1
        record = Record(
            *(self.position, STREAM, self.epoch, self.position, received, kind, payload),
            crc=checksum(payload),
        )
        return record_message(record)

    def tag(self, path: str, data_type: DataType) -> TagInfo:
        """The tag behind a path, with its handle."""
        key = (path, data_type)
        if key not in self._tags:
            self._tags[key] = TagInfo(len(self._tags) + 1, path, data_type)
        return self._tags[key]

    def table(self) -> Any:
        """Every handle given out so far."""
        table = table_message(self.epoch, STREAM, self._tags.values())
        return twin(record_pb2.TagTable).FromString(table.SerializeToString())


def records_of(
    journal: Journal, inputs: Mapping[str, Iterable[tuple[Any, ...]]], paths: Mapping[str, str]
) -> list[Any]:
    """inputs: name → (time, value[, quality]) in order. One record for each name."""
    made = []
    for name, samples in inputs.items():
        rows = [(*row, 0)[:3] for row in samples]
        if rows:
            times, values, codes = map(list, zip(*rows, strict=True))
            made.append(journal.samples(paths[name], times, values, codes))
    return made
