"""The files of the journal's folder as one: taken, opened, put right, written, let go. Blocking.

What is broken is moved aside here and goes on in a new file. When to try, and what an error means, others decide.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bedplate.journal.damage import Damage
from bedplate.journal.database import FILE, inspect, settle
from bedplate.journal.lock import FolderLock
from bedplate.journal.newest import Newest
from bedplate.journal.reader import Reader
from bedplate.journal.rescue import finish, rescue
from bedplate.journal.trouble import broken
from bedplate.journal.turn import Turn
from bedplate.journal.writer import Standing, Writer
from bedplate.model import Record

FURTHEST = 1 << 62  # position
GONE = "the journal's file was taken away"


class Files:
    """now: ns UTC, the epoch of the next start and the name of what is moved aside."""

    def __init__(self, folder: Path, now: Callable[[], int]) -> None:
        self.folder, self.path, self._now = folder, folder / FILE, now
        self.damage = Damage()
        self.writer, self.reader = Writer(self.path), Reader(self.path, self.damage)
        self._lock, self._newest = FolderLock(folder), Newest(folder)

    def open(self) -> Standing:
        """Raises JournalError, sqlite3.Error, OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.take()
        finish(self.path, str(self._now()))
        inspect(self.path)
        return self._not_before(self._newest.open(), self._open_rescued())

    def _not_before(self, newest: int, standing: Standing) -> Standing:
        """No position is given out twice, though the file lost its end."""
        if newest <= standing.last:
            return standing
        self.damage.missing(standing.last + 1, newest, "the journal's file has lost its end")
        return replace(standing, last=newest)

    def _open_rescued(self) -> Standing:
        try:
            return self._open_database()
        except sqlite3.Error as error:
            if not broken(error):
                raise
            self.writer.close()
            self.reader.close()
            self.renew(error, FURTHEST, (), ())
            return self._open_database()

    def _open_database(self) -> Standing:
        standing = self.writer.open(self._now())
        self.reader.open()
        settle(self.folder)
        return standing

    @property
    def gone(self) -> bool:
        """The folder, or what is in it, is not what was opened."""
        return self._lock.lost

    def renew(
        self, error: BaseException, before: int, known: Sequence[Record], tables: Sequence[Record]
    ) -> None:
        """A new file, as of `rescue`; the old one is moved aside. Raises JournalError, sqlite3.Error, OSError."""
        gone = self.gone or not self.path.exists()
        if self.gone:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.release()
            self._lock.take()
            self._newest.open()
        place = rescue(self.path, str(self._now()), before, known, tables)
        if gone:
            self.damage.file(f"{GONE}; what memory had of it goes on in a new one")
        else:
            text = f"the journal's file was broken ({error}) and is now {place.name}"
            self.damage.file(f"{text}; what could be read of it goes on in a new one")

    def write(self, turn: Turn) -> None:
        """One transaction, synced. Raises sqlite3.Error."""
        self.writer.write(turn)
        if turn.records:
            self._newest.note(turn.records[-1].position)

    def close(self) -> None:
        """Legal when not open, and after an error."""
        try:
            self._newest.close()
            self.writer.close()
        finally:
            self._lock.release()
