"""The golden wire files: messages as Bedplate writes them, and beside them what every reader must find in them.

`python -m tests.wire.golden_files` writes golden/. The files stand for the wire form of version 1: one that has been
committed is never written anew, only joined by others. In the description 64-bit integers are decimal text, doubles the
16 hex digits of their bits, bytes hex; a field that is not set is absent.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from bedplate.api.v1 import api_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.model import (
    Alarm,
    AlarmPriority,
    AlarmState,
    Batch,
    Body,
    DataType,
    Event,
    EventKind,
    Flag,
    Record,
    TagInfo,
    quality,
)
from bedplate.record.v1 import record_pb2
from bedplate.wire import (
    checksum,
    encode_batch,
    encode_event,
    record_message,
    table_message,
    twin,
)

GOLDEN = Path(__file__).with_name("golden")
NOON = 1_700_000_000_000_000_000
LONG = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)

BATCHES: dict[str, Batch] = {
    "batch-float64": Batch.of(
        [1, 2, 3, 4, 5, 6, 7],
        [NOON + i for i in range(7)],
        np.array(
            [
                *(0x3FF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000),  # 1.5, ±infinity
                *(0x8000000000000000, 0x0000000000000001),  # -0, the smallest number
                *(0x7FF8000000000000, 0x7FF8000000000123),  # NaN, NaN with a payload
            ],
            np.uint64,
        ).view(np.float64),
        [0, 0, 0, 0, 0, quality.BAD_DEVICE_FAILURE, quality.OVERFLOW],
    ),
    "batch-int64": Batch.of([1], [-1, 0, 1, 2], [-(2**63), -1, 0, 2**63 - 1]),
    "batch-uint64": Batch.of([1], [NOON], [0, 2**53 + 1, 2**64 - 1]),
    "batch-bool": Batch.of([1, 2, 3], [NOON], [True, False, True]),
    "batch-text": Batch.of([1, 2, 3, 4, 5], [NOON], ["", "Füllstand", "温度 😀", "a\0b\0", ""]),
    "batch-blob": Batch.of([2**32 - 1], [NOON], [b"", b"\x00\xff", b"\x80"]),
    "batch-shared-time": Batch.of([1, 2, 3], [NOON], [1.0, 2.0, 3.0]),
    "batch-not-stamped": Batch.of([1, 2], [], [1, 2]),
    "batch-server-time": Batch.of(
        [9],
        [NOON, NOON + 1],
        [1.0, 2.0],
        server_time=np.array([NOON + 5, NOON + 6]),
        flags=Flag.HISTORICAL | Flag.SUBSTITUTED,
    ),
    "batch-empty": Batch.of([], [], [], data_type=DataType.BOOL),
}
TAGS = [
    TagInfo(1, "acme/line1/press-07/state", DataType.INT64, states={-1: "?", 0: "off", 1: "on"}),
    TagInfo(
        *(2, "acme/line1/press-07/Füllstand", DataType.FLOAT64, "", "m³", "level", "ns=2;s=L"),
        writable=True,
        counter=True,
    ),
]
EVENT = Event(
    "acme/line1/press-07/too-hot",
    EventKind.ALARM,
    NOON,
    "temperature > 65",
    700,
    Alarm(
        *(AlarmState.RETURNED_UNACKNOWLEDGED, AlarmPriority.HIGH),
        *("acme/line1/press-07/temperature", "temperature > 65", "stop the press", 65.5),
        *(NOON, NOON + 60_000_000_000, "", 0, ""),
    ),
    component="alarms",
    detail=b'{"limit": 65}',
)
GAP = record_pb2.Gap(
    stream="press-07/live",
    first_seq=5,
    last_seq=9,
    samples=50_000,
    to=NOON,
    reason="the disk was full",
    **{"from": NOON - 1},
)


def records() -> dict[str, Record]:
    """One record of each kind."""
    bodies = {
        Body.BATCH: encode_batch(BATCHES["batch-float64"]),
        Body.EVENT: encode_event(EVENT),
        Body.GAP: GAP.SerializeToString(),
        Body.TAGS: table_message(NOON, "press-07/live", TAGS).SerializeToString(deterministic=True),
    }
    return {
        f"record-{kind.name.lower()}": Record(
            *(2**64 - 1 - index, "press-07/live", NOON, index + 1, NOON + 7, kind, body),
            producer_seq=2**63 + index,
            crc=checksum(body),
        )
        for index, (kind, body) in enumerate(bodies.items())
    }


def cases() -> dict[str, tuple[type[Message], bytes]]:
    """Message class and bytes of every file."""
    found: dict[str, tuple[type[Message], bytes]] = {
        name: (record_pb2.Batch, encode_batch(batch)) for name, batch in BATCHES.items()
    }
    messages = {name: record_message(record) for name, record in records().items()}
    for name, message in messages.items():
        found[name] = record_pb2.Record, message.SerializeToString()
    table = messages["record-tags"].tags
    found["tag-table"] = record_pb2.TagTable, table
    found["event"] = record_pb2.Event, encode_event(EVENT)
    response = twin(api_pb2.SubscribeResponse)(
        tables=[twin(record_pb2.TagTable).FromString(table)],
        records=messages.values(),
        resume_token=bytes(range(16)),
        lost=3,
    )
    found["subscribe-response"] = (
        api_pb2.SubscribeResponse,
        response.SerializeToString(deterministic=True),
    )
    found["from-connector"] = connector_pb2.FromConnector, _from_connector()
    return found


def _from_connector() -> bytes:
    message = twin(connector_pb2.FromConnector)()
    reply = message.replies.add()
    reply.answer.id, reply.answer.code = 2**64 - 1, 1
    reply.read.batches.extend([encode_batch(BATCHES["batch-bool"])])
    reply.read.problems.add(tag=3, text="no such register")
    message.publications.add(
        component="press-07", producer_seq=1, batch=encode_batch(BATCHES["batch-text"])
    )
    encoded: bytes = message.SerializeToString()
    return encoded


# description ----------------------------------------------------------------------------------------------------------


def described(message: Message) -> dict[str, Any]:
    """What a reader must find in a message."""
    return {field.name: _field(field, value) for field, value in message.ListFields()}


def _field(field: FieldDescriptor, value: Any) -> Any:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        values = inner.fields_by_name["value"]
        return {str(key): _one(values, value[key]) for key in sorted(value)}
    return [_one(field, one) for one in value] if field.is_repeated else _one(field, value)


def _one(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return described(value)
    if field.cpp_type in LONG:
        return str(value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return struct.pack(">d", value).hex()
    return value.hex() if isinstance(value, bytes) else value


def description(kind: type[Message], encoded: bytes) -> str:
    whole = {
        "type": kind.DESCRIPTOR.full_name,
        "bytes": len(encoded),
        "content": described(kind.FromString(encoded)),
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, (kind, encoded) in cases().items():
        (GOLDEN / f"{name}.bin").write_bytes(encoded)
        (GOLDEN / f"{name}.json").write_text(description(kind, encoded), encoding="utf-8")


if __name__ == "__main__":
    main()
