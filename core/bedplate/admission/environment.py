"""A Python environment in a plugin folder: `env`, `.venv` or `venv`. Looked at from outside, never started.

The kernel imports nothing from it. Its Bedplate may be of any version that serves the same major of the contract.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bedplate.admission.program import unfit
from bedplate.errors import AdmissionError

OLDEST = (3, 11)
NAMES = ("env", ".venv", "venv")


@dataclass(frozen=True, slots=True)
class Environment:
    """python: its interpreter, not resolved, since so Python finds its environment · site: where packages lie."""

    python: Path
    site: tuple[Path, ...]


def environment_of(folder: Path) -> Environment | None:
    """The environment in a plugin folder; None when there is none. Raises AdmissionError when it can't be used."""
    home = next((folder / name for name in NAMES if (folder / name).is_dir()), None)
    if home is None:
        return None
    python = (home / "bin" / "python").absolute()
    again = f"; make it again: python3 -m venv --clear {home}"
    if python.is_symlink() and not python.exists():
        raise AdmissionError(
            f"the interpreter {python} leads to, {python.resolve()}, is gone{again}"
        )
    if not python.exists():
        raise AdmissionError(f"{home} is no Python environment: there is no {python}{again}")
    if problem := unfit(python.resolve()):
        raise AdmissionError(f"{problem}{again}")
    site = tuple(sorted((home / "lib").glob("python3*/site-packages")))
    version = _version(home)
    if version and version < OLDEST:
        told = ".".join(map(str, version))
        raise AdmissionError(f"{home} is Python {told}, and Bedplate needs 3.11 or newer{again}")
    if not _can_hold_bedplate(home, site):
        raise AdmissionError(f"{home} holds no bedplate; {python} -m pip install bedplate")
    return Environment(python, site)


def _version(home: Path) -> tuple[int, ...]:
    """As pyvenv.cfg says; () when it does not."""
    found = re.search(r"^version(?:_info)? *= *(\d+)\.(\d+)", _settings(home), re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else ()


def _settings(home: Path) -> str:
    try:
        return (home / "pyvenv.cfg").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _can_hold_bedplate(home: Path, site: tuple[Path, ...]) -> bool:
    """False only when it is sure: .pth files and system packages may bring it from elsewhere."""
    if any((place / "bedplate").is_dir() or any(place.glob("*.pth")) for place in site):
        return True
    words = [line.replace(" ", "").lower() for line in _settings(home).splitlines()]
    return not words or "include-system-site-packages=true" in words
