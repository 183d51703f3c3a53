"""How one process of plugins is confined here and now: from what its components may have to the words of a command.

Rule: the strongest the machine can do without slowing every start, stronger only when asked, weaker than the
deployment's least never. What could not be had is said in notes. enter.py does what is worked out here.
"""

from __future__ import annotations

import marshal
import os
import resource
import shutil
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from bedplate.errors import BedplateError
from bedplate.isolation import landlock, user
from bedplate.isolation.bubblewrap import bubblewrap
from bedplate.isolation.environment import DEVICES, code_of, system
from bedplate.isolation.filter import Allowed, program
from bedplate.isolation.grants import Address, Grant
from bedplate.isolation.machine import Level, Machine

ENTER = Path(__file__).with_name("enter.py")
FILES = 4096  # open at a time; a history reads thousands
PROCESSES = 512  # with threads, where the user is its own
TEMPORARY = 64 << 20  # bytes
ONE_FILE = 64 << 30  # bytes, where it may write at all
ROOM = 512 << 20  # bytes of address space beyond twice its memory: stacks of threads, arenas
DAC_OVERRIDE = 1 << 1
DNS = Address("tcp", "*", 53)


class IsolationError(BedplateError):
    """A process can't be confined as the deployment wants it."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """command: what to start instead · notes: what its level promises elsewhere and this machine can't give ·
    devices: those granted, as they were."""

    level: Level
    command: tuple[str, ...]
    notes: tuple[str, ...] = ()
    devices: tuple[tuple[Path, int], ...] = ()

    def outdated(self) -> bool:
        """Whether a device has come, gone or come back since: to Landlock that is another one."""
        return any(_identity(path) != known for path, known in self.devices)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One process. name: the same at each start · code: folders that hold the plugin's code · folder: where it works ·
    sockets: the kernel's folder for them."""

    name: str
    grant: Grant
    command: Sequence[str]
    code: Sequence[Path]
    folder: Path
    sockets: Path


@dataclass(slots=True)
class _Plan:
    """What enter.py will be told, while it is worked out."""

    uid: int | None = None
    groups: list[int] = field(default_factory=list)
    capabilities: int = 0
    notes: list[str] = field(default_factory=list)


def choose(machine: Machine, minimum: Level, *, unconfined: bool) -> Level:
    """The level of a process here. Raises IsolationError when the deployment wants more than can be had."""
    level = machine.default if minimum < Level.L3 else machine.best
    if unconfined and level > Level.L1:
        level = Level.L1
    if level < minimum:
        why = machine.why_not.get(minimum, "it has no manifest that says what it needs")
        raise IsolationError(
            f"can run at {level} only, and plugins.min_isolation is {minimum}: {why}"
        )
    return level


def confine(machine: Machine, minimum: Level, wanted: Wanted) -> Confinement:
    """Makes what folders it needs. Raises IsolationError, OSError when a folder can't be made."""
    level = choose(machine, minimum, unconfined=wanted.grant.unconfined)
    found = shutil.which(wanted.command[0])
    if not found:
        raise IsolationError(f"there is no program {wanted.command[0]}")
    command = [str(Path(found).absolute()), *wanted.command[1:]]
    if level is Level.L1:
        profile = _profile(machine, level, wanted, _Plan(), None)
        return Confinement(level, (*_launcher(profile), *command))
    temporary = wanted.sockets / f"tmp-{zlib.crc32(wanted.name.encode()):08x}"
    temporary.mkdir(mode=0o700, exist_ok=True)
    code = code_of(command, wanted.code)
    plan = _own_user(machine, wanted, command, code, temporary)
    profile = _profile(machine, level, wanted, plan, temporary)
    profile["landlock"] = landlock.rules(
        machine.landlock, _paths(wanted, code, temporary), _ports(wanted)
    )
    words = [*_launcher(profile), *command]
    if level is Level.L3 and machine.bwrap:
        seen = [*system(), *code, *code_of([sys.executable]), ENTER, wanted.sockets]
        words = (
            bubblewrap(
                machine.bwrap,
                wanted.grant,
                seen,
                temporary,
                wanted.folder,
                changes=plan.uid is not None,
            )
            + words
        )
    notes = (*plan.notes, *landlock.gaps(machine.landlock))
    devices = tuple((path, _identity(path)) for path in wanted.grant.devices)
    return Confinement(level, tuple(words), notes, devices)


def _identity(path: Path) -> int:
    """Of what stands at this path now; 0 for nothing."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _launcher(profile: dict[str, Any]) -> list[str]:
    return [sys.executable, "-I", "-S", str(ENTER), marshal.dumps(profile).hex()]


def _profile(
    machine: Machine, level: Level, wanted: Wanted, plan: _Plan, temporary: Path | None
) -> dict[str, Any]:
    grant, numbers = wanted.grant, machine.arch.numbers if machine.arch else {}
    confined = level > Level.L1
    mounts = level is Level.L2 and machine.mounts
    return {
        "limits": _limits(grant, own_user=plan.uid is not None, confined=confined),
        "uid": plan.uid,
        "groups": plan.groups,
        "capset": numbers.get("capset", 0) if confined else 0,
        "capabilities": plan.capabilities,
        "tmpfs": str(temporary) if mounts else "",
        "temporary": TEMPORARY,
        "processors": _processors(machine, grant, wanted.name) if confined else [],
        "environment": {"TMPDIR": str(temporary), "HOME": str(temporary)} if temporary else {},
        "landlock": None,
        "seccomp": _seccomp(machine, grant) if confined else None,
    }


def _seccomp(machine: Machine, grant: Grant) -> dict[str, Any]:
    assert machine.arch is not None
    numbers = machine.arch.numbers
    protocols = {address.protocol for address in grant.network}
    udp = "udp" in protocols or any(address.named for address in grant.network)
    allowed = Allowed(
        tcp=bool(protocols),
        udp=udp,
        bind="udp" in protocols,
        subprocess=grant.subprocess,
        affinity=not grant.cpu,
    )
    code = program(machine.arch, allowed)
    return {
        "number": numbers["seccomp"],
        "execve": numbers["execve"],
        "audit": machine.arch.audit,
        "program": code,
    }


def _limits(grant: Grant, *, own_user: bool, confined: bool) -> list[tuple[int, int]]:
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_DATA, 2 * grant.memory + ROOM),
    ]
    if confined:
        limits.append((resource.RLIMIT_FSIZE, ONE_FILE if grant.writes else TEMPORARY))
    if own_user:
        limits.append((resource.RLIMIT_NPROC, PROCESSES))
    return limits


def _processors(machine: Machine, grant: Grant, name: str) -> list[int]:
    """As many as it may use, not the same for everybody; empty for all."""
    count, all_of_them = ceil(grant.cpu), machine.processors
    if not count or count >= len(all_of_them):
        return []
    first = zlib.crc32(name.encode())
    return [all_of_them[(first + n) % len(all_of_them)] for n in range(count)]


def _paths(wanted: Wanted, code: Sequence[Path], temporary: Path) -> list[tuple[str, int]]:
    grant = wanted.grant
    groups = (
        (landlock.RUN, (*system(), *code)),
        (landlock.LOOK, grant.reads),
        (landlock.CHANGE, (*grant.writes, temporary)),
        (landlock.USE, (*DEVICES, *grant.devices)),
    )
    return [(str(path), rights) for rights, paths in groups for path in paths]


def _ports(wanted: Wanted) -> list[int] | None:
    """Where it may connect to by TCP; None for anywhere."""
    addresses = [a for a in wanted.grant.network if a.protocol == "tcp"]
    if any(address.named for address in wanted.grant.network):
        addresses.append(DNS)
    ports = {address.port for address in addresses}
    return None if 0 in ports else sorted(ports)


def _own_user(
    machine: Machine, wanted: Wanted, command: Sequence[str], code: Sequence[Path], temporary: Path
) -> _Plan:
    """A user of its own where the kernel is root and that user can reach all it needs; else ours without its powers."""
    plan, grant = _Plan(), wanted.grant
    if not machine.root:
        _make_all(grant.writes)
        return plan
    uid = user.number(wanted.name)
    plan.groups = [user.SOCKETS, *user.groups_of(grant.devices)]
    blocking = _blocking(wanted, command, code, uid, [uid, *plan.groups])
    if blocking is None:
        plan.uid = uid
        for path in grant.writes:
            user.make_folder(path, uid)
        os.chown(temporary, uid, uid)
        user.open_sockets(wanted.sockets)
        return plan
    plan.notes.append(f"runs as root without its powers: a user of its own can't reach {blocking}")
    _make_all(grant.writes)
    if _blocking(wanted, command, code, 0, [0]):
        plan.capabilities = DAC_OVERRIDE
    plan.groups = []
    return plan


def _make_all(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.exists():
            path.mkdir(mode=0o700, parents=True)


def _blocking(
    wanted: Wanted, command: Sequence[str], code: Sequence[Path], uid: int, groups: Sequence[int]
) -> Path | None:
    """The first path that this user needs and can't reach. A folder that is not there yet will be made for it."""
    needs = [(Path(command[0]), user.READ | user.ENTER)]
    needs += [(path, user.READ | user.ENTER if path.is_dir() else user.READ) for path in code]
    needs += [(path, user.READ) for path in wanted.grant.reads]
    needs += [
        (path, user.READ | user.WRITE) for path in (*wanted.grant.writes, *wanted.grant.devices)
    ]
    needs += [(path.parent, user.ENTER) for path in wanted.grant.writes if not path.exists()]
    return next((path for path, what in needs if not user.reachable(path, uid, groups, what)), None)
