"""Which confinement each place of a deployment gets: its plugins' permissions, its components' settings put in.

Worked out anew at each start, since folders and devices come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bedplate.config.deployment import Component, Deployment, resolve_settings
from bedplate.config.secrets import file_of, references
from bedplate.endpoints import home
from bedplate.errors import BedplateError, Problem
from bedplate.isolation import (
    Confinement,
    Grant,
    Level,
    Machine,
    Wanted,
    choose,
    confine,
    grant,
    this_machine,
    together,
)
from bedplate.isolation.grants import Address, defaults, of_url
from bedplate.planning.store import store_folder
from bedplate.runtime.launch import Launch
from bedplate.runtime.offer import Offer


class Confiner:
    """One per kernel. sockets: the kernel's folder for plugins."""

    def __init__(
        self,
        deployment: Deployment,
        sockets: Path,
        machine: Callable[..., Machine] = this_machine,
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
        least = Level(self._deployment.plugins.min_isolation)
        return confine(self._machine(bubblewrap=least is Level.L3), least, wanted)


def grant_of(component: Component, offer: Offer, deployment: Deployment) -> Grant:
    """What one component may have. Raises GrantError."""
    if offer.file is not None:  # no manifest, so nobody can tell what it needs
        return Grant(unconfined=True)
    settings = defaults(offer.schema.settings) | resolve_settings(component, deployment)
    return grant(offer.permissions, settings, deployment.source.folder, own_folders(deployment))


def refusals(
    deployment: Deployment,
    offers: Mapping[str, Offer],
    machine: Callable[..., Machine] = this_machine,
) -> list[Problem]:
    """Components that can't run as they are written: below the deployment's least, or with a permission that their
    settings do not let anybody grant."""
    least = Level(deployment.plugins.min_isolation)
    here = machine(bubblewrap=least is Level.L3)
    told = ((c, _refusal(c, offers[c.use], deployment, here)) for c in deployment.components)
    return [Problem(c.file, c.line, c.id, text) for c, text in told if text]


def _refusal(component: Component, offer: Offer, deployment: Deployment, machine: Machine) -> str:
    least = Level(deployment.plugins.min_isolation)
    if component.placement != "process" and least > Level.L0:
        why = (
            "nobody here can tell how it is confined"
            if component.placement == "remote"
            else "that is L0"
        )
        return f"placement {component.placement}: {why}, and plugins.min_isolation is {least}"
    if component.placement != "process":
        return ""
    try:
        choose(machine, least, unconfined=grant_of(component, offer, deployment).unconfined)
    except BedplateError as error:
        return str(error)
    return ""


def own_folders(deployment: Deployment) -> tuple[Path, ...]:
    """What is the kernel's own, and no plugin's; files of secrets too: a plugin gets its own by value."""
    journal, audit = map(deployment.folder, (deployment.journal.folder, deployment.audit.folder))
    file = Path(deployment.source.file).absolute()
    return (journal, store_folder(journal), audit, home(), file, *secret_files(deployment))


def secret_files(deployment: Deployment) -> Iterator[Path]:
    """Where the secrets of all components lie, and what opens them."""
    if deployment.secrets.identity:
        yield deployment.folder(deployment.secrets.identity)
    for component in deployment.components:
        for reference in references(component.settings):
            if file := file_of(reference):
                yield deployment.folder(file)


def _telemetry(launch: Launch) -> Iterator[Address]:
    """A plugin sends its traces to the deployment's collector itself."""
    if launch.otlp:
        yield of_url(launch.otlp, "telemetry.otlp")


def _code(launch: Launch) -> Iterator[Path]:
    if launch.folder:
        yield Path(launch.folder)
    if launch.file:
        yield Path(launch.file)
