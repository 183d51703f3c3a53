"""`bedplate bundle`, `install`, `uninstall` and the way back, with a plugin folder in another language."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.admission.folders import plugin_folder
from tests.admission.site import SCHEMA
from tests.bundle.conftest import Operator

from bedplate.bundle.minisign import SecretKey, make_key
from bedplate.bundle.shelf import Shelf

MANIFEST = """\
manifest = 1
requires_api = ">=1,<2"
name = "acme-press"
version = "VERSION"

[run]
command = ["./press.sh"]

[[offer]]
use = "press"
kind = "connector"
capabilities = ["read"]

[permissions]
network = [NETWORK]
"""


def project(folder: Path, version: str = "1.0.0", network: str = '"tcp:$host:502"') -> Path:
    place = folder / f"press-{version}"
    text = MANIFEST.replace("VERSION", version).replace("NETWORK", network)
    script = f"#!/bin/sh\n# {version}\nexec sleep 60\n"
    plugin_folder(place, text, {"press": SCHEMA}, press__sh=script)
    (place / "node_modules" / "@acme" / "line").mkdir(parents=True, exist_ok=True)
    package = {"name": "@acme/line", "version": "2.1.0", "license": "MIT"}
    (place / "node_modules/@acme/line/package.json").write_text(json.dumps(package))
    return place


def bundled(operator: Operator, version: str = "1.0.0", network: str = '"tcp:$host:502"') -> str:
    place = project(operator.folder, version, network)
    operator.done("bundle", str(place), "--key", "acme.key", "-o", f"{version}.bedplate")
    return f"{version}.bedplate"


def known(operator: Operator) -> None:
    operator.done("plugins", "publishers", "add", "acme.pub", "--yes")


def current(operator: Operator) -> str:
    found = Shelf(operator.home / "plugins").current("acme-press")
    return found.version if found else ""


def test_a_bundle_is_the_same_every_time_and_minisign_and_sha256sum_agree(
    operator: Operator, key: SecretKey
) -> None:
    one = (operator.folder / bundled(operator)).read_bytes()
    os.utime(operator.folder / "press-1.0.0" / "press.sh", (1, 1))
    assert (operator.folder / bundled(operator)).read_bytes() == one
    with zipfile.ZipFile(operator.folder / "1.0.0.bedplate") as archive:
        archive.extractall(operator.folder / "by-hand")
    words = ["sha256sum", "--quiet", "-c", "MANIFEST"]
    subprocess.run(words, cwd=operator.folder / "by-hand", check=True)
    sbom = json.loads((operator.folder / "by-hand" / "sbom.cdx.json").read_bytes())
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    assert sbom["metadata"]["component"]["name"] == "acme-press"
    assert [part["purl"] for part in sbom["components"]] == ["pkg:npm/%40acme/line@2.1.0"]


def test_it_is_installed_read_only_and_used(operator: Operator, key: SecretKey) -> None:
    known(operator)
    said = operator.done("install", bundled(operator), offline=True)
    assert "signed by acme" in said
    assert "not trusted yet: bedplate plugins trust acme-press" in said
    place = operator.home / "plugins" / "acme-press" / "1.0.0"
    assert (place / "press.sh").stat().st_mode & 0o777 == 0o555
    assert not [p for p in place.rglob("*") if p.lstat().st_mode & 0o222]
    (told,) = json.loads(operator.done("plugins", "press", "--json"))
    assert (told["distribution"], told["version"], told["verdict"]) == (
        *("acme-press", "1.0.0"),
        "admissible",
    )
    operator.done("uninstall", "acme-press")
    assert not place.exists()
    assert "is not installed" in operator.refused("uninstall", "acme-press")


def test_two_versions_lie_side_by_side_and_one_word_goes_back(
    operator: Operator, key: SecretKey
) -> None:
    known(operator)
    operator.done("install", bundled(operator), "--trust", "--yes")
    operator.done("install", bundled(operator, "1.1.0"))
    assert current(operator) == "1.1.0"
    granted = json.loads(operator.done("plugins", "trusted", "--json"))
    assert [(g["version"], g["publisher"]) for g in granted] == [
        ("1.0.0", key.public.name),
        ("1.1.0", key.public.name),
    ]
    operator.done("plugins", "back", "acme-press")
    assert current(operator) == "1.0.0"
    operator.done("plugins", "back", "acme-press")
    assert current(operator) == "1.1.0"
    operator.done("plugins", "use", "acme-press", "1.0.0")
    assert "is the one that is used" in operator.refused("uninstall", "acme-press", "1.0.0")
    operator.done("uninstall", "acme-press", "1.1.0")
    assert current(operator) == "1.0.0"
    assert "no version before" in operator.refused("plugins", "back", "acme-press")


def test_an_upgrade_that_asks_for_more_needs_a_new_grant(
    operator: Operator, key: SecretKey
) -> None:
    known(operator)
    operator.done("install", bundled(operator), "--trust", "--yes")
    wider = bundled(operator, "2.0.0", '"tcp:$host:502", "tcp:203.0.113.9:443"')
    said = operator.refused("install", wider)
    assert "asks for more than you granted: network tcp:203.0.113.9:443" in said
    assert current(operator) == "1.0.0"
    assert not (operator.home / "plugins" / "acme-press" / "2.0.0").exists()
    less = ("--grant", "network tcp:$host:502")
    assert "more than --grant names" in operator.refused("install", wider, "--yes", *less)
    operator.done("install", wider, "--yes", *less, "--grant", "network tcp:203.0.113.9:443")
    assert current(operator) == "2.0.0"


def test_a_node_plugin_without_its_modules_makes_no_bundle(operator: Operator) -> None:
    place = project(operator.folder)
    (place / "package.json").write_text(
        '{"dependencies": {"@acme/line": "1", "@grpc/grpc-js": "1"}}'
    )
    said = operator.refused("bundle", str(place))
    assert "@grpc/grpc-js is not in node_modules; npm install" in said
    assert not list(operator.folder.glob("*.bedplate"))


@pytest.mark.case("A20")
def test_who_signed_it_counts(operator: Operator, key: SecretKey) -> None:
    """A20: unsigned; signed by an unknown key; a signature of something else; each refused, nothing installed."""
    place = project(operator.folder)
    file = bundled(operator)
    said = operator.refused("install", file)
    assert f"signed by key {key.public.name}, which you don't know" in said
    other = make_key(os.urandom)
    (operator.folder / "other.pub").write_bytes(other.public.file())
    operator.done("plugins", "publishers", "add", "other.pub", "--yes")
    assert "which you don't know" in operator.refused("install", file)
    operator.done("bundle", str(place), "-o", "unsigned.bedplate")
    assert "nobody signed it" in operator.refused("install", "unsigned.bedplate")
    assert "nobody signed it" in operator.refused(
        "install", "unsigned.bedplate", "--unsigned", "acme"
    )
    with zipfile.ZipFile(file) as one, zipfile.ZipFile("changed.bedplate", "w") as changed:
        for name in one.namelist():
            changed.writestr(name, one.read(name).replace(b"sleep 60", b"sleep 61"))
    known(operator)
    assert "is not what its MANIFEST lists" in operator.refused("install", "changed.bedplate")
    assert not (operator.home / "plugins" / "acme-press").exists()
    operator.done("install", "unsigned.bedplate", "--unsigned", "acme-press")
    operator.done("uninstall", "acme-press")
    operator.done("install", file, "--key", key.public.text)


@pytest.mark.case("A20")
def test_a_manifest_shown_that_is_not_the_plugins_own_is_refused(
    operator: Operator, key: SecretKey
) -> None:
    """A20: the operator must not be asked about one thing and get another."""
    from bedplate.bundle import archive
    from bedplate.bundle.minisign import sign

    place = project(operator.folder)
    shown = (place / "bedplate-plugin.toml").read_bytes().replace(b'"tcp:$host:502"', b"")
    files: dict[str, Path | bytes] = {
        "bedplate-plugin.toml": shown,
        "config.schema.json": place / "config.schema.json",
        "bundle.json": b'{"bundle": 1, "name": "acme-press", "version": "1.0.0", "form": "plugin"}',
        **{f"plugin/{f.name}": f for f in place.iterdir() if f.is_file()},
    }
    files[archive.MANIFEST] = content = archive.manifest(files)
    files[archive.SIGNATURE] = sign(content, key, "x").file()
    with (operator.folder / "x.bedplate").open("wb") as stream:
        archive.write(stream, files, frozenset())
    known(operator)
    said = operator.refused("install", "x.bedplate", "--trust", "--yes")
    assert "bedplate-plugin.toml of the bundle is not that of acme-press" in said


def test_an_installation_killed_at_any_step_leaves_the_old_one_working(
    operator: Operator, key: SecretKey
) -> None:
    """SIGKILL before each change to the file system; the next try completes it."""
    known(operator)
    operator.done("install", bundled(operator), "--trust", "--yes")
    file = bundled(operator, "1.1.0")
    command = [sys.executable, str(Path(__file__).with_name("killing.py"))]
    done = subprocess.run(
        [*command, str(operator.home), file], cwd=operator.folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    results = json.loads(done.stdout)
    assert len(results) > 20
    assert [r["killed"] for r in results] == [True] * (len(results) - 1) + [False]
    assert {r["left"] for r in results[:-1]} == {"1.0.0"} or results[-2]["left"] == "1.1.0"
    for result in results:
        assert result["whole"]
        assert result["after"] == "1.1.0"
        assert result["rest"] == []
        assert result["trusted"] == ["1.0.0", "1.1.0"]
