"""`bedplate new`: every package is made in an author's environment, installed, and its own tests pass at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.languages.examples import MODULES, NODE_NEEDS, closure, go_version, missing
from tests.new.environment import Environment, run

from bedplate.cli.new import new
from bedplate.errors import BedplateError
from bedplate.new import KINDS, LANGUAGES, Wanted, make
from bedplate.new.making import name_problem

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "core" / "bedplate" / "new" / "templates"


ALL = """
from pathlib import Path
from bedplate.new import KINDS, LANGUAGES, Wanted, make
for language in LANGUAGES:
    for kind in KINDS:
        make(Wanted(kind, f"{language}-{kind}", language), Path(language, kind))
"""


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """With a package of each kind in each language, made by its own wheel; those in Python are installed."""
    folder = tmp_path_factory.mktemp("author")
    author = Environment(folder)
    author.run(folder, "-c", ALL)
    packages = [folder / "python" / kind for kind in KINDS]
    author.install(*(word for package in packages for word in ("-e", package)))
    return author


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_name_of_the_template_is_left(
    author: Environment, language: str, kind: str
) -> None:
    for file in (author.folder / language / kind).rglob("*"):
        assert not re.search(r"my.?thing", file.name, re.I)
        text = "" if file.is_dir() or file.suffix == ".pyc" else file.read_text()
        assert not re.search(r"my.?thing", text, re.I), file


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_installed_and_its_tests_pass_at_once(
    author: Environment, kind: str
) -> None:
    package = author.folder / "python" / kind
    said = author.run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert re.search(r"\d+ passed", said)
    if kind != "app":
        assert "admissible" in author.bedplate(package, "plugins", f"python-{kind}")


@pytest.fixture(scope="module")
def node(author: Environment) -> Path:
    """Packages in Node with what npm would have installed; that of a connector, which is confined, in its folder."""
    if not shutil.which("node") or not all((MODULES / need).exists() for need in NODE_NEEDS):
        missing("grpc-js is not installed; run .make/peers")
    folder = author.folder / "node"
    for module in sorted(closure(NODE_NEEDS)):
        for into in (folder, folder / "connector"):
            shutil.copytree(MODULES / module, into / "node_modules" / module, dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_in_node_passes_its_tests_and_is_one_for_bedplate(
    author: Environment, node: Path, kind: str
) -> None:
    package = node / kind
    said = run(["node", "--test"], package, author.environ)

    assert re.search(r"(# pass|ℹ pass) [1-9]", said)
    assert re.search(r"(# skipped|ℹ skipped) 0", said)
    judge(author, package, kind, ["node", "sim.js", "0"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_in_go_passes_its_tests_and_is_one_for_bedplate(
    author: Environment, kind: str
) -> None:
    if not shutil.which("go") or go_version() < (1, 24) or not shutil.which("make"):
        pytest.skip("no Go 1.24 or newer here")
    package = author.folder / "go" / kind
    words = ["go", "test", "-v", "."]
    done = subprocess.run(
        words, cwd=package, env=author.environ, capture_output=True, text=True, check=False
    )
    if "proxy" in done.stderr or "dial tcp" in done.stderr:
        pytest.skip("its modules can't be had here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--- PASS" in done.stdout
    assert "--- SKIP" not in done.stdout
    if kind != "app":
        run(["make", "-s"], package)
    judge(author, package, kind, ["go", "run", "./cmd/sim", "0"])


def judge(author: Environment, package: Path, kind: str, machine: list[str]) -> None:
    """A connector is read from its simulator; the kit has been seen to pass it, and takes too long here."""
    if kind == "connector":
        assert_read(author, package, machine, f"{package.parent.name}-{kind}")
    elif kind != "app":
        assert "Grade: Full" in author.bedplate(package, "conformance", ".")


def test_the_go_code_of_the_contract_is_what_the_protos_say() -> None:
    """Every field of the protos is named in what the templates bring. Not of the API: a client may be older."""
    shipped = {
        area: "".join(f.read_text() for f in (TEMPLATES / "go/pb" / area).glob("*.go"))
        for area in ("record", "plugin", "connector", "analytic", "security")
    }
    for area, code in shipped.items():
        proto = (ROOT / "protos" / "bedplate" / area / "v1" / f"{area}.proto").read_text()
        fields = re.findall(r"^\s+(?:repeated |optional )?[\w.]+ (\w+) = (\d+)[;\s\[]", proto, re.M)
        enums = re.findall(r"^\s+([A-Z][A-Z0-9_]+) = (\d+)", proto, re.M)
        assert len(fields) > 10
        lost = [n for n, number in fields if f"name={n}" not in code and n not in dict(enums)]
        assert not lost, f"{area}: make pb again in a new package: {lost}"


def assert_read(author: Environment, package: Path, machine: list[str], use: str) -> None:
    """The plugin folder is a plugin: read as an operator would, from its simulator."""
    with subprocess.Popen(
        machine, cwd=package, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout
            port = re.findall(r"port (\d+)", process.stdout.readline())[0]
            at = ["host=127.0.0.1", f"port={port}", "temperature", "colour", "--json"]
            rows = json.loads(author.bedplate(package, "read", "--plugin", ".", use, *at))
        finally:
            os.killpg(process.pid, signal.SIGKILL)

    assert [(row["quality"], row["reason"]) for row in rows] == [
        ("Good", ""),
        ("BadDeviceFailure", "no such value"),
    ]


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*")), ids=lambda f: f.name)
def test_every_file_of_a_template_is_short_enough_to_be_read(file: Path) -> None:
    made = file.is_dir() or file.suffix in (".pyc", ".sum") or "pb" in file.parts
    assert made or len(file.read_bytes().splitlines()) < 180


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("HelixTwo", "write helix-two"),
        ("acme_press", "write acme-press"),
        ("7-zip", "write zip"),
        ("a--b", "write a-b"),
        ("", "such as acme-press"),
        ("../etc", "write etc"),
        ("tests", "acme-tests"),
        ("a" * 60, "at most 40"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_with_one_that_can(name: str, hint: str) -> None:
    assert hint in name_problem(Wanted("connector", name))


def test_an_app_does_not_take_the_name_of_a_module_of_python(tmp_path: Path) -> None:
    with pytest.raises(BedplateError, match="means something already"):
        make(Wanted("app", "csv"), tmp_path / "csv")
    assert not name_problem(Wanted("connector", "csv")), "a plugin's module is bedplate_csv"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BedplateError, match="is there already"):
        make(Wanted("connector", "acme"), tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["mine.txt"]


def test_a_name_that_an_installed_plugin_offers_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(new, ["connector", "modbus"])

    assert not list(tmp_path.iterdir())
    assert "offered by bedplate-modbus" in str(done.exception)
