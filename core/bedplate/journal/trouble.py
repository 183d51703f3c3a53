"""What is the matter with the journal's disk, and when to try again. Decides what an error means; touches no file."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

from bedplate.journal.quota import disk_free

FIRST, LAST = 0.5, 30.0  # s between two new files; a full disk is looked at every FIRST
ROOM = 1 << 20  # bytes of which a disk that is not full has more
FSYNC = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC)
NO_FAULT_OF_THE_FILE = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_MISUSE,
}  # fmt: skip


def broken(error: BaseException) -> bool:
    """Whether the file itself is to blame, so that nothing is tried on it again."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return type(error) is sqlite3.DatabaseError
    return code & 0xFF not in NO_FAULT_OF_THE_FILE


def no_room(error: BaseException, folder: Path) -> bool:
    """Whether the disk was full. A failed sync never counts as that: what it left behind is not known."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in FSYNC:
        return False
    if code & 0xFF == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) in (
        errno.ENOSPC,
        errno.EDQUOT,
    ):
        return True
    try:
        return code & 0xFF == sqlite3.SQLITE_IOERR and disk_free(folder)[0] < ROOM
    except OSError:
        return False


class Trouble:
    """text: what is the matter, empty when nothing is."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self.text = ""
        self._error: BaseException = RuntimeError()
        self._renew = False
        self._wait, self._at = FIRST, 0.0

    @property
    def due(self) -> bool:
        """Somebody should try again."""
        return bool(self.text) and self._now() >= self._at

    def met(self, error: BaseException, text: str, renew: bool) -> None:
        """An error. renew: only a new file will do; that stays so until one is there."""
        self._renew = renew or (self._renew and bool(self.text))
        self._error, self.text = error, text
        self._at = max(self._at, self._now())

    def tried(self) -> tuple[BaseException, bool]:
        """Somebody tries: the error, and whether in a new file."""
        if self._renew:
            self._wait = min(2 * self._wait, LAST)
        self._at = self._now() + (self._wait if self._renew else FIRST)
        return self._error, self._renew

    @property
    def renews(self) -> bool:
        """Only a new file will do."""
        return self._renew

    def renewed(self) -> None:
        """There is a new file."""
        self._renew = False

    def again(self, text: str) -> None:
        """It did not work."""
        self.text = text

    def over(self) -> None:
        """The disk has taken something."""
        self.text, self._renew, self._wait, self._at = "", False, FIRST, 0.0
