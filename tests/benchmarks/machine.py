"""What the machine and its processes used: CPU, memory, disk, as Linux counts them. Foreign is what is not ours."""

from __future__ import annotations

import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Foreign:
    """cores: of CPU that processes which are none of ours used meanwhile."""

    cores: float = 0.0


@contextmanager
def foreign() -> Iterator[Foreign]:
    """Counts while it lasts. Ours: this process and whatever it started."""
    found = Foreign()
    busy, ours, began = _busy(), _ours(), time.monotonic()
    yield found
    spent = (_busy() - busy) - (_ours() - ours)
    found.cores = max(0.0, spent / (time.monotonic() - began))


def _busy() -> float:
    """CPU seconds of the whole machine since boot; waiting for disks is none."""
    line = Path("/proc/stat").read_text().split("\n", 1)[0]
    user, nice, system, _idle, _wait, irq, soft, steal, *_ = map(int, line.split()[1:])
    return (user + nice + system + irq + soft + steal) / TICK


def _ours() -> float:
    """CPU seconds of this process and all below it, those included that have ended."""
    children: dict[int, list[int]] = defaultdict(list)
    spent: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _fields(int(folder.name))):
            children[int(fields[1])].append(int(folder.name))
            spent[int(folder.name)] = sum(map(int, fields[11:15]))
    total, open_ = 0, [os.getpid()]
    while open_:
        pid = open_.pop()
        total += spent.get(pid, 0)
        open_ += children[pid]
    return total / TICK


def _fields(pid: int) -> list[str]:
    """/proc/PID/stat from the state on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu(pid: int) -> float:
    """CPU seconds of a process, in steps of 10 ms."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0.0


def resident(pid: int) -> float:
    """MB in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def proportional(pid: int) -> float:
    """MB in memory, what several processes share divided among them (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def written(pid: int) -> int:
    """Bytes that a process gave to block devices, less those it took back before they were written."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    counts = {name: int(value) for name, value in (line.split(": ") for line in lines)}
    return counts["write_bytes"] - counts["cancelled_write_bytes"]


def described() -> str:
    """One line: processor, cores, memory, kernel, Python."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {gigabytes:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )
