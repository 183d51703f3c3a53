"""A plugin folder as a candidate: any language, or Python in an environment of its own. Nothing of it is run.

With a manifest it says its own name and version. Without one, but with an environment, it is what is installed there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from bedplate.admission import manifest as toml
from bedplate.admission.candidate import Candidate, Offer
from bedplate.admission.discovery import entry_points
from bedplate.admission.environment import Environment, environment_of
from bedplate.admission.installed import check_permissions, of_entry_point, read
from bedplate.admission.manifest import Manifest, OfferEntry
from bedplate.admission.program import program
from bedplate.admission.schema import OfferSchema, check_offer, read_schemas
from bedplate.errors import AdmissionError


def of_folder(folder: Path) -> tuple[Candidate, ...]:
    """What a plugin folder is; several when an environment without a manifest holds several plugins."""
    folder = Path(os.path.abspath(folder))
    if (folder / toml.NAME).is_file():
        return (_with_manifest(folder),)
    refused = Candidate(folder.name, folder.name, "", "refused", place=folder)
    if not folder.is_dir():
        return (refused.refused(f"{folder}: there is no such folder"),)
    try:
        environment = environment_of(folder)
    except AdmissionError as error:
        return (refused.refused(str(error)),)
    if environment is None:
        return (refused.refused(f"no {toml.NAME} in {folder}{_project(folder)}"),)
    points = entry_points(path=environment.site)
    found = tuple(
        _moved(of_entry_point(point, points, environment.site), folder, environment)
        for point in points
    )
    return found or (
        refused.refused(f"no {toml.NAME} in {folder}, and no plugin in its environment"),
    )


def _moved(candidate: Candidate, folder: Path, environment: Environment) -> Candidate:
    """A plugin that is installed in the folder's own environment."""
    python = str(environment.python)
    offers = tuple(replace(o, folder=folder, python=python) for o in candidate.offers)
    return replace(candidate, offers=offers, place=folder)


def _with_manifest(folder: Path) -> Candidate:
    file = folder / toml.NAME
    content = b""
    try:
        content = read(file)
        manifest = toml.parse(content, str(file))
        offers = _offers(manifest, folder)
    except AdmissionError as error:
        name, version = toml.identity(content)
        uses = toml.claims(content)
        name = name or folder.name
        return Candidate(name, name, version, "refused", str(error), uses, place=folder)
    uses = tuple(offer.use for offer in offers)
    name, version = offers[0].plugin, offers[0].version
    return Candidate(name, name, version, "admissible", "", uses, offers, manifest, folder)


def _offers(manifest: Manifest, folder: Path) -> tuple[Offer, ...]:
    if manifest.name is None or manifest.version is None:
        word, such = ("version", "1.0.0") if manifest.name else ("name", folder.name)
        raise AdmissionError(
            f"{folder / toml.NAME}: {word}: is missing; a plugin folder says its own, such as"
            f' {word} = "{such}" above the first [[offer]]{_project(folder.parent)}'
        )
    command = program(manifest.run.command, folder) if manifest.run else ()
    environment = None if manifest.run else environment_of(folder)
    schemas = read_schemas(folder / toml.NAME, "" if manifest.run else str(folder))
    check_permissions(manifest, schemas.values())
    make = _maker(manifest, folder, command, environment)
    return tuple(make(entry, schemas) for entry in manifest.offer)


def _project(folder: Path) -> str:
    """What to do instead with the source of a wheel."""
    if not (folder / "pyproject.toml").is_file():
        return ""
    return f"; a Python project is installed: {sys.executable} -m pip install -e {folder}"


def _maker(
    manifest: Manifest, folder: Path, command: tuple[str, ...], environment: Environment | None
) -> Callable[[OfferEntry, Mapping[str, OfferSchema]], Offer]:
    def make(entry: OfferEntry, schemas: Mapping[str, OfferSchema]) -> Offer:
        if not command and not entry.target:
            raise AdmissionError(
                f'`{entry.use}` names no class; write class = "module:Class" under its [[offer]], or how'
                ' another language is started: [run] command = ["node", "plugin.js"]'
            )
        offer = Offer(
            use=entry.use,
            kind=entry.kind,
            capabilities=entry.capabilities,
            replay=entry.replay,
            idempotent=entry.idempotent,
            lanes=entry.lanes,
            target=entry.target or "",
            plugin=manifest.name or "",
            version=manifest.version or "",
            schema=check_offer(entry, schemas.get(entry.use)).of(entry.use, entry.capabilities),
            support=manifest.support,
            permissions=manifest.permissions,
            folder=folder,
            command=command,
        )
        return replace(offer, python=str(environment.python)) if environment else offer

    return make


def installed_in(home: Path) -> tuple[Path, ...]:
    """The plugin folders of a plugins home: of each name the version that `current` leads to, there or not."""
    try:
        names = sorted(entry for entry in home.iterdir() if os.path.lexists(entry / "current"))
    except OSError:
        return ()
    return tuple(_led_to(name / "current") for name in names)


def _led_to(current: Path) -> Path:
    if current.is_file() and not current.is_symlink():
        return current.parent / current.read_text(encoding="utf-8").strip()
    return current.resolve()
