"""From permissions and settings to what a process may have: grants, code, levels."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bedplate.admission.permissions import Permissions
from bedplate.isolation import (
    Grant,
    GrantError,
    IsolationError,
    Level,
    Machine,
    Wanted,
    choose,
    confine,
    grant,
    this_machine,
    together,
)
from bedplate.isolation.claims import KERNEL, NOBODY, SYSTEM, claims
from bedplate.isolation.environment import code_of
from bedplate.isolation.grants import ANY, Address
from bedplate.isolation.landlock import gaps, rules
from bedplate.isolation.syscalls import arch
from bedplate.isolation.user import READ, WRITE, number, reachable

STRONG = Machine(7, arch("x86_64"), root=False, mounts=False, bwrap="/usr/bin/bwrap")
NO_BWRAP = replace(STRONG, bwrap=None, why_not={Level.L3: "bubblewrap is not installed"})
OLD = Machine(0, None, False, False, None, (), {Level.L2: "no Landlock", Level.L3: "no Landlock"})


@pytest.mark.parametrize(
    ("entry", "settings", "found"),
    [
        ("tcp:$host:$port", {"host": "10.0.0.1", "port": 502}, [("tcp", "10.0.0.1", 502)]),
        ("tcp:$host:502", {"host": ["a", "b"]}, [("tcp", "a", 502), ("tcp", "b", 502)]),
        ("tcp:$host:$port", {"host": "", "port": 502}, []),
        ("tcp:*:*", {}, [("tcp", "*", ANY)]),
        ("udp:$host:47808", {"host": "10.0.0.1"}, [("udp", "10.0.0.1", 47808)]),
        ("tcp:[::1]:502", {}, [("tcp", "[::1]", 502)]),
        ("$url", {"url": "opc.tcp://plc/path"}, [("tcp", "plc", 4840)]),
        ("$url", {"url": "opc.tcp://[fe80::1]:4841"}, [("tcp", "fe80::1", 4841)]),
        ("$url", {"url": ["nats://a", "b:4223"]}, [("tcp", "a", 4222), ("tcp", "b", 4223)]),
        ("$url", {"url": "https://user@weather.example/x?y"}, [("tcp", "weather.example", 443)]),
        ("$url", {}, []),
        ("$oidc.url", {"oidc": {"url": "https://sso.example"}}, [("tcp", "sso.example", 443)]),
        ("$oidc.url", {"oidc": None}, []),
        ("$oidc.url", {"oidc": "https://sso.example"}, []),
    ],
)
def test_an_address_comes_from_the_components_own_settings(
    entry: str, settings: dict[str, Any], found: list[tuple[str, str, int]]
) -> None:
    permissions = Permissions(network=(entry,))

    assert grant(permissions, settings, Path("/plant")).network == tuple(
        Address(*one) for one in found
    )


@pytest.mark.parametrize(
    ("permissions", "settings", "words"),
    [
        ({"network": ("$url",)}, {"url": "somewhere"}, "names no host and port"),
        ({"network": ("$url",)}, {"url": "x://h:99999"}, "names no host and port"),
        ({"network": ("tcp:$host:$port",)}, {"host": "a", "port": "b"}, "'b' is no port"),
        ({"network": ("$url",)}, {"url": {"secret": "env:X"}}, "$url is a secret"),
        ({"files": ("$f",)}, {"f": "/"}, "too much for any plugin"),
        ({"files": ("$f",)}, {"f": "/home"}, "too much for any plugin"),
        ({"files": ("$f",)}, {"f": "../../../../../../../etc"}, "too much for any plugin"),
        ({"files": ("$f",)}, {"f": "/sys/firmware"}, "too much for any plugin"),
        ({"devices": ("$d",)}, {"d": "/etc/passwd"}, "is no device below /dev"),
        ({"devices": ("$d",)}, {"d": "/dev/../etc/passwd"}, "is no device below /dev"),
        ({"devices": ("$d",)}, {"d": "/dev"}, "is no device below /dev"),
    ],
)
def test_what_cannot_be_understood_is_not_granted(
    permissions: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(GrantError) as caught:
        grant(Permissions(**permissions), settings, Path("/plant/floor"))

    assert words in str(caught.value)


def test_a_process_of_several_components_may_what_each_of_them_may() -> None:
    one = Grant((Address("tcp", "a", 1),), memory=1 << 30, cpu=1.0)
    two = Grant(
        (Address("tcp", "b", 2),), (Path("/data/x"),), memory=2 << 30, cpu=2.0, subprocess=True
    )
    both = together([one, two])

    assert {address.port for address in both.network} == {1, 2}
    assert both.writes == (Path("/data/x"),)
    assert (both.memory, both.cpu, both.subprocess) == (2 << 30, 2.0, True)
    assert together([one, replace(two, cpu=0.0)]).cpu == 0.0
    assert together([one, Grant(unconfined=True)]).unconfined


@pytest.mark.parametrize(
    ("machine", "minimum", "unconfined", "level"),
    [
        (STRONG, Level.L0, False, Level.L2),
        (STRONG, Level.L3, False, Level.L3),
        (STRONG, Level.L1, True, Level.L1),
        (NO_BWRAP, Level.L2, False, Level.L2),
        (OLD, Level.L0, False, Level.L1),
        (OLD, Level.L1, False, Level.L1),
    ],
)
def test_a_level_is_what_the_machine_can_and_l3_only_when_asked(
    machine: Machine, minimum: Level, unconfined: bool, level: Level
) -> None:
    assert choose(machine, minimum, unconfined=unconfined) == level


@pytest.mark.parametrize(
    ("machine", "minimum", "unconfined", "why"),
    [
        (NO_BWRAP, Level.L3, False, "is L3: bubblewrap is not installed"),
        (OLD, Level.L2, False, "is L2: no Landlock"),
        (STRONG, Level.L2, True, "no manifest that says what it needs"),
    ],
)
def test_below_the_least_it_is_refused_with_the_reason(
    machine: Machine, minimum: Level, unconfined: bool, why: str
) -> None:
    with pytest.raises(IsolationError) as caught:
        choose(machine, minimum, unconfined=unconfined)

    assert why in str(caught.value)


def test_code_is_found_without_running_anything(tmp_path: Path) -> None:
    """And what an environment says of itself leads to libraries of Python only: it is the plugin's word."""
    base = tmp_path / "python"
    (base / "bin").mkdir(parents=True)
    (base / "lib" / "python3.11").mkdir(parents=True)
    (base / "secrets").mkdir()
    (base / "bin" / "python3.11").write_text("")
    (base / "bin" / "python3").symlink_to("python3.11")
    folder = tmp_path / "plugin"
    site = folder / ".venv" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (folder / "source").mkdir()
    lines = [
        f"{folder}/source",
        str(tmp_path),
        "import os; os.system('false')",
        "/nowhere",
        "/root",
    ]
    (site / "_editable.pth").write_text("\n".join(lines))
    environment = folder / ".venv"
    (environment / "pyvenv.cfg").write_text(f"home = {base}/bin\n")
    (environment / "bin").mkdir()
    (environment / "bin" / "python").symlink_to(base / "bin" / "python3.11")

    assert {*code_of([str(environment / "bin" / "python"), "-m", "x"], [folder])} == {
        folder,
        environment / "bin" / "python",
        environment / "lib",
        environment / "pyvenv.cfg",
        base / "bin" / "python3.11",
        base / "lib",
        folder / "source",
    }


def test_a_program_of_any_language_brings_its_folder_and_nothing_that_its_words_name(
    tmp_path: Path,
) -> None:
    program = tmp_path / "bin" / "acme"
    program.parent.mkdir()
    program.write_text("")
    (tmp_path / "folder").mkdir()

    assert {*code_of([str(program), "/etc/shadow"], [tmp_path / "folder"])} == {
        tmp_path / "folder",
        program,
    }
    assert code_of(["/usr/bin/env", str(program)]) == ()


@pytest.mark.parametrize("abi", range(1, 11))
def test_each_landlock_is_asked_for_what_it_knows_only(abi: int) -> None:
    asked = rules(abi, [], [502])

    assert asked["fs"] < 1 << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))
    assert bool(asked["net"]) == bool(asked["ports"]) == (abi >= 4)
    assert bool(asked["scope"]) == (abi >= 6)
    assert len([*gaps(abi)]) == (abi < 4) + (abi < 6)


def test_modes_alone_say_who_reaches_what(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    me = os.stat(folder)

    assert reachable(folder, me.st_uid, [], READ | WRITE)
    folder.chmod(0o750)
    assert not reachable(folder, me.st_uid + 1, [], READ)
    assert reachable(tmp_path / "nothing" / "there", me.st_uid + 1, [], READ)
    assert number("a") == number("a") != number("b")


def test_what_is_only_declared_is_told_so() -> None:
    permissions = Permissions(network=("tcp:$host:$port", "udp:$host:1"), files=("$folder",))

    def by(level: Level, abi: int = 7) -> dict[str, str]:
        return {f"{c.permission} {c.what}".strip(): c.by for c in claims(permissions, level, abi)}

    assert {*by(Level.L0).values()} == {NOBODY}
    assert by(Level.L1)["files $folder"] == NOBODY
    assert by(Level.L2)["files $folder"] == SYSTEM
    assert by(Level.L2)["network tcp:$host:$port"] == SYSTEM
    assert by(Level.L2)["network tcp:$host:$port: host"] == NOBODY
    assert by(Level.L2)["network udp:$host:1: host, port"] == NOBODY
    assert by(Level.L2, abi=3)["network tcp:$host:$port: host, port"] == NOBODY
    assert by(Level.L2)["never unix sockets of others"] == NOBODY
    assert by(Level.L3)["never unix sockets of others"] == SYSTEM
    assert by(Level.L1)["secrets those of its settings"] == KERNEL


def test_a_device_that_comes_back_is_another_one(tmp_path: Path) -> None:
    """Landlock knows what stood at a path, not the path: the process must be started again."""
    if Level.L2 in this_machine().why_not:
        pytest.skip(f"NOT SHOWN HERE: {this_machine().why_not[Level.L2]}")
    device, other = tmp_path / "tty", tmp_path / "kept"
    other.write_text("")
    grant = Grant(devices=(device, other))
    (tmp_path / "run").mkdir()
    wanted = Wanted("x", grant, ["/bin/true"], [], tmp_path, tmp_path / "run")
    absent = confine(this_machine(), Level.L2, wanted)
    assert not absent.outdated()
    device.write_text("")
    assert absent.outdated()
    there = confine(this_machine(), Level.L2, wanted)
    assert not there.outdated()
    other.rename(device)
    assert there.outdated()
