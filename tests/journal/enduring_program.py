"""A program that keeps sixty records on a disk that fails now and then. Run by test_disk_errors under strace."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.journal.records import entry, same

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine

COUNT = 60


async def endure(folder: Path) -> None:
    engine = EmbeddedEngine(folder, sync=0.01, clock=SystemClock())
    await engine.open()
    for number in range(COUNT):
        engine.append([entry(number)])
        async with asyncio.timeout(10):
            await engine.synced(number + 1)
    whole = same(await engine.read(0), range(COUNT))
    print("whole" if whole else "not whole", engine.state().failed or "works")
    await engine.close()


if __name__ == "__main__":
    asyncio.run(endure(Path(sys.argv[1])))
