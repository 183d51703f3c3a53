"""docs/examples/shiftlock as a stranger has it: installed from its folder beside the wheel of Bedplate.

Its own tests run a deployment in which one machine is inside a shift and one is not.
"""

from __future__ import annotations

import hashlib
import re
import runpy
import shutil
from pathlib import Path

import pytest
from tests.docs.scale import EXAMPLES
from tests.new.environment import Environment

from bedplate import Credential


def test_the_badges_of_the_page_know_who_has_one_and_nobody_else() -> None:
    module = runpy.run_path(str(EXAMPLES / "badges.py"))["Badges"]()
    line = f"{hashlib.sha256(b'of anna').hexdigest()} anna viewer operator\n\n"
    module.config = module.Config(known="badges.txt")
    module.files = {"badges.txt": line.encode()}
    module.open()
    anna = module.authenticate(Credential(token="of anna"))

    assert (anna.id, anna.roles, anna.method) == ("anna", ("viewer", "operator"), "token")
    assert len(anna.credential) == 16
    assert module.authenticate(Credential(token="of otto")) is None
    assert module.authenticate(Credential(name="anna", password="of anna")) is None


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    author = Environment(tmp_path_factory.mktemp("author"))
    author.install("-e", package(author))
    return author


def package(author: Environment) -> Path:
    """A copy, so that nothing is left beside the example."""
    copy = author.folder / "bedplate-shiftlock"
    if not copy.exists():
        shutil.copytree(EXAMPLES / "shiftlock", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_its_own_tests_pass_in_a_deployment_too(author: Environment) -> None:
    said = author.run(package(author), "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert re.search(r"\b[2-9]\d passed", said)
    assert "skipped" not in said


def test_it_keeps_the_contract(author: Environment) -> None:
    assert "Grade: Basic" in author.bedplate(package(author), "conformance", ".")
