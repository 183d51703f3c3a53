"""`bedplate plugins show`: what is enforced by whom, told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Shell

from bedplate.isolation import Level, this_machine

TITLES = ("enforced by the kernel", "enforced by the operating system", "declared only")


def test_permissions_are_told_apart_by_who_holds_the_plugin_to_them(shell: Shell) -> None:
    if Level.L2 in this_machine().why_not:
        pytest.skip(f"NOT SHOWN HERE: {this_machine().why_not[Level.L2]}")
    done = shell("plugins", "show", "modbus")
    blocks = {title: done.out.partition(title)[2].partition("\n\n")[0] for title in TITLES}

    assert done.code == 0
    assert "bedplate-modbus" in done.lines[0]
    assert any(line.startswith("at L2, ") for line in done.lines)
    assert "commands yes" in blocks[TITLES[0]]
    assert "network tcp:$host:$port " in blocks[TITLES[1]]
    assert "network tcp:$host:$port: host" in blocks[TITLES[2]]


@pytest.mark.parametrize("use", ["alarms", "history", "modbus", "oee", "opcua", "simline"])
def test_inline_everything_is_declared_only(shell: Shell, use: str) -> None:
    told = json.loads(shell("plugins", "show", use, "--level", "L0", "--json").out)

    assert told["level"] == "L0"
    assert {one["by"] for one in told["permissions"]} == {"declared only"}


def test_a_level_that_this_machine_has_not_is_said_so(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    this_machine.cache_clear()
    try:
        done = shell("plugins", "show", "opcua", "--level", "L3")
    finally:
        this_machine.cache_clear()

    assert "not on this machine: " in done.out


def test_a_single_file_is_limited_and_no_more(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "scale.py"
    file.write_text(
        "from bedplate import Connector\nclass Scale(Connector):\n    def read(self, tags): return []\n"
    )
    done = shell("plugins", "show", str(file))
    more = shell("plugins", "show", str(file), "--level", "L2")

    assert any(line.startswith("at L1, ") for line in done.lines)
    assert more.code == 2
    assert "has no manifest, so nobody can tell what it needs" in more.err


@pytest.mark.parametrize("name", ["nothing", "/nowhere/at/all"])
def test_a_plugin_that_is_not_there_is_one_line(shell: Shell, name: str) -> None:
    done = shell("plugins", "show", name)

    assert (done.code, done.out) == (2, "")
    assert f"there is no plugin {name}" in done.err


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_the_screen(shell: Shell, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr("bedplate.cli.screen.WIDE", width)

    assert max(map(len, shell("plugins", "show", "opcua").lines)) <= width
