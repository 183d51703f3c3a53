"""Policy files of a plant that runs: noticed when they are edited, in force once they are applied."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.policy.plant import PLUGIN, until

from bedplate import connect
from bedplate.endpoints import find
from bedplate.errors import CallError
from bedplate.server.platform import Platform, prepare

WAVE = PLUGIN.partition("class Doorman")[0]
LINE = """bedplate: 1
name: plant
path: acme
security: {access: {use: access, placement: inline, policies: [own.cedar]}}
connectors:
  filler: {use: wave, path: hall/filler, placement: inline, tags: {speed: {}}}
  oven: {use: wave, path: hall/oven, placement: inline, tags: {recipe: {}}}
"""
FORBID = """
@id("not-{0}")
forbid (principal == User::"local-token", action, resource in Asset::"acme/hall/{0}");
"""


async def tags() -> list[str]:
    """As somebody sees them who tries again while the module starts."""
    endpoint = find()
    with connect(endpoint.address, endpoint.token) as client:
        async with asyncio.timeout(10):
            while True:
                try:
                    found = await asyncio.to_thread(client.tags)
                    return [tag.path for tag in found]
                except CallError as error:
                    if error.code != "UNAVAILABLE":
                        raise
                    await asyncio.sleep(0.05)


async def apply(file: Path, *, here: bool = True) -> str:
    """How it ended. here: at the machine itself, where policies have no say."""
    endpoint = find()
    address, token = (f"unix:{endpoint.socket}", "") if here else (endpoint.address, endpoint.token)

    def work() -> str:
        with connect(address, token) as client:
            try:
                return [step.state for step in client.apply(str(file), health=20)][-1]
            except CallError as error:
                return error.code

    return await asyncio.to_thread(work)


@pytest.mark.case("A70")
async def test_an_edited_file_is_noted_and_the_old_rules_stay_until_it_is_applied(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.cedar"
    own.write_text(FORBID.format("oven"))
    (tmp_path / "wave.py").write_text(WAVE)
    file = tmp_path / "plant.yaml"
    file.write_text(LINE)
    platform = Platform(prepare(file, [tmp_path / "wave.py"]))
    await platform.start("127.0.0.1:0")
    try:
        filler, oven = ["acme/hall/filler/speed"], ["acme/hall/oven/recipe"]
        assert await tags() == filler
        own.write_text(FORBID.format("filler"))
        access = lambda: platform.kernel.components["access"]  # noqa: E731
        await until(lambda: "was changed on disk" in access().detail)
        assert await tags() == filler
        await crash(access())
        assert await tags() == filler, "also when the module begins anew"
        assert await apply(file, here=False) == "PERMISSION_DENIED", "it is about the oven too"
        assert await apply(file) == "applied"
        assert await tags() == oven
        own.write_text("permit (principal, action, resurce);")
        assert await apply(file) in ("ABORTED", "FAILED_PRECONDITION")
        assert await tags() == oven, "what can't be used is undone"
    finally:
        await platform.stop()


async def crash(supervisor: Any) -> None:
    """Its session ends, and another one begins."""
    restarts = supervisor.role.figures.restarts
    supervisor.lose(6, "a bug")
    await until(
        lambda: supervisor.life.state == "up" and supervisor.role.figures.restarts > restarts
    )
