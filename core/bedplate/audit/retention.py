"""Which files of a log may go. Only whole ones that were put aside, that are older than they are to be kept, whose last
line an anchor has seen, and that were forwarded where forwarding is asked for; from the oldest on, none left out. The
log says so before they go, with the hash of their last line, so that `verify` passes from there. Blocking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bedplate.audit.chain import Link
from bedplate.audit.entry import time_ns_of
from bedplate.audit.feed import backwards
from bedplate.audit.files import sealed_files


@dataclass(frozen=True, slots=True)
class Going:
    """paths: with older ones without a chain · index, head: of the last line."""

    paths: tuple[Path, ...]
    index: int
    head: str


def going(folder: Path, before_ns: int, settled: int) -> Iterator[Going]:
    """before_ns: lines older than that, ns UTC · settled: the last line that everybody has. Raises OSError."""
    plain: list[Path] = []
    for path in sealed_files(folder):
        last = _last(path)
        if last is None:
            plain.append(path)
            continue
        if last.index > settled or time_ns_of(str(last.fields()["time"])) >= before_ns:
            return
        yield Going((*plain, path), last.index, last.hash)
        plain = []


def _last(path: Path) -> Link | None:
    return next((one for one, _ in backwards(path)), None)


def used(folder: Path) -> int:
    """Bytes that the log takes. Raises OSError."""
    return sum(path.stat().st_size for path in folder.glob("audit*.jsonl"))
