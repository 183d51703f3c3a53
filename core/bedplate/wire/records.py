"""Records, events, tags and single values ⇄ messages of bedplate.record.v1."""

from __future__ import annotations

import enum
import zlib
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar, cast

from google.protobuf.message import DecodeError

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
from bedplate.wire.twin import twin

BODIES = {Body.BATCH: "batch", Body.EVENT: "event", Body.GAP: "gap", Body.TAGS: "tags"}
E = TypeVar("E", bound=enum.IntEnum)
PLAIN = ("position", "stream", "epoch", "seq", "received", "producer_seq", "crc")


def _known(kind: type[E], number: int) -> E:
    """The member of this number; UNSPECIFIED for one of a later minor (protos/README.md §1)."""
    try:
        return kind(number)
    except ValueError:
        return kind(0)


def checksum(payload: bytes) -> int:
    """CRC-32 (IEEE 802.3) of a body."""
    return zlib.crc32(payload)


def record_message(record: Record) -> Any:
    """The twin message of a record; its body stays the bytes that it is."""
    message = twin(record_pb2.Record)(
        position=record.position,
        stream=record.stream,
        epoch=record.epoch,
        seq=record.seq,
        received=record.received,
        producer_seq=record.producer_seq,
        crc=record.crc,
    )
    setattr(message, BODIES[record.kind], record.payload)
    return message


def record_of(message: Any) -> Record:
    """The record in a twin message. Raises ProtocolError without a body or when its checksum is wrong."""
    body = message.WhichOneof("body")
    if body is None:
        raise ProtocolError("record without a body")
    payload = getattr(message, body)
    if message.crc and message.crc != checksum(payload):
        raise ProtocolError(f"record {message.position}: checksum does not fit its body")
    return Record(
        kind=Body[body.upper()], payload=payload, **{name: getattr(message, name) for name in PLAIN}
    )


def records_of(messages: Iterable[Any]) -> list[Record]:
    """The records in twin messages; those whose body is of a later minor are passed over, since nobody here can read
    them. Raises ProtocolError when a checksum is wrong."""
    return [record_of(one) for one in messages if one.WhichOneof("body") is not None]


def value_message(value: Any) -> record_pb2.Value:
    """One value as a message; None becomes an empty one. Raises ValueError for what no DataType holds."""
    match value:
        case None:
            return record_pb2.Value()
        case bool():
            return record_pb2.Value(bool=value)
        case int() if -(2**63) <= value < 2**63:
            return record_pb2.Value(int64=value)
        case int() if 0 <= value < 2**64:
            return record_pb2.Value(uint64=value)
        case float():
            return record_pb2.Value(float64=value)
        case str():
            return record_pb2.Value(text=value)
        case bytes():
            return record_pb2.Value(blob=value)
    if hasattr(value, "item"):  # a numpy scalar
        return value_message(value.item())
    raise ValueError(f"{value!r} is no value a tag can have")


def value_of(message: Any) -> Any:
    """The Python value of a Value message; None when it is empty."""
    which = message.WhichOneof("of")
    return None if which is None else getattr(message, which)


def tag_message(tag: TagInfo) -> record_pb2.Tag:
    return record_pb2.Tag(
        handle=tag.handle,
        path=tag.path,
        data_type=cast("record_pb2.DataType", int(tag.data_type)),
        unit=tag.unit,
        description=tag.description,
        address=tag.address,
        writable=tag.writable,
        counter=tag.counter,
        states=dict(tag.states),
    )


def tag_of(message: Any, stream: str = "") -> TagInfo:
    return TagInfo(
        handle=message.handle,
        path=message.path,
        data_type=_known(DataType, message.data_type),
        stream=stream,
        unit=message.unit,
        description=message.description,
        address=message.address,
        writable=message.writable,
        counter=message.counter,
        states=dict(message.states),
    )


def table_message(epoch: int, stream: str, tags: Iterable[TagInfo]) -> record_pb2.TagTable:
    return record_pb2.TagTable(epoch=epoch, stream=stream, tags=map(tag_message, tags))


def decode_table(encoded: bytes) -> list[TagInfo]:
    """The tags of a table in these bytes. Raises ProtocolError when they hold none."""
    try:
        message = record_pb2.TagTable.FromString(encoded)
    except DecodeError as error:
        raise ProtocolError("tag table is no protobuf message") from error
    return [tag_of(tag, message.stream) for tag in message.tags]


def encode_event(event: Event) -> bytes:
    """The wire form of an event."""
    message = record_pb2.Event(
        source=event.source,
        kind=cast("record_pb2.EventKind", int(event.kind)),
        time=event.time,
        severity=event.severity,
        text=event.text,
        by=event.by,
        component=event.component,
        detail_json=event.detail,
    )
    if event.alarm is not None:
        for name in ALARM_FIELDS:
            setattr(message.alarm, name, getattr(event.alarm, name))
        message.alarm.value.CopyFrom(value_message(event.alarm.value))
    return message.SerializeToString()


def decode_event(encoded: bytes) -> Event:
    """The event in these bytes. Raises ProtocolError when they hold none."""
    try:
        message = record_pb2.Event.FromString(encoded)
    except DecodeError as error:
        raise ProtocolError("event is no protobuf message") from error
    return event_of(message)


def event_of(message: Any) -> Event:
    alarm = None
    if message.HasField("alarm"):
        plain = {name: getattr(message.alarm, name) for name in ALARM_FIELDS}
        plain["state"] = _known(AlarmState, plain["state"])
        plain["priority"] = _known(AlarmPriority, plain["priority"])
        alarm = Alarm(value=value_of(message.alarm.value), **plain)
    return Event(
        source=message.source,
        kind=_known(EventKind, message.kind),
        time=message.time,
        text=message.text,
        severity=message.severity,
        alarm=alarm,
        by=message.by,
        component=message.component,
        detail=message.detail_json,
    )


ALARM_FIELDS = tuple(field.name for field in fields(Alarm) if field.name != "value")
