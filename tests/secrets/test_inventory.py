"""What the inventory says is what is loaded, in the kernel and beside it; and the bill of materials of a release names
all of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from bedplate.bundle import sbom
from bedplate.bundle.contents import Wheel

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("inventory_program.py")
PLANT = """
bedplate: 1
name: counted
connectors:
  line: {use: simline, placement: inline, tags: {speed: {address: filler.speed}}}
  store: {use: history, deliver: ["**"], folder: history}
analytics:
  limits: {use: alarms, for: line, limits: {fast: {tag: speed, high: 1000000}}}
"""
OURS = re.compile(r"bedplate_\w+")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("plant")
    (folder / "plant.yaml").write_text(PLANT)
    environ = os.environ | {"BEDPLATE_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, PROGRAM, folder / "plant.yaml"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


@pytest.mark.case("A49")
def test_what_is_admitted_is_what_the_deployment_names_and_nothing_else_is_loaded(
    told: dict[str, Any],
) -> None:
    loaded = {name.replace("_", "-") for name in told["modules"] if OURS.fullmatch(name)}

    assert loaded == {*told["inline"]} == {"bedplate-simline"}
    assert {*told["admitted"]} == {"bedplate-simline", "bedplate-history", "bedplate-alarms"}
    assert {*told["others"]} >= {"bedplate-modbus", "bedplate-opcua"}, "installed, and not loaded"


@pytest.mark.case("A49")
def test_the_processes_beside_the_kernel_are_those_of_the_inventory(told: dict[str, Any]) -> None:
    kernels_own = {pid for pid, line in told["children"].items() if "warden" in line}

    assert len(kernels_own) == 1
    assert {*told["children"]} - kernels_own == {*told["processes"]}
    assert {*told["processes"].values()} == {"bedplate-history", "bedplate-alarms"}


@pytest.mark.case("A49")
def test_the_bill_of_materials_of_a_release_names_every_library_that_is_loaded(
    told: dict[str, Any],
) -> None:
    """Made as for the bundle of a platform, of what is installed here."""
    whole = sbom.of_wheels(
        "bedplate", "0", dict.fromkeys(closure([*told["admitted"], "bedplate"]), "")
    )
    document = json.loads(whole)
    named = {part["name"] for part in (document["metadata"]["component"], *document["components"])}
    known = {name: told["distributions"].get(name, ()) for name in told["modules"]}
    loaded = {name: {*map(canonicalize_name, of)} for name, of in known.items() if of}
    loaded |= {name: {name.replace("_", "-")} for name in known if OURS.fullmatch(name)}
    loaded.pop(
        "_distutils_hack", None
    )  # of setuptools, by a .pth of this environment: A22 looks at those

    assert {name for name, of in loaded.items() if not of & named} == set()
    assert len(loaded) > 10
    assert {
        part["version"] for part in document["components"] if part["name"] == "bedplate-history"
    } == {told["admitted"]["bedplate-history"]}


def closure(names: list[str]) -> list[Wheel]:
    """Distributions with all that they need, as their wheels say it."""
    found: dict[str, Wheel] = {}
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            one: Distribution = distribution(name)
        except PackageNotFoundError:
            continue
        found[name] = Wheel(f"{name}.whl", name, one.version, "", tuple(one.requires or ()))
        waiting += sbom._needed(found[name])
    return [*found.values()]
