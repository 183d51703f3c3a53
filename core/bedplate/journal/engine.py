"""What an engine of the journal promises. `embedded` (SQLite) is the first; every engine passes the same suite.

Positions are one u64 for the whole journal, without holes, rising. A record is *appended* when it has a position, and
*synced* when it survives a power cut. Readers see synced records only: a reader that stored position p would otherwise
skip the record that takes p after a crash. Live subscribers do not go through the engine and need not wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bedplate.model import Body, Record


@dataclass(frozen=True, slots=True)
class Entry:
    """A record before it has a position. payload: the serialised body; samples: how many a batch holds."""

    stream: str
    kind: Body
    payload: bytes
    received: int
    producer_seq: int = 0
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Commit:
    """What a reader commits together with the records it produced. states: only what changed; b"" forgets a key."""

    reader: str
    position: int
    states: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalState:
    """first: oldest position still held, appended/synced: newest ones, 0 when empty · bytes: on disk · samples and
    records since the start · oldest: `received` (ns UTC) of the oldest record, 0 when empty · failed: why it stopped
    taking records, empty when it works."""

    first: int
    appended: int
    synced: int
    bytes: int
    oldest: int
    syncs: int
    bytes_written: int
    failed: str = ""


class Engine(Protocol):
    """One owner at a time. All methods are called on the event loop of the kernel; none blocks it for long."""

    epoch: int

    async def open(self) -> None:
        """Takes the journal. Raises JournalError with one clear reason (in use, not writable, newer format)."""

    async def close(self) -> None:
        """Syncs and lets go. Legal after a failed `open`, and twice."""

    def append(self, entries: Sequence[Entry], commit: Commit | None = None) -> list[Record]:
        """Gives each entry its position and its seq in (stream, epoch), at once, and keeps it in memory for the next
        sync. Records and commit reach the disk in one step, in order of the calls. Raises JournalError when failed."""

    def sync_soon(self) -> None:
        """Somebody waits: sync as soon as the one under way is done, not at the next interval."""

    async def synced(self, position: int, *, now: bool = True) -> None:
        """Returns when this position is on disk; with now, also asks for it. Raises JournalError when it will not be."""

    async def read(self, after: int, *, records: int = 1000, size: int = 1 << 20) -> list[Record]:
        """Synced records after a position, oldest first, at most so many and about so many bytes of payload; at least
        one when there is one. Starts at the oldest record when that position is no longer held.
        A record whose checksum is wrong is left out and counted as a gap (declared with issue 4)."""

    async def wait(self, after: int) -> int:
        """Returns the newest synced position as soon as it is larger than this one."""

    async def cursor(self, reader: str) -> tuple[int, dict[str, bytes]]:
        """A reader's committed position and states; (0, {}) for a new one."""

    def advance(self, position: int) -> None:
        """Makes the next record take a position above this one. For a reader whose cursor is ahead of a journal that
        was deleted. Ignored when it already would."""

    async def trim(self, upto: int) -> None:
        """Forgets records up to and including this position. Records of kind TAGS of an epoch stay until no record of
        that epoch is held."""

    async def tables(self, epoch: int) -> list[Record]:
        """All records of kind TAGS of an epoch, in order."""

    def state(self) -> JournalState:
        """How it stands; costs no I/O."""
