"""A plugin on another machine: it dials in with its certificate, serves, and goes on after what networks do."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.plant import plant, state, until, value

BOX = """
scan_classes: {fast: 50ms}
connectors:
  box: {use: counter, placement: remote, tags: {number: {address: a, scan: fast}}}
"""


async def test_a_remote_plugin_dials_in_and_serves(tmp_path: Path) -> None:
    async with plant(tmp_path, BOX, placement="remote") as kernel:
        await until(lambda: (value(kernel, "box/number") or 0) > 3, within=30)
        assert state(kernel, "box") == "up"
