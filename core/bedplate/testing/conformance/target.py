"""TARGET of `bedplate conformance`: a Python file, a folder of a plugin, or the name of an installed one."""

from __future__ import annotations

import tomllib
from pathlib import Path

from bedplate.admission.candidate import Offer, Survey
from bedplate.admission.discovery import find_manifest
from bedplate.admission.manifest import NAME as MANIFEST
from bedplate.admission.reading import places_of
from bedplate.admission.survey import survey, survey_with
from bedplate.errors import BedplateError
from bedplate.testing.conformance.profile import NAME
from bedplate.testing.conformance.subject import Subject, subject_of


def subjects(target: str, use: str = "") -> list[Subject]:
    """Every offer of the plugin, or the one named. Raises BedplateError that says what is wrong."""
    path = Path(target)
    is_path = path.suffix == ".py" or path.is_dir() or "/" in target
    chosen = _of_path(path) if is_path else _named(survey(places=places_of(None)), target)
    offers = [o for o in chosen if not use or o.use == use]
    if not offers:
        names = ", ".join(sorted(o.use for o in chosen)) or "nothing"
        raise BedplateError(f"{target} does not offer {use or 'anything'}; it offers {names}")
    return [subject_of(offer, _manifest(offer)) for offer in offers]


def _of_path(path: Path) -> list[Offer]:
    """The offers of a file, of a plugin folder, or of the installed plugin whose source a folder holds."""
    if not path.exists():
        raise BedplateError(f"{path}: there is no such file or folder")
    if path.is_dir() and not (path / "bedplate-plugin.toml").exists():
        return _named(survey(places=places_of(None)), _project(path))
    given = path.absolute()
    return [o for o in survey_with([path]).offers.values() if given in (o.file, o.folder)]


def _project(folder: Path) -> str:
    """Name of the distribution whose source this folder holds."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["name"])
    except (OSError, KeyError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise BedplateError(
            f"{folder}: holds neither a bedplate-plugin.toml nor a pyproject.toml with a name"
        ) from None


def _named(found: Survey, name: str) -> list[Offer]:
    """Offers of an installed plugin, by the name of an offer or of the distribution."""
    if name in found.offers:
        return [found.offers[name]]
    offers = [o for o in found.offers.values() if o.plugin == name]
    if not offers:
        refused = [c for c in found.candidates if c.distribution == name and c.reason]
        why = found.why_not(name) or "; ".join(c.reason for c in refused)
        known = ", ".join(sorted(found.offers))
        raise BedplateError(f"{name}: {why or f'no such plugin is installed; there are {known}'}")
    return offers


def _manifest(offer: Offer) -> Path | None:
    if offer.file:
        return None
    return (
        offer.folder / MANIFEST if offer.folder else find_manifest(offer.target.partition(":")[0])
    )


def config_beside(target: str) -> Path | None:
    """conformance.toml of a target: `scale.conformance.toml` or `conformance.toml` beside a file, or in a folder."""
    path = Path(target)
    if path.is_dir():
        places = [path / NAME, path / "tests" / NAME]
    elif path.suffix == ".py":
        places = [path.with_name(f"{path.stem}.{NAME}"), path.with_name(NAME)]
    else:
        places = [Path(NAME)]
    return next((place for place in places if place.is_file()), None)
