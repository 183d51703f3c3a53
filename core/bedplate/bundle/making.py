"""Makes a bundle of a plugin: of a Python package its wheel and the wheels it depends on, of anything else its folder.

Rule: the same files give the same bytes, so that anybody can make it again and compare. Runs on the author's machine,
where pip may build and, without a folder of wheels, fetch.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bedplate import strict_json
from bedplate.admission import manifest as toml
from bedplate.admission import schema as schemas
from bedplate.bundle import sbom
from bedplate.bundle.archive import MANIFEST, SIGNATURE, Archive, BundleError, manifest, write
from bedplate.bundle.contents import (
    ABOUT,
    FOLDER,
    REQUIREMENTS,
    SBOM,
    WHEELS,
    Wheel,
    about,
    folder_manifest,
    in_wheel,
    read_contents,
    read_wheel,
)
from bedplate.bundle.minisign import SecretKey, sign

ENDING = ".bedplate"
LEFT_OUT = {
    *("__pycache__", ".git", ".venv", "venv", "env", ".mypy_cache", ".pytest_cache"),
    *(".ruff_cache", ".bin", ".github"),
}


@dataclass(frozen=True, slots=True)
class Made:
    """parts: how many wheels or files · key: name of the key that signed it, "" for none."""

    file: Path
    name: str
    version: str
    form: str
    parts: int
    size: int
    sha256: str
    key: str


def bundle(plugin: Path, output: Path | None, wheels: Path | None, key: SecretKey | None) -> Made:
    """plugin: a Python project, a wheel, or a plugin folder · output: by default named after it, here · wheels: where
    all that it depends on lies; then nothing is fetched.

    Raises BundleError, AdmissionError with what is wrong; leaves no half of a bundle.
    """
    with tempfile.TemporaryDirectory(prefix="bedplate-bundle-") as room:
        python = plugin.suffix == ".whl" or (plugin / "pyproject.toml").is_file()
        files, name, number = (
            _of_python(plugin, wheels, Path(room)) if python else _of_folder(plugin)
        )
        files[MANIFEST] = manifest(files)
        if key:
            told = sign(_bytes(files[MANIFEST]), key, f"bedplate bundle {name} {number}")
            files[SIGNATURE] = told.file()
        target = output or Path(f"{name}-{number}{ENDING}")
        _write(target, files)
    content = target.read_bytes()
    with Archive(target) as archive:  # what nobody could install must not leave the house
        archive.check()
        read_contents(archive)
    below = f"{WHEELS}/" if python else f"{FOLDER}/"
    return Made(
        target,
        name,
        number,
        WHEELS if python else FOLDER,
        sum(path.startswith(below) for path in files),
        len(content),
        hashlib.sha256(content).hexdigest(),
        key.public.name if key else "",
    )


Files = dict[str, Path | bytes]


def _of_python(plugin: Path, wheels: Path | None, room: Path) -> tuple[Files, str, str]:
    own = _own_wheel(plugin, wheels, room / "own")
    every = _all_wheels(own, wheels, room / "all")
    found = {read_wheel(file): file for file in every}
    shas = {w: hashlib.sha256(file.read_bytes()).hexdigest() for w, file in found.items()}
    me = read_wheel(own)
    if me.name not in {w.name for w in found} or "bedplate" not in {w.name for w in found}:
        raise BundleError(f"{me.name} does not depend on bedplate, so it can't run by itself")
    files: Files = {f"{WHEELS}/{file.name}": file for file in every}
    files[toml.NAME], files[schemas.NAME] = in_wheel(own, toml.NAME), in_wheel(own, schemas.NAME)
    toml.parse(_bytes(files[toml.NAME]), f"{toml.NAME} of {me.name}")
    files[REQUIREMENTS] = requirements(shas)
    files[SBOM] = sbom.of_wheels(me.name, me.version, shas)
    files[ABOUT] = about(me.name, me.version, WHEELS)
    return files, me.name, me.version


def _of_folder(folder: Path) -> tuple[Files, str, str]:
    told = folder_manifest(folder)
    name, number = told.name or "", told.version or ""
    _refuse_incomplete(folder)
    files: Files = {f"{FOLDER}/{path}": file for path, file in _walk(folder)}
    for beside in (toml.NAME, schemas.NAME):
        if not (folder / beside).is_file():
            raise BundleError(f"{folder}: has no {beside}")
        files[beside] = folder / beside
    files[SBOM] = sbom.of_folder(name, number, folder)
    files[ABOUT] = about(name, number, FOLDER)
    return files, name, number


def _refuse_incomplete(folder: Path) -> None:
    """A Node plugin without its modules would only be found out where there is no network."""
    try:
        wanted = strict_json.loads((folder / "package.json").read_bytes()).get("dependencies", {})
    except (OSError, ValueError, AttributeError):
        return
    missing = [name for name in wanted if not (folder / "node_modules" / name).is_dir()]
    if missing:
        raise BundleError(f"{folder}: {missing[0]} is not in node_modules; npm install --omit=dev")


def _own_wheel(plugin: Path, wheels: Path | None, room: Path) -> Path:
    if plugin.suffix == ".whl":
        return plugin
    words = ["--no-deps", *_from(wheels)]
    if _can_build_here(plugin):
        words.append("--no-build-isolation")
    return _pip_wheel([*words, str(plugin)], room)[0]


def _all_wheels(own: Path, wheels: Path | None, room: Path) -> list[Path]:
    return _pip_wheel([*_from(wheels), "--prefer-binary", str(own)], room)


def _from(wheels: Path | None) -> list[str]:
    return ["--no-index", "--find-links", str(wheels.absolute())] if wheels else []


def _pip_wheel(words: list[str], room: Path) -> list[Path]:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    environment = os.environ | {"SOURCE_DATE_EPOCH": "315532800"}
    done = subprocess.run(
        [*command, "--no-input", "--wheel-dir", str(room), *words],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["pip failed"]
        told = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise BundleError(f"pip could not collect the wheels: {told.removeprefix('ERROR: ')[:300]}")
    return sorted(room.glob("*.whl"))


def _can_build_here(project: Path) -> bool:
    """Whether all that its build asks for is installed beside us, so that nothing need be fetched for it."""
    try:
        settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
        wishes = [Requirement(text) for text in settings["build-system"]["requires"]]
        return all(wish.specifier.contains(version(wish.name)) for wish in wishes)
    except (OSError, ValueError, KeyError, TypeError, InvalidRequirement, PackageNotFoundError):
        return False


def requirements(shas: dict[Wheel, str]) -> bytes:
    lines = [f"{w.name}=={w.version} --hash=sha256:{sha}\n" for w, sha in shas.items()]
    return "".join(sorted(lines, key=canonicalize_name)).encode()


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(names):
            path = Path(place, name)
            told = path.relative_to(folder).as_posix()
            if path.suffix == ENDING:
                continue
            if path.is_symlink() or not path.is_file():
                raise BundleError(f"{path}: is no file; a bundle holds only files")
            yield told, path
        for name in folders:
            if Path(place, name).is_symlink():
                raise BundleError(f"{Path(place, name)}: is a link; a bundle holds only files")


def _write(target: Path, files: Files) -> None:
    executable = frozenset(
        path
        for path, content in files.items()
        if isinstance(content, Path) and _runs(path, content)
    )
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            write(stream, files, executable)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def _runs(path: str, content: Path) -> bool:
    return path.startswith(f"{FOLDER}/") and bool(content.stat().st_mode & 0o100)


def _bytes(content: Path | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()
