"""What is set aside: its session goes on, what it says counts for nothing, and it comes back by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.runtime.plant import code, plant, state, until, value
from tests.runtime.wall import Wall, ns

from bedplate.model import quality
from bedplate.runtime.kernel import Kernel
from bedplate.server.admin import Admin

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
    return await Admin(kernel, ()).status(_Asked(), None)  # type: ignore[arg-type]


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


class _Asked:
    with_output = False
