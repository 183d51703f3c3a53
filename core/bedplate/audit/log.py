"""The log of a running kernel: records become lines of the chain, synced, and are never changed. Blocking.

Order of a write: the lines, their sync, the next key, its sync. A crash between any two leaves a log that verifies:
what was synced is there, what was not may be torn and is told by the next line, and a key that is behind is brought up
to the log. A file that has grown large is put aside under the time of its end; `retention` alone may delete one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bedplate.audit.chain import seal
from bedplate.audit.entry import Entry, Stamps
from bedplate.audit.files import CURRENT, sealed_files
from bedplate.audit.key_file import Key, KeyFile
from bedplate.audit.opening import RESTORED, Opening, begin
from bedplate.audit.tail import STOP, Tail
from bedplate.durable import make_folder, sync_folder

ROTATE_BYTES = 16 << 20
Records = Sequence[Mapping[str, Any]]


class ChainLog:
    """Appends to <folder>/audit.jsonl. random: makes keys · told: what the first line of a start says."""

    def __init__(
        self,
        folder: Path,
        stamps: Stamps,
        rotate_bytes: int = ROTATE_BYTES,
        random: Callable[[int], bytes] = secrets.token_bytes,
        told: str = "",
    ) -> None:
        self.folder, self.path = folder, folder / CURRENT
        self.tail = Tail()
        self.found: int | None = None  # last line that the first opening found
        self._stamps, self._rotate_bytes = stamps, rotate_bytes
        self._random, self._told = random, told
        self._keys = KeyFile(folder)
        self._key: Key | None = None
        self._key_due = False  # the key on disk is behind
        self._own: Records = ()  # what it has to say itself
        self._started = False
        self._descriptor = -1
        self._size = 0

    def open(self) -> Records:
        """Finds out whether it can be written, and says that it starts. Returns that. Raises OSError."""
        return self.append(())

    def append(self, records: Records) -> Records:
        """One line each, whole or not at all as far as the disk allows, synced. Returns what was written, with index
        and hash, its own notes too. Raises OSError: nothing was written."""
        self._ready()
        written, lines, tail, key = self._sealed([*self._own, *records])
        if not lines:
            return []
        try:
            self._write(lines)
            os.fsync(self._descriptor)
        except OSError:
            self._take_back()
            raise
        self._own, self.tail, self._size, self._started = (), tail, self._size + len(lines), True
        self._key, self._key_due = key, True
        with contextlib.suppress(
            OSError
        ):  # told by the next write, before it writes: these are safe
            self._advance()
            self._settle()
        if self._size > self._rotate_bytes:
            with contextlib.suppress(OSError):  # then the file grows on
                self._put_aside()
        return written

    def close(self) -> Records:
        """The last line says that nothing is missing after it. Returns it."""
        written: Records = ()
        if self._started:
            stop = self._stamps.record(Entry(STOP, "noted", text="in order"))
            with contextlib.suppress(OSError):
                written = self.append([stop])
        self._let_go()
        return written

    def _sealed(self, records: Records) -> tuple[Records, bytes, Tail, Key]:
        assert self._key
        key, tail, parts, written = self._key, self.tail, [], []
        for record in records:
            index = max(tail.index + 1, key.index)
            key = key.at(index)
            line, hash_ = seal(record, index, tail.head, key.key)
            parts.append(line)
            written.append({"index": index, **record, "hash": hash_})
            action, segment = str(record["action"]), str(record.get("segment", tail.segment))
            tail = Tail(index, hash_, segment, action)
            key = key.at(index + 1)
        return written, b"".join(parts), tail, key

    def _ready(self) -> None:
        if self._descriptor >= 0 and self._moved():
            self._let_go()
        if self._descriptor < 0:
            self._open()
        if self._key_due:
            self._advance()

    def _moved(self) -> bool:
        """Somebody took the file away, or changed its size."""
        try:
            there, ours = os.stat(self.path), os.fstat(self._descriptor)
        except OSError:
            return True
        return there.st_ino != ours.st_ino or ours.st_size != self._size

    def _open(self) -> None:
        make_folder(self.folder, 0o700)
        _refuse_open_to_others(os.stat(self.folder), self.folder)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "is no file", str(self.path))
            _refuse_open_to_others(found, self.path)
            self._find_end(descriptor, found.st_size)
            sync_folder(self.folder)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _find_end(self, descriptor: int, size: int) -> None:
        content = os.pread(descriptor, size, 0)
        opening = Opening.of(content, sealed_files(self.folder), self._keys.load(), self.folder)
        if content and not content.endswith(b"\n"):
            os.write(descriptor, b"\n")
        self._size = os.fstat(descriptor).st_size
        self.tail, self._key = opening.tail, opening.key
        self.found = opening.tail.index if self.found is None else self.found
        notes = [self._stamps.record(entry, **more) for entry, more in opening.notes()]
        if self._key is None:
            self._key, entry, more = begin(opening, self._keys, self.folder, self._random)
            self.tail = replace(self.tail, segment=self._key.segment)
            notes.insert(0, self._stamps.record(entry, **more))
        if not self._started:
            notes.append(self._stamps.record(opening.start(self._told)))
        self._own = notes

    def _advance(self) -> None:
        assert self._key
        self._keys.advance(self._key)
        self._key_due = False

    def _settle(self) -> None:
        """What a restore left to be said is said."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.folder / RESTORED)

    def _write(self, lines: bytes) -> None:
        view = memoryview(lines)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _take_back(self) -> None:
        """So that lines tried again are not there twice; best effort on a disk that fails."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self._size)
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _put_aside(self) -> None:
        ended = datetime.fromtimestamp(self._stamps.time_ns() / 1e9, UTC)
        aside = self.path.with_name(f"audit-{ended.strftime('%Y%m%dT%H%M%S.%fZ')}.jsonl")
        if aside.exists():  # the file just grows on until the next moment
            return
        self._let_go()
        os.rename(self.path, aside)
        sync_folder(self.folder)


def _refuse_open_to_others(found: os.stat_result, path: Path) -> None:
    if found.st_mode & 0o022:
        mode = found.st_mode & 0o777
        raise OSError(0, f"may be written by others (mode {mode:04o}): chmod go-w it", str(path))
