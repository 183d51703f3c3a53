"""What looks after the log of a running platform: checkpoints, what may go, notes, clocks. The clock is told."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.audit.rig import AT, DAY, judge, write
from tests.gate.rig import every_line

from bedplate.audit import anchor, outside, retention
from bedplate.audit.checkpoint import read_checkpoints, signer
from bedplate.audit.files import files_of, sealed_files
from bedplate.audit.key_file import KeyFile
from bedplate.audit.opening import RESTORED
from bedplate.audit.verification_key import read_keys
from bedplate.config import load
from bedplate.errors import BedplateError, ConfigError
from bedplate.gate.audit import Entry
from bedplate.server.auditing import Auditing
from bedplate.testing import FakeClock


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def auditing(
    folder: Path, words: str = "", clock: FakeClock | None = None
) -> AsyncIterator[tuple[Auditing, FakeClock]]:
    file = folder / "plant.yaml"
    file.write_text(f"bedplate: 1\nname: plant\naudit: {{folder: audit{words}}}\n")
    clock = clock or FakeClock(AT)
    made = Auditing(load(file, {}), clock)
    await made.open()
    try:
        yield made, clock
    finally:
        await made.close()


def taken(place: Path, folder: Path) -> list[int]:
    seal = signer(folder)
    return [one.index for one in read_checkpoints(anchor.anchor_file(place, seal.log), seal.public)]


async def note(one: Auditing, count: int = 1) -> None:
    for _ in range(count):
        one.audit.add(Entry("n", "noted"))
    assert await one.audit.write(Entry("n", "noted"))


async def test_a_checkpoint_goes_to_the_anchor_every_minute_with_new_lines_or_after_a_thousand(
    tmp_path: Path,
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    async with auditing(tmp_path, f", anchor: {share}") as (one, clock):
        await note(one)
        one.look()
        assert one.standing() == "chain whole, anchored nowhere yet"
        clock.advance(61)
        one.look()
        await until(lambda: one.anchoring.places[0].taken)
        clock.advance(41)
        assert one.standing() == "chain whole, anchored 41 s ago"
        clock.advance(61)
        one.look()
        await note(one, 1000)
        one.look()
        await until(lambda: len(taken(share, one.folder)) == 2)
        assert [*one.problems()] == []
        last = one.anchoring._index
    assert taken(share, tmp_path / "audit")[-1] == last + 1, "and a last one, with the stop"
    assert judge(tmp_path / "audit").whole


async def test_an_anchor_that_takes_none_for_five_minutes_is_a_problem_and_in_nobodys_way(
    tmp_path: Path,
) -> None:
    gone = tmp_path / "mnt" / "share"
    async with auditing(tmp_path, f", anchor: {gone}") as (one, clock):
        await note(one)
        for _ in range(6):
            clock.advance(60)
            one.look()
            await until(lambda: one.anchoring.places[0].problem)
        (problem,) = one.problems()
        assert problem.startswith(
            f"the anchor {gone} has taken no checkpoint of the audit log for 5"
        )
        assert "No such file" in problem
        await note(one)
        gone.mkdir(parents=True)
        one.look()
        await until(lambda: not [*one.problems()])


async def test_a_share_that_hangs_holds_up_neither_lines_nor_the_end(tmp_path: Path) -> None:
    """A pipe that nobody reads: opening it never comes back."""
    os.mkfifo(tmp_path / "pipe")
    began = time.monotonic()
    async with auditing(tmp_path, f", anchor: {tmp_path / 'pipe'}") as (one, clock):
        await note(one)
        clock.advance(61)
        one.look()
        clock.advance(301)
        assert "has taken no checkpoint" in next(one.problems())
        await note(one)
    assert time.monotonic() - began < 8
    assert judge(tmp_path / "audit").whole


async def test_an_anchor_within_the_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BedplateError, match="within the log it proves nothing"):
        async with auditing(tmp_path, ", anchor: audit/anchor"):
            pass


async def test_only_what_is_old_and_anchored_goes_and_verify_passes_from_there(
    tmp_path: Path,
) -> None:
    share, folder = tmp_path / "share", tmp_path / "audit"
    share.mkdir()
    write(folder, 20, clock=FakeClock(AT - 500 * DAY), rotate=3000)
    write(folder, 20, clock=FakeClock(AT - 10 * DAY), rotate=3000)
    keys, before = read_keys(folder / "verification.key"), sealed_files(folder)
    words = f", anchor: {share}, keep: 400d"
    async with auditing(tmp_path, words) as (one, _):
        await one.look_closely()
        assert sealed_files(folder) == before, "nobody else has seen it"
        one.anchoring.look(now=True)
        await until(lambda: one.anchoring.places[0].taken)
        await one.look_closely()
    left = sealed_files(folder)
    assert 0 < len(left) < len(before)
    assert [entry["action"] for entry in every_line(folder)].count("audit.removed") == len(
        before
    ) - len(left)
    found = judge(folder, keys=keys)
    assert found.whole, found.problem
    assert found.first > 1
    files_of(folder)[0].unlink()
    assert "nothing says why" in str(judge(folder).problem), "but what goes otherwise is missing"


async def test_nothing_goes_by_a_clock_that_was_set_to_2038(tmp_path: Path) -> None:
    share, folder = tmp_path / "share", tmp_path / "audit"
    share.mkdir()
    write(folder, 20, rotate=3000)
    before = len(sealed_files(folder))
    async with auditing(tmp_path, f", anchor: {share}, keep: 400d") as (one, clock):
        one.anchoring.look(now=True)
        await until(lambda: one.anchoring.places[0].taken)
        await one.look_closely()
        clock.jump(12 * 365 * 86_400)
        one.look()
        await one.look_closely()
    assert len(sealed_files(folder)) == before
    assert "clock.set" in [line["action"] for line in every_line(folder)]


def test_what_is_not_forwarded_stays(tmp_path: Path) -> None:
    write(tmp_path, 20, rotate=3000)
    every = [*retention.going(tmp_path, AT + DAY, 10_000)]
    assert len(every) == len(sealed_files(tmp_path))
    assert [*retention.going(tmp_path, AT + DAY, every[1].index)] == every[:2]
    assert [*retention.going(tmp_path, AT + DAY, every[1].index - 1)] == every[:1]


async def test_a_log_that_outgrows_what_is_set_aside_for_it_warns_at_80_percent(
    tmp_path: Path,
) -> None:
    async with auditing(tmp_path, ", size: 20kB") as (one, _):
        await note(one, 5)
        await one.look_closely()
        assert [*one.problems()] == []
        await note(one, 30)
        await one.look_closely()
        assert "of the 20 kB set aside" in next(one.problems())


async def test_a_receiver_that_is_away_is_a_problem_of_status(tmp_path: Path) -> None:
    async with auditing(tmp_path, ', syslog: "tls://127.0.0.1:1"') as (one, _):
        await note(one)
        await until(lambda: [*one.problems()])
        assert "the audit log is not forwarded to syslog: " in next(one.problems())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("syslog: siem:514", "is no receiver; write tls://host:6514"),
        ("syslog: http://siem:514", "is no receiver; write tls://host:6514"),
        ("keep: 400", "has no unit"),
        ("enabled: false", "unknown"),
        ("rotate: 1", "unknown"),
    ],
)
def test_what_the_file_cannot_say_is_told(tmp_path: Path, words: str, said: str) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(f"bedplate: 1\nname: plant\naudit: {{{words}}}\n")
    with pytest.raises(ConfigError, match=said):
        load(file, {})


async def test_a_chain_that_is_broken_is_a_problem_of_status(tmp_path: Path) -> None:
    write(tmp_path / "audit")
    path = tmp_path / "audit" / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b"press-3", b"press-4"))
    async with auditing(tmp_path) as (one, _):
        await one.look_closely()
        assert one.standing() == "chain broken"
        assert "entry 6: edited" in next(one.problems())


@pytest.mark.case("A26")
async def test_what_happens_beside_the_kernel_becomes_a_line(tmp_path: Path) -> None:
    async with auditing(tmp_path) as (one, _):
        outside.leave(one.folder, "backup.create", "/mnt/x.backup", "root")
        (one.folder / "note-.json").write_text("{")
        one.look()
        await until(lambda: not [*one.folder.glob("note-*")])
    told = [line for line in every_line(tmp_path / "audit") if line["method"] == "outside"]
    assert [(line["action"], line["who"]) for line in told] == [
        ("audit.note", ""),
        ("backup.create", "root"),
    ]


@pytest.mark.case("A26")
def test_a_restored_log_says_so_and_goes_on_with_a_key_of_its_own(tmp_path: Path) -> None:
    folder, copy = tmp_path / "audit", tmp_path / "copy"
    write(folder)
    old = read_keys(folder / "verification.key")
    shutil.copytree(folder, copy)
    (copy / RESTORED).write_text('{"backup": "x.backup", "made": "2026-11-20T10:00:00Z"}')
    write(copy, 2)
    found = judge(copy)
    assert found.whole
    assert "restored from the backup x.backup of 2026-11-20T10:00:00Z" in found.notes[0]
    assert len(found.segments) == 2
    assert not (copy / RESTORED).exists()
    assert "which none of the verification keys is" in str(judge(copy, keys=old).problem)
    assert judge(copy, keys=read_keys(copy / "verification.key")).keyed == found.entries
    write(copy, 1)
    assert len(judge(copy).segments) == 2, "once"


def test_a_key_that_was_lost_is_said(tmp_path: Path) -> None:
    write(tmp_path)
    KeyFile(tmp_path).path.unlink()
    write(tmp_path, 1)
    found = judge(tmp_path)
    assert found.whole
    assert "its key was lost" in found.notes[0]
