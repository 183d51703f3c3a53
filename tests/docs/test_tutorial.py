"""docs/first-plugin.md and the README's connector, done as they say, on a scale that is a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, blocks
from tests.docs.scale import BEDPLATE, EXAMPLES, Scale, Shell

PATH = "acme/berlin/packing/bench/weight"


@pytest.fixture
def scale() -> Iterator[Scale]:
    one = Scale()
    yield one
    one.pull_the_plug()


@pytest.fixture
def shell(tmp_path: Path, scale: Scale) -> Shell:
    """In a folder with the files of the tutorial; only the port is another one."""
    for name in ("scale.py", "pushing_scale.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    text = (EXAMPLES / "scale-line.yaml").read_text()
    text = text.replace("host: 127.0.0.1", f"host: 127.0.0.1\n    port: {scale.port}")
    (tmp_path / "scale-line.yaml").write_text(text)
    (tmp_path / "pushing-line.yaml").write_text(text.replace("use: scale ", "use: pushing-scale "))
    return Shell(tmp_path, BEDPLATE)


def test_the_connector_of_the_readme_is_the_one_that_is_tried() -> None:
    (shown,) = blocks(Path("README.md"), "python")

    assert shown.text == (EXAMPLES / "scale.py").read_text()


def test_a_value_is_read_without_a_file_and_without_a_kernel(shell: Shell, scale: Scale) -> None:
    words = ["--plugin", "scale.py", "scale", "host=127.0.0.1", f"port={scale.port}", "weight"]
    done = shell("read", *words)

    assert done.returncode == 0, done.stderr
    name, value = done.stdout.split()
    assert name == "weight"
    assert 9 < float(value) < 15


def test_what_goes_wrong_before_a_value_is_one_sentence(shell: Shell) -> None:
    wrong = shell("read", "--plugin", "scale.py", "scale", "port=abc", "weight")
    away = shell("read", "--plugin", "scale.py", "scale", "host=127.0.0.1", "port=1", "weight")

    assert wrong.returncode == away.returncode == 2
    assert '"abc" is text; expected a whole number' in wrong.stderr
    assert "`host` is missing" in wrong.stderr
    assert away.stderr.count("\n") == 1
    assert "Connect call failed" in away.stderr


@pytest.mark.parametrize(
    ("file", "plugin"), [("scale-line.yaml", "scale.py"), ("pushing-line.yaml", "pushing_scale.py")]
)
def test_values_arrive_through_bedplate_run(shell: Shell, file: str, plugin: str) -> None:
    checked = shell("check", file, "--plugin", plugin)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout == f"{file}: fine. 2 components, 1 tags. Nothing was contacted.\n"

    with shell.running(file, "--plugin", plugin) as address:
        at = ["--endpoint", address]
        tags = shell.until(lambda: [t for t in shell.json("tags", "weight", *at) if t["value"]])
        kept = shell.until(
            lambda: shell("query", "weight", "--last", "1min", "--format", "csv", *at).stdout
        )
        status = shell("status", *at)

    assert tags[0]["path"] == PATH
    assert tags[0]["unit"] == "kg"
    assert tags[0]["quality"] == "Good"
    assert 9 < tags[0]["value"] < 15
    assert PATH in kept
    assert status.returncode == 0, status.stdout


def test_a_pulled_plug_is_told_and_forgotten_once_it_is_back(shell: Shell, scale: Scale) -> None:
    with shell.running("scale-line.yaml", "--plugin", "scale.py") as address:
        at = ["--endpoint", address]

        def quality() -> str:
            (tag,) = shell.json("tags", "weight", *at)
            return str(tag["quality"])

        shell.until(lambda: quality() == "Good")
        scale.pull_the_plug()
        shell.until(lambda: quality().startswith("Uncertain"))
        status = shell.until(
            lambda: "bench unreachable" in shell("status", *at).stdout and shell("status", *at)
        )
        shell.until(lambda: quality().startswith("Bad"))
        scale.plug_in()
        shell.until(lambda: quality() == "Good")

    assert status.returncode == 1
    assert "Error" not in status.stdout, "a lost connection is no bug of the plugin"


@pytest.fixture
def installed(tmp_path: Path, scale: Scale) -> Shell:
    """An environment that has bedplate-scale beside what this one has."""
    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    (site,) = home.glob("lib/python*/site-packages")
    here = Path(pytest.__file__).parents[1]
    (site / "ours.pth").write_text(f"import site; site.addsitedir({str(here)!r})\n")
    package = shutil.copytree(EXAMPLES / "bedplate-scale", tmp_path / "bedplate-scale")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-index",
    ]
    command += ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return Shell(tmp_path, [str(python), *BEDPLATE[1:]])


def test_the_package_is_found_and_its_description_fits(installed: Shell) -> None:
    told = installed.json("plugins", "scale")
    schema = [installed.program[0], "-m", "bedplate.admission.schema", "bedplate_scale", "--check"]
    done = subprocess.run(schema, capture_output=True, text=True, timeout=60, check=False)

    assert [(p["distribution"], p["verdict"]) for p in told] == [("bedplate-scale", "admissible")]
    assert told[0]["support"] == "Acme Scales, service@scales.example"
    assert told[0]["permissions"] == ["network tcp:$host:$port"]
    assert done.returncode == 0, done.stderr


def test_the_package_is_read_and_wrong_addresses_are_found_at_their_line(
    installed: Shell, scale: Scale
) -> None:
    at = ["scale", "host=127.0.0.1", f"port={scale.port}"]
    rows = installed.json("read", *at, "W", "T", "X")
    wrong = installed("read", *at, "weight")

    assert [row["quality"][:4] for row in rows] == ["Good", "Good", "BadD"]
    assert rows[1]["value"] == 0.5
    assert rows[2]["reason"] == "the scale does not know X"
    assert wrong.returncode == 2
    assert "address" in wrong.stderr


def test_a_package_without_its_description_is_refused_with_the_cure(installed: Shell) -> None:
    (file,) = (installed.folder / "environment").rglob("config.schema.json")
    file.unlink()
    done = installed("plugins", "scale")

    assert done.returncode == 1
    assert "python -m bedplate.admission.schema bedplate_scale" in done.stdout


def test_every_file_of_the_package_is_shown_or_made() -> None:
    shown = {block.name for block in blocks(Path("docs/first-plugin.md"), "python", "yaml", "toml")}
    files = {
        str(f.relative_to(ROOT)) for f in (EXAMPLES / "bedplate-scale").rglob("*.*") if f.is_file()
    }

    assert {f for f in files if "__pycache__" not in f} - shown == {
        "docs/examples/bedplate-scale/bedplate_scale/config.schema.json"
    }
