"""What a component is that nobody expects to speak: off, and back when its calendar begins."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.policy.callers import anybody
from tests.runtime.plant import code, plant, state, until, value
from tests.runtime.wall import Wall, ns

from bedplate.calendar import Calendar
from bedplate.config.deployment import Component
from bedplate.model import quality
from bedplate.runtime import expectation
from bedplate.runtime.expectation import Expectation
from bedplate.server.admin import Admin
from bedplate.testing.clock import FakeClock

HEAD = """
timezone: Europe/Berlin
calendars:
  weekdays:
    early: {days: mon-fri, from: "06:00", to: "14:00", breaks: [09:00-09:15]}
    late: {days: mon-fri, from: "14:00", to: "22:00"}
    closed: [2026-12-24/2027-01-03]
connectors:
"""
PRESS = """
  press-{n}:
    use: counter
    placement: inline
    folder: FOLDER
    expected: {expected}
    scan_classes: {{fast: 50ms}}
    tags: {{number: {{address: a, scan: fast}}}}
"""
BREAKFAST, FRIDAY, SATURDAY, MONDAY = (
    datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    for day, hour, minute in ((20, 8, 5), (20, 12, 0), (21, 9, 0), (23, 5, 0))
)
WEEKDAYS: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "shifts": {"day": {"days": "mon-fri", "from": "06:00", "to": "22:00"}},
    "closed": ["2026-12-24/2027-01-03"],
}


def presses(count: int, expected: str) -> str:
    return HEAD + "".join(PRESS.format(n=n, expected=expected) for n in range(1, count + 1))


async def test_forty_presses_switched_off_on_saturday_are_off_and_back_on_monday_within_ten_seconds(
    tmp_path: Path,
) -> None:
    clock = Wall()
    clock.set(FRIDAY)
    async with plant(tmp_path, presses(40, "weekdays"), clock=clock) as kernel:
        names = [f"press-{n}" for n in range(1, 41)]
        await until(lambda: all(value(kernel, f"{name}/number") for name in names))
        clock.set(SATURDAY)
        (tmp_path / "cut").touch()
        await until(lambda: all(state(kernel, name) == "off" for name in names))

        told = await Admin(kernel, ()).status(_Asked(), anybody())  # type: ignore[arg-type]
        assert list(told.problems) == []
        reasons = {one.reason for one in told.components}
        assert reasons == {"silent until Mon 2026-11-23 06:00 CET, when weekdays goes on"}
        tags = [f"{name}/number" for name in names]
        await until(lambda: {code(kernel, tag) for tag in tags} == {quality.BAD_OUT_OF_SERVICE})
        assert not kernel.spine.alarms.standing()
        tries = [kernel.components[name].role.figures.restarts for name in names]
        await asyncio.sleep(2)  # nobody is tried again so soon
        assert tries == [kernel.components[name].role.figures.restarts for name in names]

        (tmp_path / "cut").unlink()
        clock.set(MONDAY)
        await until(lambda: all(state(kernel, name) == "up" for name in names), within=10)
        await until(lambda: {code(kernel, tag) for tag in tags} == {quality.GOOD})


async def test_who_is_silent_within_the_calendar_is_unreachable_and_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expectation, "LOOK", 0.05)
    clock = Wall()
    clock.set(SATURDAY)
    (tmp_path / "cut").touch()
    async with plant(tmp_path, presses(1, "weekdays"), clock=clock) as kernel:
        await until(lambda: state(kernel, "press-1") == "off")
        clock.set(MONDAY, 1)
        await until(lambda: state(kernel, "press-1") == "unreachable")

        told = await Admin(kernel, ()).status(_Asked(), anybody())  # type: ignore[arg-type]
        assert list(told.problems) == ["press-1 unreachable: the device is away"]
        clock.set(SATURDAY, 7 * 86400)
        await until(lambda: state(kernel, "press-1") == "off")


async def test_who_answers_though_nobody_expects_it_is_up(tmp_path: Path) -> None:
    async with plant(tmp_path, presses(1, "never")) as kernel:
        await until(lambda: value(kernel, "press-1/number"))
        assert state(kernel, "press-1") == "up"
        (tmp_path / "cut").touch()
        await until(lambda: state(kernel, "press-1") == "off")
        assert kernel.components["press-1"].life.reason == "silent, and never expected"


async def test_its_retries_are_quiet_and_its_values_are_out_of_service_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expectation, "AGAIN", 0.02)
    async with plant(tmp_path, presses(1, "never")) as kernel:
        await until(lambda: value(kernel, "press-1/number"))
        (tmp_path / "cut").touch()
        figures = kernel.components["press-1"].role.figures
        await until(lambda: state(kernel, "press-1") == "off")
        await until(lambda: code(kernel, "press-1/number") == quality.BAD_OUT_OF_SERVICE)
        before, written = figures.restarts, kernel.engine.state().appended
        await until(lambda: figures.restarts > before + 10)

        assert kernel.engine.state().appended == written
        assert kernel.components["press-1"].life.history[-1].state == "off"


def expecting(expected: str, clock: FakeClock) -> Expectation:
    calendars = {"weekdays": Calendar.from_dict(WEEKDAYS, "weekdays")}
    component = Component("press", "connector", "x", expected=expected, calendars=calendars)
    return Expectation(component, clock)


def test_breaks_count_as_work_and_closed_days_do_not() -> None:
    clock = FakeClock(ns(BREAKFAST))
    press = expecting("weekdays", clock)
    assert press.now
    clock.jump((ns(datetime(2026, 12, 23, 22, tzinfo=UTC)) - clock.time_ns()) / 1e9)
    assert not press.now
    assert press.words == "silent until Mon 2027-01-04 06:00 CET, when weekdays goes on"


def test_a_clock_that_is_set_is_noticed_both_ways() -> None:
    clock = FakeClock(ns(SATURDAY))
    press = expecting("weekdays", clock)
    assert not press.now
    clock.jump(-86400)
    assert press.now
    clock.jump(86400)
    assert not press.now
    clock.jump(2 * 86400)
    assert press.now


async def test_no_try_begins_just_before_the_shift_nor_sooner_than_a_minute_after_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, slept = FakeClock(ns(MONDAY, -120)), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    press = expecting("weekdays", clock)
    await press.rest()
    assert 60 <= clock.monotonic() <= 76
    assert not press.now
    await press.rest()
    assert 0 <= (clock.time_ns() - ns(MONDAY)) / 1e9 <= expectation.SPREAD
    assert max(slept) <= expectation.LOOK


class _Asked:
    with_output = False
