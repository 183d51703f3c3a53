"""One command from the wish to its end, when all is well and when it is not."""

from __future__ import annotations

from tests.command.rig import OLGA, SPEED, Bench

from bedplate.command import State


async def test_a_command_is_sent_once_and_read_back(bench: Bench) -> None:
    command = await bench.submit(110.0)
    assert command.state is State.VERIFIED, command
    assert bench.effects == [(SPEED, 110.0)]
    assert (command.old, command.value, command.read_back, command.unit) == (
        100.0,
        110.0,
        110.0,
        "1/min",
    )
    assert [check.name for check in command.checks] == [
        *("kill-switch", "identity", "limits", "step", "rate", "interlock", "if-current"),
        *("idempotency", "in-time", "second-person", "audit", "device", "read-back"),
    ]
    assert command.rule == "rule 1 of writes.allow (operator)"
    assert command.by == OLGA
