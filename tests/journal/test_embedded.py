"""What the embedded engine does beyond the contract: syncing, its file, its one owner, and a disk that fails."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.journal.records import entries, entry, same

from bedplate.clock import SystemClock
from bedplate.errors import JournalError
from bedplate.journal.database import connect
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Commit, Entry
from bedplate.model import Body
from bedplate.testing import FakeClock

ROOT = Path(__file__).parent.parent.parent


async def test_nothing_is_synced_before_the_interval_unless_somebody_waits(
    embedded: EmbeddedEngine,
) -> None:
    embedded.append(entries(range(3)))
    background = asyncio.create_task(embedded.synced(3, now=False))
    await asyncio.sleep(0)
    assert (embedded.state().syncs, embedded.state().synced, background.done()) == (0, 0, False)
    assert await embedded.read(0) == []
    await asyncio.wait_for(embedded.synced(3), 5)
    await asyncio.wait_for(background, 5)
    assert embedded.state().syncs == 1


async def test_what_nobody_waits_for_is_synced_after_the_interval(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, sync=0.1, clock=FakeClock())
    await engine.open()
    start = time.monotonic()
    engine.append(entries(range(3)))
    engine.append(entries(range(3, 6)))
    assert await asyncio.wait_for(engine.wait(0), 5) == 6
    assert 0.09 < time.monotonic() - start < 2
    assert engine.state().syncs == 1
    await engine.close()


async def test_those_who_wait_together_share_a_sync(embedded: EmbeddedEngine) -> None:
    async def produce(number: int) -> None:
        (record,) = embedded.append([entry(number)])
        await embedded.synced(record.position)

    await asyncio.wait_for(asyncio.gather(*map(produce, range(200))), 10)
    assert embedded.state().syncs <= 2
    assert same(await embedded.read(0), range(200))


async def test_what_is_appended_during_a_sync_goes_with_the_next(embedded: EmbeddedEngine) -> None:
    positions = []
    for number in range(50):
        (record,) = embedded.append([entry(number)])
        embedded.sync_soon()
        positions.append(record.position)
        await asyncio.sleep(0)
    await asyncio.wait_for(embedded.synced(50), 10)
    assert embedded.state().syncs < 50
    assert same(await embedded.read(0), range(50))


async def test_memory_that_waits_for_the_disk_is_told(embedded: EmbeddedEngine) -> None:
    for _ in range(33):
        embedded.append([Entry("a/live", Body.BATCH, bytes(1 << 20), 0)])
    assert embedded.pending_bytes == 33 << 20
    assert embedded.backlogged
    await asyncio.wait_for(
        embedded.synced(33, now=False), 10
    )  # so much is not left to the interval
    assert embedded.pending_bytes == 0
    assert not embedded.backlogged


async def test_a_commit_counts_only_when_the_disk_has_it(
    embedded: EmbeddedEngine, tmp_path: Path
) -> None:
    """No kill of a process can show it, so the setting is looked at: 2 is FULL, a sync for each commit."""
    connection = connect(tmp_path / "journal" / "journal.sqlite3")
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_records_and_their_commit_reach_the_disk_together(
    embedded: EmbeddedEngine, tmp_path: Path
) -> None:
    embedded.append(entries(range(3)), Commit("oee", 2, {"a": b"1"}))
    await embedded.synced(3)
    embedded.append(entries(range(3, 6)), Commit("oee", 5, {"a": b"2"}))
    twin = await open_copy(tmp_path, "before")
    assert same(await twin.read(0), range(3))
    assert await twin.cursor("oee") == (2, {"a": b"1"})
    await twin.close()
    await embedded.synced(6)
    twin = await open_copy(tmp_path, "after")
    assert same(await twin.read(0), range(6))
    assert await twin.cursor("oee") == (5, {"a": b"2"})
    await twin.close()


async def open_copy(folder: Path, name: str) -> EmbeddedEngine:
    """What a process that starts after the owner was killed just now would find."""
    shutil.copytree(folder / "journal", folder / name)
    engine = EmbeddedEngine(folder / name, clock=FakeClock())
    await engine.open()
    return engine


@pytest.mark.case("A62")
async def test_a_second_owner_is_refused_by_name(embedded: EmbeddedEngine, tmp_path: Path) -> None:
    second = EmbeddedEngine(tmp_path / "journal", clock=FakeClock())
    with pytest.raises(JournalError, match=f"journal is in use by process {os.getpid()}"):
        await second.open()
    await second.close()
    embedded.append(entries(range(1)))
    await embedded.synced(1)
    await embedded.close()
    await second.open()
    assert same(await second.read(0), range(1))
    await second.close()


@pytest.mark.case("A61")
async def test_a_newer_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = await made_journal(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "lock"}
    with pytest.raises(JournalError, match=r"newer Bedplate \(format 2, this one knows up to 1\)"):
        await EmbeddedEngine(tmp_path, clock=FakeClock()).open()
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "lock"}
    assert after == before


async def made_journal(folder: Path, count: int = 5) -> Path:
    """The file of a closed journal with some records in it, one chunk each."""
    engine = EmbeddedEngine(folder, clock=FakeClock())
    await engine.open()
    for number in range(count):
        engine.append([entry(number + 1)])
        await engine.synced(number + 1)
    await engine.close()
    return folder / "journal.sqlite3"


@pytest.mark.parametrize(
    "content", [b"no database", bytes(5000), b"SQLite format 3\0" + bytes(5000)]
)
@pytest.mark.case("A61")
async def test_a_file_that_is_no_journal_is_moved_aside_whole(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(content)
    engine = EmbeddedEngine(tmp_path, clock=FakeClock())
    await engine.open()
    (aside,) = tmp_path.glob("journal.sqlite3.broken-*")
    assert aside.read_bytes() == content
    (loss,) = engine.losses()
    assert aside.name in loss.reason
    await engine.close()


@pytest.mark.parametrize("application", [0, 77])
@pytest.mark.case("A61")
async def test_the_database_of_another_program_is_refused(tmp_path: Path, application: int) -> None:
    with sqlite3.connect(tmp_path / "journal.sqlite3") as database:
        database.execute("CREATE TABLE theirs (a)")
        database.execute(f"PRAGMA application_id = {application}")
    database.close()
    with pytest.raises(JournalError, match="another program"):
        await EmbeddedEngine(tmp_path, clock=FakeClock()).open()


async def test_an_empty_file_left_by_a_start_that_was_killed_is_no_hindrance(
    tmp_path: Path,
) -> None:
    (tmp_path / "journal.sqlite3").touch()
    assert await made_journal(tmp_path)


async def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    engine = EmbeddedEngine(tmp_path / "file" / "journal", clock=FakeClock())
    with pytest.raises(JournalError, match="Not a directory"):
        await engine.open()
    await engine.close()


async def test_a_damaged_record_is_left_out_and_counted_once(tmp_path: Path) -> None:
    path = await made_journal(tmp_path)
    with sqlite3.connect(path) as database:
        (body,) = database.execute("SELECT body FROM chunks WHERE last = 2").fetchone()
        flipped = body[:-1] + bytes([body[-1] ^ 1])
        database.execute("UPDATE chunks SET body = ? WHERE last = 2", (flipped,))
        database.execute("UPDATE chunks SET head = zeroblob(10) WHERE last = 4")
    database.close()
    engine = EmbeddedEngine(tmp_path, clock=FakeClock())
    await engine.open()
    for _ in range(2):
        assert [record.position for record in await engine.read(0)] == [1, 3, 5]
        assert [record.position for record in await engine.read(3, records=1)] == [5]
        assert engine.state().damaged == 2
    await engine.trim(3)
    assert engine.state().first == 5
    await engine.close()


async def test_room_that_trimming_frees_is_used_again(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, clock=FakeClock(), keep=0)
    await engine.open()
    sizes = []
    for _ in range(60):
        last = engine.append([Entry("a/live", Body.BATCH, os.urandom(100_000), 0)] * 10)[
            -1
        ].position
        await engine.synced(last)
        await engine.trim(last - 20)
        sizes.append(engine.state().bytes)
    assert max(sizes) < 28 << 20
    await engine.close()


async def test_a_drained_backlog_gives_its_disk_space_back(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, clock=FakeClock(), keep=0)
    await engine.open()
    for _ in range(9):
        last = engine.append([Entry("a/live", Body.BATCH, os.urandom(1 << 20), 0)] * 10)[
            -1
        ].position
        await engine.synced(last)
    assert engine.state().bytes > 90 << 20
    engine.append(entries(range(90, 95)))
    await engine.synced(95)
    await engine.trim(90)
    assert engine.state().bytes < 40 << 20
    assert same(await engine.read(0), range(90, 95))
    await engine.close()


async def test_readers_far_behind_and_writers_do_not_disturb_each_other(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, sync=0.005, clock=FakeClock(), keep=100_000)
    await engine.open()

    async def read_all() -> list[int]:
        numbers, position = [], 0
        while position < 3000:
            await engine.wait(position)
            records = await engine.read(position, records=57)
            numbers += [record.received - 1_000_000 for record in records]
            position = records[-1].position
        return numbers

    readers = [asyncio.create_task(read_all()) for _ in range(3)]
    for number in range(3000):
        engine.append([entry(number)])
        if number % 10 == 0:
            await asyncio.sleep(0)
    for numbers in await asyncio.wait_for(asyncio.gather(*readers), 30):
        assert numbers == list(range(3000))
    await engine.close()


async def test_what_went_to_the_disk_is_counted(embedded: EmbeddedEngine) -> None:
    before = embedded.state().bytes_written
    embedded.append([Entry("a/live", Body.BATCH, os.urandom(1_000_000), 0)])
    await embedded.synced(1)
    written = embedded.state().bytes_written - before
    if not written:
        pytest.skip("this file system does not count what is written to it")
    assert 1_000_000 < written < 4_000_000


async def test_a_disk_that_takes_no_more_confirms_nothing_and_goes_on_when_it_does(
    tmp_path: Path,
) -> None:
    limit = 3_000_000
    command = [sys.executable, "-m", "tests.journal.filling_program", str(tmp_path), str(limit)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    held, kept, *rest = done.stdout.splitlines()
    assert held.startswith(f"held: {tmp_path}/journal.sqlite3: ")
    assert rest == ["readable 1 1", "again True ", "closed"]
    count = int(kept.removeprefix("kept "))
    assert count > 5
    engine = EmbeddedEngine(tmp_path, clock=SystemClock())
    await engine.open()
    found = []
    while records := await engine.read(found[-1].position if found else 0):
        found += records
    expected = [entry(number, largest=200_000).payload for number in range(count + 2)]
    assert [record.payload for record in found] == expected
    assert not [loss for loss in engine.losses() if loss.last]
    await engine.close()


async def test_after_a_failed_sync_the_same_file_is_never_tried_again_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = EmbeddedEngine(tmp_path, sync=0.01, clock=SystemClock(), keep=2000)
    await engine.open()
    engine.append(entries(range(30)), Commit("oee", 30, {"a": b"1"}))
    await engine.synced(30)
    inode = (tmp_path / "journal.sqlite3").stat().st_ino
    write, failed = engine._writer.write, []

    def fail_once(turn: object) -> None:
        if failed:
            return write(turn)  # type: ignore[arg-type]
        failed.append(turn)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    monkeypatch.setattr(engine._writer, "write", fail_once)
    engine.append(entries(range(30, 35)))
    async with asyncio.timeout(5):
        await engine.synced(35)
    assert (tmp_path / "journal.sqlite3").stat().st_ino != inode
    (aside,) = tmp_path.glob("*.broken-*[0-9]")
    assert aside.stat().st_ino == inode
    assert engine.held == ""
    assert same(await engine.read(0), range(35))
    assert await engine.cursor("oee") == (30, {"a": b"1"})
    (loss,) = engine.losses()
    assert "disk I/O error" in loss.reason
    await engine.close()
    again = EmbeddedEngine(tmp_path, clock=SystemClock())
    await again.open()
    assert same(await again.read(0), range(35))
    assert again.losses() == []
    await again.close()
