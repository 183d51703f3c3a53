"""Servers that die, freeze, come back or talk nonsense: the session ends soon and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plugins.opcua.tests.peer import (
    Server,
    built,
    done,
    free_port,
    node,
    opened,
    subscribed,
    tags_for,
    until,
)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    """A server of this test alone, that may be killed."""
    one = Server(tmp_path)
    yield one
    one.kill()


async def ended(task: asyncio.Task[None], seconds: float) -> tuple[BaseException | None, float]:
    """How a subscribe ended, and after how long."""
    began = time.monotonic()
    await asyncio.wait([task], timeout=seconds)
    assert task.done(), "not noticed in time"
    return task.exception(), time.monotonic() - began


async def test_a_killed_server_is_noticed_and_a_new_session_works(mortal: Server) -> None:
    tags = tags_for(node("Oil.Temp"))
    async with subscribed(mortal.url, tags) as (_, received, task):
        await until(lambda: received.values(1))
        mortal.kill()
        error, seconds = await ended(task, 3)
    assert isinstance(error, OSError)
    assert "connection" in str(error).lower()
    assert seconds < 1
    with pytest.raises(OSError, match="connecting to 127"):
        await built(mortal.url, tags).open()
    mortal.start()
    async with subscribed(mortal.url, tags) as (_, received, task):
        await until(lambda: received.values(1))
        mortal.do("set", node="Temp", value=61)
        await until(lambda: received.values(1)[-1] == 61)


@pytest.mark.parametrize("busy", [True, False], ids=["values flow", "signs of life only"])
async def test_a_frozen_server_is_noticed_and_closing_does_not_hang(
    mortal: Server, busy: bool
) -> None:
    tags = tags_for(node("Signal"), scan=1.0)
    async with opened(mortal.url, tags) as connector:
        received = asyncio.Event()

        class Send:
            async def batch(self, batch: object) -> object:
                received.set()
                return done()

        task = asyncio.create_task(connector.subscribe(tags, Send()))  # type: ignore[arg-type]
        await received.wait()
        if busy:
            mortal.do("ramp", node="Signal", every=200)
        await asyncio.sleep(3)
        mortal.signal(signal.SIGSTOP)
        error, seconds = await ended(task, 8)
        began = time.monotonic()
        await connector.close()
        closing = time.monotonic() - began
    assert isinstance(error, TimeoutError)
    assert "did not answer in time" in str(error)
    assert seconds <= 5.5
    assert closing < 2
    mortal.signal(signal.SIGCONT)
    async with subscribed(mortal.url, tags) as (_, got, _):
        await until(lambda: got.values(1))


async def test_a_server_that_forgot_the_subscription_is_noticed(mortal: Server) -> None:
    async with subscribed(mortal.url, tags_for(node("Oil.Temp"))) as (_, received, task):
        await until(lambda: received.values(1))
        mortal.do("drop_subscriptions")
        error, seconds = await ended(task, 8)
    assert isinstance(error, ConnectionError)
    assert seconds < 6


async def test_connecting_to_a_frozen_server_ends(mortal: Server) -> None:
    mortal.signal(signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="did not answer in time"):
        await built(mortal.url, connect_timeout="1s").open()
    assert time.monotonic() - began < 4


async def test_fifty_failed_connects_leave_nothing_behind(mortal: Server) -> None:
    refused = f"opc.tcp://127.0.0.1:{free_port()}"
    wrong = {"username": "operator", "password": "wrong"}

    async def attempts(silent: str) -> None:
        for _ in range(10):
            for url, more in ((refused, {}), (silent, {}), (mortal.url, wrong)):
                with pytest.raises(Exception, match=r".") as caught:
                    await built(
                        url, connect_timeout="50ms" if url == silent else "5s", **more
                    ).open()
                assert type(caught.value).__name__ in {"ConnectionError", "TimeoutError", "Invalid"}
            for _ in range(2):
                with pytest.raises(OSError, match=r"."):
                    await built(refused).open()

    async with answering(lambda _: b"") as silent:
        await attempts(silent)
        before = descriptors(), len(asyncio.all_tasks())
        await attempts(silent)
        await until(lambda: (descriptors(), len(asyncio.all_tasks())) <= before, 5)
    await until(lambda: mortal.do("sessions")["sessions"] == 0)


async def test_a_cancelled_open_leaves_nothing_behind(mortal: Server) -> None:
    before = descriptors(), len(asyncio.all_tasks())
    for step in range(40):  # rounds of the loop, then milliseconds: every step of connecting is hit
        connector = built(mortal.url, tags_for(node("Oil.Temp")))
        task = asyncio.create_task(connector.open())
        for _ in range(step):
            await asyncio.sleep(0 if step < 20 else 0.001)
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        if result is None:
            await connector.close()
            break
        assert isinstance(result, asyncio.CancelledError)
        await until(lambda: (descriptors(), len(asyncio.all_tasks())) <= before, 5)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
@pytest.mark.case("A58")
async def test_garbage_from_a_server_is_a_lost_connection(data: st.DataObject) -> None:
    """Whatever comes instead of an answer: the kernel sees ConnectionError or TimeoutError and nothing else."""
    head = st.sampled_from([b"", b"ACKF", b"OPNF", b"MSGF", b"ERRF", b"ACKC", b"MSGC"])
    length = st.integers(0, 2**32 - 1).map(lambda n: n.to_bytes(4, "little"))
    answer = data.draw(
        st.tuples(head, length | st.just(b"\x1c\0\0\0"), st.binary(max_size=80)).map(b"".join)
    )
    async with answering(lambda _: answer) as url:
        with pytest.raises(OSError, match=r".") as caught:
            await built(url, connect_timeout="100ms").open()
    assert isinstance(caught.value, ConnectionError | TimeoutError)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.case("A58")
async def test_frames_that_are_changed_on_the_way_never_become_a_bug(
    server: Server, seed: int
) -> None:
    """A proxy flips bytes of what the server says; the session lives on or ends as a lost connection."""
    dice = random.Random(seed)

    def spoil(chunk: bytes) -> bytes:
        if dice.random() < 0.6:
            return chunk
        spoiled = bytearray(chunk)
        for _ in range(dice.randint(1, 8)):
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        return bytes(spoiled[: dice.randint(1, len(spoiled))] if dice.random() < 0.2 else spoiled)

    tags = tags_for(node("Oil.Temp"), node("Types.String"), node("Types.Array"), "i=2258")
    async with proxy(server.port, spoil) as url:
        try:
            async with subscribed(url, tags, connect_timeout="500ms", request_timeout="300ms") as (
                _,
                received,
                task,
            ):
                await asyncio.wait([task], timeout=2)
                if not task.done():
                    before = len(received.batches)
                    await until(lambda: task.done() or len(received.batches) > before, 4)
                error = task.exception() if task.done() else None
        except OSError as lost:
            error = lost
    assert error is None or type(error) in (ConnectionError, TimeoutError)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class Answers(asyncio.Protocol):
    """A server that answers everything with what `answer` makes of it; `open` holds its connections."""

    def __init__(self, answer: Callable[[bytes], bytes], open_: list[asyncio.Transport]) -> None:
        self._answer = answer
        self._open = open_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.append(transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._answer(data))


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A server that answers everything with what `answer` makes of it."""
    connections: list[asyncio.Transport] = []
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Answers(answer, connections), "127.0.0.1", 0)
    try:
        yield f"opc.tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await gone(connections)


@asynccontextmanager
async def proxy(port: int, spoil: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """Passes bytes on to a server; what comes back goes through `spoil`."""
    connections: list[asyncio.Transport] = []
    tasks: list[asyncio.Task[None]] = []

    async def pump(
        reader: asyncio.StreamReader, to: asyncio.StreamWriter, change: Callable[[bytes], bytes]
    ) -> None:
        connections.append(to.transport)
        try:
            while chunk := await reader.read(65536):
                to.write(change(chunk))
        except OSError:
            pass
        to.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        tasks.append(asyncio.create_task(pump(reader, back, bytes)))
        tasks.append(asyncio.create_task(pump(there, writer, spoil)))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"opc.tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}/test"
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await gone(connections)


async def gone(connections: list[asyncio.Transport]) -> None:
    """Ends the connections and lets the loop close their sockets."""
    for connection in connections:
        connection.abort()
    for _ in range(3):
        await asyncio.sleep(0)
