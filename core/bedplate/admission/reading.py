"""From a deployment file and what was given with it to plugins and a checked deployment. Runs nothing of theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from bedplate.config import (
    Deployment,
    PluginSettings,
    load,
    parse,
    plugin_settings,
    plugin_settings_in,
)
from bedplate.config.deployment import Source, sha256
from bedplate.config.document import read
from bedplate.config.table import table_reader
from bedplate.endpoints import home
from bedplate.errors import AdmissionError, BedplateError, ConfigError, Problem

STORE = ".store"  # in the plugins home


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be read in place of a deployment file and its tables as they lie on the disk now."""

    content: bytes
    tables: Mapping[str, bytes]

    def table(self, name: str) -> bytes:
        """Raises OSError for one that is not among them."""
        try:
            return self.tables[name]
        except KeyError:
            raise OSError(0, "was not given") from None


def written_of(source: Source) -> Written:
    """The file and the tables that a deployment was read from. Raises BedplateError when they are not what they were
    then."""
    read_table = table_reader(source.folder)
    try:
        content = Path(source.file).read_bytes()
        tables = {name: read_table(name) for name in source.tables}
    except OSError as error:
        raise BedplateError(f"{error.filename or source.file}: {error.strerror}") from None
    if sha256([content, *tables.values()]) != source.sha256:
        raise BedplateError(f"{source.file} was changed while it was read; try again")
    return Written(content, tables)


def survey_of(
    file: Path | None, given: Sequence[Path] = (), written: Written | None = None
) -> Survey:
    """Every plugin that a deployment file can use; None: that any file can. Raises AdmissionError when a place that was
    named holds no plugin, ConfigError when the file alone named such places."""
    settings = _settings(file, written)
    ask = (
        trusted_probe(TrustFile(home()), _store(settings, file))
        if settings.policy == "trusted"
        else probe
    )
    places = _places(settings, file)
    try:
        return survey_with(given, places, ask)
    except Unusable as error:
        if file and all(candidate.place in places.folders for candidate in error.candidates):
            content = written.content if written else file.read_bytes()
            lines = _at_their_lines(error.candidates, places, file, content)
            raise ConfigError(lines) from None
        raise


def _at_their_lines(
    candidates: Sequence[Candidate], places: Places, file: Path, content: bytes
) -> Iterator[Problem]:
    root, _ = read(content, str(file))
    section = root.get("plugins") if root else None
    folders = section.get("folders") if section else None
    for candidate in candidates:
        number = places.folders.index(candidate.place or Path())
        line = folders.value[number].line if folders else 0
        yield Problem(str(file), line, "plugins.folders", candidate.reason)


def read_deployment(
    file: Path, given: Sequence[Path] = (), written: Written | None = None
) -> tuple[Survey, Deployment]:
    """written: instead of what the file says now. Raises AdmissionError, and ConfigError with all that is wrong with
    the file."""
    found = survey_of(file, given, written)
    if written is None:
        deployment = load(file, schemas_for(found), found.offers)
    else:
        folder, known = file.absolute().parent, schemas_for(found)
        content, table = written.content, written.table
        deployment = parse(content, str(file), folder, known, found.offers, table)
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
    return _places(_settings(file, None), file)


def _settings(file: Path | None, written: Written | None) -> PluginSettings:
    if file and written:
        return plugin_settings_in(written.content, str(file))
    return plugin_settings(file) if file else PluginSettings()


def _places(settings: PluginSettings, file: Path | None) -> Places:
    beside = (file or Path()).absolute().parent
    folders = tuple(Path(os.path.abspath(beside / folder)) for folder in settings.folders)
    return Places(folders, beside / settings.home if settings.home else plugins_home())


def plugins_home() -> Path | None:
    """Where plugins are installed unless a file says otherwise; None when there is no telling."""
    try:
        return home() / "plugins"
    except BedplateError:
        return None
