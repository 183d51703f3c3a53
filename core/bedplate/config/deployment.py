"""The deployment, resolved: frozen values that the rest of the kernel reads. No lines of YAML, no types, no `$`.

Durations are ns, sizes are bytes, paths are full (they begin with the deployment's `path`). Settings of a plugin are
plain JSON with secrets still as references.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from bedplate.calendar import Calendar
from bedplate.config.canonical import digest
from bedplate.errors import Problem


@dataclass(frozen=True, slots=True)
class PluginSchema:
    """What `check` knows of one `use:`, from the plugin's manifest and config.schema.json; no plugin code.

    kind: connector, analytic, security, app · settings, tag, address: JSON Schemas of the component's settings, of a
    tag's own settings and of its address · inputs: settings that name tags of the asset.
    """

    use: str
    kind: str
    capabilities: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    tag: Mapping[str, Any] = field(default_factory=dict)
    address: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()


Schemas = Callable[[str], PluginSchema | None]
"""use → what is known of it; None: nobody offers it. Raises AdmissionError when somebody does and is refused."""


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """What the machine can bear. rate: (how many, in ns) · verify_timeout_ns: for the read-back."""

    range: tuple[float, float] | None = None
    step: float | None = None
    rate: tuple[int, int] | None = None
    interlock: str = ""
    verify_timeout_ns: int = 3_000_000_000


@dataclass(frozen=True, slots=True)
class TagSpec:
    """A tag as the kernel serves it: value = raw * gain + offset, then range, then deadband.

    address: as the plugin wants it, None when it wants none · data_type: as written, "" for what the source says ·
    scale: (gain, offset), None: none · settings: the plugin's own.
    """

    name: str
    path: str
    address: Any = None
    data_type: str = ""
    unit: str = ""
    scale: tuple[float, float] | None = None
    range: tuple[float, float] | None = None
    deadband: float = 0.0
    scan_ns: int = 1_000_000_000
    scan_class: str = "normal"
    states: Mapping[int, str] = field(default_factory=dict)
    counter: bool = False
    description: str = ""
    write: WriteLimits | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    line: int = field(default=0, compare=False)
    file: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Browse:
    """Which tags a connector looks for by itself. include, exclude: selectors below the component's path."""

    root: str | int = ""
    depth: int = 10
    include: tuple[str, ...] = ("**",)
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Buffer:
    """What a reader may lag behind. when_full: drop_oldest or block · backlog: in_order or live_first."""

    age_ns: int | None = None
    size_bytes: int | None = None
    when_full: str = "drop_oldest"
    backlog: str = "in_order"


@dataclass(frozen=True, slots=True)
class Asset:
    """A node of the path with its type. tags: name → full path, of every component that feeds this node."""

    path: str
    type: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Component:
    """One configured instance of what a plugin offers.

    kind: connector, analytic, security, app · type: it was made from, "" for none · entry: its entry in the file, one
    for all rows of an `each` · expected: always, never, or the
    name of a calendar · process: components of one name share a process, "" for one per plugin · deliver: full
    selectors · calendars: those it names, whole · references: where in settings names stand that mean more:
    ("calendar" | "selector" | "file", steps to it).
    """

    id: str
    kind: str
    use: str
    type: str = ""
    path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[TagSpec, ...] = ()
    browse: Browse | None = None
    scan_classes: Mapping[str, int] = field(default_factory=dict)
    expected: str = "always"
    process: str = ""
    placement: str = "process"
    deliver: tuple[str, ...] = ()
    buffer: Buffer | None = None
    assets: tuple[Asset, ...] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    references: tuple[tuple[str, tuple[str | int, ...]], ...] = ()
    entry: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    file: str = field(default="", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything that counts for its work, as JSON; not where it stood."""
        whole: dict[str, Any] = plain(self)
        return whole

    def hash(
        self, *, artefact: str = "", secrets: Sequence[str] = (), files: Sequence[str] = ()
    ) -> str:
        """Equal hash, untouched. artefact: hash of the plugin · secrets: versions of its secrets · files: hashes of
        the files it refers to."""
        return digest(
            {
                "component": self.to_dict(),
                "artefact": artefact,
                "secrets": [*secrets],
                "files": [*files],
            }
        )


@dataclass(frozen=True, slots=True)
class JournalSettings:
    folder: str = "data/journal"
    size_bytes: int | None = None
    min_free_bytes: int | None = None
    sync_ns: int = 250_000_000


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """listen: host:port · tls: folder with certificate and key, "" for none."""

    listen: str = "127.0.0.1:7443"
    tls: str = ""


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """otlp: address of a collector, "" for none · prometheus: host:port to serve metrics on, "" for none."""

    otlp: str = ""
    interval_ns: int = 10_000_000_000
    traces: bool = True
    prometheus: str = ""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """folder: where the kernel's audit log lies · anchor: folder or file elsewhere that takes checkpoints · keep: lines
    older than that may go, 0: never · size: what it is meant to take, warned of at 80 % · syslog: where it is forwarded
    to, tls://host:port · tls: folder with ca.pem, cert.pem and key.pem for that · otlp: to telemetry.otlp too. "" for
    none."""

    folder: str = "data/audit"
    anchor: str = ""
    keep_ns: int = 0
    size_bytes: int = 1_000_000_000
    syslog: str = ""
    tls: str = ""
    otlp: bool = False


@dataclass(frozen=True, slots=True)
class SecretSettings:
    """identity: file with the key of age files, "" for none."""

    identity: str = ""


@dataclass(frozen=True, slots=True)
class PluginSettings:
    """policy: open, or trusted · folders: plugin folders as written · home: where installed plugin folders lie, "" for
    the user's own place · min_isolation: L0 to L3, a component below it does not run · listen: host:port that remote
    plugins dial, tls: folder with ca.pem, cert.pem and key.pem for them; "" for none."""

    policy: str = "open"
    folders: tuple[str, ...] = ()
    home: str = ""
    min_isolation: str = "L0"
    listen: str = ""
    tls: str = ""


@dataclass(frozen=True, slots=True)
class WriteRule:
    """Who may write what. tags: full selectors · during: calendar, "" for always."""

    role: str
    tags: tuple[str, ...]
    during: str = ""
    second_person: bool = False


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """kill_switch: a file that stops all of them while it is there, as does /etc/bedplate/writes.disabled; "" for that
    one alone."""

    enabled: bool = False
    allow: tuple[WriteRule, ...] = ()
    kill_switch: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a deployment came from. sha256: of the file and the tables it names, in hex · lines: section → line ·
    tables: their names, in order."""

    file: str
    folder: Path
    sha256: str
    lines: Mapping[str, int] = field(default_factory=dict)
    tables: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment file, whole and resolved. moved: (from, to), full paths · notes: what was taken for what it became
    since the file was written · hints: what works and is probably not meant."""

    name: str
    source: Source
    path: str = ""
    timezone: str = "UTC"
    clock_tolerance_ns: int = 60_000_000_000
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    components: tuple[Component, ...] = ()
    engine: str = "embedded"
    journal: JournalSettings = JournalSettings()
    api: ApiSettings = ApiSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    audit: AuditSettings = AuditSettings()
    secrets: SecretSettings = SecretSettings()
    plugins: PluginSettings = PluginSettings()
    writes: WriteSettings = WriteSettings()
    moved: tuple[tuple[str, str], ...] = ()
    notes: tuple[Problem, ...] = field(default=(), compare=False)
    hints: tuple[Problem, ...] = field(default=(), compare=False)

    def of_kind(self, kind: str) -> tuple[Component, ...]:
        """Its connectors, analytics, security modules or apps."""
        return tuple(component for component in self.components if component.kind == kind)

    def component(self, id: str) -> Component | None:
        return next((component for component in self.components if component.id == id), None)

    def folder(self, written: str) -> Path:
        """A folder as it is written in the file; relative ones start beside the file."""
        return (self.source.folder / written).absolute()


def resolve_settings(component: Component, deployment: Deployment) -> dict[str, Any]:
    """A component's settings as its plugin gets them: names of calendars replaced by {name, timezone, shifts, closed},
    selectors and relative files completed. Secrets stay references."""
    settings: dict[str, Any] = plain(component.settings)
    complete: dict[str, Callable[[str], Any]] = {
        "calendar": lambda name: deployment.calendars[name].to_dict(),
        "selector": lambda text: join(deployment.path, text),
        "file": lambda text: str(deployment.folder(text)),
    }
    for kind, (*steps, last) in component.references:
        place: Any = settings
        for step in steps:
            place = place[step]
        place[last] = complete[kind](place[last])
    return settings


def plain(value: Any) -> Any:
    """A copy as plain JSON, without what does not count when two of them are compared."""
    if isinstance(value, Calendar):
        return value.to_dict()
    if is_dataclass(value):
        return {
            part.name: plain(getattr(value, part.name)) for part in fields(value) if part.compare
        }
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def join(*parts: str) -> str:
    """A path of several parts; empty ones add nothing."""
    return "/".join(part for part in parts if part)


def sha256(contents: Iterable[bytes]) -> str:
    """One hash over several files, in order."""
    whole = hashlib.sha256()
    for content in contents:
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()
