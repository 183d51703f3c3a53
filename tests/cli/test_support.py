"""`bedplate support`: what is in the file, and that no secret is, wherever it stands and whoever printed it."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bedplate.cli.redaction import Redactor, secret_names
from bedplate.testing import running, until
from bedplate.testing.deployed import COMMAND

IN_FILE, IN_ENV, INLINE, IN_URL, IN_COMMENT = (
    *("canary-file-1'\"x", "canary env/2%", "canary-inline-3", "canary-url-4", "canary-comment-5"),
)
CANARIES = (IN_FILE, IN_ENV, INLINE, IN_URL, IN_COMMENT)
PLUGIN = '''
import base64, sys
from urllib.parse import quote
from bedplate import Connector
from pydantic import BaseModel, SecretStr

class Talkative(Connector):
    """Prints what it must not."""

    class Config(BaseModel):
        one: SecretStr
        two: SecretStr
        url: str
        pin_code: str

    def open(self):
        for secret in (self.config.one, self.config.two):
            value = secret.get_secret_value()
            print("log", value, repr(value), quote(value), base64.b64encode(value.encode()))
            raise_later = value
        print("connecting to", self.config.url, "with", self.config.pin_code, file=sys.stderr)
        raise OSError("login failed with " + raise_later)
'''
PLANT = f"""
bedplate: 1
name: plant   # the password is {IN_COMMENT}
connectors:
  machine:
    use: talkative
    one: {{secret: "file:one.txt"}}
    two: {{secret: "env:CANARY"}}
    url: opc.tcp://10.0.0.1:4840/path
    pin_code: {INLINE}
"""


def everything(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def support(folder: Path, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "support", "-o", str(folder / "out.zip"), *words],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "one.txt").touch(0o600)
    (tmp_path / "one.txt").write_text(f"{IN_FILE}\n")
    (tmp_path / "talkative.py").write_text(PLUGIN)
    (tmp_path / "plant.yaml").write_text(PLANT)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.case("A48")
def test_no_secret_of_a_running_plant_is_in_the_file(
    plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as only_the_kernels:
        only_the_kernels.setenv("CANARY", IN_ENV)
        context = running(plant / "plant.yaml", plant / "talkative.py")
        bedplate = context.__enter__()
    try:
        with bedplate.client() as client:
            until(lambda: client.status().components[0].state == "unreachable")
        changed = PLANT.replace("//10", f"//me:{IN_URL}@10")  # `run` refuses it, but files change
        (plant / "plant.yaml").write_text(changed)
        environ = {k: v for k, v in bedplate.environ.items() if k != "CANARY"}
        done = support(plant, environ)
        token = _token(environ)
    finally:
        context.__exit__(None, None, None)
    parts = everything(plant / "out.zip")
    whole = b"\n".join(parts.values())

    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in parts), "what is inside is shown"
    assert b"log" in parts["output.txt"], "what plugins printed is there"
    assert b"unreachable" in parts["status.json"]
    assert b'"appended"' in parts["status.json"]
    assert b"machine.url" in parts["check.txt"], "judged by the plugin that `run` was given"
    assert b"talkative" in parts["plugins.json"]
    assert b"file:one.txt" in parts["deployment.yaml"], "references stay"
    for secret in (*CANARIES, token):
        assert secret.encode() not in whole, secret
        assert base64.b64encode(secret.encode()).rstrip(b"=") not in whole, secret
        assert json.dumps(secret)[1:-1].encode() not in whole, secret
    assert b"canary" not in whole, whole[max(0, whole.index(b"canary") - 200) :][:400]
    assert stat.S_IMODE((plant / "out.zip").stat().st_mode) == 0o600


def _token(environ: dict[str, str]) -> str:
    (file,) = Path(environ["BEDPLATE_HOME"]).glob("endpoints/*.json")
    return str(json.loads(file.read_text())["token"])


def test_a_deployment_that_is_no_yaml_is_left_out_and_says_nothing_of_its_secrets(
    plant: Path,
) -> None:
    broken = f"name: x\nconnectors: {{a: {{password: {INLINE}\n  key: 'canary-broken-6'\n"
    (plant / "broken.yaml").write_text(broken)
    environ = os.environ | {"BEDPLATE_HOME": str(plant / "home")}
    done = support(plant, environ, "broken.yaml")
    parts = everything(plant / "out.zip")

    assert done.returncode == 0, done.stderr
    assert b"left out" in parts["deployment.yaml"]
    assert b"canary" not in b"\n".join(parts.values())


def test_nothing_is_written_when_only_the_list_is_wanted_or_the_file_is_there(plant: Path) -> None:
    environ = os.environ | {"BEDPLATE_HOME": str(plant / "home")}
    assert support(plant, environ, "--list", "plant.yaml").returncode == 0
    assert not (plant / "out.zip").exists()

    (plant / "out.zip").write_text("mine")
    done = support(plant, environ, "plant.yaml")
    assert (done.returncode, "is there already" in done.stderr) == (2, True)
    assert (plant / "out.zip").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("password=hunter22", "hunter22"),
        ('"api_key": "abc def"', "abc def"),
        ("Authorization: Bearer eyJhbGciOi.x.y", "eyJhbGciOi.x.y"),
        ("amqp://me:hunter22@broker:5672", "hunter22"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "MIIE"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_though_nobody_knows_it(text: str, gone: str) -> None:
    assert gone not in Redactor().text(f"before {text} after\nnext")
    assert "before" in Redactor().text(f"before {text}")


def test_a_reference_to_a_secret_is_none() -> None:
    assert Redactor().text('secret: "file:one.txt"') == 'secret: "file:one.txt"'


def test_settings_that_are_secret_by_their_type_are_known_by_any_name() -> None:
    schema: Any = {"properties": {"pelican": {"writeOnly": True}, "host": {"type": "string"}}}
    redactor = Redactor(secret_names(schema))

    assert redactor.tree({"pelican": "x1y2z3", "host": "h"}, lambda _: None) == {
        "pelican": "***",
        "host": "h",
    }
    assert redactor.text("said x1y2z3") == "said ***"
