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
    assert "status press starting True" in lines
    assert "audit admin.status allowed" in lines
    assert lines[-1] == "shutdown the kernel stops"


VAULT = """
from pathlib import Path
from bedplate import Connector
from bedplate.hookspecs import hookimpl
from pydantic import BaseModel, SecretStr
class Acme(Connector):
    class Config(BaseModel):
        password: SecretStr = SecretStr("")
    def open(self):
        with open({file!r}, "a") as out: print(self.component, self.config.password.get_secret_value(), file=out)
    def read(self, tags): return [1.0 for tag in tags]
@hookimpl
def bedplate_resolve_secret(reference):
    scheme, _, name = reference.partition(":")
    if scheme != "vault": return None
    if name == "sealed": raise PermissionError("the vault is sealed")
    if name == "number": return 1234
    return (Path({file!r}).parent / name).read_text()
"""


async def test_a_plugin_that_is_a_vault_is_asked_for_secrets_of_its_scheme(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    opened = tmp_path / "opened"
    (tmp_path / "press").write_text("from-the-vault")
    points = "[bedplate.plugins]\nacme = acme_vault:Acme\n[bedplate.hooks]\nacme = acme_vault\n"
    secret = {"type": "string", "writeOnly": True, "format": "password"}
    settings = {"type": "object", "properties": {"password": secret}}
    schema = {"acme": SCHEMA | {"settings": settings, "address": {}}}
    code = VAULT.format(file=str(opened))
    site.install("acme-vault", manifest=manifest(), schema=schema, points=points, code=code)
    names = {
        "press": "vault:press",
        "a": "vault:sealed",
        "b": "vault:number",
        "c": "safe:x",
    }
    lines = "".join(
        f'  {id_}: {{use: acme, placement: inline, password: {{secret: "{to}"}}, tags: {{force: {{}}}}}}\n'
        for id_, to in names.items()
    )
    file = tmp_path / "plant.yaml"
    file.write_text(f"bedplate: 1\nname: plant\nconnectors:\n{lines}")
    platform = Platform(prepare(file))
    await platform.start("127.0.0.1:0")
    try:
        components = platform.kernel.components
        async with asyncio.timeout(20):
            while not all(components[one].life.reason.startswith("secret") for one in "abc"):
                await asyncio.sleep(0.01)
            while str(components["press"].life.state) != "up":
                await asyncio.sleep(0.01)
        told = {one: components[one].life.reason.replace("acme-vault:acme: ", "") for one in "abc"}
    finally:
        await platform.stop()

    assert opened.read_text() == "press from-the-vault\n"
    assert told == {
        "a": "secret vault:sealed: PermissionError: the vault is sealed",
        "b": "secret vault:number: answered with what is no text",
        "c": "secret safe: no plugin knows it (bedplate_resolve_secret)",
    }
