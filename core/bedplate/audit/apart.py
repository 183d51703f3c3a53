"""Calls what may never come back, such as a write to a share that is gone, on a thread of its own: neither the calls of
others nor the end of the process wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def apart(function: Callable[[], T]) -> T:
    """What it returns. Raises OSError as it does; cancelled, it goes on unheard."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: OSError | None) -> None:
        if answer.done():
            return
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failed = None, None
        try:
            result = function()
        except OSError as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # nobody is there any more
            loop.call_soon_threadsafe(tell, result, failed)

    threading.Thread(target=run, name="audit anchor", daemon=True).start()
    return await answer
