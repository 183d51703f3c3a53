"""Everything that writes to the journal file. Blocking; one thread calls it; it decides nothing about when.

After any error the connection counts as broken: what SQLite or the kernel still holds of it is not known, so nothing
is tried again on it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bedplate.journal.chunk import DamagedHead, chunk_of, first_above, pack
from bedplate.journal.database import PAGE, connect, mark, prepare
from bedplate.journal.turn import Turn
from bedplate.model import Body

CHECKPOINT = 16 << 20  # bytes in the log; what is trimmed meanwhile is never moved out of it
CHECK_MOST = 64 << 20  # bytes of a file that is checked as a whole at the start
TURN_COST = 6 * PAGE  # pages that a turn touches besides its payload, roughly
TRIM_STEP = 64  # chunks; a larger step would make waiting syncs wait longer
SPARE = 64 << 20  # bytes free in the file before giving any back is considered
COMPACT_MOST = 32 << 20  # bytes in use that are worth rewriting to give the free ones back

MARK = (
    "INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"
)
CURSOR = "INSERT INTO cursors VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position"
STATE = "INSERT INTO states VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state"
# what is written again after an error replaces itself
KEEP = "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)"
KEEP_TABLE = "INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)"
FORGET = "DELETE FROM states WHERE reader = ? AND key = ?"
OLDEST = "SELECT last FROM chunks WHERE last <= ? ORDER BY last LIMIT ?"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the file holds. last: newest position it ever held; first, oldest (`received`): 0 when it holds no
    record; floor: what is not above it was trimmed."""

    epoch: int = 0
    last: int = 0
    first: int = 0
    oldest: int = 0
    floor: int = 0


class Writer:
    """The one connection that writes. bytes: of the file and its log; free: of these, ready for new records;
    used: in use in the file, what is still in the log included."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._connection: sqlite3.Connection | None = None
        self._broken = ""
        self._io = -1
        self._epoch = 0
        self._logged = 0
        self.bytes = 0
        self.free = 0
        self.used = 0

    def open(self, now: int) -> Standing:
        """Starts a new epoch, on disk before this returns. now: ns UTC. Raises JournalError, sqlite3.Error, OSError."""
        self.connect()
        self._check()
        with suppress(OSError):  # without it, `bytes_written` says 0
            self._io = os.open("/proc/thread-self/io", os.O_RDONLY)
        self._epoch = max(mark(self._db, "epoch") + 1, now)
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(MARK, ("epoch", self._epoch))
        self._forget_tables(self._db, mark(self._db, "floor"))
        self._db.execute("COMMIT")
        self._measure()
        return self.standing()

    def connect(self) -> None:
        """A new connection, after an error too; the epoch stays. Raises JournalError, sqlite3.Error."""
        self.disconnect()
        self._broken = ""
        self._connection = connect(self._path)
        prepare(self._connection)

    def disconnect(self) -> None:
        """Legal when there is none, and after an error."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(sqlite3.Error):
                connection.close()

    def _check(self) -> None:
        """Raises sqlite3.DatabaseError when the file is not whole. A large one is checked as it is read."""
        size = self._path.stat().st_size
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        if not self._log.exists() and pages * PAGE > size:
            raise sqlite3.DatabaseError(f"{pages * PAGE - size:,} bytes of the file are missing")
        if size <= CHECK_MOST:
            (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(" ".join(verdict.split()))

    def standing(self) -> Standing:
        """Raises sqlite3.Error."""
        floor = mark(self._db, "floor")
        (newest,) = self._db.execute("SELECT max(last) FROM chunks").fetchone()
        first, oldest, _ = self._oldest(floor)
        return Standing(self._epoch, max(newest or 0, floor), first, oldest, floor)

    def write(self, turn: Turn) -> None:
        """One transaction, synced. Raises sqlite3.Error."""
        kept = [(*key, state) for key, state in turn.states.items() if state]
        gone = [key for key, state in turn.states.items() if not state]
        with self._trying() as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(KEEP, pack(turn.records))
            for record in turn.records:
                if record.kind is Body.TAGS:
                    row = (record.epoch, *chunk_of([record]))
                    database.execute(KEEP_TABLE, row)
            database.executemany(CURSOR, turn.cursors.items())
            database.executemany(STATE, kept)
            database.executemany(FORGET, gone)
            database.execute("COMMIT")
        self._logged += turn.size + TURN_COST
        self._measure()

    @property
    def checkpoint_is_due(self) -> bool:
        return self._logged >= CHECKPOINT

    def checkpoint(self) -> None:
        """Moves the write-ahead log into the file, as far as no reader is in the way. Raises sqlite3.Error."""
        self._logged = 0
        with self._trying() as database:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._measure()

    def trim(self, upto: int) -> bool:
        """One step: forgets chunks that hold nothing above this position. True when none is left to forget.

        Raises sqlite3.Error.
        """
        with self._trying() as database:
            done = self._trim_step(database, upto)
            if done:
                self._compact(database)
        self._logged += TURN_COST
        self._measure()
        return done

    def _trim_step(self, database: sqlite3.Connection, upto: int) -> bool:
        database.execute("BEGIN IMMEDIATE")
        database.execute(MARK, ("floor", upto))
        delete = database.execute(f"DELETE FROM chunks WHERE last IN ({OLDEST})", (upto, TRIM_STEP))
        done = delete.rowcount < TRIM_STEP
        if done:
            self._forget_tables(database, upto)
        database.execute("COMMIT")
        return done

    def _forget_tables(self, database: sqlite3.Connection, floor: int) -> None:
        """Of epochs of which no record is held; the present one is."""
        _, _, epoch = self._oldest(floor)
        database.execute("DELETE FROM tags WHERE epoch < ?", (epoch or self._epoch,))

    def written(self) -> int:
        """Bytes this thread gave to the block device since `open`, as the operating system counts them."""
        if self._io < 0:
            return 0
        for line in os.pread(self._io, 1000, 0).splitlines():
            if line.startswith(b"write_bytes:"):
                return int(line[12:])
        return 0

    def close(self) -> None:
        """Legal when not open, and after an error."""
        if self._io >= 0:
            os.close(self._io)
            self._io = -1
        self.disconnect()

    @contextmanager
    def _trying(self) -> Generator[sqlite3.Connection, None, None]:
        """The connection, unless something failed on it before. Raises sqlite3.Error."""
        if self._broken:
            raise sqlite3.OperationalError(self._broken)
        try:
            yield self._db
        except sqlite3.Error as error:
            self._broken = str(error)
            raise

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the journal is not open")
        return self._connection

    def _oldest(self, floor: int) -> tuple[int, int, int]:
        """Position, received and epoch of the oldest record above the floor; zeros when there is none."""
        rows = self._db.execute("SELECT head FROM chunks WHERE last > ? ORDER BY last", (floor,))
        try:
            for (head,) in rows:
                with suppress(DamagedHead):
                    if found := first_above(head, floor):
                        return found
            return 0, 0, 0
        finally:
            rows.close()

    def _compact(self, database: sqlite3.Connection) -> None:
        """Gives free pages back, when they are many and what is in use is little: after a backlog has drained.

        Pages that a steady flow frees are used again by it. Automatic vacuum would write a tenth more, always.
        """
        self._measure()
        if self.free > SPARE + 4 * self.used and self.used <= COMPACT_MOST:
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._measure()

    def _measure(self) -> None:
        """Sizes of the files, and what is free in them."""
        log = self._log.stat().st_size if self._log.exists() else 0
        self.bytes = self._path.stat().st_size + log
        (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        self.free, self.used = free * PAGE, (pages - free) * PAGE
