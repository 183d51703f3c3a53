"""The journal on a disk that is really full, ten times over: nothing confirmed is lost, and it goes on by itself."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journal.records import entry

from bedplate.clock import SystemClock
from bedplate.errors import JournalError
from bedplate.journal.embedded import EmbeddedEngine

SIZE = 6 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        if os.environ.get("CI"):
            pytest.fail("no small file system can be mounted here")
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.case("A63")
async def test_ten_times_full_and_free_again_nothing_confirmed_is_lost(disk: Path) -> None:
    engine = EmbeddedEngine(disk / "journal", sync=0.01, clock=SystemClock(), keep=0, min_free=0)
    await engine.open()
    number, longest, confirmed = 0, 0.0, 0
    for _ in range(10):
        (disk / "ballast").write_bytes(bytes(free(disk) - (300 << 10)))
        while not engine.state().failed:
            engine.append([entry(number, largest=20_000)])
            number += 1
            with_patience = asyncio.wait_for(asyncio.shield(engine.synced(number)), 0.2)
            try:
                await with_patience
                confirmed = number
            except TimeoutError:
                break
        assert engine.held
        assert "disk is full" in engine.held
        assert engine.state().synced == confirmed
        await engine.read(0)  # what is there can be read
        engine.append([entry(number, largest=20_000)])  # an alarm, say
        number += 1
        (disk / "ballast").unlink()
        began = time.monotonic()
        async with asyncio.timeout(5):
            await engine.synced(number)
        longest = max(longest, time.monotonic() - began)
        confirmed = number
        assert not engine.state().failed
        await engine.trim(number - 5)
    await engine.close()
    again = EmbeddedEngine(disk / "journal", clock=SystemClock())
    await again.open()
    found = await again.read(0)
    assert [record.payload for record in found] == [
        entry(n, largest=20_000).payload for n in range(number - 5, number)
    ]
    assert again.losses() == []
    await again.close()
    assert not list((disk / "journal").glob("*.broken*")), "a full disk is no broken file"
    print(f"{number} records, ten times full; went on {longest:.2f} s after there was room")


async def test_closing_while_the_disk_is_full_ends_in_time_and_keeps_what_was_confirmed(
    disk: Path,
) -> None:
    engine = EmbeddedEngine(disk / "journal", sync=0.01, clock=SystemClock(), min_free=0)
    await engine.open()
    engine.append([entry(0)])
    await engine.synced(1)
    (disk / "ballast").write_bytes(bytes(free(disk) - (100 << 10)))
    number = 1
    while not engine.state().failed:
        engine.append([entry(number, largest=20_000)])
        number += 1
        await asyncio.sleep(0.02)
    kept = engine.state().synced
    waiting = asyncio.create_task(engine.synced(number))
    async with asyncio.timeout(5):
        await engine.close()
    with pytest.raises(JournalError):
        await waiting
    (disk / "ballast").unlink()
    again = EmbeddedEngine(disk / "journal", clock=SystemClock())
    await again.open()
    assert again.state().synced == kept
    assert again.losses() == []
    await again.close()


def free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
