"""What the connector does with its machine, well and ill."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bedplate import Bad, Refused

PACKAGE = Path(__file__).parents[1]


def run(*words):
    """A program of this environment: its Python."""
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def bedplate(*words):
    return run("-c", "from bedplate.cli import main; main()", *words)


def test_values_are_read_in_the_order_of_the_tags(machine, session):
    machine.values = {"temperature": 21.5, "setpoint": 30.0}

    assert session.read("setpoint", "temperature") == [30.0, 21.5]


def test_a_value_that_the_machine_does_not_have_is_bad_and_its_neighbours_are_not(session):
    assert session.read("colour", "setpoint") == [Bad("no such value"), 25.0]


def test_a_written_value_arrives_and_a_refusal_says_why(machine, session):
    session.write("setpoint", 40)
    with pytest.raises(Refused, match="read only"):
        session.write("temperature", 1)

    assert machine.values["setpoint"] == 40


def test_the_machine_can_be_browsed(session):
    nodes = session.run(session.plugin.browse("", 1))

    assert [node.address for node in nodes] == ["temperature", "setpoint"]
    with pytest.raises(Refused, match="there is no colour"):
        session.run(session.plugin.browse("colour", 1))


def test_a_lost_connection_and_a_machine_that_freezes_are_no_bugs_of_ours(machine, session):
    machine.frozen = True
    with pytest.raises(TimeoutError):
        session.read("temperature")
    machine.cut()
    with pytest.raises((OSError, EOFError)):
        session.read("temperature")


def test_an_answer_that_makes_no_sense_ends_the_session(machine, session, monkeypatch):
    monkeypatch.setattr(machine, "answer", lambda line: "?!")
    with pytest.raises(ConnectionError, match="the machine said"):
        session.read("temperature")


def test_bedplate_reads_it_as_an_operator_would(machine):
    at = ["host=127.0.0.1", f"port={machine.port}"]
    done = bedplate("read", "my-thing", *at, "temperature", "--json")

    assert done.returncode == 0, done.stderr
    assert [(row["value"], row["quality"]) for row in json.loads(done.stdout)] == [(20.0, "Good")]


def test_the_example_deployment_passes_check():
    done = bedplate("check", PACKAGE / "my-thing-line.yaml")

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_description_of_our_settings_is_fresh():
    done = run("-m", "bedplate.admission.schema", "bedplate_my_thing", "--check")

    assert done.returncode == 0, done.stderr
