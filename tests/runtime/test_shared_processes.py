"""Several components in one process: each of its ends counts once for each of them, whatever each was doing then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.runtime.plant import OFFERS, plant, state, until

FAST = "process: shared, scan_classes: {fast: 50ms}, tags: {n: {address: a, scan: fast}}"
THREE = f"""
connectors:
  ends: {{use: troubled, how: exit, {FAST}}}
  other: {{use: troubled, how: slow in open, {FAST}}}
  third: {{use: troubled, how: slow in open, {FAST}}}
"""
ALL = ("ends", "other", "third")


@pytest.fixture(autouse=True)
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six starts take one longer than a minute."""
    monkeypatch.setattr("bedplate.runtime.lifecycle.WINDOW", 600.0)


async def test_one_that_ends_their_process_ends_it_for_all_also_for_who_is_not_open_yet(
    tmp_path: Path,
) -> None:
    """Who was opening waits longer and longer, and comes back when the process has ended again meanwhile."""
    async with plant(tmp_path, THREE) as kernel:
        await until(lambda: state(kernel, "ends") == "faulted")
        await until(lambda: all(state(kernel, name) == "faulted" for name in ALL))

        assert kernel.components["ends"].place.restarts == 5
        for name in ALL:
            assert (
                "process of troubled ended with exit code 3" in kernel.components[name].life.reason
            )


async def test_a_process_that_never_attaches_is_the_fault_of_all_who_wait_for_it(
    tmp_path: Path,
) -> None:
    ends = tmp_path / "ends.py"
    ends.write_text("import os\nos._exit(5)\n")
    offers = OFFERS | {"troubled": replace(OFFERS["troubled"], file=ends, plugin="ends")}
    async with plant(tmp_path, THREE, offers=offers) as kernel:
        await until(lambda: all(state(kernel, name) == "faulted" for name in ALL))

        assert kernel.components["ends"].place.restarts == 5
