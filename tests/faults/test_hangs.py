"""Hangs: told within five seconds in words that name what hangs, for what they are, and never in the way of a stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.faults.rogues import told
from tests.policy.callers import anybody
from tests.runtime.plant import OFFERS, RigOffer, code, plant, state, until, value

from bedplate.model import quality
from bedplate.server.admin import Admin

HANGS = '''import time

from bedplate import Connector


class Stuck(Connector):
    """Never gets so far."""


if __name__ != "__main__":
    time.sleep(3600)
'''
WITHIN = 20.0


async def problems(kernel: Any) -> str:
    """What `status` complains of."""
    status = await Admin(kernel, ()).status(type("Asked", (), {"with_output": False}), anybody())  # type: ignore[arg-type]
    return " | ".join(status.problems)


async def test_a_hang_in_open_is_told_within_five_seconds_and_is_the_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the figures of a plant. Its process answers pings meanwhile, so nobody is at fault."""
    monkeypatch.setattr("bedplate.runtime.overdue.STEPS", (5,))
    loop = asyncio.get_running_loop()
    text = "connectors: {o: {use: troubled, how: hang in open, tags: {n: {address: a}}}}"
    async with plant(tmp_path, text) as kernel:
        place = kernel.components["o"].place
        await until(lambda: place.run and place.run.attachment, within=WITHIN)
        began = loop.time()
        await until(lambda: state(kernel, "o") == "unreachable", within=WITHIN)
        seconds = loop.time() - began

        assert kernel.components["o"].overdue == "open has not answered for 4 s"
        assert "o unreachable: open has not answered for 4 s" in await problems(kernel)
        await until(lambda: "for 5 s" in kernel.components["o"].overdue, within=WITHIN)
        assert told(kernel, "o") == "start | open has not answered for 4 s"  # nothing twice
        assert not kernel.components["o"]._faults._times
    print(f"told after {seconds:.1f} s")


async def test_what_was_good_before_is_uncertain_while_open_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.SLOW", 0.2)
    monkeypatch.setattr("bedplate.runtime.source.BAD_AFTER", 0.5)
    text = "connectors: {box: {use: troubled, tags: {n: {address: a}}}}"
    async with plant(tmp_path, text) as kernel:
        await until(lambda: value(kernel, "box/n"), within=WITHIN)
    async with plant(tmp_path, text.replace("troubled,", "troubled, how: hang in open,")) as kernel:
        assert code(kernel, "box/n") == quality.GOOD
        await until(lambda: code(kernel, "box/n") != quality.GOOD, within=WITHIN)
        await until(lambda: code(kernel, "box/n") == quality.BAD_NO_COMMUNICATION, within=WITHIN)


async def test_an_import_inside_the_kernel_that_hangs_is_told_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.SLOW", 0.5)
    file = tmp_path / "stuck.py"
    file.write_text(HANGS)
    stuck = RigOffer("stuck", "connector", ("read",), "stuck:Stuck", plugin="stuck.py", file=file)
    text = "connectors:\n  s: {use: stuck, placement: inline, tags: {n: {address: a}}}\n"
    text += "  quick: {use: counter, placement: inline, tags: {n: {address: a}}}\n"
    loop = asyncio.get_running_loop()
    async with plant(tmp_path, text, offers=OFFERS | {"stuck": stuck}) as kernel:
        words = "import of stuck.py, which can't be ended, has not come back for"
        await until(lambda: words in told(kernel, "s"), within=WITHIN)
        await until(lambda: value(kernel, "quick/n"), within=WITHIN)

        assert words in await problems(kernel)
        began = loop.time()
        await kernel.stop()
    assert loop.time() - began < 10
