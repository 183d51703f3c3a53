"""A journal put right without a kernel: as a kernel's start would, and at once through the whole file.

The broken file is moved aside, what can be read of it goes on in a new one, and what can't is declared there.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from bedplate.clock import Clock
from bedplate.errors import JournalError
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Loss
from bedplate.journal.files import FURTHEST
from bedplate.journal.gap import gap_entry, words_of_loss
from bedplate.journal.lock import FolderLock
from bedplate.journal.rescue import finish, rescue
from bedplate.journal.survey import Survey

STREAM = "kernel/event"  # where a loss stands whose stream is not known


def repair(found: Survey, clock: Clock) -> tuple[Path | None, list[Loss]]:
    """Returns where the broken file is now, if it was the file, and what is declared lost. Raises JournalError when a
    kernel owns the journal or the disk does not take the new file."""
    folder = found.path.parent
    aside = _renewed(found, clock) if found.troubles else None
    return aside, asyncio.run(_declared(folder, clock))


def _renewed(found: Survey, clock: Clock) -> Path:
    lock = FolderLock(found.path.parent)
    lock.take()
    try:
        name = str(clock.time_ns())
        finish(found.path, name)
        return rescue(found.path, name, FURTHEST, ())
    except OSError as error:
        raise JournalError(f"{found.path}: {error}") from error
    finally:
        lock.release()


async def _declared(folder: Path, clock: Clock) -> list[Loss]:
    engine = EmbeddedEngine(folder, clock=clock)
    await engine.open()
    try:
        position, losses = 0, engine.losses()
        while records := await engine.read(position, records=4000, size=4 << 20):
            position = records[-1].position
            losses += engine.losses()
        losses += engine.losses()
        now = clock.time_ns()
        for loss in losses:
            engine.append([gap_entry(loss.stream or STREAM, words_of_loss(loss), loss, now)])
        await engine.synced(engine.state().appended)
        return losses
    finally:
        await engine.close()
