"""The kernel's own identity for its first user: a token of 256 bits, made at each start, in a file only the user reads."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import stat
import time
from pathlib import Path

from bedplate.endpoints import Endpoint, file_of, home
from bedplate.errors import BedplateError


class Announcement:
    """What clients of this user find. Written once the API serves, withdrawn at the stop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.token = secrets.token_hex(32)
        self._file: Path | None = None

    def publish(self, address: str, socket: Path | None) -> Path:
        """Raises BedplateError when the folder is open to others."""
        endpoint = Endpoint(
            address, self.token, self.name, os.getpid(), time.time_ns(), str(socket or "")
        )
        self._file = file_of(address)
        private(self._file.parent)
        part = self._file.with_suffix(f".{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(dataclasses.asdict(endpoint), out)
        part.replace(self._file)
        return self._file

    def withdraw(self) -> None:
        if self._file:
            with contextlib.suppress(OSError):
                self._file.unlink()


def private(folder: Path) -> Path:
    """The folder, made when absent, mode 0700. Raises BedplateError when others may write or read it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        raise BedplateError(f"{folder} is open to others (mode {mode:o}); run: chmod 700 {folder}")
    return folder


def admin_socket(name: str) -> Path:
    """Where the local admin socket of a deployment lies: in a folder of 0700, its path short enough."""
    folder = private(home() / "run")
    path = folder / f"{name[:20]}-{os.getpid()}.sock"
    if len(str(path).encode()) > 100:
        path = private(Path(f"/tmp/bedplate-{os.getuid()}")) / f"{os.getpid()}.sock"
    path.unlink(missing_ok=True)
    return path
