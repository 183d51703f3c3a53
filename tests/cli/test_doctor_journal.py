"""`bedplate doctor journal`: what is in it, what is wrong with it, taken out, put right; no kernel needed."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Shell
from tests.runtime.plant import plant, until, value

from bedplate.journal.survey import survey

TEXT = """
types: {box: {use: counter, placement: inline, scan_classes: {fast: 10ms}, tags: {number: {address: a, scan: fast}}}}
connectors: {box: {type: box, each: {one: {}, two: {}}}}
analytics: {sums: {use: sums, placement: inline, for: box, of: number}}
"""


async def fill(folder: Path, upto: int = 60) -> None:
    async with plant(folder, TEXT) as kernel:
        await until(lambda: (value(kernel, "one/number") or 0) > upto)


def chunks(folder: Path) -> list[Any]:
    with sqlite3.connect(folder / "journal" / "journal.sqlite3") as database:
        return database.execute("SELECT last, body FROM chunks ORDER BY last").fetchall()


def flip(folder: Path) -> int:
    """One bit of the newest payload of a chunk; returns the chunk's position."""
    last, body = chunks(folder)[2]
    with sqlite3.connect(folder / "journal" / "journal.sqlite3") as database:
        changed = body[:-1] + bytes([body[-1] ^ 1])
        database.execute("UPDATE chunks SET body = ? WHERE last = ?", (changed, last))
    database.close()
    return int(last)


async def test_a_sound_journal_is_counted_and_nothing_is_touched(
    tmp_path: Path, shell: Shell
) -> None:
    await fill(tmp_path)
    before = contents(tmp_path)
    done = shell("doctor", "journal", "verify", str(tmp_path))
    assert done.code == 0
    assert "✔ sound" in done.out
    found = json.loads(shell("doctor", "journal", "verify", str(tmp_path), "--json").out)
    assert found["sound"]
    assert found["streams"]["one/live"]["samples"] > 60
    assert found["records"] == sum(one["records"] for one in found["streams"].values())
    assert set(found["cursors"]) >= {"kernel", "sums"}
    assert contents(tmp_path) == before


async def test_a_floor_that_is_no_number_is_none(tmp_path: Path, shell: Shell) -> None:
    await fill(tmp_path, 20)
    with sqlite3.connect(tmp_path / "journal" / "journal.sqlite3") as database:
        database.execute("REPLACE INTO marks (name, value) VALUES ('floor', 'nonsense')")
    database.close()
    for words in (("verify",), ("export",)):
        done = shell("doctor", "journal", *words, str(tmp_path))
        assert done.code == 0, done.err


async def test_losses_without_number_are_all_told(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(tmp_path)
    monkeypatch.setattr("bedplate.journal.damage.MOST", 2)
    with sqlite3.connect(tmp_path / "journal" / "journal.sqlite3") as database:
        broken = [last for last, _ in chunks(tmp_path)[1:9:2]]
        database.executemany(
            "UPDATE chunks SET head = x'00' WHERE last = ?", [(n,) for n in broken]
        )
    database.close()
    found = survey(tmp_path / "journal" / "journal.sqlite3")
    assert [loss.last for loss in found.unknown] == broken


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "journal").iterdir()}


async def test_it_may_be_looked_at_and_taken_out_beside_a_kernel_and_not_repaired(
    tmp_path: Path, shell: Shell
) -> None:
    async with plant(tmp_path, TEXT) as kernel:
        await until(lambda: (value(kernel, "one/number") or 0) > 30)
        await kernel.engine.synced(kernel.engine.state().appended)
        done = shell("doctor", "journal", "verify", str(tmp_path))
        assert (done.code, "in use by process" in done.out) == (0, True)
        assert shell("doctor", "journal", "export", str(tmp_path)).code == 0
        refused = shell("doctor", "journal", "repair", str(tmp_path))
        assert (refused.code, "is in use by process" in refused.err) == (2, True)
        seen = value(kernel, "one/number")
        await until(lambda: value(kernel, "one/number") > seen)
        assert not kernel.engine.state().failed


async def test_what_it_holds_is_taken_out_as_lines_and_as_csv(tmp_path: Path, shell: Shell) -> None:
    await fill(tmp_path)
    lines = shell("doctor", "journal", "export", str(tmp_path)).lines
    records = [json.loads(line) for line in lines]
    assert [r["position"] for r in records] == sorted(r["position"] for r in records)
    assert {r["kind"] for r in records} >= {"batch", "event"}
    mine = [s for r in records if r["kind"] == "batch" for s in r["samples"] if "two" in s[0]]
    done = shell("doctor", "journal", "export", str(tmp_path), "two/number", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    numbers = [int(row["value"]) for row in rows if row["value"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(rows) == sum(s[0] == "two/number" for s in mine)
    middle = rows[20]["received"]
    asked = ("two/number", "--from", middle, "--format", "csv")
    later = shell("doctor", "journal", "export", str(tmp_path), *asked)
    assert len(later.lines) == 1 + len(rows) - 20
    one = shell("doctor", "journal", "export", str(tmp_path), "--stream", "one/live").lines
    assert {json.loads(line)["stream"] for line in one} == {"one/live"}


def test_a_flipped_bit_is_found_declared_by_repair_and_sound_from_then_on(
    tmp_path: Path, shell: Shell
) -> None:
    asyncio.run(fill(tmp_path))
    last = flip(tmp_path)
    done = shell("doctor", "journal", "verify", str(tmp_path))
    assert done.code == 1
    assert f"record {last} of the journal of" in done.out
    taken = shell("doctor", "journal", "export", str(tmp_path))
    assert (taken.code, f"record {last} " in taken.err) == (1, True)
    repaired = shell("doctor", "journal", "repair", str(tmp_path))
    assert (repaired.code, "lost and declared" in repaired.out) == (1, True)
    again = shell("doctor", "journal", "verify", str(tmp_path))
    assert (again.code, "declared:" in again.out) == (0, True), again.out
    gaps = [g for line in shell("doctor", "journal", "export", str(tmp_path)).lines
            if (g := json.loads(line))["kind"] == "gap"]  # fmt: skip
    assert len(gaps) == 1
    assert "nothing was changed" in shell("doctor", "journal", "repair", str(tmp_path)).out


@pytest.mark.parametrize("how", ["cut", "ruined", "page"])
def test_a_broken_file_is_moved_aside_by_repair_and_a_kernel_goes_on_with_it(
    tmp_path: Path, shell: Shell, how: str
) -> None:
    asyncio.run(fill(tmp_path, 100))
    file = tmp_path / "journal" / "journal.sqlite3"
    whole = file.read_bytes()
    middle = len(whole) // 2 // 4096 * 4096
    broken = {
        "cut": whole[:middle],
        "ruined": b"ruined" * 1000,
        "page": whole[:middle] + bytes(4096) + whole[middle + 4096 :],
    }[how]
    file.write_bytes(broken)
    assert shell("doctor", "journal", "verify", str(tmp_path)).code == 1
    repaired = shell("doctor", "journal", "repair", str(tmp_path))
    assert repaired.code == 1
    assert "is now" in repaired.out
    (aside,) = (p for p in file.parent.glob("*.broken-*") if p.suffix[-1].isdigit())
    assert aside.read_bytes() == broken, "nothing of it is deleted"
    again = shell("doctor", "journal", "verify", str(tmp_path))
    assert again.code == 0, again.out
    asyncio.run(fill(tmp_path, 10))


def test_what_is_no_journal_is_refused_with_one_reason(tmp_path: Path, shell: Shell) -> None:
    done = shell("doctor", "journal", "verify", str(tmp_path))
    assert (done.code, "there is no journal" in done.err) == (2, True)
    with sqlite3.connect(tmp_path / "journal.sqlite3") as database:
        database.executescript("PRAGMA application_id = 1112558156; PRAGMA user_version = 99;")
        database.execute("CREATE TABLE later (x)")
    database.close()
    before = (tmp_path / "journal.sqlite3").read_bytes()
    for command in ("verify", "export", "repair"):
        done = shell("doctor", "journal", command, str(tmp_path))
        assert (done.code, "newer Bedplate" in done.err) == (2, True), done
    assert (tmp_path / "journal.sqlite3").read_bytes() == before
