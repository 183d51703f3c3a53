"""What goes into a support file: small parts, each a text, each by itself; one that fails says so in its place.

Reads what `doctor`, `plugins`, `check` and `status` read, and asks a running Bedplate when there is one. Nothing here
takes secrets out: that is done once, over everything, by `support`.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bedplate.cli.frame import Invocation
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from bedplate.client.status import Status

LINES = 500  # of a log
FAULTS = 5  # the newest


@dataclass
class Case:
    """What is asked about. file: the deployment, None: none is known · pid: of its kernel, 0: none runs · data: the
    deployment as read, already without inline secrets · plugins: that are not installed."""

    invocation: Invocation
    file: Path | None = None
    pid: int = 0
    status: Status | None = None
    data: Any = None
    why_not: str = ""
    plugins: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """name: in the file · what: for people · make: its text; empty: there is nothing to tell."""

    name: str
    what: str
    make: Callable[[Case], str] = field(repr=False)


def versions(case: Case) -> str:
    from bedplate.version import API, __version__

    installed = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"]}
    facts = {"bedplate": __version__, "api": API, "python": sys.version, "made": _now()}
    return _json(facts | {"installed": dict(sorted(installed.items(), key=lambda p: p[0].lower()))})


def machine(case: Case) -> str:
    """The operating system, and what the kernel's process has of it."""
    release = Path("/etc/os-release")
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in LIMITS}
    disk = os.statvfs(case.file.parent if case.file else Path.cwd())
    facts = {
        "uname": " ".join(platform.uname()),
        "os": release.read_text() if release.exists() else "",
        "cores": os.cpu_count(),
        "memory": Path("/proc/meminfo").read_text().splitlines()[:5],
        "load": os.getloadavg(),
        "uptime_seconds": float(Path("/proc/uptime").read_text().split()[0]),
        "disk_free_bytes": disk.f_bavail * disk.f_frsize,
        "limits": limits,
        "timezone": time.tzname,
    }
    return _json(facts)


LIMITS = ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_AS", "RLIMIT_CORE")


def doctor(case: Case) -> str:
    from bedplate.cli.doctor import CHECKS

    return _json([asdict(finding) for check in CHECKS for finding in check(case.invocation)])


def plugins(case: Case) -> str:
    from bedplate.admission.reading import survey_of

    names = [*("name", "distribution", "version", "verdict", "reason", "uses", "requires_api")]
    names += ["support", "permissions", "capabilities"]
    every = survey_of(None, case.plugins).candidates
    return _json([{name: getattr(one, name) for name in names} for one in every])


def deployment(case: Case) -> str:
    """Read and written again: comments, in which people keep passwords, are left out."""
    if case.data is None:
        return case.why_not
    from io import StringIO

    from ruamel.yaml import YAML

    out = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(case.data, out)
    return f"# {case.file}, without comments and secrets\n{out.getvalue()}"


def check(case: Case) -> str:
    from bedplate.admission.reading import read_deployment
    from bedplate.errors import ConfigError

    if case.file is None:
        return ""
    try:
        _, found = read_deployment(case.file, case.plugins)
    except ConfigError as error:
        return str(error)
    return f"fine: {len(found.components)} components"


def status(case: Case) -> str:
    """Components with their last changes of state, processes, the journal's figures."""
    if case.status is None:
        return "no Bedplate of this user runs here"
    from bedplate.cli.output import tree

    found = tree(case.status)
    for process in found["processes"]:
        process.pop("output", None)  # in a file of its own
    return _json(found)


def output(case: Case) -> str:
    """What plugins printed last."""
    lines: list[str] = []
    for process in case.status.processes if case.status else ():
        lines += [f"== {process.name} ({process.plugin}), pid {process.pid}", *process.output, ""]
    return "\n".join(lines)


def audit(case: Case) -> str:
    if case.file is None:
        return ""
    data = case.data if isinstance(case.data, dict) else {}
    named = data.get("audit")
    folder = named.get("folder", "data/audit") if isinstance(named, dict) else "data/audit"
    log = case.file.parent / str(folder) / "audit.jsonl"
    if not log.exists():
        return ""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return "".join(deque(lines, LINES))


def faults(case: Case) -> str:
    """Faults of our own that a command met, the newest first."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    kept = sorted(Path(state).glob("bedplate/errors/*.txt"), key=lambda f: -f.stat().st_mtime)
    return "\n\n".join(f"== {f.name}\n{f.read_text(errors='replace')}" for f in kept[:FAULTS])


PARTS = (
    Part("versions.json", "Bedplate, Python, every installed package", versions),
    Part("machine.json", "operating system, memory, disk, limits", machine),
    Part("doctor.json", "what `bedplate doctor` finds", doctor),
    Part("plugins.json", "plugins, the refused too", plugins),
    Part("deployment.yaml", "the deployment file, without comments and secrets", deployment),
    Part("check.txt", "what `bedplate check` says of it", check),
    Part("status.json", "components, processes, journal", status),
    Part("output.txt", "what plugins printed last", output),
    Part("audit.jsonl", f"the last {LINES} lines of the audit log", audit),
    Part("faults.txt", "faults of Bedplate that were kept", faults),
)


def gather(case: Case) -> Iterator[tuple[Part, str]]:
    """Every part that has something to tell."""
    for part in PARTS:
        try:
            text = part.make(case)
        except (BedplateError, OSError, ValueError) as error:
            text = f"can't be had: {error}"
        if text:
            yield part, text


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
