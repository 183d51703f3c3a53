"""A place elsewhere that takes checkpoints: a file that is only appended to, on another disk or a share. Blocking; a
share that does not answer blocks whoever calls, so it has a thread of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bedplate.audit.checkpoint import Checkpoint, read_checkpoints
from bedplate.audit.verify import Problem, Report


def anchor_file(place: Path, log: str) -> Path:
    """The file: the one that is named, or one for this log in a folder."""
    return place / f"bedplate-audit-{log}.jsonl" if place.is_dir() else place


def take(place: Path, checkpoint: Checkpoint) -> None:
    """On its disk when this returns. Nothing is made but the file: a share that is not there is not a folder of ours.

    Raises OSError."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(anchor_file(place, checkpoint.log), flags, 0o600)
    try:
        os.write(descriptor, checkpoint.line())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def newest(place: Path, log: str, public: str) -> Checkpoint | None:
    """What it took last. None: nothing, or it can't be read."""
    try:
        found = list(read_checkpoints(anchor_file(place, log), public))
    except OSError:
        return None
    return found[-1] if found else None


def compare(report: Report, seen: Sequence[Checkpoint], name: str) -> Problem | None:
    """The first thing that an anchor has seen otherwise. report: with the hashes of `indices`."""
    if not seen:
        none = "this anchor has no checkpoint of the log, or none that its key has signed"
        return Problem(name, 0, 0, f"{none}; a new log has its first after a minute")
    before = 0
    for one in sorted(seen, key=lambda one: one.index):
        if one.index > report.last:
            gone = f"entries {report.last + 1} to {one.index} are missing at the end"
            return Problem(
                name, 0, report.last + 1, f"{gone}: the anchor has seen them on {one.time}"
            )
        if one.index >= report.first and report.hashes.get(one.index) != one.head:
            text = f"not what the anchor has seen on {one.time}: entries from {before + 1} on were written anew"
            return Problem(name, 0, one.index, text)
        before = one.index
    return None
