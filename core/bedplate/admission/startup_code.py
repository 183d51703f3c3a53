"""Code that runs whenever this interpreter starts, asked for by nobody: .pth files, sitecustomize, usercustomize.

By the time it can be looked for it has run, so this is no defence: it says what a person should know before trusting
what the kernel says. Files that an installed distribution lists and that are as it listed them are as welcome as it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import site
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from bedplate.admission.artefact import encoded

MODULES = ("sitecustomize", "usercustomize")


@dataclass(frozen=True, slots=True)
class StartupCode:
    """path: the file · why: what is wrong with it, for people."""

    path: Path
    why: str


def startup_code(folders: Sequence[Path] | None = None) -> tuple[StartupCode, ...]:
    """What nobody installed. folders: the interpreter's site-packages by default."""
    places = [*dict.fromkeys(folders if folders is not None else _site_folders())]
    listed = _listed(places)
    found = [code for place in places for code in _of_folder(place, listed)]
    return tuple(found)


def _site_folders() -> Iterator[Path]:
    yield from map(Path, site.getsitepackages())
    if site.ENABLE_USER_SITE:
        yield Path(site.getusersitepackages())


def _of_folder(folder: Path, listed: dict[Path, str]) -> Iterator[StartupCode]:
    for file in sorted(folder.glob("*.pth")):
        if problem := _problem(file, listed):
            what = "runs code" if _runs_code(file) else "adds folders"
            yield StartupCode(file, f"{what} at every start of Python, and {problem}")
    for module in MODULES:
        for file in (folder / f"{module}.py", folder / module / "__init__.py"):
            if file.is_file() and (problem := _problem(file, listed)):
                yield StartupCode(file, f"runs at every start of Python, and {problem}")


def _problem(file: Path, listed: dict[Path, str]) -> str:
    if file not in listed:
        return "no installed distribution lists it"
    wanted = listed[file]
    if wanted and encoded(hashlib.sha256(file.read_bytes()).digest()) != wanted:
        return "it is not as it was installed"
    return ""


def _runs_code(file: Path) -> bool:
    lines = file.read_bytes().splitlines()
    return any(line.startswith((b"import ", b"import\t")) for line in lines)


def _listed(folders: Sequence[Path]) -> dict[Path, str]:
    """path → sha256 as RECORD has it, of what installed distributions list that could run at a start."""
    found = {}
    for distribution in distributions(path=[*map(str, folders)]):
        for file in distribution.files or ():
            if (
                file.suffix == ".pth"
                or file.name.split(".")[0] in MODULES
                or file.parent.name in MODULES
            ):
                place = Path(str(distribution.locate_file(file)))
                found[place] = file.hash.value if file.hash and file.hash.mode == "sha256" else ""
    return found


def elsewhere() -> Iterator[StartupCode]:
    """The same modules found outside of site-packages: an operating system may bring one."""
    folders = {*map(str, _site_folders())}
    for module in MODULES:
        spec = importlib.util.find_spec(module)
        origin = spec.origin if spec else None
        if (
            origin
            and str(Path(origin).parent) not in folders
            and not origin.startswith(sys.base_prefix)
        ):
            yield StartupCode(Path(origin), "runs at every start of Python")
