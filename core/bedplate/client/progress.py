"""How far a long read has come, for people at a terminal who asked for it with `progress=True`."""

from __future__ import annotations

import sys
from typing import TextIO

from bedplate.client.questions import Progress


def progress_of(wanted: Progress | bool | None) -> Progress | None:
    """The callable to tell; True stands for a line on stderr when that is a terminal."""
    if callable(wanted):
        return wanted
    return line(sys.stderr) if wanted and sys.stderr.isatty() else None


def line(stream: TextIO) -> Progress:
    """Writes percent over percent on one line, and clears it at the end."""

    def tell(fraction: float) -> None:
        stream.write("\r\x1b[K" if fraction >= 1 else f"\rreading history {fraction:4.0%}")
        stream.flush()

    return tell
