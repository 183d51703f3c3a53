"""From a deployment file and what was given with it to plugins and a checked deployment. Runs nothing of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bedplate.admission.candidate import Survey, schemas_for
from bedplate.admission.overreach import overreach
from bedplate.admission.placing import problems
from bedplate.admission.survey import Places, survey_with
from bedplate.config import Deployment, PluginSettings, load, plugin_settings
from bedplate.endpoints import home
from bedplate.errors import BedplateError, ConfigError


def survey_of(file: Path | None, given: Sequence[Path] = ()) -> Survey:
    """Every plugin that a deployment file can use; None: that any file can. Raises AdmissionError when a place that was
    named holds no plugin."""
    return survey_with(given, places_of(file))


def read_deployment(file: Path, given: Sequence[Path] = ()) -> tuple[Survey, Deployment]:
    """Raises AdmissionError, and ConfigError with all that is wrong with the file."""
    found = survey_of(file, given)
    deployment = load(file, schemas_for(found), found.offers)
    if wrong := [*problems(deployment, found.offers), *overreach(deployment, found.offers)]:
        raise ConfigError(wrong)
    return found, deployment


def places_of(file: Path | None) -> Places:
    """Where a deployment file says that plugins lie."""
    settings = plugin_settings(file) if file else PluginSettings()
    beside = (file or Path()).absolute().parent
    folders = tuple((beside / folder).absolute() for folder in settings.folders)
    return Places(folders, beside / settings.home if settings.home else plugins_home())


def plugins_home() -> Path | None:
    """Where plugins are installed unless a file says otherwise; None when there is no telling."""
    try:
        return home() / "plugins"
    except BedplateError:
        return None
