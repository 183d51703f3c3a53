"""Which confinement each place of a deployment gets: its plugins' permissions, its components' settings put in.

Worked out anew at each start, since folders and devices come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bedplate.config.deployment import Component, Deployment, resolve_settings
from bedplate.endpoints import home
from bedplate.isolation import (
    Confinement,
    Grant,
    Level,
    Machine,
    Wanted,
    confine,
    grant,
    this_machine,
    together,
)
from bedplate.isolation.grants import Address, defaults, of_url
from bedplate.runtime.launch import Launch
from bedplate.runtime.offer import Offer


class Confiner:
    """One per kernel. sockets: the kernel's folder for plugins."""

    def __init__(
        self,
        deployment: Deployment,
        sockets: Path,
        machine: Callable[[], Machine] = this_machine,
    ) -> None:
        self._deployment = deployment
        self._sockets = sockets
        self._machine = machine

    def confine(self, launch: Launch, members: Sequence[tuple[Component, Offer]]) -> Confinement:
        """members: the components that it will serve, with what their plugins offer.

        Raises BedplateError when the deployment's least can't be had, or a permission not be granted.
        """
        whole = together([grant_of(c, offer, self._deployment) for c, offer in members])
        whole = replace(whole, network=(*whole.network, *_telemetry(launch)))
        wanted = Wanted(
            name=f"{self._deployment.name}/{launch.name}/{launch.kind}",
            grant=whole,
            command=launch.argv(),
            code=[*_code(launch)],
            folder=self._deployment.source.folder,
            sockets=self._sockets,
        )
        return confine(self._machine(), Level(self._deployment.plugins.min_isolation), wanted)


def grant_of(component: Component, offer: Offer, deployment: Deployment) -> Grant:
    """What one component may have. Raises GrantError."""
    if offer.file is not None:  # no manifest, so nobody can tell what it needs
        return Grant(unconfined=True)
    settings = defaults(offer.schema.settings) | resolve_settings(component, deployment)
    return grant(offer.permissions, settings, deployment.source.folder, own_folders(deployment))


def own_folders(deployment: Deployment) -> tuple[Path, ...]:
    """What is the kernel's own, and no plugin's."""
    kept = (deployment.journal.folder, deployment.audit.folder)
    return (*map(deployment.folder, kept), home(), Path(deployment.source.file).absolute())


def _telemetry(launch: Launch) -> Iterator[Address]:
    """A plugin sends its traces to the deployment's collector itself."""
    if launch.otlp:
        yield of_url(launch.otlp, "telemetry.otlp")


def _code(launch: Launch) -> Iterator[Path]:
    if launch.folder:
        yield Path(launch.folder)
    if launch.file:
        yield Path(launch.file)
