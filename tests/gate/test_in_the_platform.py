"""The gate in a running platform: a security module that denies everything, in either placement, alive and dead."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gate.rig import asked

from bedplate import connect, connect_async
from bedplate.endpoints import Endpoint, find
from bedplate.errors import CallError
from bedplate.server.platform import Platform, prepare

DENY = '''from bedplate import Decision, SecurityModule, Verdict


class DenyAll(SecurityModule):
    """Says no."""

    def authorize(self, subject, checks):
        return [Decision(Verdict.DENY, "closed today") for check in checks]
'''


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))


@asynccontextmanager
async def platform(
    folder: Path, module: str, placement: str
) -> AsyncIterator[tuple[Platform, Endpoint]]:
    (folder / "deny.py").write_text(module)
    file = folder / "plant.yaml"
    file.write_text(
        f"bedplate: 1\nname: plant\nsecurity:\n  guard: {{use: deny-all, placement: {placement}}}\n"
    )
    running = Platform(prepare(file, [folder / "deny.py"]))
    await running.start("127.0.0.1:0")
    try:
        yield running, find()
    finally:
        await running.stop()


async def status(endpoint: str, token: str) -> str:
    """Name of the deployment, or the code of the refusal."""
    with connect(endpoint, token) as client:
        try:
            return str((await asyncio.to_thread(client.status)).name)
        except CallError as error:
            return error.code


async def up(running: Platform) -> None:
    async with asyncio.timeout(20):
        while running.kernel.components["guard"].life.state != "up":
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("placement", ["process", "inline"])
async def test_a_module_that_denies_all_is_obeyed_and_locks_nobody_out_of_the_machine(
    tmp_path: Path, placement: str
) -> None:
    async with platform(tmp_path, DENY, placement) as (running, endpoint):
        await up(running)
        assert await status(endpoint.address, endpoint.token) == "PERMISSION_DENIED"
        assert await status(f"unix:{endpoint.socket}", "") == "plant"
        assert await status(endpoint.address, "wrong") == "UNAUTHENTICATED"
    told = [
        (line["who"], line["verdict"], line["rule"]) for line in asked(tmp_path / "data" / "audit")
    ]
    assert told == [
        ("local-token", "refused", "guard: denied: closed today"),
        ("local-socket", "allowed", ""),
        ("", "refused", "kernel: unknown credential"),
    ]


async def test_who_is_denied_the_administration_is_told_of_the_way_past_every_module(
    tmp_path: Path,
) -> None:
    async with platform(tmp_path, DENY, "inline") as (running, endpoint):
        await up(running)
        async with connect_async(endpoint.address, endpoint.token) as client:
            with pytest.raises(CallError, match=f"--endpoint unix:{endpoint.socket}$"):
                await client.status()
            with pytest.raises(CallError) as live:
                await client.current("**")
    assert "unix:" not in str(live.value)


async def test_a_module_that_was_killed_denies_until_it_is_back(tmp_path: Path) -> None:
    allow = DENY.replace("Verdict.DENY", "Verdict.ALLOW")
    async with platform(tmp_path, allow, "process") as (running, endpoint):
        await up(running)
        assert await status(endpoint.address, endpoint.token) == "plant"
        (place,) = running.kernel.places.values()
        assert place.run is not None
        os.kill(place.run.pid, signal.SIGSTOP)
        began = asyncio.get_running_loop().time()
        assert await status(endpoint.address, endpoint.token) == "PERMISSION_DENIED"
        assert asyncio.get_running_loop().time() - began < 2
        os.kill(place.run.pid, signal.SIGKILL)
        told = await told_until_up(endpoint)
    assert "UNAVAILABLE" in told
    assert told[-1] == "plant"


async def told_until_up(endpoint: Endpoint) -> list[str]:
    """Every answer from now on until somebody is let in."""
    told: list[str] = []
    async with asyncio.timeout(30):
        while told[-1:] != ["plant"]:
            told.append(await status(endpoint.address, endpoint.token))
            await asyncio.sleep(0.05)
    return told


async def test_who_comes_back_at_once_is_told_to_try_again_and_is_not_let_in(
    tmp_path: Path,
) -> None:
    """The API serves before its modules are up."""
    allow = DENY.replace("Verdict.DENY", "Verdict.ALLOW")
    async with platform(tmp_path, allow, "process") as (_, endpoint):
        told = await told_until_up(endpoint)
    assert set(told) == {"UNAVAILABLE", "plant"}


async def test_a_module_that_has_failed_for_longer_is_a_denial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.guards.STARTS_WITHIN", 1.0)
    broken = DENY + "\n    def open(self):\n        raise ConnectionError('no directory')\n"
    async with platform(tmp_path, broken, "inline") as (_, endpoint):
        told: list[str] = []
        async with asyncio.timeout(30):
            while told[-1:] != ["PERMISSION_DENIED"]:
                told.append(await status(endpoint.address, endpoint.token))
                await asyncio.sleep(0.05)
    assert set(told) <= {"UNAVAILABLE", "PERMISSION_DENIED"}


@pytest.mark.case("A01")
async def test_every_method_refuses_who_brings_no_token(tmp_path: Path) -> None:
    import grpc.aio

    from bedplate.api.v1 import api_pb2

    services = api_pb2.DESCRIPTOR.services_by_name.values()
    methods = [f"/{service.full_name}/{m.name}" for service in services for m in service.methods]
    async with (
        platform(tmp_path, DENY, "inline") as (_, endpoint),
        grpc.aio.insecure_channel(endpoint.address) as channel,
    ):
        again = 0
        for method in methods:
            refused = await code_of(channel, method)
            while (
                refused is grpc.StatusCode.INTERNAL
            ):  # grpc.aio's, for a write into what has been answered
                refused = await code_of(channel, method)
                again += 1
            assert refused is grpc.StatusCode.UNAUTHENTICATED, method
    told = [line["rule"] for line in asked(tmp_path / "data" / "audit")]
    assert told == ["kernel: no credential"] * (len(methods) + again)


async def code_of(channel: Any, method: str) -> Any:
    """How a call with an empty message ends."""
    import grpc.aio

    call = channel.stream_stream(method)(iter([b""]))
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call.read()
    internal = error.value.code() is grpc.StatusCode.INTERNAL
    assert not internal or error.value.details() == "Internal error from Core"
    return error.value.code()
