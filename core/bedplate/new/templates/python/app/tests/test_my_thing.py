"""The program, against a Bedplate that runs for the time of the test."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bedplate.testing import running
from bedplate.testing.deployed import Running
from my_thing import Book

PACKAGE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def bedplate(tmp_path_factory):
    file = Path(shutil.copy(PACKAGE / "my-thing-line.yaml", tmp_path_factory.mktemp("plant")))
    with running(file, PACKAGE / "my_thing" / "sim.py") as started:
        yield started


def my_thing(bedplate: Running, *words):
    command = [sys.executable, "-m", "my_thing", *map(str, words)]
    return subprocess.run(
        command, env=bedplate.environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_what_comes_is_written_and_nothing_twice_when_it_goes_on(bedplate, tmp_path):
    file = tmp_path / "values.csv"
    first = my_thing(bedplate, "**/level", "--file", file, "--rows", 3)
    again = my_thing(bedplate, "**/level", "--file", file, "--rows", 3)
    rows = list(csv.reader(file.open()))

    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert len(rows) >= 6
    assert {path for path, *_ in rows} == {"plant/line1/tank/level"}
    assert len({time for _, time, *_ in rows}) == len(rows)
    assert all(0 <= float(value) <= 100 and quality == "0" for *_, value, quality in rows)


def test_a_tag_that_is_not_there_is_told_in_a_sentence(bedplate, tmp_path):
    done = my_thing(bedplate, "levle", "--file", tmp_path / "values.csv")

    assert done.returncode == 2
    assert done.stderr == "my-thing: no tag named levle; did you mean level?\n"


def test_the_file_knows_how_far_it_is(tmp_path):
    book = Book(tmp_path / "values.csv")
    assert book.token is None

    book.add([("a", "2026-01-01T00:00:00.000", 1.5, 0)], b"here")
    assert Book(tmp_path / "values.csv").token == b"here"
