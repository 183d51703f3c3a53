"""The kernel's gRPC server for plugins: one Attach service per kind, on a unix socket in a folder of mode 0700.

A plugin is known by its one-use token alone: grpc offers no peer credentials on unix sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from bedplate.remote.attachment import Attachment
from bedplate.remote.kinds import KINDS, Kind

MAX_SOCKET_PATH = 100  # bytes; the kernel's limit is 107
OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1 << 20),
    ("grpc.max_metadata_size", 8192),
)
HELLO_WITHIN = 5.0  # s
BROKEN = (
    grpc.aio.AioRpcError,
    grpc.aio.UsageError,
    asyncio.InvalidStateError,
)  # the stream is over


class PluginHost:
    """Serves Attach. `expect` says which plugin will come, and waits for it."""

    def __init__(self, folder: Path, linger: float = 0.05) -> None:
        self._socket = folder / "p.sock"
        self._linger = linger
        self._expected: dict[str, tuple[Kind, asyncio.Future[Attachment]]] = {}
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        return f"unix:{self._socket}"

    async def start(self) -> None:
        """Raises OSError when the socket can't be made."""
        if len(str(self._socket).encode()) > MAX_SOCKET_PATH:
            raise OSError(
                f"the run folder is too deep for a socket: {self._socket}; set TMPDIR to a shorter one"
            )
        self._server = grpc.aio.server(options=OPTIONS)
        self._server.add_generic_rpc_handlers([_handlers(self, kind) for kind in KINDS.values()])
        self._server.add_insecure_port(self.address)
        await self._server.start()

    async def stop(self) -> None:
        if self._server:
            await self._server.stop(grace=0.2)

    def expect(self, kind: Kind) -> tuple[str, asyncio.Future[Attachment]]:
        """A one-use token, and the attachment once a plugin has come with it."""
        token = secrets.token_hex(32)
        future: asyncio.Future[Attachment] = asyncio.get_running_loop().create_future()
        self._expected[token] = (kind, future)
        future.add_done_callback(lambda _: self._expected.pop(token, None))
        return token, future

    async def attach(self, kind: Kind, context: Any) -> None:
        """Serves one plugin's stream until either side ends it: the plugin, or whoever ends the attachment."""
        attachment, queue = await self._welcome(kind, context)
        writer = asyncio.create_task(_write(queue, context))
        reader = asyncio.create_task(_read(context, attachment))
        try:
            ends: list[asyncio.Future[Any]] = [reader, writer, attachment.gone]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reader.cancel()
            writer.cancel()
            # the end of its process, a moment later, says better why
            asyncio.get_running_loop().call_later(0.3, attachment.end, "the plugin went away")

    async def _welcome(self, kind: Kind, context: Any) -> tuple[Attachment, asyncio.Queue[Any]]:
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                first = await context.read()
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no Hello")
        except DecodeError:
            first = kind.come()
        if first is grpc.aio.EOF or not first.hello.token:
            await context.abort(
                grpc.StatusCode.UNAUTHENTICATED, "the first message must be Hello with a token"
            )
        expected = self._claim(first.hello.token, kind)
        if expected is None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown or used token")
        queue: asyncio.Queue[Any] = asyncio.Queue()
        attachment = Attachment(kind, queue.put_nowait, first.hello, self._linger)
        attachment.gone.add_done_callback(lambda _: queue.put_nowait(None))
        assert expected is not None  # abort raises
        expected.set_result(attachment)
        return attachment, queue

    def _claim(self, token: str, kind: Kind) -> asyncio.Future[Attachment] | None:
        for known, (wanted, future) in list(self._expected.items()):
            if (
                hmac.compare_digest(known.encode(), token.encode())
                and wanted is kind
                and not future.done()
            ):
                del self._expected[known]
                return future
        return None


async def _read(context: Any, attachment: Attachment) -> None:
    try:
        with contextlib.suppress(*BROKEN):
            while (message := await context.read()) is not grpc.aio.EOF:
                attachment.receive(message)
    except DecodeError:
        attachment.breach("sent bytes that are no message of the contract")


async def _write(queue: asyncio.Queue[Any], context: Any) -> None:
    with contextlib.suppress(*BROKEN):
        while (message := await queue.get()) is not None:
            await context.write(message)


def _handlers(host: PluginHost, kind: Kind) -> Any:
    async def serve(request_iterator: AsyncIterator[Any], context: Any) -> None:
        await host.attach(kind, context)

    handler: Any = grpc.stream_stream_rpc_method_handler(
        serve,
        request_deserializer=kind.come.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    return grpc.method_handlers_generic_handler(kind.service, {"Attach": handler})
