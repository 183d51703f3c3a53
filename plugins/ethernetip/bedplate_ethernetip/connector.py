"""The EtherNet/IP connector: tags of a Logix controller by name, through pylogix.

pylogix blocks and never raises for the network: it says how a request ended in the words of its answer. This file turns
those words into what the contract has words for, and does nothing else; pace, units and reconnecting are the kernel's.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pylogix import PLC

from bedplate import Bad, Connector, Refused, Tag
from bedplate.model import quality
from bedplate.settings import Duration

NAME: Final = r"[A-Za-z_][A-Za-z0-9_]{0,39}"
INDEX: Final = r"(\[\d{1,6}(,\d{1,6}){0,2}\])?"
ADDRESS: Final = rf"^(Program:{NAME}\.)?{NAME}{INDEX}(\.{NAME}{INDEX})*(\.\d{{1,2}})?$"
HEAD: Final = 24  # bytes of the encapsulation header
GARBAGE: Final = (struct.error, IndexError, KeyError, TypeError, ValueError, UnicodeDecodeError)
# CIP general status (Volume 1, Appendix B) that is no fault of the connection → StatusCode
CODES: Final = {
    "Path segment error": "BadNodeIdInvalid",
    "Path destination unknown": "BadNodeIdUnknown",
    "Object does not exist": "BadNodeIdUnknown",
    "Privilege violation": "BadUserAccessDenied",
    "Attribute not settable": "BadNotWritable",
}


class Shape(NamedTuple):
    """command: of the encapsulation · address, data: types of the two items in it."""

    command: int
    address: int
    data: int


CONNECTED, UNCONNECTED = Shape(0x70, 0xA1, 0xB1), Shape(0x6F, 0x00, 0xB2)
Host = Annotated[str, WithJsonSchema({"type": "string", "x-bedplate-host": True})]


class EthernetIp(Connector):
    """One Logix controller. The address of a tag is the controller's own name for it."""

    class Config(BaseModel):
        """A controller."""

        model_config = ConfigDict(extra="forbid")

        host: Host = Field(
            description="IP address or name of the controller or its Ethernet module"
        )
        port: int = Field(44818, ge=1, le=65535, description="TCP port")
        slot: int = Field(0, ge=0, le=16, description="Slot of the processor in its chassis")
        micro800: bool = Field(
            False, description="A Micro800, which has no slot and reads tag by tag"
        )
        timeout: Duration = Field(
            5.0,
            gt=0,
            description="How long connecting and each answer may take",
            json_schema_extra={"default": "5s"},
        )

    Address: ClassVar[Any] = Annotated[
        str,
        Field(
            pattern=ADDRESS,
            max_length=200,
            description="Name of a tag: Speed, Program:Main.Speed, Zones[3].Temp, Flags.4",
            examples=["Program:Main.Speed"],
        ),
    ]

    config: Config

    def open(self) -> None:
        """Connects and asks for the first tag. Raises ConnectionError when the controller is away or does not speak."""
        config = self.config
        host = socket.gethostbyname(
            config.host
        )  # pylogix takes an IPv6 address for its IPv4 socket
        self.plc = PLC(host, config.slot, config.timeout, config.micro800, config.port)
        self.plc.conn.send = _checked(self.plc.conn)
        self.plc.conn.receive_data = _one_frame(self.plc.conn, config.timeout)
        try:
            self._ask(self.plc.Read, [str(tag.address) for tag in self.tags[:1]])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the CIP connection and the session."""
        self.plc.Close()
        self.plc.conn.msg_socket.close()  # pylogix opens it for messages from a controller and leaves it

    def read(self, tags: list[Tag]) -> list[Any]:
        """One value for each tag, or Bad with the controller's own words. Raises ConnectionError when it went away."""
        answers = self._ask(self.plc.Read, [str(tag.address) for tag in tags])
        return [_value(answer) for answer in answers]

    def write(self, tag: Tag, value: Any) -> None:
        """Sends once. Raises Refused when the tag has another type or range, or the controller says no."""
        try:
            (answer,) = self._ask(self.plc.Write, [(str(tag.address), value)], garbage=())
        except struct.error as error:  # told before anything was sent
            raise Refused(f"{value!r} does not fit {tag.address}: {error}") from error
        except (TypeError, ValueError) as error:
            raise Refused(f"{value!r} does not fit {tag.address}") from error
        if answer.Status != "Success":
            raise Refused(f"{answer.Status}: {tag.address}")

    def _ask(self, call: Any, what: Sequence[Any], garbage: Any = GARBAGE) -> list[Any]:
        """What the controller says of each, in order. Raises ConnectionError when it said nothing that makes sense."""
        if not what:
            return []
        try:
            answers = call(what)
        except garbage as error:
            raise ConnectionError(
                f"{self.config.host} sent what is no answer: {error!r}"
            ) from error
        if not self.plc.conn.SocketConnected:
            raise ConnectionError(f"{self.config.host}:{self.config.port}: {_words(answers)}")
        if len(answers) != len(what):
            raise ConnectionError(f"{self.config.host} answered {len(answers)} of {len(what)} tags")
        return list(answers)


def _checked(connection: Any) -> Any:
    """pylogix takes any bytes for the answer: what is none must not become a value."""
    send = connection.send

    def asked(request: bytes, connected: bool = True, slot: int | None = None) -> Any:
        sequence = connection._sequence_counter if connected else None
        status, frame = send(request, connected, slot)
        if frame is not None and not _answers(request, frame, sequence):
            raise ConnectionError("what came is no answer to what was asked")
        return status, frame

    return asked


def _one_frame(connection: Any, timeout: float) -> Callable[[], bytes | None]:
    """pylogix asks for more for ever when a controller hangs up in the middle of a frame; and its timeout is for each
    piece of it. None is how pylogix says that the connection is lost."""

    def receive() -> bytes | None:
        frame, wanted = b"", HEAD
        until = time.monotonic() + timeout
        try:
            while len(frame) < wanted:
                connection.Socket.settimeout(max(until - time.monotonic(), 0.001))
                piece = connection.Socket.recv(wanted - len(frame))
                if not piece:
                    return None
                frame += piece
                if len(frame) == HEAD:
                    wanted += int.from_bytes(frame[2:4], "little")
        except OSError:
            return None
        return frame

    return receive


def _answers(request: bytes, frame: bytes, sequence: int | None) -> bool:
    """Whether a frame is the reply to a request: command, length and status of the encapsulation (CIP Volume 2, 2-3),
    both items and their lengths (2-6), the sequence count of a connected one, and the service with its reply bit
    (Volume 1, 2-4). sequence: None when the request needed no connection."""
    if len(frame) < (44 if sequence is None else 50):  # a reply without data
        return False
    command, size, _, status = struct.unpack_from("<HHII", frame)
    wanted = UNCONNECTED if sequence is None else CONNECTED
    place = (
        36 if sequence is None else 40
    )  # of the second item, after an address of no or four bytes
    count, address, address_size = struct.unpack_from("<HHH", frame, 30)
    data, data_size = struct.unpack_from("<HH", frame, place)
    (told,) = struct.unpack_from("<H", frame, 44) if sequence is not None else (None,)
    service = frame[place + 4 :][: 1 if sequence is None else 3][-1:]
    return (
        (command, size, status) == (wanted.command, len(frame) - HEAD, 0)
        and (count, address, address_size) == (2, wanted.address, place - 36)
        and (data, data_size) == (wanted.data, len(frame) - place - 4)
        and (told, service) == (sequence, bytes([request[0] | 0x80]))
    )


def _value(answer: Any) -> Any:
    if answer.Status != "Success":
        code = quality.CODES[CODES.get(answer.Status, "BadDeviceFailure")]
        return Bad(f"{answer.Status}: {answer.TagName}", code)
    if isinstance(answer.Value, (bool, int, float, str)):
        return answer.Value
    return Bad(
        f"{answer.TagName} is no single value; name an element or a member",
        quality.CODES["BadNotSupported"],
    )


def _words(answers: Sequence[Any]) -> str:
    """How pylogix says that there is no connection."""
    told = str(answers[0].Status) if answers else ""
    return told.removeprefix("Unknown error ") or "connection lost"
