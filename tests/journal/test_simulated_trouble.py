"""The engine on a disk in trouble, at moments that only chance brings together: found by the simulation, kept here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest
from tests.journal.records import entries
from tests.simulation.disk import VirtualDisk
from tests.simulation.engine import SimulatedEngine
from tests.simulation.loop import VirtualLoop

from bedplate.testing import FakeClock

SECONDS = 1.2  # that a sync takes: more than between two tries of a disk that was full


def simulated(test: Callable[[VirtualDisk, SimulatedEngine], Awaitable[None]]) -> None:
    clock = FakeClock()
    loop = VirtualLoop(Random(1), clock)
    disk = VirtualDisk(Random(1))
    disk.dice.uniform = lambda low, high: high  # type: ignore[method-assign]
    engine = SimulatedEngine(disk, clock=clock, sync=0.05)

    async def run() -> None:
        await engine.open()
        await test(disk, engine)

    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(run())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_a_file_whose_sync_fails_while_the_disk_is_tried_again_is_never_written_again() -> None:
    """Seed 605: the disk had been full, and was tried again while the first write after that was still under way. That
    one failed to sync, and the second try went on with the same file, which took everything and kept nothing."""

    async def test(disk: VirtualDisk, engine: SimulatedEngine) -> None:
        disk.full = True
        engine.append(entries(range(3)))
        await asyncio.sleep(1)
        disk.full, disk.slow, disk.fail = False, SECONDS, 1
        await engine.synced(3)
        assert disk.renewals == 1
        assert disk.again == 0
        disk.crash()
        assert sorted(disk.file.records) == [1, 2, 3]

    simulated(test)


@pytest.mark.parametrize("fail", [1, 3])
def test_after_failed_syncs_what_was_confirmed_is_in_a_new_file(fail: int) -> None:
    async def test(disk: VirtualDisk, engine: SimulatedEngine) -> None:
        engine.append(entries(range(2)))
        await engine.synced(2)
        disk.fail = fail
        engine.append(entries(range(2, 5)))
        await engine.synced(5)
        assert disk.again == 0
        disk.crash()
        assert sorted(disk.file.records) == [1, 2, 3, 4, 5]

    simulated(test)
