"""The key of the next line, on disk. The one before it is overwritten: who reads the disk can't write the past anew.

Two slots of a sector each. The new key is synced into one before the other is emptied, so that a power cut leaves at
least one. The log is synced before the key goes on: a key behind its log is a crash and is brought up to it, one ahead
of its log means that lines were taken away. What a drive keeps below its own bookkeeping is out of reach. Blocking.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from bedplate.audit.chain import next_key
from bedplate.private import put_private

NAME = "audit.key"
SECTOR = 512
_SLOT = struct.Struct("<4s8sQ32s16s")  # magic, segment, index, key, check
_MAGIC = b"BPK1"


@dataclass(frozen=True, slots=True)
class Key:
    """segment: 16 hex digits, names the run of keys that this one belongs to · index: of the line it is for."""

    segment: str
    index: int
    key: bytes

    def at(self, index: int) -> Key:
        """The same run at a later line."""
        return Key(self.segment, index, next_key(self.key, index - self.index))


class KeyFile:
    """<folder>/audit.key. Every method raises OSError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def load(self) -> Key | None:
        """None: there is none, or none that can be read."""
        try:
            content = self._read()
        except FileNotFoundError:
            return None
        found = [key for at in (0, SECTOR) if (key := _parse(content[at : at + SECTOR]))]
        return max(found, key=lambda key: key.index, default=None)

    def begin(self, key: Key) -> None:
        """The first of a run."""
        put_private(self.path, _slot(key) + bytes(SECTOR))

    def advance(self, key: Key) -> None:
        """This key is on disk, and those before it are not."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            first = _parse(os.pread(descriptor, SECTOR, 0))
            new, old = (SECTOR, 0) if first else (0, SECTOR)
            os.pwrite(descriptor, _slot(key), new)
            os.fdatasync(descriptor)
            os.pwrite(descriptor, bytes(SECTOR), old)
        finally:
            os.close(descriptor)

    def forget(self) -> None:
        """There is no key any more; best effort."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def _read(self) -> bytes:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, 2 * SECTOR, 0)
        finally:
            os.close(descriptor)


def _slot(key: Key) -> bytes:
    segment = bytes.fromhex(key.segment)
    check = _check(segment, key.index, key.key)
    return _SLOT.pack(_MAGIC, segment, key.index, key.key, check).ljust(SECTOR, b"\0")


def _parse(slot: bytes) -> Key | None:
    if len(slot) < _SLOT.size:
        return None
    magic, segment, index, key, check = _SLOT.unpack_from(slot)
    if magic != _MAGIC or check != _check(segment, index, key):
        return None
    return Key(segment.hex(), index, key)


def _check(segment: bytes, index: int, key: bytes) -> bytes:
    return hashlib.sha256(segment + index.to_bytes(8, "big") + key).digest()[:16]
