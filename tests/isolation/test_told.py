"""The level of each process is told wherever a person or a collector looks: status, telemetry, audit, doctor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from tests.end_to_end.site import Site
from tests.runtime.plant import until

from bedplate.isolation import this_machine
from bedplate.runtime.instruments import instruments

TEXT = """
bedplate: 1
name: plant
connectors:
  apart: {use: simline, tags: {a: {address: filler.state}}}
  inside: {use: simline, placement: inline, tags: {a: {address: filler.state}}}
journal: {folder: journal}
audit: {folder: audit}
"""


async def test_the_level_of_a_process_is_told_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    level = str(this_machine().default)
    site = Site(tmp_path, TEXT)
    client = await site.start()
    try:
        assert site.platform
        components = site.platform.kernel.components
        await until(lambda: all(str(one.life.state) == "up" for one in components.values()), 30)
        status = await client.status()
        measured = _levels(site)
    finally:
        await site.stop()
    records = [
        json.loads(line)
        for file in (tmp_path / "audit").glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    started = [one for one in records if one["action"] == "plugin.start"]

    assert sorted(one.isolation for one in status.processes) == ["L0", level]
    assert sorted(measured) == [0, int(level[1])]
    assert {one["resource"].split()[0] for one in started} == {"simline"}
    assert all("bedplate-simline" in one["text"] for one in started)
    assert {one["text"].partition(", at ")[2][:2] for one in started} == {"L0", level}


def _levels(site: Site) -> list[int]:
    """As a collector gets them."""
    assert site.platform
    reader = InMemoryMetricReader()
    instruments(site.platform.kernel, MeterProvider([reader]).get_meter("bedplate"))
    told = reader.get_metrics_data()
    assert told
    return [
        int(point.value)
        for resource in told.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "bedplate.isolation"
        for point in metric.data.data_points
    ]
