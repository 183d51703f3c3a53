"""What a deployment depends on beside its file, as it is now: plugins, secrets, referenced files, processes. Blocking.

Secrets are compared by keyed digests that no other run of the kernel could make, and that leave no memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bedplate.admission.artefact import COMPILED, digest
from bedplate.admission.guard import artefact_of
from bedplate.config import Component, Deployment
from bedplate.config.deployment import resolve_settings
from bedplate.errors import AdmissionError, BedplateError
from bedplate.planning.standing import Figures, Home, Plugin, Standing
from bedplate.runtime.assembly import key_of
from bedplate.runtime.confining import grant_of
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.lifecycle import State
from bedplate.runtime.offer import Offer
from bedplate.runtime.secret_book import SecretBook

LARGEST = 4 << 20  # bytes of a referenced file that is compared by its content
ABSENT = "absent"


def surroundings(
    deployment: Deployment, offers: Mapping[str, Offer], book: SecretBook | None = None
) -> Standing:
    """book: of the kernel's secrets; without one, they are not compared."""
    measured: dict[tuple[str, ...], str] = {}
    components = deployment.components
    return Standing(
        deployment,
        plugins={use: _plugin(offer, measured) for use, offer in offers.items()},
        homes={one.id: _home(one, offers[one.use], deployment) for one in components},
        secrets={one.id: book.versions(one, deployment) for one in components} if book else {},
        files={one.id: dict(_files(one, deployment)) for one in components},
    )


def _plugin(offer: Offer, measured: dict[tuple[str, ...], str]) -> Plugin:
    place = (offer.plugin, str(offer.file or offer.folder or ""))
    if place not in measured:
        try:
            files = artefact_of(offer).measure()  # type: ignore[arg-type]
        except (AdmissionError, OSError):
            files = {}
        parts = {name: sha for name, sha in files.items() if COMPILED not in Path(name).parts}
        measured[place] = digest(parts) if parts else ""
    return Plugin(measured[place], offer.version, offer.capabilities)


def _home(component: Component, offer: Offer, deployment: Deployment) -> Home:
    name = component.process or offer.plugin.removeprefix("bedplate-")
    return Home(
        "\0".join(key_of(component, offer)),
        name,
        frozenset(_environment(component, offer, deployment)),
    )


def _environment(component: Component, offer: Offer, deployment: Deployment) -> Iterator[str]:
    if component.placement != "process":
        return
    try:
        grant = grant_of(component, offer, deployment)
    except BedplateError:
        return  # the start says why
    yield from (f"reach {address}" for address in grant.network)
    for word, paths in (("write", grant.writes), ("read", grant.reads), ("use", grant.devices)):
        yield from (f"{word} {path}" for path in paths)
    yield from [f"take {grant.memory >> 20} MiB"] + ["start programs"] * grant.subprocess


def _files(component: Component, deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Files that the settings name; folders are places, not configuration."""
    settings = resolve_settings(component, deployment)
    for kind, steps in component.references:
        place: Any = settings
        for step in steps:
            place = place[step]
        if kind == "file" and not Path(place).is_dir():
            yield str(place), _file(Path(place))


def _file(path: Path) -> str:
    try:
        if not path.is_file():
            return ABSENT
        state = path.stat()
        if state.st_size > LARGEST:
            return f"{state.st_size}:{state.st_mtime_ns}"
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ABSENT


def figures(kernel: Kernel) -> Figures:
    """How long sessions and processes took to start, the newest of each."""
    opens = {}
    for id_, supervisor in kernel.components.items():
        began = 0
        for change in supervisor.life.history:
            if change.state is State.STARTING:
                began = change.at
            elif change.state is State.UP and began:
                opens[id_], began = min(60.0, (change.at - began) / 1e9), 0
    return Figures(opens)
