"""Accepts connections at one address, ends their TLS where there is any, and hands the bytes to a gRPC server.

TLS ends here and not in gRPC because gRPC does not say why a handshake failed, and an operator must be told; and
because gRPC limits neither connections nor what they may cost before they say something. Each connection reaches gRPC's
unix socket from a name of its own in a private folder; by this name `peer` tells who it is.

A connection is silent until it has shaken hands and sent the preface of HTTP/2, a stranger until somebody on it has
said who he is, and then welcome. Where there is no more room for its kind the oldest of the address that has most of
them leaves, so that a flood does not keep out whoever is quick; whoever is welcome stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from bedplate.errors import AdmissionError
from bedplate.listening import turns
from bedplate.listening.alerts import alert_of
from bedplate.listening.descriptors import connections
from bedplate.listening.forwarding import Client, Side, until_over
from bedplate.listening.peer import Peer, source_of
from bedplate.listening.reasons import why
from bedplate.listening.turns import Turns

RESTS = 0.2  # s after a connection that could not be taken
AT_ONCE = 16  # connections taken in one turn of the loop
BACKLOG = 512
OURS = 3  # descriptors of a connection: the client's, and both ends of the way to gRPC


@dataclass(frozen=True, slots=True)
class Limits:
    """silent, strangers: connections of these kinds · each: that are not silent, of one address · most: that are not
    silent · begins_within: s for handshake and preface · welcomed_within: s that a stranger may stay, None: while there
    is room."""

    silent: int = 256
    strangers: int = 64
    each: int = 96
    most: int = 192
    begins_within: float = 5.0
    welcomed_within: float | None = None

    def within(self, descriptors: int) -> Limits:
        """The same, or less where there are not enough descriptors for all that."""
        silent = min(self.silent, max(8, descriptors // 8))
        most = min(self.most, connections(descriptors - silent, OURS))
        strangers = min(self.strangers, max(4, most // 2))
        return replace(self, most=most, strangers=strangers, silent=silent)


@dataclass(eq=False, slots=True)
class _Connection:
    """host: as limits count it · address: with the port, for people."""

    socket: socket.socket
    host: str
    address: str
    task: asyncio.Task[None] | None = None


class Listener:
    """Listens at one address. refused: told in a sentence of each connection that may not come in · tls: a context for
    the next handshake, None: without TLS · turned_away: how many were closed for want of room, or were too slow."""

    def __init__(
        self,
        folder: Path,
        server: Path,
        refused: Callable[[str], None],
        *,
        tls: Callable[[], ssl.SSLContext] | None = None,
        limits: Limits | None = None,
        who: str = "a client",
    ) -> None:
        self._folder, self._server = folder, server
        self._refused, self._tls, self._who = refused, tls, who
        self.limits = limits or Limits()
        self._turns = Turns(time.monotonic, turns.CALLS)
        self._handshakes = Turns(time.monotonic, turns.HANDSHAKES)
        self._peers: dict[str, Peer] = {}
        self._silent: dict[_Connection, None] = {}  # the oldest first
        self._strangers: dict[_Connection, None] = {}
        self._open: dict[_Connection, None] = {}  # strangers and welcome ones
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None
        self.turned_away = 0

    @property
    def connections(self) -> int:
        return len(self._silent) + len(self._open)

    async def start(self, listen: str) -> str:
        """Returns the address with its real port. Raises OSError when it is taken."""
        host, _, port = listen.rpartition(":")
        loop = asyncio.get_running_loop()
        if int(port) > 65535:
            raise OSError(0, f"{port} is no port")
        found = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        self._socket = _bound(found[0][0], found[0][4])
        loop.add_reader(self._socket, self._accept, self._socket)
        return f"{host}:{self._socket.getsockname()[1]}"

    async def stop(self) -> None:
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1)
            await asyncio.sleep(0)  # what was aborted lets go of its socket in the loop's next turn
        for connection in (*self._silent, *self._open):  # of tasks that never began
            connection.socket.close()

    def peer(self, name: str) -> Peer | None:
        """Who speaks, by what gRPC calls the peer; None: nobody who came through here."""
        return self._peers.get(name)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                accepted, address = listening.accept()
            except BlockingIOError:
                return
            except OSError:  # gone again; or out of descriptors, and those that are open may end
                loop = asyncio.get_running_loop()
                loop.remove_reader(listening)
                loop.call_later(RESTS, self._go_on, listening)
                return
            self._take(accepted, address)

    def _go_on(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _take(self, accepted: socket.socket, address: Any) -> None:
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        connection = _Connection(accepted, source_of(address[0]), f"{shown}:{address[1]}")
        if len(self._silent) >= self.limits.silent:
            self._make_room(self._silent)
            many = f"{self.limits.silent} connections at once that have not said who they are"
            self._refused(many)
        self._silent[connection] = None
        connection.task = asyncio.create_task(self._serve(connection))
        self._tasks.add(connection.task)
        connection.task.add_done_callback(self._tasks.discard)

    def _begun(self, connection: _Connection) -> None:
        """It is a stranger now. Raises ConnectionError when there is no room for it."""
        self._silent.pop(connection, None)
        host, limits = connection.host, self.limits
        here = sum(one.host == host for one in self._open)
        full = here >= limits.each and not self._make_room(self._strangers, host)
        if full or (len(self._open) >= limits.most and not self._make_room(self._strangers)):
            self._refused(f"{self._who} at {host}: too many connections")
            raise ConnectionError("too many connections")
        if len(self._strangers) >= limits.strangers:
            self._make_room(self._strangers)
        self._open[connection] = self._strangers[connection] = None

    def _make_room(self, among: dict[_Connection, None], host: str = "") -> bool:
        """The oldest among these of this address, or of the one that has most of them, leaves."""
        if not host and among:
            ((host, _),) = Counter(one.host for one in among).most_common(1)
        oldest = next((one for one in among if one.host == host), None)
        if oldest is None:
            return False
        self.turned_away += 1
        self._leave(oldest)
        if oldest.task:
            oldest.task.cancel()
        return True

    def _leave(self, connection: _Connection) -> None:
        for kind in (self._silent, self._open, self._strangers):
            kind.pop(connection, None)

    async def _serve(self, connection: _Connection) -> None:
        try:
            client = Client(partial(self._objected, connection), self._turns)
            try:
                async with asyncio.timeout(self.limits.begins_within):
                    peer = await self._begin(connection, client)
                self._begun(connection)
                await self._forward(peer, client)
            finally:
                if hasattr(client, "transport"):
                    client.transport.abort()
        except ssl.SSLError as error:
            self._refused(f"{self._who} at {connection.host}: {why(error)}")
        except AdmissionError as error:  # of our own files, which may have been renewed wrongly
            self._refused(f"nobody can come in: {error}")
        except (OSError, TimeoutError):
            self.turned_away += 1  # hung up, or too slow: the port is open to whoever scans it
        finally:
            self._leave(connection)
            connection.socket.close()

    async def _begin(self, connection: _Connection, client: Client) -> Peer:
        """Handshake, where there is TLS, and the preface."""
        connection.socket.setblocking(False)
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Peer(connection.address, settled=lambda: self._settle(connection, client))
        if self._tls:
            shaken = await self._shake_hands(connection.socket, client, self._tls())
            peer.certificate = shaken.getpeercert(binary_form=True) or b""
            peer.shown = shaken.getpeercert() or {}
        else:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: client, connection.socket)
        await client.begins()
        return peer

    def _objected(self, connection: _Connection, why: str) -> None:
        self.turned_away += 1
        self._refused(f"{self._who} at {connection.host}: {why}")

    def _settle(self, connection: _Connection, client: Client) -> None:
        self._strangers.pop(connection, None)
        client.welcome()

    async def _shake_hands(
        self, accepted: socket.socket, client: Client, context: ssl.SSLContext
    ) -> ssl.SSLObject:
        await self._handshakes.turn()
        loop = asyncio.get_running_loop()
        spare = accepted.dup()
        try:
            plain, _ = await loop.connect_accepted_socket(_Unread, accepted)
        except BaseException:
            spare.close()
            raise
        try:
            shaken = await loop.start_tls(
                plain,
                client,
                context,
                server_side=True,
                ssl_handshake_timeout=self.limits.begins_within,
                ssl_shutdown_timeout=1.0,
            )
        except BaseException as error:
            plain.abort()  # asyncio would take its leave of the peer for a second
            with contextlib.suppress(OSError):
                spare.send(alert_of(error))
            raise
        finally:
            spare.close()
        assert shaken  # what start_tls returns once the handshake is over
        client.connection_made(shaken)
        found: ssl.SSLObject = shaken.get_extra_info("ssl_object")
        return found

    async def _forward(self, peer: Peer, client: Client) -> None:
        loop = asyncio.get_running_loop()
        name = self._folder / secrets.token_hex(8)
        near = socket.socket(socket.AF_UNIX)
        near.setblocking(False)
        near.bind(str(name))
        self._peers[f"unix:{name}"] = peer
        leaving = self._leave_unwelcomed(peer)
        try:
            await loop.sock_connect(near, str(self._server))
            _, server = await loop.create_unix_connection(Side, sock=near)
            client.join(server)
            await until_over(client, server, peer.over)
        finally:
            if leaving:
                leaving.cancel()
            near.close()
            del self._peers[f"unix:{name}"]
            name.unlink(missing_ok=True)

    def _leave_unwelcomed(self, peer: Peer) -> asyncio.TimerHandle | None:
        within = self.limits.welcomed_within
        if within is None:
            return None

        def end() -> None:
            if not peer.welcomed:
                peer.over.set()

        return asyncio.get_running_loop().call_later(within, end)


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
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
