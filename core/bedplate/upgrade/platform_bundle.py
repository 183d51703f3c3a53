"""The platform as one file: wheels of Bedplate, of its plugins and of all they depend on, pip among them, with hashes.

The container, the signature and the way back from it are those of plugin bundles. A Python interpreter is not in it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bedplate import strict_json
from bedplate.bundle import sbom
from bedplate.bundle.archive import MANIFEST, SIGNATURE, Archive, BundleError, manifest, write
from bedplate.bundle.contents import (
    ABOUT,
    REQUIREMENTS,
    SBOM,
    WHEELS,
    Wheel,
    about,
    read_wheel,
    refuse_unfit,
)
from bedplate.bundle.installing import REQUIREMENT
from bedplate.bundle.making import requirements
from bedplate.bundle.minisign import SecretKey, sign

NAME, FORM = "bedplate", "platform"
ENDING = ".bundle"
MOST_TEXT = 4 << 20


@dataclass(frozen=True, slots=True)
class PlatformBundle:
    """version: of Bedplate · wheels: name → version of everything in it."""

    version: str
    wheels: dict[str, str]


def make(folder: Path, output: Path | None, key: SecretKey | None) -> tuple[Path, PlatformBundle]:
    """folder: of wheels, all of them. Raises BundleError for one that misses what another needs; leaves no half."""
    files = sorted(folder.glob("*.whl"))
    found = {read_wheel(file): file for file in files}
    whole = {wheel.name: wheel.version for wheel in found}
    if NAME not in whole or "pip" not in whole:
        missing = NAME if NAME not in whole else "pip"
        raise BundleError(f"{folder}: the wheel of {missing} is missing")
    if len(whole) < len(found):
        raise BundleError(f"{folder}: holds two versions of one package")
    if absent := [*_absent(found)]:
        raise BundleError(f"{folder}: {absent[0]}; and {len(absent) - 1} more are missing")
    shas = {wheel: hashlib.sha256(file.read_bytes()).hexdigest() for wheel, file in found.items()}
    version = whole[NAME]
    parts: dict[str, Path | bytes] = {f"{WHEELS}/{file.name}": file for file in files}
    parts[REQUIREMENTS] = requirements(shas)
    parts[SBOM] = sbom.of_wheels(NAME, version, shas)
    parts[ABOUT] = about(NAME, version, FORM)
    listed = manifest(parts)
    parts[MANIFEST] = listed
    if key:
        parts[SIGNATURE] = sign(listed, key, f"bedplate platform {version}").file()
    target = output or Path(f"{NAME}-{version}{ENDING}")
    _write(target, parts)
    return target, PlatformBundle(version, whole)


def _absent(found: Iterable[Wheel]) -> list[str]:
    """What a wheel needs and no wheel is, in words."""
    known = {wheel.name: wheel.version for wheel in found}
    told = []
    for wheel in found:
        for text in wheel.requires:
            wish = Requirement(text)
            if wish.marker is not None and not wish.marker.evaluate({"extra": ""}):
                continue
            version = known.get(canonicalize_name(wish.name))
            if version is None or not wish.specifier.contains(version, prereleases=True):
                told.append(f"{wheel.name} needs {wish}")
    return told


def _write(target: Path, parts: dict[str, Path | bytes]) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            write(stream, parts, frozenset())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def read(archive: Archive) -> PlatformBundle:
    """Raises BundleError for what is no platform, or for another machine or Python."""
    archive.check()
    entries = archive.entries()
    try:
        told = strict_json.loads(archive.read(ABOUT, MOST_TEXT))
        form, version = told["form"], str(told["version"])
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{archive.file}: {ABOUT} is damaged") from None
    if form != FORM:
        raise BundleError(f"{archive.file}: is a plugin; bedplate install {archive.file}")
    names = [PurePosixPath(e.path).name for e in entries if e.path.startswith(f"{WHEELS}/")]
    refuse_unfit(archive.file, names)
    wheels: dict[str, str] = {}
    for line in archive.read(REQUIREMENTS, MOST_TEXT).splitlines():
        if not REQUIREMENT.fullmatch(line):  # pip would also take options and addresses
            raise BundleError(f"{REQUIREMENTS}: {line[:80]!r} is not taken")
        name, _, number = line.decode().split()[0].partition("==")
        wheels[name] = number
    known = {ABOUT, SBOM, REQUIREMENTS}
    if strange := [e for e in entries if e.path not in known and not e.path.startswith(WHEELS)]:
        raise BundleError(f"{archive.file}: nobody knows what {strange[0].path} is for")
    if wheels.get(NAME) != version or "/" in version or version.startswith("."):
        raise BundleError(f"{archive.file}: {ABOUT} is damaged")
    return PlatformBundle(version, wheels)
