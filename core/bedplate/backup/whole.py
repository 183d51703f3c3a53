"""From a deployment file to what a backup of its installation is made of."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bedplate.admission.reading import Written, admit, read_deployment
from bedplate.backup.manifest import Manifest
from bedplate.backup.roots import Root, missing_of, roots_of
from bedplate.config import Deployment
from bedplate.planning.store import StoreError
from bedplate.server.installation import last_applied
from bedplate.version import __version__


@dataclass(frozen=True, slots=True)
class Whole:
    deployment: Deployment
    roots: list[Root]


def roots(file: Path, plugins: Sequence[Path] = ()) -> Whole:
    """Of what was applied last, though somebody is half-way through editing the file; of the file when nothing was.

    Raises ConfigError, AdmissionError."""
    kept = None
    with contextlib.suppress(StoreError):
        kept = last_applied(file)
    written = Written(kept.content, kept.tables) if kept else None
    found, deployment = read_deployment(file, plugins, written)
    offers = admit(found, deployment).offers
    return Whole(deployment, roots_of(deployment, offers, file))


def about(deployment: Deployment, now: float) -> Manifest:
    """now: s since 1970."""
    made = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    missing = missing_of(deployment)
    return Manifest(deployment.name, __version__, made, socket.gethostname(), missing=missing)
