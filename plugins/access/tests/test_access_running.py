"""The module under a running Bedplate, in a process of its own, with the commands that people type."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from plugins.access.tests.driving import GOOD

import bedplate
from bedplate.cli.group import root
from bedplate.endpoints import Endpoint, find
from bedplate.errors import CallError
from bedplate.server.platform import Platform, prepare

PLANT = """bedplate: 1
name: plant
path: acme/line1
security:
  access: {use: access, roles: {bp-operators: operator}%s}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BEDPLATE_TOKEN", raising=False)


@asynccontextmanager
async def plant(
    folder: Path, more: str = ""
) -> AsyncIterator[tuple[Platform, Endpoint, list[str]]]:
    file = folder / "plant.yaml"
    file.write_text(PLANT % more)
    said: list[str] = []
    running = Platform(prepare(file), noted=said.append)
    await running.start("127.0.0.1:0")
    try:
        async with asyncio.timeout(30):
            while running.kernel.components["access"].life.state != "up":
                await asyncio.sleep(0.02)
        yield running, find(), said
    finally:
        await running.stop()


async def typed(folder: Path, *words: str, sent: str = "", token: str = "") -> str:
    """The output of a command, or its error."""

    def run() -> str:
        environment = {"BEDPLATE_TOKEN": token} if token else {}
        result = CliRunner(env=environment).invoke(root, ["access", *words], input=sent)
        return result.output if result.exception is None else f"refused: {result.exception}"

    return await asyncio.to_thread(run)


async def known(address: str, token: str) -> str:
    async with bedplate.connect_async(address, token) as client:
        try:
            return (await client.whoami()).id
        except CallError as error:
            return error.code


@pytest.mark.case("A06")
async def test_from_the_first_token_to_somebody_who_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First start, a user, a login, what it may, disabled: refused within a second, each of it in the audit log."""
    monkeypatch.chdir(tmp_path)
    async with plant(tmp_path) as (_, endpoint, said):
        first = (tmp_path / "data/access/bootstrap-token").read_text().strip()
        assert await known(endpoint.address, first) == "bootstrap"
        assert [line for line in said if "bootstrap-token" in line]
        assert not [line for line in said if first in line]
        words = ("user", "add", "alice", "--role", "viewer", "--password-file", "-")
        assert "is known" in await typed(tmp_path, *words, sent=f"{GOOD}\n")
        async with asyncio.timeout(5):
            while not any("alice: added" in line for line in said):
                await asyncio.sleep(0.02)
        words = ("login", "alice", "--password-file", "-", "--print")
        login = (await typed(tmp_path, *words, sent=f"{GOOD}\n")).strip()
        assert login.startswith("bps_")
        who = json.loads(await typed(tmp_path, "whoami", "--json", token=login))
        assert (who["id"], who["roles"], who["method"]) == ("alice", ["viewer"], "password")
        async with bedplate.connect_async(endpoint.address, login) as client:
            assert (await client.status()).name == "plant"
        sessions = json.loads(await typed(tmp_path, "sessions", "--json"))
        assert {one["who"]["id"] for one in sessions} >= {"alice", "bootstrap"}
        began = asyncio.get_running_loop().time()
        assert "is disabled" in await typed(tmp_path, "user", "disable", "alice")
        while await known(endpoint.address, login) != "UNAUTHENTICATED":
            assert asyncio.get_running_loop().time() - began < 5
            await asyncio.sleep(0.02)
    audit = [
        json.loads(line)
        for file in (tmp_path / "data/audit").glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    changed = [one["text"] for one in audit if one["action"] == "access.changed"]
    by = [text.partition(" (by ")[0] for text in changed]
    assert "alice: added, viewer" in by
    assert "alice: disabled" in by
    assert not any(secret in line for line in map(str, audit) for secret in (GOOD, login, first))


@pytest.mark.case("A08")
async def test_a_store_that_others_may_read_lets_nobody_in_and_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await typed(tmp_path, "init", "--folder", "data/access")
    store = tmp_path / "data/access/access.sqlite"
    first = (tmp_path / "data/access/bootstrap-token").read_text().strip()
    store.chmod(0o644)
    file = tmp_path / "plant.yaml"
    file.write_text(PLANT % ", placement: inline")
    running = Platform(prepare(file))
    await running.start("127.0.0.1:0")
    try:
        address, component = find().address, running.kernel.components["access"]
        async with asyncio.timeout(20):
            while component.life.state != "unreachable":
                await asyncio.sleep(0.02)
        assert f"chmod 600 {store}" in component.life.reason
        assert await known(address, first) != "bootstrap"
        store.chmod(0o600)
        async with asyncio.timeout(20):
            while await known(address, first) != "bootstrap":
                await asyncio.sleep(0.05)
    finally:
        await running.stop()


WAVE = """import time
from bedplate import Connector


class Wave(Connector):
    def read(self, tags):
        return [time.time() for tag in tags]
"""
SERVED = """bedplate: 1
name: plant
api: {tls: tls}
security:
  access: {use: access, placement: inline}
scan_classes: {fast: 100ms}
connectors:
  oven: {use: wave, path: plant/oven, placement: inline, tags: {heat: {scan: fast}}}
"""


class Stream:
    """What a client gets of one tag, for as long as it gets anything."""

    def __init__(self, address: str, folder: Path) -> None:
        self.values, self.ended = 0, ""
        self._client = bedplate.connect_async(address, ca=folder / "ca.pem", cert=_pair(folder))
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            async for _ in self._client.subscribe("**"):
                self.values += 1
        except CallError as error:
            self.ended = error.code

    async def goes_on(self) -> None:
        before = self.values
        async with asyncio.timeout(10):
            while self.values < before + 3 and not self.ended:
                await asyncio.sleep(0.02)
        assert not self.ended

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._client.close()


def _pair(folder: Path) -> tuple[Path, Path]:
    return folder / "cert.pem", folder / "key.pem"


async def greeted(address: str, folder: Path) -> str:
    """Whom a new connection with these files is taken for."""
    async with bedplate.connect_async(address, ca=folder / "ca.pem", cert=_pair(folder)) as client:
        try:
            return (await client.whoami()).id
        except CallError as error:
            return error.code


async def listed(address: str, folder: Path) -> str:
    """The tags that a client with these files sees, or why none."""
    async with bedplate.connect_async(address, ca=folder / "ca.pem", cert=_pair(folder)) as client:
        try:
            return " ".join(entry.path for entry in await client.tags())
        except CallError as error:
            return error.code


@pytest.mark.case("A03", "A09")
async def test_certificates_are_renewed_and_the_ca_is_rotated_without_dropping_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without a role may ask who it is and no more; the one that is revoked is cut within five seconds, alone."""
    monkeypatch.chdir(tmp_path)
    await typed(tmp_path, "init", "--folder", "data/access")
    await typed(tmp_path, "cert", "init", "--host", "127.0.0.1", "--out", "tls")
    for name in ("press", "mes"):
        await typed(tmp_path, "cert", "issue", name, "--role", "viewer", "--out", name)
    (tmp_path / "wave.py").write_text(WAVE)
    (tmp_path / "plant.yaml").write_text(SERVED)
    running = Platform(prepare(tmp_path / "plant.yaml", [tmp_path / "wave.py"]))
    address = await running.start("127.0.0.1:0")
    streams: list[Stream] = []
    try:
        async with asyncio.timeout(20):
            while await greeted(address, tmp_path / "mes") != "mes":
                await asyncio.sleep(0.05)
        await typed(tmp_path, "user", "add", "guest", "--no-password")
        await typed(tmp_path, "cert", "issue", "guest", "--out", "guest")
        async with asyncio.timeout(5):
            while await greeted(address, tmp_path / "guest") != "guest":
                await asyncio.sleep(0.1)
        assert await listed(address, tmp_path / "guest") == "PERMISSION_DENIED"
        assert await listed(address, tmp_path / "mes") == "plant/oven/heat"
        streams = [Stream(address, tmp_path / name) for name in ("press", "mes")]
        shutil.copytree(tmp_path / "press", tmp_path / "press-before")
        for words in (("renew", "tls"), ("renew", "press"), ("rotate", "tls"), ("renew", "tls")):
            told = await typed(tmp_path, "cert", *words)
            assert "refused" not in told
            for stream in streams:
                await stream.goes_on()
        await typed(tmp_path, "cert", "renew", "press")
        for folder in ("press", "press-before", "mes"):
            async with asyncio.timeout(5):
                while await greeted(address, tmp_path / folder) != folder.partition("-")[0]:
                    await asyncio.sleep(0.1)
        await logs_in_and_out(tmp_path, address, monkeypatch)
        await typed(tmp_path, "cert", "revoke", "mes/cert.pem")
        async with asyncio.timeout(5):
            while not streams[1].ended:
                await asyncio.sleep(0.02)
        assert await greeted(address, tmp_path / "mes") == "UNAUTHENTICATED"
        await streams[0].goes_on()
    finally:
        for stream in streams:
            await stream.close()
        await running.stop()


async def logs_in_and_out(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As somebody on another machine, who knows nothing but the CA."""
    words = ("user", "add", "alice", "--role", "viewer", "--password-file", "-")
    await typed(folder, *words, sent=f"{GOOD}\n")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("BEDPLATE_HOME", str(folder / "elsewhere"))
        elsewhere.setenv("BEDPLATE_ENDPOINT", address)
        await asyncio.sleep(1)  # that the module may take to know of her
        words = ("login", "alice", "--ca", "tls/ca.pem", "--password-file", "-")
        assert "knows you as alice" in await typed(folder, *words, sent=f"{GOOD}\n")
        (kept,) = (folder / "elsewhere/remembered").iterdir()
        assert oct(kept.stat().st_mode & 0o777) == "0o600"
        assert json.loads(await typed(folder, "whoami", "--json"))["id"] == "alice"
        assert "is forgotten" in await typed(folder, "logout")
        assert "refused" in await typed(folder, "whoami")


def test_the_folder_is_found_from_where_the_deployment_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plant").mkdir()
    monkeypatch.chdir(tmp_path / "plant")
    runner = CliRunner()
    said = runner.invoke(root, ["access", "init"])
    assert "--file FILE or --folder FOLDER" in str(said.exception)
    Path("plant.yaml").write_text(PLANT % ", folder: kept/people")
    assert runner.invoke(root, ["access", "init"]).exception is None
    assert sorted(os.listdir("kept/people")) == ["access.sqlite", "bootstrap-token"]
    monkeypatch.chdir(tmp_path)
    listed = runner.invoke(root, ["access", "user", "list", "--file", "plant/plant.yaml", "--json"])
    assert [one["name"] for one in json.loads(listed.output)] == ["bootstrap"]
