"""A secret is nowhere to be seen: not in an error, a repr, JSON, a hash or a pickle."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.config.plant import ALL, berlin, load_text, wrong

from bedplate.config import Secret, SecretError, Secrets, editor_schema, redact
from bedplate.errors import ConfigError

CANARY = "hunter2-canary"


@pytest.mark.case("A48")
def test_a_secret_shows_itself_as_stars() -> None:
    secret = Secret(CANARY, "env:X")

    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{secret!r}", repr([secret])]
    shown += [repr({"a": secret}), json.dumps(secret, default=repr)]
    assert not [text for text in shown if CANARY in text]
    assert str(secret) == "***"
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
@pytest.mark.case("A48")
def test_a_secret_is_not_carried_off(take: object) -> None:
    assert callable(take)
    with pytest.raises(TypeError) as caught:
        take(Secret(CANARY))

    assert CANARY not in str(caught.value)


@pytest.fixture(autouse=True)
def for_oneself_alone() -> Iterator[None]:
    """What a test writes, others can't read."""
    before = os.umask(0o077)
    yield
    os.umask(before)


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


@pytest.mark.case("A08", "A48")
def test_a_secret_that_is_not_there_is_named_by_its_reference(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(CANARY.encode() + b"\xff")
    (tmp_path / "large").write_text(CANARY * 10_000)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "open").write_text(CANARY)
    (tmp_path / "open").chmod(0o644)
    secrets = Secrets(tmp_path, {"EMPTY": ""})
    found = []
    for reference in (
        "env:NONE",
        "env:EMPTY",
        "file:empty",
        "file:pipe",
        "file:open",
        "file:none",
        "file:binary",
        "file:large",
        "file:folder",
        CANARY,
        "env:",
        "file:a\0b",
        "flie:/a/b",
        "vault:a/b",
        "age:a",
    ):
        with pytest.raises(SecretError) as caught:
            secrets.resolve(reference)
        found.append(str(caught.value))

    assert found == [
        "secret env:NONE: not there",
        "secret env:EMPTY: is empty",
        "secret file:empty: is empty",
        "secret file:pipe: is empty",
        "secret file:open: is open to others (mode 0644); make it 0640 or less and change the secret",
        "secret file:none: No such file or directory",
        "secret file:binary: not text in UTF-8; store bytes as Base64, if the plugin can take that",
        "secret file:large: larger than 64 KiB",
        "secret file:folder: Is a directory",
        "secret must start with env:, file: or age:",
        "secret env: needs the name of a variable",
        "secret file: names nothing",
        "secret must start with env:, file: or age:",
        "secret vault: is of a plugin, which only a running kernel asks",
        "secret age: needs a file and a name, age:FILE#name",
    ]


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"a b\n", "a b"),
        (b"ab\r\n", "ab"),
        (b"ab\n\n", "ab\n"),
        (b" ab ", " ab "),
        (b"\xc3\xa4", "ä"),
    ],
)
def test_one_line_end_belongs_to_the_editor_and_all_else_to_the_secret(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    (tmp_path / "press").write_bytes(content)

    assert Secrets(tmp_path, {}).resolve("file:press").reveal() == secret


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
@pytest.mark.case("A48")
def test_a_secret_written_into_the_file_is_in_no_message(old: str, new: str) -> None:
    text = berlin().decode()
    assert old in text

    found = wrong(text.replace(old, new))

    assert found
    assert not [line for line in found if CANARY in line]


@pytest.mark.case("A48")
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


@pytest.mark.case("A48")
def test_a_deployment_holds_references_only(tmp_path: Path) -> None:
    (tmp_path / "mqtt").write_text(CANARY)
    deployment = load_text(
        berlin().replace(b"/etc/bedplate/secrets/", str(tmp_path).encode() + b"/")
    )

    assert Secrets(tmp_path, {}).resolve(f"file:{tmp_path}/mqtt").reveal() == CANARY
    assert CANARY not in repr(dataclasses.asdict(deployment))
    assert CANARY not in json.dumps([one.to_dict() for one in deployment.components])
    assert CANARY not in json.dumps(editor_schema(ALL.values()))
