"""What `bedplate attach` starts is confined as the kernel confines its own, though its settings are elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.admission.folders import plugin_folder
from tests.admission.site import SCHEMA
from tests.isolation.confining import confined
from tests.remote.certificates import Authority
from tests.runtime.plant import RIGS, until, value

from bedplate.admission.folder import of_folder
from bedplate.clock import SystemClock
from bedplate.journal.memory import MemoryEngine
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.unsettled import Unsettled
from bedplate.server.platform import prepare

__all__ = ["confined"]
BEDPLATE = Path(sys.executable).with_name("bedplate")
SETTINGS = {
    name: {"type": "string", "description": name} for name in ("host", "folder", "outside", "none")
}
SETTINGS |= {
    "port": {"type": "integer", "default": 502, "description": "port"},
    "kept": {"type": "string", "default": "kept", "description": "kept"},
}
SCHEMAS = {"tries": SCHEMA | {"settings": {"type": "object", "properties": SETTINGS}}}
MANIFEST = """
manifest = 1
name = "tries"
version = "1.0"
requires_api = ">=1,<2"
[[offer]]
use = "tries"
kind = "connector"
class = "tries:Tries"
capabilities = ["read"]
[permissions]
network = ["tcp:$host:$port"]
files = ["$folder", "$kept"]
"""
CODE = '''
import json, os, subprocess
from pathlib import Path

from bedplate import Connector


def outcome(what):
    try:
        what()
    except OSError as error:
        return error.strerror
    return "done"


class Tries(Connector):
    """What becomes of three attempts."""

    from pydantic import BaseModel

    class Config(BaseModel):
        host: str = ""
        port: int = 502
        folder: str = ""
        kept: str = "kept"
        outside: str = ""

    def read(self, tags):
        told = {
            "inside": outcome(lambda: (Path(self.config.folder) / "x").write_text("x")),
            "outside": outcome(lambda: (Path(self.config.outside) / "x").write_text("x")),
            "passwd": outcome(lambda: Path("/etc/shadow").read_bytes()),
            "program": outcome(lambda: subprocess.run(["/bin/true"])),
        }
        return [json.dumps(told) for _ in tags]
'''


def shipped(folder: Path) -> Path:
    return plugin_folder(folder, MANIFEST, SCHEMAS, tries__py=CODE)


@asynccontextmanager
async def attached(*words: str, cwd: Path) -> AsyncIterator[list[str]]:
    """The command, and what it says."""
    process = await asyncio.create_subprocess_exec(
        str(BEDPLATE), "attach", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=cwd,
        env=os.environ | {"BEDPLATE_HOME": str(cwd / "home")},
    )  # fmt: skip
    said: list[str] = []

    async def listen() -> None:
        assert process.stdout
        async for line in process.stdout:
            said.append(line.decode().strip())
        said.append(f"exit code {await process.wait()}")

    listening = asyncio.create_task(listen())
    try:
        yield said
    finally:
        if process.returncode is None:
            process.terminate()
        await listening


@pytest.mark.usefixtures("confined")
async def test_a_plugin_elsewhere_does_what_its_manifest_says_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    folder, authority = shipped(tmp_path / "shipped" / "tries"), Authority()
    inside, outside, there = (tmp_path / name for name in ("inside", "outside", "there"))
    for place in (inside, outside, there):
        place.mkdir()
    plan: dict[str, Any] = {
        "bedplate": 1,
        "name": "plant",
        "plugins": {
            "folders": [str(folder)],
            "listen": "127.0.0.1:0",
            "tls": str(authority.kernel(tmp_path / "tls" / "kernel")),
        },
        "connectors": {
            "t": {
                "use": "tries",
                "placement": "remote",
                "folder": str(inside),
                "outside": str(outside),
                "tags": {"told": {"address": "x"}},
            }
        },
    }
    (tmp_path / "plant.yaml").write_text(json.dumps(plan))
    prepared = prepare(tmp_path / "plant.yaml")
    kernel = Kernel(
        prepared.deployment,
        prepared.admission.offers,
        MemoryEngine(clock=SystemClock()),
        linger=0.02,
    )
    tls = authority.place(tmp_path / "tls" / "place", "tries")
    try:
        await kernel.start()
        words = [kernel.remote_address, "--tls", str(tls), "--plugin", str(folder)]
        words += ["--set", f"folder={inside}", "--min-isolation", "L2"]
        async with attached(*words, cwd=there) as said:
            told = json.loads(await until(lambda: value(kernel, "t/told"), within=40))
            heard = "\n".join(said)
    finally:
        await kernel.stop()

    assert told == {
        "inside": "done",
        "outside": "Permission denied",
        "passwd": "Permission denied",
        "program": told["program"],
    }
    assert told["program"] != "done"
    assert "runs at L2: own process, Landlock and seccomp" in heard
    assert "network tcp:$host:$port is tcp:*:*: --set host=… --set port=… narrows it" in heard
    assert said[-1] == "exit code 0"


async def test_below_the_least_isolation_nothing_is_started(tmp_path: Path) -> None:
    tls = Authority().place(tmp_path / "tls", "rigs")
    words = ["127.0.0.1:1", "--tls", str(tls), "--plugin", str(RIGS), "--min-isolation", "L2"]
    async with attached(*words, cwd=tmp_path) as said:
        await until(lambda: said and said[-1].startswith("exit code"))

    assert said[-1] == "exit code 1"
    assert "--min-isolation is L2" in "\n".join(said)


def test_what_is_not_known_here_is_any_address_and_no_file(tmp_path: Path) -> None:
    (candidate,) = of_folder(shipped(tmp_path / "tries"))
    (offer,) = candidate.offers

    def of(**settings: str) -> Unsettled:
        return Unsettled(settings, "plant:7444", (), tmp_path, tmp_path)

    nothing, some = of(), of(host="10.0.0.5", port="502", folder="/data/x")

    assert [str(a) for a in nothing.grant(offer).network] == ["tcp:*:any port"]
    assert nothing.grant(offer).writes == (tmp_path / "kept",)
    assert [*nothing.notes(offer)] == [
        "network tcp:$host:$port is tcp:*:*: --set host=… --set port=… narrows it",
        "files $folder is nothing: --set folder=… allows it",
    ]
    assert [str(a) for a in some.grant(offer).network] == ["tcp:10.0.0.5:502"]
    assert some.grant(offer).writes == (Path("/data/x"), tmp_path / "kept")
    assert not [*some.notes(offer)]
