"""Why a deployment that is sound in itself may not run on this machine, by file and line: what nothing serves, what no
isolation allows, places within one another, and secrets that others of the machine, or everybody, could know.

Of secrets it looks at modes, and whether they were set at all. What is not there, or can't be opened, is told by the
component that wants it, which tries again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bedplate.config import Deployment, unserved
from bedplate.config.secret_files import ANYBODY_ELSE, OTHERS, mode_problem
from bedplate.config.secrets import references
from bedplate.errors import Problem
from bedplate.runtime.confining import refusals
from bedplate.runtime.offer import Offer
from bedplate.server.placeholders import placeholders
from bedplate.server.rooms import misplaced


def wrong_to_run(deployment: Deployment, offers: Mapping[str, Offer]) -> list[Problem]:
    """All of it; empty when it may run."""
    return [
        *unserved(deployment),
        *misplaced(deployment),
        *refusals(deployment, offers),
        *exposed(deployment),
        *placeholders(deployment),
    ]


def exposed(deployment: Deployment) -> list[Problem]:
    """Files of secrets whose mode lets others in."""
    return [*dict.fromkeys(_exposed(deployment))]


def _exposed(deployment: Deployment) -> Iterator[Problem]:
    source = deployment.source
    if identity := deployment.secrets.identity:
        where = "secrets.identity"
        if why := _open_to(deployment.folder(identity), ANYBODY_ELSE):
            yield Problem(source.file, source.lines.get(where, 0), where, why)
    for component in deployment.components:
        for reference in references(component.settings):
            scheme, _, rest = reference.partition(":")
            path = deployment.folder(rest)
            if scheme == "file" and (why := _open_to(path, OTHERS)):
                yield Problem(component.file, component.line, component.id, f"secret {why}")


def _open_to(path: Path, bits: int) -> str:
    try:
        problem = mode_problem(os.stat(path).st_mode, bits)
    except OSError:
        return ""
    return f"{path} {problem}" if problem else ""
