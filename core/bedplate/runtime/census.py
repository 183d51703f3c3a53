"""Who descends from which plugin, and what they take: one look at /proc for all of them, every few seconds.

A process belongs to a plugin when it is in its session, carries its mark in the environment, which it inherits also
into a session of its own, descends from one that belongs to it, or did so when it was seen before. The launcher makes
each plugin the reaper of its orphans, so that descent tells also who left his parent, session and environment.
Limits are set here for what rlimits can't see: all processes of a plugin together. Linux only; elsewhere nothing is
found and nobody is over a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bedplate.runtime import warden

EVERY = 2.0  # s between two looks
MEMORY = 1 << 30  # bytes that a plugin may take which asks for no other limit
PROCESSES = 64  # that a plugin may have at a time, itself included
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Row:
    """One process: its session, resident bytes, its parent, and when it started, which with its number is its name."""

    session: int
    memory: int
    parent: int = 0
    start: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What a plugin takes. memory: resident bytes; all is 0 when nothing is known."""

    processes: int = 0
    memory: int = 0
    pids: tuple[int, ...] = ()


class Census:
    """One for a kernel. mark: of this kernel, in the environment of all that it starts."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self.mark = secrets.token_hex(8)
        self._count = 0
        self._proc = proc
        self._at = 0.0
        self._rows: Mapping[int, Row] = {}
        self._marks: dict[int, str | None] = {}
        self._children: dict[int, list[int]] = {}
        self._known: dict[str, dict[int, int]] = {}  # mark → number → start
        self._looking: asyncio.Task[None] | None = None
        self._warden: asyncio.subprocess.Process | None = None

    @property
    def guarded(self) -> bool:
        """A warden will end what is left."""
        return self._warden is not None

    def new_mark(self) -> str:
        """For one run of one plugin's process."""
        self._count += 1
        return f"{self.mark}-{self._count}."

    async def start(self) -> None:
        """Starts the warden."""
        if not (self._proc / "self/environ").exists():
            return
        self._warden = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", warden.__file__, self.mark,
            stdin=asyncio.subprocess.PIPE, start_new_session=True, env={},
        )  # fmt: skip

    async def stop(self) -> None:
        """Whatever still carries the mark ends now."""
        if self._warden and self._warden.stdin:
            self._warden.stdin.close()
            await self._warden.wait()

    async def taken(self, root: int, mark: str) -> Taken:
        """What this process takes with all that descends from it, as of a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._looking is None or (self._looking.done() and now - self._at >= EVERY):
            self._at, self._looking = now, asyncio.create_task(asyncio.to_thread(self._look))
        await asyncio.shield(self._looking)
        return self._sum(root, mark)

    def end(self, root: int, mark: str) -> None:
        """Kills what belongs to a run, as of now and as of before. Waits for nobody; for a thread."""
        rows = dict(_rows(self._proc))
        children = _children(rows)
        known = {p: s for p, s in self._known.pop(mark, {}).items() if _same(rows, p, s)}
        for pid in _descendants({*known, *children.get(root, ())}, children):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def _look(self) -> None:
        rows = dict(_rows(self._proc))
        known = self._marks
        self._marks = {
            pid: mark if (mark := known.get(pid)) is not None else self._mark_of(pid, pid in known)
            for pid in rows
        }
        self._rows, self._children = rows, _children(rows)

    def _mark_of(self, pid: int, again: bool) -> str | None:
        """None: to be looked at again, since a program that is just being started has no environment yet."""
        wanted = f"{warden.VARIABLE}={self.mark}".encode()
        try:
            environment = (self._proc / str(pid) / "environ").read_bytes()
        except OSError:
            return ""
        if not environment and not again:
            return None
        found = next((e for e in environment.split(b"\0") if e.startswith(wanted)), b"")
        return found.partition(b"=")[2].decode("ascii", "replace")

    def _sum(self, root: int, mark: str) -> Taken:
        rows, before = self._rows, self._known.get(mark, {})
        first = {
            pid
            for pid, row in rows.items()
            if root in (pid, row.session) or self._marks.get(pid) == mark
        }
        first |= {pid for pid, start in before.items() if _same(rows, pid, start)}
        mine = sorted(_descendants(first, self._children) & rows.keys())
        self._tell_warden(pid for pid in mine if pid not in before and not self._marks.get(pid))
        self._known[mark] = {pid: rows[pid].start for pid in mine}
        return Taken(len(mine), sum(rows[pid].memory for pid in mine), tuple(mine))

    def _tell_warden(self, hidden: Iterable[int]) -> None:
        """Of those whom it would not find by itself."""
        told = "".join(f"{pid} {self._rows[pid].start}\n" for pid in hidden)
        if told and self._warden and self._warden.stdin:
            self._warden.stdin.write(told.encode())

    def proportional(self, taken: Taken) -> int:
        """Bytes without counting twice what its processes share: dearer, so for who seems to be over a limit."""
        return sum(_pss(self._proc / str(pid)) for pid in taken.pids)


def _children(rows: Mapping[int, Row]) -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for pid, row in rows.items():
        children.setdefault(row.parent, []).append(pid)
    return children


def _descendants(first: set[int], children: Mapping[int, list[int]]) -> set[int]:
    """These, and all who descend from them."""
    found, new = set(first), list(first)
    while new:
        more = [pid for pid in children.get(new.pop(), ()) if pid not in found]
        found.update(more)
        new += more
    return found


def _same(rows: Mapping[int, Row], pid: int, start: int) -> bool:
    """Whether it still is that process, and not another one of its number."""
    return pid in rows and rows[pid].start == start


def _rows(proc: Path) -> list[tuple[int, Row]]:
    found = []
    try:
        names = os.listdir(proc)
    except OSError:
        return []
    for name in names:
        if name.isdigit() and (row := _row(f"{proc}/{name}/stat")):
            found.append((int(name), row))
    return found


def _pss(folder: Path) -> int:
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration, ValueError):
        row = _row(f"{folder}/stat")
        return row.memory if row else 0


def _row(file: str) -> Row | None:
    """None when it has ended, or is a zombie: that takes nothing but a number."""
    try:
        with open(file, "rb", buffering=0) as stat:
            fields = stat.read(4096).rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):
            return None
        session, memory, parent, start = (int(fields[n]) for n in (3, 21, 1, 19))
        return Row(session, memory * PAGE, parent, start)
    except (OSError, IndexError, ValueError):
        return None
