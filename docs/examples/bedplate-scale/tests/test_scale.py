"""What the connector does with its scale, well and ill."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bedplate import Bad

PACKAGE = Path(__file__).parents[1]


def run(*words):
    """A program of this environment: its Python."""
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def bedplate(*words):
    return run("-c", "from bedplate.cli import main; main()", *words)


def test_weight_and_tare_are_read_in_the_order_of_the_tags(session):
    assert session.read("T", "W") == [0.5, 12.34]


def test_a_letter_that_the_scale_does_not_know_is_bad_and_its_neighbours_are_not(session):
    assert session.read("X", "T") == [Bad("the scale does not know X"), 0.5]


def test_a_lost_connection_and_a_scale_that_freezes_are_no_bugs_of_ours(machine, session):
    machine.frozen = True
    with pytest.raises(TimeoutError):
        session.read("W")
    machine.cut()
    with pytest.raises((OSError, EOFError)):
        session.read("W")


def test_an_answer_that_is_no_weight_ends_the_session(machine, session, monkeypatch):
    monkeypatch.setattr(machine, "answer", lambda letter: "overload")
    with pytest.raises(ConnectionError, match="no weight"):
        session.read("W")


def test_bedplate_reads_it_as_an_operator_would(machine):
    at = ["host=127.0.0.1", f"port={machine.port}"]
    done = bedplate("read", "scale", *at, "W", "--json")

    assert done.returncode == 0, done.stderr
    assert [(row["value"], row["quality"]) for row in json.loads(done.stdout)] == [(12.34, "Good")]


def test_the_example_deployment_passes_check():
    done = bedplate("check", PACKAGE / "scale-line.yaml")

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_description_of_our_settings_is_fresh():
    done = run("-m", "bedplate.admission.schema", "bedplate_scale", "--check")

    assert done.returncode == 0, done.stderr
