"""Records that a reader will never take: kept in a file of their own, declared, and out of the way of the others.

One file a reader, beside the journal: a JSON object a line, the payload as it was in base64, for this user alone. It is
on disk before the reader goes on. Bounded: the older half is dropped when there are too many. The alarm stands until
somebody has taken the file away.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bedplate.config.deployment import Component
from bedplate.errors import JournalError
from bedplate.journal.engine import Entry
from bedplate.model import AlarmPriority, Body, Event, EventKind, Record
from bedplate.runtime.kernel_alarms import KernelAlarms
from bedplate.runtime.spine import Spine
from bedplate.wire import encode_event

FOLDER = "dead-letters"
MOST = 32 << 20  # bytes of a file, of which there are two
DECLARE = 60.0  # s between two events while it goes on
SOURCE = "kernel/journal/dead-letters"  # of the alarm, with the reader's id behind it
DO = "find out why it refuses them; take the file away when that is settled"


@dataclass(slots=True)
class Refusals:
    """Not declared yet. first, last: positions · reason: of the newest."""

    records: int = 0
    samples: int = 0
    first: int = 0
    last: int = 0
    reason: str = ""


class DeadLetters:
    """Of one reader. count: records since the start · declared: hears of them, in words."""

    def __init__(self, component: Component, spine: Spine) -> None:
        self._component, self._spine = component, spine
        place = getattr(spine.engine, "folder", None)
        name = f"{quote(component.id, safe='')}.jsonl"
        self.path: Path | None = place.parent / FOLDER / name if place else None
        self._source = f"{SOURCE}/{component.id}"
        self._alarms = KernelAlarms(spine)
        self._fresh = Refusals()
        self._declared = -DECLARE
        self.count = 0
        self.declared: Callable[[str], None] = lambda text: None

    async def put(self, record: Record, reason: str) -> None:
        """On disk when it returns. Raises OSError, or when there is no disk to put it on."""
        if self.path is None:
            raise OSError(f"there is no folder for what {self._component.id} refuses: {reason}")
        line = json.dumps(
            {
                "stream": record.stream,
                "epoch": record.epoch,
                "seq": record.seq,
                "position": record.position,
                "received": record.received,
                "kind": record.kind.name.lower(),
                "samples": record.samples,
                "refused": self._spine.clock.time_ns(),
                "reason": reason,
                "payload": base64.b64encode(record.payload).decode(),
            }
        )
        await asyncio.to_thread(_write, self.path, f"{line}\n".encode())
        self.count += 1
        fresh = self._fresh
        fresh.records, fresh.samples = fresh.records + 1, fresh.samples + record.samples
        fresh.first, fresh.last = fresh.first or record.position, record.position
        fresh.reason = reason
        self.look()

    def look(self) -> None:
        """From time to time: declares what is not declared, ends the alarm when the file is gone."""
        now = self._spine.clock.monotonic()
        if self._fresh.records and now - self._declared >= DECLARE:
            told, self._fresh, self._declared = self._fresh, Refusals(), now
            with contextlib.suppress(JournalError):
                self._tell(told)
        elif not self._fresh.records and self.path and not self.path.exists():
            self._alarms.returned(self._source, "the file was taken away")

    def _tell(self, told: Refusals) -> None:
        component, now = self._component, self._spine.clock.time_ns()
        many = f"{told.records:,} records" if told.records > 1 else "a record"
        text = (
            f"DEAD LETTER: {component.id} refused {many} ({told.samples:,} samples): {told.reason}"
        )
        where = f"kept in {self.path}"
        detail = {
            "dead_letter": {
                "records": told.records,
                "samples": told.samples,
                "first": told.first,
                "last": told.last,
                "reason": told.reason,
                "file": str(self.path),
            }
        }
        event = Event(
            component.path or component.id,
            EventKind.NOTE,
            now,
            f"{text}; {where}",
            severity=700,
            component=component.id,
            detail=json.dumps(detail).encode(),
        )
        entry = Entry(f"{component.id}/event", Body.EVENT, encode_event(event), now)
        self._spine.append([(entry, None)], sync=True)
        self._alarms.raised(self._source, AlarmPriority.HIGH, text, f"{DO}: {self.path}")
        self.declared(f"{text}; {where}")


def _write(path: Path, line: bytes) -> None:
    """Appends and syncs. Raises OSError; what is written in part then is a line that no JSON parser takes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size + len(line) > MOST:
        path.replace(path.with_suffix(".older.jsonl"))
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line)
        os.fsync(file)
    finally:
        os.close(file)
