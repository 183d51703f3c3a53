"""Names that survive a power cut. What fsync of a file covers is its content: its name is on disk once its folder is
synced, and the folder's own name once the folder above it is (POSIX promises no more). Blocking.
"""

from __future__ import annotations

import os
import secrets
from itertools import takewhile
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """The names in it are on disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int) -> None:
    """Makes it, and what is missing above it; their names are on disk. Legal when it is there. Raises OSError."""
    missing = list(takewhile(lambda one: not one.exists(), folder.parents))
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    for one in (folder, *missing):
        sync_folder(one.parent)


def put_link(link: Path, leads: str) -> None:
    """The link leads there, after a power cut too; or where it did. Raises OSError."""
    beside = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    os.symlink(leads, beside)
    os.replace(beside, link)
    sync_folder(link.parent)
