"""A home of its own for each test, short enough that its socket lies there too and not where others have theirs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bp", dir="/tmp") as short:
        monkeypatch.setenv("BEDPLATE_HOME", f"{short}/home")
        yield Path(short) / "home"
