"""The S7 connector: bytes of data blocks, inputs, outputs and markers, through python-snap7.

python-snap7 blocks, so these are plain methods on this component's own thread. Pace, scale, units and reconnecting are
the kernel's.
"""

from __future__ import annotations

import logging
import struct
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from snap7 import Client
from snap7.error import S7ConnectionError, S7Error, S7TimeoutError
from snap7.type import Area, WordLen

from bedplate import Bad, Connector, Invalid, Refused, Tag
from bedplate.model import quality
from bedplate.settings import Duration
from bedplate_s7.address import Address, place_of
from bedplate_s7.codec import WHAT_A_LETTER_SAYS, Form, Unfit
from bedplate_s7.plan import Block, Point, blocks_of
from bedplate_s7.settings import Host, TypeName, without_null

AREA: Final = {"DB": Area.DB, "I": Area.PE, "Q": Area.PA, "M": Area.MK}
NOT_THERE: Final = (
    "the controller does not give these bytes: the block is missing or shorter, is optimised, "
    "or PUT/GET is not permitted"
)
# How the library says that the controller said no. The last one is what it makes of Snap7's server, which announces
# bytes behind its no and sends none.
NO: Final = ("Read operation failed", "Write operation failed", "Data item is truncated")


class S7(Connector):
    """One controller: S7-300, 400, 1200, 1500, ET 200SP, LOGO!, by absolute addresses."""

    class Config(BaseModel):
        """A controller."""

        model_config = ConfigDict(extra="forbid")

        host: Host = Field(description="IP address or name of the controller")
        port: int = Field(102, ge=1, le=65535, description="TCP port")
        rack: int = Field(0, ge=0, le=7, description="Rack of the CPU")
        slot: int = Field(
            1, ge=0, le=31, description="Slot of the CPU: 1 for 1200 and 1500, 2 for 300"
        )
        connection: Literal["PG", "OP", "basic"] = Field(
            "PG", description="Kind of connection that the controller is asked for"
        )
        timeout: Duration = Field(
            3.0,
            gt=0,
            description="How long an answer may take",
            json_schema_extra={"default": "3s"},
        )

    class TagSettings(BaseModel):
        """What lies at the address."""

        model_config = ConfigDict(extra="forbid", json_schema_extra=without_null)

        data_type: TypeName | None = Field(
            None, description="S7 type; else a bit is bool, and B, W, D are byte, word, dword"
        )
        length: int | None = Field(None, ge=1, le=254, description="Most characters of a string")

    Address: ClassVar[Any] = Address

    config: Config

    def open(self) -> None:
        """Connects and asks for the first tag. Raises Invalid for a type that can't lie at its address,
        ConnectionError when the controller is away."""
        logging.getLogger("snap7").setLevel(logging.CRITICAL)  # its errors come as exceptions
        config = self.config
        self.points = {tag.handle: _point(tag) for tag in self.tags}
        self.apart: set[int] = set()  # handles that spoiled a block: asked for one by one
        self.client = Client()
        self.client.set_connection_type({"PG": 1, "OP": 2, "basic": 3}[config.connection])
        try:
            self._connect()
            self._hurry()
            if self.tags:
                self.read(self.tags[:1])
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        """Whatever is said to the greeting, it is not of a tag: there is no connection. Raises as `_say`."""
        config = self.config
        try:
            self._say(self.client.connect, config.host, config.rack, config.slot, config.port)
        except S7Error as error:
            raise ConnectionError(f"{config.host} does not let us in: {error}") from error

    def close(self) -> None:
        """Ends the connection."""
        self.client.disconnect()

    def read(self, tags: list[Tag]) -> list[Any]:
        """One value for each tag, or Bad with a reason. Raises ConnectionError, TimeoutError when the controller went
        away."""
        handles = [tag.handle for tag in tags]
        points = [self.points[handle] for handle in handles]
        found: list[Any] = [None] * len(tags)
        alone = [n for n, handle in enumerate(handles) if handle in self.apart]
        for block in blocks_of(points, set(range(len(tags))) - set(alone)):
            self._fill(found, block, points, handles)
        for number in alone:
            self._fill(found, blocks_of(points, [number])[0], points, handles)
        return found

    def write(self, tag: Tag, value: Any) -> None:
        """Sends once, the bit or the bytes of this tag and no others. Raises Refused when the value does not fit or
        the controller says no."""
        point = self.points[tag.handle]
        place, area = point.place, AREA[point.place.area]
        try:
            content = bytearray(point.form.encode(value))
        except Unfit as error:
            raise Refused(f"{tag.address}: {error}") from error
        try:
            if place.bit is None:
                self._say(self.client.write_area, area, place.db, place.byte, content)
            else:
                bit = place.byte * 8 + place.bit
                self._say(self.client.write_area, area, place.db, bit, content, WordLen.Bit)
        except S7Error as error:
            raise Refused(f"{tag.address}: the controller refused it: {error}") from error

    def _fill(
        self, found: list[Any], block: Block, points: list[Point], handles: list[int]
    ) -> None:
        """Puts the values of a block where they belong; what a refused block holds is asked for one by one."""
        try:
            raw = bytes(
                self._say(
                    self.client.read_area, AREA[block.area], block.db, block.start, block.size
                )
            )
        except S7Error as error:
            self._refused(found, block, points, handles, error)
            return
        for number in block.members:
            point = points[number]
            start = point.place.byte - block.start
            try:
                found[number] = point.form.decode(raw[start : start + point.form.size])
            except Unfit as error:
                found[number] = Bad(str(error), quality.BAD_DECODING)

    def _refused(
        self,
        found: list[Any],
        block: Block,
        points: list[Point],
        handles: list[int],
        error: S7Error,
    ) -> None:
        if len(block.members) == 1:
            (number,) = block.members
            self.apart.add(handles[number])
            found[number] = Bad(f"{NOT_THERE} ({error})", quality.CODES["BadNodeIdUnknown"])
            return
        for number in block.members:
            self._fill(found, blocks_of(points, [number])[0], points, handles)

    def _say(self, call: Any, *words: Any) -> Any:
        """The library's answer. Raises ConnectionError or TimeoutError when there is no connection any more or what
        came is no answer, S7Error for what the controller refuses."""
        try:
            answer = call(*words)
        except S7TimeoutError as error:
            raise TimeoutError(f"{self.config.host}: {error}") from error
        except S7ConnectionError as error:
            raise ConnectionError(f"{self.config.host}:{self.config.port}: {error}") from error
        except S7Error as error:
            if error.error_code or str(error).startswith(NO):
                raise
            raise ConnectionError(f"{self.config.host} sent what is no answer: {error}") from error
        except (struct.error, IndexError, ValueError) as error:  # of bytes that are no answer
            raise ConnectionError(f"{self.config.host} sent what is no answer: {error}") from error
        return answer

    def _hurry(self) -> None:
        """The library has 5 s for everything; the deployment knows better."""
        connection = self.client.connection
        if connection and connection.socket:
            connection.timeout = self.config.timeout
            connection.socket.settimeout(self.config.timeout)


def _point(tag: Tag) -> Point:
    """Raises Invalid when type and address contradict each other."""
    place = place_of(str(tag.address))
    name = tag.settings.data_type or (
        "bool" if place.bit is not None else WHAT_A_LETTER_SAYS[place.width]
    )
    if name != "bool" and place.bit is not None:
        raise Invalid(f"{tag.address} is a bit, {name} is not", tag=tag.name)
    if name == "bool" and place.bit is None:
        raise Invalid(f"{tag.address} is no bit, bool is one", tag=tag.name)
    form = Form(name, place.bit or 0, tag.settings.length or 254)
    return Point(place, form)
