"""`bedplate demo`: values soon, commands that work, and nothing left behind however it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.terminal import see
from tests.demo.running import ROOT, Demo, alive, free_port

PROMISED = 10.0  # s to the first values, as the README says
SOON = 60.0  # s, where it is not the time that is looked at
END = 5.0  # s to the end
VALUES = re.compile(r"6 of 6 connectors up .* filler \w+ \d+ /min")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    one = Demo(tmp_path)
    yield one
    one.close()


def has_values(line: str) -> bool:
    return bool(VALUES.search(line))


def is_quiet_after(demo: Demo, pids: set[int]) -> None:
    deadline = time.monotonic() + 2
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pids)


def test_first_values_come_within_ten_seconds(tmp_path: Path) -> None:
    """The best of three starts: the suite itself keeps all processors busy."""
    took: list[float] = []
    while len(took) < 3 and min(took, default=SOON) > PROMISED:
        demo = Demo(tmp_path)
        demo.start()
        try:
            demo.until(has_values, SOON)
            took.append(time.monotonic() - demo.started)
        finally:
            demo.close()

    assert min(took) < PROMISED, took


def test_every_command_for_the_second_terminal_works(demo: Demo) -> None:
    demo.start()
    demo.until(lambda line: line.startswith("in a second terminal"), SOON)
    demo.until(has_values, SOON)
    commands = hints(demo.lines)

    assert [words(command) for command in commands] == [
        "status",
        "tail",
        "query",
        "write",
        "python",
    ]
    for command in commands:
        done = subprocess.run(
            ["timeout", "--signal=INT", "4", "sh", "-c", f"exec {command}"],
            env=demo.environ, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.stdout.strip(), (command, done.stderr)
        assert "Traceback" not in done.stderr
        # timeout says 124 for the one that goes on until Ctrl-C
        assert done.returncode in ({124} if words(command) == "tail" else {0, 1}), (command, done)


def hints(lines: list[str]) -> list[str]:
    """The indented lines below "in a second terminal"."""
    start = next(n for n, line in enumerate(lines) if line.startswith("in a second terminal"))
    rest = lines[start + 1 :]
    count = next(n for n, line in enumerate(rest) if not line.startswith("    "))
    return [line.strip() for line in rest[:count]]


def words(command: str) -> str:
    program, first, *_ = command.split()
    return "python" if program.endswith("python") else first


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order_within_five_seconds(demo: Demo, how: signal.Signals) -> None:
    demo.start()
    demo.until(has_values, SOON)
    started = demo.descendants()
    began = time.monotonic()
    demo.process.send_signal(how)
    code = demo.ends(2 * END)

    assert time.monotonic() - began < END
    assert code == 0
    assert demo.lines[-1] == "ended; nothing is left running"
    assert len(started) >= 6, "line, PLC, meters, and a process for each plugin"
    assert not alive(started)
    assert not list((demo.folder / "tmp").glob("bedplate-demo-*"))


def test_a_signal_before_anything_runs_ends_it_too(demo: Demo) -> None:
    demo.start()
    demo.until(lambda line: line.startswith("starting Bedplate"), SOON)
    started = demo.descendants()
    demo.process.send_signal(signal.SIGINT)

    assert demo.ends(END) in (0, 130)
    assert not [line for line in demo.lines if "Traceback" in line]
    is_quiet_after(demo, started)


def test_killed_outright_it_leaves_no_orphan(demo: Demo) -> None:
    demo.start()
    demo.until(has_values, SOON)
    started = demo.descendants()
    demo.process.kill()
    demo.process.wait()

    assert started
    is_quiet_after(demo, started)


def test_two_at_once_do_not_disturb_each_other(demo: Demo, tmp_path: Path) -> None:
    demo.start()
    demo.until(has_values, SOON)
    (tmp_path / "other").mkdir()
    other = Demo(tmp_path / "other")
    try:
        other.start()
        other.until(has_values, SOON)
        demo.until(has_values, SOON)
    finally:
        other.close()


def test_as_json_every_line_is_a_document_with_the_same_facts(tmp_path: Path) -> None:
    demo = Demo(tmp_path, ("--json",))
    try:
        demo.start()
        line = demo.until(lambda line: json.loads(line)["connectors_up"] == 6, SOON)
    finally:
        demo.close()
    machines = {m["machine"]: m for m in json.loads(line)["machines"]}

    assert list(machines) == ["filler", "capper", "labeller"]
    assert machines["filler"]["state"] in (
        "running",
        "starting",
        "stopped",
        "idle",
        "setup",
        "fault",
    )


def test_a_person_at_a_terminal_sees_machines_alarms_and_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    seen = see(
        "demo", "--listen", f"127.0.0.1:{free_port()}",
        environ=_environ(tmp_path), columns=130, rows=40, until="118 /min",
    )  # fmt: skip
    screen = "\n".join(seen.lines)

    assert seen.code == 0
    assert "bottling-line · up" in screen
    assert re.search(r"machine +state +speed +good / total +OEE +power +heard", screen)
    assert "in a second terminal" in screen
    assert "Traceback" not in screen


def _environ(folder: Path) -> dict[str, str]:
    return {**os.environ, "BEDPLATE_HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
