"""`bedplate maintenance` as people call it, against a Bedplate that is killed in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.faults.running import BEDPLATE, Running
from tests.gate.rig import lines as audit

PLANT = """
bedplate: 1
name: berlin
path: acme
types:
  press:
    parameters: {line: required}
    use: counter
    placement: inline
    path: $line/$name
    tags: {number: {address: a}}
connectors:
  presses: {type: press, each: {press-11: {line: line1}, press-12: {line: line1}}}
  a1: {use: counter, placement: inline, path: line1/oven, tags: {t: {address: a}}}
  a2: {use: counter, placement: inline, path: line2/oven, tags: {t: {address: a}}}
api: {listen: "127.0.0.1:0"}
"""


@dataclass
class Site:
    """A running Bedplate, and its command line."""

    running: Running

    async def __call__(self, *words: str) -> tuple[int, str]:
        """Exit code, and what it said."""
        process = await asyncio.create_subprocess_exec(
            str(BEDPLATE), *words, env=self.running.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(30):
            said, _ = await process.communicate()
        return process.returncode or 0, said.decode()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    running = Running(tmp_path)
    running.file.write_text(PLANT)
    await running.start()
    yield Site(running)
    await running.kill()


async def test_it_is_set_aside_with_a_name_on_it_through_a_kill_until_somebody_ends_it(
    site: Site, tmp_path: Path
) -> None:
    assert await site("maintenance") == (0, "nothing is set aside\n")
    code, said = await site("maintenance", "press-12", "--until", "8h", "--reason", "new ram seal")
    assert code == 0
    assert said.split()[:4] == ["device", "until", "by", "reason"]
    assert "local-token  new ram seal" in said

    await site.running.kill()
    await site.running.start()
    code, said = await site("status")
    assert code == 0, said
    (line,) = (line for line in said.splitlines() if "maintenance" in line)
    assert line.split()[:3] == ["press-12", "set", "aside"]
    assert 'local-token: "new ram seal"' in line
    (one,) = json.loads((await site("maintenance", "--json"))[1])
    assert (one["component"], one["path"]) == ("press-12", "acme/line1/press-12")

    assert await site("maintenance", "line1/press-12", "--end") == (
        0,
        "press-12 is back in service\n",
    )
    assert await site("maintenance", "press-12", "--end") == (0, "press-12 was not set aside\n")
    await site.running.kill()
    assert told(tmp_path) == [
        ("allowed", "local-token", "acme/line1/press-12", ""),
        ("noted", "local-token", "press-12", "begins"),
        ("allowed", "local-token", "acme/line1/press-12", ""),
        ("noted", "local-token", "press-12", "ends"),
        ("allowed", "local-token", "acme/line1/press-12", ""),
    ]


def told(folder: Path) -> list[tuple[str, str, str, str]]:
    lines: list[dict[str, Any]] = audit(folder / "data" / "audit")
    return [
        (line["verdict"], line["who"], line["resource"], line.get("text", "").partition(",")[0])
        for line in lines
        if line["action"] == "admin.maintenance"
    ]


async def test_what_is_ambiguous_or_wrong_is_said_and_ends_with_two(site: Site) -> None:
    when = ("--until", "06:00", "--reason", "seal")
    cases = {
        ("oven", *when): "bedplate: oven names 2 devices:\n  acme/line1/oven\n  acme/line2/oven\n",
        ("press-13", *when): "bedplate: no device named press-13; did you mean press-12?\n",
        ("press-12", "--until", "6", "--reason", "x"): "'6' is no time ahead",
        ("press-12", "--until", "500d", "--reason", "x"): "within 400 days",
        ("press-12", "--until", "2020-01-01", "--reason", "x"): "is over",
        ("press-12", "--until", "8h"): "Say until when and why",
        ("press-12", "--end", "--reason", "x"): "--end takes it back now",
        ("--end",): "Name the device",
    }
    answers = await asyncio.gather(*(site("maintenance", *words) for words in cases))
    for (code, said), (words, wanted) in zip(answers, cases.items(), strict=True):
        assert (code, wanted in said) == (2, True), (words, said)
    assert await site("maintenance") == (0, "nothing is set aside\n")


async def test_the_clients_say_the_same(site: Site) -> None:
    ask = site.running.ask
    (begun,) = await ask(
        lambda c: c.set_maintenance("press-11", timedelta(hours=8), "new ram seal")
    )
    (listed,) = (await ask(lambda c: c.status())).maintenance
    assert listed == begun
    assert (begun.until - begun.since) / 3600e9 == pytest.approx(8, abs=0.01)
    (again,) = await ask(lambda c: c.set_maintenance("press-11", "9h", "and its valve"))
    assert (again.since, again.reason) == (begun.since, "and its valve")
    assert len(await ask(lambda c: c.end_maintenance("press-11"))) == 1
    assert not (await ask(lambda c: c.status())).maintenance
