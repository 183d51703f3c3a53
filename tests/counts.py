"""How often: what a machine that tests every change has time for, and the full count of `make soak`."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("BEDPLATE_SOAK"))


def count(often: int, full: int) -> int:
    """often: with the suite · full: under `make soak`."""
    return full if SOAK else often
