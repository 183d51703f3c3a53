"""A journal looked at from outside: what its file holds, and what is wrong with it. Changes nothing, and may run beside
the kernel that owns it.

Everything is read and every checksum is computed; what a kernel has declared lost counts apart from what nobody knows
of yet.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bedplate.errors import JournalError
from bedplate.journal.damage import DECLARED, Damage
from bedplate.journal.database import FILE, FORMAT, inspect, read_only
from bedplate.journal.engine import Loss
from bedplate.journal.newest import noted
from bedplate.journal.reader import Reader
from bedplate.model import Body, Record

TROUBLES = 100  # of the file that are told


@dataclass(slots=True)
class StreamCount:
    """Of one stream. first, last: `received`, ns UTC · gaps: declared in it · holes: seqs of one epoch that are missing
    between those that are there; gaps tell of most."""

    records: int = 0
    samples: int = 0
    gaps: int = 0
    holes: int = 0
    first: int = 0
    last: int = 0


@dataclass(slots=True)
class Survey:
    """format: of the file · owner: process that has the journal, "" none · bytes, free: of the file · log: bytes of
    its write-ahead log · first, last: positions · epochs, streams, cursors: by name or number · states: bytes by reader
    · declared, unknown: losses · troubles: of the file's structure, as SQLite says them · broken: files that were moved
    aside."""

    path: Path
    format: int = FORMAT
    owner: str = ""
    bytes: int = 0
    free: int = 0
    log: int = 0
    records: int = 0
    samples: int = 0
    first: int = 0
    last: int = 0
    epochs: dict[int, int] = field(default_factory=dict)
    streams: dict[str, StreamCount] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    declared: list[Loss] = field(default_factory=list)
    unknown: list[Loss] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Nothing is wrong that nobody knows of."""
        return not (self.unknown or self.troubles)


def journal_file(folder: Path) -> Path:
    """The journal of this folder, or below it where a deployment has its own. Raises JournalError."""
    for place in (folder / FILE, folder / "journal" / FILE, folder / "data" / "journal" / FILE):
        if place.exists():
            inspect(place)
            return place
    raise JournalError(f"there is no journal ({FILE}) in {folder}")


@contextmanager
def opened(path: Path, damage: Damage) -> Iterator[Reader]:
    """A reader that changes nothing. Raises sqlite3.Error."""
    reader = Reader(path, damage)
    reader.open(read_only(path))
    with closing(reader):
        yield reader


def owner_of(folder: Path) -> str:
    """The process that has the journal; "" nobody."""
    try:
        file = os.open(folder / "lock", os.O_RDONLY)
    except OSError:
        return ""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return ""
    except BlockingIOError:
        return os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
    finally:
        os.close(file)


def survey(path: Path) -> Survey:
    """Reads all of it. Raises JournalError, OSError."""
    found = Survey(path, owner=owner_of(path.parent), bytes=path.stat().st_size)
    log = path.with_name(path.name + "-wal")
    found.log = log.stat().st_size if log.exists() else 0
    found.broken = sorted(
        p.name
        for p in path.parent.glob(f"{path.name}.broken-*")
        if not p.name.endswith(("-wal", "-shm"))
    )
    damage, known = Damage(), Damage()
    losses: list[Loss] = []
    try:
        with opened(path, damage) as reader:
            _structure(found, reader)
            _readers(found, reader, known)
            _records(found, reader, damage, losses)
    except sqlite3.Error as error:
        found.troubles.append(str(error))
    if not found.owner and (newest := noted(path.parent)) > found.last:
        damage.missing(found.last + 1, newest, "the journal's file has lost its end")
    for loss in (*losses, *damage.take(0)):
        (found.declared if known.covers(loss.first, loss.last) else found.unknown).append(loss)
    return found


def _structure(found: Survey, reader: Reader) -> None:
    (found.format,) = reader.ask("PRAGMA user_version")[0]
    (size,), (pages,), (free,) = (
        reader.ask(f"PRAGMA {name}")[0] for name in ("page_size", "page_count", "freelist_count")
    )
    found.free = free * size
    if not found.log and pages * size > found.bytes:
        found.troubles.append(f"{pages * size - found.bytes:,} bytes of the file are missing")
    verdicts = [row[0] for row in reader.ask(f"PRAGMA integrity_check({TROUBLES})")]
    found.troubles += [" ".join(verdict.split()) for verdict in verdicts if verdict != "ok"]


def _readers(found: Survey, reader: Reader, known: Damage) -> None:
    found.cursors = dict(reader.ask("SELECT reader, position FROM cursors ORDER BY reader"))
    found.states = dict(
        reader.ask("SELECT reader, sum(length(state)) FROM states GROUP BY reader ORDER BY reader")
    )
    found.cursors.pop(DECLARED, None)
    found.states.pop(DECLARED, None)
    _, states = reader.cursor(DECLARED)
    known.recall(states)


def _records(found: Survey, reader: Reader, damage: Damage, losses: list[Loss]) -> None:
    floor = found.last = reader.floor
    kinds: Counter[str] = Counter()
    seqs: dict[tuple[str, int], int] = {}
    for record in reader.all(floor):
        found.first = found.first or record.position
        found.last = record.position
        found.epochs[record.epoch] = found.epochs.get(record.epoch, 0) + 1
        kinds[record.kind.name.lower()] += 1
        _count(found.streams.setdefault(record.stream, StreamCount()), record, seqs)
        losses += damage.take(0)
    found.kinds = dict(kinds)
    found.records = sum(kinds.values())
    found.samples = sum(stream.samples for stream in found.streams.values())


def _count(stream: StreamCount, record: Record, seqs: dict[tuple[str, int], int]) -> None:
    key = record.stream, record.epoch
    stream.holes += record.seq - seqs.get(key, record.seq - 1) - 1
    seqs[key] = record.seq
    stream.records += 1
    stream.samples += record.samples
    stream.gaps += record.kind is Body.GAP
    stream.first, stream.last = stream.first or record.received, record.received
