"""When a checkpoint is made, and who has taken which: every minute in which there were new lines, or after a thousand.
One that is not taken is replaced by the next, never waited for by anybody who writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bedplate.audit import anchor
from bedplate.audit.apart import apart
from bedplate.audit.checkpoint import Checkpoint, Signer
from bedplate.audit.entry import rfc3339, time_ns_of
from bedplate.clock import Clock

EVERY = 60.0  # s
LINES = 1000
OVERDUE = 300.0  # s without one that was taken, before it is a problem


class Place:
    """One that takes checkpoints. taken: the newest that it has · problem: why it took none lately; "" for none."""

    def __init__(self, name: str, since: float, taken: Checkpoint | None = None) -> None:
        self.name = name
        self.taken = taken
        self.problem = ""
        self.offered: Checkpoint | None = None
        self.since = since  # monotonic, when nothing waited any more

    def took(self, checkpoint: Checkpoint, now: float) -> None:
        self.taken, self.problem, self.since = checkpoint, "", now
        if self.offered == checkpoint:
            self.offered = None

    def overdue(self, now: float) -> str:
        """In words; empty while it is in time."""
        if not self.offered or now - self.since < OVERDUE:
            return ""
        why = f": {self.problem}" if self.problem else ""
        minutes = f"{(now - self.since) / 60:.0f} min"
        return f"the anchor {self.name} has taken no checkpoint of the audit log for {minutes}{why}"


class Anchoring:
    """places: those that fetch what they are offered themselves · folder: place of the anchor file, None for none."""

    def __init__(
        self,
        signer: Callable[[], Signer],
        clock: Clock,
        folder: Path | None = None,
        every: float = EVERY,
    ) -> None:
        self._make_signer, self._clock, self._folder, self._every = signer, clock, folder, every
        self.signer: Signer | None = None
        self.places: list[Place] = []
        self._file: Place | None = None
        self._writing: asyncio.Task[None] | None = None
        self._asked: asyncio.Task[Checkpoint | None] | None = None
        self._index, self._head = 0, ""
        self._made = 0, self._clock.monotonic()

    async def open(self) -> None:
        """Finds the key, and what the anchor has. Raises OSError, BedplateError for a key that can't be had."""
        self.signer = await asyncio.to_thread(self._make_signer)
        if self._folder:
            self._file = Place(str(self._folder), self._clock.monotonic())
            self.places.append(self._file)
            look = partial(anchor.newest, self._folder, self.signer.log, self.signer.public)
            self._asked = asyncio.create_task(apart(look))
            self._asked.add_done_callback(self._found)

    def _found(self, asked: asyncio.Task[Checkpoint | None]) -> None:
        if self._file and not asked.cancelled() and not asked.exception() and not self._file.taken:
            self._file.taken = asked.result()

    def add(self, name: str) -> Place:
        """Another place."""
        self.places.append(place := Place(name, self._clock.monotonic()))
        return place

    def heard(self, index: int, head: str) -> None:
        """The newest line."""
        self._index, self._head = index, head

    def look(self, *, now: bool = False) -> None:
        """Makes one when it is time, or `now`, and offers it."""
        index, made = self._made
        due = self._clock.monotonic() - made >= self._every or self._index - index >= LINES
        if self.signer and self.places and self._index > index and (due or now):
            time = rfc3339(self._clock.time_ns())
            checkpoint = self.signer.checkpoint(self._index, self._head, time)
            self._made = self._index, self._clock.monotonic()
            for place in self.places:
                if not place.offered:
                    place.since = self._clock.monotonic()
                place.offered = checkpoint
        if self._file and self._file.offered and (not self._writing or self._writing.done()):
            self._writing = asyncio.create_task(self._write(self._file, self._file.offered))

    async def _write(self, place: Place, checkpoint: Checkpoint) -> None:
        assert self._folder
        try:
            await apart(partial(anchor.take, self._folder, checkpoint))
        except OSError as error:
            place.problem = f"{error.filename or self._folder}: {error.strerror or error}"
        else:
            place.took(checkpoint, self._clock.monotonic())

    async def close(self, within: float = 2.0) -> None:
        """A last one; a share that does not answer is not waited for."""
        self.look(now=True)
        if self._writing:
            await asyncio.wait([self._writing], timeout=within)
        for task in filter(None, (self._writing, self._asked)):
            task.cancel()
            await asyncio.wait([task])

    def settled(self) -> int:
        """The last line that every place has; 0 without one."""
        return min((p.taken.index if p.taken else 0 for p in self.places), default=0)

    def newest_ns(self) -> int:
        """Time of the newest checkpoint that any place has, ns UTC; 0: none."""
        return max((time_ns_of(p.taken.time) for p in self.places if p.taken), default=0)

    def problems(self) -> list[str]:
        return [text for place in self.places if (text := place.overdue(self._clock.monotonic()))]
