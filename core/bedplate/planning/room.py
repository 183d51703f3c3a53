"""What a deployment will write, before it has written anything: from its tags and how often they are read.

Two figures of this machine's kind carry it: 27 bytes a sample on disk, which SQLite writes 1.3 times over, and 17 kB
for each sync (measured: 1,500 samples/s write 4.4 TB a year at 250 ms, 14 at 50 ms, 45 at 10 ms). A source that pushes
counts as if it were read, a deadband as if nothing were within it: it is the most, not the least.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bedplate.config.deployment import Deployment

SAMPLE, OVER, SYNC = 27.0, 1.3, 17_400.0  # bytes, times, bytes
YEAR = 365.25 * 86400  # s


@dataclass(frozen=True, slots=True)
class Room:
    """samples_per_second: at most · seconds: that the journal can hold them while nobody takes them · yearly: bytes
    written to its disk; 0: not known."""

    samples_per_second: float
    seconds: float
    yearly: float


def room(deployment: Deployment, free: int | None = None) -> Room:
    """free: bytes on the journal's disk, where the file sets no size; None: look."""
    tags = [tag for one in deployment.of_kind("connector") for tag in one.tags]
    rate = sum(1e9 / tag.scan_ns for tag in tags)
    if not rate:
        return Room(0.0, 0.0, 0.0)
    journal = deployment.journal
    syncs = min(1e9 / journal.sync_ns if journal.sync_ns else 100.0, rate)
    yearly = (rate * SAMPLE * OVER + syncs * SYNC) * YEAR
    if free is None:
        free = _free(deployment.folder(journal.folder))
    free = max(0, free - (journal.min_free_bytes or 0))
    most = min(journal.size_bytes, free) if journal.size_bytes else free
    return Room(rate, most / (rate * SAMPLE), yearly)


def _free(folder: Path) -> int:
    """Bytes that the disk has, where the folder is or will be."""
    for place in (folder, *folder.parents):
        try:
            state = os.statvfs(place)
        except OSError:
            continue
        return state.f_bavail * state.f_frsize
    return 0
