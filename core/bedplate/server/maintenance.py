"""Admin: devices are set aside while people work on them, and taken back into service."""

from __future__ import annotations

from typing import Any

from bedplate.api.v1 import maintenance_pb2
from bedplate.errors import CallError
from bedplate.model import tails
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.maintenance import Maintenance
from bedplate.server.door import Caller, Method
from bedplate.server.part import Parts
from bedplate.server.selection import several, unknown

ACTION = "admin.maintenance"


class MaintenanceService:
    """Two methods of the service Admin. A device is named by the id of its component, or by the path of its asset or
    any tail of it: then all devices that feed the asset are meant."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._parts = kernel, Parts(kernel)

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.Admin"
        begin, end = maintenance_pb2.SetMaintenanceRequest, maintenance_pb2.EndMaintenanceRequest
        return [
            Method(service, "SetMaintenance", "unary", begin, ACTION, self.begin, self._there),
            Method(service, "EndMaintenance", "unary", end, ACTION, self.end, self._resources),
        ]

    async def begin(self, request: Any, caller: Caller) -> Any:
        found = await self._devices(request, caller, set_aside=False)
        book, by = self._kernel.maintenance, caller.subject.id
        begun = [book.begin(one, request.until, by, request.reason) for one in found]
        await self._kernel.engine.synced(self._kernel.engine.state().appended)
        return maintenance_pb2.SetMaintenanceResponse(maintenance=map(_message, begun))

    async def end(self, request: Any, caller: Caller) -> Any:
        found = await self._devices(request, caller, set_aside=True)
        ended = [self._kernel.maintenance.end(one, caller.subject.id) for one in found]
        await self._kernel.engine.synced(self._kernel.engine.state().appended)
        return maintenance_pb2.EndMaintenanceResponse(
            maintenance=[_message(one) for one in ended if one]
        )

    async def _there(self, request: Any, caller: Caller) -> list[str]:
        """The same of those that the deployment has: no other is set aside."""
        kernel = await self._parts.of(caller, "admin.status")
        return [path for path, _ in _named(kernel, request.device, set_aside=False)]

    async def _resources(self, request: Any, caller: Caller) -> list[str]:
        """Paths of the devices that are meant, among those that the caller may see."""
        kernel = await self._parts.of(caller, "admin.status")
        return [path for path, _ in _named(kernel, request.device, set_aside=True)]

    async def _devices(self, request: Any, caller: Caller, *, set_aside: bool) -> list[str]:
        kernel = await self._parts.of(caller, "admin.status")
        return [component for _, component in _named(kernel, request.device, set_aside=set_aside)]


def _named(kernel: Kernel, text: str, *, set_aside: bool) -> list[tuple[str, str]]:
    """Paths and ids of components. set_aside: also what is, and the deployment no longer has. Raises CallError
    NOT_FOUND; INVALID_ARGUMENT with the candidates when it names several assets, or what is no device."""
    text = text.strip("/")
    devices = {s.component.id: s.component.path for s in kernel.tier("source")}
    if set_aside:
        standing = kernel.maintenance.standing()
        devices = {one.component: one.path for one in standing} | devices
    places: dict[str, list[str]] = {}
    for id_, path in devices.items():
        places.setdefault(path or id_, []).append(id_)
    if text in devices:
        return [(devices[text] or text, text)]
    found = tails(text, places)
    if len(found) == 1:
        return [(found[0], id_) for id_ in places[found[0]]]
    if found:
        raise several(text, "devices", found)
    if text in kernel.components:
        words = f"{text} is no device: only connectors that bring values are set aside"
        raise CallError(words, code="INVALID_ARGUMENT")
    raise unknown(text, "device", [*devices, *places])


def standing(kernel: Kernel) -> list[maintenance_pb2.Maintenance]:
    """What is set aside, as messages."""
    return [_message(one) for one in kernel.maintenance.standing()]


def _message(one: Maintenance) -> maintenance_pb2.Maintenance:
    return maintenance_pb2.Maintenance(
        component=one.component,
        path=one.path,
        since=one.since,
        until=one.until,
        by=one.by,
        reason=one.reason,
    )
