"""Commands that a plugin of ours brings: they join by name, and nobody else's do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bedplate.cli.group import root
from bedplate.cli.joined import Joined
from bedplate.errors import BedplateError


def installed(folder: Path, distribution: str, module: str, code: str) -> None:
    """A distribution that offers commands for `bedplate access`."""
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{distribution.replace('-', '_')}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[bedplate.commands]\naccess = {module}:COMMANDS\n")


@pytest.mark.case("A23")
def test_a_stranger_that_offers_commands_for_ours_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "imported"
    code = f"open({str(trace)!r}, 'w').close()\nCOMMANDS = {{'user': ('stranger:user', 'x')}}\n"
    installed(tmp_path, "bedplate-accessories", "stranger", code)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "Cedar" not in CliRunner().invoke(root, ["access", "--help"]).output
    assert "People and programs" in CliRunner().invoke(root, ["access", "--help"]).output
    assert not trace.exists()
    assert "stranger" not in sys.modules


def test_a_command_of_a_plugin_that_is_missing_says_which() -> None:
    class Empty(Joined):
        distribution = "bedplate-nothing"
        brought = ("user",)

    group = Empty("access")
    assert group.list_commands(click.Context(group)) == []
    with pytest.raises(BedplateError, match="bedplate-nothing, which is not installed"):
        group.get_command(click.Context(group), "user")
    assert group.get_command(click.Context(group), "other") is None


def test_what_is_only_listed_is_not_imported() -> None:
    """So that `--help` is quick, and a broken command harms no other."""
    code = (
        "import sys\nfrom bedplate.cli.group import root\n"
        "try: root.main(['access', '--help'])\nexcept SystemExit: pass\n"
        "print([n for n in sys.modules if n.startswith(('bedplate_access.c', 'argon2', 'joserfc'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines()[-1] == "['bedplate_access.commands']"
