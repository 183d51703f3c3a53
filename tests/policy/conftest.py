"""A home of its own for each test, not too deep for a socket."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("ENDPOINT", "TOKEN", "CA", "CERT", "KEY"):
        monkeypatch.delenv(f"BEDPLATE_{name}", raising=False)
    with tempfile.TemporaryDirectory(prefix="bp", dir="/tmp") as short:
        monkeypatch.setenv("BEDPLATE_HOME", f"{short}/home")
        yield Path(short) / "home"
