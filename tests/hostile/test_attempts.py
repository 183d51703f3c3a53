"""A hostile plugin per claim (A50 and others): at L2 and L3 it gets nowhere, unconfined it would."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.hostile.house import house, machine_with, targets, unconfined
from tests.runtime.plant import until, value

from bedplate.isolation import Level, this_machine

READS = ("A50", "reads what is not its own")
WRITES = ("A50", "writes where it may not")
NETWORK = ("A50", "reaches whom it may not")
KERNEL = ("A50", "harms the kernel")
MACHINE = ("A50", "takes more than its share")
CLAIMS: dict[str, tuple[str, str]] = {
    "read /etc/shadow": READS,
    "read /etc/passwd": READS,
    "read the kernel's token": READS,
    "read the kernel's journal": READS,
    "read another plugin's folder": READS,
    "read by a link": READS,
    "find the sockets of others": READS,
    "find the sockets of others by a thread": READS,
    "find the sockets of others by the machine": READS,
    "read the kernel's environment": READS,
    "read the kernel's memory": READS,
    "write outside": WRITES,
    "write to /tmp": WRITES,
    "write to its own code": WRITES,
    "fill the disk by one file": MACHINE,
    "fill the disk by many files": MACHINE,
    "connect to an undeclared port": NETWORK,
    "connect by TCP fast open": NETWORK,
    "connect by MPTCP": NETWORK,
    "send by UDP": NETWORK,
    "make a raw socket": NETWORK,
    "make a packet socket": NETWORK,
    "make a netlink socket": NETWORK,
    "listen on TCP": NETWORK,
    "listen on UDP": NETWORK,
    "reach an abstract socket": NETWORK,
    "reach another program's socket": NETWORK,
    "start a program": MACHINE,
    "start a program by the loader": MACHINE,
    "fork": MACHINE,
    "kill the kernel": KERNEL,
    "stop the kernel's group": KERNEL,
    "trace the kernel": KERNEL,
    "look into the kernel's memory": KERNEL,
    "take the kernel's files": KERNEL,
    "change the kernel's limits": KERNEL,
    "slow the kernel down": KERNEL,
    "make an io_uring": KERNEL,
    "make a namespace": KERNEL,
    "type into a terminal": KERNEL,
    "allocate 4 GiB": MACHINE,
    "open 10,000 files": MACHINE,
}
NEEDS_ROOT = {"read /etc/shadow", "make a raw socket", "make a packet socket"}
ONLY_L3 = {"reach another program's socket"}
SINCE_SCOPES = {"reach an abstract socket", "kill the kernel", "stop the kernel's group"}
SINCE_PORTS = {"connect to an undeclared port"}
# where the temporary folder is a file system of its own; the plugin may write files elsewhere
LIMITED_ONCE_MOUNTED = {"fill the disk by one file", "fill the disk by many files"}
ALLOWED = (
    "connect to its own port",
    "write to its own folder",
    "have a temporary file",
    "start threads",
)


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A BEDPLATE_HOME with a token, and everything that attempts are made on."""
    folder = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch, targets_in(folder, patch) as at:
        yield at


def targets_in(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    home = folder / "home"
    home.mkdir()
    (home / "token").write_text("the kernel's")
    patch.setenv("BEDPLATE_HOME", str(home))
    patch.setenv("SECRET_OF_THE_KERNEL", "known")
    return targets(folder, home / "token")


@pytest.fixture(scope="module")
def control(surroundings: dict[str, Any]) -> dict[str, str]:
    return unconfined(surroundings)


@pytest.fixture(scope="module", params=[Level.L2, Level.L3])
def confined(
    request: pytest.FixtureRequest,
    surroundings: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Level, dict[str, str]]:
    """What became of every attempt within a real kernel, at one level."""
    level: Level = request.param
    machine_with(level)
    folder = tmp_path_factory.mktemp("kernel")
    return level, asyncio.run(_tried(folder, surroundings, level))


async def _tried(folder: Path, at: dict[str, Any], level: Level) -> dict[str, str]:
    settings = {"at": at, "port": at["declared"], "folder": at["folder"]}
    component = {"use": "hostile", **settings, "tags": {"told": {}}}
    async with house(folder, {"hostile": component}, level) as kernel:
        told = await until(lambda: value(kernel, "hostile/told"), within=40)
        place = next(iter(kernel.places.values()))

        assert place.level == level
        assert place.restarts == 0
        return json.loads(told)


@pytest.mark.parametrize("attempt", CLAIMS)
@pytest.mark.case("A50")
def test_an_attempt_gets_nowhere_where_it_would_without_confinement(
    attempt: str, confined: tuple[Level, dict[str, str]], control: dict[str, str]
) -> None:
    """A50: each claim, with the attempt unconfined as the control."""
    level, outcome = confined
    _can_fail_here(attempt, level)
    if control[attempt] != "done":
        pytest.skip(
            f"NOT SHOWN HERE: unconfined, to {attempt} ends with {control[attempt]} as well"
        )

    assert outcome[attempt] not in ("done", "ETIMEDOUT", "ECONNREFUSED")


def _can_fail_here(attempt: str, level: Level) -> None:
    """Skips what this level or this Linux does not claim."""
    machine = this_machine()
    if attempt in ONLY_L3 and level < Level.L3:
        pytest.skip("claimed at L3 only; `plugins show` says so")
    if attempt in LIMITED_ONCE_MOUNTED and level < Level.L3 and not machine.mounts:
        pytest.skip("claimed at L3 and for root only")
    least = 6 if attempt in SINCE_SCOPES else 4 if attempt in SINCE_PORTS else 1
    if machine.landlock < least:
        pytest.skip(f"NOT CLAIMED HERE: Landlock {machine.landlock}, needs {least}")


@pytest.mark.parametrize("attempt", ALLOWED)
def test_what_was_declared_works(attempt: str, confined: tuple[Level, dict[str, str]]) -> None:
    """The other half of the claim: a profile that forbids everything would pass the rest."""
    assert confined[1][attempt] == "done"


@pytest.mark.case("A48", "A50")
def test_the_kernels_environment_is_not_inherited(
    confined: tuple[Level, dict[str, str]], control: dict[str, str]
) -> None:
    """A50: secrets that are given by environment."""
    assert control["environment"] == "known"
    assert confined[1]["environment"] == ""


def test_every_attempt_is_a_claim(control: dict[str, str]) -> None:
    assert set(control) == {*CLAIMS, *ALLOWED, "environment"}
    assert os.environ["SECRET_OF_THE_KERNEL"] == "known"
