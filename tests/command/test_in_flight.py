"""What happens to a command between its checks and its end: the kill switch, a cut, a caller who hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.command.rig import ERIK, OLGA, SPEED, Bench, settle

from bedplate.command import Command, Device, ReadBack, Sending, Sent, State
from bedplate.command.command import EDGES
from bedplate.errors import Denied
from bedplate.model import quality


def while_intent_is_audited(bench: Bench, change: Callable[[], object]) -> None:
    """Something changes while the command is ARMED and the audit log syncs."""
    write = bench.audit.write

    async def written(entry: Any) -> bool:
        if entry.action == "command.intent":
            change()
        return await write(entry)

    bench.audit.write = written  # type: ignore[method-assign]


MEANWHILE: dict[str, Callable[[Bench], object]] = {
    "writing is off": lambda bench: setattr(
        bench, "rules", replace(bench.rules, writes=replace(bench.rules.writes, enabled=False))
    ),
    "maintenance": lambda bench: setattr(bench.press, "state", Device(True, locked="mia")),
    "the interlock": lambda bench: bench.press.shows("guard_closed", False),
    "its value": lambda bench: bench.press.shows("speed_setpoint", 50.0),
    "its quality": lambda bench: bench.press.shows("speed_setpoint", 100.0, quality.BAD),
    "the limits": lambda bench: bench.press.limit(range=(10.0, 105.0)),
    "the scale": lambda bench: bench.press.alter(scale=(2.0, 0.0)),
    "the rules": lambda bench: bench.allow(),
    "the time": lambda bench: bench.time.goes_on(30.0),
    "the tag": lambda bench: bench.press.points.pop(SPEED),
    "the connection": lambda bench: setattr(bench.press, "state", Device(False, "unreachable")),
}


@pytest.mark.case("A71")
async def test_a_kill_switch_stops_what_is_armed(bench: Bench, tmp_path: Path) -> None:
    switch = tmp_path / "writes.disabled"
    bench.rules = replace(bench.rules, kill_switches=(switch,))
    while_intent_is_audited(bench, switch.touch)
    command = await bench.submit()
    assert command.state is State.REJECTED
    assert str(switch) in command.text
    assert not bench.effects
    assert bench.audit.actions()[-2:] == ["command.intent", "command.rejected"]


@pytest.mark.case("A71")
async def test_a_kill_switch_lets_what_is_sent_be_read_back(bench: Bench, tmp_path: Path) -> None:
    switch = tmp_path / "writes.disabled"
    bench.rules = replace(bench.rules, kill_switches=(switch,))

    async def thrown() -> None:
        switch.touch()

    bench.press.after_send = thrown
    assert (await bench.submit()).state is State.VERIFIED
    assert (await bench.submit()).checks[-1].name == "kill-switch"
    assert len(bench.effects) == 1


@pytest.mark.parametrize("case", MEANWHILE)
async def test_a_last_look_sees_what_has_changed_since_the_checks(bench: Bench, case: str) -> None:
    while_intent_is_audited(bench, lambda: MEANWHILE[case](bench))
    command = await bench.submit(within=20.0)
    assert command.state in (State.REJECTED, State.EXPIRED)
    assert not bench.effects


@pytest.mark.case("A69")
async def test_what_is_armed_has_ten_seconds(bench: Bench) -> None:
    while_intent_is_audited(
        bench, lambda: (bench.time.goes_on(10.5), bench.press.shows("speed_setpoint", 100.0))
    )
    bench.press.limit(interlock="")
    command = await bench.submit(within=60.0)
    assert (command.state, command.text) == (State.EXPIRED, "it was armed more than 10 s ago")
    assert not bench.effects


async def test_the_connector_gets_no_more_time_than_is_left(bench: Bench) -> None:
    left: list[float] = []
    send = bench.press.send

    async def noted(point: Any, raw: Any, command_id: str, within: float) -> Sent:
        left.append(within)
        return await send(point, raw, command_id, within)

    bench.press.send = noted  # type: ignore[method-assign]
    while_intent_is_audited(bench, lambda: bench.time.goes_on(1.0))
    await bench.submit(within=3.0)
    await bench.submit(105.0, within=60.0)
    assert left == pytest.approx([2.0, 9.0])


# --- cuts ---


async def cut() -> None:
    raise ConnectionError("the session ended")


CUTS: dict[str, Callable[[Bench], object]] = {
    "told": lambda bench: setattr(
        bench.press, "answer", Sent(Sending.UNKNOWN, "the session ended")
    ),
    "raised": lambda bench: setattr(bench.press, "after_send", cut),
}


@pytest.mark.case("A45")
@pytest.mark.parametrize("case", CUTS)
async def test_after_a_cut_nothing_more_is_sent(bench: Bench, case: str) -> None:
    """A ramp of five steps, as a client sends them; the connection goes in the third."""
    bench.press.limit(rate=None)
    ended: list[Command] = []
    for number, value in enumerate((102.0, 104.0, 106.0, 108.0, 110.0)):
        if number == 2:
            CUTS[case](bench)
            bench.press.reads = lambda path: ReadBack(None, "not connected")
        ended.append(await bench.submit(value))
        if number == 2:
            bench.press.state = Device(False, "unreachable")
    assert [command.state for command in ended] == [
        *(State.VERIFIED, State.VERIFIED, State.UNKNOWN, State.REJECTED, State.REJECTED),
    ]
    assert len(bench.effects) == 3
    assert bench.alarms == [ended[2]]
    bench.press.state = Device(True)
    bench.press.answer, bench.press.after_send = Sent(Sending.ANSWERED), None
    bench.time.goes_on(600.0)
    await settle()
    assert len(bench.effects) == 3


@pytest.mark.case("A45")
async def test_what_is_not_known_is_read_once_and_told_as_unknown(bench: Bench) -> None:
    bench.press.answer = Sent(Sending.UNKNOWN, "no answer within 10 s")
    command = await bench.submit()
    assert command.state is State.UNKNOWN
    assert command.read_back == 110.0
    assert command.text == (
        "whether the device took it can't be said: no answer within 10 s; it reads 110.0 now"
    )
    assert len(bench.effects) == 1


async def test_after_an_unknown_one_the_tag_must_be_read_before_the_next(bench: Bench) -> None:
    bench.press.answer = Sent(Sending.UNKNOWN, "cut")
    bench.press.reads = lambda path: ReadBack(None, "not connected")
    await bench.submit()
    bench.press.answer = Sent(Sending.ANSWERED)
    command = await bench.submit(105.0)
    assert command.checks[-1].name == "step"
    bench.time.goes_on(2.5)
    bench.press.shows("speed_setpoint", 110.0)
    bench.press.reads = lambda path: ReadBack(bench.press.raw[path])
    assert (await bench.submit(105.0)).state is State.VERIFIED


async def test_a_device_that_says_no_has_its_say(bench: Bench) -> None:
    bench.press.answer = Sent(Sending.REFUSED, "illegal data value")
    command = await bench.submit()
    assert (command.state, command.text) == (
        State.REJECTED,
        "the device said no: illegal data value",
    )
    assert not bench.alarms
    bench.press.answer = Sent(Sending.ANSWERED)
    assert (await bench.submit()).state is State.VERIFIED


# --- read-back ---


async def test_a_device_may_take_its_time_to_get_there(bench: Bench) -> None:
    reads = iter([100.0, 104.0, 108.0])
    bench.press.reads = lambda path: ReadBack(next(reads, 110.0))
    assert (await bench.submit()).state is State.VERIFIED
    assert len(bench.effects) == 1


async def test_one_that_never_gets_there_is_a_mismatch_with_an_alarm(bench: Bench) -> None:
    start = bench.time.mono
    bench.press.reads = lambda path: ReadBack(104.0)
    command = await bench.submit()
    assert (command.state, command.read_back) == (State.MISMATCH, 104.0)
    assert 2.8 <= bench.time.mono - start <= 3.0
    assert bench.alarms == [command]
    assert len(bench.effects) == 1
    assert bench.audit.actions()[-1] == "command.mismatch"


async def test_one_that_cannot_be_read_is_unknown(bench: Bench) -> None:
    bench.press.reads = lambda path: ReadBack(None, "not connected")
    command = await bench.submit()
    assert command.state is State.UNKNOWN
    assert command.text == "the device took it, and can't be read: not connected"
    assert bench.alarms == [command]


# --- callers ---


@pytest.mark.parametrize("turns", range(1, 40, 3))
async def test_who_hangs_up_either_takes_it_back_or_changes_nothing(
    kept: Bench, turns: int
) -> None:
    call = asyncio.create_task(kept.submit())
    for _ in range(turns):
        await asyncio.sleep(0)
    on_its_way = kept.guard.commands() != []
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await settle()
    (command,) = kept.guard.commands()
    assert command.state in ([State.VERIFIED] if on_its_way else [State.CANCELLED, State.VERIFIED])
    assert len(kept.effects) == (command.state is State.VERIFIED)


async def test_who_hangs_up_while_it_is_checked_takes_it_back(bench: Bench) -> None:
    check = bench.permit.check

    async def hang_up(*arguments: Any) -> None:
        call.cancel()
        await settle(3)
        await check(*arguments)

    bench.permit.check = hang_up  # type: ignore[method-assign]
    call = asyncio.create_task(bench.submit())
    with pytest.raises(asyncio.CancelledError):
        await call
    await settle()
    (command,) = bench.guard.commands()
    assert (command.state, command.text) == (State.CANCELLED, "the caller hung up")
    assert not bench.effects


async def test_who_hangs_up_while_it_is_sent_changes_nothing(bench: Bench) -> None:
    call: asyncio.Task[Command] | None = None

    async def hang_up() -> None:
        assert call is not None
        call.cancel()
        await asyncio.sleep(0)

    bench.press.before_send = hang_up
    call = asyncio.create_task(bench.submit())
    with pytest.raises(asyncio.CancelledError):
        await call
    await settle()
    assert [one.state for one in bench.guard.commands()] == [State.VERIFIED]


async def test_taking_back_what_is_being_checked(bench: Bench) -> None:
    call = asyncio.create_task(bench.submit(command_id="c"))
    for _ in range(2):
        await asyncio.sleep(0)
    command = await bench.guard.cancel("c", OLGA)
    assert command.state is State.CANCELLED
    assert await call == command
    assert not bench.effects


async def test_taking_back_what_is_sent_gives_what_became_of_it(bench: Bench) -> None:
    found: list[asyncio.Task[Command]] = []

    async def take_back() -> None:
        found.append(asyncio.create_task(bench.guard.cancel("c", OLGA)))
        await asyncio.sleep(0.01)

    bench.press.before_send = take_back
    command = await bench.submit(command_id="c")
    assert command.state is State.VERIFIED
    assert await found[0] == command


async def test_nobody_takes_back_what_the_gate_does_not_let(bench: Bench) -> None:
    await bench.submit(by=ERIK, command_id="c")
    bench.permit.denied.add((OLGA.id, "command.cancel"))
    with pytest.raises(Denied):
        await bench.guard.cancel("c", OLGA)


async def test_a_kernel_that_ends_takes_nothing_more_and_waits_for_what_is_sent(
    bench: Bench,
) -> None:
    waits = await bench.submit(by=ERIK)
    closing: list[asyncio.Task[None]] = []

    async def end() -> None:
        closing.append(asyncio.create_task(bench.guard.close()))
        await asyncio.sleep(0.01)

    bench.press.before_send = end
    command = await bench.submit()
    await closing[0]
    assert command.state is State.VERIFIED
    assert (await bench.submit()).text == "the kernel is ending"
    states = {one.command_id: one.state for one in bench.guard.commands()}
    assert states[waits.command_id] is State.EXPIRED
    assert len(bench.effects) == 1


def test_no_way_leads_back() -> None:
    """From no state can it be reached again; SENT is reached by one way, and what follows is an end."""

    for state in State:
        reached = set(EDGES[state])
        for _ in State:
            reached |= {after for one in reached for after in EDGES[one]}
        assert state not in reached
    assert [state for state, following in EDGES.items() if State.SENT in following] == [
        State.INTENT_AUDITED
    ]
    assert all(state.ended for state in EDGES[State.SENT])
    assert set(EDGES) == set(State)


async def test_a_device_that_goes_while_the_disk_is_waited_for_gets_nothing(bench: Bench) -> None:
    seen = bench.press.device

    def device(name: str) -> Device:
        reserved = bool(bench.guard.in_flight("press-07"))
        return Device(False, "connecting") if reserved else seen(name)

    bench.press.device = device  # type: ignore[method-assign]
    bench.press.limit(interlock="")
    command = await bench.submit()
    assert command.state is State.REJECTED, command.text
    assert "connecting" in command.text
    assert not bench.effects
