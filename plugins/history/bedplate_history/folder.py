"""The folder of a history: who owns it, what lies in it, what is put aside.

samples/     the segments, one Parquet file each; nothing else belongs here
set-aside/   what could not be used, under its old name; never read again, never deleted
spill/       what a large query does not hold in memory; emptied at start
catalogue.sqlite, lock
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bedplate import strict_json
from bedplate_history.segment import ABOUT, NAME, VALUES, Segment, bit_set
from bedplate_history.tags import StoredTags


class Folder:
    """One history's own; a second one is kept out by a lock that dies with its process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.samples = root / "samples"
        self.aside = root / "set-aside"
        self.spill = root / "spill"
        self.catalogue = root / "catalogue.sqlite"
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Makes what is missing and takes the folder. Raises OSError when it can't, or another has it."""
        for place in (self.root, self.samples, self.aside):
            place.mkdir(parents=True, exist_ok=True)
        lock = (self.root / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise OSError(f"{self.root} is in use by another history (process {owner})") from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock
        shutil.rmtree(self.spill, ignore_errors=True)
        self.spill.mkdir()

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def sizes(self) -> dict[str, int]:
        """Name → bytes of what lies among the segments; folders count as -1."""
        with os.scandir(self.samples) as entries:
            return {
                e.name: e.stat(follow_symlinks=False).st_size
                if e.is_file(follow_symlinks=False)
                else -1
                for e in entries
            }

    def set_aside(self, file: Path) -> None:
        """Moves a file out of the way, beside what lies there already. A file that is gone is no error."""
        target, number = self.aside / file.name, 0
        while target.exists():
            number += 1
            target = self.aside / f"{file.name}.{number}"
        try:
            file.rename(target)
        except FileNotFoundError:
            return

    def whole(self, segment: Segment, sizes: dict[str, int]) -> str:
        """Why a segment's file can't be what was sealed, judged cheaply; empty when it can."""
        size = sizes.get(segment.file)
        if size is None:
            return "is missing"
        if size != segment.size:
            return f"has {size} bytes instead of {segment.size}"
        with (self.samples / segment.file).open("rb") as file:
            file.seek(-4, os.SEEK_END)
            return "" if file.read() == b"PAR1" else "does not end like a Parquet file"

    def readable(self, segment: Segment) -> str:
        """Why a segment's file can't be read, by reading all of it and its checksums; empty when it can."""
        try:
            with self.parquet(segment.file) as file:
                for group in range(file.num_row_groups):
                    file.read_row_group(group)
        except (OSError, pa.ArrowException) as error:
            return f"can't be read: {first_line(error)}"
        return ""

    def parquet(self, name: str) -> Any:
        """An open file that checks its checksums, paths as dictionaries. Raises OSError or pyarrow.ArrowException."""
        return pq.ParquetFile(
            self.samples / name, read_dictionary=["path"], page_checksum_verification=True
        )

    def describe(self, name: str, tags: StoredTags) -> Segment:
        """What a sealed file says of itself; its tags get numbers. Raises OSError or pyarrow.ArrowException when it is
        not whole, KeyError or ValueError when this plugin did not write it."""
        with self.parquet(name) as file:
            about = strict_json.loads((file.metadata.metadata or {})[ABOUT])
            numbers: set[int] = set()
            for group in range(file.num_row_groups):
                numbers |= _numbers(file.read_row_group(group), tags)
        present = np.zeros(max(numbers, default=-1) + 1, np.bool_)
        present[list(numbers)] = True
        size = (self.samples / name).stat().st_size
        return Segment(file=name, size=size, tags=bit_set(present), **about)


def _numbers(table: Any, tags: StoredTags) -> set[int]:
    """Numbers of the tags in a table of segment rows."""
    paths = table.column("path").combine_chunks()
    names = paths.dictionary.to_pylist()
    found: set[int] = set()
    for kind, value in VALUES.items():
        used = paths.indices.filter(table.column(value.name).combine_chunks().is_valid()).unique()
        found |= {tags.number(names[index], kind) for index in used.to_pylist()}
    return found


def is_segment(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def is_ours(name: str) -> bool:
    """Whether a name is one that only this plugin gives: a segment, or one that was not finished."""
    return is_segment(name.removesuffix(".tmp"))


def disjoint(segments: Iterable[Segment]) -> tuple[list[Segment], list[Segment]]:
    """Those that hold each position once, and those that the others contain (what a merge left behind)."""
    kept: list[Segment] = []
    contained: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (s.first_position, -s.last_position)):
        over = not kept or segment.first_position > kept[-1].last_position
        (kept if over else contained).append(segment)
    return kept, contained


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
