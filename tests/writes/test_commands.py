"""A command from the wish to the machine and back: guard, kernel and plugin together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import until, value
from tests.writes.rig import ENGINEER, TEXT, Shop, shop

from bedplate.admission.permissions import Permissions
from bedplate.command import Command, State, Wish
from bedplate.model import AlarmState
from bedplate.runtime.spine import Spine

SPEED = "acme/press/speed"


async def write(press: Shop, value: Any, tag: str = SPEED, id_: str = "c1", **more: Any) -> Command:
    done: Command = await press.guard.submit(Wish(id_, tag, value, **more), ENGINEER)
    return done


def alarms(press: Shop) -> list[tuple[str, AlarmState]]:
    events = press.kernel.spine.alarms.standing(all_=True)
    return [(e.source, e.alarm.state) for e in events if e.alarm and e.source.endswith("/command")]


@pytest.mark.parametrize("use", ["device", "pushing"])
async def test_a_command_is_verified_by_what_the_machine_says_afterwards(
    tmp_path: Path, use: str
) -> None:
    async with shop(tmp_path, use=use) as press:
        done = await write(press, 95)
        names = [check.name for check in done.checks]
        actions = [entry.action for entry in press.audit.entries]

    assert (done.state, done.old, done.read_back) == (State.VERIFIED, 100.0, 95.0)
    assert names[-3:] == ["audit", "device", "read-back"]
    assert press.effects == ["speed 95.0"]
    assert actions == ["command.intent", "command.verified"]


async def test_a_machine_that_clamps_is_a_mismatch_with_an_alarm_and_nothing_is_corrected(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as press:
        press.how("clamp")
        done = await write(press, 110)
        standing = alarms(press)

    assert (done.state, done.read_back) == (State.MISMATCH, 80.0)
    assert "it reads back 80.0, not 110.0" in done.text
    assert press.effects == ["speed 110.0"]
    assert standing == [(f"{SPEED}/command", AlarmState.RETURNED_UNACKNOWLEDGED)]


@pytest.mark.case("A45")
@pytest.mark.parametrize("placement", ["inline", "process"])
async def test_a_connection_that_is_cut_during_a_ramp_ends_in_unknown_and_sends_nothing_more(
    tmp_path: Path, placement: str
) -> None:
    async with shop(tmp_path, placement=placement) as press:
        assert (await write(press, 101, id_="r1")).state is State.VERIFIED
        press.how("lost" if placement == "inline" else "die")
        cut = await write(press, 102, id_="r2")
        press.how("")
        again = await write(press, 102, id_="r2")
        plant = press.writes.guard
        await until(lambda: press.kernel.components["press"].life.state == "up")
        await asyncio.sleep(0.2)
        standing = alarms(press)

    assert cut.state is State.UNKNOWN
    assert again == cut, "a retry gets the first answer"
    assert press.effects == ["speed 101.0", "speed 102.0"]
    assert standing == [(f"{SPEED}/command", AlarmState.RETURNED_UNACKNOWLEDGED)]
    assert plant.in_flight("press") is None


@pytest.mark.case("A65")
@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("count", 70_000),
        ("count", -1),
        ("count", 7.5),
        ("scaled", 6553.6),
        ("speed", float("nan")),
        ("speed", float("inf")),
        ("speed", "95"),
        ("speed", True),
        ("on", 1),
    ],
)
async def test_what_does_not_fit_never_reaches_the_wire(
    tmp_path: Path, tag: str, wanted: Any
) -> None:
    text = TEXT.replace("range: [0, 65535], ", "").replace("range: [0, 100], ", "")
    async with shop(tmp_path, text=text) as press:
        done = await write(press, wanted, f"acme/press/{tag}")

    assert done.state is State.REJECTED
    assert press.effects == []


@pytest.mark.parametrize("known", ["data_type: uint16, ", ""])
async def test_a_scaled_value_becomes_the_nearest_whole_step_of_the_device(
    tmp_path: Path, known: str
) -> None:
    text = TEXT.replace("data_type: uint16, scale", f"{known}scale")
    async with shop(tmp_path, text=text) as press:
        done = await write(press, 12.3, "acme/press/scaled")
        between = await write(press, 12.34, "acme/press/scaled", id_="c2")

    assert (done.state, between.state) == (State.VERIFIED, State.VERIFIED)
    assert between.value == pytest.approx(12.3)
    assert press.effects == ["count 123", "count 123"]


@pytest.mark.case("A66")
@pytest.mark.parametrize("sensor", ["bad", "false", "away"])
async def test_an_interlock_that_is_not_seen_to_hold_rejects(tmp_path: Path, sensor: str) -> None:
    text = TEXT.replace("step: 50", "step: 50, interlock: guard and state != fault")
    async with shop(tmp_path, text=text) as press:
        assert (await write(press, 95, id_="c0")).state is State.VERIFIED
        if sensor == "away":
            press.how("away")
            await until(lambda: not press.writes.guard._world.plant.device("press").up)
        else:
            word = "null" if sensor == "bad" else "false"
            kept = f'{{"speed": 95.0, "guard": {word}}}'
            (tmp_path / "values.json").write_text(kept)
            await until(lambda: value(press.kernel, "acme/press/guard") is not True or _bad(press))
        done = await write(press, 96)

    assert done.state is State.REJECTED
    assert press.effects == ["speed 95.0"]


def _bad(press: Shop) -> bool:
    tag = press.kernel.spine.registry.table.newest("acme/press/guard")
    return bool(tag and press.kernel.spine.current.quality[tag.handle] & 0x80000000)


@pytest.mark.case("A68")
async def test_an_id_that_comes_again_after_a_restart_gets_the_first_answer_and_no_second_effect(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path, kept=True) as press:
        first = await write(press, 95)
    async with shop(tmp_path, kept=True) as press:
        second = await write(press, 95)
        other = await write(press, 96)
        listed = press.guard.commands()

    assert (second.state, second.ended) == (first.state, first.ended)
    assert other.state is State.REJECTED, "the same id for something else"
    assert press.effects == ["speed 95.0"]
    assert [one.command_id for one in listed] == ["c1"]


@pytest.mark.case("A69")
async def test_a_machine_that_comes_back_after_ten_minutes_gets_nothing_that_was_meant_before(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as press:
        press.how("away")
        await until(lambda: not press.guard._world.plant.device("press").up)
        done = await write(press, 95, within=60.0)
        clock = press.kernel.clock
        ahead = clock.monotonic
        clock.monotonic = lambda: ahead() + 600  # type: ignore[method-assign]
        press.how("")
        await until(lambda: press.guard._world.plant.device("press").up)
        await asyncio.sleep(0.3)

    assert done.state in (State.REJECTED, State.EXPIRED)
    assert press.effects == []


@pytest.mark.case("A69")
async def test_a_command_behind_a_call_that_hangs_is_never_carried_out_late(tmp_path: Path) -> None:
    async with shop(tmp_path) as press:
        press.how("deaf")
        await asyncio.sleep(0.2)
        done = await write(press, 95, within=0.5)
        press.how("")
        await asyncio.sleep(0.5)

    assert done.state in (State.UNKNOWN, State.EXPIRED)
    assert press.effects == []


@pytest.mark.case("A71")
async def test_the_kill_switch_stops_what_is_not_sent_and_lets_a_read_back_end(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as press:
        press.how("clamp")  # its read-back takes its whole second
        under_way = asyncio.create_task(write(press, 110))
        await until(lambda: press.effects)
        (tmp_path / "stop").touch()
        stopped = await write(press, 95, id_="c2")
        told = press.writes.status()
        sent = await under_way
        (tmp_path / "stop").unlink()
        press.how("")
        after = await write(press, 70, id_="c3")

    assert stopped.state is State.REJECTED
    assert "stop" in stopped.text
    assert told.off.endswith("/stop")
    assert sent.state is State.MISMATCH
    assert after.state is State.VERIFIED
    assert press.effects == ["speed 110.0", "speed 70.0"]


@pytest.mark.case("A25")
async def test_a_plugin_whose_manifest_asks_for_no_commands_gets_none(tmp_path: Path) -> None:
    async with shop(tmp_path) as press:
        offer = replace(press.kernel.offers["device"], file=None, permissions=Permissions())  # type: ignore[type-var]
        press.kernel.offers = {**press.kernel.offers, "device": offer}
        done = await write(press, 95)
        [refused] = [entry for entry in press.audit.entries if entry.verdict == "refused"]

    assert done.state is State.REJECTED
    assert "manifest" in done.text
    assert "manifest" in refused.text
    assert press.effects == []


async def test_a_device_that_people_work_on_is_locked(tmp_path: Path) -> None:
    async with shop(tmp_path) as press:
        until_ns = press.kernel.clock.time_ns() + 3_600_000_000_000
        press.kernel.maintenance.begin("press", until_ns, "anna", "new ram seal")
        done = await write(press, 95)

    assert done.state is State.REJECTED
    assert "anna" in done.text
    assert press.effects == []


@pytest.mark.case("A27")
async def test_nothing_is_written_while_nothing_can_be_audited_or_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(tmp_path) as press:
        press.audit.failed = "No space left on device"
        unheard = await write(press, 95)
        press.audit.failed = ""
        monkeypatch.setattr(Spine, "not_stored", "the disk is dead")
        unstored = await write(press, 95, id_="c2")

    assert "audit" in unheard.text
    assert "the disk is dead" in unstored.text
    assert press.effects == []


async def test_a_call_that_ends_early_changes_nothing_that_is_on_its_way(tmp_path: Path) -> None:
    async with shop(tmp_path) as press:
        press.how("clamp")
        call = asyncio.create_task(write(press, 110))
        await until(lambda: press.effects)
        call.cancel()
        await until(lambda: not press.guard.in_flight("press"))
        [done] = press.guard.commands()

    assert done.state is State.MISMATCH
    assert press.effects == ["speed 110.0"]
