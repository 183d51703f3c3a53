"""Two releases of this tree, 0.1.0 and 0.1.1, as bundles, made without a network of what is installed here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bundle.wheels import needed, pack

ROOT = Path(__file__).parents[2]
BEDPLATE = Path(sys.executable).with_name("bedplate")
WHOLE = ("core", "protos", "docs/examples/bottling-line.yaml", "README.md", "LICENSE")
QUIET = ["-q", "--no-deps", "--no-build-isolation", "--no-index"]


def wheels(folder: Path, version: str, libraries: Path) -> Path:
    """All wheels of a release in a folder; its libraries are links to those in `libraries`."""
    folder.mkdir()
    for file in libraries.iterdir():
        os.link(file, folder / file.name)
    tree = folder.with_name(f"tree-{version}")
    for name in WHOLE:
        source, target = ROOT / name, tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignored) if source.is_dir() else shutil.copy(
            source, target
        )
    text = (ROOT / "pyproject.toml").read_text()
    (tree / "pyproject.toml").write_text(
        text.replace('version = "0.1.0"', f'version = "{version}"', 1)
    )
    constant = tree / "core" / "bedplate" / "version.py"
    constant.write_text(constant.read_text().replace('"0.1.0"', f'"{version}"'))
    _build(tree, folder)
    return folder


def libraries(folder: Path) -> Path:
    """What Bedplate, simline and the ways in and out of a bundle need, packed again; simline itself is built."""
    folder.mkdir()
    names = needed("bedplate") | needed("bedplate-simline") | needed("cryptography")
    for name in sorted((names | {"cryptography", "pip"}) - {"bedplate"}):
        pack(name, folder)
    _build(ROOT / "plugins" / "simline", folder)
    return folder


def _build(tree: Path, into: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", *QUIET, "-w", str(into), str(tree)]
    subprocess.run(command, check=True, capture_output=True)


def bundle(wheels: Path, output: Path, key: Path) -> Path:
    words = ["bundle", "--platform", str(wheels), "-o", str(output), "--key", str(key)]
    done = subprocess.run([str(BEDPLATE), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"Bedplate 0\.1\.\d, \d+ wheels, .* signed with key", done.stdout)
    return output
