"""A journal file with flipped bits or cut short: it starts, tells nothing wrong, and declares what is missing."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from pathlib import Path

import pytest
from tests.journal.records import as_entry, entry

from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Commit
from bedplate.model import Record
from bedplate.testing import FakeClock

COUNT, PER_SYNC = 400, 8
TRIES = 150
SEED = int(os.environ.get("BEDPLATE_SEED", "20261123"))
REPLAY = f"BEDPLATE_SEED={SEED} pytest tests/journal/test_damage.py"


async def make(folder: Path, *, killed: bool) -> Path:
    """A journal of some hundred records with a trimmed beginning. killed: its log is still beside it."""
    engine = EmbeddedEngine(folder / "made", sync=3600, clock=FakeClock(), keep=0)
    await engine.open()
    for first in range(1, COUNT, PER_SYNC):
        engine.append([entry(n) for n in range(first, first + PER_SYNC)], Commit("r", first))
        await engine.synced(first + PER_SYNC - 1)
    await engine.trim(20)
    if killed:
        shutil.copytree(folder / "made", folder / "copy")
    await engine.close()
    return folder / ("copy" if killed else "made")


async def read_all(engine: EmbeddedEngine) -> list[Record]:
    found: list[Record] = []
    while records := await engine.read(found[-1].position if found else 0, records=50):
        found += records
    return found


async def judge(folder: Path, what: str) -> str:
    """Opens it, and fails unless every record is the one that was written, or declared lost."""
    engine = EmbeddedEngine(folder, sync=3600, clock=FakeClock(10**18), keep=0)
    await engine.open()
    try:
        found = await read_all(engine)
        for record in found:
            assert as_entry(record) == entry(record.position), f"{what}: {record.position} is wrong"
        positions = [record.position for record in found]
        assert positions == sorted(set(positions)), f"{what}: order"
        losses = engine.losses()
        said = {p for loss in losses for p in range(loss.first, loss.last + 1) if loss.last}
        whole = any(not loss.last for loss in losses)
        missing = set(range(21, COUNT + 1)) - set(positions) - said
        assert not missing or whole, f"{what}: {sorted(missing)[:5]} are missing without a word"
        (after,) = engine.append([entry(9)])
        await engine.synced(after.position)
        assert (await engine.read(after.position - 1))[0].payload == entry(9).payload
    finally:
        await engine.close()
    return "file" if whole else "records" if losses else "nothing"


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
@pytest.mark.parametrize("how", ["flip", "cut"])
@pytest.mark.case("A61")
async def test_a_damaged_file_starts_tells_nothing_wrong_and_declares_what_is_missing(
    tmp_path: Path, how: str, killed: bool
) -> None:
    source = random.Random(f"{SEED}/{how}/{killed}")
    made = await make(tmp_path, killed=killed)
    seen: dict[str, int] = {}
    for number in range(TRIES // 2):
        folder = tmp_path / "damaged"
        shutil.copytree(made, folder)
        names = ["journal.sqlite3", *(["journal.sqlite3-wal"] if killed else [])]
        file = folder / source.choice(names)
        content = bytearray(file.read_bytes())
        at = source.randrange(len(content))
        if how == "flip":
            content[at] ^= 1 << source.randrange(8)
        else:
            del content[at:]
        file.write_bytes(content)
        what = f"{REPLAY}: try {number}, {how} of {file.name} at {at}"
        outcome = await asyncio.wait_for(judge(folder, what), 20)
        seen[outcome] = seen.get(outcome, 0) + 1
        shutil.rmtree(folder)
    print(f"{REPLAY}: declared {seen}")
