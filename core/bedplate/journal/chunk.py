"""How records lie in the journal file: up to a quarter megabyte of them to a row, because rows cost, records do not.

A row is `last` (position of its last record), `head` and `body`. The body is the payloads, one after the other. The
head, little-endian: CRC-32 of what follows it; epoch; count of stream names; each name's length and its UTF-8; then
per record `ROW`. A payload is checked against its own checksum when it is read, the rest against the head's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from bedplate.model import Body, Record

START = struct.Struct("<IQH")
NAME = struct.Struct("<H")
# position, stream, seq, received, producer_seq, crc, samples, length, kind
ROW = struct.Struct("<QHQqQIIIB")

KINDS = {kind.value: kind for kind in Body}  # a new kind is a new FORMAT

CHUNK_SIZE = 256 << 10
CHUNK_RECORDS = 1000

Chunk = tuple[int, bytes, bytes]  # last, head, body


class DamagedHead(Exception):
    """The head of a chunk does not fit its checksum: which records it held is not known."""


def pack(records: Sequence[Record]) -> Iterator[Chunk]:
    """The chunks for these records: of one epoch, positions rising."""
    start = size = 0
    for index, record in enumerate(records):
        size += len(record.payload)
        if size >= CHUNK_SIZE or index + 1 - start >= CHUNK_RECORDS:
            yield chunk_of(records[start : index + 1])
            start, size = index + 1, 0
    if start < len(records):
        yield chunk_of(records[start:])


def chunk_of(records: Sequence[Record]) -> Chunk:
    """One chunk with all of these records."""
    streams: dict[str, int] = {}
    rows = [
        ROW.pack(
            record.position,
            streams.setdefault(record.stream, len(streams)),
            record.seq,
            record.received,
            record.producer_seq,
            record.crc,
            record.samples,
            len(record.payload),
            record.kind,
        )
        for record in records
    ]
    names = [NAME.pack(len(name)) + name for name in (stream.encode() for stream in streams)]
    head = b"".join([START.pack(0, records[0].epoch, len(names)), *names, *rows])
    head = zlib.crc32(head[4:]).to_bytes(4, "little") + head[4:]
    return records[-1].position, head, b"".join([record.payload for record in records])


def unpack(head: Any, body: Any) -> tuple[list[Record], list[Record]]:
    """Records of a chunk, and those (without a payload) whose payload does not fit its checksum.

    Raises DamagedHead.
    """
    epoch, streams, rows = read_head(head)
    if not isinstance(body, bytes):
        body = b""
    records: list[Record] = []
    damaged: list[Record] = []
    end = 0
    for (
        position,
        stream,
        seq,
        received,
        producer_seq,
        crc,
        samples,
        length,
        kind,
    ) in ROW.iter_unpack(rows):
        payload = body[end : end + length]
        end += length
        whole = len(payload) == length and zlib.crc32(payload) == crc
        (records if whole else damaged).append(
            Record(
                position,
                streams[stream],
                epoch,
                seq,
                received,
                KINDS[kind],
                payload if whole else b"",
                producer_seq,
                crc,
                samples,
            )
        )
    return records, damaged


def first_above(head: bytes, position: int) -> tuple[int, int, int] | None:
    """Position, received and epoch of the first record above a position. Raises DamagedHead."""
    epoch, _, rows = read_head(head)
    for row in ROW.iter_unpack(rows):
        if row[0] > position:
            return row[0], row[3], epoch
    return None


def last_of(head: bytes) -> int:
    """Position of its last record. Raises DamagedHead."""
    _, _, rows = read_head(head)
    if not rows:
        raise DamagedHead
    return int(ROW.unpack_from(rows, len(rows) - ROW.size)[0])


def read_head(head: Any) -> tuple[int, list[str], bytes]:
    """Epoch, names of streams, and the rows still packed. Raises DamagedHead."""
    if not isinstance(head, bytes) or len(head) < START.size:  # SQLite has types, not promises
        raise DamagedHead
    if zlib.crc32(head[4:]) != int.from_bytes(head[:4], "little"):
        raise DamagedHead
    _, epoch, count = START.unpack_from(head)
    streams, at = [], START.size
    for _ in range(count):
        (length,) = NAME.unpack_from(head, at)
        at += NAME.size
        streams.append(head[at : at + length].decode())
        at += length
    return epoch, streams, head[at:]
