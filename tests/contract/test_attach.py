"""Attach, the kernel's side: one token, one Hello, and an end to whoever breaks the contract."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.contract.strangers import (
    CONNECTOR,
    WITHIN,
    bare,
    hello,
    plugin_host,
    publication,
    reply_to,
)

from bedplate.connector.v1 import connector_pb2
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import KINDS
from bedplate.wire import twin

Ping = twin(plugin_pb2.Ping)


async def code_of(call: Any) -> grpc.StatusCode:
    return await asyncio.wait_for(call.code(), WITHIN)


async def test_silence_instead_of_hello_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedplate.remote.host.HELLO_WITHIN", 0.1)
    async with plugin_host() as host, bare(host) as call:
        assert await code_of(call) is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    "first",
    [
        connector_pb2.FromConnector().SerializeToString(),
        connector_pb2.FromConnector(replies=[reply_to(1)]).SerializeToString(),
        hello(""),
        hello("wrong"),
        hello("ü"),
        hello("token")[:-1],
    ],
)
async def test_whoever_does_not_say_hello_with_a_good_token_is_turned_away(first: bytes) -> None:
    async with plugin_host() as host, bare(host) as call:
        host.expect(CONNECTOR)
        await call.write(first)

        assert await code_of(call) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_stream_that_ends_at_once_is_turned_away() -> None:
    async with plugin_host() as host, bare(host) as call:
        await call.done_writing()

        assert await code_of(call) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_token_is_good_for_one_attach() -> None:
    async with plugin_host() as host, bare(host) as first, bare(host) as second:
        token, expected = host.expect(CONNECTOR)
        await first.write(hello(token))
        attachment = await asyncio.wait_for(expected, WITHIN)
        await second.write(hello(token))

        assert await code_of(second) is grpc.StatusCode.UNAUTHENTICATED
        assert not attachment.gone.done()


async def test_a_token_is_good_for_its_own_kind_only() -> None:
    async with plugin_host() as host, bare(host, "analytic") as wrong, bare(host) as right:
        token, expected = host.expect(CONNECTOR)
        await wrong.write(hello(token))
        assert await code_of(wrong) is grpc.StatusCode.UNAUTHENTICATED

        await right.write(hello(token))
        assert (await asyncio.wait_for(expected, WITHIN)).kind is KINDS["connector"]


async def test_a_token_that_nobody_waits_for_any_more_is_no_good() -> None:
    async with plugin_host() as host, bare(host) as call:
        token, expected = host.expect(CONNECTOR)
        expected.cancel()
        await asyncio.sleep(0)
        await call.write(hello(token))

        assert await code_of(call) is grpc.StatusCode.UNAUTHENTICATED


async def attached(host: Any, call: Any) -> Any:
    token, expected = host.expect(CONNECTOR)
    await call.write(hello(token))
    return await asyncio.wait_for(expected, WITHIN)


async def test_an_answer_that_nobody_asked_for_ends_the_stream_and_nothing_after_it_counts() -> (
    None
):
    taken: list[Any] = []
    async with plugin_host() as host, bare(host) as call:
        attachment = await attached(host, call)
        attachment.publication = taken.append
        message = connector_pb2.FromConnector(
            replies=[reply_to(77)], publications=[publication("c")]
        )
        await call.write(message.SerializeToString())

        gone = await asyncio.wait_for(attachment.gone, WITHIN)
        assert gone == "answered ask 77, which nobody asked"
        assert await asyncio.wait_for(call.read(), WITHIN) is grpc.aio.EOF
        assert taken == []


async def test_whoever_waits_hears_of_the_end() -> None:
    async with plugin_host() as host, bare(host) as call:
        attachment = await attached(host, call)
        waiting = asyncio.create_task(attachment.ask("c", WITHIN, ping=Ping()))
        await asyncio.wait_for(call.read(), WITHIN)
        call.cancel()

        with pytest.raises(ConnectionError, match="the plugin went away"):
            await asyncio.wait_for(waiting, WITHIN)
        with pytest.raises(ConnectionError):
            await attachment.ask("c", WITHIN, ping=Ping())


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff", hello("x")[:-1]])
async def test_bytes_that_are_no_message_end_the_stream(garbage: bytes) -> None:
    async with plugin_host() as host, bare(host) as call:
        attachment = await attached(host, call)
        await call.write(garbage)

        gone = await asyncio.wait_for(attachment.gone, WITHIN)
        assert gone == "sent bytes that are no message of the contract"
        assert await code_of(call) is not None


async def test_receipts_and_asks_of_one_turn_leave_as_one_message() -> None:
    async with plugin_host() as host, bare(host) as call:
        attachment = await attached(host, call)
        asks = [asyncio.create_task(attachment.ask("c", WITHIN, ping=Ping())) for _ in range(3)]
        attachment.receipt("c", credit=2)
        attachment.receipt("c", credit=1, synced=5)
        message = connector_pb2.ToConnector.FromString(await asyncio.wait_for(call.read(), WITHIN))
        answers = [reply_to(ask.id) for ask in reversed(message.asks)]
        await call.write(connector_pb2.FromConnector(replies=answers).SerializeToString())

        assert len(await asyncio.gather(*asks)) == 3
        assert [(r.component, r.credit, r.synced) for r in message.receipts] == [("c", 3, 5)]
