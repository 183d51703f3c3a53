"""A loss as the record that declares it."""

from __future__ import annotations

from bedplate.journal.engine import Entry, Loss
from bedplate.model import Body
from bedplate.record.v1 import record_pb2


def gap_entry(stream: str, reason: str, loss: Loss, now: int) -> Entry:
    """stream: where it stands; now: ns UTC."""
    gap = record_pb2.Gap(
        stream=loss.stream,
        first_seq=loss.first_seq,
        last_seq=loss.last_seq,
        samples=loss.samples,
        to=loss.until,
        reason=reason,
    )
    setattr(gap, "from", loss.since)  # a word of Python's
    return Entry(stream, Body.GAP, gap.SerializeToString(), now)


def words_of_loss(loss: Loss) -> str:
    """For people."""
    if not loss.last:
        return loss.reason
    many = (
        f"records {loss.first:,} to {loss.last:,}"
        if loss.last > loss.first
        else f"record {loss.last:,}"
    )
    of = f" of {loss.stream}" if loss.stream else ""
    return f"{many} of the journal{of} can't be read: {loss.reason}"
