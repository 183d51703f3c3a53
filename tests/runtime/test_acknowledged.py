"""Who is told that his samples are on disk finds them there, whatever the journal's disk is doing."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.runtime.plant import OFFERS, RigOffer, plant, until
from tests.simulation.disk import VirtualDisk
from tests.simulation.engine import SimulatedEngine

from bedplate.clock import SystemClock
from bedplate.journal.engine import Entry
from bedplate.model import Body
from bedplate.runtime.produced import Produced
from bedplate.runtime.spine import Spine
from bedplate.testing import FakeClock
from bedplate.wire import decode_batch

FILE = Path(__file__).with_name("awaiting.py")
RIGS = OFFERS | {
    "awaiting": RigOffer(
        "awaiting", "connector", ("subscribe",), "awaiting:Awaiting", "awaiting", FILE
    )
}
TEXT = """
connectors:
  box: {use: awaiting, folder: FOLDER, placement: inline, tags: {number: {address: a}}}
"""


def numbers(folder: Path, what: str) -> set[int]:
    file = folder / what
    return {int(word) for word in file.read_text().split()} if file.exists() else set()


def stored(disk: VirtualDisk) -> set[int]:
    found: set[int] = set()
    for record in disk.file.records.values():
        if record.kind is Body.BATCH and record.stream == "box/live":
            found |= set(decode_batch(record.payload).value.tolist())
    return found


@pytest.mark.case("A64")
async def test_what_has_no_place_in_a_full_journal_is_refused_and_not_confirmed(
    tmp_path: Path,
) -> None:
    """Found by the simulation, seed 221: a source was told that samples are on disk that were left out."""
    disk = VirtualDisk(random.Random(1))
    engine = SimulatedEngine(disk, clock=SystemClock(), sync=0.02, size=14_000)
    async with plant(tmp_path, TEXT, engine=engine, offers=RIGS):
        await until(lambda: numbers(tmp_path, "refused"))
        confirmed = numbers(tmp_path, "confirmed")
    assert confirmed
    assert confirmed <= stored(disk)
    assert not numbers(tmp_path, "refused") & stored(disk)


async def test_a_program_elsewhere_hears_of_no_number_that_is_not_on_disk() -> None:
    """Found by the simulation, seed 4: it dialled again while the disk was full, was told of numbers that were in
    memory only, forgot them, and the kernel was killed."""
    disk = VirtualDisk(random.Random(1))
    engine = SimulatedEngine(disk, clock=FakeClock(), sync=0.01)
    await engine.open()
    produced = Produced("away", Spine(engine, FakeClock()))
    hello = SimpleNamespace(features=["resume"], instance="1")
    attachment: Any = SimpleNamespace(hello=hello)
    assert await produced.begin(attachment) == 0

    disk.full = True
    engine.append([Entry("away/live", Body.BATCH, b"", 0)], produced.taken(1))
    await until(lambda: engine.held)
    again = asyncio.create_task(produced.begin(attachment))
    await asyncio.sleep(0.05)
    assert not again.done()

    disk.full = False
    assert await asyncio.wait_for(again, 5) == 1
    assert disk.file.states["away/produced"]
    await engine.close()
