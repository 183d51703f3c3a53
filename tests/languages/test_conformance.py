"""The examples in JavaScript and Go pass the conformance kit at Basic; all at once, since it mostly waits."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.languages.examples import EXAMPLES

BEDPLATE = Path(sys.executable).with_name("bedplate")
PLUGINS = ["node-connector", "node-analytic", "go-connector", "go-security"]
ELSEWHERE = "node-connector"  # can dial with certificates
FEW = ("PLG-007", "PLG-011", "CON-084")  # checks of it in the placement remote
SHORTER = "failed_connects = 100\ncycles = 10\n"  # than for an author, who has the time
Running = dict[str, "subprocess.Popen[str]"]


def started(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def kits(
    made: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A run of the kit for each example that can be made here."""
    running: Running = {}
    with ThreadPoolExecutor() as pool:
        folders = {example: pool.submit(made, example) for example in PLUGINS}
    for example in PLUGINS:
        try:
            folder = folders[example].result()
        except pytest.skip.Exception:
            continue
        shutil.copy(EXAMPLES / "helix_sim.py", folder.parent)
        profile = tmp_path_factory.mktemp(example) / "conformance.toml"
        simulator = str(folder.parent / "helix_sim.py")
        said = (folder / "conformance.toml").read_text().replace("../helix_sim.py", simulator)
        profile.write_text(SHORTER + said)
        words = [str(BEDPLATE), "conformance", str(folder), "--config", str(profile)]
        running[example] = started(words)
        if example == ELSEWHERE:
            running["remote"] = started(
                [*words, "--placement", "remote", *(f"--only={one}" for one in FEW)]
            )
    yield running
    for process in running.values():
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.mark.usefixtures("kits")  # which run meanwhile
@pytest.mark.timeout(400)  # the first build on a machine takes minutes
def test_the_tests_of_an_example_in_go_pass(made: Callable[[str], Path]) -> None:
    folder = made("go-security")
    done = subprocess.run(
        ["go", "test", "./..."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("example", PLUGINS)
def test_an_example_passes_the_conformance_kit(
    kits: Running, made: Callable[[str], Path], example: str
) -> None:
    made(example)  # skips what can't be made here
    told, _ = kits[example].communicate()

    assert kits[example].returncode == 0, told


def test_the_kit_tries_a_program_that_dials_with_certificates_in_the_placement_remote(
    kits: Running, made: Callable[[str], Path]
) -> None:
    made(ELSEWHERE)
    told, _ = kits["remote"].communicate()

    assert kits["remote"].returncode == 0, told
    assert "3 passed in remote" in told
