"""`bedplate audit` on files, as an auditor without a Bedplate types it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.audit.rig import rewritten, write

from bedplate.audit import anchor
from bedplate.audit.checkpoint import signer
from bedplate.cli.group import root


@dataclass
class Done:
    exit_code: int
    output: str


def run(*words: object) -> Done:
    done = CliRunner().invoke(root, ["audit", *map(str, words)], standalone_mode=False)
    if isinstance(done.exception, click.UsageError):
        return Done(2, done.exception.format_message())
    assert done.exception is None
    return Done(done.return_value or 0, done.output)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "audit", 5)
    return tmp_path / "audit"


def test_lines_are_chosen_by_number_who_action_and_time(folder: Path) -> None:
    every = [json.loads(line) for line in run("show", folder, "--json").output.splitlines()]
    assert [row["index"] for row in every] == list(range(1, 9))
    assert every[2]["resource"] == "press-0"
    assert len(run("show", folder, "--json", "--last", 2, "--who", "anna").output.splitlines()) == 2
    below = run("show", folder, "--json", "--action", "audit.").output.splitlines()
    assert [json.loads(line)["action"] for line in below] == [
        "audit.begin",
        "audit.start",
        "audit.stop",
    ]
    assert run("show", folder, "--json", "--since", "2026-11-22T22:31:03Z").output.count("\n") == 4
    assert run("show", folder, "--since", "soon").exit_code == 2
    shown = run("show", folder, "--last", 2).output
    assert "tags.write" in shown
    assert "\x1b" not in shown


@pytest.mark.case("A28")
def test_verify_says_where_and_ends_with_1(folder: Path) -> None:
    done = run("verify", folder)
    assert done.exit_code == 0
    assert "✔ 8 entries, 1 to 8: whole" in done.output
    rewritten(folder, lambda rows: [*rows[:3], *rows[4:]])
    done = run("verify", folder)
    assert done.exit_code == 1
    first = done.output.splitlines()[0]
    assert first == "✖ audit.jsonl:4  entry 5: entry 4 is missing before it"
    row = json.loads(run("verify", folder, "--json").output)
    assert (row["whole"], row["index"], row["line"]) == (False, 5, 4)
    assert row["proved"] == [], "of a log that is not whole nothing is proved"


@pytest.mark.case("A28")
def test_an_anchor_and_the_key_that_are_kept_elsewhere_prove_it(folder: Path) -> None:
    other, key = folder.parent / "share", folder.parent / "kept.key"
    other.mkdir()
    seal = signer(folder)
    head = json.loads(run("verify", folder, "--json").output)["head"]
    anchor.take(other, seal.checkpoint(8, head, "2026-11-22T22:32:00.000000Z"))
    assert "still in" in run("key", "--folder", folder).output
    done = run("key", key, "--folder", folder)
    assert seal.public in done.output
    assert "keep it elsewhere" in done.output
    done = run("verify", folder, "--anchor", other, "--key", key)
    assert done.exit_code == 0
    assert "8 MACs by the verification key" in done.output
    assert "1 checkpoints of" in done.output
    rewritten(folder, lambda rows: rows[:5])
    (folder / "audit.key").unlink()
    assert run("verify", folder).exit_code == 0, "alone it can't tell"
    done = run("verify", folder, "--anchor", other)
    assert done.exit_code == 1
    assert "entries 6 to 8 are missing at the end" in done.output


def test_an_anchor_that_has_nothing_yet_is_said_to_have_nothing(folder: Path) -> None:
    other = folder.parent / "share"
    other.mkdir()
    signer(folder)
    done = run("verify", folder, "--anchor", other)
    assert done.exit_code == 1
    assert "no checkpoint of the log" in done.output
    assert "its first after a minute" in done.output


def test_an_export_is_as_it_stands_and_verifies_anywhere(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "part.jsonl"
    assert "8 entries" in run("export", target, folder).output
    assert target.read_bytes() == (folder / "audit.jsonl").read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600
    assert run("verify", target, "--key", folder / "verification.key").exit_code == 0
    assert run("export", target, folder).exit_code == 2, "nothing is overwritten"
    part = tmp_path / "other.jsonl"
    run("export", part, folder, "--from", "2026-11-22T22:31:02Z", "--to", "2026-11-22T22:31:04Z")
    assert part.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("words", [("show",), ("verify",), ("export", "x")])
def test_a_place_without_a_log_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(*words, tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "holds no audit log" in done.output


def test_a_checkpoint_key_that_was_replaced_together_with_the_log_is_not_passed_over_in_silence(
    folder: Path,
) -> None:
    other = folder.parent / "share"
    other.mkdir()
    moment = "2026-11-22T22:32:00.000000Z"
    honest = signer(folder)
    head = json.loads((folder / "audit.jsonl").read_bytes().splitlines()[7])["hash"]
    anchor.take(other, honest.checkpoint(8, head, moment))
    for path in folder.iterdir():
        path.unlink()
    write(folder, 2)
    last = json.loads((folder / "audit.jsonl").read_bytes().splitlines()[-1])
    anchor.take(other, signer(folder).checkpoint(last["index"], last["hash"], moment))

    done = run("verify", folder, "--anchor", other)
    assert honest.log in done.output, "the anchor holds checkpoints of a log by another key"
    assert "--public" in done.output
    assert run("verify", folder, "--anchor", other, "--public", honest.public).exit_code == 1
