"""Interlocks of commands: other tags of the asset, each Good and fresh, or the command does not go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.command.rig import PRESS, Bench

from bedplate.command import Device, State
from bedplate.config.deployment import WriteLimits
from bedplate.model import DataType, quality

GUARD = f"{PRESS}/guard_closed"
UNKNOWN: dict[str, Callable[[Bench], Any]] = {
    "stale": lambda bench: bench.press.shows("guard_closed", True, quality.UNCERTAIN_LAST_USABLE),
    "Bad": lambda bench: bench.press.shows("guard_closed", True, quality.BAD_DEVICE_FAILURE),
    "set aside": lambda bench: bench.press.shows("guard_closed", True, quality.BAD_OUT_OF_SERVICE),
    "missing": lambda bench: bench.press.points.pop(GUARD),
    "without a value": lambda bench: bench.press.shown.pop(GUARD),
    "old": lambda bench: bench.press.shown.update({GUARD: (True, 0, bench.time.mono - 5.1)}),
    "from a time to come": lambda bench: bench.press.shown.update(
        {GUARD: (True, 0, bench.time.mono + 1)}
    ),
    "a number": lambda bench: bench.press.shows("guard_closed", 1),
    "a text": lambda bench: bench.press.shows("guard_closed", "true"),
    "its plugin is dead": lambda bench: other_device(bench, Device(False, "its process has ended")),
    "its device is in maintenance": lambda bench: other_device(bench, Device(True, locked="mia")),
}


def other_device(bench: Bench, state: Device) -> None:
    """The guard belongs to another device of the same asset."""
    bench.press.alter(GUARD, device="safety-plc")
    bench.press.device = lambda name: state if name == "safety-plc" else Device(True)  # type: ignore[method-assign]


@pytest.mark.case("A66")
@pytest.mark.parametrize(
    "text",
    ["guard_closed", "not guard_closed", "guard_closed or state == fault", "guard_closed != false"],
)
@pytest.mark.parametrize("case", UNKNOWN)
async def test_a_tag_that_is_not_known_lets_nothing_through(
    bench: Bench, case: str, text: str
) -> None:
    bench.press.limit(interlock=text)
    UNKNOWN[case](bench)
    command = await bench.submit()
    assert command.state is State.REJECTED
    assert command.checks[-1].name == "interlock"
    assert not bench.effects


@pytest.mark.case("A66")
async def test_people_read_why(bench: Bench) -> None:
    bench.press.shows("guard_closed", True, quality.BAD_DEVICE_FAILURE)
    bench.press.shows("state", 3)
    command = await bench.submit()
    assert command.text == (
        "`guard_closed and state != fault` does not hold: guard_closed is not known (BadDeviceFailure), state is fault"
    )


async def test_it_holds_for_this_asset_alone(bench: Bench) -> None:
    other = replace(
        bench.press.points[GUARD], path="acme/press-08/guard_closed", asset="acme/press-08"
    )
    bench.press.points[other.path] = other
    bench.press.shown[other.path] = (True, 0, bench.time.mono)
    bench.press.shows("guard_closed", False)
    assert (await bench.submit()).checks[-1].name == "interlock"


@pytest.mark.parametrize(
    "text",
    [
        "guard_closed and",
        "gaurd_closed",
        "state == falt",
        "guard_closed = true",
        "speed_setpoint",
        "__import__('os')",
    ],
)
async def test_one_that_cannot_be_judged_does_not_hold(bench: Bench, text: str) -> None:
    bench.press.limit(interlock=text)
    command = await bench.submit()
    assert command.checks[-1].name == "interlock"
    assert "can't be judged" in command.text
    assert "column" in command.text


async def test_what_has_just_been_written_counts_as_it_read_back(bench: Bench) -> None:
    """Nobody looks at a value from before the last write."""
    bench.press.limit(interlock="speed_setpoint < 105")
    assert (await bench.submit(106.0)).state is State.VERIFIED
    command = await bench.submit(107.0)
    assert command.checks[-1].name == "interlock"
    assert "speed_setpoint is 106" in command.text


async def test_what_was_just_written_is_not_believed_once_the_plant_says_it_is_bad(
    bench: Bench,
) -> None:
    on = bench.press.has("enable", False, data_type=DataType.BOOL, limits=WriteLimits())
    bench.press.limit(interlock="enable")
    assert (await bench.submit(True, tag=on)).state is State.VERIFIED
    bench.time.goes_on(0.5)
    bench.press.shows("enable", True, quality.BAD_DEVICE_FAILURE)
    command = await bench.submit()
    assert (command.state, command.checks[-1].name) == (State.REJECTED, "interlock"), command.text
