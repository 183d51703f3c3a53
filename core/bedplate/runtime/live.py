"""Live: what was just appended, to everybody who listens, without waiting for the disk.

Keeps the newest records in memory, so that a subscriber who resumes finds no hole between the journal's synced part
and what is not synced yet.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from bedplate.model import Batch, Record

RECENT_RECORDS, RECENT_BYTES = 20_000, 32 << 20
# What is pending is among the recent, so it costs no memory of its own.
PENDING_RECORDS, PENDING_BYTES = RECENT_RECORDS, RECENT_BYTES
PLENTY = 1 << 20  # bytes; as much as one response holds


@dataclass(frozen=True, slots=True)
class Fresh:
    """A record with its batch still in columns, when it has one."""

    record: Record
    batch: Batch | None = None


class Listener:
    """One subscriber's queue. `overrun`: it did not take what was pending, and gets nothing more."""

    def __init__(self) -> None:
        self.pending: deque[Fresh] = deque()
        self.overrun = False
        self._bytes = 0
        self._wake = asyncio.Event()

    def put(self, fresh: Sequence[Fresh]) -> None:
        if self.overrun:
            return
        self.pending.extend(fresh)
        self._bytes += sum(len(f.record.payload) for f in fresh)
        self.overrun = len(self.pending) > PENDING_RECORDS or self._bytes > PENDING_BYTES
        self._wake.set()

    @property
    def plenty(self) -> bool:
        """More is pending than one response holds."""
        return self._bytes >= PLENTY

    async def wait(self) -> None:
        await self._wake.wait()

    def take(self) -> list[Fresh]:
        """All that is pending."""
        taken = list(self.pending)
        self.pending.clear()
        self._bytes = 0
        if not self.overrun:
            self._wake.clear()
        return taken


class Live:
    """Fan-out on the kernel's loop. newest: position of the last record before its time."""

    def __init__(self, newest: int = 0) -> None:
        self._newest = newest
        self._listeners: set[Listener] = set()
        self._recent: deque[Fresh] = deque()
        self._bytes = 0

    def publish(self, fresh: Sequence[Fresh]) -> None:
        """What was appended, in order of position."""
        self._recent.extend(fresh)
        self._bytes += sum(len(f.record.payload) for f in fresh)
        while len(self._recent) > RECENT_RECORDS or self._bytes > RECENT_BYTES:
            self._bytes -= len(self._recent.popleft().record.payload)
        self.tell(fresh)

    def tell(self, fresh: Sequence[Fresh]) -> None:
        """What is in no journal: nobody can resume to it."""
        for listener in self._listeners:
            listener.put(fresh)

    def listen(self, after: int | None = None) -> tuple[Listener, int]:
        """A listener for all from now on, or after a position as far as memory reaches. Returns it with the position
        that its first record comes after; what lies between must be read from the journal."""
        listener = Listener()
        kept = [] if after is None else self._kept(after)
        listener.put(kept)
        newest = self._recent[-1].record.position if self._recent else self._newest
        start = kept[0].record.position - 1 if kept else newest
        self._listeners.add(listener)
        return listener, start

    def _kept(self, after: int) -> list[Fresh]:
        """The newest records after a position, half of what may be pending at most: what comes while the rest is read
        from the journal needs room too."""
        kept: list[Fresh] = []
        size = 0
        for fresh in reversed(self._recent):
            size += len(fresh.record.payload)
            full = size > PENDING_BYTES // 2 or len(kept) >= PENDING_RECORDS // 2
            if full or fresh.record.position <= after:
                break
            kept.append(fresh)
        return kept[::-1]

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def age(self, position: int, now: int) -> float:
        """Seconds since the first record after this position was taken; 0 when there is none."""
        first = next((f.record for f in self._recent if f.record.position > position), None)
        return max(0.0, (now - first.received) / 1e9) if first else 0.0

    @property
    def listeners(self) -> int:
        return len(self._listeners)
