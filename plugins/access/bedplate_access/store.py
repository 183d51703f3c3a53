"""The one SQLite file: identities, tokens, certificates, the deny-list, the CA, and what was changed by whom.

Rule: each change is one transaction with a sentence in `changes`, which can be added to and nothing else. Secrets do
not get in: of a token the SHA-256, of a password the argon2id hash. Any process of the same user (or root) may write
while the module reads: the next look finds it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedplate import strict_json
from bedplate_access.folder import Folder, give_away
from bedplate_access.roster import Certificate, Identity, Roster, Token

VERSION = 1
BUSY = 1.0  # s that one writer waits for another
SCHEMA = """
CREATE TABLE identities (name TEXT PRIMARY KEY, roles TEXT NOT NULL, groups TEXT NOT NULL, password TEXT NOT NULL,
  disabled INTEGER NOT NULL, created INTEGER NOT NULL, last_used INTEGER NOT NULL) STRICT;
CREATE TABLE tokens (id TEXT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, roles TEXT NOT NULL,
  paths TEXT NOT NULL, bound TEXT NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL,
  created INTEGER NOT NULL, last_used INTEGER NOT NULL) STRICT;
CREATE TABLE certificates (fingerprint TEXT PRIMARY KEY, name TEXT NOT NULL, serial TEXT NOT NULL,
  expires INTEGER NOT NULL, revoked INTEGER NOT NULL, created INTEGER NOT NULL, last_used INTEGER NOT NULL) STRICT;
CREATE TABLE denied (fingerprint TEXT PRIMARY KEY) STRICT;
CREATE TABLE authorities (n INTEGER PRIMARY KEY AUTOINCREMENT, pem TEXT NOT NULL) STRICT;
CREATE TABLE changes (n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL,
  text TEXT NOT NULL) STRICT;
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, 'changes are only added'); END;
CREATE TRIGGER changes_last BEFORE DELETE ON changes BEGIN SELECT RAISE(ABORT, 'changes are only added'); END;
PRAGMA user_version = 1;
"""
USED = {
    "identities": "UPDATE identities SET last_used = max(last_used, ?) WHERE name = ?",
    "tokens": "UPDATE tokens SET last_used = max(last_used, ?) WHERE id = ?",
    "certificates": "UPDATE certificates SET last_used = max(last_used, ?) WHERE fingerprint = ?",
}


@dataclass(frozen=True, slots=True)
class Change:
    """n: from 1, in order · by: who did it, on this machine."""

    n: int
    at: int
    by: str
    text: str


class Store:
    """One connection. Not for two threads at once. Raises OSError when the file can't be used, whatever SQLite says."""

    def __init__(self, folder: Folder) -> None:
        """Opens what is there. Raises FileNotFoundError, PermissionError for what others may read, OSError."""
        self.folder = folder
        folder.check()
        if not folder.store.exists():
            raise FileNotFoundError(f"{folder.store}: nobody is known yet; bedplate access init")
        with telling(folder.store):
            self._db = sqlite3.connect(
                folder.store, timeout=BUSY, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA trusted_schema = OFF")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            self.close()
            raise OSError(f"{folder.store} is of version {version}, this reads {VERSION}")

    @classmethod
    def create(cls, folder: Folder) -> Store:
        """A new one, empty. Raises FileExistsError, OSError."""
        folder.prepare()
        beside = folder.store.with_name(f".{folder.store.name}.{os.getpid()}.new")
        os.close(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            give_away(beside, folder.path)
            with telling(beside), contextlib.closing(sqlite3.connect(beside)) as db:
                db.executescript(f"BEGIN;{SCHEMA}COMMIT;")
            os.link(beside, folder.store)  # whole, or not there; and never over another one
        finally:
            beside.unlink()
        return cls(folder)

    def close(self) -> None:
        self._db.close()

    # --- reading ---

    def version(self) -> int:
        """Another number whenever somebody else has written."""
        with telling(self.folder.store):
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def roster(self) -> Roster:
        """Everything, at one moment."""
        with telling(self.folder.store), self._transaction("DEFERRED"):
            return Roster(
                {row["name"]: _identity(row) for row in self._rows("SELECT * FROM identities")},
                {bytes(row["digest"]): _token(row) for row in self._rows("SELECT * FROM tokens")},
                {
                    row["fingerprint"]: _certificate(row)
                    for row in self._rows("SELECT * FROM certificates")
                },
                frozenset(row["fingerprint"] for row in self._rows("SELECT * FROM denied")),
                tuple(
                    row["pem"] for row in self._rows("SELECT * FROM authorities ORDER BY n DESC")
                ),
            )

    def changes(self, after: int = 0) -> list[Change]:
        """In order."""
        with telling(self.folder.store):
            found = self._db.execute("SELECT * FROM changes WHERE n > ? ORDER BY n", (after,))
            return [Change(*row) for row in found]

    def _rows(self, statement: str) -> Iterator[dict[str, Any]]:
        found = self._db.execute(statement)
        names = [column[0] for column in found.description]
        for row in found:
            yield dict(zip(names, row, strict=True))

    # --- writing ---

    @contextlib.contextmanager
    def change(self, at: int, by: str, text: str) -> Iterator[Callable[..., int]]:
        """One transaction with its sentence: gives a function that runs a statement and returns its count of rows."""
        with telling(self.folder.store), self._transaction("IMMEDIATE"):
            yield lambda statement, *values: self._db.execute(statement, values).rowcount
            self._db.execute("INSERT INTO changes (at, by, text) VALUES (?, ?, ?)", (at, by, text))

    def used(self, uses: Mapping[tuple[str, str], int]) -> None:
        """When somebody came in last, by (table, key); no change. One transaction."""
        with telling(self.folder.store), self._transaction("IMMEDIATE"):
            for (table, key), at in uses.items():
                self._db.execute(USED[table], (at, key))

    @contextlib.contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._db.execute(f"BEGIN {kind}")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise


@contextlib.contextmanager
def telling(file: Path) -> Iterator[None]:
    """What SQLite has against it, or what is in it that nobody here wrote, as an OSError that names the file."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise OSError(f"{file}: {error}") from error
    except (ValueError, TypeError) as error:
        raise OSError(f"{file} holds what can't be read: {error}") from error


def listed(text: str) -> tuple[str, ...]:
    return tuple(map(str, strict_json.loads(text)))


def _identity(row: dict[str, Any]) -> Identity:
    lists = {name: listed(row[name]) for name in ("roles", "groups")}
    return Identity(**{**row, **lists, "disabled": bool(row["disabled"])})


def _token(row: dict[str, Any]) -> Token:
    lists = {name: listed(row[name]) for name in ("roles", "paths")}
    return Token(**{**row, **lists, "revoked": bool(row["revoked"])})


def _certificate(row: dict[str, Any]) -> Certificate:
    return Certificate(**{**row, "revoked": bool(row["revoked"])})
