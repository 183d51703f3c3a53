"""What a bundle is made of, as CycloneDX 1.5 in JSON: the least that a scanner needs, the same every time.

No serial number and no time stand in it, so that the same files give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bedplate import strict_json
from bedplate.bundle.contents import Wheel


def of_wheels(name: str, version: str, wheels: Mapping[Wheel, str]) -> bytes:
    """wheels: → sha256 in hex."""
    refs = {wheel.name: _purl("pypi", wheel.name, wheel.version) for wheel in wheels}
    root = canonicalize_name(name)
    parts = [
        _part("pypi", w.name, w.version, w.license, sha)
        for w, sha in sorted(wheels.items(), key=lambda item: item[0].name)
        if w.name != root
    ]
    needs = {refs[w.name]: sorted(refs[n] for n in _needed(w) if n in refs) for w in wheels}
    whole = _part("pypi", root, version, _license(root, wheels), wheels_sha(root, wheels))
    return _text(whole, parts, needs)


def of_folder(name: str, version: str, folder: Path) -> bytes:
    """A plugin folder: itself, and the Node modules that lie in it."""
    parts = []
    for file in sorted(folder.glob("node_modules/**/package.json")):
        try:
            told = strict_json.loads(file.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(told, dict) and told.get("name") and told.get("version"):
            license = told.get("license")
            license = license if isinstance(license, str) else ""
            parts.append(_part("npm", str(told["name"]), str(told["version"]), license, ""))
    unique = {part["bom-ref"]: part for part in parts}
    whole = _part("generic", name, version, "", "")
    return _text(whole, [*unique.values()], {whole["bom-ref"]: sorted(unique)})


def wheels_sha(root: str, wheels: Mapping[Wheel, str]) -> str:
    return next((sha for wheel, sha in wheels.items() if wheel.name == root), "")


def _license(root: str, wheels: Iterable[Wheel]) -> str:
    return next((wheel.license for wheel in wheels if wheel.name == root), "")


def _text(whole: dict[str, Any], parts: list[dict[str, Any]], needs: Mapping[str, Any]) -> bytes:
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": whole | {"type": "application"}},
        "components": parts,
        "dependencies": [{"ref": ref, "dependsOn": on} for ref, on in sorted(needs.items())],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def _part(kind: str, name: str, version: str, license: str, sha256: str) -> dict[str, Any]:
    purl = _purl(kind, name, version)
    part: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    if sha256:
        part["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    if license:
        part["licenses"] = [{"license": {"name": license}}]
    return part


def _purl(kind: str, name: str, version: str) -> str:
    return f"pkg:{kind}/{name.replace('@', '%40')}@{version.replace('+', '%2B')}"


def _needed(wheel: Wheel) -> Iterable[str]:
    for text in wheel.requires:
        try:
            wish = Requirement(text)
        except InvalidRequirement:
            continue
        if wish.marker is None or wish.marker.evaluate({"extra": ""}):
            yield canonicalize_name(wish.name)
