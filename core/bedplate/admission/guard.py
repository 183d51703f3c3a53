"""`policy: trusted`: only what an operator trusts is admitted, and it is measured before each start of its process.

Owns the judgement. What was never trusted, or asks for more than was granted, is no plugin of the deployment, and the
start says so. What has changed since is not started, while the rest runs, until it is again what is trusted: as it was,
or trusted anew. It is told in words that begin with PLUGIN_MODIFIED and name the file.
Folders and single files run from a read-only copy (store.py). A wheel in the kernel's own environment is measured
where it lies: who can write there has the kernel too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bedplate.admission.artefact import (
    Artefact,
    differences,
    digest,
    of_distribution,
    of_file,
    of_folder,
)
from bedplate.admission.candidate import Admission, Candidate, Offer
from bedplate.admission.discovery import entry_points
from bedplate.admission.folder import of_folder as plugin_folder
from bedplate.admission.installed import of_entry_point
from bedplate.admission.permissions import wider
from bedplate.admission.probe import probe
from bedplate.admission.store import Store
from bedplate.admission.trust import Grant, TrustFile
from bedplate.errors import AdmissionError, BedplateError
from bedplate.shown import some

Asked = dict[str, tuple[str, dict[str, Any]]]
Probe = Callable[[Path], Asked]
SAID = ("kind", "capabilities", "replay", "target", "schema", "permissions")
MODIFIED, UNTRUSTED = "PLUGIN_MODIFIED", "PLUGIN_NOT_TRUSTED"


@dataclass(frozen=True, slots=True)
class Guard:
    """Called before each start of a plugin, on a thread: gives what may be started, which lies in a copy where there is
    one. Raises AdmissionError when it is not what is trusted now, or no longer what the deployment was read with.

    offer: as it was found · known: as the deployment was read with · objection: of the measure at that time."""

    offer: Offer
    trust: TrustFile
    store: Store
    known: Offer | None = None
    objection: str = ""

    def __call__(self) -> Offer:
        found = self._measured(self._grant())
        if self.known and not _says_the_same(found, self.known):
            raise AdmissionError(
                f"{MODIFIED}: {self._name} is not started: its manifest or schema is not what this deployment was read"
                " with; start Bedplate again to read it anew"
            )
        return replace(found, verify=self)

    @property
    def _name(self) -> str:
        return f"{self.offer.plugin} {self.offer.version}"

    def _grant(self) -> Grant:
        try:
            grant = self.trust.grant(self.offer.plugin, self.offer.version)
        except BedplateError as error:
            raise AdmissionError(f"{UNTRUSTED}: {self._name} is not started: {error}") from None
        if grant is None:
            cure = f"bedplate plugins trust {self.offer.plugin}"
            raise AdmissionError(
                f"{UNTRUSTED}: {self._name} is not started: it is not trusted any more; {cure}"
            )
        return grant

    def _measured(self, grant: Grant) -> Offer:
        try:
            artefact = check(self.offer, grant, self.trust)
            if artefact.copied:
                python = "" if self.offer.command else self.offer.python
                self.store.keep(artefact, grant.sha256, python)
            found = _as_it_is(self.offer, self.store.place(grant.sha256))
            if more := wider(grant.permissions, found.permissions):
                raise AdmissionError(f"it asks for more than was granted: {', '.join(more)}")
        except AdmissionError as error:
            raise AdmissionError(_words(grant, str(error))) from None
        return found


def _words(grant: Grant, what: str) -> str:
    by = f" by {grant.by}" if grant.by else ""
    return (
        f"{MODIFIED}: {grant.name} {grant.version} is not started: {what}, since it was trusted {grant.at[:10]}"
        f"{by}; install it again, or if that was you: bedplate plugins trust {grant.name}"
    )


def _says_the_same(one: Offer, other: Offer) -> bool:
    """Of all that the deployment was checked against and its processes are confined by."""
    return all(getattr(one, name) == getattr(other, name) for name in SAID)


def only_trusted(admission: Admission, trust: TrustFile, store: Store) -> Admission:
    """The same with a guard on every offer. Raises AdmissionError that explains each plugin that is not trusted."""
    grants = trust.grants()
    guarded, problems = {}, []
    for use, offer in admission.offers.items():
        grant = next(
            (g for g in grants if (g.name, g.version) == (offer.plugin, offer.version)), None
        )
        if problem := _objection(offer, grant, grants):
            problems.append(f"`{use}`: {problem}")
        elif grant:
            guarded[use] = _guarded(Guard(offer, trust, store))
    if problems:
        raise AdmissionError("\n".join(dict.fromkeys(problems)))
    return replace(admission, offers=MappingProxyType(guarded))


def unchanged(candidates: Iterable[Candidate], trust: TrustFile) -> tuple[str, ...]:
    """What of these is trusted and is not what it was, one line each. Reads all their files."""
    grants = {(g.name, g.version): g for g in trust.grants()}
    told = []
    for candidate in candidates:
        offer = next(iter(candidate.offers), None)
        grant = grants.get((offer.plugin, offer.version)) if offer else None
        if offer and grant and candidate.usable:
            try:
                check(offer, grant, trust)
            except AdmissionError as error:
                told.append(f"{offer.plugin} {offer.version}: {error}")
    return tuple(dict.fromkeys(told))


def check(offer: Offer, grant: Grant, trust: TrustFile) -> Artefact:
    """Measures it. Raises AdmissionError with what differs."""
    artefact = artefact_of(offer)
    measured = artefact.measure()
    if digest(measured) != grant.sha256:
        before = trust.measure(grant.sha256)
        told = differences(before, measured) if before else ["its files were changed"]
        raise AdmissionError(some(told))
    return artefact


def trusted_probe(trust: TrustFile, store: Store) -> Probe:
    """Asks a single file what it offers, which runs it, only when it is trusted: and then its copy."""

    def ask(file: Path) -> Asked:
        artefact = of_file(file.absolute())
        sha = digest(artefact.measure())
        if not any(grant.sha256 == sha for grant in trust.grants()):
            raise AdmissionError(
                f"{file.name} is not trusted as it is now, and plugins.policy admits only trusted plugins:"
                f" bedplate plugins trust {file}"
            )
        place = store.keep(artefact, sha, sys.executable)
        return probe(place / file.name)

    return ask


def artefact_of(offer: Offer) -> Artefact:
    """What an offer is made of. Raises AdmissionError."""
    if offer.file:
        return of_file(offer.file)
    if offer.folder:
        return of_folder(offer.folder)
    modules = tuple(p.module for p in entry_points() if p.distribution == offer.plugin and p.value)
    return of_distribution(offer.plugin, modules)


def _objection(offer: Offer, grant: Grant | None, grants: tuple[Grant, ...]) -> str:
    what = f"{offer.plugin} {offer.version}"
    cure = f"bedplate plugins trust {offer.file or offer.folder or offer.plugin}"
    if grant is None:
        others = [g.version for g in grants if g.name == offer.plugin]
        known = f" (of it {', '.join(others)} is)" if others else ""
        return (
            f"{what} is not trusted{known}, and plugins.policy admits only trusted plugins: {cure}"
        )
    if more := wider(grant.permissions, offer.permissions):
        return f"{what} asks for more than was granted: {', '.join(more)}; {cure}"
    return ""


def _guarded(guard: Guard) -> Offer:
    """As it is when it is what was trusted; otherwise as it was found, and kept out until both say the same."""
    try:
        known, objection = guard(), ""
    except AdmissionError as error:
        known, objection = guard.offer, str(error)
    known = replace(known, verify=None)
    return replace(known, verify=replace(guard, known=known, objection=objection))


def _as_it_is(offer: Offer, place: Path) -> Offer:
    """What runs is the copy, where there is one; so what the plugin says of itself is read there too: what is in its
    folder may have been another a moment ago. Raises AdmissionError."""
    if offer.file:
        return replace(offer, file=place / offer.file.name)
    for candidate in plugin_folder(place) if offer.folder else _installed(offer.plugin):
        for found in candidate.offers:
            if (found.use, found.plugin, found.version) == (offer.use, offer.plugin, offer.version):
                return found
    raise AdmissionError(f"`{offer.use}` is none of what was trusted")


def _installed(distribution: str) -> list[Candidate]:
    points = entry_points()
    return [of_entry_point(p, points) for p in points if p.distribution == distribution]
