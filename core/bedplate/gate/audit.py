"""The kernel's audit log: who asked for what, and what the gate said. One record a decision.

Refusals and changes are synced together at once, reads within a second. When it can't be written, `failed` says why,
what changes something is refused, data flows on, and the records wait in memory for the disk to come back. How they
become lines of a chain is the matter of `bedplate.audit`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bedplate.audit.entry import Entry, Stamps
from bedplate.clock import Clock

__all__ = ["Audit", "Entry", "Log"]

LAZY = 1.0  # s: reads wait so long for company; a failing disk is tried again this often
MAX_WAITING = 10_000  # lines kept in memory while the disk fails


class Log(Protocol):
    """Where records go: bedplate.audit.log.ChainLog. Returns what it wrote, with its own notes."""

    def open(self) -> Sequence[Mapping[str, Any]]: ...
    def append(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]: ...
    def close(self) -> Sequence[Mapping[str, Any]]: ...


@dataclass(slots=True)
class _Waiting:
    record: Mapping[str, Any]
    done: asyncio.Future[bool] | None = None


class Audit:
    """Collects lines and writes them on a thread, many at a time. heard: called with each record once it is on disk;
    must not block.

    failed: why it can't be written at present; empty when it can · lost: records that no longer fitted into memory.
    """

    def __init__(
        self,
        log: Log,
        clock: Clock,
        heard: Callable[[Mapping[str, Any]], None] | None = None,
        stamps: Stamps | None = None,
    ) -> None:
        self._log = log
        self._stamps = stamps or Stamps(clock)
        self._heard = heard
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.failed = ""
        self.lost = 0

    async def open(self) -> None:
        """Starts. A log that can't be written is no reason not to: `failed` tells."""
        try:
            self._tell(await asyncio.to_thread(self._log.open))
        except OSError as error:
            self.failed = _why(error)
        self._task = asyncio.create_task(self._keep_writing())

    async def close(self) -> None:
        """Writes what waits, once more, and ends."""
        self._closing = True
        self._wake.set()
        if self._task:
            await self._task
        if self._timer:
            self._timer.cancel()
        if self._waiting:
            await self._write_all()
        self._tell(await asyncio.to_thread(self._log.close))

    def add(self, entry: Entry, *, urgent: bool = False) -> None:
        """Takes a record; waits for nothing. urgent: sync it at once, not within a second."""
        self._put(_Waiting(self._stamps.record(entry)), urgent)

    async def write(self, entry: Entry, **more: Any) -> bool:
        """Takes a record, with further fields of the log's own, and waits. True once it is on disk, False when it can't
        be written (it is tried again)."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._put(_Waiting(self._stamps.record(entry, **more), done), urgent=True)
        return await done

    def _put(self, waiting: _Waiting, urgent: bool) -> None:
        ended = self._closing or (self._task is not None and self._task.done())
        if ended or len(self._waiting) >= MAX_WAITING:
            self.lost += 1
            if waiting.done:
                waiting.done.set_result(False)
            return
        self._waiting.append(waiting)
        # A flood of refusals must not become a flood of tries on a disk that fails.
        if waiting.done or (urgent and not self.failed):
            self._wake.set()
        else:
            self._wake_later()

    def _wake_later(self) -> None:
        if self._timer is None and not self._closing:
            self._timer = asyncio.get_running_loop().call_later(LAZY, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._wake.set()

    async def _keep_writing(self) -> None:
        while not self._closing:
            await self._wake.wait()
            self._wake.clear()
            if self._waiting:
                await self._write_all()

    async def _write_all(self) -> None:
        batch, self._waiting = self._waiting, []
        lost = self.lost
        try:
            records = [w.record for w in batch]
            self._tell(await asyncio.to_thread(self._append, records, lost))
        except OSError as error:
            self.failed = _why(error)
            self._waiting = batch + self._waiting
            self._wake_later()
        else:
            self.failed = ""
            self.lost -= lost
        for waiting in batch:
            if waiting.done and not waiting.done.done():
                waiting.done.set_result(not self.failed)

    def _tell(self, written: Sequence[Mapping[str, Any]]) -> None:
        for record in written if self._heard else ():
            assert self._heard
            self._heard(record)

    def _append(self, records: list[Mapping[str, Any]], lost: int) -> Sequence[Mapping[str, Any]]:
        if lost:
            told = Entry(
                "audit.lost", "noted", text=f"{lost} records were lost while the disk failed"
            )
            records.append(self._stamps.record(told))
        return self._log.append(records)


def _why(error: OSError) -> str:
    return f"{error.filename or 'the audit log'}: {error.strerror or error}"
