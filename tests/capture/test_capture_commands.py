"""`bedplate capture` and `bedplate replay` on devices and plugins of the test."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.capture.devices import DICE, PLAIN, PUSHING, Shell, counting, device


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_what_was_captured_is_replayed_without_the_device_to_the_same_values(shell: Shell) -> None:
    shell.plugin(PLAIN)
    with device(counting) as port:
        taken = shell.capture(port, "W", "T")
    code, facts = shell.replay()

    assert taken["reads"] >= 1
    assert taken["requests"] == 2 * taken["reads"]
    assert (code, facts["departures"], facts["differences"]) == (0, [], [])
    assert facts["reads"] == facts["recorded_reads"] == taken["reads"]
    assert facts["last"] == taken["last"]
    assert [row["tag"] for row in facts["last"]] == ["W", "T"]


def test_a_driver_that_makes_other_values_of_the_same_answers_is_told(shell: Shell) -> None:
    shell.plugin(PLAIN)
    with device(counting) as port:
        shell.capture(port, "W")
    code, facts = shell.replay("device.py", "factor=10")

    assert code == 1
    assert facts["departures"] == []
    assert facts["differences"][0] == "read 1: W was 0.5, is 5"


def test_a_driver_that_asks_for_something_else_is_told_at_which_request(shell: Shell) -> None:
    shell.plugin(PLAIN)
    with device(counting) as port:
        shell.capture(port, "W", "T")
    shell.plugin(PLAIN.replace('f"{name}', 'f"{name}!'), "other.py")
    code, facts = shell.replay("other.py")

    assert code == 1
    assert (
        "request 1 of connection 1 is not the recorded one, from its byte 2 on"
        in (facts["departures"][0])
    )
    assert "'W!\\n'" in facts["departures"][0]


def test_a_protocol_with_random_numbers_is_said_to_depart_and_nothing_hangs(shell: Shell) -> None:
    shell.plugin(DICE)
    with device(counting) as port:
        assert shell.capture(port, "W")["reads"]
    code, facts = shell.replay()

    assert code == 1
    assert facts["departures"]


def test_a_source_that_pushes_is_captured_and_replayed(shell: Shell) -> None:
    shell.plugin(PUSHING)
    with device(lambda line, before: "1.5\n2.5\n3.5\n" * 50) as port:
        taken = shell.capture(port, "W")
    code, facts = shell.replay()

    assert taken["reads"] >= 1
    assert (code, facts["departures"]) == (0, [])


def test_a_device_that_refuses_is_in_the_record_with_its_reason(shell: Shell) -> None:
    shell.plugin(PLAIN)
    with device(counting) as port:
        pass
    taken = shell.capture(port, "W")

    assert taken["reads"] == 0
    assert taken["sessions"] >= 1
    assert "device: " in taken["error"]
    assert "refused" in taken["error"] or "Connect call failed" in taken["error"]


@pytest.mark.case("A48")
def test_the_file_is_for_its_owner_and_holds_no_secret_of_the_settings(shell: Shell) -> None:
    shell.plugin(PLAIN)
    (shell.folder / "secret").write_text("canary-7d1")
    with device(counting) as port:
        shell.capture(port, 'password={"secret": "file:secret"}', "W")
    file = shell.folder / "a.capture"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"canary" not in file.read_bytes()
    assert shell.replay()[0] == 0, "a replay needs no secret"


def test_a_plugin_of_which_nobody_can_tell_where_it_connects_is_refused(shell: Shell) -> None:
    shell.plugin(PLAIN.replace("host: str", "there: str").replace("config.host", "config.there"))
    done = shell("capture", "--plugin", "device.py", "device", "there=x", "port=1", "-o", "a", "W")

    assert done.returncode == 2
    assert "there is no telling where it connects to" in done.stderr
    assert not (shell.folder / "a").exists()
