"""A program whose disk is full after a few megabytes. Run by test_embedded; says what happened, one word a line."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from tests.journal.records import entry

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine


async def fill(folder: Path, limit: int) -> None:
    engine = EmbeddedEngine(folder, sync=0.01, clock=SystemClock())
    await engine.open()
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    kept = 0
    while not engine.held:
        engine.append([entry(kept, largest=200_000)])
        waiting = asyncio.create_task(engine.synced(kept + 1))
        while not waiting.done() and not engine.held:
            await asyncio.sleep(0.001)
        kept += waiting.done()
    print("held", engine.held, sep=": ")
    print("kept", kept)
    print("readable", len(await engine.read(kept - 1)), len(await engine.read(0, records=1)))
    engine.append([entry(kept + 1, largest=200_000)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    async with asyncio.timeout(5):
        await engine.synced(kept + 2)
    print("again", waiting.done(), engine.held)
    await engine.close()
    print("closed")


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))
