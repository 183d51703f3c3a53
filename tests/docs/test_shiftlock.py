"""docs/examples/shiftlock as a stranger has it: installed from its folder beside the wheel of Bedplate.

Its own tests run a deployment in which one machine is inside a shift and one is not.
"""

from __future__ import annotations

import hashlib
import re
import runpy
import shutil
from concurrent.futures import ThreadPoolExecutor
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


@pytest.fixture
def author(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def test_the_lock_keeps_its_own_promises_and_the_contract(
    author: Environment, tmp_path: Path
) -> None:
    package = tmp_path / "bedplate-shiftlock"  # so that nothing is left beside the example
    shutil.copytree(EXAMPLES / "shiftlock", package, ignore=shutil.ignore_patterns("__pycache__"))
    author.install("-e", package)
    with ThreadPoolExecutor() as both:  # they mostly wait
        tests = both.submit(author.run, package, "-m", "pytest", "-q", "-p", "no:cacheprovider")
        kit = both.submit(author.bedplate, package, "conformance", ".")

    assert re.search(r"\b[3-9]\d passed", tests.result())
    assert "skipped" not in tests.result()
    assert "Grade: Basic" in kit.result()
