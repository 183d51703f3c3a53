"""`--plugin scale.py`: one file, tried without packaging."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.admission.site import SCHEMA, Site, manifest

from bedplate.admission.candidate import schemas_for
from bedplate.admission.probe import probe, use_of
from bedplate.admission.survey import survey
from bedplate.errors import AdmissionError

SCALE = '''import asyncio

from bedplate import Connector
from pydantic import BaseModel


class Scale(Connector):
    """A bench scale: ask "W", it answers "  12.340 kg"."""

    class Config(BaseModel):
        host: str
        port: int = 4001

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.config.host, self.config.port)

    async def read(self, tags):
        self.writer.write(b"W\\r\\n")
        return [float((await self.reader.readline()).split()[0])]

    async def close(self):
        self.writer.close()
'''


@pytest.fixture
def scale(tmp_path: Path) -> Path:
    file = tmp_path / "scale.py"
    file.write_text(SCALE)
    return file


def told(file: Path, text: str, within: float = 60.0) -> str:
    """What is said of a file with this text."""
    file.write_text(text)
    with pytest.raises(AdmissionError) as error:
        probe(file, within)
    words = str(error.value)
    assert "\n" not in words
    assert "Traceback" not in words
    return words.replace(str(file), file.name)


def test_a_single_file_offers_its_class_under_its_name(scale: Path) -> None:
    found = survey([scale])
    offer = found.offers["scale"]
    assert (offer.kind, offer.capabilities, offer.file) == ("connector", ("read",), scale)
    assert (offer.plugin, offer.target) == ("scale.py", "scale.py:Scale")
    schema = schemas_for(found)("scale")
    assert schema is not None
    assert schema.settings["required"] == ["host"]
    assert schema.address == {}, "it says nothing of addresses, so its tags need none"
    assert "scale" in found.admit({"scale"}).offers


def test_what_it_prints_is_no_answer(scale: Path) -> None:
    noise = "import os, sys\nprint('{\"offers\": {}}')\nos.write(1, b'x' * 100_000)\nsys.stderr.write('e')\n"
    scale.write_text(noise + SCALE + "\nprint('bye')\n")
    assert set(probe(scale)) == {"scale"}


def test_only_classes_that_the_file_defines_and_shows_are_offers(scale: Path) -> None:
    more = "\nclass _Hidden(Scale): pass\nclass BenchScale(Scale): pass\nAlias = Scale\nclass Other: pass\n"
    scale.write_text(SCALE + more)
    assert set(probe(scale)) == {"scale", "bench-scale"}


def test_names_become_words_of_the_file() -> None:
    names = {"Scale": "scale", "BenchScale": "bench-scale", "S7": "s7", "HTTPSource": "http-source"}
    assert {name: use_of(name) for name in names} == names


TROUBLE = {
    "a bug": ("x = 1\nnope\n", "scale.py:2: NameError: name 'nope' is not defined"),
    "a bug further in": (
        "def f():\n    1 / 0\n\n\nf()\n",
        "scale.py:2: ZeroDivisionError: division by zero",
    ),
    "syntax": ("x = 1\n\ndef f(:\n", "scale.py:3: SyntaxError: invalid syntax"),
    "a missing library": (
        "import serial_of_acme\n",
        "scale.py:1: ModuleNotFoundError: No module named",
    ),
    "leaving": (
        "import sys\nsys.exit(3)\n",
        "scale.py: ended the process with exit code 3 while it was loaded",
    ),
    "a crash": ("import os\nos.abort()\n", "scale.py: was killed by SIGABRT while it was loaded"),
    "nothing": (
        "x = 1\n",
        "scale.py: defines no class that is a Connector, Analytic or SecurityModule",
    ),
    "null bytes": ("x = '\0'\n", "source code string cannot contain null bytes"),
    "settings of another kind": (
        "import bedplate\nclass A(bedplate.Connector):\n    Config = dict\n",
        "scale.py: A.Config must be a pydantic BaseModel",
    ),
    "settings that JSON can't say": (
        "import bedplate, pydantic\nclass A(bedplate.Connector):\n    class Config(pydantic.BaseModel):\n"
        "        model_config = {'arbitrary_types_allowed': True}\n        x: slice\n",
        "scale.py: A.Config has no JSON Schema",
    ),
    "terminal codes": ("raise ValueError('\\x1b[2J\\nTraceback')", "scale.py:1: ValueError:"),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_a_broken_file_is_explained_in_one_sentence_with_its_line(
    tmp_path: Path, case: str
) -> None:
    text, words = TROUBLE[case]
    if case == "terminal codes":
        (tmp_path / "scale.py").write_text(text)
        with pytest.raises(AdmissionError) as error:
            probe(tmp_path / "scale.py")
        assert str(error.value).isprintable()
        return
    assert words in told(tmp_path / "scale.py", text)


@pytest.mark.parametrize(
    "text",
    [
        "while True: pass\n",
        "import time; time.sleep(60)\n",
        "input_ = open(0).read()\nwhile True: pass",
    ],
)
def test_a_hanging_file_ends_within_its_time(tmp_path: Path, text: str) -> None:
    began = time.monotonic()
    assert "was not loaded within 2 s" in told(tmp_path / "scale.py", text, within=2.0)
    assert time.monotonic() - began < 8


def test_a_file_leaves_no_process_behind(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    child = f"import subprocess\np = subprocess.Popen(['sleep', '600'])\nopen({str(mark)!r}, 'w').write(str(p.pid))\n"
    file = tmp_path / "scale.py"
    file.write_text(child + SCALE)
    assert set(probe(file)) == {"scale"}
    pid = int(mark.read_text())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _runs(pid):
        time.sleep(0.01)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_threads_that_go_on_do_not_hold_the_answer(scale: Path) -> None:
    scale.write_text(
        SCALE
        + "\nimport threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    )
    began = time.monotonic()
    assert set(probe(scale)) == {"scale"}
    assert time.monotonic() - began < 8


def test_a_file_does_not_inherit_what_the_operator_keeps_in_the_environment(
    scale: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MQTT_PASSWORD", "canary")
    scale.write_text("import os\nassert 'MQTT_PASSWORD' not in os.environ\n" + SCALE)
    assert set(probe(scale)) == {"scale"}


@pytest.mark.parametrize(
    ("name", "words"), [("no.py", "there is no such file"), ("scale.txt", "must end in .py")]
)
def test_what_is_no_python_file_is_said(tmp_path: Path, name: str, words: str) -> None:
    if name != "no.py":
        (tmp_path / name).write_text("x")
    with pytest.raises(AdmissionError, match=words):
        probe(tmp_path / name)


def test_a_setting_with_a_kernel_word_is_refused_in_a_file_too(scale: Path) -> None:
    scale.write_text(SCALE.replace("port:", "process:"))
    candidate = next(c for c in survey([scale]).candidates if c.name == "scale.py")
    assert "setting `process` has the name of a kernel word" in candidate.reason


def test_a_file_that_is_given_goes_before_an_installed_plugin(site: Site, scale: Path) -> None:
    site.install("scales", manifest=manifest("scale"), schema={"scale": SCHEMA})
    found = survey([scale])
    assert found.offers["scale"].file == scale
    installed = next(c for c in found.candidates if c.distribution == "scales")
    assert installed.reason == "`scale` comes from scale.py, given with --plugin"


def test_a_broken_file_takes_nothing_from_an_installed_plugin(site: Site, scale: Path) -> None:
    site.install("scales", manifest=manifest("scale"), schema={"scale": SCHEMA})
    scale.write_text(SCALE + "\n1 / 0\n")
    assert survey([scale]).offers["scale"].plugin == "scales"


def test_two_files_that_offer_the_same_are_both_refused(scale: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(SCALE)
    found = survey([scale, other])
    assert "scale" not in found.offers
    assert [c.verdict for c in found.candidates if c.name in ("scale.py", "other.py")] == [
        "refused"
    ] * 2


def test_the_same_file_given_twice_counts_once(scale: Path) -> None:
    assert "scale" in survey([scale, scale]).offers
    assert os.path.samefile(survey([scale]).offers["scale"].file or "", scale)
