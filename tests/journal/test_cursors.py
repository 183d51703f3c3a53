"""Cursors while the disk takes nothing: what a reader is told is what it committed last, wherever that is."""

from __future__ import annotations

import asyncio
import random

from tests.journal.records import entries
from tests.simulation.disk import VirtualDisk
from tests.simulation.engine import SimulatedEngine

from bedplate.journal.cursors import Cursors
from bedplate.journal.engine import Commit
from bedplate.testing import FakeClock


async def test_a_cursor_first_asked_for_while_the_disk_is_full_is_the_one_committed_last() -> None:
    """Found by the simulation, seed 77: an analytic that was opened and opened again while the disk was full was given
    the cursor on disk the second time, and wrote its results twice."""
    disk = VirtualDisk(random.Random(1))
    engine = SimulatedEngine(disk, clock=FakeClock(), sync=0.01)
    await engine.open()
    disk.full = True
    engine.append(entries(range(2)), Commit("sums", 1, {"a": b"1", "b": b"1"}))
    async with asyncio.timeout(5):
        while not engine.held:
            await asyncio.sleep(0.01)
    assert await engine.cursor("sums") == (1, {"a": b"1", "b": b"1"})
    engine.append(entries(range(2, 4)), Commit("sums", 3, {"a": b"", "b": b"2"}))
    assert await engine.cursor("sums") == (3, {"b": b"2"})
    disk.full = False
    await engine.close()


def test_what_is_committed_while_the_disk_is_asked_is_not_forgotten() -> None:
    cursors = Cursors()
    cursors.take(Commit("sink", 7, {"x": b"", "y": b"2"}))
    cursors.learn("sink", (5, {"x": b"1", "z": b"1"}))
    assert cursors.get("sink") == (7, {"y": b"2", "z": b"1"})
    assert cursors.get("other") is None
