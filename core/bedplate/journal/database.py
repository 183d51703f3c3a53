"""The journal's SQLite file: what makes it ours, its tables, and how a connection to it must be set up.

It reads the format from the file's header before SQLite sees the file, because SQLite would tidy up (roll back, move
the write-ahead log) in a file that this version must not touch. So `create` runs before the write-ahead log is
switched on, and what it writes is in the header for good.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bedplate.durable import sync_folder
from bedplate.errors import JournalError

FORMAT = 1
APPLICATION = 0x42504A4C  # "BPJL", in SQLite's application_id
PAGE = 4096
FILE = "journal.sqlite3"

MAGIC = b"SQLite format 3\0"
VERSION_AT, APPLICATION_AT = 60, 68  # in the header: the SQLite file format, §1.3

TABLES = f"""
BEGIN EXCLUSIVE;
CREATE TABLE chunks (last INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE tags (epoch INTEGER NOT NULL, last INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE cursors (reader TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE states (reader TEXT, key TEXT, state BLOB NOT NULL, PRIMARY KEY (reader, key)) WITHOUT ROWID;
CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
COMMIT;
"""


def inspect(path: Path) -> None:
    """Raises JournalError when the file is another program's or of a newer format: these are never moved. Reads 100
    bytes, changes nothing."""
    if not path.exists():
        return
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(MAGIC):
        return  # new, broken, or killed while it was being created: SQLite rolls that back
    version = int.from_bytes(header[VERSION_AT : VERSION_AT + 4], "big")
    application = int.from_bytes(header[APPLICATION_AT : APPLICATION_AT + 4], "big")
    if application not in {0, APPLICATION}:
        raise JournalError(f"{path} belongs to another program: choose another folder")
    if version > FORMAT:
        raise JournalError(
            f"{path} was written by a newer Bedplate (format {version}, this one knows up to {FORMAT}): "
            "start the newer one, or choose another folder"
        )


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, for one thread at a time."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")  # a commit returns when it survives a power cut
    connection.execute(
        "PRAGMA secure_delete = OFF"
    )  # else trimming writes as much as appending did
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, neither the file nor what lies beside it. Without a log nobody has the file
    open, and so nothing changes under who reads it. Raises sqlite3.Error."""
    alone = not path.with_name(path.name + "-wal").exists()
    where = f"{path.resolve().as_uri()}?mode=ro" + ("&immutable=1" if alone else "")
    connection = sqlite3.connect(where, uri=True, timeout=30, isolation_level=None)
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Creates the tables in a new file, and switches the write-ahead log on. Raises JournalError."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            raise JournalError("the file belongs to another program: choose another folder")
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.executescript(TABLES)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalError(
            "no write-ahead log can be kept there (a network drive?): choose a local folder"
        )
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # the writer does it when nobody waits
    connection.execute(f"PRAGMA journal_size_limit = {32 << 20}")


def settle(folder: Path) -> None:
    """Makes the names of the files in this folder, and its own, survive a power cut. Raises OSError."""
    for place in (folder, folder.parent):
        sync_folder(place)


def mark(connection: sqlite3.Connection, name: str) -> int:
    """A number that the journal keeps of itself: floor, epoch; 0: none, or what can't be one, as a broken file may say.
    Raises sqlite3.Error."""
    row = connection.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
    plausible = row and isinstance(row[0], int) and 0 <= row[0] < 1 << 62
    return int(row[0]) if plausible else 0
