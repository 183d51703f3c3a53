"""A program that appends until it is killed, and says which position is on disk. Run by test_kill."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from tests.journal.records import entries

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Commit


async def append_for_ever(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    engine = EmbeddedEngine(folder, sync=0.005, clock=SystemClock(), keep=20_000)
    print("opening", flush=True)
    await engine.open()
    last = engine.state().appended
    while True:
        count = chance.choice([1, 2, 3, 40])
        engine.append(
            entries(range(last, last + count)),
            Commit("reader", last + count, {"last": str(last + count).encode()}),
        )
        last += count
        if chance.random() < 0.5:
            await engine.synced(last)
            print(last, flush=True)
        else:
            await asyncio.sleep(0)
        if chance.random() < 0.02:
            await engine.trim(engine.state().synced - 300)


if __name__ == "__main__":
    asyncio.run(append_for_ever(Path(sys.argv[1]), int(sys.argv[2])))
