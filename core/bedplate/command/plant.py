"""What the guard needs of the world, as small protocols: the plant with its tags and devices, the gate, the audit log.

The runtime fits them to what it has; tests put a plant of their own. Everything is called on the kernel's loop.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bedplate.audit.entry import Entry
from bedplate.config.deployment import WriteLimits
from bedplate.contracts import Subject
from bedplate.model import DataType


@dataclass(frozen=True, slots=True)
class Point:
    """A tag as the guard meets it.

    limits: its `write:`, None: read-only · data_type: as the kernel serves it; UNSPECIFIED: not known yet · raw_type:
    as the device holds it: int8 … uint64, float32, float64, bool, text, blob; "" where only the device knows ·
    address: where it is, as far as the file says: with another one it is another tag · scale:
    (gain, offset), value = raw * gain + offset · range: of the tag, in its unit · device: id of its component · asset:
    path of its asset · max_age: s that its value may be old and still be believed · may_write: the connector can write,
    and its manifest and settings let it write this tag.
    """

    path: str
    device: str
    asset: str
    data_type: DataType = DataType.UNSPECIFIED
    raw_type: str = ""
    address: Any = None
    unit: str = ""
    scale: tuple[float, float] | None = None
    range: tuple[float, float] | None = None
    states: Mapping[int, str] = field(default_factory=dict)
    limits: WriteLimits | None = None
    max_age: float = 5.0
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """A current value. value: as the kernel serves it · quality: StatusCode, BadOutOfService while it is set aside ·
    age: s since the source last said or confirmed it (a live subscription confirms what it does not send again)."""

    value: Any
    quality: int
    age: float


@dataclass(frozen=True, slots=True)
class Device:
    """up: a session is open and the device answers · why: it is not, one sentence · locked: the maintenance that
    forbids writing to it, in words; empty: none."""

    up: bool
    why: str = ""
    locked: str = ""


class Sending(enum.Enum):
    """What became of one write. Only who knows for sure that not a byte left says NOT_SENT or EXPIRED."""

    ANSWERED = "answered"  # the device took it
    REFUSED = "refused"  # the device, or the connector before it sent anything, said no
    NOT_SENT = "not sent"  # no session, or the connector is down: the kernel itself knows that it never left
    EXPIRED = "expired"  # the connector got it too late, and sent nothing
    UNKNOWN = "unknown"  # everything else: cut, time-out, a fault


@dataclass(frozen=True, slots=True)
class Sent:
    outcome: Sending
    text: str = ""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the device says now. raw: in its own type, before scale; None: it could not be read, and text says why."""

    raw: Any
    text: str = ""


class Plant(Protocol):
    """Tags and devices."""

    def point(self, path: str) -> Point | None:
        """A tag by its full path; None: there is none."""

    def neighbours(self, asset: str) -> Mapping[str, str]:
        """The tags of an asset: name as in the deployment → full path."""

    def reading(self, path: str) -> Reading | None:
        """The current value; None: there is none yet."""

    def device(self, device: str) -> Device:
        """How a device is now."""

    def not_stored(self) -> str:
        """Why what comes is not stored at present (a dead disk); empty: it is."""

    async def send(self, point: Point, raw: Any, command_id: str, within: float) -> Sent:
        """Sends a raw value once, within so many seconds or never; it may be cancelled and must not raise."""

    async def read_back(self, point: Point, within: float) -> ReadBack:
        """Asks the device itself, not the current values. Within so many seconds; must not raise."""


class Permit(Protocol):
    """The gate: bedplate.gate.gate.Gate."""

    async def check(self, subject: Subject, action: str, *resources: str) -> None:
        """Returns when the subject may. Raises Denied."""


class AuditLog(Protocol):
    """bedplate.gate.audit.Audit. failed: why it can't be written at present; empty: it can."""

    failed: str

    def add(self, entry: Entry, *, urgent: bool = False) -> None:
        """Takes an entry; waits for nothing."""

    async def write(self, entry: Entry) -> bool:
        """True once it is on disk."""
