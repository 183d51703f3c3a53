"""The local token: identity before any security module is configured. 256 bits, made at the first start, kept.

It lies in the user's configuration folder, readable by its owner only; one that others could have read is refused,
since nobody can tell who has it. To make a new one, delete the file and start again.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from bedplate.durable import sync_folder
from bedplate.errors import BedplateError
from bedplate.private import private_folder, write_private

NAME = "token"
_TOKEN = re.compile(r"[0-9a-f]{64}")


def local_token(home: Path) -> str:
    """The token in this folder; makes folder and token when there are none.

    Raises BedplateError with the path when it can't be had, or could be had by others.
    """
    private_folder(home)
    file = home / NAME
    try:
        with contextlib.suppress(FileExistsError):
            _make(file)
        return _read(file)
    except OSError as error:
        raise BedplateError(f"{file}: {error.strerror}") from None


def _make(file: Path) -> None:
    """Raises FileExistsError when there is one: of two first starts at once, one wins and both use its token."""
    if os.path.lexists(file):
        raise FileExistsError
    beside = write_private(file, f"{secrets.token_hex(32)}\n".encode())
    try:
        os.link(beside, file)
    finally:
        os.unlink(beside)
    sync_folder(file.parent)


def _read(file: Path) -> str:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if mode & 0o077:
            raise BedplateError(
                f"{file} is open to others (mode {mode & 0o777:04o}), so the token may be known:"
                " delete it, and the next start makes another"
            )
        text = stream.read(256).decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(text):
        raise BedplateError(
            f"{file} holds no token (64 hex digits): delete it, and the next start makes another"
        )
    return text
