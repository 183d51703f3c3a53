"""Record: one entry of the journal, its body still encoded.

Position orders a journal; (stream, epoch, seq) names a record in it for ever.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Body(enum.IntEnum):
    """What a record carries; numbers are the field numbers of bedplate.record.v1.Record.body."""

    BATCH = 10
    EVENT = 11
    GAP = 12
    TAGS = 13


@dataclass(frozen=True, slots=True)
class Record:
    """received: ns UTC; payload: the serialised body; samples: how many a batch holds;
    0: not a batch, or not counted (records that came over the wire)."""

    position: int
    stream: str
    epoch: int
    seq: int
    received: int
    kind: Body
    payload: bytes
    producer_seq: int = 0
    crc: int = 0
    samples: int = 0

    @property
    def component(self) -> str:
        return self.stream.rpartition("/")[0]
