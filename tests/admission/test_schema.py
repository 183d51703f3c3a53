"""config.schema.json: written by the author's tool, read by `check`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from tests.admission.site import Site, manifest

from bedplate.admission.describing import describe
from bedplate.admission.manifest import parse
from bedplate.contracts import Analytic, Connector, SecurityModule
from bedplate.errors import AdmissionError
from bedplate.settings import Duration, TagName

ROOT = Path(__file__).parents[2]
PLUGIN = """
from bedplate import Connector
from pydantic import BaseModel

class Acme(Connector):
    class Config(BaseModel):
        host: str
    def read(self, tags): ...
"""


class Press(Connector):
    """What a rich plugin has."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        host: str
        timeout: Duration = Field(1.5, description="How long to wait.")
        rest: Duration = 0.0
        password: SecretStr = SecretStr("")

    class TagSettings(BaseModel):
        data_type: str = "float32"

    Address = Annotated[int, Field(ge=0, le=65535)]

    def read(self, tags: list[object]) -> object: ...

    def write(self, tag: object, value: object) -> object: ...


class Oee(Analytic):
    class Config(BaseModel):
        state: TagName
        good: TagName | None = None
        label: str = ""


def test_a_connector_is_described_by_its_models_and_what_it_overrides() -> None:
    described = describe(Press)
    assert (described["kind"], described["capabilities"]) == ("connector", ["read", "write"])
    assert described["address"] == {"maximum": 65535, "minimum": 0, "type": "integer"}
    settings = described["settings"]["properties"]
    assert settings["password"]["writeOnly"] is True
    assert settings["timeout"]["x-bedplate-duration"] is True
    assert [settings[name]["default"] for name in ("timeout", "rest")] == ["1500ms", "0s"]
    assert described["tag"]["properties"]["data_type"]["default"] == "float32"
    json.dumps(described)


def test_an_analytic_names_the_settings_that_are_tags() -> None:
    described = describe(Oee)
    assert described["inputs"] == ["state", "good"]
    assert (described["capabilities"], described["tag"], described["address"]) == ([], {}, {})


def test_a_security_module_is_described_too() -> None:
    class Deny(SecurityModule):
        pass

    assert describe(Deny)["kind"] == "security"


@pytest.mark.parametrize("what", [Connector, int, 7])
def test_what_is_of_no_kind_is_refused(what: object) -> None:
    with pytest.raises(AdmissionError, match="is no Connector, Analytic or SecurityModule"):
        describe(what)


def run(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bedplate.admission.schema", *arguments],
        env=os.environ | {"PYTHONPATH": str(site.folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_tool_writes_the_file_and_says_when_it_is_stale(site: Site) -> None:
    package = site.install("acme-press", manifest=manifest(), code=PLUGIN)
    assert run(site, "--check", "acme_press").returncode == 1
    done = run(site, "acme_press")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((package / "config.schema.json").read_text())["offers"]["acme"][
        "capabilities"
    ] == ["read"]
    assert run(site, "--check", "acme_press").returncode == 0
    code = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text(code.replace("host: str", "host: str\n        port: int"))
    stale = run(site, "--check", "acme_press")
    assert stale.returncode == 1
    assert "config.schema.json is stale; make it again: " in stale.stderr


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (PLUGIN.replace("host: str", "path: str"), "setting `path` has the name of a kernel word"),
        (PLUGIN.replace("read", "browse"), "`acme` declares read, which its class does not have"),
        (PLUGIN.replace("class Acme", "class Acne"), "can't load acme_press:Acme"),
        (PLUGIN + "Acme = 7", "7 is no Connector, Analytic or SecurityModule"),
    ],
)
def test_the_tool_tells_its_author_what_admission_would_refuse(
    site: Site, code: str, words: str
) -> None:
    site.install("acme-press", manifest=manifest(), code=code)
    done = run(site, "acme_press")
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


OURS = sorted(path.parent.name for path in ROOT.glob("plugins/*/bedplate_*/bedplate-plugin.toml"))


@pytest.mark.parametrize("package", OURS)
def test_the_schemas_of_our_own_plugins_are_fresh(site: Site, package: str) -> None:
    done = run(site, "--check", package)
    assert done.returncode == 0, done.stderr


mutation = st.tuples(st.integers(0, 400), st.integers(0, 20), st.binary(max_size=12))


@given(st.lists(mutation, max_size=4))
@example([(0, 0, b"a = " + b"[" * 500)])
def test_no_damage_to_a_manifest_is_worse_than_a_refusal(
    mutations: list[tuple[int, int, bytes]],
) -> None:
    content = (manifest(offer='class = "a:B"') + "[permissions]\nnetwork = []\n").encode()
    for at, length, other in mutations:
        content = content[:at] + other + content[at + length :]
    problem = ""
    try:
        parse(content, "file")
    except AdmissionError as error:
        problem = str(error)
    assert not problem or problem.startswith("file: ")
    assert "\n" not in problem
