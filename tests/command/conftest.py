from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.command.rig import Bench


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    one = Bench()
    await one.guard.open()
    yield one
    await one.guard.close()


@pytest_asyncio.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Bench]:
    """One with a file."""
    one = Bench(tmp_path / "journal" / "commands.sqlite")
    await one.guard.open()
    yield one
    await one.guard.close()
