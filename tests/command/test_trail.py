"""What the audit log says of commands, and what it does not let anybody say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.command.rig import EMMA, ERIK, OLGA, SPEED, Bench

from bedplate.audit.entry import Stamps
from bedplate.command import Sending, Sent, State
from bedplate.config.deployment import WriteLimits
from bedplate.model import DataType

FORGED = '"\n2026-11-23T08:00:00Z ADMIN OK\r\x1b[2J\u202e\u2028\0'


async def test_who_what_from_what_to_what_and_by_which_rule(bench: Bench) -> None:
    command = await bench.submit(110.0, reason="thicker sheet")
    intent, end = bench.audit.entries
    assert (intent.action, intent.verdict) == ("command.intent", "allowed")
    assert (end.action, end.verdict) == ("command.verified", "noted")
    for entry in (intent, end):
        assert (entry.who, entry.method, entry.peer) == (OLGA.id, OLGA.method, OLGA.peer)
        assert entry.credential == OLGA.credential
        assert (entry.resource, entry.rule) == (SPEED, "rule 1 of writes.allow (operator)")
        assert entry.correlation == command.command_id
    change = f'100.0 → 110.0 1/min, intent {command.intent}, reason "thicker sheet"'
    assert intent.text == change
    assert end.text == f"it reads back 110.0; {change}"


async def test_the_second_person_stands_beside_the_first(bench: Bench) -> None:
    waits = await bench.submit(by=ERIK)
    await bench.guard.approve(waits.command_id, waits.intent, EMMA)
    waiting, intent, end = bench.audit.entries
    assert (waiting.action, waiting.verdict) == ("command.waiting", "noted")
    assert waits.intent in waiting.text
    assert "approved by emma (sha256:emma)" in intent.text
    assert "approved by emma (sha256:emma)" in end.text


ENDS: dict[str, tuple[Any, str]] = {
    "refused by the device": (Sent(Sending.REFUSED, "no"), "command.rejected"),
    "too late": (Sent(Sending.EXPIRED), "command.expired"),
    "unknown": (Sent(Sending.UNKNOWN), "command.unknown"),
}


@pytest.mark.parametrize("case", ENDS)
async def test_every_end_is_told(bench: Bench, case: str) -> None:
    bench.press.answer, action = ENDS[case]
    await bench.submit()
    assert bench.audit.actions() == ["command.intent", action]


@pytest.mark.parametrize("value", [500.0, "x", None, float("nan"), b"\n"])
async def test_what_is_rejected_is_told_too(bench: Bench, value: Any) -> None:
    command = await bench.submit(value)
    (entry,) = bench.audit.entries
    assert (entry.action, entry.verdict) == ("command.rejected", "refused")
    assert entry.text == command.text


async def test_a_dry_run_is_noted(bench: Bench) -> None:
    await bench.submit(dry_run=True)
    assert bench.audit.actions() == ["command.dry_run"]


@pytest.mark.case("A72")
@pytest.mark.parametrize("where", ["tag", "reason", "value", "who", "peer"])
async def test_a_line_cannot_be_forged(kept: Bench, tmp_path: Path, where: str) -> None:
    by = type(OLGA)(
        FORGED if where == "who" else "olga",
        ("operator",),
        FORGED if where == "peer" else "ipv4:1",
        credential="c",
    )
    path = kept.press.has("text", "x", limits=kept.press.points[SPEED].limits)
    tag = FORGED if where == "tag" else path
    command = await kept.submit(
        FORGED if where == "value" else "x",
        tag=tag,
        by=by,
        reason=FORGED if where == "reason" else "",
    )
    stamps = Stamps(kept.time)
    for entry in kept.audit.entries:
        line = json.dumps(stamps.record(entry), ensure_ascii=True)
        assert line.isprintable()
        assert line.isascii()
    # What people are shown of it does not steer a terminal either.
    for text in (command.text, command.reason, *(check.text for check in command.checks)):
        assert text.isprintable(), text
    assert command.state in (State.REJECTED, State.VERIFIED)


@pytest.mark.case("A72")
async def test_a_forged_reason_is_one_line(bench: Bench) -> None:
    command = await bench.submit(reason=FORGED)
    assert command.reason == '"·2026-11-23T08:00:00Z ADMIN OK··[2J···'
    assert "\n" not in bench.audit.entries[0].text


async def test_a_long_text_does_not_push_what_is_written_out_of_the_log(bench: Bench) -> None:
    path = bench.press.has(
        "recipe", "\U0001f512" * 300, data_type=DataType.TEXT, limits=WriteLimits()
    )
    command = await bench.submit("harmless?", tag=path, reason="for the log")
    assert command.state is State.VERIFIED, command.text
    for entry in bench.audit.entries:
        line = Stamps(bench.time).record(entry)["text"]
        assert command.intent in line
        assert '"harmless?"' in line
        assert "for the log" in line
