"""Where plugins are installed: entry points, and the folder of a package, found without importing anything.

importlib.metadata's own entry_points() gives up when a single distribution is damaged; here each is read by itself.
"""

from __future__ import annotations

import configparser
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from bedplate.admission.manifest import NAME
from bedplate.errors import AdmissionError

PLUGINS = "bedplate.plugins"
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """One line of a distribution's entry_points.txt. problem: why the file can't be read; then there is no value."""

    name: str
    value: str
    distribution: str
    version: str
    problem: str = ""

    @property
    def module(self) -> str:
        return self.value.partition(":")[0].strip()


def entry_points(
    group: str = PLUGINS, path: Sequence[Path] | None = None
) -> tuple[EntryPoint, ...]:
    """Every entry point of a group, by distribution and name. path: folders of packages, by default sys.path. A
    distribution that is installed twice counts once, as for Python: the first on the path."""
    found: dict[str, list[EntryPoint]] = {}
    for distribution in distributions(path=_words(path)) if path is not None else distributions():
        points = list(_points(distribution, group))
        if points:
            found.setdefault(canonicalize_name(points[0].distribution), points)
    return tuple(
        sorted(
            (p for points in found.values() for p in points), key=lambda p: (p.distribution, p.name)
        )
    )


def find_manifest(module: str, path: Sequence[Path] | None = None) -> Path:
    """The manifest of the package that holds this module: in its folder or one above it. path: folders of packages.

    Only the top-level package is looked for, and nothing is imported. Raises AdmissionError.
    """
    folders = _folders(module, path)
    for folder in folders:
        file = folder / NAME
        if file.is_file():
            return file
    raise AdmissionError(f"no {NAME} in {' or '.join(map(str, folders[-1:]))}")


def _folders(module: str, path: Sequence[Path] | None) -> list[Path]:
    """Folders of the packages around a module, innermost first."""
    top, *rest = module.split(".")
    if not all(part.isidentifier() for part in (top, *rest)):
        raise AdmissionError(f"the entry point names {module!r}, which is no module")
    try:
        spec = _spec(top, path)
    except (ImportError, ValueError, AttributeError) as error:
        raise AdmissionError(f"package {top} can't be found: {error}") from None
    if spec is None:
        raise AdmissionError(f"package {top} is not installed, though its entry point is")
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    if not places:
        raise AdmissionError(f"{top} is no package with a folder, so it can't hold {NAME}")
    return [place.joinpath(*rest[:depth]) for depth in range(len(rest), -1, -1) for place in places]


def _spec(top: str, path: Sequence[Path] | None) -> ModuleSpec | None:
    if path is None:
        return importlib.util.find_spec(top)
    return PathFinder.find_spec(top, _words(path))


def _words(path: Sequence[Path]) -> list[str]:
    return [str(folder) for folder in path]


def _points(distribution: Distribution, group: str) -> Iterator[EntryPoint]:
    """The entry points of one distribution in a group."""
    parser = configparser.ConfigParser(
        delimiters=("=",), strict=False, interpolation=None, default_section="\0"
    )
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    problem, text = "", ""
    try:
        text = distribution.read_text("entry_points.txt") or ""
        if group not in text:
            return
        if len(text) > MAX_BYTES:
            problem = f"larger than {MAX_BYTES >> 10} KiB"
        else:
            parser.read_string(text)
    except configparser.Error as error:
        problem = str(error).splitlines()[0]
    except (OSError, ValueError) as error:
        problem = str(error)
    name, version = _identity(distribution)
    if problem:
        yield EntryPoint(
            "entry_points.txt", "", name, version, f"entry_points.txt: {_line(problem)}"
        )
    elif parser.has_section(group):
        for key, value in parser.items(group):
            yield EntryPoint(_line(key), value.partition("[")[0].strip(), name, version)


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version; a damaged installation may have neither."""
    try:
        metadata = distribution.metadata
        return _line(metadata["Name"] or "unknown"), _line(metadata["Version"] or "unknown")
    except (OSError, ValueError, KeyError):
        return "unknown", "unknown"


def _line(text: str) -> str:
    """As it may stand on a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
