"""Looks at every place a plugin may come from; each that could be one ends as one explained Candidate.

The places, in the order in which they win a name: `--plugin`, `plugins.folders` of the deployment file, then the
plugins home and the kernel's environment, which are equals.
Rule: nothing here imports a plugin, and nothing that is wrong with one hides or hurts another.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from bedplate.admission.candidate import Candidate, Offer, Survey
from bedplate.admission.discovery import entry_points
from bedplate.admission.folder import installed_in, of_folder
from bedplate.admission.installed import of_entry_point
from bedplate.admission.manifest import NAME
from bedplate.admission.probe import probe
from bedplate.admission.schema import OfferSchema
from bedplate.errors import AdmissionError

Probe = Callable[[Path], dict[str, tuple[str, dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look besides the kernel's environment. folders: of the deployment file · home: of installed plugins."""

    folders: tuple[Path, ...] = ()
    home: Path | None = None


Levels = Sequence[tuple[str, Sequence[Candidate]]]
"""How they were named, and who they are; what was named first wins."""


def survey(
    given: Sequence[Path] = (), probe: Probe = probe, places: Places | None = None
) -> Survey:
    """Everything that could be a plugin. given: plugin folders, and single Python files, each of which is run once in a
    process of its own.

    What was given goes before what is installed and offers the same name, as its author would want; two of a kind are
    both refused, since nobody could say which was meant.
    """
    return _layered(_levels(given, probe, places or Places()))


def survey_with(
    given: Sequence[Path], places: Places | None = None, probe: Probe = probe
) -> Survey:
    """The same for somebody who named these. Raises AdmissionError when one of them can't be used: an installed
    plugin of the same name must not take its place unsaid."""
    levels = _levels(given, probe, places or Places())
    refused = [c for how, level in levels if how for c in level if c.verdict == "refused"]
    if refused:
        raise Unusable(refused)
    return _layered(levels)


def _levels(given: Sequence[Path], probe: Probe, places: Places) -> Levels:
    given_with = [c for path in dict.fromkeys(given) for c in _given(path, probe)]
    named_in = [c for folder in dict.fromkeys(places.folders) for c in of_folder(folder)]
    return [
        ("given with --plugin", _settle(given_with)),
        ("named in plugins.folders", _settle(named_in)),
        ("", _settle(_installed(places.home))),
    ]


def _layered(levels: Levels) -> Survey:
    """A name that somebody gave on purpose is not taken by what merely is there."""
    candidates: list[Candidate] = []
    taken: dict[str, str] = {}
    for how, level in levels:
        kept = [_give_way(candidate, taken) for candidate in level]
        taken |= {u: f"{c.name}, {how}" for c in kept if c.usable for u in c.uses}
        candidates = [*kept, *candidates]
    return Survey(tuple(candidates))


class Unusable(AdmissionError):
    """Places that were named hold no plugin that can be used. candidates: what was found there."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = tuple(candidates)
        super().__init__("\n".join(map(_told, candidates)))


def _told(candidate: Candidate) -> str:
    place, why = str(candidate.place), candidate.reason
    return why if place in why else f"{place}: {why}"


def _home_of(path: Path) -> Path:
    """A manifest stands for its folder."""
    place = path.parent if path.name == NAME else path
    return Path(os.path.abspath(place))


def _given(path: Path, probe: Probe) -> tuple[Candidate, ...]:
    place = _home_of(path)
    return of_folder(place) if place.is_dir() or path.name == NAME else (_single(path, probe),)


def _installed(home: Path | None) -> list[Candidate]:
    """Of a plugin that is both in the home and in the environment, the one in the home is used."""
    points = entry_points()
    beside = [of_entry_point(point, points) for point in points]
    apart = [c for folder in (installed_in(home) if home else ()) for c in of_folder(folder)]
    newer = {canonicalize_name(c.distribution): c for c in apart if c.usable}
    kept = []
    for candidate in beside:
        other = newer.get(canonicalize_name(candidate.distribution))
        if other and candidate.usable:
            candidate = candidate.giving_way(  # noqa: PLW2901
                f"{other.distribution} {other.version} in {other.place} takes its place"
            )
        kept.append(candidate)
    return [*kept, *apart]


def _single(file: Path, probe: Probe) -> Candidate:
    place = file.absolute()
    try:
        content = file.read_bytes()
        version = f"file {hashlib.sha256(content).hexdigest()[:8]}"
    except OSError as error:
        reason = f"{file}: {error.strerror}"
        return Candidate(file.name, str(file), "", "refused", reason, place=place)
    try:
        offers = tuple(
            _offer_of(file, version, use, name, OfferSchema.model_validate(described))
            for use, (name, described) in probe(file).items()
        )
    except AdmissionError as error:
        return Candidate(file.name, str(file), version, "refused", str(error), place=place)
    uses = tuple(offer.use for offer in offers)
    return Candidate(file.name, str(file), version, "admissible", "", uses, offers, place=place)


def _offer_of(file: Path, version: str, use: str, name: str, schema: OfferSchema) -> Offer:
    if problem := "; ".join(schema.problems()):
        raise AdmissionError(f"{file}: {name}: {problem}")
    return Offer(
        use=use,
        kind=schema.kind,
        capabilities=schema.capabilities,
        replay="none",
        target=f"{file.name}:{name}",
        plugin=file.name,
        version=version,
        schema=schema.of(use, schema.capabilities),
        file=file.absolute(),
    )


def _settle(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Refuses those that offer the same name. One that is refused already takes no name from others."""
    sound = [candidate for candidate in candidates if candidate.usable]
    counts = Counter(use for candidate in sound for use in candidate.uses)
    settled = []
    for candidate in candidates:
        twice = [use for use in candidate.uses if counts[use] > 1]
        if candidate.usable and twice:
            others = [c for c in sound if c is not candidate and twice[0] in c.uses]
            candidate = candidate.refused(_twice(twice[0], candidate, others))  # noqa: PLW2901
        settled.append(candidate)
    return settled


def _twice(use: str, candidate: Candidate, others: Sequence[Candidate]) -> str:
    names = " and ".join(f"{c.name} of {c.place or c.distribution}" for c in others)
    cure = "leave out" if candidate.place and all(c.place for c in others) else "uninstall"
    return f"`{use}` is also offered by {names}; {cure} one of them"


def _give_way(candidate: Candidate, taken: dict[str, str]) -> Candidate:
    for use in candidate.uses:
        if candidate.usable and use in taken:
            return candidate.giving_way(f"`{use}` comes from {taken[use]}")
    return candidate
