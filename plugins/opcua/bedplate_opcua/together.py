"""Running calls side by side until one of them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_one_ends(*calls: Coroutine[Any, Any, None]) -> None:
    """Runs calls side by side. When one ends, the others are cancelled and what it raised is raised;
    where several end at once, the first named speaks.

    When this call is cancelled, all are; none is left behind.
    """
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in done:
            task.result()
