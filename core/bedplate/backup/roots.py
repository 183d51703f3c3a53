"""What belongs to an installation: files and folders, each under a name, found from its deployment. Reads no content.

Folders of components are known by the permissions of their plugins, so that no plugin is named here: what one may write
is its own, what one may only read it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bedplate.admission.candidate import Offer
from bedplate.command.store import FILE as COMMANDS
from bedplate.config import Deployment
from bedplate.config.secrets import file_of, references
from bedplate.endpoints import home
from bedplate.journal.database import FILE as JOURNAL
from bedplate.planning.store import store_folder
from bedplate.runtime.confining import grant_of

DEPLOYMENT, APPLIED, RECORDS, AUDIT, HOME = "deployment", "applied", "journal", "audit", "home"
COMPONENT, SECRET, KEYS = "component", "secret", "keys"
GAPS = "gaps.sqlite"  # the ledger, beside the journal
LEFT_OUT = {
    "endpoints",
    "versions",
    "run",
    ".store",
    ".new",
    "lock",
    "spill",
}  # made anew by themselves


@dataclass(frozen=True, slots=True)
class Root:
    """kind: deployment, applied, journal, audit, home, component, secret or keys · path: where it is, in full · only:
    names taken of a folder, empty for all · bulk: whether what is no database is taken only when it is asked for."""

    kind: str
    name: str
    path: Path
    only: tuple[str, ...] = ()
    bulk: bool = False


def roots_of(deployment: Deployment, offers: Mapping[str, Offer], file: Path) -> list[Root]:
    """Those that exist, none within another. Raises BedplateError, OSError."""
    journal = deployment.folder(deployment.journal.folder)
    found = [
        Root(DEPLOYMENT, file.name, file.absolute()),
        *(Root(DEPLOYMENT, one, deployment.folder(one)) for one in deployment.source.tables),
        Root(RECORDS, "journal", journal, (JOURNAL, GAPS, COMMANDS)),
        Root(APPLIED, "applied deployments", store_folder(journal)),
        Root(AUDIT, "audit", deployment.folder(deployment.audit.folder)),
        Root(HOME, "home", home()),
        *_keys(deployment),
        *_components(deployment, offers),
        *_secrets(deployment),
    ]
    return [*_apart(root for root in found if root.path.exists())]


def _keys(deployment: Deployment) -> Iterator[Root]:
    """Certificates and keys of the kernel itself; plugins that lie in folders."""
    named = (("api.tls", deployment.api.tls), ("plugins.tls", deployment.plugins.tls))
    for word, written in (*named, ("audit.tls", deployment.audit.tls)):
        if written:
            yield Root(KEYS, word, deployment.folder(written))
    for written in deployment.plugins.folders:
        yield Root(COMPONENT, f"plugin {Path(written).name}", deployment.folder(written))
    if deployment.plugins.home:
        yield Root(COMPONENT, "plugins", deployment.folder(deployment.plugins.home))


def _components(deployment: Deployment, offers: Mapping[str, Offer]) -> Iterator[Root]:
    for component in deployment.components:
        offer = offers[component.use]
        granted = grant_of(component, offer, deployment)
        bulk = "deliver" in offer.capabilities
        for path in granted.writes:
            yield Root(COMPONENT, component.id, path, bulk=bulk)
        for path in granted.reads:
            yield Root(KEYS, component.id, path)


def _secrets(deployment: Deployment) -> Iterator[Root]:
    for component in deployment.components:
        for reference in references(component.settings):
            if file := file_of(reference):
                yield Root(SECRET, component.id, deployment.folder(file))
    if identity := deployment.secrets.identity:
        yield Root(SECRET, "identity of age files", deployment.folder(identity))


def missing_of(deployment: Deployment) -> list[str]:
    """Secrets that lie in no file, such as those of the environment."""
    every = (r for c in deployment.components for r in references(c.settings))
    return sorted({reference for reference in every if not file_of(reference)})


def _apart(roots: Iterable[Root]) -> Iterator[Root]:
    """The first of each place; what lies in a folder that is taken whole is taken with it."""
    taken: list[Root] = []
    for root in roots:
        real = root.path.resolve()
        inside = (
            r
            for r in taken
            if r.path.resolve() == real or (not r.only and r.path.resolve() in real.parents)
        )
        if next(inside, None) is None:
            taken.append(root)
            yield root
