"""WhoAmI, Login and ListSessions, and how much one identity may have open at once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import grpc
import grpc.aio
import pytest
from tests.door.rig import fingerprint, plant, until
from tests.remote.certificates import Authority

import bedplate
from bedplate.api.v1 import access_pb2, api_pb2
from bedplate.errors import CallError
from bedplate.server.access import Tries
from bedplate.server.sessions import STREAMS

SUBSCRIBERS = 100


@pytest.mark.case("A03")
async def test_an_identity_without_roles_may_ask_who_it_is_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path) as running:
        running.know(who={"t": {"id": "tina", "roles": []}})
        metadata = (("authorization", "Bearer t"),)
        services = api_pb2.DESCRIPTOR.services_by_name.values()
        methods = [(s.full_name, m.name) for s in services for m in s.methods]
        told: dict[str, str] = {}
        async with grpc.aio.insecure_channel(running.address) as channel:
            for service, name in methods:
                call = channel.stream_stream(f"/{service}/{name}")(iter([b""]), metadata=metadata)
                try:
                    await call.read()
                    told[name] = "OK"
                except grpc.aio.AioRpcError as error:
                    told[name] = error.code().name
        assert told.pop("WhoAmI") == "OK"
        assert told.pop("Login") == "UNAUTHENTICATED"
        told.pop("CheckAccess")
        told.pop("Subscribe", None)  # it is asked after its first message
        assert set(told.values()) == {"PERMISSION_DENIED"}, told
        async with bedplate.connect_async(running.address, "t") as client:
            with pytest.raises(CallError) as denied:
                await anext(client.subscribe("**"))
            assert denied.value.code == "PERMISSION_DENIED"


@pytest.mark.case("A05")
async def test_a_token_shown_beside_another_certificate_is_no_token(tmp_path: Path) -> None:
    authority = Authority()
    tls = authority.kernel(tmp_path / "tls")
    vera, mallory = (authority.place(tmp_path / name, "x") for name in ("vera", "mallory"))
    ca = tls / "ca.pem"
    async with plant(tmp_path, tls=tls) as running:
        running.know(who={"t": {"id": "vera", "bound": fingerprint(vera)}})
        for files, known in ((vera, True), (mallory, False), (None, False), (vera, True)):
            cert = (files / "cert.pem", files / "key.pem") if files else None
            async with bedplate.connect_async(running.address, "t", ca=ca, cert=cert) as client:
                if known:
                    assert (await client.whoami()).id == "vera"
                else:
                    with pytest.raises(CallError) as refused:
                        await client.whoami()
                    assert refused.value.code == "UNAUTHENTICATED"


async def test_a_password_gets_a_token_and_a_wrong_one_always_the_same_words(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path) as running:
        running.know(who={"token-of-tina": {"id": "tina"}}, passwords={"tina": "right"})
        async with bedplate.connect_async(running.address, "") as client:
            login = await client.login("tina", "right")
            assert (login.who.id, "token-of-tina" in repr(login)) == ("tina", False)
            told = set()
            for name, password in (
                ("tina", "wrong"),
                ("nobody", "right"),
                ("", ""),
                ("x" * 9999, "y"),
            ):
                began = time.monotonic()
                with pytest.raises(CallError) as refused:
                    await client.login(name, password)
                assert time.monotonic() - began >= 0.1
                told.add((refused.value.code, str(refused.value)))
            assert len(told) == 1
            assert next(iter(told))[0] == "UNAUTHENTICATED"
            with pytest.raises(CallError, match="too many tries") as refused:
                await client.login("tina", "right")
            assert refused.value.code == "RESOURCE_EXHAUSTED"
        async with bedplate.connect_async(running.address, login.token) as client:
            assert (await client.whoami()).id == "tina"


def test_five_tries_at_once_and_one_a_second_for_each_address() -> None:
    now = [100.0]
    tries = Tries(lambda: now[0])
    assert [tries.take("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert tries.take("b")
    now[0] += 1.0
    assert [tries.take("a") for _ in range(2)] == [True, False]
    now[0] += 100.0
    assert [tries.take("a") for _ in range(6)] == [True] * 5 + [False]
    for number in range(10_000):
        tries.take(str(number))
    assert len(tries._paid) <= 4096


async def test_sessions_tell_who_has_what_open(tmp_path: Path) -> None:
    async with plant(tmp_path) as running:
        running.know(who={"t": {"id": "tina"}, "u": {"id": "tina"}})
        async with (
            bedplate.connect_async(running.address, "t") as one,
            bedplate.connect_async(running.address, "u") as other,
            bedplate.connect_async() as here,
        ):
            updates = one.subscribe("**")
            await anext(updates)
            await other.tags()
            await other.tags()
            found = {(s.who.id, s.who.credential): s for s in await here.sessions()}
            assert found["tina", "t"].streams == 1
            assert (found["tina", "u"].streams, found["tina", "u"].calls) == (0, 2)
            assert found["tina", "u"].since < found["tina", "u"].last
            updates.close()
            async with asyncio.timeout(5):
                while True:
                    now = {s.who.credential: s.streams for s in await here.sessions()}
                    if now["t"] == 0:
                        break
            with pytest.raises(CallError) as denied:
                await one.sessions()
            assert denied.value.code == "PERMISSION_DENIED"


@pytest.mark.case("A35")
async def test_an_identity_has_so_many_streams_and_its_calls_are_served_beside_them(
    tmp_path: Path,
) -> None:
    """A hundred subscribers that never read."""
    async with plant(tmp_path) as running:
        running.know(who={"t": {"id": "tina"}, "u": {"id": "tina"}, "v": {"id": "vera"}})
        clients = [bedplate.connect_async(running.address, token) for token in "tu"]
        try:
            streams = [clients[n % 2].subscribe("**") for n in range(STREAMS)]
            for stream in streams:
                await anext(stream)
            for n in range(SUBSCRIBERS - STREAMS):
                with pytest.raises(CallError, match="has 16 streams open at once") as refused:
                    await anext(clients[n % 2].subscribe("**"))
                assert refused.value.code == "RESOURCE_EXHAUSTED"
            took = []
            for client in clients:
                began = time.monotonic()
                await client.tags()
                took.append(time.monotonic() - began)
            print(f"a call beside {STREAMS} streams: {max(took) * 1000:.0f} ms")
            assert max(took) < 1
            async with bedplate.connect_async(running.address, "v") as vera:
                await anext(vera.subscribe("**"))
            streams[0].close()
            api = running.platform.api
            assert api
            await until(lambda: api.sessions.streams < STREAMS)
            await anext(clients[0].subscribe("**"))
        finally:
            for client in clients:
                await client.close()


@pytest.mark.case("A01")
async def test_nobody_gets_an_answer_without_a_credential(tmp_path: Path) -> None:
    """By the network. Login answers so to an empty name; no method does anything else."""
    async with plant(tmp_path) as running, grpc.aio.insecure_channel(running.address) as channel:
        login = channel.unary_unary("/bedplate.api.v1.Access/Login")
        for request in (
            access_pb2.LoginRequest(),
            access_pb2.LoginRequest(name="tina"),
            access_pb2.LoginRequest(password="x"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await login(request.SerializeToString())
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        who = channel.unary_unary("/bedplate.api.v1.Access/WhoAmI")
        for shown in ("", "Bearer", "Bearer ", "Basic dDp0", "t", "bearer wrong"):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await who(b"", metadata=(("authorization", shown),))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
