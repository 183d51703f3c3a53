"""Our own plugins under the kit, as a stranger's: with their own conformance.toml, in every placement that applies.

The patient checks are cut short; `bedplate conformance plugins/modbus --level full` takes the time they need.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from bedplate.testing.conformance.catalogue import catalogue
from bedplate.testing.conformance.certificates import can_make
from bedplate.testing.conformance.examination import Wish, examine
from bedplate.testing.conformance.profile import Profile, read_profile
from bedplate.testing.conformance.subject import Subject
from bedplate.testing.conformance.target import config_beside, subjects
from bedplate.testing.conformance.verdict import Report
from bedplate.testing.runs import Program

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "tests/peers/node_modules"
EVERYWHERE = ("process", "inline", "remote")
PATIENT = ("Ending", "What it takes and touches", "Chaos")  # tens of seconds a plugin


async def judged(target: str, *placements: str, without: tuple[str, ...] = ()) -> Report:
    """The report on the one offer of a plugin, without these groups of checks."""
    (subject,) = subjects(str(ROOT / target))
    file = config_beside(str(ROOT / target))
    assert file
    profile = read_profile(file).model_copy(update={"failed_connects": 50, "cycles": 10})
    only = tuple(one.id for group, one in catalogue() if group not in without) if without else ()
    heard: list[Any] = []
    return await examine(subject, profile, Wish(placements, only, file.parent), heard.append)


def lacking(report: Report) -> dict[str, str]:
    return {v.check.id: v.evidence for v in report.of("failed", "not run")}


@pytest.mark.timeout(300)
async def test_alarms_are_full_in_every_placement() -> None:
    if not can_make() and not os.environ.get("CI"):
        pytest.skip("the command openssl is not installed")
    report = await judged("plugins/alarms", *EVERYWHERE)

    assert lacking(report) == {}
    assert report.placements == EVERYWHERE
    assert report.grade == "Full"


@pytest.mark.timeout(300)
async def test_who_may_come_in_is_decided_alike_in_every_placement() -> None:
    if not can_make() and not os.environ.get("CI"):
        pytest.skip("the command openssl is not installed")
    report = await judged("plugins/access", *EVERYWHERE, without=PATIENT)

    assert lacking(report) == {}
    assert report.placements == EVERYWHERE


@pytest.mark.timeout(300)
@pytest.mark.parametrize("plugin", ["oee", "history", "simline"])
async def test_a_plugin_without_a_network_lacks_nothing(plugin: str) -> None:
    assert lacking(await judged(f"plugins/{plugin}", "inline")) == {}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", ["plugins/modbus", "plugins/opcua"])
async def test_a_connector_to_a_device_lacks_nothing(target: str) -> None:
    assert lacking(await judged(target, "process", without=PATIENT)) == {}


PEERS = {
    "plugins/s7": "tests/peers/node_modules/node-snap7/build/Release/node_snap7.node",
    "plugins/ethernetip": "tests/peers/.venv/bin/python",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", PEERS)
async def test_a_driver_that_was_ported_lacks_nothing(target: str) -> None:
    """Its simulator is a peer: somebody else's implementation."""
    if not (ROOT / PEERS[target]).exists():
        missing("the simulator is not installed; run .make/peers")
    assert lacking(await judged(target, "process", without=PATIENT)) == {}


@pytest.mark.timeout(300)
async def test_the_scale_of_the_tutorial_takes_garbage_for_a_bug_of_its_own() -> None:
    """It stays as short as it is; the price is told, and it is a SHOULD."""
    assert set(lacking(await judged("docs/examples/scale.py", "inline"))) == {"CON-086"}


def missing(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def node_command() -> list[str]:
    node = shutil.which("node")
    if not node or not all((MODULES / name).exists() for name in ("@grpc/grpc-js", "protobufjs")):
        missing("grpc-js or protobufjs is not installed; run .make/peers")
    assert node
    return [node, str(ROOT / "tests/contract/plugin.js"), str(ROOT / "protos"), str(MODULES)]


@pytest.mark.timeout(300)
async def test_a_plugin_in_javascript_that_knows_only_the_contract_is_full() -> None:
    subject = Subject(
        use="values",
        kind="connector",
        program=Program(node_command(), "connector"),
        capabilities=("read",),
        plugin="stranger",
        version="1",
        settings={"type": "object", "properties": {"how": {"type": "string"}}},
    )
    profile = Profile.model_validate(
        {
            "network": False,
            "cycles": 10,
            "invalid": [{"settings": {"how": "wrong"}, "pointer": "/how"}],
            "tags": {
                "a": {"address": "1.5", "value": 1.5},
                "b": {"address": "-2", "value": -2.0},
                "none": {"address": "missing", "missing": True},
            },
        }
    )
    report = await examine(subject, profile, Wish(), lambda verdict: None)

    assert lacking(report) == {}
    assert report.grade == "Full"
