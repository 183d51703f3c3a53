"""SQLite files: known by their head, copied by SQLite itself while others write, judged, and set to a new epoch."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from bedplate.backup.sealed import BackupError
from bedplate.journal.database import MAGIC

BESIDE = ("-wal", "-shm", "-journal")
STEP = (
    1 << 32
)  # ns, 4 s: at least so far is a copy's epoch from any that its original may still take


def is_database(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def copy(source: Path, target: Path) -> None:
    """One moment of the source, whatever is written to it meanwhile; nobody is held up. Raises BackupError."""
    target.touch(0o600, exist_ok=False)
    try:
        with (
            closing(_connected(source)) as there,
            closing(sqlite3.connect(target, isolation_level=None)) as here,
        ):
            there.backup(here)  # in one step: one read transaction, which WAL gives a standing view
            here.execute("PRAGMA journal_mode = DELETE")  # the copy is one file
    except sqlite3.Error as error:
        raise BackupError(f"{source} can't be copied: {error}") from None


def problem(file: Path) -> str:
    """What SQLite finds wrong with it; empty for nothing."""
    try:
        with closing(_connected(file)) as database:
            (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return "" if verdict == "ok" else str(verdict)


def new_epoch(journal: Path, now: int, random: int) -> int:
    """Moves the epoch of a restored journal beyond now by a random step, and returns it: what the copy and what it was
    copied from write from here on has no name in common, even where both have lost their clock.

    now: ns UTC; random: 40 bits."""
    with closing(_connected(journal)) as database:
        row = database.execute("SELECT value FROM marks WHERE name = 'epoch'").fetchone()
        epoch = max(row[0] if row else 0, now) + STEP + random
        database.execute("REPLACE INTO marks (name, value) VALUES ('epoch', ?)", (epoch,))
    return int(epoch)


def _connected(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(file))}?mode=rw", uri=True, timeout=30, isolation_level=None
    )
