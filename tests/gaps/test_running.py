"""Gaps of kernels that run: what a device, a plugin, people and SIGKILL do to it, asked for as a user would."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from tests.end_to_end.site import RIGS, running, until
from tests.faults.running import BEDPLATE, Running

from bedplate.errors import CallError
from bedplate.runtime.instruments import instruments

CONNECTORS = """
bedplate: 1
name: press-shop
timezone: Europe/Berlin
scan_classes: {fast: 100ms}
connectors:
  press:
    use: counter
    placement: PLACE
    path: hall/press
    folder: FOLDER
    scan: fast
    tags: {a: {address: a, deadband: 1000}, b: {address: b}, broken: {address: none}}
  spare:
    use: counter
    placement: PLACE
    path: hall/spare
    tags: {a: {address: a}}
journal: {folder: journal}
api: {listen: "127.0.0.1:0"}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    return tmp_path


async def test_a_device_that_was_away_is_one_gap_and_a_deadband_takes_nothing_away(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, CONNECTORS, placement="inline", plugins=[RIGS]) as site:
        began = time.time_ns()
        await until(site.all_up)
        await asyncio.sleep(0.5)
        (tmp_path / "cut").touch()
        cut = time.time_ns()
        await until(lambda: _is(site, "press", "unreachable"))
        await asyncio.sleep(1)
        (tmp_path / "cut").unlink()
        await until(site.all_up)
        back = time.time_ns()
        await asyncio.sleep(0.3)

        report = await site.client.gaps("press")
        (gap,) = (one for one in report.gaps if one.reason == "unreachable")
        assert (gap.path, gap.reason, gap.text) == (
            "hall/press",
            "unreachable",
            "the device hung up",
        )
        assert cut < gap.since < cut + 0.3e9
        assert abs(gap.until - back) < 0.3e9
        assert abs(gap.missing / 3 - (gap.until - gap.since) / 0.1e9) <= 2
        assert {one.reason for one in report.gaps if one.path == "hall/press/broken"} == {
            "bad quality"
        }

        complete = {one.path.rpartition("/")[2]: one for one in report.completeness}
        assert complete["a"].received == complete["b"].received > 5
        only = await site.client.gaps("press/a")
        assert only.completeness[0].expected - only.completeness[0].received == sum(
            one.missing for one in only.gaps
        )
        assert complete["broken"].received == 0
        status = await site.component("press")
        total = sum(one.expected for one in report.completeness)
        assert status.completeness.expected - total in range(12)
        assert (await site.component("spare")).completeness.ratio == 1.0
        assert not (await site.client.gaps("spare")).gaps
        assert not (await site.client.gaps(end=began, last="5min")).gaps
        with pytest.raises(CallError, match="did you mean press"):
            await site.client.gaps("prss")


async def _is(site: Any, component: str, state: str) -> bool:
    return bool(await site.state(component) == state)


async def test_a_device_that_is_set_aside_was_not_expected(tmp_path: Path) -> None:
    async with running(tmp_path, CONNECTORS, placement="inline", plugins=[RIGS]) as site:
        await until(site.all_up)
        await site.client.set_maintenance("spare", "8h", "new ram seal")
        await until(lambda: _is(site, "spare", "set aside"))
        counted = (await site.component("spare")).completeness.expected
        await asyncio.sleep(1.5)
        await site.client.end_maintenance("spare")
        (gap,) = (await site.client.gaps("spare")).gaps
        assert (gap.reason, gap.missing) == ("maintenance", 0)
        assert "new ram seal" in gap.text
        status = (await site.component("spare")).completeness
        assert status.expected - counted <= 1
        assert status.ratio == 1.0


def _received(kernel: Any) -> int:
    return int(kernel.ledger.completeness("press").received)


async def test_completeness_is_a_metric_of_each_source(tmp_path: Path) -> None:
    async with running(tmp_path, CONNECTORS, placement="inline", plugins=[RIGS]) as site:
        await until(site.all_up)
        assert site.platform
        kernel, reader = site.platform.kernel, InMemoryMetricReader()
        await until(lambda: _received(kernel) > 2)
        instruments(kernel, MeterProvider([reader]).get_meter("bedplate"))
        await kernel.ledger.flush()
        data = await asyncio.to_thread(reader.get_metrics_data)  # as an exporter's thread asks
        metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics]
        (found,) = (one for one in metrics if one.name == "bedplate.completeness")
        told = {one.attributes["component"]: one.value for one in found.data.data_points}
        assert told.keys() == {"press", "spare"}
        assert told["spare"] == 1.0
        assert 0 < told["press"] < 1


async def test_a_plugin_that_is_killed_is_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, CONNECTORS, placement="process", plugins=[RIGS]) as site:
        await until(site.all_up)
        (process,) = (await site.client.status()).processes
        import os
        import signal

        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: _restarted(site))
        await until(site.all_up)
        await asyncio.sleep(0.5)
        gaps = [
            one
            for one in (await site.client.gaps()).gaps
            if one.tags in (1, 3) and one.reason == "restart"
        ]
        assert {one.path for one in gaps} == {"hall/press", "hall/spare"} or len(gaps) == 1
        assert "hall/press" in {one.path for one in gaps}


async def _restarted(site: Any) -> bool:
    return bool((await site.component("press")).restarts)


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Running]:
    one = Running(tmp_path)
    one.file.write_text(CONNECTORS.replace("PLACE", "inline").replace("FOLDER", str(tmp_path)))
    yield one
    await one.kill()


async def bedplate(plant: Running, *arguments: str) -> str:
    environment = plant.environment | {"TZ": "Europe/Berlin"}
    done = await asyncio.create_subprocess_exec(
        str(BEDPLATE), *arguments, "--endpoint", plant.address, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await done.communicate()
    assert done.returncode in (0, 1), err.decode()  # 1: there are problems
    return out.decode()


async def test_the_time_in_which_a_killed_kernel_did_not_run_is_a_gap(plant: Running) -> None:
    await plant.start()
    await asyncio.sleep(2)
    await plant.kill()
    killed = time.time_ns()
    await asyncio.sleep(2)
    await plant.start()
    again = time.time_ns()
    await asyncio.sleep(1)

    report = json.loads(await bedplate(plant, "gaps", "press", "--json"))
    told = await plant.ask(lambda client: client.gaps("press/a", "press/b"))
    restarts = [one for one in told.gaps if one.reason == "restart"]
    (gap,) = {(one.since, one.until) for one in restarts}
    assert killed - 0.7e9 < gap[0] <= killed  # from the newest value that the journal had on disk
    assert gap[1] <= again + 0.5e9
    missing = [one.missing for one in restarts]
    due = (gap[1] - gap[0]) / 0.1e9
    assert all(abs(many - due) <= 3 for many in missing), f"{missing} of {due}: {told.gaps}"
    assert [one["reason"] for one in report["gaps"]].count("restart") == 1

    screen = await bedplate(plant, "gaps")
    assert "restart" in screen
    assert "hall/press" in screen
    assert "received of expected" in screen
    assert "complete since 00:00" in await bedplate(plant, "status")
    missing_line = next(
        line for line in screen.splitlines() if "restart" in line and "hall/press" in line
    )
    assert "Bedplate did not run" in missing_line
