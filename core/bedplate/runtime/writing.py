"""The plant as the write guard meets it: tags and devices of a kernel, one write at a time on its way to a device.

Rule: what became of a write is said as far as it is known and no further. Not sent is only what never left the kernel,
or what the plugin answered EXPIRED; a cut, a silence or a fault is UNKNOWN. Nothing here sends anything twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bedplate.command import Device, Point, ReadBack, Reading, Sending, Sent
from bedplate.command.raw import Unfit, wanted
from bedplate.config.deployment import TagSpec
from bedplate.config.writes import raw_type
from bedplate.errors import ProtocolError
from bedplate.model import DataType, quality
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Silence
from bedplate.runtime import requests
from bedplate.runtime.fresh_samples import FreshSamples, last_of
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.lifecycle import State
from bedplate.runtime.offer import Offer
from bedplate.runtime.source import Source
from bedplate.runtime.supervisor import Supervisor
from bedplate.wire import decode_batch, value_message

ANSWERS = (State.UP, State.DEGRADED)  # there is a session
FRESH = 5.0  # s: a value as old as this is believed at least, however often its tag is read
SCANS = 3  # so many scans may be missing
LEAST = 0.5  # s for one read-back: the last of several must not be cut off by its beginning
NOT_READ_BACK = (Sending.REFUSED, Sending.EXPIRED)
ENDLESS = float("inf")
KNOWN = re.compile(r"u?int(8|16|32|64)|float(32|64)|bool", re.ASCII)  # raw types
WHOLE = {int(DataType.INT64): "int64", int(DataType.UINT64): "uint64"}  # how wide, the device knows
NO = (plugin_pb2.CODE_REFUSED, plugin_pb2.CODE_INVALID, plugin_pb2.CODE_UNSUPPORTED)


class Writing:
    """Of one kernel, on its loop. Fits bedplate.command.Plant."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._fresh: dict[str, FreshSamples] = {}
        self._index: dict[str, tuple[Sequence[TagSpec], dict[str, int]]] = {}

    # --- what there is ---

    def point(self, path: str) -> Point | None:
        table = self._kernel.spine.registry.table
        known = table.newest(path)
        kind = known.data_type if known else DataType.UNSPECIFIED
        found = self._found(path)
        if found is not None:
            return self._point(*found, kind)
        owner = self._kernel.spine.registry.owner.get(path)
        if owner is None:
            return None
        unit, states = (known.unit, known.states) if known else ("", {})
        asset = path.rpartition("/")[0]
        return Point(path, owner, asset, kind, unit=unit, states=states, may_write=False)

    def _point(self, supervisor: Supervisor, spec: TagSpec, local: int, kind: DataType) -> Point:
        component, offer = supervisor.component, self._kernel.offers[supervisor.component.use]
        assert isinstance(supervisor.role, Source)
        declared, sent = raw_type(spec, component), int(supervisor.role.ingest.raw[local])
        return Point(
            path=spec.path,
            device=component.id,
            asset=component.path,
            data_type=kind,
            raw_type=declared if KNOWN.fullmatch(declared) else WHOLE.get(sent, declared),
            address=(spec.address, spec.settings, component.use, component.settings),
            unit=spec.unit,
            scale=spec.scale,
            range=spec.range,
            states=spec.states,
            limits=spec.write,
            max_age=max(FRESH, SCANS * spec.scan_ns / 1e9),
            may_write=_may_write(offer),
        )

    def neighbours(self, asset: str) -> Mapping[str, str]:
        return {
            tag.name: tag.path
            for supervisor in self._kernel.tier("source")
            if supervisor.component.path == asset and isinstance(supervisor.role, Source)
            for tag in supervisor.role.tags
        }

    def reading(self, path: str) -> Reading | None:
        spine = self._kernel.spine
        known = spine.registry.table.newest(path)
        if known is None or not spine.current.has(known.handle):
            return None
        code, age = int(spine.current.quality[known.handle]), self._age(path, known.handle)
        if age is None:
            return Reading(spine.current.value(known.handle), quality.BAD_WAITING, ENDLESS)
        return Reading(spine.current.value(known.handle), code, age)

    def _age(self, path: str, handle: int) -> float | None:
        """A source that pushes sends what changes, so its session speaks for the rest; a scan speaks for itself, also
        where the deadband kept what it brought. A clock that was set back makes everything old. None: not heard since
        the start, whatever is known from before."""
        spine, found = self._kernel.spine, self._found(path)
        heard = int(spine.current.received[handle])
        if found is not None:
            supervisor, _, local = found
            role = supervisor.role
            assert isinstance(role, Source)
            heard = int(role.ingest.seen[local])
            if heard and role.credit is not None and supervisor.life.beneath in ANSWERS:
                return 0.0
        age = (spine.clock.time_ns() - heard) / 1e9
        if not heard:
            return None
        return age if age >= 0 else ENDLESS

    def device(self, device: str) -> Device:
        supervisor = self._kernel.components.get(device)
        if supervisor is None:
            return Device(False, f"the deployment has no component {device}")
        book = self._kernel.maintenance
        one = book.locked(device)
        locked = book.words(one) if one else ""
        up = supervisor.life.beneath in ANSWERS and supervisor.role.attachment is not None
        why = "" if up else f"{device} is {supervisor.life.state}: {supervisor.life.reason}"
        return Device(up, why, locked)

    def not_stored(self) -> str:
        return self._kernel.spine.not_stored

    def _found(self, path: str) -> tuple[Supervisor, TagSpec, int] | None:
        """Who owns a tag, what is said of it, and its handle in the session."""
        owner = self._kernel.spine.registry.owner.get(path, "")
        supervisor = self._kernel.components.get(owner)
        if supervisor is None or not isinstance(supervisor.role, Source):
            return None
        tags = supervisor.role.tags
        known, handles = self._index.get(owner, ((), {}))
        if known is not tags:
            handles = {spec.path: local for local, spec in enumerate(tags, 1)}
            self._index[owner] = tags, handles
        local = handles.get(path, 0)
        return (supervisor, tags[local - 1], local) if local else None

    # --- out and back ---

    async def send(self, point: Point, raw: Any, command_id: str, within: float) -> Sent:
        if within < 0.001:  # s: 0 ms would mean that there is no hurry
            return Sent(Sending.EXPIRED, "no time is left")
        session = self._session(point.path)
        if session is None:
            return Sent(Sending.NOT_SENT, self.device(point.device).why or "it is not connected")
        supervisor, local, attachment = session
        role = supervisor.role
        assert isinstance(role, Source)
        if "read" not in self._kernel.offers[supervisor.component.use].capabilities:
            self._fresh[point.path] = FreshSamples(role, local, point, raw)
        message = requests.Write(command_id=command_id, tag=local)
        message.value.MergeFromString(value_message(raw).SerializeToString())
        try:
            reply = await attachment.ask(supervisor.component.id, within, write=message)
        except Silence as error:  # it stands still, and must not come to it later
            attachment.end(f"{error}; it is begun anew, so that nothing is sent late")
            return Sent(Sending.UNKNOWN, str(error))
        except ConnectionError as error:
            return Sent(Sending.UNKNOWN, str(error))
        sent = _sent(reply.answer)
        if sent.outcome in NOT_READ_BACK and (fresh := self._fresh.pop(point.path, None)):
            fresh.end()
        return sent

    async def read_back(self, point: Point, within: float) -> ReadBack:
        session, fresh = self._session(point.path), self._fresh.pop(point.path, None)
        if session is None:
            if fresh:
                fresh.end()
            return ReadBack(None, self.device(point.device).why or "it is not connected")
        if fresh:
            return await fresh.wait(within, self._current_raw(point))
        supervisor, local, attachment = session
        within = max(within, LEAST)
        ask = requests.Read(tags=[local])
        try:
            async with asyncio.timeout(within):
                reply = await attachment.ask(supervisor.component.id, within, read=ask)
        except (TimeoutError, ConnectionError) as error:
            return ReadBack(None, str(error) or f"no answer within {within:.1f} s")
        return _read_back(reply, local)

    def _session(self, path: str) -> tuple[Supervisor, int, Any] | None:
        """Who owns a tag, its handle in the session, and the session itself; None: there is none now."""
        found = self._found(path)
        attachment = found[0].role.attachment if found else None
        if found is None or attachment is None or attachment.gone.done():
            return None
        return found[0], found[2], attachment

    def _current_raw(self, point: Point) -> Any:
        """What the tag is now, as its device would hold it; None when it is not Good."""
        reading = self.reading(point.path)
        if reading is None or not quality.is_good(reading.quality):
            return None
        try:
            return wanted(point, reading.value).raw
        except Unfit:
            return None


def _may_write(offer: Offer) -> bool:
    """A single file has no manifest that could ask for it: whoever named it on the command line has granted all."""
    return "write" in offer.capabilities and (offer.permissions.commands or offer.file is not None)


def _sent(answer: Any) -> Sent:
    """What a connector's answer means for the device."""
    if answer.code == plugin_pb2.CODE_OK:
        return Sent(Sending.ANSWERED)
    if answer.code in NO:
        return Sent(Sending.REFUSED, answer.text or "the connector refuses it")
    if answer.code == plugin_pb2.CODE_EXPIRED:
        return Sent(Sending.EXPIRED, answer.text or "the connector came to it too late")
    return Sent(Sending.UNKNOWN, answer.text or "the connection was lost")


def _read_back(reply: Any, local: int) -> ReadBack:
    if reply.answer.code != plugin_pb2.CODE_OK:
        return ReadBack(None, reply.answer.text or "it can't be read")
    why = next((p.text for p in reply.read.problems if p.tag == local), "")
    try:
        for batch in map(decode_batch, reply.read.batches):
            last = last_of(batch, local)
            if last is not None and quality.is_good(last[1]):
                return ReadBack(last[0])
            if last is not None:
                return ReadBack(None, why or "its value is not Good")
    except ProtocolError as error:
        return ReadBack(None, str(error))
    return ReadBack(None, why or "the connector did not say its value")
