"""What must not get through: for each check something that only this check stands against, and the words of its name.

Each is a function that makes a bench unfit for the check and returns what to submit. With the check there it ends
REJECTED or EXPIRED and nothing reaches the device; without the check it goes on, which is how we know that the
test would see the check gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.command.rig import OLGA, Bench

from bedplate.command import Wish
from bedplate.model import quality


@dataclass(frozen=True)
class Attack:
    """check: its name · prepare: makes the bench so · wish: what is changed in the wish."""

    check: str
    prepare: Callable[[Bench], Any]
    wish: Callable[[Wish], Wish] = lambda wish: wish
    label: str = ""

    def __str__(self) -> str:
        return self.label or self.check


def nothing(bench: Bench) -> None:
    """Nothing to prepare."""


def off(bench: Bench) -> None:
    bench.rules = replace(bench.rules, writes=replace(bench.rules.writes, enabled=False))


def dead_disk(bench: Bench) -> None:
    bench.press.stored = "the journal's disk is gone"


def set_aside(bench: Bench) -> None:
    bench.press.limit(interlock="")  # which would see it too
    bench.press.state = replace(bench.press.state, locked="maintenance until 06:00, mia")


def no_gate(bench: Bench) -> None:
    bench.permit.denied.add((OLGA.id, "command.submit"))


def busy_tag(bench: Bench) -> None:
    bench.press.limit(rate=(0, 60_000_000_000))


def guard_open(bench: Bench) -> None:
    bench.press.shows("guard_closed", False)


def stale(bench: Bench) -> None:
    bench.press.shows("speed_setpoint", 100.0, quality.UNCERTAIN_LAST_USABLE)


def clock_ran(bench: Bench) -> None:
    """The gate takes longer than the command may wait."""
    check = bench.permit.check

    async def slowly(*arguments: Any) -> None:
        bench.time.goes_on(4.0)
        await check(*arguments)

    bench.permit.check = slowly  # type: ignore[method-assign]


ATTACKS = [
    Attack("kill-switch", off, label="writing is off"),
    Attack("kill-switch", dead_disk, label="a dead disk"),
    Attack("kill-switch", set_aside, label="maintenance"),
    Attack("identity", no_gate, label="the gate says no"),
    Attack("limits", nothing, lambda wish: replace(wish, value=500.0), "out of range"),
    Attack("step", stale, label="stale"),
    Attack("step", nothing, lambda wish: replace(wish, value=50.0), "too far at once"),
    Attack("rate", busy_tag),
    Attack("interlock", guard_open),
    Attack("if-current", nothing, lambda wish: replace(wish, if_current=90.0)),
    Attack("in-time", clock_ran, lambda wish: replace(wish, within=3.0)),
]
