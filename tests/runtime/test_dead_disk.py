"""The journal's disk is dead: current values, live, what is derived and alarms go on, marked; what can't be kept is
declared to the sample, once there is a disk again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import OFFERS, RigOffer, plant, state, until, value

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.model import AlarmState, Body, Record
from bedplate.record.v1 import record_pb2
from bedplate.wire import decode_batch

RIGS = OFFERS | {
    "replaying": RigOffer("replaying", "connector", ("subscribe",), "rigs:Pusher", replay="cursor"),
    "resending": RigOffer(
        "resending", "connector", ("subscribe",), "rigs:Teller", replay="session"
    ),
    "ticker": RigOffer(
        "ticker",
        "connector",
        ("subscribe",),
        "ticking:Ticker",
        plugin="ticking",
        file=Path(__file__).with_name("ticking.py"),
    ),
    "witness": RigOffer(
        "witness",
        "connector",
        ("deliver",),
        "ticking:Witness",
        plugin="ticking",
        file=Path(__file__).with_name("ticking.py"),
    ),
}
TEXT = """
types: {box: {use: counter, scan_classes: {fast: 20ms}, tags: {number: {address: a, scan: fast}}}}
connectors:
  box: {type: box, each: {one: {}}}
  pushed: {use: ticker, tags: {n: {address: a}}}
  sink: {use: witness, folder: FOLDER, deliver: ["one/number"]}
analytics: {sums: {use: sums, for: box, of: number}}
"""
WAITS = """
  keeps: {use: replaying, folder: FOLDER/keeps, pause: 0.01, tags: {n: {address: a}}}
analytics:"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        if os.environ.get("CI"):
            pytest.fail("no small file system can be mounted here")
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@asynccontextmanager
async def full(disk: Path) -> AsyncIterator[None]:
    """Not a byte of room, also when something gives a page back."""
    with (disk / "ballast").open("ab", buffering=0) as ballast:

        async def fill() -> None:
            while True:
                room = os.statvfs(disk)
                if free := room.f_bavail * room.f_frsize:
                    with contextlib.suppress(OSError):
                        ballast.write(bytes(free))
                await asyncio.sleep(0.005)

        filling = asyncio.create_task(fill())
        try:
            yield
        finally:
            filling.cancel()
    (disk / "ballast").unlink()


async def goes_on(kernel: Any, *paths: str) -> None:
    """Each of these rises by ten and more."""
    before = {path: value(kernel, path) for path in paths}
    for path in paths:
        await until(lambda path=path: value(kernel, path) > before[path] + 10)


async def test_on_a_dead_disk_values_derived_values_and_alarms_go_on_and_memory_keeps_what_it_can(
    tmp_path: Path, disk: Path
) -> None:
    (tmp_path / "keeps").mkdir()
    engine = EmbeddedEngine(disk / "journal", clock=SystemClock(), sync=0.05, min_free=0)
    text = TEXT.replace("\nanalytics:", WAITS)
    async with plant(tmp_path, text, engine=engine, offers=RIGS) as kernel:
        listener, _ = kernel.spine.live.listen()
        await until(lambda: value(kernel, "one/sums/count") and value(kernel, "keeps/n"))
        async with full(disk):
            await until(lambda: engine.state().failed)
            assert "disk is full" in kernel.spine.not_stored
            await until(lambda: state(kernel, "keeps") == "degraded")
            await goes_on(kernel, "one/number", "pushed/n", "one/sums/count")
            alarm = await until(lambda: kernel.spine.alarms.get("kernel/journal/disk"))
            assert alarm.alarm.state is AlarmState.UNACKNOWLEDGED
            assert state(kernel, "one") == "up"
            os.kill(kernel.components["sums"].place.run.pid, signal.SIGKILL)
            await goes_on(kernel, "one/number", "one/sums/count")
            confirmed = (tmp_path / "keeps" / "confirmed").read_text().split()
            assert int(confirmed[-1]) <= await newest(engine, "keeps/live"), "it keeps the rest"
        await until(lambda: not kernel.spine.not_stored)
        await goes_on(kernel, "keeps/n", "one/sums/count")
        fresh = [one.record for one in listener.take()]
        await engine.synced(engine.state().appended)
        stored = await numbers(engine)
        lost = accounted(fresh, set(stored))
    assert stored == sorted(stored)
    assert lost < 20, "what came between `no room` and the first error; memory held the rest"


async def test_a_source_that_resends_a_little_is_not_held_and_hears_nothing_of_a_dead_disk(
    tmp_path: Path, disk: Path
) -> None:
    """`replay: session` (an OPC UA server's queue): what it has goes on live, and none of it is acknowledged."""
    (tmp_path / "sends").mkdir()
    engine = EmbeddedEngine(disk / "journal", clock=SystemClock(), sync=0.05, min_free=0)
    sends = (
        "\n  sends: {use: resending, folder: FOLDER/sends, pause: 0.01, tags: {n: {address: a}}}"
    )
    text = TEXT.replace("\nanalytics:", f"{sends}\nanalytics:")
    async with plant(tmp_path, text, engine=engine, offers=RIGS) as kernel:
        confirmed = tmp_path / "sends" / "confirmed"
        await until(lambda: value(kernel, "sends/n") and confirmed.exists())
        async with full(disk):
            await until(lambda: engine.state().failed)
            await goes_on(kernel, "sends/n", "one/number")
            assert state(kernel, "sends") == "up"
            before = confirmed.read_text()
            assert int(before) <= await newest(engine, "sends/live"), "nothing else was said to be"
        await until(lambda: not kernel.spine.not_stored)
        await until(lambda: confirmed.read_text() != before)


async def test_a_source_that_resends_a_little_costs_the_disk_no_sync_of_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "sends").mkdir()
    engine = EmbeddedEngine(tmp_path / "journal", clock=SystemClock(), sync=3600)
    text = (
        "connectors:\n"
        "  sends: {use: resending, folder: FOLDER/sends, pause: 0.01, tags: {n: {address: a}}}\n"
    )
    async with plant(tmp_path, text, engine=engine, offers=RIGS) as kernel:
        await goes_on_from_nothing(kernel, "sends/n")
        synced = engine.state().synced
        await goes_on(kernel, "sends/n")
        assert engine.state().synced == synced < engine.state().appended


async def goes_on_from_nothing(kernel: Any, path: str) -> None:
    await until(lambda: value(kernel, path))
    await goes_on(kernel, path)


@pytest.mark.case("A64")
async def test_what_memory_can_not_hold_is_declared_to_the_sample_when_there_is_a_disk_again(
    tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.journal.embedded.PENDING_MOST", 5_000)
    monkeypatch.setattr("bedplate.journal.embedded.LEFT_OUT_FROM", 8_000)
    engine = EmbeddedEngine(disk / "journal", clock=SystemClock(), sync=0.05, min_free=0)
    async with plant(tmp_path, TEXT, engine=engine, offers=RIGS) as kernel:
        audited: list[str] = []
        kernel.spine.told_gap = lambda stream, loss, reason: audited.append(reason)
        listener, _ = kernel.spine.live.listen()
        await until(lambda: value(kernel, "one/sums/count"))
        async with full(disk):
            await until(lambda: kernel.spine.unstored.why)
            await goes_on(kernel, "one/number", "pushed/n", "one/sums/count")
            held = engine.pending_bytes
            await goes_on(kernel, "one/number", "one/sums/count")
            assert engine.pending_bytes < held + 10_000, "bounded"
        await until(lambda: not kernel.spine.not_stored)
        await goes_on(kernel, "one/number", "one/sums/count")
        count = value(kernel, "one/sums/count")
        assert value(kernel, "one/sums/sum") == count * (count + 1) // 2, "it missed nothing"
        fresh = [one.record for one in listener.take()]
        await engine.synced(engine.state().appended)
        stored = set(await numbers(engine))
        told = kernel.spine.gaps
        assert len(audited) == told > 2
        losses = tmp_path / "losses"
        gaps = [gap for gap in gaps_of(fresh) if gap.stream == "one/live"]
        lines = [f"{gap.stream} {gap.samples}" for gap in gaps]
        await until(lambda: losses.read_text().splitlines()[: len(lines)] == lines)
    assert accounted(fresh, stored) > 10
    gaps = gaps_of(fresh)
    assert any("disk is full" in gap.reason for gap in gaps), {gap.reason for gap in gaps}
    assert {gap.stream for gap in gaps} == {"one/live", "pushed/live", "sums/live"}


async def test_a_folder_that_is_taken_away_is_noticed_and_made_again(tmp_path: Path) -> None:
    async with plant(tmp_path, TEXT, offers=RIGS) as kernel:
        await until(lambda: value(kernel, "one/sums/count"))
        shutil.rmtree(tmp_path / "journal")
        await until((tmp_path / "journal" / "journal.sqlite3").exists)
        await until(lambda: not kernel.spine.not_stored)
        await goes_on(kernel, "one/number", "pushed/n", "one/sums/count")
        alarm = await until(lambda: kernel.spine.alarms.get("kernel/journal/broken"))
        assert "taken away" in alarm.alarm.condition
        await kernel.engine.synced(kernel.engine.state().appended)
        last = value(kernel, "one/number")
    async with plant(tmp_path, TEXT, offers=RIGS) as kernel:
        await until(lambda: value(kernel, "one/number"))
        assert last - 5 < max(await numbers(kernel.engine))


def test_a_disk_that_fails_in_the_midst_of_it_stops_the_storing_alone(tmp_path: Path) -> None:
    """Errors of the disk, put into the system calls of a real kernel."""
    if not shutil.which("strace"):
        if os.environ.get("CI"):
            pytest.fail("strace is missing")
        pytest.skip("strace is missing")
    inject = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=40..44"]
    program = [sys.executable, "-m", "tests.runtime.enduring_kernel", str(tmp_path)]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", str(tmp_path / "calls"), *inject, *program],
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.stdout == "disk I/O error: went on, stored again, whole\n", done.stderr[-2000:]
    assert list((tmp_path / "journal").glob("*.broken-*")), "never again on that file"


def accounted(fresh: list[Record], stored: set[int]) -> int:
    """How many numbers are declared lost; each that was live is stored, or counted there."""
    live = numbers_of(fresh)
    assert live == list(range(live[0], live[-1] + 1)), "live had all, in order"
    lost = sum(gap.samples for gap in gaps_of(fresh) if gap.stream == "one/live")
    assert lost == len(set(live) - stored)
    return lost


def gaps_of(fresh: list[Record]) -> list[Any]:
    return [record_pb2.Gap.FromString(r.payload) for r in fresh if r.kind is Body.GAP]


async def numbers(engine: Any, stream: str = "one/live") -> list[int]:
    """What is stored of the counter, or of another stream."""
    found, position = [], 0
    while records := await engine.read(position):
        position = records[-1].position
        found += numbers_of(records, stream)
    return found


async def newest(engine: Any, stream: str) -> int:
    """The last number of it that is on disk."""
    return (await numbers(engine, stream))[-1]


def numbers_of(records: list[Record], stream: str = "one/live") -> list[int]:
    mine = (r for r in records if r.stream == stream and r.kind is Body.BATCH)
    return [n for r in mine for n in decode_batch(r.payload).value.tolist()]
