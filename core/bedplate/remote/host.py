"""The kernel's gRPC server for plugins: one Attach service per kind, on a unix socket in a folder of mode 0700.

A plugin of this machine is known by its one-use token alone: grpc offers no peer credentials on unix sockets. One that
comes from elsewhere is known by its certificate (`tls_listener`), and must be one that a place waits for (`arrivals`).
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from bedplate.errors import ProtocolError
from bedplate.remote.arrivals import Arrivals, NotAdmitted
from bedplate.remote.attachment import Attachment
from bedplate.remote.credentials import Credentials, place_of
from bedplate.remote.kinds import KINDS, Kind
from bedplate.remote.majors import MAJORS, Major, Translated
from bedplate.remote.tls_listener import Peer, TlsListener
from bedplate.version import __version__

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
KNOCKING = 64  # streams at a time that have not said Hello
BROKEN = (
    grpc.aio.AioRpcError,
    grpc.aio.UsageError,
    asyncio.InvalidStateError,
)  # the stream is over


class PluginHost:
    """Serves Attach. `expect` says which plugin will come, and waits for it."""

    def __init__(
        self, folder: Path, linger: float = 0.05, majors: Sequence[Major] = MAJORS
    ) -> None:
        self._socket = folder / "p.sock"
        self._majors = majors
        self._linger = linger
        self._expected: dict[str, tuple[Kind, asyncio.Future[Attachment]]] = {}
        self._server: grpc.aio.Server | None = None
        self._knocking = 0
        self._listener: TlsListener | None = None
        self.arrivals = Arrivals()

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
        self._server.add_generic_rpc_handlers(
            [
                *(_handlers(self, kind) for kind in KINDS.values()),
                *(_older(self, major) for major in self._majors),
                _NotServed(
                    [*(kind.service for kind in KINDS.values()), *(m.service for m in self._majors)]
                ),
            ]
        )
        self._server.add_insecure_port(self.address)
        await self._server.start()

    async def listen(self, address: str, files: Credentials) -> str:
        """Lets remote plugins in at host:port; returns it with its real port. Raises OSError when it is taken."""
        self._listener = TlsListener(
            files, self._socket.parent, self._socket, self.arrivals.refused
        )
        return await self._listener.start(address)

    async def stop(self) -> None:
        if self._listener:
            await self._listener.stop()
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
        peer = self._listener.peer(context.peer()) if self._listener else None
        attachment, queue = await self._welcome(kind, context, peer)
        writer = asyncio.create_task(_write(queue, context))
        reader = asyncio.create_task(_read(context, attachment))
        try:
            ends: list[asyncio.Future[Any]] = [reader, writer, attachment.gone]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reader.cancel()
            writer.cancel()
            if peer:
                attachment.end(f"the connection from {peer.address} broke")
                peer.drop()
            # the end of its process, a moment later, says better why
            asyncio.get_running_loop().call_later(0.3, attachment.end, "the plugin went away")

    async def _welcome(
        self, kind: Kind, context: Any, peer: Peer | None
    ) -> tuple[Attachment, asyncio.Queue[Any]]:
        if self._knocking >= KNOCKING:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "too many that have not said Hello"
            )
        self._knocking += 1
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                first = await context.read()
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no Hello")
        except DecodeError:
            first = kind.come()
        finally:
            self._knocking -= 1
        if first is grpc.aio.EOF or not first.HasField("hello"):
            first = kind.come()
        queue: asyncio.Queue[Any] = asyncio.Queue()
        attachment = Attachment(kind, queue.put_nowait, first.hello, self._linger)
        attachment.gone.add_done_callback(lambda _: queue.put_nowait(None))
        if peer:
            await self._admit(attachment, peer, context)
        else:
            await self._expected_one(attachment, context)
        return attachment, queue

    async def _expected_one(self, attachment: Attachment, context: Any) -> None:
        token = attachment.hello.token
        if not token:
            await context.abort(
                grpc.StatusCode.UNAUTHENTICATED, "the first message must be Hello with a token"
            )
        expected = self._claim(token, attachment.kind)
        if expected is None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown or used token")
        assert expected is not None  # abort raises
        expected.set_result(attachment)

    async def _admit(self, attachment: Attachment, peer: Peer, context: Any) -> None:
        try:
            await self.arrivals.admit(attachment, place_of(peer.shown), peer.address)
        except NotAdmitted as error:
            code = getattr(grpc.StatusCode, error.code)
            await context.abort(code, str(error))
        peer.welcome()

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
    except ProtocolError as error:  # of a translation
        attachment.breach(str(error))


async def _write(queue: asyncio.Queue[Any], context: Any) -> None:
    with contextlib.suppress(*BROKEN):
        while (message := await queue.get()) is not None:
            await context.write(message)


def _handlers(host: PluginHost, kind: Kind) -> Any:
    return _attach(kind.service, kind.come, lambda context: host.attach(kind, context))


def _older(host: PluginHost, major: Major) -> Any:
    """The service of an older major, behind its translation."""

    def serve(context: Any) -> Awaitable[None]:
        return host.attach(major.kind, Translated(context, major.translation()))

    return _attach(major.service, major.come, serve)


def _attach(service: str, come: Any, attach: Callable[[Any], Awaitable[None]]) -> Any:
    async def serve(request_iterator: AsyncIterator[Any], context: Any) -> None:
        await attach(context)

    handler: Any = grpc.stream_stream_rpc_method_handler(
        serve,
        request_deserializer=come.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    return grpc.method_handlers_generic_handler(service, {"Attach": handler})


class _NotServed(grpc.GenericRpcHandler):
    """Whatever else is dialled: refused in words that name what is served."""

    def __init__(self, served: Sequence[str]) -> None:
        self._served = ", ".join(served)

    def service(self, handler_call_details: Any) -> Any:
        """Of a newer or a much older major, or of another program altogether."""
        name = handler_call_details.method.strip("/").rpartition("/")[0]
        text = f"{name} is not served here; this Bedplate {__version__} serves {self._served}"

        async def refuse(request_iterator: AsyncIterator[Any], context: Any) -> None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, text)

        return grpc.stream_stream_rpc_method_handler(refuse)
