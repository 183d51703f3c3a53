"""A journal that takes no more: every source says so in one sentence, and nobody sees a traceback."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import PLACEMENTS, plant, state, until, value

from bedplate.clock import SystemClock
from bedplate.errors import JournalError
from bedplate.journal.embedded import EmbeddedEngine

TEXT = """
connectors:
  polled: {use: counter, placement: PLACE, scan_classes: {fast: 50ms}, tags: {n: {address: a, scan: fast}}}
  pushed: {use: pusher, placement: PLACE, folder: FOLDER, most: 100000, tags: {n: {address: a}}}
"""


class Full(EmbeddedEngine):
    """Takes nothing any more once it is full."""

    full = False

    def append(self, *what: Any, **more: Any) -> Any:
        if self.full:
            raise JournalError("journal.sqlite3: database or disk is full")
        return super().append(*what, **more)


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_a_full_disk_is_told_by_every_source_in_one_sentence(
    tmp_path: Path, placement: str
) -> None:
    shouted: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: shouted.append(context))
    engine = Full(tmp_path / "journal", clock=SystemClock(), sync=0.05)
    async with plant(tmp_path, TEXT, placement=placement, engine=engine) as kernel:
        await until(lambda: value(kernel, "polled/n") and value(kernel, "pushed/n"))
        engine.full = True
        for name in ("polled", "pushed"):
            await until(lambda name=name: state(kernel, name) == "unreachable")
            assert (
                kernel.components[name].life.reason == "journal.sqlite3: database or disk is full"
            )
        engine.full = False
        before = value(kernel, "polled/n")
        await until(lambda: value(kernel, "polled/n") > before)

    assert not shouted
