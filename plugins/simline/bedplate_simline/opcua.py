"""The line's PLC: an OPC UA server that shows the plant.

Owns: the updates of the nodes and the writes of setpoints.
Rule: a node changes only when its value does; all nodes of one update carry the same source
timestamp. A write outside the range is refused with BadOutOfRange and seen by nobody.
Does not decide any value (`plant.py`), make nodes (`address_space.py`) or let clients in
(`opcua_security.py`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import asyncua.ua
from asyncua.common.callback import CallbackType
from asyncua.server.server import Server
from asyncua.ua.uatypes import DataValue, NodeId

from bedplate_simline.address_space import VARIANTS, add_nodes, sample
from bedplate_simline.opcua_security import Security, secure
from bedplate_simline.plant import Plant
from bedplate_simline.serving import every_period, say
from bedplate_simline.tags import TagSpec, Value

ua: Any = asyncua.ua  # its re-exports are not declared, which strict type checking minds

_SLOW_EVERY: Final = 5
"""Updates between two samples of a slow tag."""


class LineServer:
    """The OPC UA server of one plant. `heard` is told of each setpoint that a client wrote."""

    def __init__(
        self,
        plant: Plant,
        elapsed_ns: Callable[[], int],
        heard: Callable[[str, float], None] = lambda name, value: None,
    ) -> None:
        self._plant = plant
        self._elapsed_ns = elapsed_ns
        self._heard = heard
        self._nodes: dict[NodeId, TagSpec] = {}
        self._shown: dict[str, Value] = {}
        self._refused: dict[int, list[int]] = {}
        self._updates = 0

    async def serve(self, host: str, port: int, security: Security) -> None:
        """Listen, say where, update until cancelled. Raises OSError when the port is taken."""
        self._server = await self._build(f"opc.tcp://{host}:{port}", security)
        async with self._server:
            listening = self._server.bserver
            assert listening is not None
            url = f"opc.tcp://{host}:{listening.port}"
            self._name_endpoints(url)
            await self._update()
            say({"endpoint": url})
            await every_period(self._update)

    async def _build(self, url: str, security: Security) -> Server:
        # The standard address space is some 100,000 objects that live to the end: looking for
        # garbage among them while they are made doubles the time to start.
        gc.disable()
        server = Server()
        await server.init()
        server.disable_clock()  # its task delays the end by up to 1 s; _tell_time stands in
        server.set_server_name("Simulated bottling line")
        server.set_endpoint(url)
        await secure(server, security)
        self._plant.advance_to(self._elapsed_ns())
        self._nodes = await add_nodes(server, self._plant.values())
        server.subscribe_server_callback(CallbackType.PreWrite, self._before_write)
        server.subscribe_server_callback(CallbackType.PostWrite, self._after_write)
        gc.freeze()
        gc.enable()
        return server

    def _name_endpoints(self, url: str) -> None:
        """Put the port that the system chose into what GetEndpoints answers."""
        for endpoint in self._server.iserver.endpoints:
            endpoint.EndpointUrl = url
            endpoint.Server.DiscoveryUrls = [url]

    async def _update(self) -> None:
        self._plant.advance_to(self._elapsed_ns())
        values = self._plant.values()
        now = datetime.now(UTC)
        slow_too = self._updates % _SLOW_EVERY == 0
        for node_id, spec in self._nodes.items():
            value = values[spec.name]
            if self._shown.get(spec.name) == value or (spec.slow and not slow_too):
                continue
            self._shown[spec.name] = value
            await self._server.write_attribute_value(node_id, sample(spec, value, now))
        if self._updates % 10 == 0:
            await self._tell_time(now)
        self._updates += 1

    async def _tell_time(self, now: datetime) -> None:
        ids = ua.ObjectIds
        clock = ua.NodeId(ids.Server_ServerStatus_CurrentTime)
        await self._server.write_attribute_value(clock, ua.DataValue(ua.Variant(now)))
        status = self._server.get_node(ua.NodeId(ids.Server_ServerStatus))
        await status.write_value(replace(await status.read_value(), CurrentTime=now))

    def _setpoints(self, event: Any) -> Iterator[tuple[int, Any, TagSpec]]:
        """Position, item and tag of what a client writes to a setpoint."""
        if not event.is_external:
            return
        for position, item in enumerate(event.request_params.NodesToWrite):
            spec = self._nodes.get(item.NodeId)
            if spec and spec.writable and item.AttributeId == ua.AttributeIds.Value:
                yield position, item, spec

    def _before_write(self, event: Any, service: Any) -> None:
        """Put the present value in the place of a refused one, so that no subscriber sees that."""
        for position, item, spec in self._setpoints(event):
            if not _in_range(spec, item.Value):
                item.Value = self._server.iserver.read_attribute_value(item.NodeId)
                self._refused.setdefault(id(event.request_params), []).append(position)

    def _after_write(self, event: Any, service: Any) -> None:
        for position in self._refused.pop(id(event.request_params), []):
            event.response_params[position] = ua.StatusCode(ua.StatusCodes.BadOutOfRange)
        for position, item, spec in self._setpoints(event):
            if event.response_params[position].is_good():
                value = float(item.Value.Value.Value)
                self._shown[spec.name] = value
                self._plant.write(spec.name, value)
                self._heard(spec.name, value)


def _in_range(spec: TagSpec, written: DataValue) -> bool:
    """False for a value outside the range; a wrong type is left to the server to refuse."""
    if written.Value is None or written.Value.VariantType is not VARIANTS[spec.kind]:
        return True
    low, high = spec.span or (float("-inf"), float("inf"))
    value = written.Value.Value
    return isinstance(value, float) and low <= value <= high
