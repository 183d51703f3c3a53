"""Who may write what changes by an engineer's apply alone, at once and without a restart, told by the plan and written
down; until then the old rules hold, whatever the file says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.end_to_end.site import Site
from tests.writes.rig import FILE, OFFERS
from tests.writes.test_surfaces import TEXT

from bedplate.client import AsyncClient
from bedplate.config import Deployment, parse
from bedplate.planning.write_rules import rules_told

RANGE = "write: {range: [10, 120]"


def parsed(text: str) -> Deployment:
    return parse(text.encode(), "plant.yaml", Path("/plant"), lambda use: OFFERS[use].schema)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("step: 90", "step: 90", []),
        ("enabled: true", "enabled: false", ["writes are on → off"]),
        (
            "enabled: true",
            "enabled: true\n  kill_switch: stop",
            ["kill switch none → stop"],
        ),
        (
            'admin, tags: ["press/count"], second_person: true',
            'engineer, tags: ["press/count"]',
            [
                "new: engineer may write acme/press/count",
                "no longer: admin may write acme/press/count, with a second person",
            ],
        ),
        (RANGE, "write: {range: [10, 150]", ["acme/press/speed: range [10, 120] → [10, 150]"]),
        ("step: 90", "rate: 6/min", ["acme/press/speed: rate none → 6 per 60 s · step 90 → none"]),
        (
            "step: 90",
            "step: 90, interlock: guard",
            ["acme/press/speed: interlock none → guard"],
        ),
        (
            "{address: guard}",
            "{address: guard, write: {}}",
            ["acme/press/guard: may be written, without a limit"],
        ),
        (
            ", write: {range: [0, 65535]}",
            ", write: {range: [0, 65535]}, description: pieces",
            [],
        ),
        (
            "{address: speed, unit: 1/min,",
            "{address: speed, unit: 1/min, scale: 0.1,",
            ["acme/press/speed: its scale"],
        ),
    ],
)
def test_a_plan_tells_each_change_of_the_guard(old: str, new: str, told: list[str]) -> None:
    assert old in TEXT
    assert list(rules_told(parsed(TEXT), parsed(TEXT.replace(old, new)))) == told


def test_many_tags_alike_are_one_line() -> None:
    text = TEXT.replace("  press:\n", "  TYPE", 1)
    head, _, body = text.partition("connectors:\n  TYPE")
    tags, _, writes = body.partition("writes:")
    each = "connectors: {p: {type: press, each: {a: {}, b: {}}}}"
    types = f"{head}types:\n  press:\n{tags}{each}\nwrites:{writes}"
    types = types.replace('"press/', '"*/')
    changed = types.replace(RANGE, "write: {range: [10, 150]")

    assert list(rules_told(parsed(types), parsed(changed))) == [
        "speed of 2 machines: range [10, 120] → [10, 150]"
    ]


@pytest_asyncio.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "h"))
    one = Site(tmp_path / "press", TEXT, plugins=[FILE])
    try:
        client = await one.start()
        async with asyncio.timeout(20):
            while not all(tag.current for tag in await client.tags(current=True)):
                await asyncio.sleep(0.05)
        yield one
    finally:
        await one.stop()


async def state(client: AsyncClient, value: float) -> str:
    return (await client.write("press/speed", value)).state


@pytest.mark.case("A70")
async def test_a_changed_rule_waits_for_an_engineer_and_then_holds_at_once(site: Site) -> None:
    client, platform = site.client, site.platform
    assert platform
    assert await state(client, 125) == "rejected"
    site.file.write_text(site.file.read_text().replace(RANGE, "write: {range: [10, 130]"))
    by_file = await state(client, 125)
    platform.reload()
    async with asyncio.timeout(10):
        while not (told := [*platform._problems()]):
            await asyncio.sleep(0.05)
    by_signal = await state(client, 125)
    plan = await client.plan(site.file)
    restarts = [one.restarts for one in (await client.status()).components]
    progress = [one async for one in client.apply(site.file)]
    by_apply = await state(client, 125)
    after = [one.restarts for one in (await client.status()).components]

    assert (by_file, by_signal, by_apply) == ("rejected", "rejected", "verified")
    assert "which an engineer applies: acme/press/speed: range [10, 120] → [10, 130]" in told[0]
    assert plan.guard == ("acme/press/speed: range [10, 120] → [10, 130]",)
    assert [(one.component, one.step, one.why) for one in plan.touched] == [
        ("press", "reconfigure", "write limits of speed")
    ]
    assert progress[-1].state == "applied"
    assert restarts == after, "nothing was restarted"
    lines = (site.folder / "data/audit/audit.jsonl").read_text().splitlines()
    [rules] = [one for one in map(json.loads, lines) if one["action"] == "command.rules"]
    assert (rules["who"], rules["text"]) == ("local-token", plan.guard[0])


async def test_what_only_writes_changes_is_a_change_too(site: Site) -> None:
    text = site.file.read_text().replace("enabled: true", "enabled: false")
    site.file.write_text(text)
    plan = await site.client.plan(site.file)
    async for _ in site.client.apply(site.file):
        pass
    writes = (await site.client.status()).writes

    assert plan.touched == ()
    assert plan.guard == ("writes are on → off",)
    assert await state(site.client, 95) == "rejected"
    assert writes is not None
    assert not writes.enabled
