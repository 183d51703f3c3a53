"""Servers killed, frozen, restarted, half-open: no hang, no stale value, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from plugins.modbus.tests.driving import Peer, built, opened, peer, until_open, values
from plugins.modbus.tests.raw import Asked, device, honest, register

TEN = {str(i): {"address": i} for i in range(10)}
FIRST = {str(i): 1000 + i for i in range(10)}


async def test_a_killed_server_is_noticed_at_once_and_its_successor_is_read(
    libmodbus_program: Path,
) -> None:
    with peer(libmodbus_program) as server:
        modbus = built(server.port, TEN)
        await modbus.open()
        assert await values(modbus) == FIRST
        server.kill()
        began = time.monotonic()
        with pytest.raises(
            ConnectionError, match=rf"127\.0\.0\.1:{server.port} closed the connection"
        ):
            await values(modbus)
        assert time.monotonic() - began < 0.2
        await modbus.close()
        with pytest.raises(ConnectionError, match=f"127.0.0.1:{server.port}: Connection refused"):
            await built(server.port, TEN).open()
        with peer(libmodbus_program, port=server.port):
            again = await until_open(modbus)
            assert await values(again) == FIRST
            await again.close()


async def test_a_server_killed_while_it_is_asked_ends_the_wait(libmodbus: Peer) -> None:
    async with opened(libmodbus.port, TEN, request_timeout="10s") as modbus:
        libmodbus.freeze()
        reading = asyncio.create_task(modbus.read(modbus.tags))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        libmodbus.kill()
        with pytest.raises(ConnectionError):
            await reading
        assert time.monotonic() - began < 1.0


async def test_a_frozen_server_is_a_time_out_and_speaks_the_truth_when_it_thaws(
    libmodbus: Peer,
) -> None:
    one, two = built(libmodbus.port, TEN, unit_id=1), built(libmodbus.port, TEN, unit_id=2)
    await one.open()
    await two.open()
    libmodbus.freeze()
    began = time.monotonic()
    for modbus in (one, two):
        with pytest.raises(TimeoutError, match=r"did not answer within 0.3 s"):
            await values(modbus)
        await modbus.close()
    with pytest.raises(TimeoutError, match=r"did not answer|took no connection"):
        await built(libmodbus.port, TEN).open()
    assert time.monotonic() - began < 1.5
    libmodbus.thaw()
    for unit, modbus in enumerate((one, two), 1):
        again = await until_open(modbus)
        for _ in range(5):
            assert await values(again) == {str(i): 1000 * unit + i for i in range(10)}
        await again.close()


async def test_answers_that_come_late_after_a_freeze_are_dropped(libmodbus: Peer) -> None:
    async with opened(libmodbus.port, {"t": {"address": 7}}, unit_id=3) as neighbour:
        async with opened(libmodbus.port, TEN, request_timeout="300ms") as modbus:
            libmodbus.freeze()
            with pytest.raises(TimeoutError):
                await values(modbus)
        libmodbus.thaw()
        for _ in range(5):
            assert await values(neighbour) == {"t": 3007}
    assert len(libmodbus.heard("connection")) == 1


async def test_a_connection_that_nobody_answers_on_is_dialled_again() -> None:
    """A gateway was switched off and on: its side of the connection is gone, ours still stands."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        peername = writer.get_extra_info("peername")
        dead.setdefault("first", peername)
        if not (dead.get("off") and dead["first"] == peername):
            await honest(asked, writer)

    dead: dict[str, object] = {}
    async with device(answer) as gateway:
        holding = built(gateway.port, TEN, unit_id=1, request_timeout="50ms")
        await holding.open()
        dead["off"] = True
        lost = built(gateway.port, TEN, unit_id=2, request_timeout="50ms")
        again = await until_open(lost, within=15)
        assert (await values(again))["3"] == register(2, 3)
        assert (await values(holding))["3"] == register(
            1, 3
        )  # the one who only held it never noticed
        assert gateway.connections == 2
        await again.close()
        await holding.close()


@pytest.mark.parametrize("trouble", ["refused", "silent", "slammed"])
async def test_fifty_failed_connects_leave_nothing_behind(trouble: str) -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if trouble == "slammed":
            writer.transport.abort()

    async with device(answer) as server:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1] if trouble == "refused" else server.port
            before = None
            for i in range(60):
                with pytest.raises(OSError, match=str(port)):
                    await built(port, TEN, request_timeout="10ms").open()
                await asyncio.sleep(0.002)
                if i == 9:
                    before = await _held()
            assert await _held() == before


async def _held() -> tuple[int, int, int]:
    """Descriptors, tasks and threads, once those that are ending have ended."""
    for _ in range(20):
        await asyncio.sleep(0.005)
    gc.collect()
    tasks = [task for task in asyncio.all_tasks() if not task.done()]
    return len(os.listdir("/proc/self/fd")), len(tasks), threading.active_count()


async def test_a_device_that_takes_no_connection_is_a_time_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        queued = [socket.socket() for _ in range(3)]
        for waiting in queued:
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        with pytest.raises(TimeoutError, match=r"took no connection within 0.2 s"):
            await built(port, TEN, connect_timeout="200ms").open()
        assert time.monotonic() - began < 1.0
        for waiting in queued:
            waiting.close()
