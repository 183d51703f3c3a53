"""Catalogue: which segments there are, what they hold, how far the journal is in them. One small SQLite file.

Every change is one transaction, synced when it returns: files and cursor can't disagree. A file that is not in here is
no part of the history. Not thread-safe; the owner holds the lock. It judges no Parquet file and deletes none.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from bedplate.errors import Invalid
from bedplate.model import DataType
from bedplate_history.segment import Segment
from bedplate_history.tags import StoredTag
from bedplate_history.tail import StoredEvent

FORMAT = 1
COLUMNS = ", ".join(field.name for field in fields(Segment))
TABLES = f"""
CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), cursor INTEGER NOT NULL);
INSERT OR IGNORE INTO progress VALUES (1, 0);
CREATE TABLE IF NOT EXISTS segments ({COLUMNS}, PRIMARY KEY (file));
CREATE TABLE IF NOT EXISTS tags (number INTEGER PRIMARY KEY, path TEXT, data_type INTEGER, about TEXT);
CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY, source TEXT, time INTEGER, kind INTEGER, payload BLOB);
CREATE INDEX IF NOT EXISTS events_by_time ON events (time);
CREATE TABLE IF NOT EXISTS set_aside ({COLUMNS}, why TEXT);
PRAGMA user_version = {FORMAT};
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction does. cursor: None leaves it; events_before: forget events older than this time, ns UTC;
    set_aside: why the removed segments are no longer used, empty when nothing is lost with them."""

    added: Sequence[Segment] = ()
    removed: Sequence[Segment] = ()
    tags: Sequence[StoredTag] = ()
    events: Sequence[StoredEvent] = ()
    cursor: int | None = None
    events_before: int | None = None
    set_aside: str = ""


class Catalogue:
    """An open catalogue. Raises sqlite3.DatabaseError when the file is none, Invalid when a newer version made it."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(file)
        except BaseException:
            self._database.close()
            raise

    def _prepare(self, file: Path) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > FORMAT:
            raise Invalid(
                f"{file} was written by a newer version of this plugin (format {version}); install that one",
                pointer="/folder",
            )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        (verdict,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        self._database.executescript(f"BEGIN; {TABLES} COMMIT;")

    def close(self) -> None:
        self._database.close()

    def cursor(self) -> int:
        (cursor,) = self._database.execute("SELECT cursor FROM progress").fetchone()
        return int(cursor)

    def segments(self) -> list[Segment]:
        """In the order of the journal."""
        rows = self._database.execute(f"SELECT {COLUMNS} FROM segments ORDER BY first_position")
        return [Segment(*row) for row in rows]

    def tags(self) -> list[StoredTag]:
        rows = self._database.execute(
            "SELECT number, path, data_type, about FROM tags ORDER BY number"
        )
        return [
            StoredTag(number, path, DataType(kind), about) for number, path, kind, about in rows
        ]

    def commit(self, change: Change) -> None:
        """All of it or, on any exception, nothing. Raises sqlite3.Error."""
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            self._apply(change)
            database.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise

    def _apply(self, change: Change) -> None:
        execute = self._database.execute
        for segment in change.removed:
            execute("DELETE FROM segments WHERE file = ?", (segment.file,))
            if change.set_aside:
                self._insert("set_aside", [(*astuple(segment), change.set_aside)])
        self._insert("segments", map(astuple, change.added))
        self._insert("tags", ((t.number, t.path, int(t.data_type), t.about) for t in change.tags))
        self._insert("events", map(astuple, change.events))
        if change.cursor is not None:
            execute("UPDATE progress SET cursor = ?", (change.cursor,))
        if change.events_before is not None:
            execute("DELETE FROM events WHERE time < ?", (change.events_before,))

    def _insert(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        for row in rows:
            marks = ", ".join("?" * len(row))
            self._database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)
