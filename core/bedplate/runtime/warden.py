"""Ends what a kernel leaves behind: a small program of its own that outlives it by a moment.

It waits until stdin ends, which is when the kernel is gone, however it went, and then kills every process that carries
the kernel's mark in its environment: plugins, and what they started, also in a session of its own; and whom the kernel
told it of, since they wiped their environment. Standard library only, run as `python -I -S warden.py MARK`. Linux only:
needs /proc.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

VARIABLE = "BEDPLATE_RUN"
SWEEP = 2.0  # s at most
CALM = 0.1  # s without finding anybody


def marked(mark: str, proc: str = "/proc") -> Iterator[int]:
    """Processes whose environment carries a mark that begins so; not this one, and none that has ended."""
    wanted = f"{VARIABLE}={mark}".encode()
    try:
        names = os.listdir(proc)
    except OSError:
        return
    for name in names:
        if name.isdigit() and int(name) != os.getpid():
            environment = _read(f"{proc}/{name}/environ")
            if environment.startswith(wanted) or b"\0" + wanted in environment:
                yield int(name)


def sweep(mark: str, within: float = SWEEP, calm: float = CALM) -> int:
    """Kills all of them, again and again until no new ones come. Returns how many."""
    found: set[int] = set()
    end = time.monotonic() + within
    quiet = time.monotonic() + calm
    while time.monotonic() < min(end, quiet):
        for pid in marked(mark):
            found.add(pid)
            quiet = time.monotonic() + calm
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(0.01)
    return len(found)


def end(told: bytes, proc: str = "/proc") -> None:
    """Kills those of whom a line says number and start, unless another process has that number now."""
    for line in told.splitlines():
        pid, _, start = line.decode().partition(" ")
        fields = _read(f"{proc}/{pid}/stat").rpartition(b")")[2].split()
        if len(fields) > 19 and fields[19].decode() == start:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16)
    except OSError:
        return b""


def main() -> None:
    told = b""
    while words := os.read(0, 4096):
        told += words
    end(told)
    sweep(sys.argv[1])


if __name__ == "__main__":
    main()
