"""What earlier versions wrote, kept as files: read, written on, and, when a newer version wrote it, left alone (R20).

The journal has its own: tests/journal/test_fixtures.py. A fixture is made once for each format and never again:
`python -m tests.upgrade.test_upgrade_fixtures FOLDER`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from plugins.history.tests.driving import asked, opened
from plugins.history.tests.feeding import TAGS, record, samples

from bedplate import Invalid
from bedplate.audit.entry import Stamps
from bedplate.audit.log import ChainLog
from bedplate.audit.verify import verify
from bedplate.contracts import Delivery
from bedplate.gate.audit import Audit, Entry
from bedplate.model import TagTable
from bedplate.planning.store import Applied, DeploymentStore, StoreError, digest
from bedplate.testing import FakeClock

FIXTURES = Path(__file__).with_name("fixtures")
COUNT = 40
CONTENT, TABLE = b"bedplate: 1\nname: press-shop\n", b"name,host\npress-07,10.0.0.7\n"


def named(what: str) -> list[str]:
    return sorted(path.name for path in FIXTURES.glob(f"{what}-*"))


def whole(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def copied(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    shutil.copytree(FIXTURES / name, folder)
    for path in (folder, *folder.rglob("*")):  # git keeps no modes
        path.chmod(0o700 if path.is_dir() else 0o600)
    return folder


async def note(folder: Path, *actions: str) -> None:
    clock = FakeClock(10**18)
    audit = Audit(ChainLog(folder, Stamps(clock)), clock)
    await audit.open()
    for action in actions:
        assert await audit.write(Entry(action, "allowed", "anna", resource="press-07"))
    await audit.close()


@pytest.mark.parametrize("name", named("audit"))
async def test_an_audit_log_of_an_earlier_version_is_written_on_and_not_a_byte_changed(
    tmp_path: Path, name: str
) -> None:
    folder = copied(tmp_path, name)
    before = (folder / "audit.jsonl").read_bytes()
    await note(folder, "tags.write")
    after = (folder / "audit.jsonl").read_bytes()
    assert after.startswith(before)
    lines = [json.loads(line) for line in after.splitlines()]
    told = [line["action"] for line in lines][-4:]
    assert told == ["audit.begin", "audit.start", "tags.write", "audit.stop"]
    assert "bytes that are no chain" in lines[-4]["text"]
    assert verify(folder).whole
    assert {"time", "action", "verdict", "who", "resource"} <= set.intersection(*map(set, lines))


def history_values(folder: Path) -> dict[str, set[object]]:
    history = opened(folder)
    try:
        answer = asked(history, "**")
    finally:
        history.close()
    return {path: {value for _, value, _ in rows} for (path, _), rows in answer.items()}


def feed(folder: Path, first: int, last: int) -> None:
    history = opened(folder, seal={"rows": 50, "age": "50ms"}, threads=1)
    records = [record(position) for position in range(first, last + 1)]
    history.deliver(Delivery(records, TagTable(7, TAGS), last))
    history.close()


@pytest.mark.parametrize("name", named("history"))
def test_a_history_of_an_earlier_version_is_read_and_written_on(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path, name)
    history = opened(folder)
    assert history.cursor() == COUNT
    history.close()
    feed(folder, COUNT + 1, COUNT + 20)
    found = history_values(folder)
    wanted: dict[str, set[object]] = {}
    for position in range(1, COUNT + 1):
        for path, _, value in samples(position):
            wanted.setdefault(path, set()).add(value)
    for path, values in wanted.items():
        assert values <= found[path]


@pytest.mark.parametrize("name", named("history"))
def test_a_history_of_a_newer_version_is_refused_with_one_reason_and_left_as_it_is(
    tmp_path: Path, name: str
) -> None:
    folder = copied(tmp_path, name)
    with sqlite3.connect(folder / "catalogue.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = whole(folder)
    with pytest.raises(Invalid, match="newer version of this plugin"):
        opened(folder)
    assert whole(folder) == before


@pytest.mark.parametrize("name", named("deployments"))
def test_deployments_of_an_earlier_version_are_read_and_kept_on(tmp_path: Path, name: str) -> None:
    store = DeploymentStore(copied(tmp_path, name))
    assert store.numbers() == [2, 1]
    found = store.load(1)
    assert (found.by, found.content, found.tables) == ("anna", CONTENT, {"presses.csv": TABLE})
    assert store.keep(found).number == 3
    assert store.broken == []


@pytest.mark.parametrize("name", named("deployments"))
def test_a_deployment_of_a_newer_version_is_told_passed_over_and_left_as_it_is(
    tmp_path: Path, name: str
) -> None:
    store = DeploymentStore(copied(tmp_path, name))
    meta = store.folder / "000002" / "meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"format": 99}))
    before = whole(store.folder)
    with pytest.raises(StoreError, match="newer Bedplate"):
        store.load(2)
    newest = store.newest()
    assert newest is not None
    assert newest.number == 1
    assert whole(store.folder) == before


def test_there_is_a_fixture_of_each() -> None:
    assert all(map(named, ("audit", "history", "deployments")))


def make(folder: Path) -> None:
    folder.mkdir(parents=True)
    asyncio.run(note(folder / "audit-1", "tags.write", "admin.apply"))
    feed(folder / "history-1", 1, COUNT)
    store = DeploymentStore(folder / "deployments-1")
    tables = {"presses.csv": TABLE}
    for by in ("anna", "ben"):
        sha = digest(CONTENT, tables)
        store.keep(Applied(0, 10**18, by, sha, "plant.yaml", CONTENT, tables))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
