"""Folders and files that nobody else reads or writes, on disk after a power cut too. Blocking."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bedplate.durable import make_folder, sync_folder
from bedplate.errors import BedplateError


def private_folder(folder: Path, *, closed: bool = False) -> None:
    """Makes a folder of mode 0700. closed: one that is there must be so too; else it is enough that others can't write
    there. Raises BedplateError."""
    try:
        if not folder.exists():
            make_folder(folder, 0o700)
        found = folder.stat()
    except OSError as error:
        raise BedplateError(f"{folder}: {error.strerror}") from None
    mode = found.st_mode & 0o777
    if mode & (0o077 if closed else 0o022):
        raise BedplateError(f"{folder} is open to others (mode {mode:04o}): chmod 700 {folder}")
    if found.st_uid not in (os.geteuid(), 0):
        raise BedplateError(
            f"{folder} belongs to another user; name another place with BEDPLATE_HOME"
        )


def write_private(file: Path, content: bytes) -> Path:
    """A new file of mode 0600 beside `file`, on disk but for its name. The caller puts it in its place."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return beside


def put_private(file: Path, content: bytes) -> None:
    """The file is this, of mode 0600, after a power cut too; or it is what it was. Raises OSError."""
    os.replace(write_private(file, content), file)
    sync_folder(file.parent)
