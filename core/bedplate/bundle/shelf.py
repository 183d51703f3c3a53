"""The plugins home: <home>/<name>/<version>/, read-only, `current` the one that is used and `previous` the one before.

Owns the layout and the switching. A version is put there whole by one rename, and `current` is one link replaced at
once, so whoever is killed at any step leaves what was there before.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bedplate.admission.artefact import close, remove
from bedplate.durable import put_link
from bedplate.errors import BedplateError

NEW, CURRENT, PREVIOUS = ".new", "current", "previous"


@dataclass(frozen=True, slots=True)
class Installed:
    name: str
    version: str
    folder: Path
    current: bool


class Shelf:
    """One plugins home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def all(self, name: str = "*") -> tuple[Installed, ...]:
        """Every version of every plugin, or of one."""
        found = []
        for place in sorted(self.home.glob(name)):
            if place.name.startswith(".") or not place.is_dir():
                continue
            current = self._leads(place / CURRENT)
            folders = sorted(f for f in place.iterdir() if f.is_dir() and not f.is_symlink())
            found += [Installed(place.name, f.name, f, f.name == current) for f in folders]
        return tuple(found)

    def version(self, name: str, version: str) -> Installed | None:
        return next((one for one in self.all(name) if one.version == version), None)

    def current(self, name: str) -> Installed | None:
        return next((one for one in self.all(name) if one.current), None)

    @contextmanager
    def room(self) -> Iterator[Path]:
        """A folder in which a version is prepared; it goes away with its owner. One installation at a time."""
        place = self.home / NEW
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (place / "lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BedplateError(f"another installation into {self.home} is under way") from None
            for left in place.iterdir():  # of one that was killed
                if left.is_dir():
                    remove(left)
            room = place / secrets.token_hex(4)
            room.mkdir(mode=0o700)
            try:
                yield room
            finally:
                if room.exists():
                    remove(room)

    def put(self, made: Path, name: str, version: str) -> Installed:
        """Takes what was prepared, read-only from now on. Raises BedplateError when that version is there."""
        target = self.home / name / version
        if target.exists():
            raise BedplateError(f"{name} {version} is installed in {target} already")
        target.parent.mkdir(mode=0o755, exist_ok=True)
        close(made)
        os.chmod(made, 0o755)  # to be moved
        os.sync()
        os.rename(made, target)
        os.chmod(target, 0o555)
        return Installed(name, version, target, False)

    def use(self, name: str, version: str) -> Installed:
        """From the next start on. Raises BedplateError when there is no such version."""
        wanted = self.version(name, version)
        if wanted is None:
            known = ", ".join(one.version for one in self.all(name)) or "none"
            raise BedplateError(f"{name} {version} is not installed; of it there is {known}")
        place = self.home / name
        before = self._leads(place / CURRENT)
        if before and before != version:
            put_link(place / PREVIOUS, before)
        put_link(place / CURRENT, version)
        return wanted

    def back(self, name: str) -> Installed:
        """The version that was used before this one; once more: this one. Raises BedplateError."""
        before = self._leads(self.home / name / PREVIOUS)
        if not before or self.version(name, before) is None:
            known = ", ".join(one.version for one in self.all(name))
            told = f"; installed: {known}" if known else ", and it is not installed"
            raise BedplateError(f"{name} has no version before this one{told}")
        return self.use(name, before)

    def take_away(self, name: str, version: str = "") -> tuple[Installed, ...]:
        """Uninstalls one version, or all. Raises BedplateError when there is none, or others need it switched first."""
        every = self.all(name)
        gone = tuple(one for one in every if version in ("", one.version))
        if not gone:
            raise BedplateError(f"{f'{name} {version}'.strip()} is not installed in {self.home}")
        if len(gone) < len(every) and any(one.current for one in gone):
            raise BedplateError(
                f"{name} {version} is the one that is used; bedplate plugins back {name} takes the one before it"
            )
        place = self.home / name
        if len(gone) == len(every):
            for link in (CURRENT, PREVIOUS):
                (place / link).unlink(missing_ok=True)
        elif self._leads(place / PREVIOUS) == version:
            (place / PREVIOUS).unlink(missing_ok=True)
        for one in gone:
            remove(one.folder)
        with contextlib.suppress(OSError):  # something else lies there
            place.rmdir()
        return gone

    def _leads(self, link: Path) -> str:
        try:
            return os.readlink(link)
        except OSError:
            return ""


def room_for(folder: Path, size: int) -> None:
    """Raises BedplateError when the disk has not the room."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < size:
        raise BedplateError(f"{there}: {size >> 20} MiB are needed and {free >> 20} are free")
