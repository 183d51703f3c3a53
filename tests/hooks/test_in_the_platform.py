"""A plugin with hooks in a running platform: what it hears, and that only the operator's word makes it heard."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.admission.site import SCHEMA, Site, manifest

from bedplate import connect
from bedplate.endpoints import find
from bedplate.server.platform import Platform, prepare

PLUGIN = """
from bedplate import Connector
from bedplate.hookspecs import hookimpl
class Acme(Connector):
    def read(self, tags): return [1.0 for tag in tags]
def note(*words):
    with open({file!r}, "a") as out: print(*words, file=out)
@hookimpl
def bedplate_status_changed(component, state, reason, at): note("status", component, state, at > 0)
@hookimpl
def bedplate_audit_written(record): note("audit", record["action"], record["verdict"])
@hookimpl
def bedplate_shutdown(reason): note("shutdown", reason)
"""


@pytest.mark.parametrize("placement", ["inline", "process"])
async def test_hooks_hear_when_their_plugin_is_placed_inline_and_only_then(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, placement: str
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    heard = tmp_path / "heard"
    name = f"acme-{placement}"
    module = name.replace("-", "_")
    points = f"[bedplate.plugins]\nacme = {module}:Acme\n[bedplate.hooks]\nacme = {module}\n"
    code = PLUGIN.format(file=str(heard))
    schema = {"acme": SCHEMA | {"settings": {"type": "object"}, "address": {}}}
    site.install(name, manifest=manifest(), schema=schema, points=points, code=code)
    file = tmp_path / "plant.yaml"
    file.write_text(
        "bedplate: 1\nname: plant\nconnectors:\n"
        f"  press: {{use: acme, placement: {placement}, tags: {{force: {{}}}}}}\n"
    )
    platform = Platform(prepare(file))
    await platform.start("127.0.0.1:0")
    try:
        with connect(find().address) as client:
            await asyncio.to_thread(client.status)
    finally:
        await platform.stop()
    lines = heard.read_text().splitlines() if heard.exists() else []
    if placement == "process":
        assert lines == []
        return
    assert lines[0] == "status press starting True"
    assert "audit admin.status allowed" in lines
    assert lines[-1] == "shutdown the kernel stops"
