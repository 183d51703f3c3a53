"""What a manifest declares is tried with the operating system's word for it, not only watched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.admission.folders import plugin_folder
from tests.admission.site import SCHEMA
from tests.conformance.test_command import run
from tests.isolation.confining import confined

__all__ = ["confined"]
pytestmark = pytest.mark.usefixtures("confined")
SETTINGS = {
    "kept": {"type": "string", "description": "A file."},
    "port": {"type": "integer", "default": 1, "description": "A port."},
}
SCHEMAS = {"keeper": SCHEMA | {"settings": {"type": "object", "properties": SETTINGS}}}
MANIFEST = """
manifest = 1
name = "keeper"
version = "1.0"
requires_api = ">=1,<2"
support = "nobody"
[[offer]]
use = "keeper"
kind = "connector"
class = "keeper:Keeper"
capabilities = ["read"]
[permissions]
FILES
"""
CODE = '''
from pathlib import Path

from bedplate import Connector
from pydantic import BaseModel


class Keeper(Connector):
    """Writes its values down where it is told to."""

    class Config(BaseModel):
        kept: str
        port: int = 1

    def open(self):
        Path(self.config.kept).mkdir(parents=True, exist_ok=True)
        (Path(self.config.kept) / "x").write_text("here")

    def read(self, tags):
        return [1.0 for _ in tags]
'''


def keeper(folder: Path, files: str) -> Path:
    facts = 'settings = { kept = "{folder}" }\nnetwork = false\ntags = { a = { address = "x" } }\n'
    manifest = MANIFEST.replace("FILES", files)
    return plugin_folder(folder, manifest, SCHEMAS, keeper__py=CODE, conformance__toml=facts)


def outcome(done: Any) -> tuple[str, str]:
    (first,) = json.loads(done.stdout)["checks"]
    return first["outcome"], first["evidence"]


def test_a_manifest_that_declares_less_than_is_needed_is_found_out(tmp_path: Path) -> None:
    """It connects nowhere, so there is nothing to be seen from outside; it opens a file that it did not declare."""
    words = ("--only", "PLG-042", "--json")
    honest = outcome(run(str(keeper(tmp_path / "honest", 'files = ["$kept"]')), *words))
    sly = outcome(run(str(keeper(tmp_path / "sly", "")), *words))

    assert honest == ("passed", "no connection; and held to its manifest at L2 it works")
    assert sly[0] == "failed"
    assert "held to its manifest (L2) it does not work; does it declare all it needs?" in sly[1]
    assert "Permission denied" in sly[1]


def test_every_check_of_a_process_can_be_confined(tmp_path: Path) -> None:
    folder = keeper(tmp_path / "sly", "")
    checks, evidence = outcome(run(str(folder), "--confined", "--only", "CON-001", "--json"))

    assert checks == "failed"
    assert "Permission denied" in evidence
