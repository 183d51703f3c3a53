"""The second person: who can be it, what they approve, and how long it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.command.rig import EMMA, ERIK, OLGA, SPEED, VERA, Bench, settle

from bedplate.audit.entry import Entry
from bedplate.command import Command, Device, NoSuchCommand, State
from bedplate.config.deployment import WriteRule
from bedplate.contracts import Subject
from bedplate.errors import Denied


async def waiting(bench: Bench, value: float = 110.0) -> Command:
    command = await bench.submit(value, by=ERIK)
    assert command.state is State.AWAIT_APPROVAL
    assert not bench.effects
    return command


async def test_a_second_person_lets_it_go(bench: Bench) -> None:
    waits = await waiting(bench)
    assert bench.guard.commands(waiting=True) == [waits]
    assert [check.text for check in waits.checks][-1] == "a second person must approve it"
    command = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert command.state is State.VERIFIED, command
    assert (command.by, command.approved_by) == (ERIK, EMMA)
    assert command.intent == waits.intent
    assert bench.effects == [(SPEED, 110.0)]
    assert bench.guard.commands(waiting=True) == []


NO_SECOND: dict[str, Subject] = {
    "the one who submitted": ERIK,
    "the same person with another token": replace(ERIK, method="token", credential="sha256:second"),
    "another name with the same credential": replace(EMMA, credential=ERIK.credential),
    "one whose credential nobody knows": replace(EMMA, credential=""),
    "one without a rule": VERA,
    "one whose login has ended": replace(EMMA, until=1),
}


@pytest.mark.case("A15")
@pytest.mark.parametrize("case", NO_SECOND)
async def test_not_everybody_is_a_second_person(bench: Bench, case: str) -> None:
    waits = await waiting(bench)
    with pytest.raises(Denied):
        await bench.guard.approve(waits.command_id, waits.intent, NO_SECOND[case])
    refused = bench.audit.entries[-1]
    assert (refused.action, refused.verdict, refused.who) == (
        "command.approve",
        "refused",
        NO_SECOND[case].id,
    )
    assert not bench.effects
    assert bench.guard.commands(waiting=True) == [waits]
    assert (await bench.guard.approve(waits.command_id, waits.intent, EMMA)).state is State.VERIFIED


@pytest.mark.case("A15")
async def test_one_who_submitted_without_a_known_credential_has_no_second_person(
    bench: Bench,
) -> None:
    waits = await bench.submit(by=replace(ERIK, credential=""))
    with pytest.raises(Denied, match="does not know"):
        await bench.guard.approve(waits.command_id, waits.intent, EMMA)


async def test_the_gate_must_let_the_second_person_too(bench: Bench) -> None:
    waits = await waiting(bench)
    bench.permit.denied.add((EMMA.id, "command.approve"))
    with pytest.raises(Denied):
        await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert bench.guard.commands(waiting=True) == [waits]


@pytest.mark.case("A16")
async def test_another_intent_voids_it(bench: Bench) -> None:
    waits = await waiting(bench)
    flipped = f"{int(waits.intent, 16) ^ 1:064x}"
    command = await bench.guard.approve(waits.command_id, flipped, EMMA)
    assert command.state is State.REJECTED
    assert "the intent is another one" in command.text
    assert not bench.effects
    again = await bench.guard.submit(bench.wish(110.0, command_id=waits.command_id), ERIK)
    assert again == command


CHANGES: dict[str, Callable[[Bench], object]] = {
    "the range": lambda bench: bench.press.limit(range=(10.0, 121.0)),
    "the step": lambda bench: bench.press.limit(step=21.0),
    "the interlock": lambda bench: bench.press.limit(interlock="guard_closed"),
    "the rate": lambda bench: bench.press.limit(rate=(7, 60_000_000_000)),
    "the time to verify": lambda bench: bench.press.limit(verify_timeout_ns=1),
    "the unit": lambda bench: bench.press.alter(unit="1/s"),
    "the scale": lambda bench: bench.press.alter(scale=(2.0, 0.0)),
    "the type in the device": lambda bench: bench.press.alter(raw_type="int16"),
    "the rule": lambda bench: bench.allow(WriteRule("engineer", ("**",), second_person=True)),
}


@pytest.mark.case("A16")
@pytest.mark.parametrize("case", CHANGES)
async def test_what_changes_after_it_was_shown_voids_it(bench: Bench, case: str) -> None:
    waits = await waiting(bench)
    CHANGES[case](bench)
    command = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert command.state is State.REJECTED
    assert command.text == "something has changed since it was approved"
    assert not bench.effects


@pytest.mark.case("A16")
async def test_every_part_of_a_wish_is_in_the_intent(bench: Bench) -> None:
    wish = bench.wish(110.0, if_current=100.0, reason="new bottle")
    others = [
        replace(wish, value=110.00000000000001),
        replace(wish, command_id="c-other"),
        replace(wish, if_current=None),
        replace(wish, reason="new bottles"),
    ]
    seen = {
        (await bench.guard.submit(replace(one, dry_run=True), subject)).intent
        for one in (wish, *others)
        for subject in (ERIK, EMMA, replace(ERIK, credential="sha256:other"))
    }
    assert len(seen) == 15
    assert "" not in seen


@pytest.mark.case("A17")
@pytest.mark.parametrize("set_back", [0, 3600])
async def test_an_approval_after_five_minutes_comes_too_late(bench: Bench, set_back: int) -> None:
    waits = await waiting(bench)
    bench.time.goes_on(299.0)
    bench.press.shows("speed_setpoint", 100.0)
    assert bench.guard.commands(waiting=True) == [waits]
    bench.time.goes_on(1.5)
    bench.time.wall -= set_back * 10**9
    command = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert command.state is State.EXPIRED
    assert command.text == "no second person approved it in time"
    assert not bench.effects


@pytest.mark.case("A17")
async def test_a_clock_that_is_set_forward_expires_nothing(bench: Bench) -> None:
    waits = await waiting(bench)
    bench.time.wall += 86_400_000_000_000
    assert (await bench.guard.approve(waits.command_id, waits.intent, EMMA)).state is State.VERIFIED


@pytest.mark.case("A69")
async def test_what_waits_while_its_device_is_away_is_never_sent(bench: Bench) -> None:
    waits = await waiting(bench)
    bench.press.state = Device(False, "press-07 is unreachable")
    bench.time.goes_on(600.0)
    bench.press.state = Device(True)
    bench.press.shows("speed_setpoint", 100.0)
    command = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert command.state is State.EXPIRED
    assert not bench.effects


async def test_who_hangs_up_before_it_waits_takes_it_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = bench.guard._book.put

    async def hang_up(*arguments: Any, **more: Any) -> bool:
        call.cancel()
        await settle(2)
        return await put(*arguments, **more)

    monkeypatch.setattr(bench.guard._book, "put", hang_up)
    call = asyncio.create_task(bench.submit(by=ERIK))
    with pytest.raises(asyncio.CancelledError):
        await call
    await settle()
    assert [one.state for one in bench.guard.commands()] == [State.CANCELLED]


async def test_what_cannot_be_kept_does_not_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*arguments: Any, **more: Any) -> bool:
        bench.guard._book.trouble = "commands can't be kept: disk full"
        return False

    monkeypatch.setattr(bench.guard._book, "put", full)
    command = await bench.submit(by=ERIK)
    assert (command.state, command.text) == (State.REJECTED, "commands can't be kept: disk full")


@pytest.mark.parametrize("dry", [False, True])
async def test_while_nothing_can_be_kept_nothing_goes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, dry: bool
) -> None:
    waits = await waiting(bench)

    async def fails(*arguments: Any) -> None:
        bench.guard._book.trouble = "commands can't be kept: disk full"

    monkeypatch.setattr(bench.guard._book, "_on_disk", fails)
    await bench.guard._book.find(("nobody", "nothing"))
    if dry:
        command = await bench.submit(by=ERIK, dry_run=True)
    else:
        command = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert not command.checks[0].passed
    assert command.checks[0].text == "commands can't be kept: disk full"
    assert not bench.effects


async def test_what_became_of_it_is_told_to_those_who_may_approve_alone(bench: Bench) -> None:
    waits = await waiting(bench)
    done = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    bench.permit.denied.add((VERA.id, "command.approve"))
    with pytest.raises(Denied):
        await bench.guard.approve(waits.command_id, waits.intent, VERA)
    assert await bench.guard.approve(waits.command_id, waits.intent, EMMA) == done
    with pytest.raises(NoSuchCommand):
        await bench.guard.approve(waits.command_id, "", EMMA)


async def test_it_expires_when_nobody_comes(bench: Bench) -> None:
    waits = await waiting(bench)
    bench.time.goes_on(301.0)
    await bench.guard._expire()
    (command,) = bench.guard.commands()
    assert (command.command_id, command.state) == (waits.command_id, State.EXPIRED)
    with pytest.raises(NoSuchCommand):
        await bench.guard.approve("c-other", waits.intent, EMMA)


async def test_the_time_to_send_begins_with_the_approval(bench: Bench) -> None:
    waits = await waiting(bench)
    bench.time.goes_on(200.0)  # `within` is 10 s
    for name, value in (("speed_setpoint", 100.0), ("guard_closed", True), ("state", 1)):
        bench.press.shows(name, value)
    assert (await bench.guard.approve(waits.command_id, waits.intent, EMMA)).state is State.VERIFIED


async def test_one_approval_sends_one_command(bench: Bench) -> None:
    waits = await waiting(bench)
    both = await asyncio.gather(
        bench.guard.approve(waits.command_id, waits.intent, EMMA),
        bench.guard.approve(
            waits.command_id, waits.intent, replace(EMMA, id="else", credential="x")
        ),
    )
    assert {command.state for command in both} == {State.VERIFIED}
    assert len(bench.effects) == 1
    again = await bench.guard.approve(waits.command_id, waits.intent, EMMA)  # its reply was lost
    assert again.state is State.VERIFIED
    assert len(bench.effects) == 1


async def test_an_approver_who_hangs_up_stops_nothing(bench: Bench) -> None:
    waits = await waiting(bench)
    call = asyncio.create_task(bench.guard.approve(waits.command_id, waits.intent, EMMA))
    for _ in range(2):
        await asyncio.sleep(0)
    call.cancel()
    await settle()
    assert [one.state for one in bench.guard.commands()] == [State.VERIFIED]


async def test_who_takes_back_what_waits(bench: Bench) -> None:
    waits = await waiting(bench)
    bench.permit.denied.add((OLGA.id, "command.cancel"))
    with pytest.raises(Denied):
        await bench.guard.cancel(waits.command_id, OLGA)
    command = await bench.guard.cancel(waits.command_id, ERIK)
    assert (command.state, command.text) == (State.CANCELLED, "taken back by erik")
    assert await bench.guard.cancel(waits.command_id, ERIK) == command
    assert not bench.effects
    with pytest.raises(NoSuchCommand):
        await bench.guard.cancel("c-nowhere", ERIK)


async def test_two_who_wait_under_one_id_are_told_apart_by_their_intent(bench: Bench) -> None:
    of_erik = await bench.submit(by=ERIK, command_id="same")
    of_emma = await bench.submit(105.0, by=EMMA, command_id="same")
    with pytest.raises(NoSuchCommand):
        await bench.guard.approve("same", "0" * 64, replace(EMMA, id="nina", credential="n"))
    with pytest.raises(Denied):
        await bench.guard.approve("same", of_emma.intent, EMMA)
    assert (await bench.guard.approve("same", of_erik.intent, EMMA)).value == 110.0
    assert bench.effects == [(SPEED, 110.0)]


async def test_no_more_wait_than_there_is_room_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.command.guard.MOST_WAITING", 2)
    states = [(await bench.submit(by=ERIK)).state for _ in range(3)]
    assert states == [State.AWAIT_APPROVAL, State.AWAIT_APPROVAL, State.REJECTED]


async def test_the_rate_of_the_tag_counts_at_the_approval(bench: Bench) -> None:
    bench.press.limit(rate=(1, 60_000_000_000), step=None)
    first, second = await waiting(bench, 105.0), await waiting(bench, 106.0)
    assert (await bench.guard.approve(first.command_id, first.intent, EMMA)).state is State.VERIFIED
    command = await bench.guard.approve(second.command_id, second.intent, EMMA)
    assert command.checks[-1].name == "rate"
    assert len(bench.effects) == 1


@pytest.mark.case("A15")
@pytest.mark.parametrize(
    "more", [{"device": "press-08"}, {"address": "40002"}, {"states": {110: "open"}}]
)
async def test_what_was_approved_is_not_sent_to_another_place(
    bench: Bench, more: dict[str, Any]
) -> None:
    waits = await waiting(bench)
    bench.press.alter(**more)
    command = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert command.state is State.REJECTED, command.text
    assert not bench.effects


@pytest.mark.parametrize("when", ["while it waits", "while the audit log is waited for"])
async def test_what_waits_is_not_sent_for_one_whose_rights_may_have_been_taken_meanwhile(
    bench: Bench, when: str
) -> None:
    waits = await bench.submit(by=ERIK)
    assert waits.state is State.AWAIT_APPROVAL
    write = bench.audit.write

    async def slow(entry: Entry) -> bool:
        bench.access += 1
        return await write(entry)

    if when == "while it waits":
        bench.access += 1  # the roster: erik is disabled, his roles or his token are taken
    else:
        bench.audit.write = slow  # type: ignore[method-assign]
    command = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert command.state is State.REJECTED, command.text
    assert "submit it again" in command.text
    assert not bench.effects
