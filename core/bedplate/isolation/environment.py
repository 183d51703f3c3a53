"""What a program needs to run at all, beside its permissions: its own code, its interpreter, the system.

Rule: read only, nothing of the user's, nothing of other plugins that are installed apart. Found without running
anything: a Python environment says in pyvenv.cfg and its .pth files where it takes its code from.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/opt/bedplate")
FILES = (  # of /etc: where libraries look for the loader, names, certificates and the time
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
        "/proc/self",
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
    """Where a command's code lies: program, interpreter, environment, and the plugin's own folders."""
    program = Path(shutil.which(command[0]) or command[0]).absolute()
    found = [*folders, *_of_program(program), *(Path(f) for f in map(str, _scripts(command)))]
    kept = dict.fromkeys(path for path in found if path.exists())
    return tuple(path for path in kept if not _within_system(path))


def system() -> tuple[Path, ...]:
    return tuple(Path(p) for p in (*SYSTEM, *FILES) if Path(p).exists())


def _scripts(command: Sequence[str]) -> Iterator[Path]:
    """Files that the command names, such as plugin.js."""
    for word in command[1:]:
        if word.startswith("/") and Path(word).is_file():
            yield Path(word)


def _of_program(program: Path) -> Iterator[Path]:
    """The program as named and as it really is, each with its environment when it stands in a bin folder."""
    for path in dict.fromkeys((program, program.resolve())):
        home = path.parent.parent if path.parent.name == "bin" else path
        if len(home.parts) > 2:
            yield home
            yield from _of_python(home)
        else:
            yield path


def _of_python(home: Path) -> Iterator[Path]:
    config = home / "pyvenv.cfg"
    if config.is_file():
        lines = (line.partition("=") for line in config.read_text("utf-8", "replace").splitlines())
        told = {key.strip(): value.strip() for key, _, value in lines}
        if told.get("home"):
            base = Path(told["home"])
            yield base.parent if base.name == "bin" else base
            real = (base / "python3").resolve()
            yield real.parent.parent if real.parent.name == "bin" else real
    for file in home.glob("lib/python3*/site-packages/*.pth"):
        if file.stat().st_size <= MAX_PTH:
            for line in file.read_text("utf-8", "replace").splitlines():
                if line.startswith("/") and Path(line.strip()).is_dir():
                    yield Path(line.strip())


def _within_system(path: Path) -> bool:
    return any(
        path == Path(root) or Path(root) in path.parents for root in ("/usr", "/lib", "/bin")
    )
