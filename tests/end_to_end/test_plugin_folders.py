"""Plugins of any language and in environments of their own run side by side in one deployment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.contract.strangers import HERE as STRANGERS
from tests.contract.strangers import node_command
from tests.end_to_end.environments import MANIFEST, SCHEMA, clashing_plugin
from tests.end_to_end.program import BEDPLATE, Program
from tests.end_to_end.site import RIGS, Site, until

from bedplate.client import AsyncClient, connect_async
from bedplate.errors import ConfigError
from bedplate.server.platform import prepare

HEAD = "bedplate: 1\nname: x\nscan_classes: {normal: 100ms}\n"
ROWS = "{address: clash}, home: {address: python}"


async def current(client: AsyncClient, tail: str) -> Any:
    [tag] = await client.tags(tail, current=True)
    return tag.current.value if tag.current else None


async def processes(client: AsyncClient) -> dict[str, int]:
    """Name of each process of a plugin and its pid."""
    return {process.name: process.pid for process in (await client.status()).processes}


CLASHING = f"""{HEAD}
plugins: {{folders: [one, two]}}
connectors:
  one: {{use: one, tags: {{version: {ROWS}}}}}
  two: {{use: two, tags: {{version: {ROWS}}}}}
"""


async def test_two_plugins_that_need_clashing_libraries_run_side_by_side(tmp_path: Path) -> None:
    site = Site(tmp_path, CLASHING)
    clashing_plugin(tmp_path / "one", "one", "1.0")
    clashing_plugin(tmp_path / "two", "two", "2.0", environment="env")
    try:
        client = await site.start()
        seen = {}
        for tag in ("one/version", "one/home", "two/version", "two/home"):
            seen[tag] = await until(lambda tag=tag: current(client, tag))  # type: ignore[misc]
        assert seen == {
            "one/version": "1.0",
            "one/home": str(tmp_path / "one" / ".venv"),
            "two/version": "2.0",
            "two/home": str(tmp_path / "two" / "env"),
        }
    finally:
        await site.stop()


def node_folder(folder: Path) -> Path:
    """The plugin that was made from protos/ alone, as a plugin folder."""
    folder.mkdir()
    shutil.copy(STRANGERS / "plugin.js", folder)
    needs = node_command()[2:]  # protos, and the libraries of the peers
    words, files = json.dumps(["node", "plugin.js", *needs]), [f"read:{path}" for path in needs]
    (folder / "bedplate-plugin.toml").write_text(
        'manifest = 1\nname = "stranger"\nversion = "1.0.0"\nrequires_api = ">=1,<2"\n'
        f'[run]\ncommand = {words}\n[[offer]]\nuse = "values"\nkind = "connector"\n'
        f'capabilities = ["read"]\n[permissions]\nfiles = {json.dumps(files)}\n'
    )
    offer = {"kind": "connector", "capabilities": ["read"], "address": {"type": "string"}}
    offers = {"values": {**offer, "settings": {"type": "object", "properties": {}}}}
    (folder / "config.schema.json").write_text(json.dumps({"offers": offers}))
    return folder


MIXED = f"""{HEAD}
plugins: {{folders: [own]}}
connectors:
  js: {{use: values, tags: {{a: {{address: "1.5"}}}}}}
  own: {{use: own, tags: {{version: {ROWS}}}}}
  rig: {{use: counter, tags: {{n: {{}}}}}}
"""


async def test_a_plugin_in_another_language_runs_beside_python_ones(tmp_path: Path) -> None:
    folder = node_folder(tmp_path / "values")
    clashing_plugin(tmp_path / "own", "own", "2.0")
    async with Program(tmp_path, MIXED, plugins=[folder, RIGS]) as program:
        await program.start()
        async with connect_async(program.address) as client:
            assert await until(lambda: current(client, "js/a")) == 1.5
            assert await until(lambda: current(client, "own/version")) == "2.0"
            assert await until(lambda: current(client, "rig/n")) > 0
        assert await program.stop() == 0


def test_a_plugin_in_another_language_is_read_without_a_deployment_file(tmp_path: Path) -> None:
    folder = node_folder(tmp_path / "values")
    words = [BEDPLATE, "read", "values", "1.5", "missing", "--plugin", folder, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert [(row["address"], row["value"]) for row in json.loads(done.stdout)] == [
        ("1.5", 1.5),
        ("missing", None),
    ], done.stderr


GROUPED = f"""{HEAD}
types:
  press:
    parameters: {{line: required}}
    use: counter
    process: $line
    path: $line/$name
    tags: {{n: {{}}}}
connectors:
  presses:
    type: press
    each: {{p1: {{line: north}}, p2: {{line: north}}, p3: {{line: south}}}}
  near: {{use: counter, placement: inline, process: north, tags: {{n: {{}}}}}}
analytics:
  sums: {{use: sums, for: near, of: n, process: north}}
"""


async def test_components_of_a_line_share_a_process_and_die_alone(tmp_path: Path) -> None:
    site = Site(tmp_path, GROUPED, plugins=[RIGS])
    try:
        client = await site.start()
        await until(site.all_up)
        status = await client.status()
        where = {c.id: (c.placement, c.process) for c in status.components}
        assert where == {
            **dict.fromkeys(("p1", "p2"), ("process", "north")),
            "p3": ("process", "south"),
            "near": ("inline", "north (connector)"),
            "sums": ("process", "north (analytic)"),
        }
        north = [p for p in status.processes if p.name == "north" and "p1" in p.components]
        assert sorted(north[0].components) == ["p1", "p2"]
        south = (await processes(client))["south"]

        os.kill(north[0].pid, signal.SIGKILL)
        await until(lambda: restarted(site, "p1"))
        await until(site.all_up)
        assert [(await site.component(one)).restarts for one in ("p2", "p3", "near", "sums")] == [
            1,
            0,
            0,
            0,
        ]
        assert (await processes(client))["south"] == south
    finally:
        await site.stop()


async def restarted(site: Site, component: str) -> bool:
    return bool((await site.component(component)).restarts)


def refused(folder: Path, text: str) -> list[str]:
    site = Site(folder, text, plugins=[RIGS])
    with pytest.raises(ConfigError) as wrong:
        prepare(site.file, [RIGS])
    return [str(problem).removeprefix(f"{folder}/") for problem in wrong.value.problems]


def test_two_plugins_with_one_process_name_are_refused_at_their_line(tmp_path: Path) -> None:
    clashing_plugin(tmp_path / "one", "one", "1.0")
    text = f"""{HEAD}
plugins: {{folders: [one]}}
connectors:
  a: {{use: counter, process: line1}}
  b: {{use: one, process: line1}}
"""
    assert refused(tmp_path, text) == [
        "plant.yaml:8  connectors.b.process: `line1` is the process of rigs.py (a, line 7), and one process holds one "
        "plugin; give one another name"
    ]


def test_what_has_its_own_environment_or_language_is_refused_inline(tmp_path: Path) -> None:
    clashing_plugin(tmp_path / "one", "one", "1.0")
    node_folder(tmp_path / "values")
    text = f"""{HEAD}
plugins: {{folders: [one, values]}}
connectors:
  a: {{use: one, placement: inline}}
  b:
    use: values
    placement: inline
"""
    assert refused(tmp_path, text) == [
        "plant.yaml:7  connectors.a.placement: one has a Python environment of its own, so it can't run inside the "
        "kernel; write placement: process",
        "plant.yaml:10  connectors.b.placement: stranger is no Python plugin, so it can't run inside the kernel; "
        "write placement: process",
    ]


NAMESAKES = f"""{HEAD}
plugins: {{folders: [one, two]}}
connectors:
  one: {{use: one, placement: PLACE, tags: {{n: {{address: number}}}}}}
  two: {{use: two, placement: PLACE, tags: {{n: {{address: number}}}}}}
"""
NUMBER = """
from bedplate import Connector


class Number(Connector):
    def read(self, tags):
        return [NUMBER for _ in tags]
"""


def number_folder(folder: Path, name: str, number: int) -> None:
    """A Python plugin without an environment of its own; its module has the name of the other's."""
    folder.mkdir()
    (folder / "number.py").write_text(NUMBER.replace("NUMBER", str(number)))
    manifest = MANIFEST.replace("NAME", name).replace("versions:Versions", "number:Number")
    (folder / "bedplate-plugin.toml").write_text(manifest)
    (folder / "config.schema.json").write_text(
        SCHEMA.replace("NAME", name).replace("python", "number")
    )


async def test_plugins_whose_modules_are_namesakes_live_apart_and_not_inline(
    tmp_path: Path,
) -> None:
    number_folder(tmp_path / "one", "one", 1)
    number_folder(tmp_path / "two", "two", 2)
    site = Site(tmp_path, NAMESAKES)
    try:
        client = await site.start()
        assert await until(lambda: current(client, "one/n")) == 1
        assert await until(lambda: current(client, "two/n")) == 2
    finally:
        await site.stop()

    site = Site(tmp_path, NAMESAKES, placement="inline")
    try:
        await site.start()
        states = {one: await until(lambda one=one: settled(site, one)) for one in ("one", "two")}
        assert sorted(state for state, _ in states.values()) == ["faulted", "up"]
        [why] = [reason for state, reason in states.values() if state == "faulted"]
        assert "ImportError: number is also the name of" in why
        assert why.endswith("number.py; rename it")
    finally:
        await site.stop()


async def settled(site: Site, component: str) -> tuple[str, str] | None:
    one = await site.component(component)
    return (one.state, one.reason) if one.state in {"up", "faulted"} else None
