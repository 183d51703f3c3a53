"""How a simulator process lives: its clock, its ready line, its end.

Owns: the plant's clock, SIGTERM, SIGINT, the end of stdin, JSON lines on stdin and stdout.
Rule: whoever started the process hears one JSON line when it serves, and can end it at once, also
by dying: with `until_stdin_closes` no orphan is left.
Does not know OPC UA, Modbus or the plant.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

UPDATE_PERIOD: Final = 0.1
"""Seconds between two updates of what a server shows."""

OnLine = Callable[[dict[str, Any]], None]


def plant_clock(start_ns: int) -> Callable[[], int]:
    """A function that says how many ns have passed since `start_ns` (Unix time).

    Two processes given the same start agree. Monotonic, so that a step of the wall clock neither
    freezes the plant nor makes it leap.
    """
    offset = time.time_ns() - start_ns - time.monotonic_ns()
    return lambda: max(0, time.monotonic_ns() + offset)


def say(message: dict[str, Any]) -> None:
    """Print one line of JSON on stdout, now. Raises OSError when nobody is there to read it."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


@contextmanager
def interrupts_later() -> Iterator[None]:
    """Who is started within hears Ctrl-C only from `heed_interrupts` on, and so does this thread behind the block.

    Python's own start, up to the first line of a program, answers SIGINT with a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def heed_interrupts() -> None:
    """Until the loop listens, Ctrl-C ends the process, without a traceback; one that waits does so now."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def run_until_told(
    serve: Coroutine[Any, Any, None],
    *,
    until_stdin_closes: bool,
    on_line: OnLine | None = None,
) -> None:
    """Run `serve` until SIGTERM, SIGINT or, if asked for, the end of stdin cancels it.

    Each line of JSON on stdin goes to `on_line`, on the event loop. Raises what `serve` raises.
    """
    asyncio.run(_until_told(serve, until_stdin_closes, on_line))


async def _until_told(
    serve: Coroutine[Any, Any, None], until_stdin_closes: bool, on_line: OnLine | None
) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(serve)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    if until_stdin_closes:
        _watch_stdin(loop, task, on_line)
    try:
        await task
    except asyncio.CancelledError:
        return


def _watch_stdin(
    loop: asyncio.AbstractEventLoop, task: asyncio.Future[None], on_line: OnLine | None
) -> None:
    """Read stdin on a daemon thread: an event loop cannot watch every kind of stdin (/dev/null)."""

    def listen() -> None:
        for line in _lines(sys.stdin.fileno()):
            if on_line is not None:
                _post(loop, on_line, line)
        _post(loop, task.cancel)

    threading.Thread(target=listen, name="stdin", daemon=True).start()


def _lines(descriptor: int) -> Any:
    """JSON objects from a descriptor until it ends; lines that are none are left out.

    Unbuffered reads: a daemon thread inside `sys.stdin` would break the interpreter's exit.
    """
    rest = b""
    while chunk := _read(descriptor):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                yield message


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


def _post(loop: asyncio.AbstractEventLoop, call: Callable[..., Any], *arguments: Any) -> None:
    try:
        loop.call_soon_threadsafe(call, *arguments)
    except RuntimeError:
        return  # the loop is closed: the process is ending anyway


async def every_period(update: Callable[[], Awaitable[None]]) -> None:
    """Call `update` ten times a second until cancelled; a late one is not made up for."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await update()
        due = max(due + UPDATE_PERIOD, loop.time())
        await asyncio.sleep(due - loop.time())
