"""Processes of plugins: their end is noticed, told in words, and harms nobody else."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.runtime.plant import code, plant, state, until, value

from bedplate.model import quality

TWO = """
connectors:
  box: {use: counter, scan_classes: {fast: 50ms}, tags: {number: {address: a, scan: fast}}}
  other: {use: counter, process: apart, scan_classes: {fast: 50ms}, tags: {number: {address: a, scan: fast}}}
"""


@pytest.mark.parametrize(
    ("how", "words"),
    [(signal.SIGKILL, "was killed by SIGKILL"), (signal.SIGSTOP, "did not answer 3 pings")],
)
async def test_a_killed_or_frozen_process_is_noticed_and_replaced(
    tmp_path: Path, how: signal.Signals, words: str
) -> None:
    async with plant(tmp_path, TWO) as kernel:
        await until(lambda: value(kernel, "box/number") and value(kernel, "other/number"))
        supervisor = kernel.components["box"]
        os.kill(supervisor.place.run.pid, how)
        await until(lambda: state(kernel, "box") == "starting", within=5)
        seen = value(kernel, "other/number")

        assert words in supervisor.life.reason
        assert code(kernel, "box/number") == quality.UNCERTAIN_LAST_USABLE
        await until(lambda: state(kernel, "box") == "up")
        await until(lambda: value(kernel, "other/number") > seen)
        assert kernel.components["other"].place.restarts == 0


@pytest.mark.parametrize(
    ("how", "words"), [("exit", "ended with exit code 3"), ("exit 0", "ended with exit code 0")]
)
async def test_a_process_that_ends_by_itself_is_faulted_after_too_many_times(
    tmp_path: Path, how: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.FAULTS", 2)
    text = f"connectors: {{t: {{use: troubled, how: '{how}', tags: {{n: {{address: a}}}}}}}}"
    async with plant(tmp_path, text) as kernel:
        await until(lambda: state(kernel, "t") == "faulted")

        assert words in kernel.components["t"].life.reason


async def test_a_plugin_that_cannot_be_imported_is_faulted_in_one_sentence(tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.runtime.plant import OFFERS

    broken = tmp_path / "broken.py"
    broken.write_text("import nothing_of_this_name\n")
    offers = OFFERS | {"counter": replace(OFFERS["counter"], file=broken, plugin="broken")}
    async with plant(tmp_path, TWO, offers=offers) as kernel:
        await until(lambda: state(kernel, "box") == "faulted")

        assert "No module named 'nothing_of_this_name'" in kernel.components["box"].life.reason
        assert "\n" not in kernel.components["box"].life.reason


async def test_a_flood_of_output_is_bounded_and_escaped(tmp_path: Path) -> None:
    tags = "scan_classes: {fast: 50ms}, tags: {n: {address: a, scan: fast}}"
    text = f"connectors: {{t: {{use: troubled, how: flood, {tags}}}}}"
    async with plant(tmp_path, text) as kernel:
        await until(lambda: kernel.components["t"].role.figures.produced > 5)
        output = kernel.components["t"].place.run.output

        assert output
        assert len(output) <= 200
        assert all(len(line) <= 8192 and "\x1b" not in line for line in output)


async def test_no_plugin_outlives_a_killed_kernel(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, sys
from pathlib import Path
from tests.runtime.plant import plant, until, value
async def main():
    async with plant(Path({str(tmp_path)!r}), {TWO!r}) as kernel:
        await until(lambda: value(kernel, "box/number") and value(kernel, "other/number"))
        print(*(place.run.pid for place in kernel.places.values()), flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    pids = [int(word) for word in (await asyncio.wait_for(process.stdout.readline(), 30)).split()]
    process.kill()
    await process.wait()

    assert len(pids) == 2
    await until(lambda: not any(map(_alive, pids)))


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
