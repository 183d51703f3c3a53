"""What a plugin is made of: every file with its sha256, in an order that is the same everywhere.

Owns the measure and the copy, not the judgement (trust.py). The measure is text in the form of sha256sum; its own
sha256 stands for the whole plugin. Caches of compiled Python and of tools are left out where a copy is run, since a
copy has none but its own. Of a wheel that is run where it is installed, what this Python compiled of it counts too.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from itertools import dropwhile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from bedplate.admission.discovery import find_manifest
from bedplate.errors import AdmissionError

COMPILED = "__pycache__"
CACHES = {COMPILED, ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
CHUNK = 1 << 20
MOST_FILES = 200_000
# An environment names the interpreter of the machine; nothing else may lead out of a plugin's folder.
_INTERPRETER = re.compile(r"(?:env|\.venv|venv)/bin/python[0-9.]*")

Measure = Mapping[str, str]
"""path, with / between its levels → sha256 in hex; of a symbolic link: of "link:" and where it leads."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """Where the files of a plugin lie. files: path as it is told → where it is · copied: what runs is a copy of them,
    since they are whole by themselves."""

    name: str
    root: Path
    files: Mapping[str, Path]
    copied: bool

    def measure(self) -> Measure:
        """Reads every file. Raises AdmissionError with the file that can't be read or vouched for."""
        return {name: _sha256(path, self.root, name) for name, path in sorted(self.files.items())}

    def copy(self, into: Path) -> Measure:
        """Copies every file and returns what was copied: the bytes that were measured are those that were written.

        Raises AdmissionError. What lies in `into` must be nobody else's to change.
        """
        measured = {}
        for name, path in sorted(self.files.items()):
            target = into / name
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            measured[name] = _sha256(path, self.root, name, target)
        return measured


def of_file(file: Path) -> Artefact:
    """A single Python file."""
    return Artefact(file.name, file.parent, {file.name: file}, copied=True)


def of_folder(folder: Path, *, compiled: bool = False) -> Artefact:
    """A plugin folder with all that is in it, its environment too. compiled: with caches of Python. Raises
    AdmissionError."""
    root = folder.resolve()
    left_out = CACHES - {COMPILED} if compiled else CACHES
    return Artefact(folder.name, root, dict(_walk(root, left_out)), copied=True)


def of_distribution(name: str, modules: tuple[str, ...]) -> Artefact:
    """A wheel in the kernel's environment: what its RECORD names and what lies in its packages besides.

    modules: those that its entry points name. Raises AdmissionError.
    """
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise AdmissionError(f"{name} is not installed") from None
    files = {
        str(file): Path(str(found.locate_file(file)))
        for file in found.files or ()
        if not CACHES & set(file.parts) and file.suffix != ".pyc"
    }
    files = {path: place for path, place in files.items() if place.is_file()}
    for package in {_package(module) for module in modules}:
        here = ((path, place) for path, place in _walk(package, CACHES - {COMPILED}))
        files |= {f"{package.name}/{path}": place for path, place in here if _counts(place)}
    root = Path(str(found.locate_file("")))
    return Artefact(name, root, files, copied=False)


def damage(name: str) -> list[str]:
    """What of an installed wheel is not as it was when it was installed, by its own RECORD: one line each."""
    found: Distribution = distribution(name)
    told = []
    for file in found.files or ():
        if file.hash is None or file.hash.mode != "sha256":
            continue
        try:
            measured = hashlib.sha256(Path(str(found.locate_file(file))).read_bytes()).digest()
        except OSError as error:
            told.append(f"{file}: {error.strerror}")
            continue
        if encoded(measured) != file.hash.value:
            told.append(f"{file} is not as it was installed")
    return told


def text(measure: Measure) -> bytes:
    """As sha256sum writes it, by path."""
    return "".join(f"{sha}  {name}\n" for name, sha in sorted(measure.items())).encode(
        "utf-8", "surrogateescape"
    )


def read_text(content: bytes) -> Measure:
    """Raises ValueError when it is in no such form."""
    lines = content.decode("utf-8", "surrogateescape").splitlines()
    return {name: sha for sha, name in (line.split("  ", 1) for line in lines)}


def digest(measure: Measure) -> str:
    return hashlib.sha256(text(measure)).hexdigest()


def differences(before: Measure, now: Measure) -> list[str]:
    """One line a file: changed, new, or gone."""
    changed = [
        f"{name} was changed" for name in before if name in now and before[name] != now[name]
    ]
    new = [f"{name} is new" for name in now if name not in before]
    gone = [f"{name} is gone" for name in before if name not in now]
    return [*changed, *new, *gone]


def _package(module: str) -> Path:
    """The folder of the top-level package around a module."""
    place = find_manifest(module).parent.resolve()
    top = module.partition(".")[0]
    return next((folder for folder in (place, *place.parents) if folder.name == top), place)


def _counts(path: Path) -> bool:
    """Of caches only what this very Python would run."""
    mine = f".{sys.implementation.cache_tag}.pyc"
    return path.parent.name != COMPILED or path.name.endswith(mine)


def compile_installed(modules: tuple[str, ...]) -> None:
    """Compiles the packages of a wheel where they lie, so that what Python would write later is there now. Runs nothing
    of them; where nobody may write, nothing is written later either."""
    for package in {_package(module) for module in modules}:
        compileall.compile_dir(package, quiet=2)


def _walk(root: Path, left_out: Collection[str] = CACHES) -> Iterator[tuple[str, Path]]:
    """Every file and link below; no folder that a link leads to. Raises AdmissionError."""
    count = 0
    for folder, folders, files in os.walk(root, onerror=_refuse):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(set(folders) - set(left_out) - set(links))
        for name in (*links, *files):
            path = Path(folder, name)
            told = path.relative_to(root).as_posix()
            if "\n" in told:
                raise AdmissionError(f"{root}: {told!r} has a line end in its name")
            count += 1
            if count > MOST_FILES:
                raise AdmissionError(f"{root}: has more than {MOST_FILES} files")
            yield told, path


def _refuse(error: OSError) -> None:
    raise AdmissionError(f"{error.filename}: {error.strerror}") from None


def _sha256(path: Path, root: Path, name: str, target: Path | None = None) -> str:
    """Reads a file once; with target writes what was read. A link is read, not followed."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return _link(path, root, name, target)
        if not stat.S_ISREG(found.st_mode):
            raise AdmissionError(f"{path}: is neither a file nor a folder")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            if target is None:
                return _drain(stream, None)
            with open(target, "xb") as copy:
                measured = _drain(stream, copy)
                os.fchmod(copy.fileno(), 0o555 if found.st_mode & 0o100 else 0o444)
            return measured
    except OSError as error:
        raise AdmissionError(f"{path}: {error.strerror}") from None


def _drain(stream: BinaryIO, copy: BinaryIO | None) -> str:
    sha = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        sha.update(chunk)
        if copy:
            copy.write(chunk)
    return sha.hexdigest()


def _link(path: Path, root: Path, name: str, target: Path | None) -> str:
    leads = os.readlink(path)
    if not _stays_inside(name, leads) and not _INTERPRETER.fullmatch(name):
        raise AdmissionError(f"{path}: leads out of {root}, so nobody can vouch for what is there")
    if target is not None:
        os.symlink(leads, target)
    return hashlib.sha256(b"link:" + os.fsencode(leads)).hexdigest()


def _stays_inside(name: str, leads: str) -> bool:
    """Whether a link can't lead out, whatever other links there are: upwards first, never above the root, then down."""
    parts = PurePosixPath(leads).parts
    upwards = len(parts) - len([*dropwhile(lambda part: part == "..", parts)])
    depth = len(PurePosixPath(name).parent.parts)
    return not leads.startswith("/") and upwards <= depth and ".." not in parts[upwards:]


def encoded(digest: bytes) -> str:
    """As RECORD has it."""
    import base64

    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def remove(folder: Path) -> None:
    """A folder that was made read-only, and all in it."""
    for place, folders, _ in os.walk(folder):
        os.chmod(place, 0o700)
        for name in folders:
            if not os.path.islink(path := os.path.join(place, name)):
                os.chmod(path, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def close(folder: Path) -> None:
    """Takes away the right to write from all folders and files below and the folder itself."""
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                os.chmod(path, 0o555 if os.stat(path).st_mode & 0o100 else 0o444)
        os.chmod(place, 0o555)
