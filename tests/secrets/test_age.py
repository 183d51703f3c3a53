"""Secrets in age files, with Debian's `age` at the other end, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.secrets.aged import decrypt, encrypt, keygen

from bedplate.config import SecretError, Secrets
from bedplate.config.loading import parse
from bedplate.errors import ConfigError

CANARY = "hunter2-ünicode #canary"
pyrage = pytest.importorskip("pyrage")


@pytest.fixture
def recipient(tmp_path: Path) -> str:
    return keygen(tmp_path / "key")


def secrets(folder: Path) -> Secrets:
    return Secrets(folder, {}, identity=folder / "key")


def refusal(folder: Path, reference: str = "age:s.age#press") -> str:
    with pytest.raises(SecretError) as caught:
        secrets(folder).resolve(reference)
    return str(caught.value).replace(str(folder), "FOLDER")


@pytest.mark.parametrize("options", [(), ("-a",)], ids=["binary", "armoured"])
@pytest.mark.parametrize(
    "content", [f"press: '{CANARY}'\nmqtt: other\n", f'{{"press": "{CANARY}", "mqtt": "other"}}']
)
def test_what_age_encrypts_is_read_by_name(
    tmp_path: Path, recipient: str, options: tuple[str, ...], content: str
) -> None:
    encrypt(tmp_path / "s.age", content.encode(), recipient, *options)
    found = secrets(tmp_path)

    assert found.resolve("age:s.age#press").reveal() == CANARY
    assert found.resolve(f"age:{tmp_path}/s.age#mqtt").reveal() == "other"


def test_what_the_library_encrypts_is_read_by_age(tmp_path: Path, recipient: str) -> None:
    to = pyrage.x25519.Recipient.from_str(recipient)
    (tmp_path / "s.age").write_bytes(pyrage.encrypt(b"press: 'x: y'\n", [to]))

    assert decrypt(tmp_path / "s.age", tmp_path / "key") == b"press: 'x: y'\n"
    assert secrets(tmp_path).resolve("age:s.age#press").reveal() == "x: y"


def test_one_of_several_identities_is_enough(tmp_path: Path, recipient: str) -> None:
    keygen(tmp_path / "new")
    both = (tmp_path / "new").read_text() + (tmp_path / "key").read_text()
    (tmp_path / "key").write_text(both)
    encrypt(tmp_path / "s.age", b"press: abc", recipient)

    assert secrets(tmp_path).resolve("age:s.age#press").reveal() == "abc"


@pytest.mark.case("A08")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_an_identity_that_others_may_read_or_change_is_refused_with_its_path(
    tmp_path: Path, recipient: str, mode: int
) -> None:
    encrypt(tmp_path / "s.age", b"press: abc", recipient)
    (tmp_path / "key").chmod(mode)

    told = refusal(tmp_path)
    assert "identity FOLDER/key: is open to others (mode 0" in told
    assert "make it 0600" in told


def test_what_can_not_be_had_is_told_and_holds_nothing_of_the_file(
    tmp_path: Path, recipient: str
) -> None:
    def told(content: bytes, reference: str = "age:s.age#press") -> str:
        encrypt(tmp_path / "s.age", content, recipient)
        return refusal(tmp_path, reference)

    head = "secret age:s.age#press: "
    assert told(b"mqtt: abc") == f"{head}not there"
    assert told(b"press: ''") == f"{head}is empty"
    assert (
        told(b"press: 12345678")
        == f"{head}holds no plain names and texts (line 1): put the value in quotes"
    )
    assert (
        told(b"a: b\npress: [hunter2]")
        == f"{head}holds no plain names and texts (line 2): put the value in quotes"
    )
    assert (
        told(b"press: hunter2\npress: hunter3") == f"{head}holds no plain names and texts (line 2)"
    )
    assert told(b"- hunter2") == f"{head}holds no plain names and texts"
    assert told(b"hunter2: [") == f"{head}holds no plain names and texts (line 1)"
    assert "holds no plain" in told(b"press: \xff\xfe")

    (tmp_path / "s.age").write_bytes(b"press: hunter2\n")
    assert refusal(tmp_path).startswith(
        f"{head}is damaged, or locked for another key than FOLDER/key"
    )
    other = keygen(tmp_path / "other")
    encrypt(tmp_path / "s.age", b"press: abc", other)
    assert refusal(tmp_path).startswith(
        f"{head}is damaged, or locked for another key than FOLDER/key"
    )
    (tmp_path / "key").write_text("hunter2")
    assert refusal(tmp_path) == f"{head}identity FOLDER/key: holds no key of age-keygen"
    (tmp_path / "key").unlink()
    assert refusal(tmp_path) == f"{head}identity FOLDER/key: No such file or directory"
    with pytest.raises(SecretError, match=r"needs `secrets: \{identity: FILE\}`"):
        Secrets(tmp_path, {}).resolve("age:s.age#press")


def test_the_file_says_where_the_identity_lies() -> None:
    found = parse(
        b"bedplate: 1\nname: x\nsecrets: {identity: /etc/bedplate/age.key}\n", "f", Path(), _none
    )

    assert found.secrets.identity == "/etc/bedplate/age.key"
    with pytest.raises(ConfigError, match="identity"):
        parse(b"bedplate: 1\nname: x\nsecrets: {}\n", "f", Path(), _none)


def _none(use: str) -> None:
    return None
