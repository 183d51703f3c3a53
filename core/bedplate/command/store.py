"""Commands on disk: one small SQLite file beside the journal, with what was asked for once and what became of it.

Rule: what it has taken survives a power cut when the call returns. A file that is damaged or newer is never moved or
begun anew: without it a repeat would be sent twice, so nothing is written until somebody has looked. All methods block.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bedplate.command.command import Command, State, Verdict
from bedplate.contracts import Subject
from bedplate.durable import make_folder, sync_folder
from bedplate.errors import BedplateError

FILE = "commands.sqlite"
FORMAT = 1
APPLICATION = 0x4250434D  # "BPCM", in SQLite's application_id
KEPT_NS = 7 * 86_400_000_000_000
KEPT_LEAST = 10_000  # commands, whatever a clock says of their age
SCHEMA = f"""
BEGIN EXCLUSIVE;
CREATE TABLE commands (number INTEGER PRIMARY KEY AUTOINCREMENT, who TEXT NOT NULL, id TEXT NOT NULL,
    content TEXT NOT NULL, state INTEGER NOT NULL, told INTEGER NOT NULL, submitted INTEGER NOT NULL,
    body TEXT NOT NULL, UNIQUE (who, id));
CREATE INDEX unfinished ON commands (number) WHERE told = 0;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
COMMIT;
"""
PUT = """
INSERT INTO commands (who, id, content, state, told, submitted, body) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (who, id) DO UPDATE SET state = excluded.state, told = excluded.told, body = excluded.body
"""
_ROW = "SELECT content, told, body FROM commands"


class StoreError(BedplateError):
    """The file can't be used."""


@dataclass(frozen=True, slots=True)
class Kept:
    """content: hash of what was asked for · told: its end is in the audit log."""

    command: Command
    content: str
    told: bool = True


class Store:
    """file: None keeps everything in memory."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Raises StoreError, sqlite3.Error, OSError."""
        fresh = False
        if self._file is not None:
            make_folder(self._file.parent, 0o700)
            fresh = not self._file.exists()
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(
            self._file or ":memory:", timeout=5, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(db)
            if self._file is not None and fresh:
                sync_folder(self._file.parent)
        except (StoreError, sqlite3.Error, OSError):
            db.close()
            raise
        self._db = db

    def _prepare(self, db: sqlite3.Connection) -> None:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > FORMAT or application not in (0, APPLICATION):
            why = "of a newer Bedplate" if application == APPLICATION else "another program's"
            raise StoreError(f"{self._file} is {why}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if version == 0:
            db.executescript(SCHEMA)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def write(self, rows: Sequence[Kept]) -> None:
        """All of them or none, on disk; no rows: tries whether it can. Raises sqlite3.Error, OSError, StoreError."""
        db = self._open_db()
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany(PUT, [_row(kept) for kept in rows])
            if not rows:
                db.execute(f"PRAGMA user_version = {FORMAT}")
            db.execute("COMMIT")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def find(self, who: str, command_id: str) -> Kept | None:
        found = (
            self._open_db()
            .execute(f"{_ROW} WHERE who = ? AND id = ?", (who, command_id))
            .fetchone()
        )
        return _kept(found) if found else None

    def unfinished(self) -> list[Kept]:
        """Those without an end that the audit log has, oldest first."""
        return [
            _kept(row) for row in self._open_db().execute(f"{_ROW} WHERE told = 0 ORDER BY number")
        ]

    def newest(self, count: int) -> list[Kept]:
        """The newest first."""
        return [
            _kept(row)
            for row in self._open_db().execute(f"{_ROW} ORDER BY number DESC LIMIT ?", (count,))
        ]

    def forget(self, now: int) -> None:
        """What is older than a week and not among the newest ones. now: ns UTC."""
        self._open_db().execute(
            "DELETE FROM commands WHERE told = 1 AND submitted < ? AND number <= "
            "(SELECT max(number) FROM commands) - ?",
            (now - KEPT_NS, KEPT_LEAST),
        )

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            self.open()
        assert self._db is not None
        return self._db


def _row(kept: Kept) -> tuple[Any, ...]:
    one = kept.command
    key = (one.by.id, one.command_id, kept.content, int(one.state), int(kept.told), one.submitted)
    return (*key, json.dumps(_plain(one), allow_nan=True))


def _kept(row: tuple[str, int, str]) -> Kept:
    content, told, body = row
    return Kept(_command(json.loads(body)), content, bool(told))


_VALUES = ("value", "old", "read_back")
_SUBJECT = ("id", "method", "peer", "credential")
_TEXTS = ("command_id", "tag", "text", "rule", "intent", "reason", "unit", "submitted", "ended")


def _plain(command: Command) -> dict[str, Any]:
    whole: dict[str, Any] = {name: getattr(command, name) for name in _TEXTS}
    whole |= {name: _value(getattr(command, name)) for name in _VALUES}
    whole["state"] = int(command.state)
    whole["checks"] = [[one.name, one.passed, one.text] for one in command.checks]
    for name in ("by", "approved_by"):
        subject = getattr(command, name)
        whole[name] = subject and {part: getattr(subject, part) for part in _SUBJECT}
    return whole


def _command(whole: dict[str, Any]) -> Command:
    made = Command(
        **{name: whole[name] for name in _TEXTS},
        value=_valued(whole["value"]),
        state=State(whole["state"]),
        by=Subject(**whole["by"]),
        checks=tuple(Verdict(*one) for one in whole["checks"]),
    )
    approver = whole["approved_by"]
    return replace(
        made,
        old=_valued(whole["old"]),
        read_back=_valued(whole["read_back"]),
        approved_by=Subject(**approver) if approver else None,
    )


def _value(value: Any) -> Any:
    return {"blob": value.hex()} if isinstance(value, bytes) else value


def _valued(value: Any) -> Any:
    return bytes.fromhex(value["blob"]) if isinstance(value, dict) else value
