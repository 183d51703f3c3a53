"""One stretch of records to a reader, also when it refuses some of them for ever: those go to its dead letters.

Rule: a reader that says which record it refuses has taken those before it. One that can't say gets halves, until the
one that it refuses stands alone; what is handed over again meanwhile is the same as after a crash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from bedplate.model import Body, Flag, Record
from bedplate.runtime.dead_letters import DeadLetters
from bedplate.runtime.role import Refusal, Unreachable
from bedplate.wire import decode_batch, encode_batch

# records, the position up to which all were offered; returns the position that is durable
Hand = Callable[[Sequence[Record], int], Awaitable[int]]


async def hand_over(hand: Hand, records: Sequence[Record], until: int, letters: DeadLetters) -> int:
    """Returns the newest position that is durable, 0 when nothing was said. Raises as `hand`, and Unreachable when what
    is refused can't be kept."""
    try:
        return await hand(records, until)
    except Refusal as refusal:
        if not records:
            raise
        return await _around(hand, records, until, letters, refusal)


async def _around(
    hand: Hand, records: Sequence[Record], until: int, letters: DeadLetters, refusal: Refusal
) -> int:
    index = _named(records, refusal)
    if index is None and len(records) > 1:
        middle = len(records) // 2
        first = await hand_over(hand, records[:middle], records[middle - 1].position, letters)
        return max(first, await hand_over(hand, records[middle:], until, letters))
    index = index or 0
    try:
        await letters.put(records[index], refusal.text)
    except OSError as error:
        raise Unreachable(f"what it refuses can't be kept: {error}") from error
    return await hand_over(hand, records[index + 1 :], until, letters)


def _named(records: Sequence[Record], refusal: Refusal) -> int | None:
    """Which of them it refused, if it says so."""
    position = refusal.reply.deliver.refused if refusal.reply.HasField("deliver") else 0
    found: Any = (n for n, record in enumerate(records) if record.position == position)
    return next(found, None)


def historical(record: Record) -> Record:
    """The same with its batch flagged, for whoever must not take it for what is now."""
    if record.kind is not Body.BATCH:
        return record
    batch = decode_batch(record.payload)
    payload = encode_batch(replace(batch, flags=batch.flags | Flag.HISTORICAL))
    return replace(record, payload=payload, crc=0)
