"""The API's servers: one for the network, behind a listener that ends TLS and counts connections, and one of its own on
a local socket for admin, so that no flood on the one is felt on the other.

Its limits are part of the contract: protos/README.md §5.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio

from bedplate.api.v1 import api_pb2
from bedplate.gate.announcement import connections_folder
from bedplate.gate.audit import Audit, Entry
from bedplate.gate.identities import Identities
from bedplate.listening.descriptors import raise_limit
from bedplate.listening.listener import Limits, Listener
from bedplate.listening.refusals import Refusals
from bedplate.planning.moves import Moves
from bedplate.runtime.kernel import Kernel
from bedplate.server.access import AccessService
from bedplate.server.admin import Admin
from bedplate.server.alarms import AlarmService
from bedplate.server.catalog import Catalog
from bedplate.server.check_access import CheckAccessService
from bedplate.server.deployments import DeploymentService
from bedplate.server.door import Door, GateLike, Method
from bedplate.server.entrance import Entrance
from bedplate.server.explain import ExplainService
from bedplate.server.gaps import GapService
from bedplate.server.health import health_handler
from bedplate.server.history import HistoryService
from bedplate.server.live import LiveService
from bedplate.server.maintenance import MaintenanceService
from bedplate.server.sessions import Open, Sessions
from bedplate.server.tls import ApiTls

STREAMS = 32  # of a connection
# Calls at once over the network and over the local socket. gRPC counts one as soon as its head is here, before anybody
# knows whose it is: a limit that strangers can reach keeps everybody out, so it is what all connections together may.
CONCURRENT, LOCAL = Limits().most * STREAMS, 64
OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.max_concurrent_streams", STREAMS),
    ("grpc.server.max_pending_requests", CONCURRENT),  # those it has not got round to yet
    ("grpc.server.max_pending_requests_hard_limit", CONCURRENT),
    ("grpc.max_metadata_size", 8192),
    ("grpc.server_handshake_timeout_ms", 5000),
    ("grpc.max_connection_idle_ms", 300_000),
)
Services = Sequence[Any]  # with methods(): what others add


@dataclass(frozen=True, slots=True)
class Guarded:
    """By what every call is judged, and where that is written down."""

    gate: GateLike
    identities: Identities
    audit: Audit


@dataclass(frozen=True, slots=True)
class Told:
    """What `status` tells beside the kernel's. notices: what nobody should forget · writes: how writing stands ·
    audit: how the audit log does."""

    problems: Callable[[], Iterable[str]] = tuple
    notices: Callable[[], Iterable[str]] = tuple
    writes: Callable[[], Any] = lambda: None
    audit: Callable[[], str] = str


class ApiServer:
    """Serves a kernel. address: "127.0.0.1:7443" once started · deployments: plan and apply · more: services that
    others bring · refusals: whom TLS or a full house kept out."""

    def __init__(
        self,
        kernel: Kernel,
        guarded: Guarded,
        plugins: Iterable[api_pb2.PluginStatus] = (),
        deployments: DeploymentService | None = None,
        *,
        told: Told | None = None,
        more: Services = (),
    ) -> None:
        self._kernel, self._gate, self._audit = kernel, guarded.gate, guarded.audit
        self._identities = identities = guarded.identities
        self._deployments = deployments
        told = told or Told()
        self._admin = Admin(kernel, plugins, told.problems, told.notices, deployments, told.writes)
        self._admin.audit = told.audit
        clock = kernel.clock
        self._network = Entrance(identities, clock.time_ns, self._peer)
        self._socket = Entrance(identities, clock.time_ns)
        self.sessions = Sessions(clock, self._look, lambda: identities.generation)
        self.refusals = Refusals("API")
        self.refusals.told = self._refused
        self._more = more
        self._servers: list[grpc.aio.Server] = []
        self.listener: Listener | None = None
        self._tls: ApiTls | None = None
        self._folder: Path | None = None
        self.address = ""

    async def start(self, listen: str, socket: Path, tls: ApiTls | None = None) -> str:
        """Returns the address it serves. Raises OSError with the address when it is taken; BedplateError."""
        self._folder = folder = connections_folder(socket)
        inner = folder / "api"
        methods = self._methods()
        for entrance, path, most in (
            (self._network, inner, CONCURRENT),
            (self._socket, socket, LOCAL),
        ):
            door = Door(self._gate, entrance, self.sessions)
            server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=most)
            server.add_generic_rpc_handlers([*door.handlers(methods), health_handler()])
            server.add_insecure_port(f"unix:{path}")
            await server.start()
            self._servers.append(server)
        self.sessions.start()
        self._tls = tls
        context = tls.context if tls else None
        limits = Limits().within(raise_limit())
        self.listener = Listener(folder, inner, self.refusals.refused, tls=context, limits=limits)
        try:
            self.address = await self.listener.start(listen)
        except OSError as error:
            raise OSError(
                f"cannot listen on {listen}: the address is in use or not of this machine"
            ) from error
        return self.address

    def admitted(self, plugins: Iterable[api_pb2.PluginStatus]) -> None:
        """Another deployment was applied, which may use other plugins."""
        self._admin.admitted(plugins)

    def figures(self) -> dict[str, int]:
        """For `api_instruments`."""
        listener = self.listener
        return {
            "refused": self.refusals.count,
            "hurried": listener.turned_away if listener else 0,
            "cut": self.sessions.cut,
            "connections": listener.connections if listener else 0,
            "streams": self.sessions.streams,
        }

    def problems(self) -> Iterator[str]:
        """For `status`."""
        yield from self.refusals.now()
        if self._tls and self._tls.problem:
            yield self._tls.problem

    def _methods(self) -> list[Method]:
        kernel = self._kernel
        rooms: list[Any] = [
            Catalog(kernel),
            LiveService(kernel),
            HistoryService(kernel, self._moves),
            GapService(kernel, self._moves),
            AlarmService(kernel),
            self._admin,
            MaintenanceService(kernel),
            ExplainService(kernel),
            CheckAccessService(kernel),
            AccessService(self._identities, self.sessions, self._audit, kernel.clock.monotonic),
            *self._more,
        ]
        rooms += [self._deployments] if self._deployments else []
        return [method for room in rooms for method in room.methods()]

    def _peer(self, name: str) -> Any:
        return self.listener.peer(name) if self.listener else None

    async def _look(self, opened: Open) -> Any:
        entrance = self._network if opened.peer else self._socket
        return await entrance.look(opened)

    def _refused(self, text: str) -> None:
        """Who was not let in, once a minute."""
        self._audit.add(Entry("connect", "refused", rule="api", text=text), urgent=True)

    def _moves(self) -> Moves:
        return self._deployments.moves if self._deployments else Moves()

    async def stop(self) -> None:
        await self.sessions.stop()
        for server in self._servers:
            await server.stop(grace=0.2)
        if self.listener:
            await self.listener.stop()
        if self._folder:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
