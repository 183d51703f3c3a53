"""What this machine can enforce, found out by asking the kernel, and the ladder it gives.

L0 inline: none. L1 a process of its own with limits. L2 also Landlock and seccomp, no capabilities, and a user of its
own where the kernel is root. L3 also bubblewrap: it sees nothing but what it was given. Looks, changes nothing.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from bedplate.isolation.syscalls import Arch, arch
from bedplate.isolation.user import FIRST, SOCKETS

LANDLOCK_CREATE = 444
PR_GET_SECCOMP, PR_GET_CHILD_SUBREAPER = 21, 37
CAP_CHOWN, CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN = 0, 6, 7, 21
NETWORK_ABI, SCOPE_ABI = (
    4,
    6,
)  # of Landlock: from when on it knows ports; signals and abstract sockets
BWRAP_WITHIN = 10.0  # s


class Level(StrEnum):
    """Weakest first."""

    L0 = "L0"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"

    @property
    def words(self) -> str:
        return WORDS[self]


WORDS = {
    Level.L0: "inside the kernel, not confined",
    Level.L1: "own process, limits on memory and files",
    Level.L2: "own process, Landlock and seccomp",
    Level.L3: "own process, Landlock and seccomp within bubblewrap",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """landlock: its ABI, 0 for none · arch: None when we know no numbers for it, so no filter · bwrap: the program,
    None when it is not there or can't work here · root: it may give plugins users of their own · why_not: level → why
    it is not to be had."""

    landlock: int
    arch: Arch | None
    root: bool
    mounts: bool
    bwrap: str | None
    processors: tuple[int, ...] = ()
    why_not: dict[Level, str] = field(default_factory=dict)

    @property
    def default(self) -> Level:
        """What every plugin gets without being asked for: bubblewrap takes longer to start, so it must be asked for."""
        return Level.L1 if Level.L2 in self.why_not else Level.L2

    @property
    def best(self) -> Level:
        return self.default if Level.L3 in self.why_not else Level.L3

    def words(self) -> str:
        """One line for people."""
        facts = [f"Landlock {self.landlock}" if self.landlock else "no Landlock"]
        facts.append("seccomp" if self.arch else "no seccomp")
        facts.append("bubblewrap" if self.bwrap else "no bubblewrap")
        return f"{self.default}, at most {self.best}: {', '.join(facts)}"


@cache
def this_machine(*, bubblewrap: bool = False) -> Machine:
    """Asks once. bubblewrap: whether it is wanted, since trying it takes some 20 ms."""
    return look(shutil.which("bwrap"), bubblewrap=bubblewrap)


def look(bwrap: str | None, *, bubblewrap: bool = True) -> Machine:
    landlock, numbers = _landlock(), _seccomp()
    why_not: dict[Level, str] = {}
    if not landlock:
        why_not[Level.L2] = (
            "this Linux has no Landlock, or it is switched off (needs 5.13 and lsm=landlock)"
        )
    elif not numbers:
        why_not[Level.L2] = f"no seccomp filter for {platform.machine()}"
    tried = "bubblewrap is not installed" if not bwrap else _bwrap(bwrap) if bubblewrap else ""
    if why := why_not.get(Level.L2) or tried:
        why_not[Level.L3] = why
    return Machine(
        landlock,
        numbers,
        _changes_users(),
        _capable(CAP_SYS_ADMIN),
        None if tried else bwrap,
        tuple(sorted(os.sched_getaffinity(0))) if sys.platform == "linux" else (),
        why_not,
    )


def keeps_orphans() -> bool:
    """Whether a process can be made the reaper of all that descend from it (Linux 3.4)."""
    if sys.platform != "linux":
        return False
    found = ctypes.c_int()
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(found), 0, 0, 0)) == 0


def _landlock() -> int:
    """The version of its ABI, 0 when there is none."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(ctypes.c_long(LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(1))
    return max(0, int(found))


def _seccomp() -> Arch | None:
    if sys.platform != "linux":
        return None
    there = Path("/proc/sys/kernel/seccomp/actions_avail").exists()
    return arch(platform.machine()) if there else None


def _changes_users(proc: Path = Path("/proc/self")) -> bool:
    """Root, with the powers for it, and in a container that has these users."""
    if os.geteuid() != 0 or not all(map(_capable, (CAP_CHOWN, CAP_SETGID, CAP_SETUID))):
        return False
    try:
        rows = [line.split() for line in (proc / "uid_map").read_text().splitlines()]
    except OSError:
        return False
    return any(int(first) <= FIRST and int(first) + int(n) > SOCKETS for first, _, n in rows)


def _capable(capability: int) -> bool:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return False
    masks = [int(line.split()[1], 16) for line in lines if line.startswith("CapEff")]
    return bool(masks and masks[0] >> capability & 1)


def _bwrap(program: str) -> str:
    """Why it can't be used; empty when it can. Many distributions refuse namespaces to ordinary users."""
    command = [program, "--unshare-pid", "--unshare-ipc", "--ro-bind", "/", "/", "true"]
    try:
        done = subprocess.run(
            command,
            env={"PATH": os.defpath},
            capture_output=True,
            timeout=BWRAP_WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run: {error}"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return (
        f"bubblewrap is refused here: {(said or ['no reason told'])[-1]}" if done.returncode else ""
    )
