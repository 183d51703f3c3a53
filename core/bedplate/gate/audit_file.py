"""The audit log on disk: lines are appended, synced, and never changed. Blocking; called on a thread.

A file that has grown large is put aside under the time of its end and a new one begun; none is ever deleted here. A
line torn by a power cut stays as it is, and the next one begins on a line of its own.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bedplate.durable import make_folder, sync_folder

NAME = "audit.jsonl"
ROTATE_BYTES = 16 << 20


class AuditFile:
    """Appends to <folder>/audit.jsonl. now: ns UTC, names the files put aside."""

    def __init__(
        self, folder: Path, now: Callable[[], int], rotate_bytes: int = ROTATE_BYTES
    ) -> None:
        self.path = folder / NAME
        self._now = now
        self._rotate_bytes = rotate_bytes
        self._descriptor = -1

    def append(self, lines: bytes) -> None:
        """Lines with their line ends, whole or not at all as far as the disk allows, synced. Raises OSError."""
        if self._descriptor < 0:
            self._open()
        size = os.fstat(self._descriptor).st_size
        try:
            self._write(lines)
            os.fsync(self._descriptor)
        except OSError:
            self._take_back(size)
            raise
        if size + len(lines) > self._rotate_bytes:
            with contextlib.suppress(OSError):  # then the file grows on; the lines are safe
                self._put_aside()

    def open(self) -> None:
        """Finds out whether it can be written. Raises OSError."""
        if self._descriptor < 0:
            self._open()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        folder = self.path.parent
        make_folder(folder, 0o700)
        _refuse_open_to_others(os.stat(folder), folder)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "is no file", str(self.path))
            _refuse_open_to_others(found, self.path)
            if found.st_size and os.pread(descriptor, 1, found.st_size - 1) != b"\n":
                os.write(descriptor, b"\n")
            sync_folder(folder)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _write(self, lines: bytes) -> None:
        view = memoryview(lines)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _take_back(self, size: int) -> None:
        """So that lines tried again are not there twice; best effort on a disk that fails."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, size)
        self.close()

    def _put_aside(self) -> None:
        ended = datetime.fromtimestamp(self._now() / 1e9, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self.close()
        aside = self.path.with_name(f"audit-{ended}.jsonl")
        if not aside.exists():  # else the file just grows on until the next second
            os.rename(self.path, aside)
            sync_folder(self.path.parent)


def _refuse_open_to_others(found: os.stat_result, path: Path) -> None:
    if found.st_mode & 0o022:
        mode = found.st_mode & 0o777
        raise OSError(0, f"may be written by others (mode {mode:04o}): chmod go-w it", str(path))
