"""A secret is nowhere to be seen: not in an error, a repr, JSON, a hash or a pickle."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import pickle
from pathlib import Path

import pytest
from tests.config.plant import ALL, berlin, load_text, wrong

from bedplate.config import Secret, SecretError, Secrets, editor_schema, redact
from bedplate.errors import ConfigError

CANARY = "hunter2-canary"


def test_a_secret_shows_itself_as_stars() -> None:
    secret = Secret(CANARY, "env:X")

    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{secret!r}", repr([secret])]
    shown += [repr({"a": secret}), json.dumps(secret, default=repr)]
    assert not [text for text in shown if CANARY in text]
    assert str(secret) == "***"
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_a_secret_is_not_carried_off(take: object) -> None:
    assert callable(take)
    with pytest.raises(TypeError) as caught:
        take(Secret(CANARY))

    assert CANARY not in str(caught.value)


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "press").write_text(f"{CANARY}\n")
    secrets = Secrets(tmp_path, {"PRESS": CANARY})

    assert secrets.resolve("env:PRESS").reveal() == CANARY
    assert secrets.resolve("file:press").reveal() == CANARY
    assert secrets.resolve(f"file:{tmp_path}/press").reveal() == CANARY
    assert secrets.resolve("file:press").reference == "file:press"


def test_a_further_scheme_is_one_function() -> None:
    secrets = Secrets(Path(), {}, {"vault": lambda name: name[::-1]})

    assert secrets.resolve("vault:abc").reveal() == "cba"


def test_a_secret_that_is_not_there_is_named_by_its_reference(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(CANARY.encode() + b"\xff")
    (tmp_path / "large").write_text(CANARY * 10_000)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    secrets = Secrets(tmp_path, {})
    found = []
    for reference in (
        "env:NONE",
        "file:none",
        "file:binary",
        "file:large",
        "file:folder",
        CANARY,
        "env:",
        "file:a\0b",
    ):
        with pytest.raises(SecretError) as caught:
            secrets.resolve(reference)
        found.append(str(caught.value))

    assert found == [
        "secret env:NONE: not there",
        "secret file:none: No such file or directory",
        "secret file:binary: not text in UTF-8",
        "secret file:large: larger than 64 KiB",
        "secret file:folder: Is a directory",
        "secret must start with env: or file:",
        "secret env: needs the name of a variable",
        "secret file: names nothing",
    ]
    assert secrets.resolve("file:pipe").reveal() == ""  # and does not wait


def test_redaction_reaches_text_and_keys() -> None:
    secret = Secret(CANARY)
    whole = {
        "password": secret,
        "error": f"login with {CANARY} failed",
        CANARY: [CANARY, ("x", 1, None)],
    }

    assert redact(whole, [secret, Secret("")]) == {
        "password": "***",
        "error": "login with *** failed",
        "***": ["***", ["x", 1, None]],
    }


PLACES = [
    ('{secret: "file:/etc/bedplate/secrets/mqtt"}', CANARY),
    ('{secret: "file:/etc/bedplate/secrets/mqtt"}', f"[{CANARY}]"),
    ('{secret: "file:/etc/bedplate/secrets/mqtt"}', f"{{secret: {CANARY}}}"),
    ('{secret: "file:/etc/bedplate/secrets/mqtt"}', f"{{secret: [{CANARY}]}}"),
    ('{secret: "file:/etc/bedplate/secrets/mqtt"}', f"{{secrte: {CANARY}}}"),
    ('{secret: "file:/etc/bedplate/secrets/press"}', CANARY),
    ("mqtts://broker", f"mqtts://berlin:{CANARY}@broker"),
    ('password: {secret: "file:/etc/bedplate/secrets/mqtt"}', f"password: !t {CANARY}"),
    ('password: {secret: "file:/etc/bedplate/secrets/mqtt"}', f"password: {CANARY}: x"),
    ('password: {secret: "file:/etc/bedplate/secrets/mqtt"}', f"password: '{CANARY}"),
    ('password: {secret: "file:/etc/bedplate/secrets/mqtt"}', f"password: [{CANARY}"),
    ('password: {secret: "file:/etc/bedplate/secrets/mqtt"}', f"pasword: {CANARY}"),
]


@pytest.mark.parametrize(("old", "new"), PLACES)
def test_a_secret_written_into_the_file_is_in_no_message(old: str, new: str) -> None:
    text = berlin().decode()
    assert old in text

    found = wrong(text.replace(old, new))

    assert found
    assert not [line for line in found if CANARY in line]


def test_a_number_as_a_password_is_in_no_message() -> None:
    text = berlin().decode()
    for number in (
        "48151623421234",
        "481516234212344815162342123448151623421234",
        "4815162342.1234",
    ):
        with pytest.raises(ConfigError) as caught:
            load_text(text.replace('{secret: "file:/etc/bedplate/secrets/mqtt"}', number))

        assert "4815162342" not in str(caught.value)


def test_a_deployment_holds_references_only(tmp_path: Path) -> None:
    (tmp_path / "mqtt").write_text(CANARY)
    deployment = load_text(
        berlin().replace(b"/etc/bedplate/secrets/", str(tmp_path).encode() + b"/")
    )

    assert Secrets(tmp_path, {}).resolve(f"file:{tmp_path}/mqtt").reveal() == CANARY
    assert CANARY not in repr(dataclasses.asdict(deployment))
    assert CANARY not in json.dumps([one.to_dict() for one in deployment.components])
    assert CANARY not in json.dumps(editor_schema(ALL.values()))
