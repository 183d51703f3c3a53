"""Where versions of the platform lie: <folder>/1.2.3, an environment each; `current` leads to the one that is used,
`previous` to the one before. Owns the layout and the switching, which is one link replaced at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bedplate.durable import put_link, sync_folder
from bedplate.endpoints import home
from bedplate.errors import BedplateError

CURRENT, PREVIOUS, WHOLE = "current", "previous", ".whole"
NAME, SYSTEM = "versions", Path("/opt/bedplate/versions")


@dataclass(frozen=True, slots=True)
class Version:
    """name: its number; of an environment that lies elsewhere, where it lies."""

    name: str
    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "bedplate"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


class Versions:
    """One such folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def current(self) -> Version | None:
        return self._leads(CURRENT)

    @property
    def previous(self) -> Version | None:
        return self._leads(PREVIOUS)

    @property
    def program(self) -> Path:
        """The command of whichever is used."""
        return self.folder / CURRENT / "bin" / "bedplate"

    def place(self, version: str) -> Path:
        """Where one is, or will be."""
        return self.folder / version

    def whole(self, version: str) -> Version | None:
        """One that was made to its end."""
        place = self.place(version)
        return Version(version, place) if (place / WHOLE).is_file() else None

    def begin(self) -> None:
        """Before the first upgrade: the environment that runs this is the one that is used."""
        if not os.path.lexists(self.folder / CURRENT):
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            put_link(self.folder / CURRENT, sys.prefix)

    def use(self, version: Version) -> None:
        """From the next start on; the one before becomes `previous`. Killed between, it only loses the way back."""
        before = self.current
        if before and before.folder.resolve() != version.folder.resolve():
            put_link(self.folder / PREVIOUS, self._written(before))
        put_link(self.folder / CURRENT, self._written(version))

    def back(self) -> Version:
        """The one that was used before this one. Raises BedplateError when there is none."""
        before = self.previous
        if before is None or not before.program.exists():
            raise BedplateError(f"there is no version before this one in {self.folder}")
        self.use(before)
        return before

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One upgrade at a time."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BedplateError(f"another upgrade in {self.folder} is under way") from None
            yield

    def finish(self, version: str) -> Version:
        """It was made to its end."""
        place = self.place(version)
        os.sync()
        (place / WHOLE).touch(0o644)
        sync_folder(place)
        return Version(version, place)

    def clear(self, version: str) -> None:
        """What an upgrade left that did not come to its end."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.place(version))

    def _leads(self, link: str) -> Version | None:
        try:
            leads = os.readlink(self.folder / link)
        except OSError:
            return None
        return Version(leads, self.folder / leads)

    def _written(self, version: Version) -> str:
        inside = version.folder.parent == self.folder
        return version.folder.name if inside else str(version.folder)


def versions_folder() -> Path:
    """That of the version which runs this; else the machine's for root, else the user's."""
    here = Path(sys.prefix)
    if here.parent.name == NAME and (here / WHOLE).is_file():
        return here.parent
    return SYSTEM if os.geteuid() == 0 else home() / NAME
