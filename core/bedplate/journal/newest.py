"""The newest position that was ever on disk, in a file of its own: what tells a journal that lost its end from one
that never had it.

Written after each sync and not synced itself, so it may be too low after a power cut, never too high.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path

FILE = "newest"


class Newest:
    """Blocking; the writer's thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._file = -1

    def open(self) -> int:
        """The position noted last; 0 when there is none, or it can't be read. Raises OSError."""
        self.close()
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        return _position(os.pread(self._file, 12, 0))

    def note(self, position: int) -> None:
        """A full disk is no reason to fail: the journal has said so already."""
        number = position.to_bytes(8, "little")
        with suppress(OSError):
            os.pwrite(self._file, number + zlib.crc32(number).to_bytes(4, "little"), 0)

    def close(self) -> None:
        """Legal when not open."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def noted(folder: Path) -> int:
    """The same for who only looks."""
    try:
        return _position((folder / FILE).read_bytes())
    except OSError:
        return 0


def _position(noted: bytes) -> int:
    whole = len(noted) == 12 and zlib.crc32(noted[:8]) == int.from_bytes(noted[8:], "little")
    return int.from_bytes(noted[:8], "little") if whole else 0
