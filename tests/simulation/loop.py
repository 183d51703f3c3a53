"""An event loop without threads, sockets or waiting: time jumps to the next timer, and a seed says who goes first.

Rule: within one process callbacks run in the order asyncio promises; between processes nothing is promised, so the seed
mixes them. A process here is whatever runs in a context of its own (`Process`): it can be killed between any two of its
callbacks, frozen, and let go on. What would run on a thread runs here, a moment later.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any

from bedplate.testing import FakeClock

TICK = 20e-6  # s that a round of the loop takes
IDLE_MOST = 200_000  # rounds in a row in which no time passes: somebody spins
_running: ContextVar[Process | None] = ContextVar("process", default=None)


class Process:
    """An address space with a life of its own. dead: nothing of it runs any more · frozen: not now."""

    def __init__(self, name: str, loop: VirtualLoop) -> None:
        self.name = name
        self.dead = self.frozen = False
        self._loop = loop
        self._parked: list[asyncio.Handle] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.context: Context = copy_context()
        self.context.run(_running.set, self)

    def run(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Calls a function in it, soon."""
        self._loop.call_soon(function, *arguments, context=self.context.copy())

    def start(self, call: Any) -> asyncio.Task[Any]:
        return self._loop.create_task(call, context=self.context.copy())

    def kill(self) -> None:
        self.dead, self._parked = True, []

    def freeze(self) -> None:
        self.frozen = True

    def thaw(self) -> None:
        self.frozen = False
        parked, self._parked = self._parked, []
        self._loop.again(parked)

    def park(self, handle: asyncio.Handle) -> None:
        self._parked.append(handle)


class VirtualLoop(asyncio.BaseEventLoop):
    """clock: moves only here. dice: decides the order, and how late what runs beside comes back."""

    def __init__(self, dice: Random, clock: FakeClock) -> None:
        super().__init__()
        self.clock, self.dice = clock, dice
        self._ready: deque[asyncio.Handle] = deque()
        self._scheduled: list[asyncio.TimerHandle] = []
        self._still = 0
        self.problems: list[str] = []
        self.set_exception_handler(self._problem)
        self.set_task_factory(self._task)

    def _problem(self, loop: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.problems.append(f"{context.get('message')}: {error!r} {context.get('task', '')}")

    @staticmethod
    def _task(loop: Any, coroutine: Any, context: Any = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, context=context)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # the killed leave theirs behind
        owner = (context or copy_context()).get(_running)
        if owner is not None:
            owner.tasks.append(task)
            if len(owner.tasks) > 2000:
                owner.tasks = [one for one in owner.tasks if not one.done()]
        return task

    def time(self) -> float:
        return self.clock.monotonic()

    def again(self, handles: list[asyncio.Handle]) -> None:
        self._ready.extendleft(reversed(handles))

    def _run_once(self) -> None:
        self._pass_time()
        while self._scheduled and self._scheduled[0]._when <= self.time():  # type: ignore[attr-defined]
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]
            self._ready.append(timer)
        batch, self._ready = self._mixed(), deque()
        for handle in batch:
            owner = handle._context.get(_running)  # type: ignore[attr-defined]
            if handle._cancelled or (owner is not None and owner.dead):  # type: ignore[attr-defined]
                continue
            if owner is not None and owner.frozen:
                owner.park(handle)
            else:
                handle._run()  # type: ignore[attr-defined]

    def _pass_time(self) -> None:
        while self._scheduled and self._scheduled[0]._cancelled:  # type: ignore[attr-defined]
            heapq.heappop(self._scheduled)._scheduled = False  # type: ignore[attr-defined]
        if self._ready or self._stopping:  # type: ignore[attr-defined]
            self.clock.advance(TICK)
            self._still += 1
            if self._still > IDLE_MOST:
                raise RuntimeError("somebody spins: no timer has come for 200,000 rounds")
            return
        self._still = 0
        if not self._scheduled:
            raise RuntimeError("everybody waits, and nothing is to come")
        self.clock.advance(max(TICK, self._scheduled[0]._when - self.time()))  # type: ignore[attr-defined]

    def _mixed(self) -> list[asyncio.Handle]:
        """What is ready, the processes in an order of the seed's, each one's own in its own."""
        if len(self._ready) < 2:
            return list(self._ready)
        by_process: dict[Process | None, list[asyncio.Handle]] = {}
        for handle in self._ready:
            owner = handle._context.get(_running)  # type: ignore[attr-defined]
            by_process.setdefault(owner, []).append(handle)
        if len(by_process) < 2:
            return list(self._ready)
        groups = list(by_process.values())
        self.dice.shuffle(groups)
        return [handle for group in groups for handle in group]

    # --- what a loop with threads and sockets has ---

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """The same on this thread, a moment later; a process that is killed meanwhile never learns of it."""
        future: asyncio.Future[Any] = self.create_future()
        self.call_later(self.dice.uniform(0.0001, 0.002), _run_into, future, func, *args)
        return future

    def _write_to_self(self) -> None:
        """Nobody sleeps."""

    def _process_events(self, events: Any) -> None:
        """There are none."""


def _run_into(future: asyncio.Future[Any], func: Any, *args: Any) -> None:
    if future.cancelled():
        return
    try:
        result = func(*args)
    except Exception as error:  # noqa: BLE001
        future.set_exception(error)
    else:
        future.set_result(result)


def bury(processes: list[Process]) -> None:
    """Ends what the killed left behind, so that nothing of it runs when the garbage is collected."""
    logging.getLogger("opentelemetry.context").setLevel(logging.CRITICAL)  # spans that never end
    for process in processes:
        for task in process.tasks:
            if not task.done():
                try:
                    task.get_coro().close()  # type: ignore[union-attr]
                except BaseException:  # noqa: BLE001  whatever a finally of a dead process says
                    continue
        process.tasks = []
