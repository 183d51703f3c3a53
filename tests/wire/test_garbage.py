"""Whatever bytes arrive: a valid value or ProtocolError, at once, in bounded memory. Never anything else."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bedplate.errors import ProtocolError
from bedplate.model import (
    Alarm,
    AlarmPriority,
    AlarmState,
    Batch,
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
    decode_batch,
    decode_event,
    decode_table,
    encode_batch,
    encode_event,
    record_message,
    record_of,
    table_message,
    twin,
    value_of,
)

MUTATIONS = 10_000
BATCHES = [
    encode_batch(Batch.of([1, 2, 3], [10, 20, 30], values, [0, 1, 2], server_time=None))
    for values in (
        [1.0, float("nan"), -0.0],
        [1, -1, 2**62],
        [2**63, 0, 1],
        [True, False, True],
        ["a", "", "ü"],
        [b"", b"\0", b"abc"],
    )
]
EVENT = encode_event(
    Event(
        *("line1/capper/jam", EventKind.ALARM, 5, "jam", 700),
        Alarm(AlarmState.UNACKNOWLEDGED, AlarmPriority.HIGH, "a/b", "x > 1", "look", 1.5, 3),
        detail=b"{}",
    )
)
TABLE = table_message(
    7,
    "a/live",
    [TagInfo(1, "a/b", DataType.INT64, states={0: "off"}), TagInfo(2, "c", DataType.TEXT)],
).SerializeToString()
RECORD = record_message(
    Record(1, "a/live", 7, 1, 5, Body.BATCH, BATCHES[0], crc=checksum(BATCHES[0]))
).SerializeToString()


def decode_record(encoded: bytes) -> Record:
    """As it happens when the message around it is parsed."""
    try:
        message = twin(record_pb2.Record).FromString(encoded)
    except DecodeError as error:
        raise ProtocolError("no record") from error
    return record_of(message)


def decode_value(encoded: bytes) -> Any:
    try:
        return value_of(record_pb2.Value.FromString(encoded))
    except DecodeError as error:
        raise ProtocolError("no value") from error


def sound(batch: Batch) -> None:
    """Every column can be looked at."""
    assert len(batch.tags()) == len(batch.value.tolist()) == len(batch.qualities()) == len(batch)


DECODERS: dict[str, tuple[Callable[[bytes], Any], list[bytes], Callable[[Any], object]]] = {
    "batch": (decode_batch, BATCHES, sound),
    "event": (decode_event, [EVENT], lambda event: event.alarm),
    "table": (decode_table, [TABLE], lambda tags: [tag.data_type for tag in tags]),
    "record": (decode_record, [RECORD], lambda record: record.component),
    "value": (decode_value, [record_pb2.Value(text="abc").SerializeToString()], repr),
}


def mutated(encoded: bytes, source: random.Random) -> bytes:
    """Flipped, cut, doubled, moved: one to four times."""
    content = bytearray(encoded)
    for _ in range(source.randint(1, 4)):
        at, length = source.randrange(len(content) + 1), source.randint(1, 8)
        match source.randrange(6):
            case 0 if at < len(content):
                content[at] ^= 1 << source.randrange(8)
            case 1 if at < len(content):
                content[at] = source.choice((0, 0x7F, 0x80, 0xFF))
            case 2:
                del content[at:]
            case 3:
                del content[at : at + length]
            case 4:
                content[at:at] = content[at : at + length]
            case 5:
                content[at:at] = source.randbytes(length)
    return bytes(content)


@pytest.mark.parametrize("name", DECODERS)
def test_mutated_bytes_end_in_a_value_or_in_a_protocol_error(name: str) -> None:
    decode, originals, look = DECODERS[name]
    source = random.Random(f"mutated {name}")
    good = slowest = 0.0
    tracemalloc.start()
    try:
        for _ in range(MUTATIONS):
            content = mutated(source.choice(originals), source)
            began = time.process_time()
            try:
                look(decode(content))
                good += 1
            except ProtocolError:
                pass
            slowest = max(slowest, time.process_time() - began)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert 0 < good < MUTATIONS
    assert slowest < 0.5
    assert peak < 1 << 20


@pytest.mark.parametrize("name", DECODERS)
def test_every_beginning_of_a_message_ends_in_a_value_or_in_a_protocol_error(name: str) -> None:
    decode, originals, look = DECODERS[name]
    for encoded in originals:
        for end in range(len(encoded)):
            try:
                look(decode(encoded[:end]))
            except ProtocolError:
                continue


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=200))
@example("batch", b"\x0d\xff\xff\xff\xff")
@settings(deadline=None, max_examples=1000)
def test_any_bytes_end_in_a_value_or_in_a_protocol_error(name: str, content: bytes) -> None:
    decode, _, look = DECODERS[name]
    try:
        look(decode(content))
    except ProtocolError:
        return


@pytest.mark.timeout(60)
def test_the_slow_way_takes_memory_in_proportion_to_the_message() -> None:
    """16 MiB of columns that were not packed, the worst that a message can hold."""
    count = (1 << 24) // 14
    one = b"\x15\x01\x00\x00\x00" + b"\x41" + bytes(8)  # tag, float64
    content = b"\x0d" + count.to_bytes(4, "little") + b"\x19" + bytes(8) + b"\x38\x01" + one * count
    tracemalloc.start()
    try:
        batch = decode_batch(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert len(batch) == count
    assert peak < 20 * len(content)
