"""What is set aside: its session goes on, what it says counts for nothing, and it comes back by itself."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.policy.callers import anybody
from tests.runtime.plant import code, plant, state, until, value
from tests.runtime.wall import Wall, ns

from bedplate.api.v1.maintenance_pb2 import EndMaintenanceRequest, SetMaintenanceRequest
from bedplate.errors import CallError, Invalid, JournalError
from bedplate.model import Alarm, AlarmPriority, AlarmState, Body, Event, EventKind, quality
from bedplate.runtime.kernel import Kernel
from bedplate.server.admin import Admin
from bedplate.server.alarms import AlarmService
from bedplate.server.maintenance import MaintenanceService
from bedplate.wire import decode_event

PRESS = """
timezone: Europe/Berlin
path: acme
connectors:
  press-12:
    use: counter
    placement: inline
    folder: FOLDER
    scan_classes: {fast: 50ms}
    tags: {number: {address: a, scan: fast}}
analytics:
  sums: {use: sums, for: press-12, placement: inline, of: number}
"""
NUMBER = "acme/press-12/number"
NIGHT = datetime(2026, 11, 19, 22, 0, tzinfo=UTC)
SIX = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
WORDS = 'maintenance until 06:00 CET, operator-1: "new ram seal"'


async def status(kernel: Kernel) -> Any:
    return await Admin(kernel, ()).status(_Asked(), anybody())  # type: ignore[arg-type]


def begin(kernel: Kernel, end: datetime = SIX) -> None:
    kernel.maintenance.begin("press-12", ns(end), "operator-1", "new ram seal")


async def test_its_values_go_on_out_of_service_and_it_is_back_by_itself_at_six(
    tmp_path: Path,
) -> None:
    clock = Wall()
    clock.set(NIGHT)
    async with plant(tmp_path, PRESS, clock=clock) as kernel:
        await until(lambda: value(kernel, NUMBER))
        begin(kernel)
        assert state(kernel, "press-12") == "set aside"
        assert code(kernel, NUMBER) == quality.BAD_OUT_OF_SERVICE
        before = value(kernel, NUMBER)
        await until(lambda: value(kernel, NUMBER) > before)
        assert code(kernel, NUMBER) == quality.BAD_OUT_OF_SERVICE

        told = await status(kernel)
        assert list(told.problems) == []
        assert [(m.component, m.by, m.reason) for m in told.maintenance] == [
            ("press-12", "operator-1", "new ram seal")
        ]
        assert told.components[0].reason == WORDS
        clock.set(SIX, 1)
        await until(lambda: state(kernel, "press-12") == "up")
        await until(lambda: code(kernel, NUMBER) == quality.GOOD)
        assert kernel.maintenance.locked("press-12") is None
        assert not (await status(kernel)).maintenance


async def test_a_restart_changes_nothing_and_what_ran_out_meanwhile_is_ended_and_told(
    tmp_path: Path,
) -> None:
    clock = Wall()
    clock.set(NIGHT)
    async with plant(tmp_path, PRESS, clock=clock) as kernel:
        await until(lambda: value(kernel, NUMBER))
        begin(kernel)
        await kernel.engine.synced(kernel.engine.state().appended)
        killed = tmp_path / "killed"
        shutil.copytree(tmp_path / "journal", killed / "journal")  # as a kill leaves it
    for folder in (tmp_path, killed):
        async with plant(folder, PRESS, clock=clock) as kernel:
            assert state(kernel, "press-12") == "set aside"
            assert kernel.components["press-12"].life.reason == WORDS
            lock = kernel.maintenance.locked("press-12")
            assert lock is not None
            assert lock.by == "operator-1"
            await until(lambda: (value(kernel, NUMBER) or 0) > 1)
            assert code(kernel, NUMBER) == quality.BAD_OUT_OF_SERVICE
    clock.set(SIX, 3600)
    async with plant(tmp_path, PRESS, clock=clock) as kernel:
        await until(lambda: state(kernel, "press-12") == "up")
        await until(lambda: code(kernel, NUMBER) == quality.GOOD)
        assert [e.text for e in await notes(kernel)] == [
            "press-12 is set aside until Fri 2026-11-20 06:00 CET: new ram seal",
            "press-12 is back in service: its time was over",
        ]
    async with plant(tmp_path, PRESS, clock=clock) as kernel:
        assert kernel.maintenance.locked("press-12") is None


async def test_silence_is_no_problem_until_somebody_takes_it_back(tmp_path: Path) -> None:
    async with plant(tmp_path, PRESS, clock=(clock := Wall())) as kernel:
        await until(lambda: value(kernel, NUMBER))
        end = clock.time_ns() + 3600 * 10**9
        kernel.maintenance.begin("press-12", end, "operator-1", "new ram seal")
        (tmp_path / "cut").touch()
        press = kernel.components["press-12"]
        await until(lambda: press.life.beneath == "unreachable")
        told = await status(kernel)
        assert list(told.problems) == []
        assert told.components[0].state == "set aside"
        assert code(kernel, NUMBER) == quality.BAD_OUT_OF_SERVICE
        assert not kernel.spine.alarms.standing()

        assert kernel.maintenance.end("press-12", "operator-2")
        assert state(kernel, "press-12") == "unreachable"
        assert code(kernel, NUMBER) == quality.UNCERTAIN_LAST_USABLE
        assert len((await status(kernel)).problems) == 1
        assert kernel.maintenance.end("press-12", "operator-2") is None


async def test_maintenance_and_calendar_over_a_weekend(tmp_path: Path) -> None:
    clock = Wall()
    clock.set(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))  # Friday
    week = "calendars: {week: {day: {days: mon-fri, from: '06:00', to: '22:00'}}}\n"
    text = week + PRESS.replace("    folder:", "    expected: week\n    folder:")
    sunday, monday = (datetime(2026, 11, day, 6, 0, tzinfo=UTC) for day in (22, 23))
    async with plant(tmp_path, text, clock=clock) as kernel:
        await until(lambda: value(kernel, NUMBER))
        begin(kernel, sunday)
        (tmp_path / "cut").touch()
        clock.set(sunday, -3600)
        press = kernel.components["press-12"]
        await until(lambda: press.life.beneath == "off")
        assert state(kernel, "press-12") == "set aside"
        clock.set(sunday, 1)
        await until(lambda: state(kernel, "press-12") == "off")  # back, and nobody expects it
        assert code(kernel, NUMBER) == quality.BAD_OUT_OF_SERVICE
        assert list((await status(kernel)).problems) == []

        begin(kernel, monday)  # 07:00 in Berlin, an hour into the shift
        clock.set(monday, -1800)
        await until(lambda: press.life.beneath == "unreachable")
        assert state(kernel, "press-12") == "set aside"
        assert list((await status(kernel)).problems) == []
        (tmp_path / "cut").unlink()
        clock.set(monday, 1)
        await until(lambda: state(kernel, "press-12") == "up", within=12)
        await until(lambda: code(kernel, NUMBER) == quality.GOOD)


PUSHED = """
path: acme
connectors:
  press-12: {use: pusher, placement: inline, folder: FOLDER, most: 1, tags: {number: {address: a}}}
  press-13:
    use: counter
    placement: inline
    scan_classes: {fast: 50ms}
    tags: {number: {address: a, scan: fast}, missing: {address: none, scan: fast}}
"""


async def test_each_tag_comes_back_as_it_is_though_its_source_has_nothing_new_to_say(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path, PUSHED, clock=(clock := Wall())) as kernel:
        missing = "acme/press-13/missing"
        bad = quality.CODES["BadDeviceFailure"]
        await until(lambda: value(kernel, NUMBER) and code(kernel, missing) == bad)
        end = clock.time_ns() + 3600 * 10**9
        for press in ("press-12", "press-13"):
            kernel.maintenance.begin(press, end, "operator-1", "new ram seal")
        everything = [NUMBER, "acme/press-13/number", missing]
        assert {code(kernel, path) for path in everything} == {quality.BAD_OUT_OF_SERVICE}
        assert value(kernel, NUMBER) == 1
        for press in ("press-12", "press-13"):
            kernel.maintenance.end(press, "operator-1")
        assert [code(kernel, path) for path in everything] == [0, 0, bad]
        assert value(kernel, NUMBER) == 1


async def test_a_bug_is_told_though_people_work_on_the_device(tmp_path: Path) -> None:
    async with plant(tmp_path, PRESS, clock=(clock := Wall())) as kernel:
        await until(lambda: value(kernel, NUMBER))
        end = clock.time_ns() + 3600 * 10**9
        kernel.maintenance.begin("press-12", end, "operator-1", "new ram seal")
        (tmp_path / "wrong").touch()
        await until(lambda: state(kernel, "press-12") == "faulted")
        assert kernel.spine.alarms.standing()
        assert kernel.maintenance.shown(kernel.spine.alarms.standing()[0]).alarm.state == (  # type: ignore[union-attr]
            AlarmState.UNACKNOWLEDGED
        )


LINE = """
path: acme
types:
  press:
    parameters: {line: required}
    use: counter
    placement: inline
    path: $line/$name
    tags: {number: {address: a}}
  meter: {parameters: {on: required}, use: counter, placement: inline, path: $on, tags: {power: {address: a}}}
connectors:
  presses: {type: press, each: {press-1: {line: line1}, press-2: {line: line1}, press-1b: {line: line2}}}
  meters: {type: meter, each: {meter-1: {on: line1/press-1}, meter-2: {on: line2/press-2}}}
  files: {use: sink, deliver: ["**"], folder: FOLDER}
"""


async def test_an_alarm_of_what_is_set_aside_is_out_of_service_with_a_name_on_it(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path, LINE, clock=(clock := Wall())) as kernel:
        await until(lambda: value(kernel, "acme/line1/press-1/power"))
        for name, tag in (("warm", "number"), ("dear", "power"), ("slow", "oee/availability")):
            raise_alarm(kernel, f"acme/line1/press-1/{name}", f"acme/line1/press-1/{tag}")
        service = AlarmService(kernel)
        watch = service.watch(_Asked(), anybody())  # type: ignore[arg-type]
        assert len((await anext(watch)).alarms) == 3
        end = clock.time_ns() + 3600 * 10**9
        kernel.maintenance.begin("press-1", end, "operator-1", "new ram seal")

        listed = (await service.list(_Asked(), anybody())).alarms  # type: ignore[arg-type]
        off = {e.source.split("/")[-1]: e.alarm.state for e in listed}
        assert off == {
            "warm": AlarmState.OUT_OF_SERVICE,
            "dear": AlarmState.UNACKNOWLEDGED,  # the meter goes on
            "slow": AlarmState.OUT_OF_SERVICE,  # nobody's device says so: it is derived
        }
        assert listed[0].source.endswith("/dear")  # what needs a person first
        assert 'operator-1: "new ram seal"' in listed[-1].alarm.out_of_service
        told = [(await anext(watch)).alarms[0].alarm.state for _ in range(3)]
        assert told.count(AlarmState.OUT_OF_SERVICE) == 2
        raise_alarm(kernel, "acme/line1/press-1/hot", "acme/line1/press-1/number")  # one more, now
        assert (await anext(watch)).alarms[0].alarm.state == AlarmState.OUT_OF_SERVICE

        kernel.maintenance.end("press-1", "operator-1")
        listed = (await service.list(_Asked(), anybody())).alarms  # type: ignore[arg-type]
        assert {e.alarm.state for e in listed} == {AlarmState.UNACKNOWLEDGED}
        await watch.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("device", "reached"),
    [
        ("press-1", ["press-1"]),
        ("line1/press-1", ["press-1", "meter-1"]),
        ("acme/line1/press-2", ["press-2"]),
        ("press-2", ["press-2"]),
        ("meter-2", ["meter-2"]),
        ("press-3", "no device named press-3; did you mean press-2?"),
        ("files", "files is no device: only connectors that bring values are set aside"),
    ],
)
async def test_a_device_is_named_by_its_id_or_its_asset(
    tmp_path: Path, device: str, reached: list[str] | str
) -> None:
    async with plant(tmp_path, LINE, clock=(clock := Wall())) as kernel:
        service = MaintenanceService(kernel)
        asked = SetMaintenanceRequest(
            device=device, until=clock.time_ns() + 10**12, reason="new ram seal"
        )
        if isinstance(reached, str):
            with pytest.raises(CallError) as error:
                await service.begin(asked, anybody())  # type: ignore[arg-type]
            assert str(error.value) == reached
            return
        found = await service.begin(asked, anybody())  # type: ignore[arg-type]
        assert [one.component for one in found.maintenance] == reached
        ask = EndMaintenanceRequest(device=device)
        assert len((await service.end(ask, anybody())).maintenance) == len(reached)  # type: ignore[arg-type]
        assert not (await service.end(ask, anybody())).maintenance  # type: ignore[arg-type]


async def test_what_the_deployment_no_longer_has_can_be_ended(tmp_path: Path) -> None:
    async with plant(tmp_path, LINE, clock=(clock := Wall())) as kernel:
        kernel.maintenance.begin("press-2", clock.time_ns() + 10**13, "operator-1", "new ram seal")
    without = LINE.replace("press-2: {line: line1}, ", "")
    async with plant(tmp_path, without, clock=clock) as kernel:
        assert [one.component for one in kernel.maintenance.standing()] == ["press-2"]
        service = MaintenanceService(kernel)
        asked = SetMaintenanceRequest(device="line1/press-2", until=1, reason="x")
        with pytest.raises(CallError, match="no device named line1/press-2"):
            await service.begin(asked, anybody())  # type: ignore[arg-type]
        ask = EndMaintenanceRequest(device="line1/press-2")
        assert len((await service.end(ask, anybody())).maintenance) == 1  # type: ignore[arg-type]
        assert not kernel.maintenance.standing()


async def test_the_gate_is_asked_about_what_is_set_aside_and_not_about_what_was_there_before(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path, LINE, clock=(clock := Wall())) as kernel:
        kernel.maintenance.begin("press-2", clock.time_ns() + 10**13, "operator-1", "new ram seal")
    without = LINE.replace("press-2: {line: line1}, ", "")
    async with plant(tmp_path, without, clock=clock) as kernel:
        service = MaintenanceService(kernel)
        method = next(one for one in service.methods() if one.name == "SetMaintenance")
        until_ = clock.time_ns() + 10**12
        asked = SetMaintenanceRequest(device="press-2", until=until_, reason="x")
        assert method.named
        allowed = await method.named(asked, anybody())
        begun = await service.begin(asked, anybody())  # type: ignore[arg-type]
        assert {one.path for one in begun.maintenance} == set(allowed) == {"acme/line2/press-2"}


async def test_an_ambiguous_device_lists_its_candidates_and_nothing_is_set_aside(
    tmp_path: Path,
) -> None:
    text = LINE.replace("press-1b: {line: line2}", "x: {line: line2}").replace(
        "meter-2: {on: line2/press-2}", "m1: {on: line2/m}, m2: {on: line3/m}"
    )
    async with plant(tmp_path, text, clock=Wall()) as kernel:
        service = MaintenanceService(kernel)
        with pytest.raises(CallError) as error:
            await service.begin(SetMaintenanceRequest(device="m"), anybody())  # type: ignore[arg-type]
        assert str(error.value) == "m names 2 devices:\n  acme/line2/m\n  acme/line3/m"
        assert error.value.code == "INVALID_ARGUMENT"
        assert not kernel.maintenance.standing()


@pytest.mark.parametrize(
    ("ahead", "reason", "text"),
    [
        (0, "seal", "must end later than now, within 400 days"),
        (401 * 86400, "seal", "must end later than now, within 400 days"),
        (60, "  ", "needs a reason"),
    ],
)
async def test_what_has_no_end_or_no_reason_is_refused(
    tmp_path: Path, ahead: int, reason: str, text: str
) -> None:
    async with plant(tmp_path, PRESS, clock=(clock := Wall())) as kernel:
        with pytest.raises(Invalid, match=text):
            kernel.maintenance.begin("press-12", clock.time_ns() + ahead * 10**9, "a", reason)
        assert state(kernel, "press-12") != "set aside"


async def test_what_it_watches_is_listed_as_set_aside(tmp_path: Path) -> None:
    async with plant(tmp_path, PRESS, clock=(clock := Wall())) as kernel:
        await until(lambda: value(kernel, NUMBER))
        end = clock.time_ns() + 3600 * 10**9
        kernel.maintenance.begin("press-12", end, "operator-1", "new ram seal")
        details = {one.id: one.detail for one in (await status(kernel)).components}
        assert details["sums"] == "0 of 1 inputs watching, 1 set aside (press-12)"


async def test_writing_to_it_is_locked_until_its_end_is_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Wall()
    clock.set(NIGHT)
    async with plant(tmp_path, PRESS, clock=clock) as kernel:
        locked = kernel.maintenance.locked
        assert locked("press-12") is None
        begin(kernel)
        assert locked("press-12") is not None
        with monkeypatch.context() as patch:
            patch.setattr(kernel.spine, "append", broken)
            clock.set(SIX, 1)
            await asyncio.sleep(1.2)  # it has looked, and could not write it down
            assert locked("press-12") is not None
            assert state(kernel, "press-12") == "set aside"
            with pytest.raises(JournalError):
                kernel.maintenance.end("press-12", "operator-2")
        await until(lambda: locked("press-12") is None)
        await until(lambda: state(kernel, "press-12") == "up")


def broken(*given: Any, **more: Any) -> None:
    raise JournalError("the disk is gone")


def raise_alarm(kernel: Kernel, source: str, tag: str) -> None:
    alarm = Alarm(AlarmState.UNACKNOWLEDGED, AlarmPriority.HIGH, tag=tag)
    event = Event(
        source, EventKind.ALARM, kernel.clock.time_ns(), "hot", 700, alarm, component="press-alarms"
    )
    kernel.spine.event("press-alarms/event", event)


async def notes(kernel: Kernel) -> list[Event]:
    records = await kernel.engine.read(0, records=100_000, size=1 << 30)
    events = [decode_event(r.payload) for r in records if r.kind is Body.EVENT]
    return [e for e in events if e.kind is EventKind.NOTE]


class _Asked:
    with_output = False
    selectors = ()
    all = False
