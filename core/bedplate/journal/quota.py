"""How much the journal may take: a size, and a floor below which the disk's free space must not fall.

Rule: the limit binds what connectors bring. What is derived, events, gaps and cursors have a reserve below it, so that
readers always advance and make room. Once full it stays full until there is some room, so that sources do not flutter.
It only measures and says so; those who bring values ask it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

RESERVE_SHARE, RESERVE_MOST = 10, 64 << 20  # a tenth of the size, at most so many bytes
AGAIN_SHARE, AGAIN_MOST = 20, 16 << 20  # room that must come back before it counts as room
FLOOR_SHARE, FLOOR_MOST = 20, 256 << 20  # the floor without a word of the operator


def disk_free(folder: Path) -> tuple[int, int]:
    """Bytes that this process may still write there, and bytes of the whole disk. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize


class Quota:
    """size: bytes that records and states may take, None: any · min_free: bytes that stay free on the disk, 0: none is
    seen to, None: 5 % of it, at most 256 MiB. full: why connectors must wait, "" when they need not · spent: the
    reserve is used up too · room: bytes until it is full."""

    def __init__(
        self,
        folder: Path,
        size: int | None = None,
        min_free: int | None = None,
        free: Callable[[Path], tuple[int, int]] = disk_free,
    ) -> None:
        self._folder, self._size, self._min_free, self._free = folder, size, min_free, free
        self.full = ""
        self.spent = False
        self.room = 0

    def look(self, used: int, reusable: int) -> None:
        """used: bytes in use in the file · reusable: bytes that are free within it."""
        sides = [side for side in (self._of_size(used), self._of_disk(reusable)) if side]
        self.room = max(0, min((room for room, _, _, _ in sides), default=0))
        limits = [side for side in sides if side[1]]  # without a floor the disk itself says so
        self.spent = any(room + reserve <= 0 for room, reserve, _, _ in limits)
        enough = all(room > (again if self.full else 0) for room, _, again, _ in limits)
        self.full = "" if enough else min(limits)[3]

    def _of_size(self, used: int) -> tuple[int, int, int, str] | None:
        """Room, reserve below it, room that counts again, and the words for none."""
        if self._size is None:
            return None
        reserve = min(self._size // RESERVE_SHARE, RESERVE_MOST)
        words = (
            f"the journal is full (journal.size {_megabytes(self._size)}): readers must catch up"
        )
        again = min(self._size // AGAIN_SHARE, AGAIN_MOST)
        return self._size - reserve - used, reserve, again, words

    def _of_disk(self, reusable: int) -> tuple[int, int, int, str] | None:
        try:
            free, whole = self._free(self._folder)
        except OSError:
            return None
        floor = self._min_free
        if floor is None:
            floor = min(whole // FLOOR_SHARE, FLOOR_MOST)
        words = f"the journal's disk has less than {_megabytes(floor)} free (journal.min_free)"
        return free + reusable - floor, floor, min(floor // AGAIN_SHARE, AGAIN_MOST), words


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 10_000_000 else f"{size / 1e6:,.0f} MB"
