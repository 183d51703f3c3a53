"""Tells clients of this user where the kernel is: one file per running kernel, which bedplate.endpoints reads.

Owns the place of the local admin socket too. What killed kernels left behind is removed by the next one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from dataclasses import asdict
from pathlib import Path

from bedplate import strict_json
from bedplate.endpoints import Endpoint, file_of, home, is_alive
from bedplate.errors import BedplateError
from bedplate.private import private_folder, write_private

MAX_SOCKET_PATH = 100  # bytes; the system's limit is 107
BELOW = 17  # bytes of a name in `connections_folder`


class Announcement:
    """What clients find. name: of the deployment · started: ns UTC · tls: the API speaks TLS."""

    def __init__(self, name: str, token: str, started: int, *, tls: bool = False) -> None:
        self._name = name
        self._token = token
        self._started = started
        self._tls = tls
        self._file: Path | None = None

    def publish(self, address: str, socket: Path | None = None) -> Path:
        """Once the API serves. The file is there whole or not at all. Raises BedplateError when it can't be written."""
        file = file_of(address)
        private_folder(file.parent, closed=True)
        _sweep(file.parent)
        endpoint = Endpoint(
            address,
            self._token,
            self._name,
            os.getpid(),
            self._started,
            str(socket or ""),
            self._tls,
        )
        try:
            os.replace(write_private(file, json.dumps(asdict(endpoint)).encode()), file)
        except OSError as error:
            raise BedplateError(f"{file}: {error.strerror}") from None
        self._file = file
        return file

    def withdraw(self) -> None:
        """At the stop. Leaves alone what another kernel has put there since. Legal twice."""
        if self._file and _owner(self._file) == os.getpid():
            with contextlib.suppress(OSError):
                self._file.unlink()
        self._file = None


def admin_socket() -> Path:
    """Where a local admin socket may be made: a new name in a folder that nobody else can enter, and that no confined
    plugin of the same user can guess.

    Raises BedplateError when there is none.
    """
    name = f"{os.getpid()}-{secrets.token_urlsafe(6)}.sock"
    folder = home() / "run"
    if len(os.fsencode(folder)) + len(name) + 1 + BELOW > MAX_SOCKET_PATH:
        folder = Path(f"/tmp/bedplate-{os.geteuid()}")
    private_folder(folder, closed=True)
    for left in folder.iterdir():
        owner = left.name.partition("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            shutil.rmtree(left) if left.suffix == ".d" else left.unlink(missing_ok=True)
    return folder / name


def connections_folder(socket: Path) -> Path:
    """A folder of the same kind beside the admin socket, for the sockets of connections that come over the network.
    Raises BedplateError."""
    folder = socket.with_suffix(".d")
    private_folder(folder, closed=True)
    return folder


def _sweep(folder: Path) -> None:
    for file in folder.glob("*.json"):
        pid = _owner(file)
        if pid and not is_alive(pid):
            file.unlink(missing_ok=True)
    for left in folder.glob(".*.json.*"):
        owner = left.name.split(".")[-2]
        if owner.isdigit() and not is_alive(int(owner)):
            left.unlink(missing_ok=True)


def _owner(file: Path) -> int:
    """Process that wrote it; 0 when that can't be told."""
    try:
        return int(strict_json.loads(file.read_bytes())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
