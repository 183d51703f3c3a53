"""A folder on sys.path into which tests install small plugins, as pip would have left them.

Every package that is made here leaves a file behind when somebody imports it, so a test can prove that nobody did.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCHEMA = {
    "kind": "connector",
    "capabilities": ["read"],
    "settings": {"type": "object", "properties": {"host": {"type": "string"}}},
    "tag": {},
    "address": {"type": "string"},
    "inputs": [],
}


def manifest(use: str = "acme", requires: str = ">=1,<2", more: str = "", offer: str = "") -> str:
    return (
        f'manifest = 1\nrequires_api = "{requires}"\nsupport = "Acme, +49 30 0000"\n{more}\n'
        f'[[offer]]\nuse = "{use}"\nkind = "connector"\ncapabilities = ["read"]\n{offer}\n'
    )


class Site:
    """One such folder. imported(): names of the packages that somebody imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.traces = folder / "traces"
        self.traces.mkdir()

    def install(
        self,
        name: str,
        *,
        manifest: str | None,
        schema: Mapping[str, Any] | str | None = None,
        points: str | None = None,
        code: str = "",
        version: str = "1.0",
    ) -> Path:
        """A distribution `name` with a package of that name (a-b → a_b). schema: use → schema, or the file's text;
        points: text of entry_points.txt. Returns the package's folder."""
        module = name.replace("-", "_")
        package = self.folder / module
        package.mkdir()
        trace = f"open({str(self.traces / module)!r}, 'w').close()\n"
        (package / "__init__.py").write_text(trace + code)
        if manifest is not None:
            (package / "bedplate-plugin.toml").write_text(manifest)
        if schema is not None:
            text = schema if isinstance(schema, str) else json.dumps({"offers": schema})
            (package / "config.schema.json").write_text(text)
        self.declare(name, points or f"[bedplate.plugins]\nacme = {module}:Acme\n", version)
        return package

    def declare(self, name: str, points: str, version: str = "1.0") -> None:
        """The dist-info alone."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(points)
        importlib.invalidate_caches()

    def imported(self) -> list[str]:
        return sorted(trace.name for trace in self.traces.iterdir())
