"""One suite for every engine: a `Journal` opens one, and opens it again."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.simulation.disk import VirtualDisk
from tests.simulation.engine import SimulatedEngine

from bedplate.clock import Clock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Engine
from bedplate.journal.memory import MemoryEngine
from bedplate.testing import FakeClock


@dataclass
class Journal:
    make: Callable[[], Engine]
    clock: FakeClock
    engine: Engine

    async def reopen(self) -> Engine:
        await self.engine.close()
        self.engine = self.make()
        await self.engine.open()
        return self.engine


def makers(folder: Path, clock: Clock) -> dict[str, Callable[[], Engine]]:
    memory = MemoryEngine(clock=clock)
    disk = VirtualDisk(random.Random(1))
    return {
        "embedded": lambda: EmbeddedEngine(folder, sync=0.01, clock=clock),
        "embedded, nothing kept in memory": lambda: EmbeddedEngine(
            folder, sync=0.01, clock=clock, keep=0
        ),
        "memory": lambda: memory,
        "simulated": lambda: SimulatedEngine(disk, sync=0.01, clock=clock),
        "simulated, nothing kept in memory": lambda: SimulatedEngine(
            disk, sync=0.01, clock=clock, keep=0
        ),
    }


ENGINES = (
    "embedded", "embedded, nothing kept in memory", "memory",
    "simulated", "simulated, nothing kept in memory",
)  # fmt: skip


@pytest.fixture(params=ENGINES)
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    clock = FakeClock()
    make = makers(tmp_path / "journal", clock)[request.param]
    journal = Journal(make, clock, make())
    await journal.engine.open()
    yield journal
    await journal.engine.close()


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    """An engine that syncs only when asked."""
    engine = EmbeddedEngine(tmp_path / "journal", sync=3600, clock=FakeClock())
    await engine.open()
    yield engine
    await engine.close()
