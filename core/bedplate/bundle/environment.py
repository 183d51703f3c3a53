"""An environment for one plugin, made from the wheels of its bundle and nothing else. Nothing is fetched.

Every wheel is one that MANIFEST lists, so its sha256 is known twice: from there and from requirements.txt, by which pip
holds it again. Nothing of a wheel is run: none is built, and none is compiled.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from bedplate.bundle.archive import BundleError

ENVIRONMENT = "env"  # as admission looks for it in a plugin folder
WITHIN = 600.0  # s


def make_environment(folder: Path, wheels: Path, requirements: Path) -> Path:
    """folder/env, without pip. Raises BundleError with pip's own words."""
    place = folder / ENVIRONMENT
    fill(place, wheels, requirements)
    for program in (place / "bin").iterdir():  # they name a place that is about to change
        if not program.name.startswith("python"):
            program.unlink()
    (place / "pyvenv.cfg").write_text(_settings(place))
    return place


def fill(place: Path, wheels: Path, requirements: Path) -> None:
    """An environment at this place, for as long as it stays there. Raises BundleError with pip's own words."""
    if importlib.util.find_spec("pip") is None:
        raise BundleError(
            f"pip is missing beside this Bedplate, and an environment is made with it: {sys.executable} -m ensurepip"
        )
    python = place / "bin" / "python"
    _run([sys.executable, "-I", "-m", "venv", "--without-pip", "--symlinks", str(place)])
    words = ["--isolated", "--python", str(python), "install", "--quiet", "--no-input"]
    words += ["--disable-pip-version-check", "--no-cache-dir", "--no-compile"]
    words += ["--no-warn-script-location", "--no-index", "--find-links", str(wheels)]
    words += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(requirements)]
    _run([sys.executable, "-I", "-m", "pip", *words])


def _settings(place: Path) -> str:
    """Without the command that made it, which names places of this moment."""
    lines = (place / "pyvenv.cfg").read_text().splitlines()
    return "".join(f"{line}\n" for line in lines if not line.startswith("command"))


def _run(command: list[str]) -> None:
    allowed = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    environment = {name: os.environ[name] for name in allowed if name in os.environ}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=environment,
            timeout=WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BundleError("making the environment took longer than ten minutes") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it failed"]
        told = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise BundleError(f"the environment can't be made: {told.removeprefix('ERROR: ')[:300]}")
