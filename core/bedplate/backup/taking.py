"""Takes a backup of an installation that may be running.

Order matters: the journal first, then what reads it. A reader's own store is then never behind what the journal has
trimmed, and one that is ahead is caught up by the journal's positions. Links are kept as links and never followed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pwd
import secrets
import shutil
import stat
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from bedplate.backup import databases
from bedplate.backup.manifest import NAME, Manifest, Member, Part
from bedplate.backup.roots import AUDIT, LEFT_OUT, Root
from bedplate.backup.sealed import BackupError, seal, sweep
from bedplate.journal.database import inspect

STAGING = ".backup-"  # beside what is copied, on the same disk
SMALL = 64 << 20  # bytes up to which a file is read at once, so that it can't change meanwhile
SPARE = 256 << 20  # bytes that a copy leaves free


def create(
    target: Path, passphrase: str, roots: Sequence[Root], about: Manifest, *, bulk: bool
) -> tuple[Manifest, int]:
    """Writes the backup; returns what is in it and its size. bulk: with the samples of histories.

    Raises BackupError, JournalError, OSError; then there is no target.
    """
    taking = _Taking(about, bulk)
    if target.exists():
        raise BackupError(f"{target} is there already; choose another name")

    def write(stream: BinaryIO) -> None:
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            taking.take(tar, roots)

    size = seal(target, passphrase, write)
    return taking.manifest, size


class _Taking:
    def __init__(self, about: Manifest, bulk: bool) -> None:
        self.manifest = about
        self._bulk = bulk
        self._tar: tarfile.TarFile

    def take(self, tar: tarfile.TarFile, roots: Sequence[Root]) -> None:
        self._tar = tar
        for number, root in enumerate(roots):
            self._part = Part(
                root.kind, root.name, str(root.path), _user(root.path), root.path.is_file()
            )
            self._take_root(root, f"roots/{number}")
            self.manifest.parts.append(self._part)
        content = self.manifest.to_json()
        info = tarfile.TarInfo(NAME)
        info.size, info.mode = len(content), 0o600
        tar.addfile(info, io.BytesIO(content))

    def _take_root(self, root: Root, below: str) -> None:
        if root.path.is_file():
            self._file(root.path, f"{below}/{root.path.name}", follow=True)
            return
        top = root.path.resolve()
        with _staging(top) as staged:
            before = self._linked(root, top, staged / "before")
            held = {
                path: self._copied(path, staged / str(number))
                for number, path in enumerate(_databases(root, top))
            }
            after = self._linked(root, top, staged / "after")
            self._folder(root, top, below, held, before | after)

    def _copied(self, path: Path, target: Path) -> Path:
        inspect_known(path)
        if shutil.disk_usage(target.parent).free < path.stat().st_size + SPARE:
            need = (path.stat().st_size + SPARE) >> 20
            raise BackupError(f"{target.parent.parent}: {need} MiB must be free to copy {path}")
        databases.copy(path, target)
        return target

    def _linked(self, root: Root, top: Path, beside: Path) -> dict[Path, Path]:
        """Second names for what a history may delete meanwhile, or the audit log put aside; none where there are no
        such links."""
        found: dict[Path, Path] = {}
        if root.kind != AUDIT and not (root.bulk and self._bulk):
            return found
        beside.mkdir()
        with contextlib.suppress(PermissionError, OSError):
            for number, (path, info) in enumerate(_walk(root, top)):
                if stat.S_ISREG(info.st_mode) and not databases.is_database(path):
                    with contextlib.suppress(FileNotFoundError):
                        os.link(path, beside / str(number), follow_symlinks=False)
                        found[path] = beside / str(number)
        return found

    def _folder(
        self, root: Root, top: Path, below: str, held: dict[Path, Path], kept: dict[Path, Path]
    ) -> None:
        """held: database → its copy · kept: file → its second name, also of those that are gone."""
        self._directory(top, below)
        for path, info in _walk(root, top):
            name = f"{below}/{path.relative_to(top).as_posix()}"
            if stat.S_ISDIR(info.st_mode):
                self._directory(path, name)
            elif stat.S_ISLNK(info.st_mode):
                self._link(path, name)
            elif path in held:
                self._file(held[path], name, database=True)
            elif not stat.S_ISREG(info.st_mode) or str(path).endswith(databases.BESIDE):
                continue
            elif root.bulk and not self._bulk:
                self._part = replace(self._part, left=self._part.left + info.st_size)
            elif path not in kept:
                self._file(path, name)
        for path, second in kept.items():
            self._file(second, f"{below}/{path.relative_to(top).as_posix()}")

    def _directory(self, path: Path, name: str) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, path.stat().st_mode & 0o777
        self._tar.addfile(info)

    def _link(self, path: Path, name: str) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
        self._tar.addfile(info)

    def _file(self, path: Path, name: str, *, database: bool = False, follow: bool = False) -> None:
        try:
            descriptor = os.open(
                path, os.O_RDONLY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
            )
        except FileNotFoundError:
            return  # gone since it was seen: a file that somebody replaced or took away
        with open(descriptor, "rb") as stream:
            found = os.fstat(descriptor)
            small = stream.read(SMALL + 1) if found.st_size <= SMALL else None
            info = tarfile.TarInfo(name)
            info.size = len(small) if small is not None else found.st_size
            info.mode, info.mtime = found.st_mode & 0o777, int(found.st_mtime)
            hashed = _Hashed(io.BytesIO(small) if small is not None else stream)
            self._tar.addfile(info, hashed)
        self.manifest.files.append(Member(name, info.size, hashed.sha.hexdigest(), database))
        self._part = replace(
            self._part, files=self._part.files + 1, size=self._part.size + info.size
        )


class _Hashed:
    """A stream that knows the sha256 of what was read of it."""

    def __init__(self, stream: BinaryIO | io.BytesIO | io.BufferedReader) -> None:
        self._stream = stream
        self.sha = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self.sha.update(content)
        return content


def inspect_known(path: Path) -> None:
    """Raises JournalError for a journal that a newer Bedplate wrote: SQLite would tidy up in it."""
    if path.name == "journal.sqlite3":
        inspect(path)


def _databases(root: Root, top: Path) -> list[Path]:
    return [
        path
        for path, info in _walk(root, top)
        if stat.S_ISREG(info.st_mode)
        and not str(path).endswith(databases.BESIDE)
        and databases.is_database(path)
    ]


def _walk(root: Root, top: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything in a root, folders before what is in them, without what is made anew by itself."""
    for place, folders, files in os.walk(top):
        folders.sort()
        left = [n for n in folders if n in LEFT_OUT or n.startswith(STAGING)]
        folders[:] = [n for n in folders if n not in left]
        for name in [*folders, *sorted(files)]:
            path = Path(place, name)
            if name in LEFT_OUT or (root.only and path.relative_to(top).parts[0] not in root.only):
                continue
            with contextlib.suppress(FileNotFoundError):
                yield path, path.lstat()


@contextmanager
def _staging(top: Path) -> Iterator[Path]:
    """A private folder on the same disk, and none that a killed one left."""
    sweep(top.parent, STAGING)
    place = top.parent / f"{STAGING}{os.getpid()}-{secrets.token_hex(4)}"
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _user(path: Path) -> str:
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except KeyError:
        return ""
