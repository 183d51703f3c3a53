"""A program whose disk is full after a few megabytes. Run by test_embedded; says what happened, one word a line."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from tests.journal.records import entry

from bedplate.clock import SystemClock
from bedplate.errors import JournalError
from bedplate.journal.embedded import EmbeddedEngine


async def fill(folder: Path, limit: int) -> None:
    engine = EmbeddedEngine(folder, sync=0.01, clock=SystemClock())
    await engine.open()
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    reader = asyncio.create_task(read_on(engine))
    kept = 0
    try:
        while True:
            engine.append([entry(kept, largest=200_000)])
            await engine.synced(kept + 1)
            kept += 1
    except JournalError as error:
        print("failed", error, sep=": ")
    print("kept", kept)
    print("reader", await reader)
    print("readable", len(await engine.read(kept - 1)), len(await engine.read(0, records=1)))
    try:
        engine.append([entry(kept)])
    except JournalError as error:
        print("refused", error, sep=": ")
    await engine.close()
    print("closed")


async def read_on(engine: EmbeddedEngine) -> str:
    position = 0
    try:
        while True:
            position = await engine.wait(position)
    except JournalError:
        return "told"


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))
