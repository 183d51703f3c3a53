"""A kernel whose disk fails for a while: values and what is derived go on meanwhile, and it stores again. Run by
test_dead_disk under strace; prints what it saw."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.runtime.plant import plant, until, value

TEXT = """
types: {box: {use: counter, placement: inline, scan_classes: {fast: 20ms}, tags: {number: {address: a, scan: fast}}}}
connectors: {box: {type: box, each: {one: {}}}}
analytics: {sums: {use: sums, placement: inline, for: box, of: number}}
"""


async def endure(folder: Path) -> None:
    async with plant(folder, TEXT) as kernel:
        engine = kernel.engine
        await until(lambda: engine.state().failed)
        failed = engine.state().failed.rpartition(": ")[2]
        before = value(kernel, "one/sums/count") or 0
        await until(lambda: (value(kernel, "one/sums/count") or 0) > before + 10)
        on = "went on" if engine.state().failed else "was too quick"
        await until(lambda: not engine.state().failed, within=40)
        await engine.synced(engine.state().appended)
        count = value(kernel, "one/sums/count")
        whole = value(kernel, "one/sums/sum") == count * (count + 1) // 2
        print(f"{failed}: {on}, stored again, {'whole' if whole else 'not whole'}")


if __name__ == "__main__":
    asyncio.run(endure(Path(sys.argv[1])))
