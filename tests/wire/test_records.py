"""Records, events, tags and single values on the wire."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.columns import BLOB, FLOATS, I64, TEXT, U32, U64, batches

from bedplate.api.v1 import api_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.errors import ProtocolError
from bedplate.model import (
    Alarm,
    AlarmPriority,
    AlarmState,
    Body,
    DataType,
    Event,
    EventKind,
    Record,
    TagInfo,
)
from bedplate.record.v1 import record_pb2
from bedplate.wire import (
    checksum,
    decode_event,
    decode_table,
    encode_batch,
    encode_event,
    record_message,
    record_of,
    records_of,
    table_message,
    tag_message,
    tag_of,
    twin,
    value_message,
    value_of,
)

VALUES = st.one_of(st.none(), FLOATS, I64, U64, st.booleans(), TEXT, BLOB)
PATHS = st.text("abcü/", min_size=1, max_size=12)
TAGS = st.builds(
    TagInfo,
    handle=st.integers(1, 2**32 - 1),
    path=PATHS,
    data_type=st.sampled_from(DataType),
    stream=st.just("a/live"),
    unit=TEXT,
    description=TEXT,
    address=TEXT,
    writable=st.booleans(),
    counter=st.booleans(),
    states=st.dictionaries(I64, TEXT, max_size=3),
)
ALARMS = st.builds(
    Alarm,
    state=st.sampled_from(AlarmState),
    priority=st.sampled_from(AlarmPriority),
    tag=PATHS,
    condition=TEXT,
    do=TEXT,
    value=VALUES,
    active_since=I64,
    returned_at=I64,
    acknowledged_by=TEXT,
    acknowledged_at=I64,
    comment=TEXT,
)
EVENTS = st.builds(
    Event,
    source=PATHS,
    kind=st.sampled_from(EventKind),
    time=I64,
    text=TEXT,
    severity=U32,
    alarm=st.none() | ALARMS,
    by=TEXT,
    component=TEXT,
    detail=BLOB,
)
RECORDS = st.builds(
    Record,
    position=U64,
    stream=TEXT,
    epoch=U64,
    seq=U64,
    received=I64,
    kind=st.sampled_from(Body),
    payload=BLOB,
    producer_seq=U64,
)


def bits(value: Any) -> Any:
    return struct.pack("<d", value) if isinstance(value, float) else value


@given(VALUES)
@settings(deadline=None, max_examples=400)
@pytest.mark.case("A40")
def test_a_value_survives_with_its_type_and_every_bit(value: Any) -> None:
    message = record_pb2.Value.FromString(value_message(value).SerializeToString())
    back = value_of(message)

    assert type(back) is type(value)
    assert bits(back) == bits(value)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (np.float32(0.5), "float64"),
        (np.int8(-1), "int64"),
        (np.uint64(2**64 - 1), "uint64"),
        (np.bool_(True), "bool"),
        (np.str_("a"), "text"),
        (np.bytes_(b"a"), "blob"),
        (2**63, "uint64"),
        (2**63 - 1, "int64"),
    ],
)
def test_numpy_scalars_and_large_integers_find_their_type(value: Any, field: str) -> None:
    assert value_message(value).WhichOneof("of") == field


@pytest.mark.parametrize(
    "value",
    [2**64, -(2**63) - 1, object(), [1], 1j, "\ud800"],
    ids=["2**64", "-2**63-1", "object", "list", "complex", "surrogate"],
)
def test_what_no_type_holds_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        value_message(value)


@given(TAGS)
@settings(deadline=None, max_examples=200)
def test_a_tag_survives(tag: TagInfo) -> None:
    message = record_pb2.Tag.FromString(tag_message(tag).SerializeToString())

    assert tag_of(message, tag.stream) == tag


@given(U64, st.lists(TAGS, max_size=4))
@settings(deadline=None, max_examples=100)
def test_a_table_survives(epoch: int, tags: list[TagInfo]) -> None:
    encoded = table_message(epoch, "a/live", tags).SerializeToString()

    assert decode_table(encoded) == tags
    assert record_pb2.TagTable.FromString(encoded).epoch == epoch


@given(EVENTS)
@settings(deadline=None, max_examples=300)
def test_an_event_survives(event: Event) -> None:
    back = decode_event(encode_event(event))

    if event.alarm and back.alarm:  # NaN is not equal to itself
        assert bits(back.alarm.value) == bits(event.alarm.value)
        back = dataclasses.replace(back, alarm=dataclasses.replace(back.alarm, value=None))
        event = dataclasses.replace(event, alarm=dataclasses.replace(event.alarm, value=None))
    assert back == event


@given(RECORDS, st.booleans())
@settings(deadline=None, max_examples=200)
def test_a_record_survives_and_its_body_stays_the_bytes_that_it_is(
    record: Record, checked: bool
) -> None:
    record = dataclasses.replace(record, crc=checksum(record.payload) if checked else 0)
    encoded = record_message(record).SerializeToString()

    assert record_of(twin(record_pb2.Record).FromString(encoded)) == record


@given(batches(most=4), EVENTS, st.lists(TAGS, max_size=2))
@settings(deadline=None, max_examples=100)
def test_a_twin_with_encoded_bodies_has_the_bytes_of_the_ordinary_classes(
    batch: Any, event: Event, tags: list[TagInfo]
) -> None:
    table = table_message(7, "a/live", tags)
    bodies = {
        Body.BATCH: encode_batch(batch),
        Body.EVENT: encode_event(event),
        Body.GAP: record_pb2.Gap(stream="a/live", first_seq=1, last_seq=2).SerializeToString(),
        Body.TAGS: table.SerializeToString(),
    }
    records = [
        Record(i, "a/live", 7, i, 5, kind, body) for i, (kind, body) in enumerate(bodies.items())
    ]
    response = twin(api_pb2.SubscribeResponse)(
        tables=[twin(record_pb2.TagTable).FromString(bodies[Body.TAGS])],
        records=map(record_message, records),
        resume_token=b"token",
    )
    encoded = response.SerializeToString()
    ordinary = api_pb2.SubscribeResponse.FromString(encoded)

    assert [r.WhichOneof("body") for r in ordinary.records] == ["batch", "event", "gap", "tags"]
    assert [
        getattr(r, r.WhichOneof("body")).SerializeToString(deterministic=True)
        for r in ordinary.records
    ] == [
        type(getattr(r, r.WhichOneof("body")))
        .FromString(body)
        .SerializeToString(deterministic=True)
        for r, body in zip(ordinary.records, bodies.values(), strict=True)
    ]
    assert ordinary.records[0].batch.SerializeToString(deterministic=True) == bodies[Body.BATCH]


def test_a_record_whose_body_was_changed_under_way_is_refused() -> None:
    record = Record(3, "a/live", 1, 1, 5, Body.EVENT, b"body", crc=checksum(b"bodY"))

    with pytest.raises(ProtocolError, match="record 3: checksum"):
        record_of(record_message(record))


def test_a_record_without_a_body_is_refused() -> None:
    with pytest.raises(ProtocolError, match="without a body"):
        record_of(twin(record_pb2.Record)(position=1))


def test_values_of_a_later_minor_read_as_unspecified() -> None:
    event = record_pb2.Event(source="a", kind=99)
    event.alarm.state, event.alarm.priority = 99, 99
    back = decode_event(event.SerializeToString())

    assert back.kind is EventKind.UNSPECIFIED
    assert back.alarm is not None
    assert back.alarm.state is AlarmState.UNSPECIFIED
    assert back.alarm.priority is AlarmPriority.UNSPECIFIED
    assert tag_of(record_pb2.Tag(handle=1, data_type=99)).data_type is DataType.UNSPECIFIED


@pytest.mark.parametrize(
    "message",
    [
        connector_pb2.ReadReply(batches=[record_pb2.Batch(count=1, tag=[1], float64=[2.0])]),
        connector_pb2.Publication(component="c", batch=record_pb2.Batch(data_type=1)),
        connector_pb2.Write(tag=1, value=record_pb2.Value(text="x")),
        api_pb2.ListAlarmsResponse(alarms=[record_pb2.Event(source="a")]),
    ],
    ids=lambda message: message.DESCRIPTOR.name,
)
def test_twins_of_other_messages_keep_their_bytes(message: Message) -> None:
    encoded = message.SerializeToString()

    assert twin(type(message)).FromString(encoded).SerializeToString() == encoded


def test_a_record_of_a_later_minor_is_passed_over_and_its_neighbours_are_not() -> None:
    known = Record(1, "a/live", 7, 1, 9, Body.EVENT, b"")
    later = record_pb2.Record(position=2, stream="a/live").SerializeToString() + b"\xa2\x06\x01x"
    messages = [
        record_message(known),
        twin(record_pb2.Record).FromString(later),  # field 100: a body nobody here knows
        record_message(dataclasses.replace(known, position=3)),
    ]

    assert [record.position for record in records_of(messages)] == [1, 3]
