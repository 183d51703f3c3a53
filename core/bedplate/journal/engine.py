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
    """first: oldest position still held, 0 when none is · appended/synced: newest positions, 0 before the first; they
    stay when their records are trimmed · bytes: on disk, `free` of them ready for new records · oldest: `received` (ns
    UTC) of the oldest record, 0 when none is held · syncs, bytes_written (to the block device), records and samples:
    since the start · damaged: records that a read left out because of a wrong checksum · failed: why it stopped taking
    records, empty when it works · full: why connectors must wait, though it works · limit: bytes that it may take, 0
    when only the disk limits it · room: bytes until it is full · taken: bytes of payload that
    were appended since the start."""

    first: int
    appended: int
    synced: int
    bytes: int
    oldest: int
    syncs: int
    bytes_written: int
    failed: str = ""
    free: int = 0
    records: int = 0
    samples: int = 0
    damaged: int = 0
    full: str = ""
    limit: int = 0
    room: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """Records that were on disk and can't be had any more. first, last: their positions, 0: not known · stream,
    first_seq, last_seq, samples, since, until (`received`, ns UTC): empty or 0 where not known · reason: in words."""

    first: int
    last: int
    reason: str
    stream: str = ""
    first_seq: int = 0
    last_seq: int = 0
    samples: int = 0
    since: int = 0
    until: int = 0


class Engine(Protocol):
    """One owner at a time. All methods are called on the event loop of the kernel; none blocks it for long."""

    epoch: int

    @property
    def pending_bytes(self) -> int:
        """Bytes of payload and state that are appended and not yet synced."""

    @property
    def backlogged(self) -> bool:
        """More is pending than the engine should hold in memory: give producers no credit until it is False."""

    @property
    def held(self) -> str:
        """Why connectors that keep what they have should bring nothing now, in words, empty when they may: what is
        pending, a limit, the disk. Whatever else is appended is taken all the same, so that readers advance."""

    @property
    def leaves_out(self) -> str:
        """Why there is no place, not even in memory, for what connectors bring that can't be had again; empty while
        there is. What its device won't say twice is then numbered with `leave_out` instead of being appended."""

    @property
    def spent(self) -> bool:
        """What is kept for others than connectors is used up too: who has nothing left to read writes nothing."""

    async def open(self) -> None:
        """Takes the journal. Raises JournalError with one clear reason (in use, not writable, newer format)."""

    async def close(self) -> None:
        """Syncs and lets go. Legal after a failed `open`, and twice."""

    def append(self, entries: Sequence[Entry], commit: Commit | None = None) -> list[Record]:
        """Gives each entry its position and its seq in (stream, epoch), at once, and keeps it in memory for the next
        sync. Records and commit reach the disk in one step, in order of the calls. Raises JournalError when failed."""

    def leave_out(self, entries: Sequence[Entry]) -> list[Record]:
        """Gives each entry its seq in (stream, epoch) and the position 0: it is in no journal, and whoever brings it
        declares that. Never fails."""

    def sync_soon(self) -> None:
        """Somebody waits: sync as soon as the one under way is done, not at the next interval."""

    async def synced(self, position: int, *, now: bool = True) -> None:
        """Returns when this position is on disk; with now, also asks for it. Raises JournalError when it never will."""

    async def read(
        self, after: int, *, records: int = 1000, size: int = 1 << 20, ahead: bool = False
    ) -> list[Record]:
        """Synced records after a position, oldest first, at most so many and about so many bytes of payload; at least
        one when there is one. Starts at the oldest record when that position is no longer held.
        A record whose checksum is wrong is left out and counted (`JournalState.damaged`); only when all those up to
        the newest synced one are, nothing is returned though `wait` did, and the reader goes on from what `wait` said.
        ahead: while the disk takes nothing, also what is only in memory. For those alone whose cursor is in this
        journal: what a crash takes of the one it takes of the other.
        Raises JournalError when the disk cannot be read."""

    async def wait(self, after: int, *, ahead: bool = False) -> int:
        """Returns the newest synced position as soon as it is larger than this one; ahead: as for `read`. Raises
        JournalError when failed."""

    async def cursor(self, reader: str) -> tuple[int, dict[str, bytes]]:
        """A reader's committed position and states; (0, {}) for a new one. Syncs first, so that a reader that starts
        again finds everything it ever committed."""

    def advance(self, position: int) -> None:
        """Makes the next record take a position above this one. For a reader whose cursor is ahead of a journal that
        was deleted. Ignored when it already would."""

    async def trim(self, upto: int) -> None:
        """Forgets records up to and including this position, synced ones only. Records of kind TAGS of an epoch stay
        in `tables` until no record of that epoch is held; those of the present epoch always stay."""

    async def tables(self, epoch: int) -> list[Record]:
        """All synced records of kind TAGS of an epoch, in order, trimmed ones too; empty for an epoch not held."""

    def losses(self) -> list[Loss]:
        """What was found lost since the last call, for somebody who declares it."""

    def state(self) -> JournalState:
        """How it stands; costs no I/O."""
