"""A platform in the foreground of a terminal: started, shown, and ended in order by Ctrl-C or SIGTERM.

A second Ctrl-C does not wait any longer. SIGHUP: the file is read again and applied.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Awaitable, Callable

from bedplate.runtime.lifecycle import Transition
from bedplate.server.platform import Platform, Prepared

Show = Callable[[str], Awaitable[None]]
"""Shows the platform whose API is at this address, until it is cancelled."""

Told = Callable[[str, Transition], None]
"""Hears of each change of a component's state."""


Noted = Callable[[str], None]
"""Hears in a line what came of reading the file again."""


def run_foreground(
    prepared: Prepared,
    listen: str | None,
    show: Show,
    told: Told = lambda component, change: None,
    noted: Noted = lambda text: None,
) -> None:
    """Returns when it has ended. Raises BedplateError or OSError when it can't start."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))  # a dump would hold every secret
    os.chdir(
        prepared.deployment.source.folder
    )  # so that a plugin's relative default lies beside the file, inline too
    asyncio.run(_run(lambda: Platform(prepared, told, noted), listen, show))


async def _run(make: Callable[[], Platform], listen: str | None, show: Show) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def end() -> None:
        if ended.is_set():
            os._exit(130)
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    platform = make()
    loop.add_signal_handler(signal.SIGHUP, platform.reload)
    starting = asyncio.create_task(platform.start(listen))
    waiting = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait([starting, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not ended.is_set():
            showing = asyncio.create_task(_shown(show, starting.result()))
            await asyncio.wait([showing, waiting], return_when=asyncio.FIRST_COMPLETED)
            showing.cancel()
            await asyncio.wait([showing])
            if not ended.is_set():
                showing.result()
    finally:
        waiting.cancel()
        starting.cancel()
        await platform.stop()


async def _shown(show: Show, address: str) -> None:
    await show(address)
