"""Files that the settings of a security module name, as they were when the deployment was applied.

Rule: they are read once for a deployment. What somebody writes into them later counts once it is applied, also when the
module starts again in between, and a change that is undone has the old ones back.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from bedplate.config.deployment import Component, Deployment, resolve_settings

LARGEST = 1 << 20  # bytes of one; a larger one is read by the module itself
KEPT = 2  # deployments: this one, and that of before


class AppliedFiles:
    """Of the deployments that a kernel had lately."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Deployment, dict[str, dict[str, bytes]]]] = deque(maxlen=KEPT)

    def of(self, component: Component, deployment: Deployment) -> dict[str, bytes]:
        """Path → content; without those that can't be read."""
        kept = next((files for one, files in self._kept if one is deployment), None)
        if kept is None:
            kept = {}
            self._kept.append((deployment, kept))
        if component.id not in kept:
            kept[component.id] = _read(component, deployment)
        return kept[component.id]


def _read(component: Component, deployment: Deployment) -> dict[str, bytes]:
    settings, found = resolve_settings(component, deployment), {}
    for kind, steps in component.references:
        place: Any = settings
        for step in steps:
            place = place[step]
        if kind != "file":
            continue
        try:
            file = Path(place)
            if file.is_file() and file.stat().st_size <= LARGEST:
                found[str(place)] = file.read_bytes()
        except OSError:
            continue
    return found
