"""When the journal syncs: at once when somebody waits, else after an interval; one turn at a time, and what comes
meanwhile goes with the next. Event-loop side; the writing itself is a function that it runs on the writer's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from bedplate.journal.engine import Commit
from bedplate.journal.progress import Progress
from bedplate.journal.turn import Turn
from bedplate.model import Record

TURN_SIZE = 4 << 20  # bytes that are worth a sync before the interval is over


class GroupCommit:
    """thread: runs one thing at a time. interval: seconds. done: called on the loop after each turn, with what went
    wrong, None when nothing did; after that it writes no more until `resume`, and then that turn first.
    """

    def __init__(
        self,
        thread: ThreadPoolExecutor,
        write: Callable[[Turn], None],
        interval: float,
        done: Callable[[Turn, BaseException | None], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread, self._write, self._interval, self._done = thread, write, interval, done
        self.pending_bytes = 0
        self.handed = 0  # newest position that is written or being written
        self._gathering = Turn(1)
        self._turns = Progress()
        self._busy = self._asked = self._called = self._stopped = self._paused = False
        self._began = 0.0
        self._unwritten: Turn | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, records: Sequence[Record], commit: Commit | None) -> None:
        """These go with the next turn."""
        self.pending_bytes += self._gathering.add(records, commit)
        self._asked = self._asked or self._gathering.size >= TURN_SIZE
        self._arm()

    def sync_soon(self) -> None:
        """Somebody waits for what is gathered now."""
        if self._gathering:
            self._asked = True
            self._arm()

    async def flush(self) -> None:
        """Returns when everything added so far is on disk. Raises JournalError when it will not be."""
        self.sync_soon()
        last = self._gathering.number
        await self._turns.reach(last if self._gathering else last - 1)

    @property
    def under_way(self) -> float:
        """Seconds that the turn takes that is being written; 0 when none is."""
        return self._loop.time() - self._began if self._busy else 0.0

    @property
    def waiting(self) -> bool:
        """Whether anything is not on disk."""
        return bool(self._busy or self._unwritten or self._gathering)

    def pause(self) -> None:
        """Gathers on, and writes nothing until `resume`."""
        self._paused = True

    def resume(self) -> None:
        """Writes what could not be written, and goes on."""
        self._paused = False
        if self._unwritten and not (self._busy or self._stopped):
            turn, self._unwritten = self._unwritten, None
            self._submit(turn)
        else:
            self._arm()

    def stop(self, reason: str) -> None:
        """Forgets what is gathered and writes no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._stopped = True
        self._turns.fail(reason)

    def _arm(self) -> None:
        """Sees to it that what is gathered gets written."""
        if self._busy or self._called or self._stopped or self._paused or not self._gathering:
            return  # `_finished` comes back here
        if self._asked:
            self._called = True
            self._loop.call_soon(
                self._start
            )  # what else is appended in this round of the loop comes along
        elif self._timer is None:
            self._timer = self._loop.call_later(self._interval, self._start)

    def _start(self) -> None:
        if self._stopped or self._paused:
            self._called = False
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._asked, self._called = None, False, False
        turn, self._gathering = self._gathering, Turn(self._gathering.number + 1)
        if turn.records:
            self.handed = turn.records[-1].position
        self._submit(turn)

    def _submit(self, turn: Turn) -> None:
        self._busy, self._began = True, self._loop.time()
        writing = self._thread.submit(self._write, turn)
        writing.add_done_callback(
            lambda done: self._loop.call_soon_threadsafe(self._finished, turn, done)
        )

    def _finished(self, turn: Turn, writing: Future[None]) -> None:
        self._busy = False
        error = writing.exception()
        if error is None:
            self.pending_bytes -= turn.size
            self._turns.advance(turn.number)
        else:
            self._unwritten, self._paused = turn, True
        self._done(turn, error)
        self._arm()
