"""`bedplate conformance` as its users meet it: what it prints, writes and returns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.terminal import PROGRAM, see

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
SCALE = str(EXAMPLES / "scale.py")
QUICK = ("--only", "PLG-001", "--only", "CON-001", "--only", "PLG-015")


def run(*words: str, folder: Path | None = None) -> Any:
    return subprocess.run(
        [*PROGRAM, "conformance", *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=folder,
    )


def test_single_checks_are_run_and_not_graded(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    done = run(SCALE, *QUICK, "--report", str(file))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "scale: 3 passed in process" in done.stdout
    assert "Not graded: only some checks were run." in done.stdout
    report = json.loads(file.read_text())
    assert (report["use"], report["kind"], report["grade"]) == ("scale", "connector", "none")
    first = report["checks"][0]
    assert (first["id"], first["level"], first["outcome"]) == ("PLG-001", "MUST", "passed")
    assert first["evidence"].startswith("scale.py")
    assert first["seconds"] > 0


def test_what_fails_is_told_with_its_place_and_its_reason(tmp_path: Path) -> None:
    plugin = tmp_path / "weather.py"
    plugin.write_text(
        "from bedplate import Connector\n"
        "class Weather(Connector):\n    def read(self, tags):\n        return [float('rain')]\n"
    )
    done = run(str(plugin), "--only", "CON-001", "--only", "PLG-013")

    assert done.returncode == 1
    assert "✗ CON-001 MUST" in done.stdout
    assert "Read was answered FAULT, not OK: ValueError: could not convert" in done.stdout
    assert "§3.2 Read: A tag left out looks as if" in done.stdout
    assert "✓ Opening and closing" in done.stdout
    assert "PLG-013" not in done.stdout


def test_json_is_all_that_is_on_stdout_when_it_is_wanted() -> None:
    done = run(SCALE, "--json", "--only", "PLG-101")

    assert json.loads(done.stdout)["checks"][0]["id"] == "PLG-101"


def test_a_plugin_that_never_attaches_is_told_so_once(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "bedplate-plugin.toml").write_text(
        'manifest = 1\nname = "broken"\nversion = "1"\nrequires_api = ">=1,<2"\nsupport = "nobody"\n'
        f'[run]\ncommand = ["{sys.executable}", "-c", "print(\'TypeError: no\'); exit(3)"]\n'
        '[[offer]]\nuse = "broken"\nkind = "connector"\ncapabilities = ["read"]\n'
    )
    schema = {"kind": "connector", "capabilities": ["read"], "settings": {"type": "object"}}
    (folder / "config.schema.json").write_text(json.dumps({"offers": {"broken": schema}}))
    done = run(str(folder))

    assert done.returncode == 1
    assert "the plugin did not attach (exit code 3): TypeError: no" in done.stdout
    assert "broken: 1 failed in process" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no-such-plugin",), "no such plugin is installed; there are access, alarms"),
        ((SCALE, "--only", "PLG-999"), "no check has the id PLG-999"),
        ((SCALE, "--sim", "false {port}"), "the simulator does not listen on port"),
        ((SCALE, "--config", "wrong.toml"), "wrong.toml: tags.a.between: List should have at most"),
    ],
)
def test_what_can_not_be_judged_is_refused_in_a_sentence(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "wrong.toml").write_text("[tags]\na = {between = [1, 2, 3]}\n")
    done = run(*words, folder=tmp_path)

    assert done.returncode == 2, done.stdout
    assert told in done.stderr.replace("\n", " ")


def test_every_check_is_listed() -> None:
    from bedplate.testing.conformance.catalogue import catalogue

    ids = [check.id for _, check in catalogue()]
    listed = json.loads(run("--list", "--json").stdout)

    assert [row["id"] for row in listed] == ids
    assert len(ids) == len(set(ids)) >= 60


def test_every_check_has_a_title_a_reason_and_a_place_in_the_standard() -> None:
    from bedplate.testing.conformance.catalogue import catalogue

    standard = (EXAMPLES.parents[1] / "protos/README.md").read_text()
    for _, check in catalogue():
        assert check.title[-1] != ".", check.id
        assert check.why.endswith("."), check.id
        number, _, name = check.anchor.removeprefix("§").partition(" ")
        heading = number if "." in number else f"{number}."
        assert any(
            line.startswith("#") and f" {heading} " in f"{line} " for line in standard.splitlines()
        ), check.id
        assert name, check.id
        assert name.rstrip("s") in standard, (check.id, name)


def test_the_screen_fits_eighty_columns() -> None:
    environ = {**os.environ, "BEDPLATE_HOME": "/nonexistent"}
    seen = see("conformance", SCALE, *QUICK, environ=environ, columns=80)

    assert seen.code == 0, seen.raw
    assert all(len(line) <= 80 for line in seen.lines)
    assert any("✓ Attaching" in line for line in seen.lines)
