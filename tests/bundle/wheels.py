"""Wheels of what is installed here, packed again from what RECORD lists, so that no test needs a network."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD"}


def needed(name: str) -> set[str]:
    """Names of all that a distribution depends on here, without itself."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for text in distribution(waiting.pop()).requires or ():
            wish = Requirement(text)
            here = wish.marker is None or wish.marker.evaluate({"extra": ""})
            if here and canonicalize_name(wish.name) not in found:
                found.add(canonicalize_name(wish.name))
                waiting.append(wish.name)
    return found


def pack(name: str, into: Path) -> Path:
    """One wheel. Raises PackageNotFoundError."""
    found = distribution(name)
    told = HeaderParser().parsestr(found.read_text("WHEEL") or "")
    tags = sorted(told.get_all("Tag") or ["py3-none-any"])
    python = ".".join(sorted({tag.split("-")[0] for tag in tags}))
    abi = ".".join(sorted({tag.split("-")[1] for tag in tags}))
    platform = ".".join(sorted({tag.split("-")[2] for tag in tags}))
    stem = f"{name.replace('-', '_')}-{found.version}"
    file = into / f"{stem}-{python}-{abi}-{platform}.whl"
    lines = []
    with zipfile.ZipFile(file, "w") as wheel:
        for path, place in _files(found):
            content = place.read_bytes()
            wheel.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), content)
            sha = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{path},sha256={sha},{len(content)}\n")
        info = next(p.split("/")[0] for p, _ in _files(found) if ".dist-info/" in p)
        lines.append(f"{info}/RECORD,,\n")
        wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD", (1980, 1, 1, 0, 0, 0)), "".join(lines))
    return file


def _files(found: Distribution) -> Iterator[tuple[str, Path]]:
    for file in found.files or ():
        if ".." in file.parts or "__pycache__" in file.parts or file.name in OURS:
            continue
        place = Path(str(found.locate_file(file)))
        if place.is_file():
            yield str(file), place


__all__ = ["PackageNotFoundError", "needed", "pack"]
