"""The audit log of a running platform: each auditable event is a line, nothing is changed while it can't be written,
and no call touches it."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.audit.rig import judge
from tests.gate.rig import every_line

from bedplate import connect
from bedplate.api.v1 import api_pb2
from bedplate.audit import outside
from bedplate.audit.log import ChainLog
from bedplate.cli.group import root
from bedplate.client import Client
from bedplate.endpoints import find
from bedplate.errors import CallError
from bedplate.server.platform import Platform, prepare

PLANT = """
bedplate: 1
name: plant
connectors:
  line: {use: simline, scan_classes: {fast: 50ms}, tags: {speed: {address: filler.speed, scan: fast}}}
audit: {folder: data/audit}
"""
APART = PLANT.replace("use: simline", "use: simline, placement: process")
FIELDS = {
    *("index", "prev", "time", "mono", "clock", "action", "verdict", "who", "method", "peer"),
    *("resource", "rule", "text", "credential", "correlation", "hash", "mac"),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))


@asynccontextmanager
async def platform(folder: Path) -> AsyncIterator[tuple[Platform, Client]]:
    file = folder / "plant.yaml"
    if not file.exists():
        file.write_text(PLANT)
    running = Platform(prepare(file))
    await running.start("127.0.0.1:0")
    try:
        endpoint = find()
        with connect(endpoint.address, endpoint.token) as client:
            yield running, client
    finally:
        await running.stop()


async def until(condition: Callable[[], Any], within: float = 20.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


async def refused(call: Callable[..., Any], *given: Any, **named: Any) -> CallError:
    with pytest.raises(CallError) as error:
        await asyncio.to_thread(lambda: _drained(call(*given, **named)))
    return error.value


def _drained(answer: Any) -> Any:
    return list(answer) if hasattr(answer, "__next__") else answer


def samples(running: Platform) -> int:
    return running.kernel.components["line"].role.figures.produced


@pytest.mark.case("A27")
async def test_a_log_that_cannot_be_written_stops_changes_not_data_and_is_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full, read-only, or fails: the write and the sync of the log, and of nothing else."""
    async with platform(tmp_path) as (running, client):
        await until(lambda: samples(running))
        alarms = running.kernel.spine.alarms
        for code in (errno.ENOSPC, errno.EROFS, errno.EIO):

            def fail(*given: Any, code: int = code) -> None:
                raise OSError(code, os.strerror(code), "audit.jsonl")

            with monkeypatch.context() as bad:
                bad.setattr(ChainLog, "_write", fail)
                error = await refused(client.set_maintenance, "line", "8h", "seal")
                assert "while the audit log can't be written" in str(error)
                (tmp_path / "plant.yaml").write_text(PLANT + "moved: []\n")
                error = await refused(client.apply, tmp_path / "plant.yaml")
                assert "while the audit log can't be written" in str(error)
                before = samples(running)
                await until(lambda before=before: samples(running) > before + 3)
                status = await asyncio.to_thread(client.status)
                assert any("the audit log can't be written" in text for text in status.problems)
                assert status.audit == "can't be written"
                await until(lambda: [*alarms.standing()])
            running._audit._wake.set()
            await until(lambda: not running._audit.failed)
        await asyncio.to_thread(client.set_maintenance, "line", "8h", "seal")
        await until(lambda: "RETURNED" in alarms.get("kernel/audit/written").alarm.state.name)  # type: ignore[union-attr]
    assert judge(tmp_path / "data" / "audit").whole


@pytest.mark.case("A26", "A47")
async def test_each_event_is_one_line_with_all_fields_in_order_and_the_log_cannot_be_moved(
    tmp_path: Path,
) -> None:
    folder, file = tmp_path / "data" / "audit", tmp_path / "plant.yaml"
    file.write_text(APART)
    async with platform(tmp_path) as (running, client):
        await until(lambda: samples(running))
        with connect(find().address, "wrong") as nobody:
            await refused(nobody.status)
        await asyncio.to_thread(client.status)
        await asyncio.to_thread(client.set_maintenance, "line", "8h", 'seal"\n2026 ADMIN OK\x1b')
        await asyncio.to_thread(client.end_maintenance, "line")
        file.write_text(APART.replace("50ms", "60ms"))
        await asyncio.to_thread(lambda: _drained(client.apply(file)))
        for words in ("{folder: elsewhere}", "{folder: data/audit, keep: 1d}"):
            file.write_text(APART.replace("{folder: data/audit}", words))
            error = await refused(client.apply, file)
            assert "audit: can't be changed while it runs" in str(error)
        outside.leave(folder, "backup.create", "/mnt/x", "root")
        await until(lambda: not [*folder.glob("note-*")])
        listed = [one.action for one in await asyncio.to_thread(lambda: list(client.audit()))]
        newest = await asyncio.to_thread(lambda: list(client.audit(last=2, action="admin.")))
        assert [one.action for one in newest] != []
        assert all(one.action.startswith("admin.") for one in newest)
        report = await asyncio.to_thread(client.verify_audit)
        assert (report.whole, report.problem) == (True, "")
        assert not (tmp_path / "elsewhere").exists()
    told = every_line(folder)
    assert [line["index"] for line in told] == list(range(1, len(told) + 1))
    assert all(set(line) >= FIELDS for line in told)
    actions = [line["action"] for line in told]
    assert listed == actions[: len(listed)]
    expected = [
        *("audit.begin", "audit.start", "authenticate", "admin.status", "admin.maintenance"),
        *("admin.apply", "backup.create", "admin.audit", "audit.stop"),
    ]
    assert [action for action in dict.fromkeys(actions) if action in expected] == expected
    assert "plugin.start" in actions
    refusals = [line for line in told if line["verdict"] == "refused"]
    assert [line["action"] for line in refusals] == ["authenticate", "admin.apply", "admin.apply"]
    assert told[-1]["mac"]
    assert judge(folder).whole


@pytest.mark.case("A47")
def test_no_call_deletes_rotates_or_turns_off_the_log() -> None:
    services = api_pb2.DESCRIPTOR.services_by_name.values()
    about = [m.name for service in services for m in service.methods if "Audit" in m.name]
    assert sorted(about) == ["ListAudit", "VerifyAudit"]


@pytest.mark.case("A72")
async def test_what_people_see_of_a_forged_value_is_one_line(tmp_path: Path) -> None:
    reason = '"\n2026-11-22 ADMIN OK\x1b[2J\u202e'
    async with platform(tmp_path) as (_, client):
        await asyncio.to_thread(client.set_maintenance, "line", "8h", reason)
    folder = tmp_path / "data" / "audit"
    content = (folder / "audit.jsonl").read_bytes()
    assert all(byte == 10 or 0x20 <= byte < 0x7F for byte in content)
    shown = CliRunner().invoke(root, ["audit", "show", str(folder), "--last", "50"])
    assert shown.exit_code == 0, shown.output
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown.output)
    assert not any(line.startswith("2026-11-22 ADMIN") for line in shown.output.splitlines())
    rows = CliRunner().invoke(root, ["audit", "show", str(folder), "--json"]).output.splitlines()
    assert any("ADMIN OK" in json.loads(row)["text"] for row in rows)
