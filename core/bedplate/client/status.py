"""How the platform stands, as values of Python; the fields are those of bedplate.api.v1.GetStatusResponse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from bedplate.api.v1 import api_pb2
from bedplate.client.commands import WritesStatus
from bedplate.client.deployments import DeploymentStatus
from bedplate.client.gaps import Completeness


@dataclass(frozen=True, slots=True)
class Transition:
    """at: ns UTC."""

    at: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """How far a reader of the journal has come."""

    behind_records: int
    behind_seconds: float
    position: int


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One component. kind: connector, analytic, security, app · since: ns UTC · quietest_seconds: age of the oldest
    current value · group: the entry of the deployment file it came from · reader: None for sources · completeness: of a
    source, since the beginning of the day in the deployment's time zone."""

    id: str
    kind: str
    use: str
    type: str
    path: str
    state: str
    reason: str
    since: int
    process: str
    tags: int
    tags_good: int
    samples: int
    samples_per_second: float
    quietest_seconds: float
    restarts: int
    reader: ReaderStatus | None
    history: tuple[Transition, ...]
    dropped: int
    placement: str
    support: str
    group: str
    detail: str
    completeness: Completeness | None = None


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """appended, synced: newest positions · state: synced, or why the journal takes nothing · limit_bytes: 0 for none ·
    room: until connectors have to wait; seconds and yearly at the pace since the start, 0 while it is not known · full:
    why they have to · gaps: losses declared since the start · unstored_samples: current and live since the start, and
    never in the journal."""

    engine: str
    bytes: int
    first: int
    appended: int
    synced: int
    oldest_seconds: float
    state: str
    syncs: int
    bytes_written: int
    limit_bytes: int = 0
    room_bytes: int = 0
    room_seconds: float = 0.0
    bytes_written_yearly: float = 0.0
    full: str = ""
    gaps: int = 0
    damaged: int = 0
    unstored_samples: int = 0


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One plugin process. started: ns UTC · isolation: L0 to L3, empty when it is decided elsewhere · output: its last
    lines, if they were asked for · peer: where a remote one dialled from, "" while it is away."""

    name: str
    pid: int
    started: int
    restarts: int
    cpu_seconds: float
    memory_bytes: int
    ping_seconds: float
    components: tuple[str, ...]
    plugin: str
    isolation: str
    isolation_notes: tuple[str, ...]
    output: tuple[str, ...]
    placement: str
    peer: str


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A device that is set aside. component: its id · path: of its asset · since, until: ns UTC · by: who said so."""

    component: str
    path: str
    since: int
    until: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What belongs together. subject: what to ask `why` for · state: the worst of its components · text: the line,
    without subject · since: ns UTC · components: that it hits · tags: of these, not Good · whose: device, network, … ·
    hint: the command that tells more · severity: 1 to 1000."""

    subject: str
    state: str
    text: str
    since: int
    components: tuple[str, ...]
    tags: int
    whose: str
    hint: str
    severity: int


@dataclass(frozen=True, slots=True)
class Status:
    """The platform. started, now: ns UTC · problems: one line a cause · notices: choices that nobody
    should forget, one a line · deployment: which one runs, None: it does not say · writes: how
    writing stands, None: the same · cpu_seconds, memory_bytes: of the
    kernel."""

    name: str
    version: str
    started: int
    now: int
    epoch: int
    components: tuple[ComponentStatus, ...]
    journal: JournalStatus
    processes: tuple[ProcessStatus, ...]
    problems: tuple[str, ...]
    cpu_seconds: float
    memory_bytes: int
    deployment_file: str
    path: str
    notices: tuple[str, ...]
    maintenance: tuple[Maintenance, ...] = ()
    causes: tuple[Cause, ...] = ()
    deployment: DeploymentStatus | None = None
    writes: WritesStatus | None = None
    audit: str = ""


INNER = {
    "Completeness": Completeness,
    "Cause": Cause,
    "ComponentStatus": ComponentStatus,
    "DeploymentStatus": DeploymentStatus,
    "JournalStatus": JournalStatus,
    "Maintenance": Maintenance,
    "ProcessStatus": ProcessStatus,
    "ReaderStatus": ReaderStatus,
    "Transition": Transition,
    "WritesStatus": WritesStatus,
}


def maintenance_of(messages: Iterable[Any]) -> list[Maintenance]:
    """Devices in a response."""
    return [_mirror(Maintenance, one) for one in messages]


def status_of(message: api_pb2.GetStatusResponse) -> Status:
    """The status in a response."""
    status: Status = _mirror(Status, message)
    return status


def _mirror(kind: Any, message: Any) -> Any:
    return kind(**{field.name: _value(message, field.name) for field in fields(kind)})


def _value(message: Any, name: str) -> Any:
    value, field = getattr(message, name), message.DESCRIPTOR.fields_by_name[name]
    if field.enum_type:
        prefix = f"{field.enum_type.name.upper()}_"
        known = field.enum_type.values_by_number.get(value)
        return known.name.removeprefix(prefix).lower() if known else str(value)
    inner = INNER.get(field.message_type.name) if field.message_type else None
    if isinstance(value, str | bytes | int | float):
        return value
    if inner and name in {"reader", "journal", "deployment", "completeness", "writes"}:
        return _mirror(inner, value) if name == "journal" or message.HasField(name) else None
    return tuple(_mirror(inner, one) if inner else one for one in value)
