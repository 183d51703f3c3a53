"""Logs with a few lines, to be spoiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bedplate.audit.entry import Entry, Stamps
from bedplate.audit.key_file import KeyFile
from bedplate.audit.log import ChainLog
from bedplate.audit.verify import Report, verify
from bedplate.testing import FakeClock

AT = 1_795_386_660_000_000_000
DAY = 86_400_000_000_000


def stamps(clock: FakeClock | None = None) -> Stamps:
    return Stamps(clock or FakeClock(AT))


def write(
    folder: Path, count: int = 8, *, clock: FakeClock | None = None, rotate: int = 1 << 20
) -> None:
    """A run of a kernel that writes so many lines and stops."""
    clock = clock or FakeClock(AT)
    made = stamps(clock)
    log = ChainLog(folder, made, rotate_bytes=rotate)
    log.open()
    for number in range(count):
        clock.advance(1)
        entry = Entry("tags.write", "allowed", "anna", resource=f"press-{number}", text="\x1b[2J")
        log.append([made.record(entry)])
    log.close()


def judge(folder: Path, **more: object) -> Report:
    """As `bedplate audit verify FOLDER` does."""
    stands = KeyFile(folder).load()
    return verify(folder, stands=stands, **more)  # type: ignore[arg-type]


def rewritten(folder: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """The current file with other lines."""
    path = folder / "audit.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
