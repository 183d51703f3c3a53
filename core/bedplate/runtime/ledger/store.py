"""The ledger on disk: one small SQLite file beside the journal. Windows of counts, gaps, and when the kernel was alive.

Rules: written on a thread of its own, a beat or a window at a time, so that no data waits for it; what was written
survives the kill of the kernel at once, a power cut from the end of its window on. It is bounded: after two weeks
windows are folded into hours, and the oldest are forgotten beyond an age and a number. A file that can't be read is set
aside and a new one begun. All methods here block; `Ledger` calls them on the thread.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate import strict_json
from bedplate.runtime.ledger.columns import packed, unpacked
from bedplate.runtime.ledger.span import Span

HOUR = 3_600_000_000_000
FINE = 14 * 24 * HOUR  # windows older than this are kept by the hour
AGE = 400 * 24 * HOUR
ROWS_MOST = 2_000_000  # windows; about 100 bytes each
GAPS_MOST = 200_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value);
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, component TEXT, digest TEXT, path TEXT, tags BLOB,
    UNIQUE (component, digest));
CREATE TABLE IF NOT EXISTS windows (start INTEGER, source INTEGER, width INTEGER, counts BLOB,
    PRIMARY KEY (start, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (id INTEGER PRIMARY KEY, source INTEGER, reason INTEGER, since INTEGER, until INTEGER,
    tags BLOB, missing INTEGER, filled INTEGER, text TEXT, lasts INTEGER);
CREATE INDEX IF NOT EXISTS gaps_until ON gaps (until);
"""


@dataclass(frozen=True, slots=True)
class SourceKey:
    """Whose columns they are. component: id · path: of the device · tags: paths by local handle, from 1."""

    component: str
    path: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """counts: (ROWS, n + 1) · visit: rises with each window that is begun; counts of one visit replace each other,
    those of another one are added."""

    source: SourceKey
    start: int
    width: int
    counts: NDArray[np.int64]
    visit: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A gap with its number and whose it is."""

    id: int
    source: SourceKey
    span: Span


@dataclass
class Before:
    """What the kernel before left. alive: newest moment at which it ran, ns UTC, 0: never · sources: of its last window
    · open: gaps that lasted then."""

    alive: int = 0
    sources: dict[str, SourceKey] = field(default_factory=dict)
    open: list[Kept] = field(default_factory=list)


class Store:
    """file: None keeps everything in memory."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._ids: dict[SourceKey, int] = {}
        self._keys: dict[int, SourceKey] = {}
        # what was there of the window that a source was written in last, before this visit
        self._base: dict[int, tuple[tuple[int, int], NDArray[np.int64] | None]] = {}

    def open(self) -> Before:
        """Raises sqlite3.Error or OSError when there is no file to be had."""
        try:
            self._connect()
            return self._before()
        except sqlite3.DatabaseError as error:
            if self._file is None or isinstance(error, sqlite3.OperationalError):
                raise
        self._set_aside(self._file)
        self._connect()
        return Before()

    def _connect(self) -> None:
        if self._file:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = sqlite3.connect(self._file or ":memory:", check_same_thread=False)
        for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)

    def _set_aside(self, file: Path) -> None:
        self._db.close()
        for end in ("", "-wal", "-shm"):
            part = file.with_name(file.name + end)
            if part.exists():
                part.replace(part.with_name(part.name + ".broken"))

    def _before(self) -> Before:
        alive = self._meta("alive")
        last = self._meta("window")
        rows = self._db.execute("SELECT source FROM windows WHERE start = ?", (last,)).fetchall()
        sources = [self._key(number) for (number,) in rows]
        open_ = self._gaps("until = 0", ())
        with self._db:
            self._db.execute("UPDATE gaps SET until = ? WHERE until = 0", (alive,))
            self._db.execute("UPDATE gaps SET lasts = 0")
        return Before(alive, {one.component: one for one in sources}, open_)

    def _meta(self, key: str) -> int:
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return int(found[0]) if found else 0

    # --- writing ---

    def write(
        self,
        windows: Sequence[Window],
        ended: Sequence[tuple[SourceKey, Span]],
        lasting: Sequence[tuple[SourceKey, Span]],
        alive: int,
        *,
        sync: bool = False,
    ) -> None:
        """All or nothing. lasting: all gaps that last; those of before are forgotten. Raises sqlite3.Error."""
        self._db.execute(f"PRAGMA synchronous={'FULL' if sync else 'NORMAL'}")
        with self._db:
            for window in windows:
                self._put_window(window)
            self._db.execute("DELETE FROM gaps WHERE lasts = 1")
            for source, span in ended:
                self._put_gap(source, span, lasts=False)
            for source, span in lasting:
                self._put_gap(source, span, lasts=True)
            start = max((one.start for one in windows), default=0)
            told = [("alive", alive), *([("window", start)] if start else [])]
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", told)

    def _put_window(self, window: Window) -> None:
        source = self._id(window.source)
        key = (window.start, window.visit)
        if source not in self._base or self._base[source][0] != key:
            before = self._counts(source, window.start, window.counts.shape[1])
            self._base[source] = (key, before)
        base = self._base[source][1]
        counts = window.counts if base is None else window.counts + base
        self._replace(source, window.start, window.width, counts)

    def _replace(self, source: int, start: int, width: int, counts: NDArray[np.int64]) -> None:
        row = (start, source, width, packed(counts))
        self._db.execute("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?)", row)

    def _counts(self, source: int, start: int, size: int) -> NDArray[np.int64] | None:
        query = "SELECT counts FROM windows WHERE start = ? AND source = ?"
        found = self._db.execute(query, (start, source)).fetchone()
        return unpacked(found[0], size) if found else None

    def _put_gap(self, source: SourceKey, span: Span, *, lasts: bool) -> None:
        tags = None if span.tags is None else json.dumps(span.tags.tolist())
        row = (self._id(source), span.reason, span.since, span.until, tags)
        self._db.execute(
            "INSERT INTO gaps (source, reason, since, until, tags, missing, filled, text, lasts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, span.missing, span.filled, span.text, lasts),
        )

    def _id(self, source: SourceKey) -> int:
        if source not in self._ids:
            paths = json.dumps(source.tags)
            digest = hashlib.sha256(f"{source.path}\n{paths}".encode()).hexdigest()
            row = (source.component, digest, source.path, zlib.compress(paths.encode()))
            self._db.execute(
                "INSERT OR IGNORE INTO sources (component, digest, path, tags) VALUES (?, ?, ?, ?)",
                row,
            )
            query = "SELECT id FROM sources WHERE component = ? AND digest = ?"
            (self._ids[source],) = self._db.execute(query, row[:2]).fetchone()
        return self._ids[source]

    def _key(self, number: int) -> SourceKey:
        if number not in self._keys:
            query = "SELECT component, path, tags FROM sources WHERE id = ?"
            component, path, tags = self._db.execute(query, (number,)).fetchone()
            paths = tuple(strict_json.loads(zlib.decompress(tags)))
            self._keys[number] = SourceKey(component, path, paths)
        return self._keys[number]

    # --- reading ---

    def windows(self, since: int, until: int) -> Iterator[Window]:
        """Those that begin in [since, until), by start."""
        query = (
            "SELECT start, source, width, counts FROM windows WHERE start >= ? AND start < ?"
            " ORDER BY start"
        )
        for start, source, width, counts in self._db.execute(query, (since, until)):
            key = self._key(source)
            yield Window(key, start, width, unpacked(counts, len(key.tags) + 1))

    def gaps(self, since: int, until: int) -> list[Kept]:
        """Those that overlap [since, until), by begin."""
        where = "(until > ? OR until = 0 OR (until = since AND until >= ?)) AND since < ?"
        return self._gaps(where, (since, since, until))

    def _gaps(self, where: str, values: tuple[int, ...]) -> list[Kept]:
        columns = "id, source, reason, since, until, tags, missing, filled, text"
        query = f"SELECT {columns} FROM gaps WHERE {where} ORDER BY since, id"
        return [self._kept(*row) for row in self._db.execute(query, values)]

    def _kept(self, number: int, source: int, reason: int, *rest: Any) -> Kept:
        since, until, tags, missing, filled, text = rest
        local = None if tags is None else np.array(strict_json.loads(tags), np.intp)
        span = Span(reason, since, until, local, missing, filled, text)
        return Kept(number, self._key(source), span)

    # --- what changes afterwards ---

    def amend(self, deltas: Sequence[Window], filled: Sequence[tuple[int, int]]) -> None:
        """What is to be added to the counts of windows that are kept, and (gap, how much of it was filled by now)."""
        with self._db:
            for one in deltas:
                self._add(one)
            self._db.executemany(
                "UPDATE gaps SET filled = ? WHERE id = ?", [(count, gap) for gap, count in filled]
            )

    def _add(self, delta: Window) -> None:
        source, counts = self._id(delta.source), delta.counts
        now = self._counts(source, delta.start, counts.shape[1])
        whole = counts if now is None else now + counts
        self._replace(source, delta.start, delta.width, whole)
        key, base = self._base.get(source, ((0, 0), None))
        if key[0] == delta.start:  # the present window, which will be written again
            self._base[source] = key, counts if base is None else base + counts

    def tidy(self, now: int) -> None:
        """Folds what is old into hours and forgets what is older, or too much."""
        with self._db:
            self._fold(now - FINE)
            for table, most, order in (
                ("windows", ROWS_MOST, "start"),
                ("gaps", GAPS_MOST, "until"),
            ):
                (count,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()
                query = f"SELECT {order} FROM {table} ORDER BY {order} LIMIT 1 OFFSET ?"
                beyond = (
                    self._db.execute(query, (count - most,)).fetchone() if count > most else (0,)
                )
                oldest = max(now - AGE, beyond[0])
                keep = " AND lasts = 0" if table == "gaps" else ""
                self._db.execute(f"DELETE FROM {table} WHERE {order} < ?{keep}", (oldest,))
        self._db.execute("PRAGMA incremental_vacuum")

    def _fold(self, before: int) -> None:
        before = before // HOUR * HOUR
        folded: dict[tuple[int, int], NDArray[np.int64]] = {}
        query = "SELECT start, source, counts FROM windows WHERE start < ? AND width < ?"
        for start, source, counts in self._db.execute(query, (before, HOUR)).fetchall():
            one = unpacked(counts, len(self._key(source).tags) + 1)
            key = (start // HOUR * HOUR, source)
            folded[key] = folded[key] + one if key in folded else one
        self._db.execute("DELETE FROM windows WHERE start < ? AND width < ?", (before, HOUR))
        for (start, source), counts in folded.items():
            self._replace(source, start, HOUR, counts)

    def close(self) -> None:
        self._db.close()
