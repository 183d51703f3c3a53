"""Archive: the sealed segments as they are now, and the one place that changes them.

A change goes to the catalogue first, then becomes visible at once. Files that a change took out are deleted when no
view is left that may still read them; a crash before that leaves them to the next start, which knows them by their
absence from the catalogue.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bedplate_history.catalogue import Catalogue, Change
from bedplate_history.folder import Folder, disjoint, first_line, is_ours, is_segment
from bedplate_history.segment import Segment
from bedplate_history.tags import StoredTags

Note = Callable[[str], None]


class Segments(tuple[Segment, ...]):
    """Segments in the order of the journal, with their times in columns. Immutable."""

    first_time: NDArray[np.int64]
    last_time: NDArray[np.int64]

    def __new__(cls, segments: Iterable[Segment] = ()) -> Segments:
        self = super().__new__(cls, sorted(segments, key=lambda s: s.first_position))
        self.first_time = np.array([s.first_time for s in self], np.int64)
        self.last_time = np.array([s.last_time for s in self], np.int64)
        return self

    def within(self, start: int, end: int) -> list[Segment]:
        """Those with samples in [start, end)."""
        found = np.flatnonzero((self.first_time < end) & (self.last_time >= start))
        return [self[index] for index in found.tolist()]


class Archive:
    """lock guards everything that readers see: segments, cursor, tags; it is never held during I/O."""

    def __init__(self, root: Path, note: Note, lock: threading.Condition) -> None:
        self.folder = Folder(root)
        self.lock = lock
        self.segments = Segments()
        self.cursor = 0
        self.tags = StoredTags()
        self._note = note
        self._writing = threading.Lock()
        self._generation = 0
        self._views: Counter[int] = Counter()
        self._doomed: list[tuple[int, str]] = []
        self._catalogue: Catalogue

    def open(self) -> None:
        """Takes the folder and learns what is in it; what can't be used is set aside and noted. Raises OSError when the
        folder is not to be had, Invalid when it is of a newer version."""
        self.folder.open()
        try:
            with as_os_error(self.folder.catalogue):
                self._load()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets go of the folder. Legal after a failed `open`."""
        with self._writing:
            if hasattr(self, "_catalogue"):
                self._catalogue.close()
            self.folder.close()

    # starting ---------------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        try:
            self._catalogue = Catalogue(self.folder.catalogue)
        except sqlite3.DatabaseError as error:
            if isinstance(
                error, sqlite3.OperationalError
            ):  # disk, permissions: the file may be whole
                raise
            self._set_catalogue_aside(error)
        self.cursor = self._catalogue.cursor()
        self.tags = StoredTags(self._catalogue.tags())
        known = self._catalogue.segments()
        sizes = self.folder.sizes()
        if not known and not self.cursor and any(map(is_segment, sizes)):
            known = self._adopt([name for name in sizes if is_segment(name)])
        self.segments = Segments(self._judge(known, sizes))
        self._sweep(sizes)

    def _set_catalogue_aside(self, error: Exception) -> None:
        self._note(
            f"{self.folder.catalogue} is damaged ({first_line(error)}): set aside; what it said is read from the "
            "segments instead, except the events it held"
        )
        for suffix in ("", "-wal", "-shm"):
            self.folder.set_aside(Path(f"{self.folder.catalogue}{suffix}"))
        self._catalogue = Catalogue(self.folder.catalogue)

    def _adopt(self, names: Sequence[str]) -> list[Segment]:
        """Segments of a lost catalogue, as they describe themselves, and the cursor that goes with them."""
        described: list[Segment] = []
        for name in sorted(names):
            try:
                described.append(self.folder.describe(name, self.tags))
            except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
                self._note(f"{name} can't be read ({first_line(error)}): set aside")
                self.folder.set_aside(self.folder.samples / name)
        kept, _ = disjoint(described)
        self.cursor = max((segment.cursor for segment in kept), default=0)
        tags = self.tags.unsaved()
        self._catalogue.commit(Change(added=kept, tags=tags, cursor=self.cursor))
        self.tags.saved(tags)
        return kept

    def _judge(self, segments: Sequence[Segment], sizes: dict[str, int]) -> list[Segment]:
        whole: list[Segment] = []
        for segment in segments:
            if why := self.folder.whole(segment, sizes):
                self._drop(segment, why)
            else:
                whole.append(segment)
        return whole

    def _drop(self, segment: Segment, why: str) -> None:
        self._note(f"{segment.file} {why}: set aside, with {segment.rows} samples")
        self._catalogue.commit(Change(removed=(segment,), set_aside=why))
        self.folder.set_aside(self.folder.samples / segment.file)

    def _sweep(self, sizes: Iterable[str]) -> None:
        """What is not in the catalogue does not stay among the segments."""
        known = {segment.file for segment in self.segments}
        foreign = []
        for name in sizes:
            if name in known:
                continue
            file = self.folder.samples / name
            if is_ours(name) and not file.is_dir():
                file.unlink(missing_ok=True)
            elif file.exists() or file.is_symlink():
                self.folder.set_aside(file)
                foreign.append(name)
        if foreign:
            self._note(
                f"{len(foreign)} foreign in {self.folder.samples}, moved to {self.folder.aside}: "
                + ", ".join(sorted(foreign)[:5])
            )

    # changing ---------------------------------------------------------------------------------------------------------

    def commit(self, change: Change, visible: Callable[[], None] = lambda: None) -> None:
        """Carries a change out. visible: called under the lock, in the moment the change is seen. Raises OSError when
        the catalogue does not take it; nothing has changed then."""
        with self.lock:
            tags = self.tags.unsaved()
        with self._writing, as_os_error(self.folder.catalogue):
            self._catalogue.commit(replace(change, tags=tags))
            with self.lock:
                self.tags.saved(tags)
                gone = {segment.file for segment in change.removed}
                if gone or change.added:
                    kept = (segment for segment in self.segments if segment.file not in gone)
                    self.segments = Segments([*kept, *change.added])
                self.cursor = self.cursor if change.cursor is None else change.cursor
                if gone and not change.set_aside:
                    self._generation += 1
                    self._doomed += [(self._generation, file) for file in gone]
                visible()
        self._bury()

    def set_aside(self, segment: Segment, why: str) -> None:
        """A segment turned out to be unreadable: goes on without it, and says so."""
        with self.lock:
            current = any(one.file == segment.file for one in self.segments)
        if current:
            self.commit(Change(removed=(segment,), set_aside=why))
            self.folder.set_aside(self.folder.samples / segment.file)
            self._note(f"{segment.file} {why}: set aside, with {segment.rows} samples")

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """While it lasts, no file goes that was a segment when it began. Enter with the lock held."""
        generation = self._generation
        self._views[generation] += 1
        try:
            yield
        finally:
            with self.lock:
                self._views[generation] -= 1
                self._views += Counter()
            self._bury()

    def _bury(self) -> None:
        """Deletes files that a change took out, once no view from before it is left."""
        with self.lock:
            oldest = min(self._views, default=self._generation)
            free = [file for generation, file in self._doomed if generation <= oldest]
            self._doomed = [entry for entry in self._doomed if entry[0] > oldest]
        for file in free:
            (self.folder.samples / file).unlink(missing_ok=True)


@contextmanager
def as_os_error(file: Path) -> Iterator[None]:
    """SQLite's errors as what they are for a session: the disk."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f"{file}: {error}") from error
