"""How often, and who is first."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.command.rig import OLGA, SPEED, Bench

from bedplate.command import Command, ReadBack, Sending, Sent, State
from bedplate.command.rates import Rate, Rates
from bedplate.config.deployment import WriteLimits
from bedplate.model import DataType


@pytest.mark.case("A67")
async def test_a_hundred_commands_in_a_second_from_one_identity(bench: Bench) -> None:
    bench.press.limit(rate=(1000, 1_000_000_000))
    ended: list[Command] = []
    for _ in range(100):
        ended.append(await bench.submit())
        bench.time.goes_on(0.01)
    assert [one.state for one in ended] == [State.VERIFIED] * 50 + [State.REJECTED] * 50
    assert ended[-1].checks[-1].name == "rate"
    assert ended[-1].text == "identity olga may submit at most 50 in 10 s"
    assert len(bench.effects) == 50
    assert (await bench.submit(by=replace(OLGA, id="anna"))).state is State.VERIFIED
    bench.time.goes_on(10.0)
    for name, value in (("speed_setpoint", 110.0), ("guard_closed", True), ("state", 1)):
        bench.press.shows(name, value)
    assert (await bench.submit()).state is State.VERIFIED


@pytest.mark.case("A67")
async def test_everybody_together_has_a_limit_too(bench: Bench) -> None:
    states = [
        (await bench.submit(500.0, by=replace(OLGA, id=f"o-{n % 10}"))).checks[-1].name
        for n in range(210)
    ]
    assert states.count("limits") == 210  # what is wrong anyway stays so
    command = await bench.submit(by=replace(OLGA, id="anna"))
    assert command.text == "everybody together may submit at most 200 in 10 s"


@pytest.mark.case("A67")
async def test_of_two_that_race_on_one_tag_the_second_finds_it_changed(bench: Bench) -> None:
    anna = replace(OLGA, id="anna")
    both = await asyncio.gather(
        bench.submit(105.0, if_current=100.0), bench.submit(110.0, by=anna, if_current=100.0)
    )
    assert sorted(command.state for command in both) == [State.VERIFIED, State.REJECTED]
    assert len(bench.effects) == 1
    # The plant still shows what was before: that is older than the write.
    late = await bench.submit(120.0, by=anna, if_current=100.0)
    assert (late.state, late.checks[-1].name) == (State.REJECTED, "if-current")
    won = next(command for command in both if command.state is State.VERIFIED)
    assert (
        await bench.submit(won.value + 1, by=anna, if_current=won.value)
    ).state is State.VERIFIED


async def test_what_the_tag_bears_holds_for_everybody(bench: Bench) -> None:
    states = []
    for number in range(8):
        states.append(
            (await bench.submit(100.0 + number, by=replace(OLGA, id=f"o-{number}"))).state
        )
        bench.time.goes_on(0.1)
    assert states == [State.VERIFIED] * 6 + [State.REJECTED] * 2
    command = await bench.submit()
    assert command.text == f"tag {SPEED} takes at most 6 in 60 s; next in 60 s"


async def test_what_was_not_sent_costs_the_tag_nothing(bench: Bench) -> None:
    bench.press.limit(rate=(1, 60_000_000_000))
    bench.press.shows("guard_closed", False)
    assert (await bench.submit()).checks[-1].name == "interlock"
    bench.press.shows("guard_closed", True)
    bench.press.answer = Sent(Sending.NOT_SENT, "no session")
    assert (await bench.submit()).state is State.REJECTED
    bench.press.answer = Sent(Sending.UNKNOWN, "cut")
    assert (await bench.submit()).state is State.UNKNOWN
    bench.press.answer = Sent(Sending.ANSWERED)
    bench.time.goes_on(3.0)
    bench.press.shows("speed_setpoint", 100.0)
    assert (await bench.submit()).checks[-1].name == "rate"


async def test_a_restart_does_not_give_the_machine_more(kept: Bench) -> None:
    kept.press.limit(rate=(1, 60_000_000_000))
    assert (await kept.submit()).state is State.VERIFIED
    await kept.guard.close()
    await kept.another_guard().open()
    kept.press.shows("speed_setpoint", 110.0)
    assert (await kept.submit()).checks[-1].name == "rate"


async def test_a_device_bears_so_much(bench: Bench) -> None:
    for number in range(4):
        limits = WriteLimits(rate=(1000, 1_000_000_000))
        bench.press.has(f"x{number}", 1.0, limits=limits, data_type=DataType.FLOAT64)
    last = ""
    for number in range(101):
        bench.press.reads = lambda path: ReadBack(bench.press.raw[path])
        command = await bench.submit(
            1.0,
            tag=f"{SPEED.rpartition('/')[0]}/x{number % 4}",
            by=replace(OLGA, id=f"o-{number % 3}"),
        )
        last = command.text
    assert last == "device press-07 takes at most 100 in 10 s; next in 10 s"
    assert len(bench.effects) == 100


CLOSE = 1e-9  # s: what floats make of sums


@given(st.lists(st.floats(0.0, 30.0), max_size=60), st.integers(1, 6), st.floats(1.0, 60.0))
def test_never_more_than_so_many_in_any_period(
    pauses: list[float], most: int, period: float
) -> None:
    now, rate, taken = 0.0, Rate(most, period), []
    rates = Rates(lambda: now)
    for pause in pauses:
        now += pause
        wait = rates.wait("x", rate)
        if not wait:
            rates.take("x", rate)
            taken.append(now)
        else:
            assert 0 < wait <= period + CLOSE
            now += wait
            assert rates.wait("x", rate) <= CLOSE
    for first, beyond in zip(taken, taken[most:], strict=False):
        assert beyond - first >= period - CLOSE


async def test_what_was_not_sent_gives_back_its_own_moment_and_no_other() -> None:
    now = [0.0]
    rates, most = Rates(lambda: now[0]), Rate(2, 10.0)
    first = rates.take("tag", most)
    now[0] = 9.0
    rates.take("tag", most)
    rates.give_back("tag", first)
    now[0] = 10.5
    assert not rates.wait("tag", most)
    rates.take("tag", most)
    assert rates.wait("tag", most) > 0, "the one at 9 s was sent"


@pytest.mark.case("A67")
async def test_a_restart_with_a_clock_set_back_forgets_nobodys_rate(kept: Bench) -> None:
    kept.press.limit(rate=(1, 60_000_000_000))
    assert (await kept.submit()).state is State.VERIFIED
    await kept.guard.close()
    kept.time.wall -= 3_600_000_000_000
    await kept.another_guard().open()
    kept.time.goes_on(5)
    for name, value in (("speed_setpoint", 110.0), ("guard_closed", True), ("state", 1)):
        kept.press.shows(name, value)
    again = await kept.submit(115.0)
    assert (again.state, again.checks[-1].name) == (State.REJECTED, "rate"), again.text


@pytest.mark.case("A67")
async def test_a_file_that_could_not_be_had_at_the_start_is_settled_when_it_can(
    kept: Bench,
) -> None:
    kept.press.limit(rate=(1, 60_000_000_000))
    assert (await kept.submit()).state is State.VERIFIED
    await kept.guard.close()
    assert kept.file is not None
    aside = kept.file.with_suffix(".aside")
    kept.file.rename(aside)
    kept.file.mkdir()
    await kept.another_guard().open()
    assert kept.guard.stopped()
    kept.file.rmdir()
    aside.rename(kept.file)
    kept.time.goes_on(5)
    for name, value in (("speed_setpoint", 110.0), ("guard_closed", True), ("state", 1)):
        kept.press.shows(name, value)
    again = await kept.submit(115.0)
    assert (again.state, again.checks[-1].name) == (State.REJECTED, "rate"), again.text
    assert kept.guard.commands()[-1].state is State.VERIFIED
