"""How the user called this command, so that what we tell them to type works when they type it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def program() -> str:
    """How the user calls `bedplate` in another terminal, in the folder where this one was started."""
    called = Path(sys.argv[0])
    if called.name != "bedplate":
        return "bedplate"
    if any(_same(Path(p) / "bedplate", called) for p in _path()) or not called.exists():
        return "bedplate"
    with contextlib.suppress(ValueError):
        return str(called.absolute().relative_to(Path.cwd()))
    return str(called.absolute())


def _same(one: Path, other: Path) -> bool:
    """False also where this user may not look."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def _path() -> list[str]:
    return [part for part in os.environ.get("PATH", "").split(os.pathsep) if part]
