"""An environment as an author has it: the built wheel of Bedplate, and what it needs. No network."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input"]


class Environment:
    """A virtual environment. Libraries come from the one that runs the tests; Bedplate comes as a wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "environment"
        venv.create(self.home, with_pip=False, symlinks=True)
        self.python = self.home / "bin" / "python"
        (site,) = self.home.glob("lib/python*/site-packages")
        libraries = Path(pytest.__file__).parents[1]
        (site / "libraries.pth").write_text(f"{libraries}\n")  # without its editable installs
        tester = self.home / "bin" / "pytest"  # as pip would make it
        tester.write_text(f'#!/bin/sh\nexec {self.python} -m pytest "$@"\n')
        tester.chmod(0o755)
        self.install(wheel(folder / "wheels"))

    def install(self, *what: Path | str) -> None:
        """As pip does, offline."""
        words = ["install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
        run(
            [sys.executable, *PIP, "--python", str(self.python), *words, *map(str, what)],
            self.home,
        )

    def run(self, folder: Path, *words: str, within: float = 100) -> str:
        """A program of this environment; what it said. Raises AssertionError when it fails."""
        return run([str(self.python), *words], folder, self.environ, within)

    def bedplate(self, folder: Path, *words: str) -> str:
        return run([str(self.home / "bin" / "bedplate"), *words], folder, self.environ)

    @property
    def environ(self) -> dict[str, str]:
        path = f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
        return kept | {"PATH": path, "BEDPLATE_HOME": str(self.home / "bedplate")}


def wheel(folder: Path) -> Path:
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run([sys.executable, *PIP, *words, "-w", str(folder), str(ROOT)], ROOT)
    (built,) = folder.glob("bedplate-*.whl")
    return built


def run(
    words: list[str], folder: Path, environ: dict[str, str] | None = None, within: float = 100
) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout
