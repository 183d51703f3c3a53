"""Installs a bundle: whose it is, whether all is there and nothing more, then an environment, then the shelf.

Order: the container → the signature → what it holds → the operator's word → files → environment → shelf → grant →
`current`. Until the last step the version before stays the one that is used.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bedplate import strict_json
from bedplate.admission import manifest as toml
from bedplate.admission.artefact import digest, of_folder
from bedplate.admission.notices import RECORD
from bedplate.admission.permissions import wider
from bedplate.admission.schema import NAME as SCHEMA
from bedplate.admission.trust import Grant, TrustFile
from bedplate.bundle.archive import MANIFEST, MOST_MANIFEST, SIGNATURE, Archive, BundleError
from bedplate.bundle.contents import (
    FOLDER,
    REQUIREMENTS,
    SBOM,
    WHEELS,
    Contents,
    in_wheel,
    read_contents,
    read_wheel,
)
from bedplate.bundle.environment import make_environment
from bedplate.bundle.minisign import MAX_BYTES, PublicKey, read_signature, verify
from bedplate.bundle.publishers import Publishers
from bedplate.bundle.shelf import Installed, Shelf, room_for

SHA = "bundle_sha256"
REQUIREMENT = re.compile(rb"[a-z0-9-]+==[A-Za-z0-9.+!_-]+ --hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Offered:
    """What a bundle is, before anything of it was unpacked. publisher: whose key signed it, "" for nobody · key: name
    of that key · sha256: of the bundle · before: the newest grant of the same plugin · more: permissions that this
    grant does not have."""

    contents: Contents
    publisher: str
    key: str
    sha256: str
    before: Grant | None
    more: tuple[str, ...]

    @property
    def carried(self) -> bool:
        """Whether what was granted before is enough: signed by the same key, and asking for no more."""
        return bool(
            self.before and self.key and self.before.publisher == self.key and not self.more
        )


@dataclass(frozen=True, slots=True)
class Places:
    """Where things go."""

    shelf: Shelf
    trust: TrustFile
    publishers: Publishers


Decide = Callable[[Offered], Grant | None]
"""The operator's word: a grant to be completed, or None for none. Raises BedplateError to leave it."""


def install(
    file: Path, places: Places, decide: Decide, *, key: PublicKey | None = None, unsigned: str = ""
) -> tuple[Installed, Grant | None]:
    """key: taken besides those of publishers · unsigned: the one plugin that need not be signed.

    Raises BundleError, AdmissionError, BedplateError; then nothing has changed.
    """
    with Archive(file) as archive:
        archive.check()
        offered = _judge(archive, places, key, unsigned)
        name, version = offered.contents.name, offered.contents.version
        there = places.shelf.version(name, version)
        if there and (there.current or installed_from(there.folder).get(SHA) != offered.sha256):
            raise BundleError(
                f"{name} {version} is installed already; bedplate uninstall {name} {version} takes it away"
            )
        grant = decide(offered)
        # One that is there without being used was killed before the last step: the rest is done now.
        with places.shelf.room() as room:
            installed = there or _put(archive, offered, places.shelf, room)
    if grant:
        measure = of_folder(installed.folder).measure()
        grant = replace(grant, sha256=digest(measure))
        places.trust.add(grant, measure)
    places.shelf.use(name, version)
    return replace(installed, current=True), grant


def installed_from(folder: Path) -> dict[str, str]:
    """What the record of an installed version says: name, version, key, publisher, bundle_sha256; {} without one."""
    try:
        told = strict_json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in told.items()} if isinstance(told, dict) else {}


def _put(archive: Archive, offered: Offered, shelf: Shelf, room: Path) -> Installed:
    contents = offered.contents
    made = _prepare(archive, contents, room)
    record = {"name": contents.name, "version": contents.version, "key": offered.key}
    record |= {"publisher": offered.publisher, SHA: offered.sha256}
    (made / RECORD).write_text(json.dumps(record, indent=2) + "\n")
    return shelf.put(made, contents.name, contents.version)


def _judge(archive: Archive, places: Places, key: PublicKey | None, unsigned: str) -> Offered:
    publisher, name = publisher_of(archive, places.publishers, key)
    contents = read_contents(archive)
    if not name and unsigned != contents.name:
        raise BundleError(
            f"{archive.file}: nobody signed it; if you know where it comes from:"
            f" bedplate install --unsigned {contents.name} {archive.file}"
        )
    grants = [g for g in places.trust.grants() if g.name == contents.name]
    current = places.shelf.current(contents.name)
    used = [g for g in grants if current and g.version == current.version]
    before = next(iter(used or sorted(grants, key=lambda g: g.at, reverse=True)), None)
    more = wider(before.permissions, contents.manifest.permissions) if before else ()
    return Offered(contents, publisher, name, _sha256(archive.file), before, tuple(more))


def publisher_of(
    archive: Archive, publishers: Publishers, key: PublicKey | None
) -> tuple[str, str]:
    """Who signed it, and with what key; ("", "") when nobody did. Raises BundleError, SignatureError."""
    if not archive.has(SIGNATURE):
        return "", ""
    signature = read_signature(archive.read(SIGNATURE, MAX_BYTES), SIGNATURE)
    content = archive.read(MANIFEST, MOST_MANIFEST)
    if key and key.id == signature.key:
        verify(content, signature, key)
        return "", key.name
    known = publishers.of(signature.key)
    if known is None:
        raise BundleError(
            f"{archive.file}: it is signed by key {signature.key_name}, which you don't know; when its publisher has"
            " told you that key: bedplate plugins publishers add KEY"
        )
    verify(content, signature, known.key)
    return known.name, known.key.name


def _prepare(archive: Archive, contents: Contents, room: Path) -> Path:
    """The version's folder, whole. Raises BundleError when anything is not what MANIFEST lists."""
    made, beside = room / "made", room / "wheels"
    made.mkdir()
    room_for(room, 4 * sum(entry.size for entry in contents.entries))
    for entry in contents.below(FOLDER):
        archive.unpack(entry, made / entry.path.removeprefix(f"{FOLDER}/"))
    for entry in contents.below(WHEELS):
        archive.unpack(entry, beside / entry.path.removeprefix(f"{WHEELS}/"))
    alone = {entry.path: entry for entry in contents.entries if "/" not in entry.path}
    for path, entry in alone.items():
        archive.unpack(entry, room / "alone" / path)
    _refuse_another_face(contents, room / "alone", made, beside)
    if contents.form == WHEELS:
        for wheel in beside.iterdir():
            read_wheel(wheel)
        for line in (room / "alone" / REQUIREMENTS).read_bytes().splitlines():
            if not REQUIREMENT.fullmatch(line):  # pip would also take options and addresses
                raise BundleError(f"{REQUIREMENTS}: {line[:80]!r} is not taken")
        make_environment(made, beside, room / "alone" / REQUIREMENTS)
    if (room / "alone" / SBOM).exists():
        (room / "alone" / SBOM).rename(made / SBOM)
    return made


def _refuse_another_face(contents: Contents, alone: Path, made: Path, wheels: Path) -> None:
    """What was shown to the operator must be what the plugin itself says."""
    for name in (toml.NAME, SCHEMA):
        shown = (alone / name).read_bytes()
        if contents.form == FOLDER:
            real = (made / name).read_bytes() if (made / name).is_file() else b""
        else:
            own = next((f for f in sorted(wheels.iterdir()) if _is(f, contents)), None)
            real = in_wheel(own, name) if own else b""
        if shown != real:
            raise BundleError(
                f"{name} of the bundle is not that of {contents.name} {contents.version} in it"
            )


def _is(file: Path, contents: Contents) -> bool:
    wheel = read_wheel(file)
    return (
        wheel.name == contents.name.lower().replace("_", "-") and wheel.version == contents.version
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
