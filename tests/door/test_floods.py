"""What a hostile peer may try, by sockets, frames of our own and node's http2; others are served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import gc
import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.counts import count
from tests.door import frames
from tests.door.rig import Plant, plant, until
from tests.door.served import served

import bedplate
from bedplate.listening.listener import Limits

ATTACK = Path(__file__).with_name("attack.mjs")
WHO = "/bedplate.api.v1.Access/WhoAmI"
PLAN = "/bedplate.api.v1.Admin/Plan"
MIB = 1 << 20
TIMES_OUT = {"grpc 4", "grpc 0", "grpc 13", "reset 8"}  # late, in time, or no duration at all


@asynccontextmanager
async def attacked(folder: Path) -> AsyncIterator[Plant]:
    """Tina is legitimate, and so is Mallory's token."""
    async with plant(folder) as running:
        running.know(
            who={"t": {"id": "tina"}, "m": {"id": "mallory", "roles": ["viewer", "engineer"]}}
        )
        yield running


async def node(address: str, what: str, times: int, token: str = "m") -> dict[str, Any]:
    if shutil.which("node") is None:
        assert not os.environ.get("CI"), "node is missing"
        pytest.skip("node is missing; .make/peers installs it")
    process = await asyncio.create_subprocess_exec(
        "node", str(ATTACK), address, what, str(times), token, stdout=subprocess.PIPE
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    found: dict[str, Any] = json.loads(out)
    return found


def memory() -> int:
    """Resident bytes, without what is free and only kept at hand by the allocator."""
    gc.collect()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def idle(address: str, many: int) -> Iterator[socket.socket]:
    host, _, port = address.rpartition(":")
    for _ in range(many):
        yield socket.create_connection((host, int(port)), timeout=5)


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError as error:
        return error.errno == errno.ECONNRESET


@pytest.mark.counted
@pytest.mark.case("A33")
async def test_sockets_that_say_nothing_or_drip_are_closed_and_others_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 s for a preface, and less where there is no time for that."""
    within = count(2, 5)
    monkeypatch.setattr("bedplate.server.api.Limits", partial(Limits, begins_within=within))
    async with attacked(tmp_path) as running:
        with ExitStack() as stack:
            many = count(400, 1000)
            began = time.monotonic()
            async with served(running.address, "t", f"{many} idle sockets, 20 that drip"):
                silent = []
                for connection in await asyncio.to_thread(
                    lambda: list(idle(running.address, many))
                ):
                    silent.append(stack.enter_context(connection))
                dripping = [stack.enter_context(one) for one in idle(running.address, 20)]
                for at in range(within + 1):
                    for connection in dripping:
                        with contextlib.suppress(OSError):
                            connection.send(frames.PREFACE[at : at + 1])
                    await asyncio.sleep(1)
                assert time.monotonic() - began < 30
            await until(lambda: all(map(is_closed, [*silent, *dripping])), 3)
            listener = running.platform.api.listener if running.platform.api else None
            assert listener
            assert listener.turned_away >= many
            assert listener.connections <= 4
            assert "that have not said who they are" in running.problems


@pytest.mark.counted
@pytest.mark.case("A34")
async def test_calls_opened_and_cancelled_at_once_cost_the_connection_and_nobody_else(
    tmp_path: Path,
) -> None:
    many = count(2000, 10_000)
    async with attacked(tmp_path) as running:
        async with served(running.address, "t", f"{many} calls opened and cancelled"):
            found = await node(running.address, "reset", many)
        print(f"of {found['ok']} streams; {found['refused']} connections lost")
        assert found["refused"] > 0
        assert "opens and cancels calls without end" in running.problems
        before = time.process_time()
        await asyncio.sleep(1)
        assert time.process_time() - before < 0.5
        api = running.platform.api
        assert api
        await until(lambda: api.sessions.streams == 0)


@pytest.mark.case("A35")
@pytest.mark.parametrize(
    ("path", "body"),
    [(WHO, False), ("/grpc.health.v1.Health/Watch", True)],
    ids=["begun", "health"],
)
async def test_calls_of_strangers_that_never_end_keep_nobody_out(
    tmp_path: Path, path: str, body: bool
) -> None:
    """Begun and never made; and watches of the health, which need no credential."""

    def opened(address: str, many: int) -> Iterator[socket.socket]:
        for _ in range(many):
            connection = frames.connect(address)
            for stream in range(1, 65, 2):
                end = frames.message(stream, b"") if body else b""
                connection.sendall(frames.call(stream, path, "x") + end)
            yield connection

    many = count(20, 60)
    async with attacked(tmp_path) as running:
        with ExitStack() as stack:
            async with served(running.address, "t", f"{many * 32} calls of strangers") as other:
                held = await asyncio.to_thread(lambda: [*opened(running.address, many)])
                for connection in held:
                    stack.enter_context(connection)
                begun = len(other.took)
                await until(lambda: len(other.took) > begun + 40)


@pytest.mark.case("A36")
async def test_a_flood_of_pings_is_answered_by_goaway(tmp_path: Path) -> None:
    async with attacked(tmp_path) as running:
        async with served(running.address, "t", "a flood of pings"):
            found = await node(running.address, "ping", 2000)
        assert any("too_many_pings" in one for one in found["goaway"]), found


@pytest.mark.case("A37")
async def test_what_is_not_served_is_said_not_to_be_and_leaves_no_trace(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Reflection and channelz among it."""
    async with attacked(tmp_path) as running:
        found = await node(running.address, "names", 0)
        assert found["codes"] == {"12": 6}
        for length, outcome in ((10_000, "grpc 12"), (60_000, "grpc 12"), (100_000, "closed")):
            name = "/no.such.Service/" + "N" * length
            assert await said(running.address, frames.call(1, name, "m")) == outcome
    assert "NNNN" not in "".join(capfd.readouterr())
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or b"NNNN" not in file.read_bytes(), file


async def said(address: str, opening: bytes) -> str:
    """How a call that begins so ends, with an empty message."""

    def talk() -> str:
        with frames.connect(address) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(opening + frames.message(1, b""))
            return frames.outcome(connection)

    return await asyncio.to_thread(talk)


@pytest.mark.case("A31")
async def test_more_metadata_than_anybody_needs_is_refused_however_it_is_coded(
    tmp_path: Path,
) -> None:
    """gRPC's own limit lets pass what is not indexed."""
    referred = [b"\x40" + b"\x06x-bomb" + b"\x7f\xbd\x1d" + b"b" * 3900, b"\xbe" * 1000]
    async with attacked(tmp_path) as running:
        assert await said(running.address, frames.call(1, WHO, "m")) == "grpc 0"
        before = memory()
        async with served(running.address, "t", "60 KiB to 8 MiB of metadata"):
            for size, outcome in ((60, "grpc 8"), (200, "closed"), (8192, "closed")):
                much = ("x-much", b"a" * (size << 10))
                assert await said(running.address, frames.call(1, WHO, "m", much)) == outcome
            coded = ("x-much", frames.Coded(frames.huffman_a(60 << 10)))
            assert await said(running.address, frames.call(1, WHO, "m", coded)) == "grpc 8"
            head = frames.call(1, WHO, "m")[9:]
            block = head + b"".join(referred)
            bomb = frames.frame(frames.HEADERS, frames.END_HEADERS, 1, block)
            assert await said(running.address, bomb) == "grpc 8"
            begun = frames.frame(frames.HEADERS, 0, 1, head)
            endless = begun + frames.frame(frames.CONTINUATION, 0, 1) * 100
            assert await said(running.address, endless) == "closed"
        assert memory() - before < 20 * MIB


@pytest.mark.case("A31")
async def test_a_message_that_is_too_large_or_a_bomb_is_refused_and_not_kept(
    tmp_path: Path,
) -> None:
    async with attacked(tmp_path) as running:
        before = memory()
        metadata = (("authorization", "Bearer m"),)
        async with (
            served(running.address, "t", "4 MiB + 1, and a gzip bomb of 64 MiB"),
            grpc.aio.insecure_channel(running.address) as channel,
        ):
            plan = channel.unary_unary(PLAN)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await plan(bytes(4 * MIB + 1), metadata=metadata)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            packed = frames.message(1, gzip.compress(bytes(64 * MIB)), compressed=True)
            opening = frames.call(1, PLAN, "m", ("grpc-encoding", b"gzip"))

            def bomb() -> str:
                with frames.connect(running.address) as connection:
                    connection.sendall(opening + packed)
                    return frames.outcome(connection)

            assert await asyncio.to_thread(bomb) == "grpc 8"
        grown = (memory() - before) / MIB
        print(f"grown by {grown:.0f} MiB")
        assert grown < 60  # this process is the attacker too


NO_MESSAGES = {
    "101 deep": b"\x0b" * 101 + b"\x0c" * 101,
    "20,000 deep": b"\x0b" * 20_000 + b"\x0c" * 20_000,
    "a length below zero": b"\x0a" + b"\xff" * 9 + b"\x01",
    "cut short": b"\x08\x01\x0d\x00",
    "no UTF-8": b"\x0a\x02\xff\xfe",
    "two million empty names": b"\x0a\x00" * (2 * MIB - 8),
}


@pytest.mark.case("A32")
async def test_messages_that_are_none_are_answered_at_once(tmp_path: Path) -> None:
    metadata = (("authorization", "Bearer m"),)
    async with (
        attacked(tmp_path) as running,
        grpc.aio.insecure_channel(running.address) as channel,
    ):
        ask = channel.unary_stream("/bedplate.api.v1.Catalog/ListTags")
        for what, body in NO_MESSAGES.items():
            began = time.monotonic()
            try:
                async for _ in ask(body, metadata=metadata):
                    pass
                found = "answered"
            except grpc.aio.AioRpcError as error:
                found = error.code().name
            took = time.monotonic() - began
            print(f"{what}: {found} after {took * 1000:.0f} ms")
            assert found == "INVALID_ARGUMENT" or what.startswith("two million")
            assert took < 5  # 1 s is aimed at


@pytest.mark.case("A38")
async def test_nobody_else_takes_the_port(tmp_path: Path) -> None:
    async with attacked(tmp_path) as running:
        host, _, port = running.address.rpartition(":")
        for reuse in ((), (socket.SO_REUSEADDR,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)):
            with socket.socket() as thief:
                for option in reuse:
                    thief.setsockopt(socket.SOL_SOCKET, option, 1)
                with pytest.raises(OSError, match="in use"):
                    thief.bind((host, int(port)))
        other = grpc.server(None, options=(("grpc.so_reuseport", 1),))  # type: ignore[arg-type]
        with pytest.raises(RuntimeError):
            other.add_insecure_port(running.address)


@pytest.mark.case("A39")
async def test_a_deadline_is_kept_and_one_of_ten_years_is_capped(tmp_path: Path) -> None:
    async with attacked(tmp_path) as running:
        metadata = (("authorization", "Bearer t"),)
        async with grpc.aio.insecure_channel(running.address) as channel:
            who = channel.unary_unary(WHO)
            for within in (0, -1):
                with pytest.raises(grpc.aio.AioRpcError) as late:
                    await who(b"", metadata=metadata, timeout=within)
                assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            for within in (10 * 365 * 86_400, None):
                await who(b"", metadata=metadata, timeout=within)
        for within in (b"0S", b"0n", b"-1S", b"99999999H", b"1x", b""):
            opening = frames.call(1, WHO, "t", ("grpc-timeout", within))
            assert await said(running.address, opening) in TIMES_OUT, within
        async with bedplate.connect_async(running.address, "t") as client:
            assert (await client.whoami()).id == "tina"


def test_few_descriptors_are_kept_for_what_matters() -> None:
    """Where a process may open no more than 320 files, connections leave enough for the rest."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 320))
from bedplate.listening.descriptors import raise_limit
from bedplate.listening.listener import Limits
most = raise_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE), Limits().within(most))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert "(320, 320)" in done.stdout
    assert "silent=40, strangers=4, each=96, most=8," in done.stdout
