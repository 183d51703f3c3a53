"""One owner of a folder at a time: an flock, which the operating system lets go of when its owner dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bedplate.errors import JournalError


class FolderLock:
    """Held from `take` to `release`. The lock file stays; it names the process that held it last."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._file = -1

    def take(self) -> None:
        """Raises JournalError naming the owner when there is one, OSError when the folder does not let us."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise JournalError(
                f"{self.path.parent} is in use by process {owner}: stop it, or choose another folder"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    @property
    def lost(self) -> bool:
        """Its file, or the whole folder, was taken away under it."""
        try:
            return self._file >= 0 and not os.path.samestat(os.fstat(self._file), self.path.stat())
        except FileNotFoundError:
            return True
        except OSError:  # who knows
            return False

    def release(self) -> None:
        """Legal when not held."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
