"""docs/tutorial/first-plugin.md and the README's connector, done as they say, on a scale that is a process."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, blocks
from tests.docs.scale import BEDPLATE, EXAMPLES, Scale, Shell
from tests.docs.walking import Walk
from tests.new.environment import Environment

PAGE = Path("docs/tutorial/first-plugin.md")
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
    fine, pace = checked.stdout.splitlines()
    assert fine == f"{file}: fine. 2 components, 1 tags. Nothing was contacted."
    assert re.fullmatch(r"journal: room for .* · \d\.\d\d TB written a year, as reckoned .*", pace)

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
            lambda: (
                (told := shell("status", *at))
                and re.search(r"bench +unreachable", told.stdout)
                and told
            )
        )
        shell.until(lambda: quality().startswith("Bad"))
        scale.plug_in()
        shell.until(lambda: quality() == "Good")

    assert status.returncode == 1
    assert "Error" not in status.stdout, "a lost connection is no bug of the plugin"


# What takes a minute is done in short; the kit has a suite of its own.
SHORT = {
    "bedplate run scale-line.yaml --plugin scale.py": (
        "bedplate run scale-line.yaml --plugin scale.py --listen 127.0.0.1:0"
    ),
    "bedplate conformance .": "bedplate conformance . --only CON-001; echo Grade: Basic",
    "bedplate capture scale host=127.0.0.1 W T --for 3s -o night.capture": (
        "bedplate capture scale host=127.0.0.1 W T --for 1s --every 200ms -o night.capture"
    ),
}


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Only the built wheel, the history, and what they need."""
    made = Environment(tmp_path_factory.mktemp("author"))
    made.install(ROOT / "plugins" / "history")
    return made


@pytest.fixture(scope="module")
def walked(author: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1"}
    walk = Walk(tmp_path_factory.mktemp("reader"), author.environ | offline, SHORT)
    try:
        walk.follow(PAGE)
        yield walk
    finally:
        walk.end()


@pytest.mark.timeout(400)
def test_all_that_the_page_says_is_done_in_an_empty_folder(walked: Walk) -> None:
    assert [word for word in walked.typed if word.startswith("bedplate new")]
    assert len(walked.typed) >= 19


def test_the_package_that_comes_of_it_is_the_one_in_the_examples(walked: Walk) -> None:
    made, kept = walked.folder / "bedplate-scale", EXAMPLES / "bedplate-scale"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=kept,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    differ = [
        name
        for name in names
        if (made / name).read_text().replace(str(walked.port), "4001") != (kept / name).read_text()
    ]

    assert differ == ["README.md"], "which everybody writes by himself"


def test_wrong_addresses_are_found_at_their_line(author: Environment, walked: Walk) -> None:
    words = ["read", "scale", "host=127.0.0.1", "weight"]
    done = subprocess.run(
        [str(author.home / "bin" / "bedplate"), *words],
        env=author.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "address" in done.stderr


def test_a_package_without_its_description_is_refused_with_the_cure(
    author: Environment, walked: Walk
) -> None:
    file = walked.folder / "bedplate-scale" / "bedplate_scale" / "config.schema.json"
    kept = file.read_text()
    file.unlink()
    try:
        done = subprocess.run(
            [str(author.home / "bin" / "bedplate"), "plugins", "list", "scale"],
            env=author.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        file.write_text(kept)
    assert done.returncode == 1
    assert "python -m bedplate.admission.schema bedplate_scale" in done.stdout
