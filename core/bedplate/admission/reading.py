"""From a deployment file and what was given with it to plugins and a checked deployment. Runs nothing of theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bedplate.admission import buffering
from bedplate.admission.candidate import Admission, Candidate, Survey, schemas_for
from bedplate.admission.guard import only_trusted, trusted_probe
from bedplate.admission.overreach import overreach
from bedplate.admission.placing import problems
from bedplate.admission.probe import probe
from bedplate.admission.startup_code import startup_code
from bedplate.admission.store import Store
from bedplate.admission.survey import Places, Unusable, survey_with
from bedplate.admission.trust import TrustFile
from bedplate.config import Deployment, PluginSettings, load, plugin_settings
from bedplate.config.document import read
from bedplate.endpoints import home
from bedplate.errors import AdmissionError, BedplateError, ConfigError, Problem

STORE = ".store"  # in the plugins home


def survey_of(file: Path | None, given: Sequence[Path] = ()) -> Survey:
    """Every plugin that a deployment file can use; None: that any file can. Raises AdmissionError when a place that was
    named holds no plugin, ConfigError when the file alone named such places."""
    settings = plugin_settings(file) if file else PluginSettings()
    ask = (
        trusted_probe(TrustFile(home()), _store(settings, file))
        if settings.policy == "trusted"
        else probe
    )
    places = places_of(file)
    try:
        return survey_with(given, places, ask)
    except Unusable as error:
        if file and all(candidate.place in places.folders for candidate in error.candidates):
            raise ConfigError(_at_their_lines(error.candidates, places, file)) from None
        raise


def _at_their_lines(
    candidates: Sequence[Candidate], places: Places, file: Path
) -> Iterator[Problem]:
    root, _ = read(file.read_bytes(), str(file))
    section = root.get("plugins") if root else None
    folders = section.get("folders") if section else None
    for candidate in candidates:
        number = places.folders.index(candidate.place or Path())
        line = folders.value[number].line if folders else 0
        yield Problem(str(file), line, "plugins.folders", candidate.reason)


def read_deployment(file: Path, given: Sequence[Path] = ()) -> tuple[Survey, Deployment]:
    """Raises AdmissionError, and ConfigError with all that is wrong with the file."""
    found = survey_of(file, given)
    deployment = load(file, schemas_for(found), found.offers)
    offers = found.offers
    checks = (problems, overreach, buffering.problems)
    if wrong := [one for check in checks for one in check(deployment, offers)]:
        raise ConfigError(wrong)
    return found, deployment


def admit(found: Survey, deployment: Deployment) -> Admission:
    """What this deployment may start. Raises AdmissionError that explains every plugin it can't have."""
    admission = found.admit({component.use for component in deployment.components})
    if deployment.plugins.policy != "trusted":
        return admission
    if unwelcome := startup_code():
        told = "; ".join(f"{code.path} {code.why}" for code in unwelcome)
        raise AdmissionError(
            f"plugins.policy is trusted, and {told}; take it away, or find out who put it there"
        )
    return only_trusted(
        admission, TrustFile(home()), _store(deployment.plugins, Path(deployment.source.file))
    )


def _store(settings: PluginSettings, file: Path | None) -> Store:
    beside = (file or Path()).absolute().parent
    place = beside / settings.home if settings.home else home() / "plugins"
    return Store(place / STORE, home() / "trusted")


def places_of(file: Path | None) -> Places:
    """Where a deployment file says that plugins lie."""
    settings = plugin_settings(file) if file else PluginSettings()
    beside = (file or Path()).absolute().parent
    folders = tuple(Path(os.path.abspath(beside / folder)) for folder in settings.folders)
    return Places(folders, beside / settings.home if settings.home else plugins_home())


def plugins_home() -> Path | None:
    """Where plugins are installed unless a file says otherwise; None when there is no telling."""
    try:
        return home() / "plugins"
    except BedplateError:
        return None
