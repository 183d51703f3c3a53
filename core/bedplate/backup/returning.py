"""Reads a backup: every hash, every database, and, when it is to be put back, each file where it belongs.

Nothing is believed before the last byte was decrypted and the list of contents agrees: all of it goes into a private
folder first, and one rename makes it the installation. What is in the way is moved aside, never deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from bedplate.audit.opening import RESTORED
from bedplate.backup import databases
from bedplate.backup import manifest as list_of
from bedplate.backup.manifest import Manifest, Part
from bedplate.backup.roots import AUDIT, DEPLOYMENT, HOME, RECORDS
from bedplate.backup.sealed import BackupError, sweep, unseal
from bedplate.endpoints import home
from bedplate.journal.database import FILE as JOURNAL
from bedplate.journal.database import MAGIC
from bedplate.journal.lock import FolderLock
from bedplate.private import put_private

MOST_MANIFEST = 256 << 20
ROOM = ".restore-"
CHUNK = 1 << 20
_NAME = re.compile(r"roots/[0-9]{1,6}(/[^/\0]+)*")


@dataclass
class _Found:
    """What the tar held. hashes: size and sha256 of each file · links, modes: set when nothing is written any more ·
    thrifty: only databases are written, the rest is just hashed."""

    thrifty: bool = False

    manifest: Manifest | None = None
    hashes: dict[str, tuple[int, str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restored:
    """places: where each part is now · epoch: from which the journal goes on · aside: what was in the way."""

    manifest: Manifest
    places: dict[str, Path]
    epoch: int
    aside: list[Path]


def verify(file: Path, passphrase: str) -> Manifest:
    """All of it is decrypted, each hash compared, each database judged by SQLite. Raises BackupError."""
    with tempfile.TemporaryDirectory(prefix="bedplate-verify-") as place:
        return _unpacked(file, passphrase, Path(place), thrifty=True)


def restore(
    file: Path, passphrase: str, to: Path | None, *, overwrite: bool, clock: Callable[[], int]
) -> Restored:
    """to: an empty folder, or one that is not there; None: each part to where it was.

    Raises BackupError, OSError; then nothing has changed.
    """
    beside = (to.absolute().parent if to else home().parent).resolve()
    beside.mkdir(parents=True, exist_ok=True)
    _refuse_full(to, overwrite)
    with _room(beside) as room:
        manifest = _unpacked(file, passphrase, room)
        epoch = _renewed(manifest, room, clock())
        _told(file, manifest, room)
        if to:
            return _to_folder(manifest, room, to, epoch)
        return _to_places(manifest, room, epoch, overwrite=overwrite)


def _refuse_full(to: Path | None, overwrite: bool) -> None:
    if to and to.exists() and (not to.is_dir() or any(to.iterdir())) and not overwrite:
        raise BackupError(
            f"{to} is not empty; name an empty folder, or say --overwrite: what is there is moved aside"
        )


@contextmanager
def _room(beside: Path) -> Iterator[Path]:
    sweep(beside, ROOM)
    room = beside / f"{ROOM}{os.getpid()}-{secrets.token_hex(4)}"
    room.mkdir(mode=0o700)
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


# --- reading ---


def _unpacked(file: Path, passphrase: str, room: Path, *, thrifty: bool = False) -> Manifest:
    """Everything below room, judged. Raises BackupError."""
    found = _Found(thrifty)

    def read(stream: BinaryIO) -> None:
        try:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for info in tar:
                    _take(tar, info, room, found)
        except tarfile.TarError as error:
            raise BackupError(f"{file} is damaged: {error}") from None

    unseal(file, passphrase, read)
    manifest = found.manifest
    if manifest is None:
        raise BackupError(f"{file} is not whole: its list of contents is missing")
    _compare(file, manifest, found)
    for member in manifest.files:
        if member.database and (why := databases.problem(room / member.path)):
            raise BackupError(f"{file}: {member.path} is damaged: {why}")
    if not thrifty:
        _finish(room, found)
    return manifest


def _take(tar: tarfile.TarFile, info: tarfile.TarInfo, room: Path, found: _Found) -> None:
    if info.name == list_of.NAME and info.isreg() and info.size <= MOST_MANIFEST:
        content = tar.extractfile(info)
        found.manifest = list_of.read(content.read() if content else b"")
        return
    if not _NAME.fullmatch(info.name) or ".." in PurePosixPath(info.name).parts:
        raise BackupError(f"it holds the name {info.name[:80]!r}, which no backup has")
    target = room / info.name
    if info.isdir():
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        found.modes[info.name] = info.mode & 0o777
    elif info.issym():
        found.links[info.name] = info.linkname
    elif info.isreg():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = tar.extractfile(info)
        assert content
        first = content.read(len(MAGIC))
        if found.thrifty and first != MAGIC:
            target = Path(os.devnull)
        found.hashes[info.name] = _write(first, content, target, info)
    else:
        raise BackupError(f"{info.name[:80]!r} is neither a file, a folder nor a link")


def _write(
    first: bytes, content: IO[bytes], target: Path, info: tarfile.TarInfo
) -> tuple[int, str]:
    """first: what was read of it already. Returns size and sha256."""
    sha, size = hashlib.sha256(), 0
    real = target != Path(os.devnull)
    how = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW if real else 0
    with open(os.open(target, os.O_WRONLY | how, 0o600), "wb") as stream:
        chunk = first
        while chunk:
            sha.update(chunk)
            size += stream.write(chunk)
            chunk = content.read(CHUNK)
        stream.flush()
        if real:
            os.fsync(stream.fileno())
            os.fchmod(stream.fileno(), (info.mode & 0o777) | 0o400)
    if real:
        os.utime(target, (info.mtime, info.mtime))
    return size, sha.hexdigest()


def _compare(file: Path, manifest: Manifest, found: _Found) -> None:
    listed = {member.path: (member.size, member.sha256) for member in manifest.files}
    for path in sorted(listed.keys() | found.hashes.keys()):
        if listed.get(path) != found.hashes.get(path):
            raise BackupError(f"{file} is damaged: {path} is not what its list of contents says")


def _finish(room: Path, found: _Found) -> None:
    """Links last, so that nothing was ever written through one; then the modes of folders, from below."""
    for name, leads in found.links.items():
        (room / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.symlink(leads, room / name)
    for name in sorted(found.modes, reverse=True):
        os.chmod(room / name, found.modes[name] | 0o700)


def _renewed(manifest: Manifest, room: Path, now: int) -> int:
    """The journal's new epoch; 0 when there is none in it."""
    for number, part in enumerate(manifest.parts):
        journal = room / "roots" / str(number) / JOURNAL
        if part.kind == RECORDS and journal.exists():
            return databases.new_epoch(journal, now, secrets.randbits(40))
    return 0


def _told(file: Path, manifest: Manifest, room: Path) -> None:
    """The audit log says at its next start where it comes from, and goes on with a key of its own."""
    for number, part in enumerate(manifest.parts):
        folder = room / "roots" / str(number)
        if part.kind == AUDIT and folder.is_dir():
            row = {"backup": file.name, "made": manifest.made}
            put_private(folder / RESTORED, json.dumps(row).encode())


# --- putting ---


def _staged(room: Path, number: int, part: Part) -> Path:
    place = room / "roots" / str(number)
    return place / Path(part.path).name if part.single else place


def _to_folder(manifest: Manifest, room: Path, to: Path, epoch: int) -> Restored:
    whole = room / "whole"
    whole.mkdir(mode=0o755)
    places: dict[str, Path] = {}
    beside = next((Path(p.path).parent for p in manifest.parts if p.kind == DEPLOYMENT), None)
    for number, part in enumerate(manifest.parts):
        below = _below(part, beside)
        target = whole / below
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(_staged(room, number, part), target)
        _give(target, part)
        places[part.path] = to / below
    aside = _out_of_the_way(to) if to.exists() else []
    os.rename(whole, to)
    return Restored(manifest, places, epoch, aside)


def _below(part: Part, beside: Path | None) -> Path:
    """Where a part goes below one folder: beside the deployment file as it was, or under its whole path."""
    path = Path(part.path)
    if part.kind == HOME:
        return Path("home")
    if beside and path.is_relative_to(beside):
        return path.relative_to(beside)
    return Path("outside", *path.parts[1:])


def _to_places(manifest: Manifest, room: Path, epoch: int, *, overwrite: bool) -> Restored:
    wanted = {
        number: home() if part.kind == HOME else Path(part.path)
        for number, part in enumerate(manifest.parts)
    }
    there = [p for p in wanted.values() if p.exists() and (p.is_file() or any(p.iterdir()))]
    if there and not overwrite:
        raise BackupError(
            f"{there[0]} is there already; say --overwrite: what is there is moved aside"
        )
    for number, part in enumerate(manifest.parts):
        if part.kind == RECORDS and wanted[number].exists():
            lock = FolderLock(wanted[number])
            lock.take()  # raises for a Bedplate that runs on it
            lock.release()
    aside: list[Path] = []
    for number, part in enumerate(manifest.parts):
        target = wanted[number]
        near = target.with_name(f".{target.name}.restore-{secrets.token_hex(4)}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(_staged(room, number, part), near)
        _give(near, part)
        if target.exists():
            aside += _out_of_the_way(target)
        os.rename(near, target)
    return Restored(
        manifest, {p.path: wanted[n] for n, p in enumerate(manifest.parts)}, epoch, aside
    )


def _out_of_the_way(path: Path) -> list[Path]:
    """Moves it aside; an empty folder just goes."""
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
        return []
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    target = path.with_name(f"{path.name}.before-{stamp}-{secrets.token_hex(2)}")
    os.rename(path, target)
    return [target]


def _give(place: Path, part: Part) -> None:
    """To whom it belonged, where this is root and there is such a user."""
    if os.geteuid() != 0 or not part.user:
        return
    try:
        owner = pwd.getpwnam(part.user)
    except KeyError:
        return
    every = [place, *place.rglob("*")] if place.is_dir() else [place]
    for path in every:
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
