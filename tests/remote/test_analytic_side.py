"""An analytic's session: every sample once, in order, with its type; the same however the records are split."""

from __future__ import annotations

import asyncio
from ast import literal_eval
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.remote.wired import WITHIN, opened, wired

from bedplate.analytic.v1 import analytic_pb2
from bedplate.contracts import Analytic, Output, Stretch, Written
from bedplate.model import Batch, Body, DataType, Event, EventKind, Record, Strings, TagInfo
from bedplate.plugin.v1 import plugin_pb2
from bedplate.record.v1 import record_pb2
from bedplate.wire import (
    decode_batch,
    decode_event,
    encode_batch,
    encode_event,
    record_message,
    table_message,
    twin,
)

Process = twin(analytic_pb2.Process)
PATH = "line/press/n"
TAGS = [
    TagInfo(1, PATH, DataType.INT64),
    TagInfo(2, PATH, DataType.TEXT),
    TagInfo(3, PATH, DataType.BLOB),
    TagInfo(4, "line/press/other", DataType.FLOAT64),
]
VALUES: dict[int, Any] = {1: [1, 2**62], 2: ["a", "ü"], 3: [b"\0", b"\xff"], 4: [1.5, 2.5]}


class Remembering(Analytic):
    """Writes down everything it is given, and keeps it as its state."""

    def open(self) -> list[Output]:
        self.seen: dict[str, list[Any]] = {"n": [], "other": [], "events": []}
        return [Output("count", DataType.INT64), Output("said", DataType.TEXT)]

    def process(self, stretch: Stretch) -> Any:
        for name, series in stretch.inputs.items():
            received = series.received
            assert received is not None
            assert received.tolist() == sorted(received.tolist())
            assert len(series) == len(series.value) == len(series.quality) == len(received)
            kind = "blob" if isinstance(series.value, Strings) and not series.value.text else ""
            rows = zip(series.time.tolist(), series.value.tolist(), received.tolist(), strict=True)
            self.seen[name] += [(kind, *row) for row in rows]
        self.seen["events"] += [event.source for event in stretch.events]
        yield Written("count", stretch.until, len(self.seen["n"]))
        yield Event("line/press/seen", EventKind.NOTE, stretch.until)

    def state(self) -> bytes:
        return repr(self.seen).encode()


def message(records: Sequence[Record], first: bool, until: int = 10**6) -> Any:
    table = table_message(7, "press/live", TAGS).SerializeToString()
    tables = [twin(record_pb2.TagTable).FromString(table)]
    return Process(
        records=map(record_message, records),
        tables=tables if first else [],
        until=until,
        outputs=[100, 101] if first else [],
    )


async def attached(cls: type[Analytic] = Remembering) -> Any:
    attachment = wired("analytic", one=cls)
    asset = plugin_pb2.Asset(path="line/press")
    asset.inputs.add(name="n", path=PATH)
    asset.inputs.add(name="other", path="line/press/other")
    reply = await opened(
        attachment, "one", assets=[twin(plugin_pb2.Asset).FromString(asset.SerializeToString())]
    )
    assert [o.name for o in reply.open.outputs] == [o.name for o in cls().open()]
    return attachment


def record(position: int, body: Batch | Event) -> Record:
    kind, payload = (
        (Body.BATCH, encode_batch(body))
        if isinstance(body, Batch)
        else (Body.EVENT, encode_event(body))
    )
    return Record(position, "press/live", 7, position, 1000 + position, kind, payload)


HANDLES = st.sampled_from([1, 1, 1, 2, 3, 4])
RECORDS = st.lists(HANDLES | st.just(0), max_size=12)


def records_of(choices: list[int]) -> list[Record]:
    """A batch of two samples for a handle; an event for 0."""
    return [
        record(i, Batch.of([handle], [i, i], VALUES[handle]))
        if handle
        else record(i, Event(f"line/press/e{i}", EventKind.ACKNOWLEDGE, i))
        for i, handle in enumerate(choices, 1)
    ]


async def outcome(parts: list[list[Record]]) -> tuple[bytes, int]:
    """Its state in the end, and how many events it wrote."""
    attachment = await attached()
    state, events = b"{'n': [], 'other': [], 'events': []}", 0
    for index, records in enumerate(parts):
        ask = message(records, first=not index)
        reply = await attachment.ask("c", WITHIN, process=ask)
        assert reply.answer.code == plugin_pb2.CODE_OK, reply.answer
        events += len(list(map(decode_event, reply.process.events)))
        for one in reply.process.states:
            state = one.value
    return state, events


@given(RECORDS, st.lists(st.integers(0, 12), max_size=4))
@settings(deadline=None, max_examples=60)
def test_any_split_of_the_records_gives_the_same_result(
    choices: list[int], cuts: list[int]
) -> None:
    records = records_of(choices)
    edges = sorted({0, len(records), *(cut for cut in cuts if cut < len(records))})
    parts = [records[a:b] for a, b in pairwise(edges)] or [[]]

    whole, _ = asyncio.run(outcome([records]))
    assert asyncio.run(outcome(parts))[0] == whole
    seen = literal_eval(whole.decode())
    for name, handles in (("n", {1, 2, 3}), ("other", {4})):
        wanted = [value for handle in choices if handle in handles for value in VALUES[handle]]
        assert [value for _, _, value, _ in seen[name]] == wanted
        assert all(received == 1000 + time for _, time, _, received in seen[name])
    assert [kind for kind, *_ in seen["n"]] == [
        "blob" if handle == 3 else "" for handle in choices if handle in (1, 2, 3) for _ in "ab"
    ]
    assert len(seen["events"]) == choices.count(0)


async def test_where_the_type_of_an_input_changes_a_new_stretch_begins() -> None:
    _, events = await outcome([records_of([1, 1, 4, 2, 2, 1])])

    assert events == 3  # one for each call of process


async def test_outputs_come_back_with_their_handles_and_types() -> None:
    attachment = await attached()
    reply = await attachment.ask("c", WITHIN, process=message(records_of([1]), first=True))
    (batch,) = map(decode_batch, reply.process.batches)

    assert batch.tag.tolist() == [100]
    assert batch.data_type is DataType.INT64
    assert batch.value.tolist() == [2]


class Wrong(Remembering):
    def process(self, stretch: Stretch) -> Any:
        yield Written("nothing of this name", 1, np.array([1]))


async def test_an_output_that_was_not_named_is_the_authors_bug_in_words() -> None:
    attachment = await attached(Wrong)
    reply = await attachment.ask("c", WITHIN, process=message(records_of([1]), first=True))

    assert reply.answer.code == plugin_pb2.CODE_FAULT
    assert "wrote 'nothing of this name', which is none of the outputs" in reply.answer.text


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (record(1, Batch.of([9], [1], [1.0])), "uses handle 9, which no table named"),
        (Record(1, "s", 7, 1, 5, Body.BATCH, b"x"), "no protobuf message"),
        (Record(1, "s", 7, 1, 5, Body.EVENT, b"x", crc=1), "checksum"),
    ],
)
async def test_records_that_cannot_be_read_are_told_in_words(broken: Record, words: str) -> None:
    attachment = await attached()
    reply = await attachment.ask("c", WITHIN, process=message([broken], first=True))

    assert reply.answer.code == plugin_pb2.CODE_FAULT
    assert words in reply.answer.text
