"""Plugin folders with Python environments of their own, made offline in a moment: no pip, one package unpacked.

Bedplate and what it needs are reached through path entries, so each environment has its own of everything else.
"""

from __future__ import annotations

import importlib.util
import io
import sysconfig
import venv
import zipfile
from pathlib import Path

import bedplate

CODE = """
import sys

import clash
from pydantic import BaseModel

from bedplate import Connector


class Versions(Connector):
    class Config(BaseModel):
        pass

    def read(self, tags):
        known = {"clash": clash.VERSION, "python": sys.prefix}
        return [known[tag.address] for tag in tags]
"""
SCHEMA = """{"offers": {"NAME": {"kind": "connector", "capabilities": ["read"],
"settings": {"type": "object", "properties": {}}, "address": {"enum": ["clash", "python"]}}}}"""
MANIFEST = """manifest = 1
name = "NAME"
version = "1.0"
requires_api = ">=1,<2"

[[offer]]
use = "NAME"
kind = "connector"
capabilities = ["read"]
class = "versions:Versions"
"""


def wheel_of_clash(version: str) -> bytes:
    """The wheel of a library of which two versions can't be in one environment."""
    info = f"clash-{version}.dist-info"
    files = {
        "clash.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: clash\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": f"clash.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return whole.getvalue()


def make_environment(folder: Path, *wheels: bytes) -> Path:
    """An environment with these wheels; returns where packages lie."""
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    for wheel in wheels:
        zipfile.ZipFile(io.BytesIO(wheel)).extractall(site)
    spec = importlib.util.find_spec("pydantic")
    assert spec
    assert spec.origin
    elsewhere = (Path(bedplate.__file__).parents[1], Path(spec.origin).parents[1])
    (site / "elsewhere.pth").write_text("".join(f"{path}\n" for path in elsewhere))
    return site


def clashing_plugin(folder: Path, name: str, version: str, environment: str = ".venv") -> Path:
    """A plugin folder whose plugin needs this version of clash."""
    folder.mkdir(parents=True)
    (folder / "versions.py").write_text(CODE)
    (folder / "bedplate-plugin.toml").write_text(MANIFEST.replace("NAME", name))
    (folder / "config.schema.json").write_text(SCHEMA.replace("NAME", name))
    make_environment(folder / environment, wheel_of_clash(version))
    return folder
