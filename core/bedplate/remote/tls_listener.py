"""Where remote plugins dial in: ends TLS, knows the place by its certificate, and hands the bytes to the gRPC server.

TLS ends here and not in gRPC because gRPC does not say why a handshake failed, and an operator must be told. Each
connection reaches gRPC's unix socket from a name of its own in the run folder; by this name `peer` tells who it is.
Nobody who is not yet welcomed keeps a connection for long, and only so many may try at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bedplate.errors import AdmissionError
from bedplate.remote.credentials import Credentials, place_of, told

HANDSHAKE_WITHIN, WELCOMED_WITHIN = 5.0, 10.0  # s
MOST_UNWELCOMED = 32  # connections that have not said Hello
CHUNK = 1 << 17  # bytes
RESTS = 0.2  # s after a connection that could not be taken
SPARE_CLOSE = 0.3  # s that the last words have to leave


@dataclass
class Peer:
    """One connection. place: what its certificate is for, "" when it says nothing · address: for people."""

    place: str
    address: str
    settled: Callable[[], None]
    welcomed: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def welcome(self) -> None:
        """It has said who it is and may stay."""
        self.welcomed = True
        self.settled()

    def drop(self) -> None:
        """Ends the connection once the last words had time to leave."""
        asyncio.get_running_loop().call_later(SPARE_CLOSE, self.over.set)


class TlsListener:
    """Listens at one address. refused: told in a sentence of each connection that may not come in."""

    def __init__(
        self, files: Credentials, run_folder: Path, server: Path, refused: Callable[[str], None]
    ) -> None:
        self._files = files
        self._folder = run_folder
        self._server = server
        self._refused = refused
        self._peers: dict[str, Peer] = {}
        self._trying: set[socket.socket] = set()
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, listen: str) -> str:
        """Returns the address with its real port. Raises OSError when it is taken."""
        host, _, port = listen.rpartition(":")
        loop = asyncio.get_running_loop()
        try:
            if int(port) > 65535:
                raise OSError(0, f"{port} is no port")
            found = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
            self._socket = _bound(found[0][0], found[0][4])
        except OSError as error:
            raise OSError(f"plugins.listen: cannot listen at {listen}: {error.strerror}") from None
        loop.add_reader(self._socket, self._accept, self._socket)
        return f"{host}:{self._socket.getsockname()[1]}"

    async def stop(self) -> None:
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1)
            await asyncio.sleep(0)  # what was aborted lets go of its socket in the loop's next turn
        for accepted in self._trying:  # of tasks that never began
            accepted.close()

    def peer(self, name: str) -> Peer | None:
        """Who speaks, by what gRPC calls the peer; None: nobody who came through here."""
        return self._peers.get(name)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, listening: socket.socket) -> None:
        try:
            accepted, address = listening.accept()
        except BlockingIOError:
            return
        except OSError:  # gone again; or out of descriptors, and those that are open may end
            loop = asyncio.get_running_loop()
            loop.remove_reader(listening)
            loop.call_later(RESTS, self._go_on, listening)
            return
        if len(self._trying) >= MOST_UNWELCOMED:
            accepted.close()
            self._refused(f"{MOST_UNWELCOMED} connections at once that have not said who they are")
            return
        self._trying.add(accepted)
        self._start(self._serve(accepted, f"{address[0]}:{address[1]}"))

    def _go_on(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    async def _serve(self, accepted: socket.socket, where: str) -> None:
        try:
            reader, writer = await self._shake_hands(accepted)
            with _aborting(writer):
                certificate = writer.get_extra_info("peercert") or {}
                peer = Peer(place_of(certificate), where, lambda: self._trying.discard(accepted))
                await self._forward(peer, reader, writer)
        except ssl.SSLError as error:
            self._refused(f"a program at {where.rpartition(':')[0]}: {_why(error)}")
        except (
            AdmissionError
        ) as error:  # the kernel's own files, which may have been renewed wrongly
            self._refused(f"nobody can come in: {error}")
        except (OSError, TimeoutError):
            pass  # it hung up, or was too slow: the port is open to whoever scans it
        finally:
            self._trying.discard(accepted)
            accepted.close()

    async def _shake_hands(
        self, accepted: socket.socket
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        context = self._files.serving()
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain, _ = await loop.connect_accepted_socket(_Unread, accepted)
        reader = asyncio.StreamReader(limit=CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            shaken = await loop.start_tls(
                plain,
                protocol,
                context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_WITHIN,
                ssl_shutdown_timeout=1.0,
            )
        except BaseException:
            plain.abort()  # asyncio would take its leave of the peer for a second
            raise
        assert shaken  # what start_tls returns once the handshake is over
        protocol.connection_made(shaken)
        return reader, asyncio.StreamWriter(shaken, protocol, reader, loop)

    async def _forward(
        self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        name = self._folder / secrets.token_hex(8)
        near = socket.socket(socket.AF_UNIX)
        near.setblocking(False)
        near.bind(str(name))
        self._peers[f"unix:{name}"] = peer
        try:
            await asyncio.get_running_loop().sock_connect(near, str(self._server))
            inner_reader, inner_writer = await asyncio.open_unix_connection(sock=near, limit=CHUNK)
            with _aborting(inner_writer):
                await self._until_over(
                    peer, _pump(reader, inner_writer), _pump(inner_reader, writer)
                )
        finally:
            near.close()
            del self._peers[f"unix:{name}"]
            name.unlink(missing_ok=True)

    async def _until_over(self, peer: Peer, *pumps: Coroutine[Any, Any, None]) -> None:
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(pump) for pump in pumps]
        ends.append(asyncio.create_task(peer.over.wait()))
        try:
            await asyncio.wait(ends, timeout=WELCOMED_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            if peer.welcomed and not any(end.done() for end in ends):
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)


class _Unread(asyncio.Protocol):
    """Leaves what comes before the handshake to the handshake."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()


def _bound(family: int, address: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(64)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


@contextlib.contextmanager
def _aborting(writer: asyncio.StreamWriter) -> Iterator[None]:
    """Closes at once: a peer that is gone must not hold what was meant for it."""
    try:
        yield
    finally:
        writer.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """All bytes of one direction, no more of them in memory than the other side takes."""
    with contextlib.suppress(OSError):
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()


def _why(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate {told(error)}"
    return told(error)
