"""From a deployment file to what a backup of its installation is made of."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bedplate.admission.candidate import schemas_for
from bedplate.admission.reading import admit, read_deployment
from bedplate.backup.manifest import Manifest
from bedplate.backup.roots import Root, missing_of, roots_of
from bedplate.config import Deployment
from bedplate.version import __version__


@dataclass(frozen=True, slots=True)
class Whole:
    deployment: Deployment
    roots: list[Root]


def roots(file: Path, plugins: Sequence[Path] = ()) -> Whole:
    """Raises ConfigError, AdmissionError, OSError: a file that can't be read can't say where its parts are."""
    found, deployment = read_deployment(file, plugins)
    offers = admit(found, deployment).offers
    return Whole(deployment, roots_of(deployment, offers, schemas_for(found), file))


def about(deployment: Deployment, now: float) -> Manifest:
    """now: s since 1970."""
    made = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    missing = missing_of(deployment)
    return Manifest(deployment.name, __version__, made, socket.gethostname(), missing=missing)
