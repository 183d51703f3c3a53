"""Reads the lines of a log in order as they come, through rotations. Blocking; nothing of it is held in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bedplate.audit.chain import Link, link
from bedplate.audit.files import CURRENT, files_of, first_index, whole_lines

PAGE = 500  # lines


class Feed:
    """Lines beyond `index`. What is no line of the chain is left out: `verify` tells of it."""

    def __init__(self, folder: Path, index: int = 0) -> None:
        self._folder = folder
        self.index = index
        self._stream: BinaryIO | None = None

    def read(self, most: int = PAGE) -> list[tuple[Link, bytes]]:
        """The next ones, with their bytes; none: there are no more yet. Raises OSError."""
        found: list[tuple[Link, bytes]] = []
        while len(found) < most:
            if self._stream is None:
                self._stream = self._find()
            if self._stream is None:
                return found
            if (line := _whole(self._stream)) is None:
                if not self._over() or not self._more():
                    return found
                self.close()
            elif (one := link(line)) and one.index > self.index and _ours(one):
                self.index = one.index
                found.append((one, line))
        return found

    def close(self) -> None:
        if self._stream:
            self._stream.close()
            self._stream = None

    def _over(self) -> bool:
        """Nothing more comes into this file: it was put aside, or is gone."""
        assert self._stream
        try:
            there = os.stat(self._folder / CURRENT).st_ino
        except FileNotFoundError:
            return True
        return there != os.fstat(self._stream.fileno()).st_ino

    def _more(self) -> bool:
        return any(first_index(path) > self.index for path in files_of(self._folder))

    def _find(self) -> BinaryIO | None:
        """The file with the next line; the last one when there is none yet."""
        files = [path for path in files_of(self._folder) if first_index(path)]
        fitting = [path for path in files if first_index(path) <= self.index + 1]
        chosen = fitting[-1] if fitting else (files[0] if files else None)
        return open(chosen, "rb") if chosen else None


def _ours(one: Link) -> bool:
    """What somebody else put there is told by `verify`; here it must not be in the way."""
    return one.sound and one.canonical


def _whole(stream: BinaryIO) -> bytes | None:
    at = stream.tell()
    line = stream.readline()
    if not line.endswith(b"\n"):
        stream.seek(at)
        return None
    return line[:-1]


def backwards(place: Path) -> Iterator[tuple[Link, bytes]]:
    """The newest first; of a folder or a file. Raises OSError."""
    for path in reversed(files_of(place)):
        whole = [(one, line) for _, line in whole_lines(path) if (one := link(line)) and _ours(one)]
        yield from reversed(whole)


def forwards(place: Path) -> Iterator[tuple[Link, bytes]]:
    """The oldest first; of a folder or a file. Raises OSError."""
    for path in files_of(place):
        for _, line in whole_lines(path):
            if (one := link(line)) and _ours(one):
                yield one, line
