"""What all commands share: help, exit codes, errors in one line, completion, a quick start."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from tests.cli.conftest import Shell, environment
from tests.client.plant import NOW, TOKEN, Plant, Serving, batch_record, samples, table

from bedplate.api.v1 import api_pb2
from bedplate.cli.commands import COMMANDS, GROUPS
from bedplate.cli.exits import MEANING, Exit
from bedplate.cli.group import ENTRIES, root
from bedplate.cli.topics import TOPICS

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from bedplate.cli import program; program()"]
HEAVY = ("numpy", "pydantic", "grpc", "rich", "google.protobuf", "jsonschema", "ruamel")


def commands() -> list[tuple[str, click.Command]]:
    context = click.Context(root)
    found = [(name, root.get_command(context, name)) for name in ENTRIES]
    return [(name, command) for name, command in found if command]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["help", "exit-codes"]])
def test_help_comes_without_any_heavy_library(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom bedplate.cli import main\ntry:\n    main(sys.argv[1:])\n"
        f"finally:\n    print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", ENTRIES)
def test_help_on_every_command_comes_without_grpc_and_numpy(name: str) -> None:
    program = (
        "import sys\nfrom bedplate.cli import main\ntry:\n    main(sys.argv[1:])\n"
        "finally:\n    assert not {'grpc', 'numpy', 'pydantic'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, name, "--help"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_help_lists_the_commands_in_five_groups(shell: Shell) -> None:
    done = shell("--help")
    headings = re.findall(r"^([A-Z][a-z]+):$", done.out, re.M)
    used = [g.capitalize() for g in GROUPS if any(e.group == g for e in COMMANDS)]
    assert headings == ["Options", *used]
    assert [e.name for e in COMMANDS if f"\n  {e.name}" not in done.out] == []


def test_every_command_can_be_loaded_and_speaks_json() -> None:
    loaded = commands()
    assert [name for name, _ in loaded] == [entry.name for entry in COMMANDS]
    without = [
        name for name, command in loaded if not any("--json" in p.opts for p in command.params)
    ]
    assert without == []


def test_help_fits_eighty_columns(shell: Shell) -> None:
    for name in ["", *ENTRIES]:
        done = shell(*([name] if name else []), "--help")
        assert [line for line in done.lines if len(line) > 80] == [], name


def test_a_command_that_does_not_exist_is_answered_with_the_nearest(shell: Shell) -> None:
    done = shell("statsu")
    assert (done.code, "Did you mean status?" in done.err) == (Exit.NOT_DONE, True)


def test_wrong_usage_ends_with_two_and_contacts_nothing(connected: Shell, plant: Plant) -> None:
    for arguments in (
        ["tail"],
        ["tags", "a", "b"],
        ["query", "x", "--last", "5"],
        ["status", "-x"],
    ):
        done = connected(*arguments)
        assert (done.code, done.out) == (Exit.NOT_DONE, "")
        assert "Usage: bedplate" in done.err
    assert not plant.requests


def test_no_running_bedplate_is_one_line_and_two(shell: Shell) -> None:
    for arguments in (["status"], ["tags", "--endpoint", "127.0.0.1:1"], ["alarms", "ack", "x"]):
        done = shell(*arguments)
        assert (done.code, done.out) == (Exit.NOT_DONE, "")
        assert done.err.startswith("bedplate: no Bedplate")
        assert done.err.count("\n") == 1


def test_the_endpoint_may_stand_before_or_after_the_command(
    shell: Shell, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_TOKEN", TOKEN)
    assert shell("--endpoint", serving.address, "tags").code == Exit.DONE
    assert shell("tags", "--endpoint", serving.address).code == Exit.DONE
    assert json.loads(shell("--json", "tags", "--endpoint", serving.address).out)


def test_an_ambiguous_name_lists_the_candidates_and_ends_with_two(connected: Shell) -> None:
    for command in (["tags", "power"], ["tail", "power"], ["query", "power"]):
        done = connected(*command)
        assert done.code == Exit.NOT_DONE
        assert done.err == (
            "bedplate: power names 2 tags:\n  line1/capper/power\n  line1/filler/power\n"
        )


def test_what_nobody_foresaw_is_one_sentence_and_the_details_a_file(
    connected: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bedplate.client.Client.status", lambda self: 1 / 0)
    done = connected("status")
    assert done.code == Exit.FAULT
    match = re.fullmatch(
        r"bedplate: unexpected ZeroDivisionError, error [0-9a-f]{8}; this is a fault in Bedplate,"
        r" its details are in (.*)\n",
        done.err,
    )
    assert match
    assert Path(match[1]).is_relative_to(tmp_path / "state")
    assert "ZeroDivisionError: division by zero" in Path(match[1]).read_text()


def test_a_traceback_is_for_those_who_ask_for_it(
    connected: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.client.Client.status", lambda self: 1 / 0)
    monkeypatch.setenv("BEDPLATE_DEBUG", "1")
    assert "Traceback" in connected("status").err


def test_a_full_disk_is_no_fault_of_bedplate(serving: Serving, tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, "tags", "--endpoint", serving.address],
            env={**environment(tmp_path), "BEDPLATE_TOKEN": TOKEN},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "bedplate: [Errno 28] No space left on device\n")


def test_a_reader_that_goes_away_ends_it_quietly(
    plant: Plant, serving: Serving, tmp_path: Path
) -> None:
    plant.hold.set()
    batch = samples([1] * 5000, [NOW] * 5000, [1.0] * 5000)
    update = api_pb2.SubscribeResponse(tables=[table(1)], records=[batch_record(1, batch)])
    plant.updates = [update] * 20
    with running(["tail", "**"], serving, tmp_path) as tail:
        assert tail.stdout
        tail.stdout.readline()
        tail.stdout.close()
        assert tail.wait(20) == 0
        assert tail.stderr
        assert tail.stderr.read() == ""


def running(
    arguments: list[str], serving: Serving, folder: Path, **more: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *arguments, "--endpoint", serving.address],
        env={**environment(folder), "BEDPLATE_TOKEN": TOKEN, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_ends_it_with_130(plant: Plant, serving: Serving, tmp_path: Path) -> None:
    plant.hold.set()
    update = api_pb2.SubscribeResponse(
        tables=[table(1)], records=[batch_record(1, samples([1], [NOW], [1.0]))]
    )
    plant.updates = [update]
    with running(["tail", "filler/power", "--json"], serving, tmp_path) as tail:
        assert tail.stdout
        assert json.loads(tail.stdout.readline())["value"] == 1.0
        began = time.monotonic()
        tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == Exit.STOPPED
        assert time.monotonic() - began < 5
        assert tail.stderr
        assert "Traceback" not in tail.stderr.read()


STUCK = """
import bedplate.cli, bedplate.cli.interrupt, sys, time
bedplate.cli.interrupt.PATIENCE = 0.1
def command(arguments, interrupted):
    {body}
bedplate.cli.main = command
bedplate.cli.program()
"""
SWALLOWED = """
    while True:
        try:
            print("here", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            pass"""
OTHER_ERROR = """
    from bedplate.cli.faults import Faults
    with Faults(interrupted) as faults:
        try:
            print("here", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            raise RuntimeError("cannot release un-acquired lock") from None
    sys.exit(faults.code)"""


@pytest.mark.parametrize("body", [SWALLOWED, OTHER_ERROR], ids=["swallowed", "in a lock"])
def test_ctrl_c_ends_a_command_that_does_not_hear_it(body: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUCK.format(body=body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as stuck:
        try:
            assert stuck.stdout
            assert stuck.stdout.readline() == "here\n"
            stuck.send_signal(signal.SIGINT)
            assert stuck.wait(20) == Exit.STOPPED
            assert stuck.stderr
            assert stuck.stderr.read() == ""
        finally:
            stuck.kill()


def test_exit_codes_are_told_the_same_everywhere(shell: Shell) -> None:
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text()
    told = shell("help", "exit-codes").out
    for code, meaning in MEANING.items():
        assert f"{code:>5}  {meaning}" in told
        assert re.search(rf"^\| {code:d} \| {re.escape(meaning)}", page, re.M), meaning
        assert str(int(code)) in shell("--help").out.split("Exit codes")[1]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_page_that_fits(shell: Shell, topic: str) -> None:
    done = shell("help", topic)
    assert done.code == Exit.DONE
    assert [line for line in done.lines if len(line) > 80] == []


def test_help_on_a_command_is_its_help(shell: Shell) -> None:
    assert shell("help", "tags").out == shell("tags", "--help").out
    assert shell("help", "no-such-thing").code == Exit.NOT_DONE


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: Shell, kind: str) -> None:
    done = shell("completion", kind)
    assert (done.code, "_BEDPLATE_COMPLETE" in done.out) == (Exit.DONE, True)


def completed(words: str, serving: Serving, folder: Path) -> list[str]:
    done = subprocess.run(
        PROGRAM,
        env={
            **environment(folder),
            "BEDPLATE_ENDPOINT": serving.address,
            "BEDPLATE_TOKEN": TOKEN,
            "_BEDPLATE_COMPLETE": "bash_complete",
            "COMP_WORDS": f"bedplate {words}",
            "COMP_CWORD": str(len(words.split())),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_commands_and_tags_are_completed(serving: Serving, tmp_path: Path) -> None:
    assert completed("ta", serving, tmp_path) == ["tags", "tail"]
    assert completed("tags filler/o", serving, tmp_path) == ["filler/order_id"]
    assert completed("tail line1/cap", serving, tmp_path) == [
        "line1/capper/guard_closed",
        "line1/capper/power",
    ]


def test_completion_without_a_running_bedplate_is_empty(serving: Serving, tmp_path: Path) -> None:
    serving.close()
    assert completed("tags filler/o", serving, tmp_path) == []
