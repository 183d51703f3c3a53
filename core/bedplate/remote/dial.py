"""A plugin program far from its kernel: dials with mutual TLS, and again after each cut, with its sessions alive.

Rule: whatever happens to the network, devices stay connected and nothing that was handed over is forgotten before the
kernel has it on disk, within the credit. A kernel that says nothing for SILENT seconds counts as gone: it pings each
second. Listens nowhere. Ends when stdin ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from bedplate.errors import AdmissionError
from bedplate.listening.reasons import told
from bedplate.remote.credentials import credentials
from bedplate.remote.kinds import Kind
from bedplate.remote.side import PluginSide

CHANNEL = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.http2.lookahead_bytes", 4 << 20),  # a long line holds much
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)
CONNECTED_WITHIN, SILENT = 10.0, 5.0  # s
FIRST_WAIT, LAST_WAIT = 0.1, 2.0  # s between two tries, doubling, ±25 %
CLAIMED_WITHIN = 60.0  # s on a new stream after which a session that nobody opened again is closed
ALONE = 600.0  # s without a kernel after which all are
CLOSED_WITHIN = 5.0
READY, FAILED = grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE
STOPS, WAITS = {"FAILED_PRECONDITION"}, {"PERMISSION_DENIED", "UNAUTHENTICATED", "ALREADY_EXISTS"}


class Dial:
    """One run of the program. tell: hears in a sentence whenever something changes.

    `run` returns the exit code: 0 at the end of stdin, 1 when the kernel wants a new run of it.
    """

    def __init__(
        self,
        host: str,
        tls: Mapping[str, str],
        hello: Any,
        kind: Kind,
        offers: Mapping[str, type],
        tell: Callable[[str], None],
    ) -> None:
        self._host = host
        self._files = {name: Path(tls[name]) for name in ("ca", "cert", "key")}
        self._kind = kind
        self._tell = tell
        self._told = ""
        self._hello = hello
        hello.hello.instance = secrets.token_hex(16)
        hello.hello.features.append("resume")
        self._loop = asyncio.get_running_loop()
        self._outgoing: asyncio.Queue[Any] | None = None
        self._side = PluginSide(kind, offers, self._send, redials=True)
        self._ended = asyncio.Event()
        self._heard = 0.0
        self._tries = 0

    def until_stdin_ends(self) -> None:
        """Blocks; on a thread. Whatever hangs then must not hold the end."""
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        self._loop.call_soon_threadsafe(self._ended.set)
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.call_later, CLOSED_WITHIN + 1, os._exit, 0)

    async def run(self) -> int:
        ended = asyncio.create_task(self._ended.wait())
        serving = asyncio.create_task(self._serve())
        await asyncio.wait([ended, serving], return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        await asyncio.wait([serving])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSED_WITHIN):
                await self._side.shutdown()
        return 0 if ended.done() else 1

    def _send(self, message: Any) -> None:
        if self._outgoing is not None:
            self._outgoing.put_nowait(message)

    async def _serve(self) -> None:
        """Streams, one after the other. Returns when the kernel wants a new run of this program."""
        alone = self._loop.call_later(ALONE, self._close_all)
        while True:
            code, text = await self._one_stream(alone)
            self._outgoing = None
            self._side.cut()
            if code in STOPS:
                self._say(f"refused by the kernel at {self._host}: {text}")
                return
            if alone.cancelled():
                alone = self._loop.call_later(ALONE, self._close_all)
            refused = "refused" if code in WAITS else "not connected"
            self._say(f"{refused}: {text}; trying again")
            wait = min(LAST_WAIT, FIRST_WAIT * 2.0 ** min(self._tries, 10))
            self._tries += 1
            await asyncio.sleep(wait * random.uniform(0.75, 1.25))

    def _close_all(self) -> None:
        self._side.cut()
        self._closing = asyncio.ensure_future(self._side.close_unclaimed())

    def _say(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(text)

    async def _one_stream(self, alone: asyncio.TimerHandle) -> tuple[str, str]:
        """Serves until the stream ends. Returns the gRPC code and why, in words."""
        try:
            files = (self._files[name].read_bytes() for name in ("ca", "key", "cert"))
            credentials = grpc.ssl_channel_credentials(*files)
        except OSError as error:
            return "UNAUTHENTICATED", f"{error.filename}: {error.strerror}"
        async with grpc.aio.secure_channel(self._host, credentials, options=CHANNEL) as channel:
            if not await _connected(channel):
                return "UNAVAILABLE", await asyncio.to_thread(why_not, self._host, self._files)
            call: Any = channel.stream_stream(
                self._kind.method,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=self._kind.to.FromString,
            )()
            try:
                why = await self._serve_stream(call, alone)
            finally:
                call.cancel()
            code, text = await _ending(call, why)
        if code == "UNAVAILABLE" and not alone.cancelled():  # nobody has answered
            text = await asyncio.to_thread(why_not, self._host, self._files)
        return code, text

    async def _serve_stream(self, call: Any, alone: asyncio.TimerHandle) -> str:
        outgoing: asyncio.Queue[Any] = asyncio.Queue()
        outgoing.put_nowait(self._hello)
        self._outgoing, self._heard = outgoing, self._loop.time()
        unclaimed = self._loop.call_later(CLAIMED_WITHIN, self._close_unclaimed)
        tasks = [
            asyncio.create_task(_write(call, outgoing)),
            asyncio.create_task(self._read(call, alone)),
            asyncio.create_task(self._until_silent()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return "the kernel says nothing" if tasks[2] in done else ""
        finally:
            unclaimed.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _close_unclaimed(self) -> None:
        self._closing = asyncio.ensure_future(self._side.close_unclaimed())

    async def _read(self, call: Any, alone: asyncio.TimerHandle) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while (message := await call.read()) is not grpc.aio.EOF:
                self._heard = self._loop.time()
                if not alone.cancelled():
                    alone.cancel()
                    self._tries = 0
                    self._say(f"attached to {self._host}")
                self._side.receive(message)

    async def _until_silent(self) -> None:
        """Ends when nothing was heard for long. A time in which this program itself stood still does not count."""
        while self._loop.time() - self._heard < SILENT:
            before = self._loop.time()
            await asyncio.sleep(1)
            self._heard += max(0.0, self._loop.time() - before - 2)


async def _connected(channel: grpc.aio.Channel) -> bool:
    """Whether a connection came about at the first try."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CONNECTED_WITHIN):
            state = channel.get_state(try_to_connect=True)
            while state not in (READY, FAILED):
                await channel.wait_for_state_change(state)
                state = channel.get_state()
            return state is READY
    return False


async def _write(call: Any, outgoing: asyncio.Queue[Any]) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        while True:
            await call.write(await outgoing.get())


async def _ending(call: Any, why: str) -> tuple[str, str]:
    """How a stream ended. why: what we know ourselves."""
    if why:
        return "UNAVAILABLE", why
    with contextlib.suppress(TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(1):
            code, text = await call.code(), await call.details()
            if code.name in STOPS | WAITS:
                return code.name, text
    return "UNAVAILABLE", "the connection broke"


def why_not(host: str, files: Mapping[str, Path]) -> str:
    """Why no connection comes about, in words. Blocks, some seconds at most."""
    name, _, port = host.rpartition(":")
    name = name.strip("[]")
    try:
        own = credentials(files["cert"].parent, server=False)
        with (
            socket.create_connection((name, int(port)), timeout=3) as plain,
            own.dialling().wrap_socket(plain, server_hostname=name) as secured,
        ):
            secured.settimeout(2)
            secured.recv(1)
    except AdmissionError as error:  # of our own files; the kernel would not say so
        return str(error)
    except ssl.SSLCertVerificationError as error:
        return f"the certificate of the kernel at {host} {told(error)}"
    except ssl.SSLEOFError:
        pass
    except ssl.SSLError as error:
        return f"no TLS with {host}: {told(error)}"
    except TimeoutError:
        return f"no answer from {host}"
    except OSError as error:
        return f"{host}: {error.strerror or error}"
    return f"{host} hung up; `bedplate status` there says why, if it is a Bedplate"
