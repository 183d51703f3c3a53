"""A platform in the foreground of a terminal: started, shown, and ended in order by Ctrl-C or SIGTERM.

A second Ctrl-C does not wait any longer.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from bedplate.server.platform import Platform, Prepared

Show = Callable[[str], Awaitable[None]]
"""Shows the platform whose API is at this address, until it is cancelled."""


def run_foreground(prepared: Prepared, listen: str | None, show: Show) -> None:
    """Returns when it has ended. Raises BedplateError or OSError when it can't start."""
    os.chdir(prepared.deployment.source.folder)  # so that a plugin's relative default lies beside the file, inline too
    asyncio.run(_run(prepared, listen, show))


async def _run(prepared: Prepared, listen: str | None, show: Show) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        if told.is_set():
            os._exit(130)
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    platform = Platform(prepared)
    starting = asyncio.create_task(platform.start(listen))
    waiting = asyncio.create_task(told.wait())
    try:
        await asyncio.wait([starting, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not told.is_set():
            showing = asyncio.create_task(_shown(show, starting.result()))
            await asyncio.wait([showing, waiting], return_when=asyncio.FIRST_COMPLETED)
            showing.cancel()
            await asyncio.wait([showing])
            if not told.is_set():
                showing.result()
    finally:
        waiting.cancel()
        starting.cancel()
        await platform.stop()


async def _shown(show: Show, address: str) -> None:
    await show(address)
