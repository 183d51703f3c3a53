"""kill -9, cut-off files, a full disk: it starts always, files and cursor agree, nothing is in it twice."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from plugins.history.tests import feeding
from plugins.history.tests.driving import (
    Journal,
    asked,
    crash,
    deliver,
    expected,
    files,
    opened,
    same,
    sealed,
    until,
)
from tests.counts import count

from bedplate.contracts import Invalid
from bedplate.model import DataType

ROOT = Path(__file__).parents[3]
FAR = 2**62
KILLS = count(20, 50)


def filled(folder: Path, batches: int = 60, rows: int = 10) -> Journal:
    """A closed history of several segments."""
    journal = Journal()
    history = opened(folder, seal={"rows": rows, "age": "1h"})
    for i in range(batches):
        journal.batch(["a/x", "a/y"], [i * 10, i * 10 + 1], [float(i), -float(i)])
    deliver(history, journal)
    history.close()
    return journal


def right(folder: Path, journal: Journal) -> list[str]:
    """Delivers the rest and compares with the model. Returns the notes."""
    notes: list[str] = []
    history = opened(folder, notes)
    deliver(history, journal)
    same(asked(history), expected(journal.samples, lambda path: True, -FAR, FAR))
    history.close()
    return notes


@contextmanager
def feeder(folder: Path, seed: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
         "from plugins.history.tests.feeding import *; feed(Path(sys.argv[1]), int(sys.argv[2]))",
         str(folder), str(seed)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def fed(folder: Path, seed: int, seconds: float) -> int:
    """Feeds for some time and kills. Returns the last durable position that was told."""
    with feeder(folder, seed) as process:
        first = process.stdout.readline()
        if not first:
            pytest.fail(f"it did not start:\n{process.stderr.read()}", pytrace=False)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
    told = [first, *rest.splitlines(keepends=True)]
    return max(int(line) for line in told if line.endswith("\n"))


@pytest.mark.counted
@pytest.mark.timeout(300)
@pytest.mark.case("A59")
def test_killed_at_random_moments_it_starts_and_has_all_it_vouched_for_once(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    durable = 0
    for _ in range(KILLS):
        durable = max(durable, fed(tmp_path, rng.randrange(10**6), rng.uniform(0, 0.8)))
        notes: list[str] = []
        history = opened(tmp_path, notes, threads=1)
        cursor = history.cursor()
        assert cursor >= durable
        model: dict[tuple[str, DataType], list[tuple[int, object]]] = {}
        for position in range(1, cursor + 1):
            for path, at, value in feeding.samples(position):
                kind = DataType.TEXT if isinstance(value, str) else DataType.FLOAT64
                model.setdefault((path, kind), []).append((at, value))
        found = {key: [row[:2] for row in rows] for key, rows in asked(history).items()}
        for key, rows in model.items():
            rows.sort(key=lambda row: row[0])  # stable: positions rise within a time
            assert found[key] == rows
        assert found.keys() == model.keys()
        assert notes == []
        history.close()
    assert durable > 0
    assert list((tmp_path / "set-aside").iterdir()) == []
    assert len(files(tmp_path)) < 60, "small segments are merged"


def test_a_file_that_the_catalogue_does_not_know_is_gone_after_the_start(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    known = files(tmp_path)
    orphan = tmp_path / "samples" / f"{1000:020d}-{2000:020d}.parquet"
    shutil.copy(known[0], orphan)
    orphan.with_suffix(".parquet.tmp").write_bytes(b"PAR1 half of it")
    assert right(tmp_path, journal) == []
    assert not orphan.exists()
    assert files(tmp_path) == known
    assert list((tmp_path / "samples").glob("*.tmp")) == []


def test_foreign_files_are_moved_aside_with_one_note(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    (tmp_path / "samples" / "notes.txt").write_text("mine")
    (tmp_path / "samples" / "more.parquet").write_text("mine")
    (tmp_path / "samples" / "folder").mkdir()
    (note,) = right(tmp_path, journal)
    assert "3 foreign" in note
    assert "notes.txt" in note
    assert (tmp_path / "set-aside" / "notes.txt").read_text() == "mine"
    assert right(tmp_path, journal) == []


@pytest.mark.parametrize("harm", ["missing", "short", "garbled end"])
def test_a_broken_segment_is_set_aside_with_one_note_and_the_rest_answers(
    tmp_path: Path, harm: str
) -> None:
    journal = filled(tmp_path)
    victim = files(tmp_path)[1]
    first, last = (int(n) for n in victim.stem.split("-"))
    whole = victim.read_bytes()
    if harm == "missing":
        victim.unlink()
    else:
        victim.write_bytes(whole[:-100] if harm == "short" else whole[:-100] + bytes(100))
    left = [s for s in journal.samples if not first <= s.position <= last]
    notes: list[str] = []
    history = opened(tmp_path, notes)
    same(asked(history), expected(left, lambda path: True, -FAR, FAR))
    history.close()
    assert len(notes) == 1
    assert victim.name in notes[0]
    assert (tmp_path / "set-aside" / victim.name).exists() == (harm != "missing")
    history = opened(tmp_path, notes)
    same(asked(history), expected(left, lambda path: True, -FAR, FAR))
    history.close()
    assert len(notes) == 1, "said once"


def test_a_segment_that_breaks_while_it_runs_is_set_aside_and_the_answer_goes_on(
    tmp_path: Path,
) -> None:
    journal = filled(tmp_path)
    notes: list[str] = []
    history = opened(tmp_path, notes)
    victim = files(tmp_path)[2]
    first, last = (int(n) for n in victim.stem.split("-"))
    whole = bytearray(victim.read_bytes())
    whole[4:-600] = bytes(len(whole) - 604)  # the footer stands, the pages are gone
    victim.write_bytes(whole)
    left = [s for s in journal.samples if not first <= s.position <= last]
    same(asked(history), expected(left, lambda path: True, -FAR, FAR))
    same(asked(history), expected(left, lambda path: True, -FAR, FAR))
    assert len(notes) == 1
    assert victim.name in notes[0]
    assert (tmp_path / "set-aside" / victim.name).exists()
    history.close()


def test_a_broken_segment_does_not_stop_merging(tmp_path: Path) -> None:
    journal = filled(tmp_path, batches=21, rows=6)  # seven segments, one too few to merge
    assert len(files(tmp_path)) == 7
    victim = files(tmp_path)[3]
    whole = bytearray(victim.read_bytes())
    whole[4:200] = bytes(196)
    victim.write_bytes(whole)
    first, last = (int(n) for n in victim.stem.split("-"))
    notes: list[str] = []
    history = opened(tmp_path, notes, seal={"rows": 6, "age": "1h"})
    for i in range(30):
        journal.batch(["a/x", "a/y"], [i * 10, i * 10 + 1], [float(i), -float(i)])
    deliver(history, journal)
    sealed(history, journal.next - 1)
    history.close()
    assert [victim.name in note for note in notes] == [True]
    left = [s for s in journal.samples if not first <= s.position <= last]
    history = opened(tmp_path)
    same(asked(history), expected(left, lambda path: True, -FAR, FAR))
    history.close()


@pytest.mark.parametrize("harm", ["gone", "garbage", "cut"])
def test_a_lost_catalogue_is_read_again_from_the_segments(tmp_path: Path, harm: str) -> None:
    journal = filled(tmp_path)
    catalogue = tmp_path / "catalogue.sqlite"
    if harm == "gone":
        catalogue.unlink()
    elif harm == "garbage":
        catalogue.write_bytes(b"no database " * 1000)
    else:
        catalogue.write_bytes(catalogue.read_bytes()[:-5000])
    history = opened(tmp_path, notes := [])
    assert history.cursor() == journal.next - 1
    history.close()
    assert len(notes) == (harm != "gone")
    assert right(tmp_path, journal) == []


def test_after_a_lost_catalogue_what_a_merge_left_behind_counts_once(tmp_path: Path) -> None:
    journal = filled(tmp_path, batches=21, rows=6)
    inputs = {file.name: file.read_bytes() for file in files(tmp_path)}
    history = opened(tmp_path, seal={"rows": 6, "age": "1h"})
    for i in range(3):
        journal.batch(["a/x", "a/y"], [i * 10, i * 10 + 1], [float(i), -float(i)])
    deliver(history, journal)
    until(lambda: len(files(tmp_path)) == 1)
    history.close()
    merged = files(tmp_path)
    for name, content in inputs.items():
        (tmp_path / "samples" / name).write_bytes(content)
    (tmp_path / "catalogue.sqlite").unlink()
    assert right(tmp_path, journal) == []
    assert set(files(tmp_path)) <= set(merged)


def test_a_segment_says_in_its_own_file_what_the_catalogue_says(tmp_path: Path) -> None:
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as database:
        rows = dict(database.execute("SELECT file, rows FROM segments"))
    assert {file.name: pq.read_metadata(file).num_rows for file in files(tmp_path)} == rows


def test_a_folder_has_one_history(tmp_path: Path) -> None:
    history = opened(tmp_path)
    with pytest.raises(OSError, match="in use by another history"):
        opened(tmp_path)
    history.close()
    opened(tmp_path).close()


def test_a_folder_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    before = files(tmp_path)
    with pytest.raises(Invalid, match="newer version"):
        opened(tmp_path)
    assert files(tmp_path) == before
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as database:
        database.execute("PRAGMA user_version = 1")
    right(tmp_path, journal)


def test_a_disk_that_takes_no_more_ends_the_session_and_loses_nothing(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    history = opened(tmp_path, seal={"rows": 1000, "age": "1h"})
    for i in range(2000):
        journal.batch(["a/x", "a/y"], [i * 10, i * 10 + 1], [float(i), -float(i)])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="nothing can be sealed"):
            until(lambda: deliver(history, journal) == journal.next - 1)
        crash(history)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "samples").glob("*.tmp")) == []
    assert right(tmp_path, journal) == []
