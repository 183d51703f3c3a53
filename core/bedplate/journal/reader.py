"""Everything that reads from the journal file. Blocking; a connection and a thread of its own, beside the writer's."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from bedplate.journal.chunk import DamagedHead, last_of, unpack
from bedplate.journal.damage import Damage
from bedplate.journal.database import connect, mark
from bedplate.model import Record


class Reader:
    """damage: what it could not read, and what is not where it should be."""

    def __init__(self, path: Path, damage: Damage) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._damage = damage

    def open(self, connection: sqlite3.Connection | None = None) -> None:
        """connection: one that changes nothing, for who does not own the file. Raises sqlite3.Error."""
        self._connection = connection or connect(self._path)
        self._connection.execute("PRAGMA query_only = ON")

    def read(self, after: int, upto: int, records: int, size: int) -> list[Record]:
        """Records above `after` up to and including `upto`, oldest first. Raises sqlite3.Error."""
        found: list[Record] = []
        with closing(self.all(after)) as stored:
            for record in stored:
                if record.position > upto:
                    break
                found.append(record)
                size -= len(record.payload)
                if len(found) >= records or size <= 0:
                    break
        return found

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The rows of an answer. Raises sqlite3.Error."""
        return self._db.execute(question).fetchall()

    def tables(self, epoch: int) -> list[Record]:
        """Records of kind TAGS of this epoch, in order. Raises sqlite3.Error."""
        rows = self._db.execute(
            "SELECT last, head, body FROM tags WHERE epoch = ? ORDER BY last", (epoch,)
        )
        return [
            record
            for last, head, body in rows
            for record in self._unpack(last - 1, last, head, body)
        ]

    def cursor(self, reader: str) -> tuple[int, dict[str, bytes]]:
        """Position and states. Raises sqlite3.Error."""
        rows = self._db.execute(
            "SELECT position, key, state FROM cursors LEFT JOIN states USING (reader) WHERE reader = ?",
            (reader,),
        ).fetchall()
        position = rows[0][0] if rows else 0
        return position, {key: state for _, key, state in rows if key is not None}

    def close(self) -> None:
        """Legal when not open."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the journal is not open")
        return self._connection

    @property
    def floor(self) -> int:
        """Up to here everything was forgotten. Raises sqlite3.Error."""
        return mark(self._db, "floor")

    def all(self, after: int) -> Generator[Record]:
        """All records above a position, one after the other. Holds a snapshot of the file until it is closed. Raises
        sqlite3.Error."""
        rows = self._db.execute(
            "SELECT last, head, body FROM chunks WHERE last > ? ORDER BY last", (after,)
        )
        try:
            before = after
            for last, head, body in rows:
                for record in self._unpack(before, last, head, body):
                    if record.position > after:
                        yield record
                before = last
        finally:
            rows.close()

    def _unpack(self, before: int, last: int, head: bytes, body: bytes) -> list[Record]:
        """The good records of a chunk. before: the position that its first one follows, unless some are missing."""
        try:
            records, damaged = unpack(head, body)
            whole = last_of(head) == last
        except DamagedHead:
            whole = False
        if not whole:
            self._damage.missing(before + 1, last, "their checksum does not fit")
            return []
        self._damage.unreadable(damaged, "their checksum does not fit")
        first = min(r.position for r in (*records[:1], *damaged[:1]))
        if first > before + 1:
            self._damage.missing(before + 1, first - 1, "they are not in the journal")
        return records
