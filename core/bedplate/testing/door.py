"""Where plugins attach to a test: the gRPC side of FakeKernel, on a unix socket. Raw bytes in, so that nothing hides.

It gives out tokens as the kernel does, and counts how often each was shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from bedplate.remote.kinds import KINDS, Kind
from bedplate.testing.fake_kernel import FakeKernel

OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
)
OVER = (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError)


class Door:
    """A server for plugins. folder: where its socket lies; its path must be short · shown: token → how often ·
    remote: where it listens with mutual TLS, when it was given certificates."""

    def __init__(self, folder: Path) -> None:
        self.address = f"unix:{folder / 'p.sock'}"
        self.shown: Counter[str] = Counter()
        self.remote = ""
        self._expected: dict[str, tuple[Kind, asyncio.Future[FakeKernel]]] = {}
        self._awaited: tuple[Kind, asyncio.Future[FakeKernel]] | None = None
        self._server: grpc.aio.Server | None = None

    async def start(self, tls: Path | None = None) -> None:
        """tls: a folder with ca.pem, cert.pem and key.pem, for plugins that come over TCP."""
        self._server = grpc.aio.server(options=OPTIONS)
        handlers = [_handler(self, kind) for kind in KINDS.values()]
        self._server.add_generic_rpc_handlers(handlers)
        self._server.add_insecure_port(self.address)
        if tls:
            key, cert, ca = (
                (tls / name).read_bytes() for name in ("key.pem", "cert.pem", "ca.pem")
            )
            files = grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=True)
            self.remote = f"127.0.0.1:{self._server.add_secure_port('127.0.0.1:0', files)}"
        await self._server.start()

    async def stop(self) -> None:
        if self._server:
            await self._server.stop(grace=0.1)

    def expect(self, kind: Kind) -> tuple[str, asyncio.Future[FakeKernel]]:
        """A token, and the kernel's end once a plugin has come with it."""
        token = secrets.token_hex(16)
        future: asyncio.Future[FakeKernel] = asyncio.get_running_loop().create_future()
        self._expected[token] = (kind, future)
        return token, future

    def await_remote(self, kind: Kind) -> asyncio.Future[FakeKernel]:
        """The kernel's end once a plugin has come over TLS: its certificate stands for a token."""
        self._awaited = kind, asyncio.get_running_loop().create_future()
        return self._awaited[1]

    async def serve(self, kind: Kind, context: Any) -> None:
        """One Attach, until either side ends it."""
        first = _message(kind, await context.read())
        token = first.hello.token if first is not None else ""
        self.shown[token] += 1
        over_tls = context.auth_context().get("transport_security_type") == [b"ssl"]
        expected = self._awaited if over_tls else self._expected.get(token)
        wanted, future = expected or (None, None)
        if wanted is not kind or future is None or future.done():
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown or used token")
            return
        queue: asyncio.Queue[Any] = asyncio.Queue()
        kernel = FakeKernel(kind, queue.put_nowait, first)
        kernel.gone.add_done_callback(lambda _: queue.put_nowait(None))
        future.set_result(kernel)
        tasks = [
            asyncio.create_task(_read(kind, context, kernel)),
            asyncio.create_task(_write(queue, context)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        kernel.end("the plugin ended the stream")


def _message(kind: Kind, data: Any) -> Any:
    try:
        return kind.come.FromString(data) if isinstance(data, bytes) else None
    except DecodeError:
        return None


async def _read(kind: Kind, context: Any, kernel: FakeKernel) -> None:
    with contextlib.suppress(*OVER):
        while (data := await context.read()) is not grpc.aio.EOF:
            message = _message(kind, data)
            if message is None:
                kernel.end("sent bytes that are no message of the contract")
                return
            kernel.receive(message)


async def _write(queue: asyncio.Queue[Any], context: Any) -> None:
    with contextlib.suppress(*OVER):
        while (message := await queue.get()) is not None:
            await context.write(message)


def _handler(door: Door, kind: Kind) -> Any:
    async def attach(request_iterator: AsyncIterator[Any], context: Any) -> None:
        await door.serve(kind, context)

    handler: Any = grpc.stream_stream_rpc_method_handler(
        attach,
        request_deserializer=lambda data: data,
        response_serializer=lambda message: message.SerializeToString(),
    )
    return grpc.method_handlers_generic_handler(kind.service, {"Attach": handler})
