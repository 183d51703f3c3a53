"""The same attempts where the kernel is root and the plugin gets a user of its own, and where nobody is root (A50)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic
import pytest
from tests.hostile.house import house, machine_with, targets
from tests.hostile.test_attempts import ALLOWED, CLAIMS, LIMITED_ONCE_MOUNTED, ONLY_L3
from tests.runtime.plant import state, until, value

import bedplate
from bedplate.isolation import Grant, Level, Wanted, confine, user
from bedplate.isolation.grants import Address
from bedplate.isolation.user import FIRST, SOCKETS

HOSTILE = Path(__file__).with_name("hostile.py")
PYTHON = "/usr/bin/python3"
NOBODY = 65534

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path(PYTHON).exists(),
    reason="NOT TESTED HERE: needs root and an interpreter that everybody can reach",
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are for this one alone."""
    with tempfile.TemporaryDirectory(prefix="bp-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "code").mkdir()
        (folder / "code" / "hostile.py").write_bytes(HOSTILE.read_bytes())
        (folder / "run").mkdir(mode=0o700)
        yield folder


def _wanted(folder: Path, at: dict[str, Any]) -> Wanted:
    grant = Grant(
        (Address("tcp", "127.0.0.1", at["declared"]),), (folder / "data",), memory=256 << 20
    )
    command = [PYTHON, "-I", "-S", str(folder / "code" / "hostile.py"), json.dumps(at)]
    return Wanted("house/hostile", grant, command, [folder / "code"], folder, folder / "run")


def _outcome(command: tuple[str, ...], folder: Path, **more: Any) -> dict[str, str]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
        start_new_session=True,
        **more,
    )

    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _judge(outcome: dict[str, str], but: set[str]) -> None:
    through = {name for name in CLAIMS if outcome[name] == "done"}

    assert through <= but
    assert {name: outcome[name] for name in ALLOWED} == dict.fromkeys(ALLOWED, "done")


@pytest.mark.parametrize("level", [Level.L2, Level.L3])
@pytest.mark.case("A50")
def test_a_plugin_of_a_root_kernel_has_a_user_of_its_own_and_its_own_folder(
    open_folder: Path, level: Level
) -> None:
    machine = machine_with(level)
    (open_folder / "targets").mkdir()
    token = open_folder / "targets" / "token"
    token.write_text("the kernel's")
    with targets(open_folder / "targets", token) as at:
        at["folder"] = str(open_folder / "data")
        confinement = confine(machine, level, _wanted(open_folder, at))
        outcome = _outcome(confinement.command, open_folder)

    _judge(outcome, set() if level is Level.L3 else ONLY_L3 - {"reach another program's socket"})
    assert confinement.level == level
    assert confinement.notes == ()
    assert FIRST <= (open_folder / "data").stat().st_uid < SOCKETS


@pytest.mark.case("A50")
def test_an_ordinary_user_confines_as_well(open_folder: Path) -> None:
    """No root, so no user of its own; what the system holds it to is the same."""
    machine = replace(machine_with(Level.L2), root=False, mounts=False)
    for name in ("targets", "data"):
        (open_folder / name).mkdir()
        os.chown(open_folder / name, NOBODY, NOBODY)
    token = open_folder / "targets" / "token"
    token.write_text("the kernel's")
    with targets(open_folder / "targets", token) as at:
        at["folder"] = str(open_folder / "data")
        command = confine(machine, Level.L2, _wanted(open_folder, at)).command
        assert command[0] == sys.executable
        for path in (open_folder / "run", *(open_folder / "run").iterdir()):
            os.chown(path, NOBODY, NOBODY)
        outcome = _outcome(
            (PYTHON, *command[1:]), open_folder, user=NOBODY, group=NOBODY, extra_groups=[]
        )

    _judge(outcome, ONLY_L3 | LIMITED_ONCE_MOUNTED)


def test_what_the_launcher_cannot_do_ends_it_with_one_sentence(open_folder: Path) -> None:
    """It never goes on with less than it was told: here without the right to change its user."""
    machine = machine_with(Level.L2)
    wanted = replace(_wanted(open_folder, {"declared": 1}), command=[PYTHON, "-c", "print('ran')"])
    command = confine(machine, Level.L2, wanted).command
    done = subprocess.run(
        (PYTHON, *command[1:]), capture_output=True, text=True, timeout=60, check=False,
        user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
    )  # fmt: skip

    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr.startswith("can't be confined: ")
    assert done.stderr.count("\n") == 1


async def test_a_kernel_of_root_starts_reaches_and_ends_a_plugin_with_a_user_of_its_own(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its socket, its signals and its stop, over the border between two users."""
    same = f"Python {sys.version_info.major}.{sys.version_info.minor}."
    found = subprocess.run(
        [PYTHON, "--version"], capture_output=True, text=True, check=False
    ).stdout
    if not found.startswith(same) or not _everybody_reads(Path(bedplate.__file__)):
        pytest.skip(
            f"NOT TESTED HERE: {PYTHON} is {found.strip()}, or Bedplate lies where others can't read"
        )
    machine_with(Level.L2)
    (open_folder / "home").mkdir()
    monkeypatch.setenv("BEDPLATE_HOME", str(open_folder / "home"))
    files = {"use": "hostile", "folder": str(open_folder / "mine"), "tags": {"told": {}}}
    async with house(open_folder, {"one": files}, Level.L2, environment=_environment) as kernel:
        await until(lambda: value(kernel, "one/told") is not None)
        place = kernel.components["one"].place
        first = place.run.pid

        assert FIRST <= Path(f"/proc/{first}").stat().st_uid < SOCKETS
        assert (open_folder / "mine").stat().st_uid == Path(f"/proc/{first}").stat().st_uid
        await place.run.kill()
        await until(lambda: place.run.pid not in (0, first))
        await until(lambda: state(kernel, "one") == "up")
        second = place.run.pid
    assert not Path(f"/proc/{first}").exists()
    assert not Path(f"/proc/{second}").exists()


def _everybody_reads(file: Path) -> bool:
    return all(
        user.reachable(one, NOBODY, [], user.READ) for one in (file, Path(pydantic.__file__))
    )


def _environment(folder: Path) -> None:
    """An environment of the system's Python that finds Bedplate where it lies."""
    site = (
        folder
        / ".venv"
        / "lib"
        / f"python{sys.version_info.major}.{sys.version_info.minor}"
        / "site-packages"
    )
    site.mkdir(parents=True)
    (folder / ".venv" / "bin").mkdir()
    (folder / ".venv" / "bin" / "python").symlink_to(PYTHON)
    (folder / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    lines = [Path(bedplate.__file__).parents[1], Path(pydantic.__file__).parents[1]]
    (site / "bedplate.pth").write_text("".join(f"{line}\n" for line in lines))
