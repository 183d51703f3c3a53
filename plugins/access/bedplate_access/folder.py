"""The folder of users, tokens and keys: where what lies, and with which modes.

Rule: what others could have read is not used, and the refusal names the file and what to type (A08). Where root works
in a folder of somebody else, what it makes belongs to that user, so that both can go on.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """path: absolute."""

    path: Path

    @property
    def store(self) -> Path:
        return self.path / "access.sqlite"

    @property
    def bootstrap(self) -> Path:
        """The first admin's token, for as long as it counts."""
        return self.path / "bootstrap-token"

    @property
    def authority(self) -> Path:
        """The built-in CA: ca-key.pem."""
        return self.path / "ca"

    def prepare(self) -> None:
        """Makes it, or makes an empty one private. Raises OSError."""
        if not self.path.exists():
            self.path.mkdir(mode=0o700, parents=True)
        elif not any(self.path.iterdir()) and self.path.stat().st_uid == os.geteuid():
            self.path.chmod(0o700)

    def check(self) -> None:
        """Raises PermissionError for the first thing that others may read or change."""
        found = self.path.stat()
        if not stat.S_ISDIR(found.st_mode):
            raise PermissionError(f"{self.path} is no folder")
        if found.st_mode & 0o077:
            raise PermissionError(
                f"{self.path} is open to others (mode {stat.S_IMODE(found.st_mode):04o}): chmod 700 {self.path}"
            )
        for file in (self.store, self.bootstrap, self.authority / "ca-key.pem"):
            check_private(file)

    def owner(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_uid, found.st_gid


def check_private(file: Path) -> None:
    """Raises PermissionError for a file that others may read or change, and for what is no file. One that is not there
    is in order."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise PermissionError(f"{file} is no file")
    if found.st_mode & 0o077:
        raise PermissionError(
            f"{file} is open to others (mode {stat.S_IMODE(found.st_mode):04o}), so it may be known to them: "
            f"chmod 600 {file}, and think of new keys and tokens"
        )


def write_private(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Writes a file whole or not at all; it belongs to whom its folder belongs. Raises OSError."""
    beside = file.with_name(f".{file.name}.new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, mode)
        give_away(descriptor, file.parent)
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_private(path: Path) -> None:
    """A folder for its owner alone. Raises OSError."""
    if not path.exists():
        path.mkdir(mode=0o700, parents=True)
        give_away(path, path.parent)


def give_away(made: int | Path, folder: Path) -> None:
    """What root makes belongs to whom the folder belongs."""
    if os.geteuid() == 0:
        found = folder.stat()
        if isinstance(made, int):
            os.fchown(made, found.st_uid, found.st_gid)
        else:
            os.chown(made, found.st_uid, found.st_gid, follow_symlinks=False)
