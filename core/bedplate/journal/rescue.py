"""A journal file that is broken is moved aside, and what could be read of it goes on in a new one. Blocking.

Rule: the new file is made whole under another name before the old one is moved, and a swap that was interrupted is
finished at the next start, so that at any moment one of the two is there. Nothing of the old file is deleted.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from bedplate.journal.chunk import DamagedHead, chunk_of, last_of, pack, unpack
from bedplate.journal.database import connect, prepare, settle
from bedplate.model import Record

PART, NEW, BROKEN = ".part", ".new", ".broken-"
ERRORS_MOST = 20_000  # places that can't be read, after which the rest counts as lost
COPY = {  # table, columns
    "tags": "epoch, last, head, body",
    "cursors": "reader, position",
    "states": "reader, key, state",
    "marks": "name, value",
}

Row = tuple[int, Any, Any]  # as SQLite says it; a broken file may say anything


def rescue(
    path: Path, name: str, before: int, known: Sequence[Record], tables: Sequence[Record] = ()
) -> Path:
    """Puts a new file in the place of this one. before: up to which position records are taken from it · known: those
    above, from memory · tables: of the present epoch, likewise · name: what makes the name of the broken one unique.
    Returns where that is now. Raises sqlite3.Error, OSError when the new file can't be written; then nothing has
    changed."""
    part = _beside(path, PART)
    _remove(part)
    with closing(connect(part)) as new:
        prepare(new)
        new.execute("PRAGMA synchronous = OFF")  # it is synced as a whole below
        new.execute("BEGIN")
        with suppress(sqlite3.DatabaseError, OSError), closing(_reading(path)) as old:
            _copy(old, new, before, known[-1].position if known else before)
        rows = [(record.epoch, *chunk_of([record])) for record in tables]
        new.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)", rows)
        new.executemany("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", pack(known))
        new.execute("COMMIT")
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _sync(part)
    _remove(_beside(path, NEW))
    part.rename(_beside(path, NEW))
    settle(path.parent)
    return _swap(path, name)


def finish(path: Path, name: str) -> None:
    """Finishes, or undoes, a rescue that was interrupted. Raises OSError."""
    _remove(_beside(path, PART))
    if _beside(path, NEW).exists():
        _swap(path, name)


def _swap(path: Path, name: str) -> Path:
    broken = path.with_name(f"{path.name}{BROKEN}{name}")
    for ending in ("-wal", "-shm", ""):  # the log first: it must never lie beside the new file
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(broken.with_name(broken.name + ending))
    _beside(path, NEW).rename(path)
    settle(path.parent)
    return broken


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, before: int, known: int) -> None:
    """All but the records above `before` up to `known`, which memory has. What a failed sync left above them is taken
    too: cursors and states of its turn are, and must never be ahead of the records they came with."""
    for table, columns in COPY.items():
        marks = ", ".join("?" * len(columns.split(",")))
        with suppress(sqlite3.DatabaseError):
            for row in old.execute(f"SELECT {columns} FROM {table}"):
                with suppress(sqlite3.IntegrityError, sqlite3.DataError):
                    new.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)
    for row in _chunks(old):
        if row[0] <= before:
            new.execute("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", row)
        else:  # it reaches into what is known from memory
            with suppress(DamagedHead):
                records = unpack(row[1], row[2])[0]
                for part in (
                    [r for r in records if r.position <= before],
                    [r for r in records if r.position > known],
                ):
                    new.executemany("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", pack(part))


def _chunks(old: sqlite3.Connection) -> Iterator[Row]:
    """Every chunk that can be read and is where it says to be, in order."""
    position, errors = -1, 0
    while errors < ERRORS_MOST:
        try:
            row = _next(old, position)
        except sqlite3.DatabaseError:
            errors += 1
            following = _readable(old, position)
            if following is None:
                return
            position = following
            continue
        if row is None:
            return
        position = row[0]
        if _sound(row):
            yield row


def _next(old: sqlite3.Connection, position: int) -> Row | None:
    found = old.execute(
        "SELECT last, head, body FROM chunks WHERE last > ? ORDER BY last LIMIT 1", (position,)
    ).fetchone()
    return found if found is None else (found[0], found[1], found[2])


def _readable(old: sqlite3.Connection, position: int) -> int | None:
    """The lowest position from which reading works again, found by doubling and halving; None: nowhere."""
    step = 1
    while not _works(old, position + step):
        step *= 2
        if position + step >= 1 << 62:
            return None
    low, high = position + step // 2, position + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _works(old, middle) else (middle, high)
    return high


def _works(old: sqlite3.Connection, position: int) -> bool:
    try:
        return _next(old, position) is not None
    except sqlite3.DatabaseError:
        return False


def _sound(row: Row) -> bool:
    """Its key is what its head says; a damaged head is kept, for the reader to count."""
    try:
        return last_of(row[1]) == row[0]
    except DamagedHead:
        return isinstance(row[1], bytes) and isinstance(row[2], bytes)


def _reading(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
