"""The checks: each alone, their order, what a dry run says, and that each of them would be missed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.command.attacks import ATTACKS, Attack, nothing
from tests.command.rig import ALLOW, EMMA, ERIK, OLGA, SPEED, VERA, Bench

from bedplate.audit.entry import Entry
from bedplate.command import Command, Device, Sending, Sent, State
from bedplate.command.checks import CHECKS
from bedplate.config.deployment import WriteLimits, WriteRule
from bedplate.errors import Invalid
from bedplate.model import DataType

NAMES = [check.name for check in CHECKS]


def stopper(command: Command) -> str:
    """The check that stood against it."""
    return next((check.name for check in command.checks if not check.passed), "")


async def attacked(bench: Bench, *attacks: Attack) -> Command:
    wish = bench.wish()
    for attack in attacks:
        attack.prepare(bench)
        wish = attack.wish(wish)
    return await bench.guard.submit(wish, OLGA)


def test_they_stand_in_the_order_that_was_decided() -> None:
    decided = "kill-switch identity limits step rate interlock if-current idempotency in-time second-person"
    assert " ".join(NAMES) == decided


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_each_stands_against_what_it_is_for(bench: Bench, attack: Attack) -> None:
    command = await attacked(bench, attack)
    assert stopper(command) == attack.check
    assert command.state in (State.REJECTED, State.EXPIRED)
    assert command.text == command.checks[-1].text
    assert not bench.effects
    assert bench.audit.entries[-1].verdict == "refused"


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_without_it_the_attack_gets_further(attack: Attack) -> None:
    """A seeded bug: the test above fails when the check is gone."""
    bench = Bench(checks=[check for check in CHECKS if check.name != attack.check])
    await bench.guard.open()
    command = await attacked(bench, attack)
    await bench.guard.close()
    assert stopper(command) != attack.check
    if attack.check not in (
        "identity",
        "limits",
    ):  # without these there is no rule and no raw value
        assert bench.effects


OF_EACH = {attack.check: attack for attack in reversed(ATTACKS)} | {
    "step": next(attack for attack in ATTACKS if attack.label == "stale")
}


PAIRS = [*itertools.combinations([name for name in NAMES if name in OF_EACH], 2)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_the_first_that_stands_against_it_is_the_one_that_counts(
    bench: Bench, first: str, second: str
) -> None:
    command = await attacked(bench, OF_EACH[second], OF_EACH[first])
    assert stopper(command) == first
    assert [check.name for check in command.checks] == NAMES[: NAMES.index(first) + 1]


MEANWHILE = [one for one in ATTACKS if one.prepare is not nothing and one.check != "in-time"]


@pytest.mark.parametrize("attack", MEANWHILE, ids=str)
async def test_all_of_them_are_made_again_at_the_approval(bench: Bench, attack: Attack) -> None:
    waits = await bench.submit(by=ERIK)
    assert waits.state is State.AWAIT_APPROVAL, waits
    attack.prepare(bench)
    bench.permit.denied |= {(ERIK.id, action) for _, action in bench.permit.denied}
    command = await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    assert command.state is State.REJECTED
    assert stopper(command) == attack.check
    assert not bench.effects


@pytest.mark.parametrize("switch", ["file", "link into nowhere", "folder"])
async def test_a_file_stops_all_writing(bench: Bench, tmp_path: Path, switch: str) -> None:
    path = tmp_path / "writes.disabled"
    bench.rules = replace(bench.rules, kill_switches=(tmp_path / "other", path))
    {
        "file": path.touch,
        "folder": path.mkdir,
        "link into nowhere": lambda: path.symlink_to(tmp_path / "nowhere"),
    }[switch]()
    command = await bench.submit()
    assert stopper(command) == "kill-switch"
    assert str(path) in command.text
    assert bench.guard.stopped() == command.text
    path.rmdir() if switch == "folder" else path.unlink()
    assert (await bench.submit()).state is State.VERIFIED
    assert not bench.guard.stopped()


async def test_a_kill_switch_that_cannot_be_looked_at_is_thrown(bench: Bench) -> None:
    bench.rules = replace(bench.rules, kill_switches=(Path("/tmp") / ("x" * 300),))
    command = await bench.submit()
    assert stopper(command) == "kill-switch"
    assert "can't be looked at" in command.text


RULES: dict[str, tuple[list[WriteRule], bool]] = {
    "no rule": ([], False),
    "another role": ([WriteRule("engineer", ("**",))], False),
    "another tag": ([WriteRule("operator", ("acme/press-08/**",))], False),
    "its calendar holds": ([WriteRule("operator", ("**",), "day")], True),
    "a calendar that nobody knows": ([WriteRule("operator", ("**",), "nights")], False),
    "the second one": ([WriteRule("engineer", ("**",)), WriteRule("operator", (SPEED,))], True),
}


@pytest.mark.parametrize("case", RULES)
async def test_a_rule_must_let_them(bench: Bench, case: str) -> None:
    rules, may = RULES[case]
    bench.allow(*rules)
    command = await bench.submit()
    assert command.state is (State.VERIFIED if may else State.REJECTED), command
    assert stopper(command) == ("" if may else "identity")


async def test_a_rule_holds_while_its_calendar_does(bench: Bench) -> None:
    bench.allow(WriteRule("operator", ("**",), "day"))
    bench.time.wall += 12 * 3_600_000_000_000
    command = await bench.submit()
    assert stopper(command) == "identity"
    assert "during day" in command.text


async def test_the_first_rule_that_fits_is_the_one_that_counts(bench: Bench) -> None:
    both = replace(OLGA, roles=("operator", "engineer"))
    assert (await bench.submit(by=both)).state is State.VERIFIED
    bench.allow(*reversed(ALLOW))
    assert (await bench.submit(by=both)).state is State.AWAIT_APPROVAL


async def test_a_login_that_has_ended_writes_nothing(bench: Bench) -> None:
    command = await bench.submit(by=replace(OLGA, until=bench.time.wall))
    assert stopper(command) == "identity"


async def test_a_dry_run_says_what_every_check_finds(bench: Bench) -> None:
    bench.press.shows("guard_closed", False)
    command = await bench.submit(500.0, dry_run=True)
    assert command.state is State.DRY_RUN
    assert [check.name for check in command.checks] == NAMES
    assert [check.name for check in command.checks if not check.passed] == [
        *("limits", "step", "interlock"),
    ]
    assert not bench.effects
    assert bench.guard.commands() == []


async def test_a_dry_run_costs_no_rate_and_keeps_no_id(bench: Bench) -> None:
    wish = bench.wish()
    for _ in range(20):
        command = await bench.guard.submit(replace(wish, dry_run=True), OLGA)
        assert all(check.passed for check in command.checks), command.text
    assert command.text == "it would be sent"
    assert (await bench.guard.submit(wish, OLGA)).state is State.VERIFIED


async def test_a_dry_run_tells_nothing_to_one_who_may_not(bench: Bench) -> None:
    command = await bench.submit(by=VERA, dry_run=True)
    assert [check.name for check in command.checks] == ["kill-switch", "identity"]
    assert (command.old, command.unit, command.intent) == (None, "", "")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"command_id": ""}, "/command_id"),
        ({"command_id": "a/../b"}, "/command_id"),
        ({"command_id": "x" * 65}, "/command_id"),
        ({"within": 0.0}, "/within_ms"),
        ({"within": 60.1}, "/within_ms"),
        ({"within": float("nan")}, "/within_ms"),
        ({"tag": ""}, "/tag"),
        ({"reason": "x" * 501}, "/reason"),
    ],
)
async def test_what_no_wish_can_be_is_refused_at_its_place(
    bench: Bench, change: dict[str, object], pointer: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await bench.guard.submit(replace(bench.wish(), **change), OLGA)  # type: ignore[arg-type]
    assert caught.value.pointer == pointer


# --- 11 and 12 ---


async def test_without_an_audit_log_nothing_is_sent(bench: Bench) -> None:
    bench.audit.failed = "audit.jsonl: no space left"
    command = await bench.submit()
    assert stopper(command) == "audit"
    assert command.state is State.REJECTED
    assert not bench.effects
    assert "no space left" in bench.guard.stopped()


DEVICES: dict[str, Callable[[Bench], None]] = {
    "read-only connector": lambda bench: bench.press.alter(may_write=False),
    "down": lambda bench: setattr(bench.press, "state", Device(False, "press-07 is unreachable")),
}


@pytest.mark.parametrize("case", DEVICES)
async def test_the_connector_must_be_there_and_may(bench: Bench, case: str) -> None:
    bench.press.limit(interlock="")
    DEVICES[case](bench)
    command = await bench.submit()
    assert stopper(command) == "device"
    assert command.state is State.REJECTED
    assert not bench.effects


@pytest.mark.case("A69")
async def test_a_command_for_a_device_that_is_away_is_never_sent_later(bench: Bench) -> None:
    bench.press.limit(interlock="")
    bench.press.state = Device(False, "press-07 is unreachable")
    command = await bench.submit()
    assert command.state is State.REJECTED
    assert "it was not sent, and will not be" in command.text
    bench.time.goes_on(600)
    bench.press.state = Device(True)
    bench.press.shows("speed_setpoint", 100.0)
    again = await bench.guard.submit(replace(bench.wish(), command_id=command.command_id), OLGA)
    assert again == command
    assert not bench.effects


@pytest.mark.case("A69")
@pytest.mark.parametrize("outcome", [Sending.NOT_SENT, Sending.EXPIRED])
async def test_what_a_connector_never_sent_is_not_sent_by_anybody(
    bench: Bench, outcome: Sending
) -> None:
    bench.press.answer = Sent(outcome, "the session ended before")
    command = await bench.submit()
    assert command.state is (State.REJECTED if outcome is Sending.NOT_SENT else State.EXPIRED)
    assert "not sent" in command.text
    bench.press.answer = Sent(Sending.ANSWERED)
    await bench.submit()
    assert len(bench.effects) == 1


async def test_a_device_has_one_write_at_a_time(bench: Bench) -> None:
    other = bench.press.has("other", 5.0, limits=WriteLimits(), data_type=DataType.FLOAT64)
    found: list[Command] = []

    async def meanwhile() -> None:
        assert bench.guard.in_flight("press-07") is not None
        found.append(await bench.submit(6.0, tag=other))

    bench.press.before_send = meanwhile
    command = await bench.submit()
    assert command.state is State.VERIFIED
    assert stopper(found[0]) == "device"
    assert f"busy with command {command.command_id}" in found[0].text
    assert bench.effects == [(SPEED, 110.0)]
    assert bench.guard.in_flight("press-07") is None
    bench.press.before_send = None
    assert (await bench.submit(6.0, tag=other)).state is State.VERIFIED


async def test_a_login_that_ends_while_the_audit_log_is_waited_for_sends_nothing(
    bench: Bench,
) -> None:
    write = bench.audit.write

    async def slow(entry: Entry) -> bool:
        bench.time.goes_on(3.0)
        return await write(entry)

    bench.audit.write = slow  # type: ignore[method-assign]
    by = replace(OLGA, until=bench.time.wall + 2_000_000_000)
    command = await bench.submit(by=by)
    assert command.state is State.REJECTED, command.text
    assert command.text == "the login of olga has ended"
    assert not bench.effects
