"""Which files a log is made of, in the order of their lines, and reading them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bedplate.audit.chain import link

CURRENT = "audit.jsonl"


def sealed_files(folder: Path) -> list[Path]:
    """Those that were put aside. By the number of their first line, not by their name: a clock may be turned back. Logs
    of a version without a chain come first. Raises OSError."""
    try:
        found = sorted(folder.glob("audit-*.jsonl"))
    except FileNotFoundError:
        return []
    return sorted(found, key=first_index)


def files_of(place: Path) -> list[Path]:
    """Of a folder, or the one file that is named. Raises OSError."""
    if not place.is_dir():
        return [place]
    current = place / CURRENT
    return [*sealed_files(place), *([current] if current.exists() else [])]


def first_index(path: Path) -> int:
    """Of the first line of a chain in it; 0: it has none."""
    with open(path, "rb") as stream:
        for line in stream:
            if found := link(line.rstrip(b"\n")):
                return found.index
    return 0


def whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and content of each line that has ended. Raises OSError."""
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.endswith(b"\n"):
                yield number, line[:-1]
