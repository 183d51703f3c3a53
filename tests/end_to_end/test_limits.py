"""What the API bears from those who reach its port: too much, too long, too many, and nonsense. One kernel takes it
all, as a program of its own; at the end it is as it was."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf import message_factory
from google.protobuf.message import DecodeError
from tests.counts import count
from tests.end_to_end.listening import Listening
from tests.end_to_end.program import Program
from tests.end_to_end.site import HISTORY, RIGS, running, until

from bedplate.api.v1 import api_pb2
from bedplate.client import AsyncClient, connect_async
from bedplate.endpoints import find
from bedplate.errors import CallError

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLANT = f"""
bedplate: 1
name: limits
path: plant
scan_classes: {{normal: 100ms}}
connectors:
  a: {{use: counter, placement: inline, tags: {{one: {{address: r1}}, two: {{address: r2}}}}}}
  {HISTORY.replace("PLACE", "process")}
analytics:
  stops:
    use: alarms
    placement: inline
    for: a
    limits: {{counts: {{tag: one, high: 0, do: Let it}}}}
journal: {{folder: journal, sync: 50ms}}
"""
ALARM = "plant/a/counts"
SERVICES = api_pb2.DESCRIPTOR.services_by_name.values()
METHODS = {f"/{s.full_name}/{m.name}": m for s in SERVICES for m in s.methods}
MIB = 1 << 20
TIMES = count(300, 7500)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def kernel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    async with Program(tmp_path_factory.mktemp("plant"), PLANT, plugins=[RIGS]) as program:
        await program.start()
        async with connect_async(program.address) as client:
            await until(lambda: ready(client))
        yield program
        assert await program.stop() == 0
        assert "Traceback" not in "".join(program.lines)


async def ready(client: AsyncClient) -> bool:
    states = {one.state for one in (await client.status()).components}
    return states == {"up"} and await alarm_stands(client)


async def alarm_stands(client: AsyncClient) -> bool:
    return bool(await client.alarms())


@pytest_asyncio.fixture(loop_scope="module")
async def channel(kernel: Program) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(kernel.address) as channel:
        yield channel


@pytest.fixture
def token(kernel: Program) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {find(kernel.address).token}"),)


async def serves(kernel: Program) -> bool:
    async with connect_async(kernel.address) as client:
        return (await client.status()).name == "limits"


async def code_of(call: Any) -> grpc.StatusCode:
    """How a call ended."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code()


async def test_a_message_of_more_than_4_mib_is_refused(kernel: Program) -> None:
    async with connect_async(kernel.address) as client:
        with pytest.raises(CallError) as error:
            await client.acknowledge(ALARM, "x" * (4 * MIB + 1))
        assert error.value.code == "RESOURCE_EXHAUSTED"
        assert await client.acknowledge(ALARM, "x" * (3 * MIB)) == ALARM
        (alarm,) = await client.alarms()
        assert alarm.alarm is not None
        await until(lambda: comment_of(client, 1000))


async def comment_of(client: AsyncClient, length: int) -> bool:
    (event,) = await client.alarms()
    return event.alarm is not None and len(event.alarm.comment) == length


async def test_metadata_of_60_kib_is_refused(kernel: Program, channel: Any, token: Any) -> None:
    status = channel.unary_unary("/bedplate.api.v1.Admin/GetStatus")
    heavy = (*token, ("x-heavy", "y" * 60 * 1024))
    assert await code_of(status(b"", metadata=heavy)) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await serves(kernel)


async def test_somebody_has_16_streams_and_calls_beside_them(
    kernel: Program, channel: Any, token: Any
) -> None:
    opening = api_pb2.SubscribeOpen(current_first=True, credit=1)
    first = api_pb2.SubscribeRequest(open=opening).SerializeToString()
    subscribe = channel.stream_stream("/bedplate.api.v1.Live/Subscribe")
    status = channel.unary_unary("/bedplate.api.v1.Admin/GetStatus")
    calls = [subscribe(metadata=token) for _ in range(24)]
    answered: list[Any] = []
    refused: list[grpc.StatusCode] = []

    async def ask(call: Any) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError):  # `code` says which
            await call.write(first)
            if await call.read() is not grpc.aio.EOF:
                answered.append(call)
                return
        refused.append(await call.code())

    async def has_room() -> bool:
        calls.append(subscribe(metadata=token))
        await ask(calls[-1])
        return len(answered) > 16

    try:
        await asyncio.gather(*map(ask, calls))
        assert (len(answered), refused) == (16, [grpc.StatusCode.RESOURCE_EXHAUSTED] * 8)
        assert await status(b"", metadata=token)
        for call in answered:
            call.cancel()
        await until(has_room)
    finally:
        for call in calls:
            call.cancel()


@pytest.mark.parametrize(
    "method",
    ["/bedplate.api.v1.Admin/Explode", "/bedplate.api.v2.Admin/GetStatus", "/x/y", "/a.B/C"],
)
async def test_what_there_is_not_is_unimplemented(channel: Any, token: Any, method: str) -> None:
    call = channel.unary_unary(method)(b"", metadata=token)
    assert await code_of(call) is grpc.StatusCode.UNIMPLEMENTED


async def test_the_health_check_needs_no_token(channel: Any) -> None:
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert await check(b"") == b"\x08\x01", "HealthCheckResponse{status: SERVING}"
    assert await code_of(check(b"\x0a\x03foo")) is grpc.StatusCode.NOT_FOUND
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
    assert await watch.read() == b"\x08\x01"
    watch.cancel()


# nonsense --------------------------------------------------------------------------------------


def payloads(method: Any, dice: random.Random) -> Iterator[bytes]:
    """Noise, messages of the right kind with anything in them, and those with some bits turned."""
    for _ in range(TIMES // 3):
        yield dice.randbytes(dice.randrange(200))
        message = message_factory.GetMessageClass(method.input_type)()
        fill(message, dice)
        encoded = bytearray(message.SerializeToString())
        yield bytes(encoded)
        for _ in range(dice.randrange(1, 4) if encoded else 0):
            encoded[dice.randrange(len(encoded))] ^= 1 << dice.randrange(8)
        yield bytes(encoded)


TEXTS = [
    *("", "**", "a/*", "one", ALARM, "plant", "/", "a//b", "*", "[", "?"),
    *("x" * 5000, "\0", "ä/温", "a/**/b/**"),
]
NUMBERS = [0, 1, 2, 7, 1000, 2**31 - 1, 2**32 - 1]


def fill(message: Any, dice: random.Random) -> None:
    for field in message.DESCRIPTOR.fields:
        if dice.random() < 0.4:
            continue
        if field.message_type and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)[dice.choice(TEXTS)] = dice.randbytes(40)
        elif field.is_repeated:
            getattr(message, field.name).extend(some(field, dice) for _ in range(dice.randrange(4)))
        elif field.message_type:
            fill(getattr(message, field.name), dice)
            getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, some(field, dice))


def some(field: Any, dice: random.Random) -> Any:
    """A value for a field, rather odd than not."""
    match field.cpp_type:
        case field.CPPTYPE_STRING if field.type == field.TYPE_BYTES:
            return dice.choice([b"", dice.randbytes(16), dice.randbytes(dice.randrange(40))])
        case field.CPPTYPE_STRING:
            return dice.choice(TEXTS)
        case field.CPPTYPE_BOOL:
            return dice.random() < 0.5
        case field.CPPTYPE_ENUM:
            return dice.choice([0, 1, 3, 99, 2**31 - 1])
        case field.CPPTYPE_INT64:
            return dice.choice([*NUMBERS, -1, -(2**63), 2**63 - 1, 1_795_000_000_000_000_000])
        case field.CPPTYPE_UINT64:
            return dice.choice([*NUMBERS, 2**64 - 1])
    return dice.choice(NUMBERS)


AGAIN = (  # no word of the kernel's
    "Internal error from Core",  # what grpc.aio says to a write into a call that has been answered already
    "Stream removed (RST_STREAM",  # 32 others are still at work, though we have left them
)


async def answer(channel: Any, path: str, payload: bytes, token: Any) -> tuple[Any, str]:
    """How the kernel ends a call, or None when it goes on, as subscriptions do."""
    while (found := await asked(channel, path, payload, token))[1].startswith(AGAIN):
        await asyncio.sleep(0.05)
    return found


async def asked(channel: Any, path: str, payload: bytes, token: Any) -> tuple[Any, str]:
    call = channel.stream_stream(path)(metadata=token)
    try:
        async with asyncio.timeout(0.15):
            await call.write(payload)
            await call.done_writing()
            while await call.read() is not grpc.aio.EOF:
                pass
            return await call.code(), str(await call.details())
    except TimeoutError:
        return None, ""
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return await call.code(), str(await call.details())
    finally:
        call.cancel()


@pytest.mark.counted
@pytest.mark.parametrize("path", METHODS)
async def test_nonsense_is_answered_and_kills_nobody(
    kernel: Program, channel: Any, token: Any, path: str
) -> None:
    dice = random.Random(path)
    method = METHODS[path]
    several = asyncio.Semaphore(12)

    async def send(payload: bytes) -> tuple[Any, str, bytes]:
        async with several:
            return *(await answer(channel, path, payload, token)), payload

    sent = list(payloads(method, dice))
    assert len(sent) == TIMES
    await asyncio.gather(*map(send, sent[: TIMES // 3]))  # what grows once has grown
    before = memory(kernel)
    answers = await asyncio.gather(*map(send, sent))
    grown = memory(kernel) - before
    for code, text, payload in answers:
        assert code not in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL), (text, payload)
        if code is not grpc.StatusCode.OK and code is not None:
            assert text
            assert "Traceback" not in text
            assert readable(method, payload) or code is grpc.StatusCode.INVALID_ARGUMENT, text
    assert grown <= 20 * MIB
    assert await serves(kernel)


def readable(method: Any, payload: bytes) -> bool:
    try:
        message_factory.GetMessageClass(method.input_type).FromString(payload)
    except DecodeError:
        return False
    return True


def memory(kernel: Program) -> int:
    """Resident bytes of the kernel."""
    assert kernel.process
    status = Path(f"/proc/{kernel.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def descriptors(kernel: Program) -> int:
    assert kernel.process
    return len(list(Path(f"/proc/{kernel.process.pid}/fd").iterdir()))


@pytest.mark.counted
async def test_many_connections_of_garbage_leave_nothing_behind(kernel: Program) -> None:
    dice = random.Random(7)
    openings = [
        lambda: dice.randbytes(dice.randrange(1, 4000)),
        lambda: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + dice.randbytes(500),
        lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + dice.randbytes(dice.randrange(100)),
        lambda: b"",
    ]
    assert await serves(kernel)
    fds, before = descriptors(kernel), memory(kernel)
    host, _, port = kernel.address.rpartition(":")
    for number in range(TIMES):
        with (
            contextlib.suppress(OSError),
            socket.create_connection((host, int(port)), 2) as garbage,
        ):
            garbage.sendall(dice.choice(openings)())
            if number % 50 == 0:
                assert await serves(kernel)
    await until(lambda: descriptors(kernel) <= fds + 2)
    assert memory(kernel) - before <= 20 * MIB
    assert await serves(kernel)


# time --------------------------------------------------------------------------------------------


async def test_a_unary_call_ends_in_time_when_the_disk_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, PLANT, plugins=[RIGS]) as site:
        await until(lambda: alarm_stands(site.client))
        monkeypatch.setattr("bedplate.server.door.UNARY_WITHIN", 0.3)
        assert site.platform is not None

        async def hangs(position: int) -> None:
            await asyncio.Future()

        monkeypatch.setattr(site.platform.engine, "synced", hangs)
        with pytest.raises(CallError, match="did not answer in time") as error:
            async with asyncio.timeout(5):
                await site.client.acknowledge(ALARM)
        assert error.value.code == "DEADLINE_EXCEEDED"
        assert (await site.client.status()).name == "limits"
        monkeypatch.undo()


async def test_a_stream_that_its_client_left_is_let_go(kernel: Program) -> None:
    for _ in range(8):
        async with Listening(kernel.address, credit=2) as listening:
            await listening.take()
    fds = descriptors(kernel)
    for _ in range(8):
        async with Listening(kernel.address, credit=2) as listening:
            await listening.take()
    await until(lambda: descriptors(kernel) <= fds)
