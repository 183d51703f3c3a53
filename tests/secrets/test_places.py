"""A start is refused where others could change what the kernel goes by, or know its secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.secrets.test_rotation import SETTINGS

from bedplate.admission.permissions import Permissions
from bedplate.config import PluginSchema
from bedplate.config.loading import parse
from bedplate.isolation.grants import GrantError, grant
from bedplate.runtime.confining import own_folders
from bedplate.server.rooms import misplaced
from bedplate.server.runnable import exposed


def told(folder: Path, text: str) -> list[str]:
    file = folder / "plant.yaml"
    file.write_text(f"bedplate: 1\nname: x\n{text}")
    deployment = parse(file.read_bytes(), str(file), folder, lambda use: None)
    found = [*misplaced(deployment), *exposed(deployment)]
    return [f"{p.line} {p.path}: {p.text}".replace(str(folder), "F").strip() for p in found]


TRUSTED = "plugins: {policy: trusted, folders: [PLACE]}\n"
APART = [
    (
        "journal: {folder: a}\naudit: {folder: a/b}\n",
        "4 audit.folder: F/a/b lies within journal.folder, F/a",
    ),
    (
        "journal: {folder: a/b}\naudit: {folder: a}\n",
        "3 journal.folder: F/a/b lies within audit.folder, F/a",
    ),
    (
        "journal: {folder: a}\naudit: {folder: x/../a}\n",
        "3 journal.folder: F/a lies within audit.folder, F/x/../a",
    ),
    (
        "journal: {folder: leads/b}\naudit: {folder: a}\n",
        "3 journal.folder: F/leads/b lies within audit.folder, F/a",
    ),
    ("journal: {folder: .}\n", "3 journal.folder: this file lies within F"),
    (
        TRUSTED.replace("PLACE", "data/audit/p"),
        "3 plugins.folders: F/data/audit/p lies within audit.folder, F/data/audit",
    ),
    (
        TRUSTED.replace("PLACE", "data"),
        "0 audit.folder: F/data/audit lies within plugins.folders, F/data",
    ),
    (TRUSTED.replace("PLACE", "."), "3 plugins.folders: this file lies within F"),
    (
        "plugins: {policy: trusted, home: data/journal}\n",
        "3 plugins.home: F/data/journal lies within journal.folder, F/data/journal",
    ),
]


@pytest.mark.case("A43")
@pytest.mark.parametrize(("text", "expected"), APART)
def test_places_within_one_another_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "leads").symlink_to("a")

    assert f"{expected}; keep them apart" in told(tmp_path, text)


@pytest.mark.case("A43")
@pytest.mark.parametrize("word", ["journal", "audit"])
def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path: Path, word: str) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "disk")

    expected = f"3 {word}.folder: F/here is a link, which may lead elsewhere tomorrow; write F/disk"
    assert told(tmp_path, f"{word}: {{folder: here}}\n") == [expected]


@pytest.mark.case("A43")
@pytest.mark.parametrize("place", ["plant.yaml", "data/journal", "data/audit", "data", "own"])
def test_what_everybody_may_change_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "data" / "journal").mkdir(parents=True)
    (tmp_path / "data" / "audit").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "plant.yaml").touch()
    mode = 0o666 if place.endswith("yaml") else 0o777
    (tmp_path / place).chmod(mode)

    found = told(tmp_path, "plugins: {policy: trusted, folders: [own]}\n")
    assert found
    assert all(
        f"F/{place} may be changed by everybody (mode {mode:04o}): chmod o-w F/{place}" in line
        for line in found
    )


@pytest.mark.case("A43")
def test_what_is_in_order_is_told_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, TRUSTED.replace("PLACE", "own")) == []
    assert told(tmp_path, "plugins: {folders: [.]}\n") == [], (
        "an author at a desk keeps all in one folder"
    )


@pytest.mark.case("A08")
def test_a_key_or_a_secret_that_others_may_read_is_refused_before_anything_starts(
    tmp_path: Path,
) -> None:
    (tmp_path / "key").touch()
    (tmp_path / "key").chmod(0o644)

    assert told(tmp_path, "secrets: {identity: key}\n") == [
        "3 secrets.identity: F/key is open to others (mode 0644); make it 0600 and change the secret"
    ]
    os.chmod(tmp_path / "key", 0o600)
    assert told(tmp_path, "secrets: {identity: key}\n") == []


@pytest.mark.case("A48", "A50")
def test_the_files_of_secrets_are_given_to_no_plugin(tmp_path: Path) -> None:
    """A permission that reaches one of them is refused, as is one that reaches the journal."""
    text = """bedplate: 1
name: x
secrets: {identity: keys/age}
connectors:
  a: {use: keeping, password: {secret: "file:kept/a"}, other: {secret: "age:s.age#b"}, tags: {x: {}}}
"""
    schema = PluginSchema("keeping", "connector", ("read",), settings=SETTINGS)
    deployment = parse(text.encode(), str(tmp_path / "plant.yaml"), tmp_path, lambda use: schema)
    own = own_folders(deployment)

    assert {tmp_path / name for name in ("keys/age", "kept/a", "s.age")} <= {*own}
    asks = Permissions(files=("$folder",))
    for folder in ("kept", "keys", "."):
        with pytest.raises(GrantError, match="the kernel's own"):
            grant(asks, {"folder": folder}, tmp_path, own)
