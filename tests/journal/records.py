"""Entries to append, whose bytes follow from a number, so that what is read back can be checked against it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from bedplate.journal.engine import Entry
from bedplate.model import Body, Record

STREAMS = ("press-1/live", "press-2/live", "kessel-ä/event")


def payload(number: int, largest: int = 2000) -> bytes:
    source = random.Random(number)
    return source.randbytes(source.randrange(largest))


def entry(number: int, kind: Body = Body.BATCH, largest: int = 2000) -> Entry:
    """The entry with this number, always the same."""
    return Entry(
        stream=STREAMS[number % len(STREAMS)],
        kind=kind,
        payload=payload(number, largest),
        received=1_000_000 + number,
        producer_seq=number * 7,
        samples=number % 50,
    )


def entries(numbers: range) -> list[Entry]:
    return [entry(number) for number in numbers]


def same(records: Sequence[Record], numbers: range) -> bool:
    """These records are those entries, byte by byte."""
    return [as_entry(record) for record in records] == entries(numbers)


def as_entry(record: Record) -> Entry:
    return Entry(
        stream=record.stream,
        kind=record.kind,
        payload=record.payload,
        received=record.received,
        producer_seq=record.producer_seq,
        samples=record.samples,
    )
