"""`bedplate run`, with another linger or a journal in memory: python -m tests.benchmarks.host LINGER JOURNAL ARGUMENTS.

LINGER: seconds, or - for the default · JOURNAL: memory, or - for the one on disk. What the deployment file has no word
for is put in its place here; everything else is the program that users start.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from bedplate.cli import main
from bedplate.clock import SystemClock
from bedplate.journal.memory import MemoryEngine
from bedplate.runtime.kernel import Kernel
from bedplate.server import platform

KEEP = 256 << 20  # bytes; enough for a subscriber that was cut to go on


def in_memory(folder: Any, **settings: Any) -> MemoryEngine:
    return MemoryEngine(clock=SystemClock(), keep=KEEP)


def run(linger: str, journal: str, *arguments: str) -> None:
    if linger != "-":
        platform.Kernel = partial(Kernel, linger=float(linger))  # type: ignore[misc,assignment]
    if journal == "memory":
        platform.EmbeddedEngine = in_memory  # type: ignore[misc,assignment]
    sys.argv = ["bedplate", "run", *arguments]
    main()


if __name__ == "__main__":
    run(*sys.argv[1:])
