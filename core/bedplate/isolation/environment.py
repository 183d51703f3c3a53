"""What a program needs to run at all, beside its permissions: its own code, its interpreter, the system.

Rule: read only, nothing of the user's, nothing of other plugins that are installed apart. Found without running
anything: a Python environment says in pyvenv.cfg and its .pth files where it takes its code from.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/nix/store", "/gnu/store")
OF_ITSELF = (  # not net, nor what has one below it: it lists the sockets of everybody
    *("maps", "smaps", "smaps_rollup", "status", "stat", "statm", "limits", "io", "auxv", "exe"),
    *("cmdline", "comm", "environ", "cgroup", "mounts", "mountinfo", "fd", "fdinfo", "uid_map"),
)
FILES = (
    *(f"/proc/self/{name}" for name in OF_ITSELF),
    # of /etc: where libraries look for the loader, names, certificates and the time
    *("/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    *("/etc/resolv.conf", "/run/systemd/resolve", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf"),
    *(
        "/etc/nsswitch.conf",
        "/etc/services",
        "/etc/protocols",
        "/etc/os-release",
        "/etc/mime.types",
    ),
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki/tls/certs", "/etc/pki/ca-trust"),
    *("/etc/ca-certificates", "/etc/localtime", "/etc/timezone", "/etc/alternatives"),
    *(
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/uptime",
        "/proc/loadavg",
    ),
    *(
        "/proc/version",
        "/proc/filesystems",
        "/proc/sys/kernel",
        "/proc/sys/vm",
        "/proc/sys/net/core",
    ),
    *("/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/fs/cgroup"),
    "/sys/kernel/mm/transparent_hugepage",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
MAX_PTH = 1 << 20


def code_of(command: Sequence[str], folders: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Where a command's code lies: its program, the libraries of its interpreter, and the plugin's own folders.

    A plugin's environment lies in its own folder, so what it says of itself is the plugin's word: it leads to
    libraries of Python and to nothing else, unless the kernel runs in the same environment.
    """
    known = [*folders, *_libraries(Path(sys.prefix)), *_editable(Path(sys.prefix))]
    found = [*folders, *_of_program(Path(shutil.which(command[0]) or command[0]).absolute(), known)]
    kept = dict.fromkeys(path for path in found if path.exists())
    return tuple(path for path in kept if not _within_any(path, map(Path, SYSTEM)))


def system() -> tuple[Path, ...]:
    return tuple(Path(p) for p in (*SYSTEM, *FILES) if Path(p).exists())


def _of_program(program: Path, known: Sequence[Path]) -> Iterator[Path]:
    """The program as named and as it really is, each with the libraries of Python beside it."""
    for path in dict.fromkeys((program, program.resolve())):
        yield path
        yield from _libraries(path.parent.parent)
    home = program.parent.parent
    if not (home / "pyvenv.cfg").is_file():
        return
    yield home / "pyvenv.cfg"
    base = _base(home)
    yield from _libraries(base.parent)
    yield from _libraries((base / "python3").resolve().parent.parent)
    own = home.resolve() == Path(sys.prefix).resolve()
    yield from (path for path in _editable(home) if own or _within_any(path, known))


def _libraries(home: Path) -> Iterator[Path]:
    """Also what its modules need, which some builds keep beside them."""
    if any(home.glob("lib/python3*")):
        yield home / "lib"


def _base(home: Path) -> Path:
    """The folder of the interpreter that an environment was made from."""
    lines = (home / "pyvenv.cfg").read_text("utf-8", "replace").splitlines()
    told = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return Path(told.get("home") or home / "bin")


def _editable(home: Path) -> Iterator[Path]:
    """Folders outside of an environment that it takes code from."""
    for file in sorted(home.glob("lib/python3*/site-packages/*.pth")):
        if file.stat().st_size <= MAX_PTH:
            for line in file.read_text("utf-8", "replace").splitlines():
                if line.startswith("/") and Path(line.strip()).is_dir():
                    yield Path(line.strip())


def _within_any(path: Path, roots: Iterable[Path]) -> bool:
    real = path.resolve()
    return any(real == root.resolve() or root.resolve() in real.parents for root in roots)
