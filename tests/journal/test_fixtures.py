"""Journals of earlier versions, kept as files: each must be read, byte by byte, and written on."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest
from tests.journal.records import entries, entry, same

from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Commit
from bedplate.model import Body
from bedplate.testing import FakeClock

FIXTURES = Path(__file__).with_name("fixtures")
COUNT = 12


async def make(folder: Path) -> None:
    """As a fixture is made, once for each format: `python -m tests.journal.test_fixtures FOLDER`."""
    engine = EmbeddedEngine(folder, sync=3600, clock=FakeClock())
    await engine.open()
    engine.append([entry(0, Body.TAGS)])
    await engine.synced(1)
    for number in range(1, COUNT):
        engine.append([entry(number)], Commit("oee", number, {"press": b"%d" % number}))
        await engine.synced(number + 1)
    await engine.close()


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir()))
async def test_a_journal_of_an_earlier_version_is_read_and_written_on(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "journal"
    shutil.copytree(FIXTURES / name, folder)
    engine = EmbeddedEngine(folder, clock=FakeClock(10**18))
    await engine.open()
    (first, *rest) = await engine.read(0)
    assert first.kind is Body.TAGS
    assert same(rest, range(1, COUNT))
    assert await engine.tables(first.epoch) == [first]
    assert await engine.cursor("oee") == (COUNT - 1, {"press": b"%d" % (COUNT - 1)})
    assert engine.losses() == []
    assert engine.epoch > first.epoch
    engine.append(entries(range(COUNT, COUNT + 2)))
    await engine.synced(COUNT + 2)
    assert same((await engine.read(1)), range(1, COUNT + 2))
    await engine.close()


if __name__ == "__main__":
    asyncio.run(make(Path(sys.argv[1])))
