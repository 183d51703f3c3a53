"""The Modbus TCP connector: what the kernel asks of a device, in terms of points, readouts and a shared link.

Rule: it delivers what the device said. Scale, units, pace and reconnecting are the kernel's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar, Final

from bedplate import Bad, Connector, Refused, Tag
from bedplate.model import quality
from bedplate_modbus import settings
from bedplate_modbus.address import Address
from bedplate_modbus.answer import Unfit
from bedplate_modbus.codec import Format, decode_all
from bedplate_modbus.link import Endpoint, acquire, release
from bedplate_modbus.plan import COILS, Block, blocks_of
from bedplate_modbus.point import Point, limits_of, point_of
from bedplate_modbus.reader import Reader, Reading
from bedplate_modbus.readout import Readout, span_of
from bedplate_modbus.writing import confirm, request_for

PATIENCE: Final = 1.5  # request time-outs that silent units may cost one read
MOST_READOUTS: Final = (
    64  # lists of tags that stay prepared: scan classes, and tags read back after a write
)


class Modbus(Connector):
    """One device, or one unit behind a gateway. Components with equal connection settings share a connection."""

    Config = settings.Config
    TagSettings = settings.TagSettings
    Address: ClassVar[Any] = Address

    config: settings.Config
    clock: Callable[[], float] = staticmethod(time.monotonic)

    async def open(self) -> None:
        """Connects, and waits for a word from one of its units, whatever it says.

        Raises Invalid for a tag that can't be right, ConnectionError or TimeoutError when nobody answers.
        """
        config = self.config
        self._points = {tag.handle: point_of(tag, config) for tag in self.tags}
        self._units = {point.unit for point in self._points.values()}
        self._silent: set[int] = set()
        self._readouts: dict[tuple[int, ...], Readout] = {}
        self._link = await acquire(
            Endpoint(
                config.host,
                config.port,
                config.connect_timeout,
                config.request_timeout,
                config.pause_after_connect,
                config.time_between_requests,
            )
        )
        self._reader = Reader(self._link, self.clock)
        try:
            await self._greet()
        except BaseException:
            release(self._link)
            raise

    async def close(self) -> None:
        """Gives the connection back; its last user closes it."""
        release(self._link)

    async def read(self, tags: list[Tag]) -> list[Any]:
        """Batches, one for each value type; or a list with Bad where a tag was refused or its unit is silent.

        Raises TimeoutError when no unit of this component answers any more, ConnectionError when the connection broke.
        """
        readout = self._readout(tags)
        reading = Reading(bytearray(readout.size))
        bad = await self._collect(readout, reading)
        for index, unfit in reading.unfit.items():
            bad.setdefault(index, Bad(f"{unfit.why}: {readout.points[index].where()}", unfit.code))
        return readout.values(reading.raw, bad)

    async def _collect(self, readout: Readout, reading: Reading) -> dict[int, Bad]:
        """Asks for everything, units that were silent last; returns the tags of silent units."""
        bad: dict[int, Bad] = {}
        patience = PATIENCE * self.config.request_timeout
        for unit in sorted(readout.blocks, key=self._silent.__contains__):
            blocks = readout.blocks[unit]
            if patience <= 0:
                bad.update(_silence(blocks, f"unit {unit} was not asked: other units are silent"))
                continue
            began = self.clock()
            try:
                for block in blocks:
                    await self._reader.read(block, reading)
                self._silent.discard(unit)
            except TimeoutError as error:
                patience -= self.clock() - began
                self._silent.add(unit)
                if self._silent >= self._units:
                    raise
                bad.update(_silence(blocks, str(error)))
        return bad

    async def write(self, tag: Tag, value: Any) -> None:
        """Sends once. Raises Refused before anything is sent when the value does not fit, and when the device says no;
        TimeoutError or ConnectionError when it is not known whether the device took it."""
        point = self._points[tag.handle]
        request = request_for(point, value, multiple=self.config.write_multiple)
        confirm(request, await self._link.ask(request), point)

    async def decode(self, tag: Tag, data_type: str) -> dict[str, Any]:
        """What the tag's registers hold as `data_type`, in each byte order: to find out which one a device uses.

        Raises Refused when the device gives no such registers, or they hold no such type.
        """
        point = self._points[tag.handle]
        if point.register_type in COILS:
            raise Refused(f"a {point.register_type} has no byte order")
        try:
            form = Format(data_type, length=point.form.length)
            whole = Point(point.name, point.unit, point.register_type, point.address, form)
            raw = await self._reader.ask(self._block(whole))
            return decode_all(
                [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)], data_type
            )
        except (Unfit, ValueError) as error:
            raise Refused(f"{error}: {point.where()}") from error

    async def _greet(self) -> None:
        """A word from any unit. Else a silent device would look well until its first read, again and again."""
        silent: TimeoutError | None = None
        for unit in sorted(self._units):
            first = next(point for point in self._points.values() if point.unit == unit)
            try:
                await self._reader.ask(self._block(first))
            except TimeoutError as error:
                self._silent.add(unit)
                silent = error
            except Unfit:
                return
            else:
                return
        if silent:
            raise silent

    def _block(self, point: Point) -> Block:
        return blocks_of([span_of(0, point)], limits_of(self.config))[0]

    def _readout(self, tags: list[Tag]) -> Readout:
        """Prepared at the first read of a list of tags; the oldest of too many is forgotten."""
        handles = tuple([tag.handle for tag in tags])
        readout = self._readouts.get(handles)
        if readout is None:
            if len(self._readouts) >= MOST_READOUTS:
                del self._readouts[next(iter(self._readouts))]
            points = [self._points[handle] for handle in handles]
            readout = self._readouts[handles] = Readout(points, handles, limits_of(self.config))
        return readout


def _silence(blocks: list[Block], why: str) -> dict[int, Bad]:
    bad = Bad(why, quality.BAD_NO_COMMUNICATION)
    return {span.index: bad for block in blocks for span in block.spans}
