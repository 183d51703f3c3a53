"""Events: alarm transitions, acknowledgements, state changes. Values for Python; bedplate.record.v1 says the same."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class EventKind(enum.IntEnum):
    UNSPECIFIED = 0
    ALARM = 1
    ACKNOWLEDGE = 2
    STATUS = 3
    NOTE = 4


class AlarmState(enum.IntEnum):
    """ISA-18.2-2016 states: the four that limits need, and the one of what is in maintenance."""

    UNSPECIFIED = 0
    NORMAL = 1
    UNACKNOWLEDGED = 2
    ACKNOWLEDGED = 3
    RETURNED_UNACKNOWLEDGED = 4
    OUT_OF_SERVICE = 5


class AlarmPriority(enum.IntEnum):
    UNSPECIFIED = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    HIGHEST = 4


SEVERITY = {
    AlarmPriority.LOW: 200,
    AlarmPriority.MEDIUM: 500,
    AlarmPriority.HIGH: 700,
    AlarmPriority.HIGHEST: 900,
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """The whole state of one alarm. Times are ns UTC, 0: never · out_of_service: who took it out of service, until when
    and why; set where people see it, never in the journal."""

    state: AlarmState
    priority: AlarmPriority
    tag: str = ""
    condition: str = ""
    do: str = ""
    value: Any = None
    active_since: int = 0
    returned_at: int = 0
    acknowledged_by: str = ""
    acknowledged_at: int = 0
    comment: str = ""
    out_of_service: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """source: path; time: ns UTC when it became true; severity: 1 to 1000 (OPC UA Part 9)."""

    source: str
    kind: EventKind
    time: int
    text: str = ""
    severity: int = 0
    alarm: Alarm | None = None
    by: str = ""
    component: str = ""
    detail: bytes = b""
