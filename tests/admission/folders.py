"""Plugin folders, made in a temporary one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.admission.site import SCHEMA

from bedplate.admission.candidate import Candidate
from bedplate.admission.survey import survey

OFFER = '[[offer]]\nuse = "acme"\nkind = "connector"\ncapabilities = ["read"]\n'
NAMED = 'manifest = 1\nname = "acme-press"\nversion = "1.2.0"\nrequires_api = ">=1,<2"\n'


def command(*words: str) -> str:
    return f"[run]\ncommand = {json.dumps(words)}\n"


def plugin_folder(
    place: Path,
    manifest: str | None = None,
    schema: Mapping[str, Any] | None = None,
    **files: str | bytes,
) -> Path:
    """files: name → what it holds; __ in a name is a dot. What starts with #! is executable."""
    place.mkdir(parents=True, exist_ok=True)
    if manifest is not None:
        (place / "bedplate-plugin.toml").write_text(manifest)
    if schema is None:
        schema = {"acme": SCHEMA}
    if schema:
        (place / "config.schema.json").write_text(json.dumps({"offers": schema}))
    for name, content in files.items():
        file = place / name.replace("__", ".")
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(0o755 if content[:2] in ("#!", b"#!") else 0o644)
    return place


def only(place: Path) -> Candidate:
    """What became of the plugin in this folder."""
    [found] = [c for c in survey([place]).candidates if c.place == place.absolute()]
    return found
