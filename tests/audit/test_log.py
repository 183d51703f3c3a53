"""The audit log: what stands in it, when it is on disk, and what happens when it can't be."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gate.rig import BadDisk, StillClock, audit, every_line, lines

from bedplate.audit import chain
from bedplate.audit.entry import Stamps
from bedplate.audit.files import files_of
from bedplate.audit.key_file import KeyFile
from bedplate.audit.log import ChainLog
from bedplate.audit.verify import verify
from bedplate.gate import audit as audit_module
from bedplate.gate.audit import Audit, Entry

ANY = Entry("live.current", "allowed", "vera")


async def until(condition: Any, within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_the_log_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "audit"
    log = audit(folder)
    await log.open()
    await log.write(ANY)
    await log.close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "audit.jsonl").stat().st_mode & 0o777 == 0o600


@given(st.text(max_size=40) | st.just("\n2026-… ADMIN OK\x1b[2J\u202e\u2028\r\0"))
def test_a_value_cannot_forge_a_line(text: str) -> None:
    line, _ = chain.seal({"resource": text, "who": text}, 1, chain.GENESIS, bytes(32))
    assert line.count(b"\n") == 1
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    found = json.loads(line)
    assert (found["resource"], found["who"]) == (text, text)


async def test_a_lone_surrogate_and_a_huge_text_are_written(tmp_path: Path) -> None:
    log = audit(tmp_path)
    await log.open()
    assert await log.write(Entry("a", "allowed", "\ud800", resource="x" * 1_000_000))
    await log.close()
    assert len(lines(tmp_path)[0]["resource"]) == 1000


async def test_changes_and_refusals_are_synced_at_once_and_reads_within_a_second() -> None:
    disk = BadDisk()
    log = Audit(disk, StillClock())
    await log.open()
    log.add(ANY)
    await asyncio.sleep(0.02)
    assert disk.appends == 0
    log.add(Entry("authenticate", "refused"), urgent=True)
    await until(lambda: disk.appends == 1)
    assert disk.written.count(b"\n") == 2, "what waited went with it, in order"
    log.add(ANY)
    await until(lambda: disk.appends == 2)
    await log.close()


async def test_many_that_wait_share_a_sync() -> None:
    disk = BadDisk()
    log = Audit(disk, StillClock())
    await log.open()
    assert all(await asyncio.gather(*(log.write(ANY) for _ in range(500))))
    assert disk.appends <= 3
    assert disk.written.count(b"\n") == 500
    await log.close()


async def test_what_waits_is_written_at_the_end_and_nothing_is_taken_after_it(
    tmp_path: Path,
) -> None:
    log = audit(tmp_path)
    await log.open()
    log.add(ANY)
    await log.close()
    assert [line["action"] for line in every_line(tmp_path)] == [
        *("audit.begin", "audit.start", "live.current", "audit.stop"),
    ]
    assert not await log.write(ANY)


async def test_lines_of_a_bad_hour_are_kept_and_come_in_order_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audit_module, "LAZY", 0.01)
    disk = BadDisk()
    disk.error = errno.EIO
    log = Audit(disk, StillClock())
    await log.open()
    assert log.failed == "audit.jsonl: EIO"
    for number in range(10):
        log.add(Entry("n", "noted", text=str(number)), urgent=True)
    assert not await log.write(Entry("n", "noted", text="10"))
    disk.error = 0
    await until(lambda: not log.failed)
    assert [json.loads(line)["text"] for line in disk.written.splitlines()] == [
        str(n) for n in range(11)
    ]
    await log.close()


async def test_a_flood_of_refusals_does_not_become_a_flood_of_tries_on_a_bad_disk() -> None:
    disk = BadDisk()
    log = Audit(disk, StillClock())
    await log.open()
    disk.error = errno.ENOSPC
    for _ in range(50):
        log.add(Entry("authenticate", "refused"), urgent=True)
        await asyncio.sleep(0.001)
    await until(lambda: bool(log.failed))
    assert disk.appends <= 3
    await log.close()


async def test_what_no_longer_fits_is_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "MAX_WAITING", 5)
    monkeypatch.setattr(audit_module, "LAZY", 0.01)
    disk = BadDisk()
    disk.error = errno.ENOSPC
    log = Audit(disk, StillClock())
    await log.open()
    for _ in range(8):
        log.add(ANY)
    assert log.lost == 3
    assert not await log.write(ANY)
    disk.error = 0
    await until(lambda: not log.failed)
    told = [json.loads(line) for line in disk.written.splitlines()]
    assert [line["action"] for line in told] == ["live.current"] * 5 + ["audit.lost"]
    assert told[-1]["text"] == "4 records were lost while the disk failed"
    assert log.lost == 0
    await log.close()


async def test_others_hear_what_is_on_disk_and_nothing_else() -> None:
    heard: list[Mapping[str, Any]] = []
    disk = BadDisk()
    log = Audit(disk, StillClock(), heard.append)
    await log.open()
    await log.write(ANY)
    disk.error = errno.EIO
    await log.write(ANY)
    assert [record["who"] for record in heard] == ["vera"]
    await log.close()


@pytest.mark.parametrize("what", ["folder", "file", "link", "folder in its place", "a file above"])
async def test_a_place_that_cannot_be_trusted_is_said_and_no_reason_not_to_start(
    tmp_path: Path, what: str
) -> None:
    folder = tmp_path / "audit"
    if what == "a file above":
        folder.touch()
    else:
        folder.mkdir(mode=0o700)
    if what == "folder":
        folder.chmod(0o777)
    elif what == "file":
        (folder / "audit.jsonl").touch()
        (folder / "audit.jsonl").chmod(0o666)
    elif what == "link":
        (folder / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    elif what == "folder in its place":
        (folder / "audit.jsonl").mkdir()
    log = audit(folder)
    await log.open()
    assert str(tmp_path) in log.failed
    assert not await log.write(ANY)
    await log.close()
    assert not (tmp_path / "elsewhere").exists()


def record(text: str) -> dict[str, Any]:
    return Stamps(StillClock()).record(Entry("n", "noted", text=text))


class Ticking(StillClock):
    """A moment later each time."""

    def __init__(self) -> None:
        self.at = super().time_ns()

    def time_ns(self) -> int:
        self.at += 1_000_000
        return self.at


def texts(*paths: Path) -> list[str]:
    whole = b"".join(path.read_bytes() for path in paths)
    return [line["text"] for line in map(json.loads, whole.splitlines()) if line["action"] == "n"]


def test_a_large_log_is_put_aside_and_nothing_is_lost(tmp_path: Path) -> None:
    file = ChainLog(tmp_path, Stamps(Ticking()), rotate_bytes=2000)
    for number in range(50):
        file.append([record(str(number))])
    file.close()
    files = files_of(tmp_path)
    assert len(files) > 10
    assert texts(*files) == [str(number) for number in range(50)]
    assert verify(tmp_path).whole


def test_two_in_the_same_moment_are_not_put_aside_onto_each_other(tmp_path: Path) -> None:
    file = ChainLog(tmp_path, Stamps(StillClock()), rotate_bytes=10)
    for number in range(5):
        file.append([record(str(number))])
    file.close()
    assert len(texts(*tmp_path.glob("*.jsonl"))) == 5
    assert verify(tmp_path).whole


def test_a_disk_that_is_full_leaves_whole_lines_only(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the write stops in the middle of a line."""
    code = f"""
import resource, signal
from pathlib import Path
from tests.audit.test_log import ChainLog, Stamps, StillClock, record
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = ChainLog(Path({str(tmp_path)!r}), Stamps(StillClock()))
file.append([record("a")])
size = file.path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
try:
    file.append([record("b")])
except OSError as error:
    print(error.errno, file.path.stat().st_size == size)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.append([record("c")])
file.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(errno.EFBIG), "True"], done.stderr
    assert texts(tmp_path / "audit.jsonl") == ["a", "c"]
    assert verify(tmp_path).entries == 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("A27 is not shown here with a real full disk: mounting a tmpfs is not allowed")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.case("A27")
async def test_a_disk_that_is_really_full_or_read_only_is_told_and_the_chain_holds(
    small_disk: Path,
) -> None:
    folder, fill = small_disk / "audit", small_disk / "fill"
    log = audit(folder)
    await log.open()
    assert await log.write(ANY)
    fill.write_bytes(b"x" * (1 << 17))
    with contextlib.suppress(OSError), open(fill, "ab", buffering=0) as stream:
        while stream.write(b"x" * 4096):
            pass
    for _ in range(9):  # what is left of the page of the log
        log.add(ANY, urgent=True)
    assert not await log.write(ANY)
    assert "No space left" in log.failed
    fill.unlink()
    assert await log.write(ANY)
    await log.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    again = audit(folder)
    await again.open()
    assert "Read-only" in again.failed
    assert not await again.write(ANY)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert await again.write(ANY)
    await again.close()
    found = verify(folder, stands=KeyFile(folder).load())
    assert found.whole, found.problem


def test_what_was_answered_survives_kill(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from bedplate.clock import SystemClock
from bedplate.gate.audit import Audit, Entry
from bedplate.audit.entry import Stamps
from bedplate.audit.files import files_of
from bedplate.audit.log import ChainLog
async def main():
    log = Audit(ChainLog(Path({str(tmp_path)!r}), Stamps(SystemClock())), SystemClock())
    await log.open()
    for number in range(1_000_000):
        assert await log.write(Entry("n", "noted", text=str(number)))
        print(number, flush=True)
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        for _ in range(100):
            process.stdout.readline()
    finally:
        os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    told = [line["text"] for line in lines(tmp_path) if line["action"] == "n"]
    assert told == [str(number) for number in range(len(told))]
    assert len(told) >= 100 + len([line for line in rest if line])
