"""One id, one effect: repeats at the same time, later, with other words, and after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from tests.command.rig import EMMA, ERIK, OLGA, SPEED, Bench, settle

from bedplate.command import State
from bedplate.command.store import KEPT_LEAST, KEPT_NS

DAY = 86_400.0


async def restarted(bench: Bench) -> None:
    await bench.guard.close()
    await bench.another_guard().open()


@pytest.mark.case("A68")
async def test_a_repeat_gets_the_result_of_the_first(bench: Bench) -> None:
    wish = bench.wish()
    first = await bench.guard.submit(wish, OLGA)
    bench.press.shows("guard_closed", False)
    bench.rules = replace(bench.rules, writes=replace(bench.rules.writes, enabled=False))
    assert await bench.guard.submit(wish, OLGA) == first
    assert await bench.guard.submit(replace(wish, within=1.0), OLGA) == first
    assert len(bench.effects) == 1


@pytest.mark.case("A68")
async def test_a_repeat_joins_what_is_under_way(bench: Bench) -> None:
    wish = bench.wish()
    commands = await asyncio.gather(*(bench.guard.submit(wish, OLGA) for _ in range(5)))
    assert all(command == commands[0] for command in commands)
    assert commands[0].state is State.VERIFIED
    assert len(bench.effects) == 1


@pytest.mark.case("A68")
async def test_a_reply_that_was_lost_and_a_retry_are_one_effect(bench: Bench) -> None:
    wish = bench.wish()
    entered = asyncio.Event()

    async def held() -> None:
        entered.set()
        await settle(3)

    bench.press.after_send = held
    call = asyncio.create_task(bench.guard.submit(wish, OLGA))
    await entered.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await bench.guard.submit(wish, OLGA)).state is State.VERIFIED
    assert len(bench.effects) == 1


@pytest.mark.case("A68")
@pytest.mark.parametrize("days", [0, 1, 30])
async def test_a_repeat_after_a_restart_gets_the_result_of_the_first(
    kept: Bench, days: int
) -> None:
    wish = kept.wish(reason="first piece")
    first = await kept.guard.submit(wish, OLGA)
    await restarted(kept)
    kept.time.goes_on(days * DAY)
    await restarted(kept)
    assert await kept.guard.submit(wish, OLGA) == replace(first, by=replace(OLGA, roles=()))
    assert len(kept.effects) == 1


@pytest.mark.case("A68")
async def test_what_was_rejected_stays_rejected_after_a_restart(kept: Bench) -> None:
    wish = kept.wish()
    kept.press.shows("guard_closed", False)
    first = await kept.guard.submit(wish, OLGA)
    await restarted(kept)
    kept.press.shows("guard_closed", True)
    again = await kept.guard.submit(wish, OLGA)
    assert (again.state, again.text) == (State.REJECTED, first.text)
    assert not kept.effects


@pytest.mark.parametrize(
    "change",
    [
        {"value": 111.0},
        {"value": 110},
        {"tag": f"{SPEED}x"},
        {"if_current": 110.0},
        {"reason": "x"},
    ],
)
async def test_an_id_that_was_used_for_something_else_is_refused(
    bench: Bench, change: dict[str, object]
) -> None:
    if "tag" in change:
        bench.press.points[f"{SPEED}x"] = replace(bench.press.points[SPEED], path=f"{SPEED}x")
        bench.press.shown[f"{SPEED}x"] = bench.press.shown[SPEED]
    wish = bench.wish()
    first = await bench.guard.submit(wish, OLGA)
    command = await bench.guard.submit(replace(wish, **change), OLGA)  # type: ignore[arg-type]
    assert (command.state, command.checks[-1].name) == (State.REJECTED, "idempotency")
    assert len(bench.effects) == 1
    assert await bench.guard.submit(wish, OLGA) == first


async def test_an_id_is_taken_while_its_command_is_under_way(bench: Bench) -> None:
    wish = bench.wish()
    both = await asyncio.gather(
        bench.guard.submit(wish, OLGA), bench.guard.submit(replace(wish, value=105.0), OLGA)
    )
    assert [command.state for command in both] == [State.VERIFIED, State.REJECTED]
    assert both[1].checks[-1].name == "idempotency"


async def test_an_id_is_taken_while_its_command_waits(bench: Bench) -> None:
    wish = bench.wish()
    waits = await bench.guard.submit(wish, ERIK)
    assert await bench.guard.submit(wish, ERIK) == waits
    assert (await bench.guard.submit(replace(wish, value=105.0), ERIK)).state is State.REJECTED
    assert (await bench.guard.approve(waits.command_id, waits.intent, EMMA)).state is State.VERIFIED
    assert bench.effects == [(SPEED, 110.0)]


async def test_two_people_may_have_the_same_id(bench: Bench) -> None:
    wish = bench.wish()
    anna = replace(OLGA, id="anna")
    assert (await bench.guard.submit(wish, OLGA)).state is State.VERIFIED
    assert (await bench.guard.submit(replace(wish, value=105.0), anna)).state is State.VERIFIED
    assert len(bench.effects) == 2


async def test_values_of_every_type_survive_the_book(kept: Bench) -> None:
    path = kept.press.has("any", b"\0\xff")
    for value in (b"\0\xff", float("nan"), "Räder\ud800", 2**64 - 1, True, None):
        await kept.submit(value, tag=path)
    before = [repr(replace(one, by=OLGA)) for one in kept.guard.commands()]
    await restarted(kept)
    assert [repr(replace(one, by=OLGA)) for one in kept.guard.commands()] == before
    assert len(before) == 6


async def test_the_file_is_for_its_owner_only(kept: Bench) -> None:
    assert kept.file is not None
    assert kept.file.stat().st_mode & 0o777 == 0o600
    assert kept.file.parent.stat().st_mode & 0o777 == 0o700


BROKEN = {
    "no database": b"not a database" * 500,
    "cut off": b"SQLite format 3\0" + bytes(2000),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_without_its_book_the_guard_sends_nothing(tmp_path: Path, case: str) -> None:
    file = tmp_path / "commands.sqlite"
    file.write_bytes(BROKEN[case])
    bench = Bench(file)
    await bench.guard.open()
    command = await bench.submit()
    assert (command.state, command.checks[-1].name) == (State.REJECTED, "kill-switch")
    assert "commands can't be kept" in command.text
    assert not bench.effects
    assert file.read_bytes() == BROKEN[case]
    await bench.guard.close()


async def test_a_book_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "commands.sqlite"
    bench = Bench(file)
    await bench.guard.open()
    await bench.submit()
    await bench.guard.close()
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 9")
    await bench.another_guard().open()
    command = await bench.submit()
    await bench.guard.close()
    assert "newer Bedplate" in command.text
    assert len(bench.effects) == 1


async def test_a_disk_that_comes_back_is_written_again(kept: Bench) -> None:
    assert kept.file is not None
    blocker = sqlite3.connect(kept.file, isolation_level=None, timeout=0)
    store = kept.guard._book._store
    store._db.execute("PRAGMA busy_timeout = 1")  # type: ignore[union-attr]
    blocker.execute("BEGIN EXCLUSIVE")
    command = await kept.submit()
    assert command.state is State.REJECTED
    assert "commands can't be kept: database is locked" in command.text
    assert "database is locked" in kept.guard.stopped()
    assert not kept.effects
    blocker.execute("ROLLBACK")
    kept.time.goes_on(2.0)
    kept.press.shows("speed_setpoint", 100.0)
    assert (await kept.submit()).state is State.VERIFIED
    assert not kept.guard.stopped()
    blocker.close()


async def test_what_is_old_is_forgotten_only_when_there_is_more_than_enough(kept: Bench) -> None:
    wish = kept.wish()
    await kept.guard.submit(wish, OLGA)
    await kept.guard.close()
    assert kept.file is not None

    def count() -> int:
        with sqlite3.connect(str(kept.file)) as db:
            return int(db.execute("SELECT count(*) FROM commands").fetchone()[0])

    kept.time.goes_on(KEPT_NS / 1e9 + 1)
    await kept.another_guard().open()
    await kept.guard.close()
    assert count() == 1
    with sqlite3.connect(kept.file) as db:
        db.execute("UPDATE sqlite_sequence SET seq = ?", (KEPT_LEAST + 10,))
        db.execute(
            "INSERT INTO commands (who, id, content, state, told, submitted, body) "
            "SELECT who, 'later', content, state, told, submitted + ?, body FROM commands",
            (KEPT_NS,),
        )
    await kept.another_guard().open()
    assert count() == 1
