"""A process that stands still: it keeps its connections and says nothing more."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

WITHIN = 60.0  # s


def freeze(process: subprocess.Popen[Any]) -> None:
    """SIGSTOP; returns once every thread of it has stopped, else it might still answer."""
    process.send_signal(signal.SIGSTOP)
    threads = Path(f"/proc/{process.pid}/task")
    deadline = time.monotonic() + WITHIN
    while not _stopped(threads):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.001)


def thaw(process: subprocess.Popen[Any]) -> None:
    process.send_signal(signal.SIGCONT)


def _stopped(threads: Path) -> bool:
    try:
        return all(") T " in (one / "stat").read_text() for one in threads.iterdir())
    except (FileNotFoundError, ProcessLookupError):  # one has ended meanwhile
        return False
