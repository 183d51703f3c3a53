"""`bedplate demo` as a user starts it, and every process that came of it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEDPLATE = Path(sys.executable).with_name("bedplate")
if BEDPLATE.is_relative_to(ROOT):
    BEDPLATE = BEDPLATE.relative_to(ROOT)  # as `make demo` calls it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Demo:
    """One run, without a terminal. lines: what it has printed so far."""

    folder: Path
    words: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.listen = f"127.0.0.1:{free_port()}"
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        self.environ = {
            **os.environ,
            "BEDPLATE_HOME": str(self.folder / "home"),
            "TMPDIR": str(temporary),
        }
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [str(BEDPLATE), "demo", "--plain", "--listen", self.listen, *self.words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environ,
            cwd=ROOT,
            start_new_session=True,
        )
        self._rest = b""

    def until(self, enough: Callable[[str], bool], within: float) -> str:
        """The first line, of those printed from now on, that is enough. Fails with all that was printed."""
        assert self.process.stdout
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.process.stdout], [], [], left)[0]:
                chunk = os.read(self.process.stdout.fileno(), 1 << 16)
                *whole, self._rest = (self._rest + chunk).split(b"\n")
                fresh = [line.decode() for line in whole]
                self.lines += fresh
                for line in fresh:
                    if enough(line):
                        return line
                if not chunk:
                    break
        raise AssertionError("not within its time:\n" + "\n".join(self.lines))

    def ends(self, within: float) -> int:
        """Its exit code. What it prints last is read on the way."""
        code = self.process.wait(within)
        assert self.process.stdout
        self.lines += self.process.stdout.read().decode().splitlines()
        return code

    def close(self) -> None:
        """Kills it, and whatever of it would stay."""
        started = self.descendants()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        for pid in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def descendants(self) -> set[int]:
        """Every process that it started, and those started these."""
        return descendants(self.process.pid)


def descendants(pid: int) -> set[int]:
    parents = _parents()
    found: set[int] = set()
    wave = {pid}
    while wave := {child for child, parent in parents.items() if parent in wave} - found:
        found |= wave
    return found


def _parents() -> Mapping[int, int]:
    parents = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                words = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(place.name)] = int(words[1])
    return parents


def alive(pids: set[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    return {pid for pid in pids if _state(pid) not in ("", "Z")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
