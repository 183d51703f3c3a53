"""Metrics and traces arrive at a collector that was written with another library."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bedplate.server.platform import Platform, prepare

HERE = Path(__file__).parent
MODULES = HERE.parent / "peers" / "node_modules"

PLANT = """
bedplate: 1
name: measured
connectors:
  line:
    use: simline
    scan_classes: {fast: 100ms}
    tags: {speed: {address: filler.speed, scan: fast}, state: {address: filler.state, scan: fast}}
  store: {use: history, deliver: ["**"], folder: history}
api: {listen: "127.0.0.1:0"}
telemetry: {otlp: "http://127.0.0.1:PORT", interval: 1s}
"""


@asynccontextmanager
async def collector() -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """Its port, and the facts it prints, growing."""
    if not shutil.which("node") or not (MODULES / "@grpc").exists():
        if os.environ.get("CI"):
            pytest.fail("node or its packages are missing: run .make/peers")
        pytest.skip("needs node and tests/peers/node_modules: run .make/peers")
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / "receiver.js"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"NODE_PATH": str(MODULES)},
    )
    assert process.stdout is not None
    facts: list[dict[str, Any]] = []

    async def gather(stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            facts.append(json.loads(line))

    port = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["port"]
    gathering = asyncio.create_task(gather(process.stdout))
    try:
        yield port, facts
    finally:
        process.kill()
        await process.wait()
        gathering.cancel()


async def until(condition: Callable[[], Any], within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.05)


async def test_metrics_of_every_component_and_spans_of_both_sides_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    async with collector() as (port, facts):
        file = tmp_path / "plant.yaml"
        file.write_text(PLANT.replace("PORT", str(port)))
        platform = Platform(prepare(file))
        await platform.start()
        try:
            await until(lambda: newest(facts, "bedplate.produced", "line") > 5)
            await until(lambda: newest(facts, "bedplate.journal.syncs") > 0)
            await until(lambda: len(spans(facts, "open", "store")) >= 2)
            await until(lambda: up(facts) == {"line", "store"})
        finally:
            await platform.stop()

    names = {fact["metric"] for fact in facts if "metric" in fact}
    assert {
        "bedplate.consumed",
        "bedplate.state",
        "bedplate.age",
        "bedplate.reader.behind",
    } <= names
    assert {
        "bedplate.journal.bytes",
        "bedplate.journal.depth",
        "bedplate.journal.age",
        "bedplate.restarts",
    } <= names
    asked, served = spans(facts, "open", "store")[:2]
    ask, serve = sorted((asked, served), key=lambda span: span["span"])
    assert (ask["span"], serve["span"]) == ("ask open", "serve open")
    assert serve["trace"] == ask["trace"]
    assert serve["parent"] == ask["id"]
    assert serve["from"]["service.name"] == "bedplate-history"


def up(facts: list[dict[str, Any]]) -> set[str]:
    states = [f for f in facts if f.get("metric") == "bedplate.state" and f["at"]["state"] == "up"]
    return {f["at"]["component"] for f in states if f["value"] == 1}


def newest(facts: list[dict[str, Any]], metric: str, component: str = "") -> float:
    found = [
        f["value"]
        for f in facts
        if f.get("metric") == metric and (not component or f["at"].get("component") == component)
    ]
    return found[-1] if found else 0.0


def spans(facts: list[dict[str, Any]], what: str, component: str) -> list[dict[str, Any]]:
    return [
        f
        for f in facts
        if f.get("span", "").endswith(f" {what}") and f["at"].get("bedplate.component") == component
    ]
