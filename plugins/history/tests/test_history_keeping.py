"""Sealing by age, cursors, merging, letting go, events, and records that can't be kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.history.tests.driving import (
    Journal,
    asked,
    deliver,
    expected,
    files,
    opened,
    same,
    sealed,
    until,
)
from pydantic import ValidationError

from bedplate.contracts import Delivery, Query
from bedplate.model import Batch, Body, DataType, TagTable
from bedplate.testing import FakeClock
from bedplate.wire import encode_batch
from bedplate_history import History
from bedplate_history.keeping import FAN, LARGEST, expired, mergeable
from bedplate_history.segment import Segment
from bedplate_history.settings import HistorySettings, parse_size

FAR = 2**62
DAY = 86_400_000_000_000


def segment(first: int, rows: int, newest: int, size: int = 100, received: int = 0) -> Segment:
    name = f"{first}"
    return Segment(name, first, first, first, newest, newest, received or newest, rows, size, b"\1")


def test_what_waits_longer_than_the_age_is_sealed_without_another_delivery(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"age": "100ms"}), Journal()
    journal.batch(["a"], [1], [1.0])
    assert deliver(history, journal) == 0, "in memory only"
    sealed(history, 1)
    assert len(files(tmp_path)) == 1
    assert deliver(history, journal, []) == 1
    history.close()


def test_large_texts_are_sealed_before_they_fill_the_memory(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 1000, "age": "1h"}), Journal()
    for at in range(20):
        journal.batch(["a"], [at], [str(at % 10) * 20_000], data_type=DataType.TEXT)
    deliver(history, journal)
    sealed(history, 4)
    assert len(asked(history)[("a", DataType.TEXT)]) == 20
    history.close()


def test_records_that_held_nothing_for_it_move_the_cursor(tmp_path: Path) -> None:
    history, journal = opened(tmp_path), Journal()
    assert history.deliver(Delivery([], TagTable(7), 500)) == 500
    journal.next = 501
    journal.batch(["a"], [1], [1.0])
    assert deliver(history, journal) == 500, "501 is in memory only"
    assert history.deliver(Delivery([], TagTable(7), 600)) == 500
    history.close()
    history = opened(tmp_path)
    assert history.cursor() == 600
    history.close()


def test_records_that_come_again_count_once(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 10, "age": "1h"}), Journal()
    for at in range(30):
        journal.batch(["a"], [at], [float(at)])
        deliver(history, journal, journal.records[max(0, at - 20) :])
    same(asked(history), expected(journal.samples, lambda path: True, -FAR, FAR))
    history.close()


def test_a_new_epoch_with_other_handles_means_the_same_tags(tmp_path: Path) -> None:
    history, journal = opened(tmp_path), Journal()
    journal.batch(["a", "b"], [1, 1], [1.0, 2.0])
    deliver(history, journal)
    journal.restart()
    record = journal.batch(["a", "b"], [2, 2], [3.0, 4.0])
    deliver(history, journal, [record])
    same(asked(history), expected(journal.samples, lambda path: True, -FAR, FAR))
    history.close()


def test_small_segments_become_larger_ones_and_nothing_changes(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 5, "age": "1h"}), Journal()
    for at in range(400):
        journal.batch(["a", "b", "ä"], [at, 400 - at, 7], [float(at), -float(at), 1.0])
        journal.batch(["a"], [at], [at], data_type=DataType.INT64)
    deliver(history, journal)
    until(lambda: len(files(tmp_path)) < 40 and history.cursor() >= 795)
    same(asked(history), expected(journal.samples, lambda path: True, -FAR, FAR))
    history.close()
    assert list((tmp_path / "samples").glob("*.tmp")) == []


def test_an_answer_that_began_before_a_merge_still_finds_its_files(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 2, "age": "1h"}), Journal()
    for at in range(6):
        journal.batch(["a", "b"], [at, at], [float(at), 1.0])
    deliver(history, journal)
    sealed(history, 6)
    before = files(tmp_path)
    pages = history.query(Query(("**",), -FAR, FAR))
    first = next(pages)
    assert sum(map(len, first.batches)) == 12
    for at in range(6, 12):
        journal.batch(["a", "b"], [at, at], [float(at), 1.0])
    deliver(history, journal)
    until(lambda: len(history._archive.segments) < 8)
    assert set(before) <= set(files(tmp_path)), "pinned by the answer under way"
    pages.close()
    until(lambda: not set(before) <= set(files(tmp_path)))
    history.close()


def clocked(folder: Path, now: int, **settings: Any) -> History:
    history = History()
    history.config = HistorySettings.model_validate({"folder": str(folder), **settings})
    history.note = lambda text: None
    history.clock = FakeClock(now)
    history.open()
    return history


def test_segments_older_than_the_age_go_by_source_time(tmp_path: Path) -> None:
    journal = Journal()
    history = clocked(tmp_path, 10 * DAY, seal={"rows": 1, "age": "1h"}, keep={"age": "3d"})
    for day in (5, 6, 8, 9):
        journal.next = day * 86_400  # its time of arrival, too
        journal.batch(["a"], [day * DAY], [float(day)])
        journal.event("e", day * DAY)
    deliver(history, journal)
    sealed(history, journal.next - 1)
    found = until(lambda: (got := asked(history)[("a", DataType.FLOAT64)]) and len(got) < 3 and got)
    assert [value for _, value, _ in found] == [8.0, 9.0]
    assert len(files(tmp_path)) == 2
    history.close()
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as database:
        assert database.execute("SELECT time FROM events").fetchall() == [(8 * DAY,), (9 * DAY,)]


def test_the_oldest_segments_go_when_there_is_no_room(tmp_path: Path) -> None:
    history = opened(tmp_path, seal={"rows": 1, "age": "1h"}, keep={"size": "12kB"})
    journal = Journal()
    for at in range(60):
        journal.batch(["a"], [at], [float(at)])
        deliver(history, journal)
    sealed(history, 60)
    until(lambda: sum(file.stat().st_size for file in files(tmp_path)) <= 12_000)
    history.close()
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 12_000
    history = opened(tmp_path)
    times = [time for time, _, _ in asked(history)[("a", DataType.FLOAT64)]]
    assert times == list(range(times[0], 60)), "the newest stay, without a hole"
    history.close()


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 50)), max_size=20),
    st.integers(0, 120),
    st.none() | st.integers(1, 100),
    st.none() | st.integers(1, 300),
)
def test_what_expires_is_the_oldest_and_what_stays_fits(
    made: list[tuple[int, int]], now: int, age: int | None, size: int | None
) -> None:
    segments = [segment(n, 1, newest, size) for n, (newest, size) in enumerate(made)]
    gone = expired(segments, now, age, size)
    kept = [one for one in segments if one not in gone]
    assert all(a.newest <= b.newest for a in gone for b in kept)
    if age is not None:
        assert all(one.newest >= now - age for one in kept)
    if size is not None:
        assert sum(one.size for one in kept) <= size
    if age is None and size is None:
        assert not gone


@given(
    st.lists(st.integers(1, 5000), max_size=120),
    st.integers(1, 1000),
    st.none() | st.integers(1, 50),
)
def test_merging_ends_and_leaves_few(sizes: list[int], rows: int, span: int | None) -> None:
    segments = [segment(n, size, n) for n, size in enumerate(sizes)]
    merges = 0
    while run := mergeable(segments, rows, span):
        place = segments.index(run[0])
        assert segments[place : place + len(run)] == run, "neighbours"
        assert len(run) == FAN
        total = sum(one.rows for one in run)
        assert total <= rows * LARGEST
        assert span is None or run[-1].received - run[0].received <= span
        segments[place : place + FAN] = [segment(place, total, run[-1].received)]
        merges += 1
    assert merges <= len(sizes)


def test_events_are_kept_with_their_source_time_and_kind(tmp_path: Path) -> None:
    history, journal = opened(tmp_path), Journal()
    journal.event("press/hot", 5)
    journal.event("press/cold", 6)
    deliver(history, journal)
    history.close()
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as database:
        rows = database.execute(
            "SELECT position, source, time, kind, payload FROM events"
        ).fetchall()
    assert rows == [
        (1, "press/hot", 5, 4, journal.records[0].payload),
        (2, "press/cold", 6, 4, journal.records[1].payload),
    ]
    history = opened(tmp_path)
    assert history.cursor() == 2
    history.close()


def test_a_record_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    notes: list[str] = []
    history, journal = opened(tmp_path, notes), Journal()
    journal.batch(["a"], [1], [1.0])
    journal.append(Body.BATCH, b"\xff no batch")
    journal.append(Body.EVENT, b"\xff no event")
    journal.append(Body.BATCH, encode_batch(Batch.of([99], [1], [1.0])))
    journal.append(Body.BATCH, encode_batch(Batch.of([1], np_empty(), [1.0])))
    journal.append(Body.GAP, b"")
    journal.batch(["a"], [2], [2.0])
    deliver(history, journal)
    same(asked(history), expected(journal.samples, lambda path: True, -FAR, FAR))
    history.close()
    assert len(notes) == 1
    assert "record 2 of press/live can't be kept" in notes[0]
    kept = sorted(file.name for file in (tmp_path / "set-aside").iterdir())
    assert kept == ["record-2.batch", "record-3.event", "record-4.batch", "record-5.batch"]
    assert (tmp_path / "set-aside" / "record-2.batch").read_bytes() == b"\xff no batch"


def np_empty() -> Any:
    import numpy as np

    return np.empty(0, np.int64)


def test_a_unit_that_changes_is_told_from_then_on(tmp_path: Path) -> None:
    from dataclasses import replace

    history, journal = opened(tmp_path), Journal()
    journal.handle("a", DataType.FLOAT64, unit="Cel")
    journal.batch(["a"], [1], [1.0])
    deliver(history, journal)
    key = ("a", DataType.FLOAT64)
    journal.tags[key] = replace(journal.tags[key], unit="K")
    journal.append(Body.TAGS, b"")
    deliver(history, journal, journal.records[-1:])
    history.close()
    history = opened(tmp_path)
    (page,) = history.query(Query(("a",), 0, 10))
    assert page.tags[0].unit == "K"
    history.close()


def test_settings_are_as_an_operator_writes_them() -> None:
    text = {"folder": "/var/lib/bedplate/history", "keep": {"age": "400d", "size": "300GB"}}
    settings = HistorySettings.model_validate(text)
    assert settings.keep.size == 300_000_000_000
    assert settings.keep.age == 400 * 86_400
    assert settings.seal.rows == 2_000_000
    again = settings.model_dump(mode="json")
    assert again["keep"] == {"age": "400d", "size": "300GB"}
    assert HistorySettings.model_validate(again) == settings
    assert parse_size("1.5 GiB") == 3 * 2**29


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"folder": "x", "keep": {"size": "300"}},
        {"folder": "x", "keep": {"age": "-1d"}},
        {"folder": "x", "keep": {"age": "0s"}},
        {"folder": "x", "seal": {"rows": 0}},
        {"folder": "x", "compression": "best"},
    ],
)
def test_wrong_settings_are_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HistorySettings.model_validate(wrong)


def test_a_clock_that_is_set_ten_years_ahead_lets_nothing_go(tmp_path: Path) -> None:
    journal = Journal()
    journal.next = 20_000 * 86_400  # in 2024
    history = clocked(tmp_path, 20_000 * DAY, seal={"rows": 1, "age": "1h"}, keep={"age": "3d"})
    history.clock.jump(3652 * 86_400)
    for at in (5, 20_000 * DAY, 25_000 * DAY):  # 1970, now, and a device in the future
        journal.batch(["a"], [at], [1.0])
    deliver(history, journal)
    sealed(history, journal.next - 1)
    history._keeper._retain()
    assert len(asked(history)[("a", DataType.FLOAT64)]) == 3
    history.clock.jump(-3652 * 86_400)
    history._keeper._retain()
    assert len(asked(history)[("a", DataType.FLOAT64)]) == 3
    history.clock.advance(4 * 86_400)  # time passes, and they are four days old
    history._keeper._retain()
    until(lambda: not asked(history))
    history.close()
