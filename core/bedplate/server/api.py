"""The API's servers: one TCP port, loopback unless TLS comes with a later version, and a local socket for admin.

Its limits are part of the contract: protos/README.md §5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import grpc.aio

from bedplate.api.v1 import api_pb2
from bedplate.planning.moves import Moves
from bedplate.runtime.kernel import Kernel
from bedplate.server.admin import Admin
from bedplate.server.alarms import AlarmService
from bedplate.server.catalog import Catalog
from bedplate.server.deployments import DeploymentService
from bedplate.server.door import Door, GateLike
from bedplate.server.explain import ExplainService
from bedplate.server.gaps import GapService
from bedplate.server.health import health_handler
from bedplate.server.history import HistoryService
from bedplate.server.live import LiveService
from bedplate.server.maintenance import MaintenanceService

OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.max_concurrent_streams", 32),
    ("grpc.max_metadata_size", 8192),
    ("grpc.server_handshake_timeout_ms", 5000),
    ("grpc.max_connection_idle_ms", 300_000),
)
CONCURRENT = 256


class ApiServer:
    """Serves a kernel. address: "127.0.0.1:7443" once started · problems: what `status` tells beside the kernel's ·
    notices: what nobody should forget · deployments: plan and apply."""

    def __init__(
        self,
        kernel: Kernel,
        gate: GateLike,
        plugins: Iterable[api_pb2.PluginStatus] = (),
        problems: Callable[[], Iterable[str]] = tuple,
        deployments: DeploymentService | None = None,
        *,
        notices: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._kernel = kernel
        self._door = Door(gate)
        self._plugins = plugins
        self._problems = problems
        self._notices = notices
        self._deployments = deployments
        self._server: grpc.aio.Server | None = None
        self._admin: Admin | None = None
        self.address = ""

    async def start(self, listen: str, socket: Path | None = None) -> str:
        """Returns the address it serves. Raises OSError with the address when it is taken."""
        host, _, _ = listen.rpartition(":")
        self._server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=CONCURRENT)
        self._admin = Admin(
            self._kernel, self._plugins, self._problems, self._notices, self._deployments
        )
        rooms: list[Any] = [
            Catalog(self._kernel),
            LiveService(self._kernel),
            HistoryService(self._kernel, self._moves),
            GapService(self._kernel, self._moves),
            AlarmService(self._kernel),
            self._admin,
            MaintenanceService(self._kernel),
            ExplainService(self._kernel),
        ]
        rooms += [self._deployments] if self._deployments else []
        methods = [method for room in rooms for method in room.methods()]
        self._server.add_generic_rpc_handlers([*self._door.handlers(methods), health_handler()])
        try:
            port = self._server.add_insecure_port(listen)
            if socket:
                self._server.add_insecure_port(f"unix:{socket}")
        except RuntimeError as error:
            raise OSError(
                f"cannot listen on {listen}: the address is in use or not of this machine"
            ) from error
        await self._server.start()
        self.address = f"{host}:{port}"
        return self.address

    def admitted(self, plugins: Iterable[api_pb2.PluginStatus]) -> None:
        """Another deployment was applied, which may use other plugins."""
        if self._admin:
            self._admin.admitted(plugins)

    def _moves(self) -> Moves:
        return self._deployments.moves if self._deployments else Moves()

    async def stop(self) -> None:
        if self._server:
            await self._server.stop(grace=0.2)
