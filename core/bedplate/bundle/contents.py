"""What lies in a bundle besides MANIFEST and signature, and what must be true of it before anything is unpacked.

bundle.json           form of the bundle, name and version of the plugin
bedplate-plugin.toml  the manifest, config.schema.json the schema: as the plugin itself has them
sbom.cdx.json         what it is made of (CycloneDX)
wheels/, requirements.txt   form "wheels": the plugin and all it depends on, with hashes
plugin/               form "folder": a plugin folder, of any language
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from bedplate import strict_json
from bedplate.admission import manifest as toml
from bedplate.admission.manifest import Manifest
from bedplate.admission.schema import NAME as SCHEMA
from bedplate.bundle.archive import MOST_BYTES, MOST_FILES, Archive, BundleError, Entry
from bedplate.errors import AdmissionError

ABOUT, SBOM, REQUIREMENTS = "bundle.json", "sbom.cdx.json", "requirements.txt"
WHEELS, FOLDER = "wheels", "plugin"
FORM = 1
MOST_TEXT = 4 << 20
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Contents:
    """form: "wheels" or "plugin"."""

    name: str
    version: str
    form: str
    manifest: Manifest
    entries: tuple[Entry, ...]

    def below(self, folder: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.path.startswith(f"{folder}/"))


@dataclass(frozen=True, slots=True)
class Wheel:
    """What a wheel says of itself."""

    file: str
    name: str
    version: str
    license: str
    requires: tuple[str, ...]


def read_contents(archive: Archive) -> Contents:
    """Raises BundleError, or AdmissionError when its manifest is wrong or for another API."""
    entries = archive.entries()
    about = _about(archive)
    name, version, form = (str(about.get(key, "")) for key in ("name", "version", "form"))
    if not all(map(_IDENTITY.fullmatch, (name, version))) or form not in (WHEELS, FOLDER):
        raise BundleError(f"{archive.file}: {ABOUT} is damaged")
    where = f"{toml.NAME} in {archive.file}"
    manifest = toml.parse(archive.read(toml.NAME, toml.MAX_BYTES), where)
    contents = Contents(name, version, form, manifest, entries)
    if form == WHEELS:
        refuse_unfit(archive.file, [PurePosixPath(e.path).name for e in contents.below(WHEELS)])
    known = {ABOUT, SBOM, REQUIREMENTS, toml.NAME, SCHEMA}
    for entry in entries:
        if entry.path not in known and not entry.path.startswith((f"{WHEELS}/", f"{FOLDER}/")):
            raise BundleError(f"{archive.file}: nobody knows what {entry.path} is for")
    return contents


def about(name: str, version: str, form: str) -> bytes:
    words = {"bundle": FORM, "name": name, "version": version, "form": form}
    return json.dumps(words, indent=2).encode() + b"\n"


def read_wheel(file: Path) -> Wheel:
    """Reads its METADATA. Raises BundleError when it is no wheel, or would unpack to more than a bundle may."""
    try:
        with zipfile.ZipFile(file) as wheel:
            infos = wheel.infolist()
            if len(infos) > MOST_FILES or sum(i.file_size for i in infos) > MOST_BYTES:
                raise BundleError(f"{file.name}: unpacks to more than a bundle may hold")
            for info in infos:
                parts = PurePosixPath(info.filename).parts
                if info.filename.startswith("/") or ".." in parts or "\\" in info.filename:
                    raise BundleError(f"{file.name}: the name {info.filename[:80]!r} is not taken")
            text = wheel.read(_metadata(infos, file)).decode("utf-8")
    except (zipfile.BadZipFile, ValueError, KeyError, NotImplementedError, OSError) as error:
        raise BundleError(f"{file.name}: is no wheel: {error}") from None
    found = HeaderParser().parsestr(text)
    told = found["License-Expression"] or found["License"] or ""
    return Wheel(
        file.name,
        canonicalize_name(found["Name"] or ""),
        found["Version"] or "",
        told.splitlines()[0][:100] if told else "",
        tuple(found.get_all("Requires-Dist") or ()),
    )


def in_wheel(file: Path, name: str) -> bytes:
    """The one file of this name in a wheel, in its package. Raises BundleError."""
    with zipfile.ZipFile(file) as wheel:
        found = [n for n in wheel.namelist() if PurePosixPath(n).name == name]
        if len(found) != 1:
            told = "holds no" if not found else "holds more than one"
            raise BundleError(f"{file.name}: {told} {name}, so it is no plugin for a bundle")
        return wheel.read(found[0])


def folder_manifest(folder: Path) -> Manifest:
    """The manifest of a plugin folder, which says its own name and version. Raises BundleError, AdmissionError."""
    file = folder / toml.NAME
    if not file.is_file():
        raise BundleError(f"{folder}: is no plugin; it has neither pyproject.toml nor {toml.NAME}")
    found = toml.parse(file.read_bytes(), str(file))
    for word in ("name", "version"):
        if not _IDENTITY.fullmatch(getattr(found, word) or ""):
            raise AdmissionError(f"{file}: {word}: is missing or not fit for a file name")
    return found


def _about(archive: Archive) -> dict[str, Any]:
    try:
        about = strict_json.loads(archive.read(ABOUT, MOST_TEXT))
    except ValueError:
        raise BundleError(f"{archive.file}: {ABOUT} is damaged") from None
    if not isinstance(about, dict) or about.get("bundle") != FORM:
        raise BundleError(
            f"{archive.file}: is of a form that this Bedplate does not read; install a newer one"
        )
    return about


def refuse_unfit(file: Path, wheels: Iterable[str]) -> None:
    """Wheels for another machine or another Python, by their names, before an environment is made."""
    tags = set(sys_tags())
    for wheel in wheels:
        try:
            made_for = parse_wheel_filename(wheel)[3]
        except InvalidWheelFilename:
            raise BundleError(f"{file}: {wheel} is no name of a wheel") from None
        if not tags & made_for:
            told = ", ".join(sorted(map(str, made_for))[:2])
            mine = (
                f"Python {sys.version_info[0]}.{sys.version_info[1]}, {next(sys_tags()).platform}"
            )
            raise BundleError(
                f"{file}: {wheel} is made for {told}, and here is {mine}; ask for a bundle for it"
            )


def _metadata(infos: list[zipfile.ZipInfo], file: Path) -> str:
    names = [i.filename for i in infos if i.filename.endswith(".dist-info/METADATA")]
    names = [name for name in names if name.count("/") == 1]
    if len(names) != 1:
        raise BundleError(f"{file.name}: is no wheel")
    return names[0]
