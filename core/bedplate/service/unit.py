"""The text of a unit, from what the deployment needs. Values only; touches nothing.

Rule: as tight as our own confinement of plugins allows (docs/decisions/service.md says what each left-out line would
break). What a deployment needs is known from the permissions of its plugins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bedplate.admission.candidate import Offer
from bedplate.config import Deployment
from bedplate.planning.store import store_folder
from bedplate.runtime.confining import grant_of

HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
CONFINES = "landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp"  # by their names: @sandbox is new
STOP_WITHIN = 30  # s; the kernel's own stop ends within 10
WATCHDOG = 60  # s


@dataclass(frozen=True, slots=True)
class Needs:
    """folders: written to · reads: files that must be readable · devices: used by plugins · namespaces: plugins run
    below bubblewrap (L3), which makes some."""

    folders: tuple[Path, ...]
    reads: tuple[Path, ...]
    devices: tuple[Path, ...] = ()
    namespaces: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """name: of the unit, without .service · program: the command of the version that is used · home: BEDPLATE_HOME."""

    name: str
    user: str
    program: Path
    file: Path
    home: Path
    description: str


def needs_of(
    deployment: Deployment, offers: Mapping[str, Offer], home: Path, files: Iterable[Path]
) -> Needs:
    """files: the deployment file, its tables and secrets."""
    journal = deployment.folder(deployment.journal.folder)
    audit = deployment.folder(deployment.audit.folder)
    grants = [grant_of(c, offers[c.use], deployment) for c in deployment.components]
    folders = [home, journal, store_folder(journal), audit, *(p for g in grants for p in g.writes)]
    if deployment.audit.anchor:
        anchor = deployment.folder(deployment.audit.anchor)
        folders.append(anchor.parent if anchor.suffix else anchor)
    return Needs(
        tuple(dict.fromkeys(folders)),
        tuple(dict.fromkeys([*files, *(p for g in grants for p in g.reads)])),
        tuple(dict.fromkeys(p for g in grants for p in g.devices)),
        deployment.plugins.min_isolation == "L3",
    )


def unit(service: Service, needs: Needs) -> str:
    """The whole file."""
    sections = {
        "Unit": _unit(service),
        "Service": [*_service(service), "", *_hardening(service, needs)],
        "Install": ["WantedBy=multi-user.target"],
    }
    head = (
        "# Made by `bedplate service install`; that writes it anew. Own settings: systemctl edit\n"
    )
    parts = ("\n".join([f"[{name}]", *lines]) for name, lines in sections.items())
    return head + "\n\n".join(parts) + "\n"


def _unit(service: Service) -> Iterator[str]:
    yield f"Description={_plain(service.description)}"
    yield "Documentation=man:systemd.service(5)"
    yield "After=network-online.target time-sync.target local-fs.target"
    yield "Wants=network-online.target"
    yield "StartLimitIntervalSec=0"  # it is never given up


def _service(service: Service) -> Iterator[str]:
    yield "Type=notify"
    yield "NotifyAccess=main"
    yield f"User={service.user}"
    yield f"Group={service.user}"
    yield f"ExecStart={_quoted(service.program)} run --applied {_quoted(service.file)}"
    yield "ExecReload=/bin/kill -HUP $MAINPID"
    yield f"WorkingDirectory={_plain(str(service.file.parent))}"
    yield f"Environment={_quoted(f'BEDPLATE_HOME={service.home}')} {_quoted(f'HOME={service.home}')}"
    yield f"EnvironmentFile=-/etc/default/{service.name}"
    yield "Restart=always"
    yield "RestartSec=5"
    yield f"WatchdogSec={WATCHDOG}"
    yield "TimeoutStartSec=120"
    yield f"TimeoutStopSec={STOP_WITHIN}"
    yield "KillMode=mixed"  # the kernel ends its plugins in order; what is left is killed
    yield "OOMPolicy=continue"  # a plugin that took too much is the kernel's business
    yield "LimitNOFILE=65536"
    yield "UMask=0077"


def _hardening(service: Service, needs: Needs) -> Iterator[str]:
    yield "NoNewPrivileges=yes"
    yield "CapabilityBoundingSet="
    yield "AmbientCapabilities="
    yield "ProtectSystem=strict"
    yield f"StateDirectory={service.name}"  # /var/lib/NAME, all of it, also what is applied later
    yield "StateDirectoryMode=0750"
    for folder in needs.folders:
        yield f"ReadWritePaths={_quoted(folder)}"
    yield f"ProtectHome={_homes([service.program, service.file, *needs.folders, *needs.reads])}"
    yield "PrivateTmp=yes"
    yield from _devices(needs.devices)
    yield "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"
    yield "RestrictRealtime=yes"
    yield "RestrictSUIDSGID=yes"
    yield "LockPersonality=yes"
    yield "ProtectClock=yes"
    yield "ProtectHostname=yes"
    yield "ProtectKernelModules=yes"
    yield "ProtectControlGroups=yes"
    yield "RemoveIPC=yes"
    yield "SystemCallArchitectures=native"
    yield from _namespaces() if needs.namespaces else _none()


def _none() -> Iterator[str]:
    """L2 makes no namespaces; landlock and seccomp, which it uses, are no privileged calls."""
    yield "RestrictNamespaces=yes"
    yield "ProtectKernelTunables=yes"
    yield "ProtectKernelLogs=yes"
    yield "ProtectProc=invisible"
    yield f"SystemCallFilter=@system-service {CONFINES}"
    yield "SystemCallErrorNumber=EPERM"


def _namespaces() -> Iterator[str]:
    """bubblewrap makes namespaces and mounts a new /proc, which Linux allows only where nothing of it is hidden."""
    yield "RestrictNamespaces=user mnt pid ipc uts net cgroup"
    yield f"SystemCallFilter=@system-service {CONFINES} @mount unshare setns sethostname"
    yield "SystemCallErrorNumber=EPERM"


def _devices(devices: Iterable[Path]) -> Iterator[str]:
    wanted = list(devices)
    if not wanted:
        yield "PrivateDevices=yes"
        return
    yield "DevicePolicy=closed"
    for device in wanted:
        yield f"DeviceAllow={_plain(str(device))} rw"


def _homes(paths: Iterable[Path]) -> str:
    inside = any(path.is_relative_to(home) for path in paths for home in HOMES)
    return "no" if inside else "yes"


def _quoted(word: Path | str) -> str:
    """One word for systemd: its specifiers, its variables and its quotes are nobody's to fill in."""
    text = _plain(str(word)).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"' if any(c in text for c in " \"'\\;#") else text


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("%", "%%") if text.strip() == text else text.strip()
