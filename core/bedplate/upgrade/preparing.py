"""Makes the environment of a version from its bundle, beside the others. It fetches and switches nothing."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bedplate.bundle.archive import Archive, BundleError
from bedplate.bundle.contents import REQUIREMENTS, WHEELS
from bedplate.bundle.environment import fill
from bedplate.bundle.installing import publisher_of
from bedplate.bundle.minisign import PublicKey
from bedplate.bundle.publishers import Publishers
from bedplate.bundle.shelf import room_for
from bedplate.upgrade.platform_bundle import PlatformBundle, read
from bedplate.upgrade.versions import Version, Versions


def prepare(
    file: Path,
    versions: Versions,
    publishers: Publishers,
    *,
    key: PublicKey | None = None,
    unsigned: bool = False,
) -> tuple[Version, PlatformBundle, str]:
    """The version whole on disk, what is in it, and who signed it. One that is there already is not made again.

    Raises BundleError, BedplateError; then nothing is left of it.
    """
    with Archive(file) as archive:
        bundle = read(archive)
        publisher, name = publisher_of(archive, publishers, key)
        if not name and not unsigned:
            raise BundleError(
                f"{file}: nobody signed it; if you know where it comes from, say --unsigned"
            )
        if there := versions.whole(bundle.version):
            return there, bundle, publisher or name
        try:
            _make(archive, bundle, versions)
        except BaseException:
            versions.clear(bundle.version)
            raise
    return versions.finish(bundle.version), bundle, publisher or name


def _make(archive: Archive, bundle: PlatformBundle, versions: Versions) -> None:
    place = versions.place(bundle.version)
    versions.clear(bundle.version)
    room_for(versions.folder, 4 * sum(entry.size for entry in archive.entries()))
    with tempfile.TemporaryDirectory(prefix=".new-", dir=versions.folder) as room:
        for entry in archive.entries():
            archive.unpack(entry, Path(room) / entry.path)
        place.mkdir(mode=0o755)
        fill(place, Path(room) / WHEELS, Path(room) / REQUIREMENTS)
    if not (place / "bin" / "bedplate").exists():
        raise BundleError(f"{archive.file}: has no command bedplate for {sys.executable}")
