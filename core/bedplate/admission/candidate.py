"""What became of everything that could be a plugin: one record each, the refused too, and what the deployment gets.

Values only; `survey` makes them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from bedplate.admission.manifest import Manifest
from bedplate.admission.permissions import Permissions
from bedplate.config.deployment import PluginSchema
from bedplate.errors import AdmissionError

Verdict = Literal["admissible", "admitted", "not named", "gives way", "refused"]


@dataclass(frozen=True, slots=True)
class Offer:
    """One `use:`, with all that the runtime needs to start it.

    target: "module:Class" · plugin: its distribution, or the file's name · file: a single Python file instead of a
    package · python: the interpreter that runs it · permissions: as declared · folder: a plugin folder · command: what
    that is run with · verify: called before each start, on a thread; gives what may be started, raises AdmissionError
    when nothing may.
    """

    use: str
    kind: str
    capabilities: tuple[str, ...]
    replay: str
    target: str
    plugin: str
    version: str
    schema: PluginSchema
    support: str = ""
    permissions: Permissions = field(default_factory=Permissions)
    file: Path | None = None
    python: str = sys.executable
    folder: Path | None = None
    command: tuple[str, ...] = ()
    idempotent: bool = False
    lanes: bool = False
    verify: Callable[[], Offer] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry point, folder or file. name: of the entry point, the plugin or the file · uses: the names it offers or,
    refused, claims · reason: one sentence; empty when there is nothing to explain · place: its folder or file; None
    for what is installed in the kernel's environment."""

    name: str
    distribution: str
    version: str
    verdict: Verdict
    reason: str = ""
    uses: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    manifest: Manifest | None = None
    place: Path | None = None

    @property
    def runs(self) -> str:
        """What it is run by, for people: places in its folder are told from there."""
        if not self.offers:
            return ""
        first = self.offers[0]
        words = first.command or (first.python,)
        return " ".join(_shown(word, first.folder) for word in words)

    @property
    def requires_api(self) -> str:
        return self.manifest.requires_api if self.manifest else ""

    @property
    def support(self) -> str:
        return self.manifest.support if self.manifest else ""

    @property
    def permissions(self) -> tuple[str, ...]:
        """What it declares to need, one line each."""
        return self.manifest.permissions.words() if self.manifest else ()

    @property
    def capabilities(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for offer in self.offers for name in offer.capabilities))

    @property
    def usable(self) -> bool:
        """Whether a deployment may use it: neither refused nor giving way."""
        return self.verdict not in ("refused", "gives way")

    def refused(self, reason: str) -> Candidate:
        return replace(self, verdict="refused", reason=reason)

    def giving_way(self, reason: str) -> Candidate:
        """Another one was meant, which is nobody's mistake."""
        return replace(self, verdict="gives way", reason=reason)


@dataclass(frozen=True, slots=True)
class Admission:
    """What a deployment gets. offers: use → Offer, those it names · candidates: all of them with their last verdict."""

    offers: Mapping[str, Offer]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything that could be a plugin on this machine. Nothing of it was imported."""

    candidates: tuple[Candidate, ...]

    @property
    def offers(self) -> Mapping[str, Offer]:
        """use → Offer, of all that may be admitted."""
        found = {
            offer.use: offer
            for candidate in self.candidates
            if candidate.usable
            for offer in candidate.offers
        }
        return MappingProxyType(found)

    def why_not(self, use: str) -> str:
        """Why a name that some candidate claims can't be used; empty when none claims it, or it can."""
        if use in self.offers:
            return ""
        claimants = [c for c in self.candidates if use in c.uses]
        return "; ".join(
            f"{c.distribution} {c.version} offers it and {_how(c)}: {c.reason}" for c in claimants
        )

    def admit(self, uses: Collection[str]) -> Admission:
        """Admits what the deployment names and nothing else: what is not named is never imported.

        Raises AdmissionError that explains every name that can't be had.
        """
        offers = self.offers
        missing = [
            f"`{use}`: {self.why_not(use) or 'no plugin offers it'}"
            for use in sorted(uses)
            if use not in offers
        ]
        if missing:
            raise AdmissionError("\n".join(missing))
        judged = tuple(_judge(candidate, uses) for candidate in self.candidates)
        return Admission(MappingProxyType({use: offers[use] for use in sorted(uses)}), judged)


def schemas_for(survey: Survey) -> Callable[[str], PluginSchema | None]:
    """For bedplate.config.load: use → what `check` knows of it, None when nobody offers it.

    What it gives raises AdmissionError when somebody does and is refused.
    """
    offers = survey.offers

    def schema_of(use: str) -> PluginSchema | None:
        if use in offers:
            return offers[use].schema
        if problem := survey.why_not(use):
            raise AdmissionError(f"`{use}`: {problem}")
        return None

    return schema_of


def _how(candidate: Candidate) -> str:
    return "gives way" if candidate.verdict == "gives way" else "is refused"


def _shown(word: str, folder: Path | None) -> str:
    if word == sys.executable:
        return "Bedplate's Python"
    if folder and word.startswith(f"{folder}/"):
        return f"./{Path(word).relative_to(folder)}"
    return word


def _judge(candidate: Candidate, uses: Collection[str]) -> Candidate:
    if not candidate.usable:
        return candidate
    if any(use in uses for use in candidate.uses):
        return replace(candidate, verdict="admitted", reason="")
    return replace(
        candidate, verdict="not named", reason="the deployment names none of what it offers"
    )
