"""`bedplate new`: every package is made in an author's environment, installed, and its own tests pass at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.new.environment import Environment

from bedplate.cli.new import new
from bedplate.errors import BedplateError
from bedplate.new import Wanted, make
from bedplate.new.making import name_problem

TEMPLATES = Path(__file__).parents[2] / "core" / "bedplate" / "new" / "templates"
PYTHON = ("connector", "analytic", "security", "app")


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("author"))


@pytest.mark.parametrize("kind", PYTHON)
def test_a_new_package_is_installed_and_its_tests_pass_at_once(
    author: Environment, tmp_path: Path, kind: str
) -> None:
    author.bedplate(tmp_path, "new", kind, f"acme-{kind}", "--folder", "package")
    package = tmp_path / "package"
    author.install("-e", package)
    said = author.run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert re.search(r"\d+ passed", said)
    assert not [f for f in package.rglob("*") if re.search(r"my.?thing", f.name, re.I)]
    for file in package.rglob("*"):
        if file.is_file() and file.suffix not in (".pyc", ".png"):
            assert not re.search(r"my.?thing", file.read_text(), re.I), file
    if kind != "app":
        assert "admissible" in author.bedplate(package, "plugins", f"acme-{kind}")


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*")), ids=lambda f: f.name)
def test_every_file_of_a_template_is_short_enough_to_be_read(file: Path) -> None:
    assert not file.is_file() or file.suffix == ".pyc" or len(file.read_bytes().splitlines()) < 180


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
