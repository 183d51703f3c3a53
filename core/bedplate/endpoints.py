"""Where running kernels are, and how to speak with them: one small file each in the user's configuration folder.

Standard library only: `bedplate --help` imports nothing else. The files are 0600 in folders of 0700.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bedplate.errors import CallError

DEFAULT = "127.0.0.1:7443"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """address: host:port · token: for the metadata `authorization` · socket: local admin socket, "" for none."""

    address: str
    token: str
    name: str = ""
    pid: int = 0
    started: int = 0
    socket: str = ""

    def __repr__(self) -> str:
        return f"Endpoint({self.address!r}, name={self.name!r}, pid={self.pid})"


def home() -> Path:
    """$BEDPLATE_HOME, or `bedplate` below the user's configuration folder."""
    if own := os.environ.get("BEDPLATE_HOME"):
        return Path(own)
    above = os.environ.get("XDG_CONFIG_HOME")
    return (Path(above) if above else Path.home() / ".config") / "bedplate"


def file_of(address: str) -> Path:
    return home() / "endpoints" / f"{address.replace(':', '_').replace('/', '_')}.json"


def announced() -> Iterator[Endpoint]:
    """Every kernel of this user that is alive."""
    for file in sorted((home() / "endpoints").glob("*.json")):
        found = _read(file)
        if found is not None and _alive(found.pid):
            yield found


def find(endpoint: str | None = None) -> Endpoint:
    """The endpoint that is meant: named, $BEDPLATE_ENDPOINT, the default one, or the only one there is.

    Raises CallError UNAVAILABLE when none runs, INVALID_ARGUMENT when several do and none is the default.
    """
    wanted = endpoint or os.environ.get("BEDPLATE_ENDPOINT")
    token = os.environ.get("BEDPLATE_TOKEN", "")
    if wanted:
        found = _read(file_of(_normal(wanted)))
        return found or Endpoint(_normal(wanted), token)
    running = {one.address: one for one in announced()}
    if DEFAULT in running:
        return running[DEFAULT]
    if len(running) == 1:
        return next(iter(running.values()))
    if running:
        listed = "\n".join(f"  --endpoint {one.address}    {one.name}" for one in running.values())
        raise CallError(f"several kernels run here; name one:\n{listed}", code="INVALID_ARGUMENT")
    raise CallError(
        "no Bedplate runs here; start one with `bedplate run plant.yaml`", code="UNAVAILABLE"
    )


def _normal(address: str) -> str:
    host, _, port = address.rpartition(":") if ":" in address else (address, "", "7443")
    return f"{'127.0.0.1' if host == 'localhost' else host}:{port}"


def _read(file: Path) -> Endpoint | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Endpoint(**json.loads(file.read_text()))
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return pid > 0
