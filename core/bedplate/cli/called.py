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
    on_path = any(
        (Path(p) / "bedplate").exists() and (Path(p) / "bedplate").samefile(called) for p in _path()
    )
    if on_path or not called.exists():
        return "bedplate"
    with contextlib.suppress(ValueError):
        return str(called.absolute().relative_to(Path.cwd()))
    return str(called.absolute())


def _path() -> list[str]:
    return [part for part in os.environ.get("PATH", "").split(os.pathsep) if part]
