"""What answers look like: pages, types, server times, flags, refusals; and that any tool reads the files."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from plugins.history.tests.driving import (
    SUBNORMAL,
    Journal,
    asked,
    deliver,
    expected,
    files,
    opened,
    same,
)

from bedplate.contracts import Aggregate, Delivery, Query, Refused
from bedplate.model import Batch, Body, DataType, Flag, Record, TagInfo, TagTable
from bedplate.model import quality as codes
from bedplate.wire import encode_batch
from bedplate_history import plan

FAR = 2**62
EVERYTHING = lambda path: True  # noqa: E731


def bulk(folder: Path, batches: int, rows: int, tags: int, seal: int) -> tuple[object, int]:
    """A history of large batches; sample number i of all has time i and value i."""
    history = opened(folder, seal={"rows": seal, "age": "1h"})
    table = TagTable(7, [TagInfo(n + 1, f"bulk/{n:02}", DataType.FLOAT64) for n in range(tags)])
    for number in range(batches):
        index = np.arange(number * rows, (number + 1) * rows)
        batch = Batch.of((index % tags + 1).astype(np.uint32), index, index.astype(float))
        record = Record(number + 1, "s/live", 7, number + 1, 0, Body.BATCH, encode_batch(batch))
        history.deliver(Delivery([record], table, number + 1))
    return history, batches * rows


def test_a_long_answer_comes_in_pages_of_at_most_50_000_samples_by_tag_then_time(
    tmp_path: Path,
) -> None:
    history, total = bulk(tmp_path, batches=30, rows=10_000, tags=7, seal=90_000)
    pages = list(history.query(Query(("**",), 0, total)))
    assert len(pages) >= 6
    assert all(sum(map(len, page.batches)) <= 50_000 for page in pages)
    assert all(page.tags == pages[0].tags for page in pages)
    tags = np.concatenate([b.tags() for page in pages for b in page.batches])
    times = np.concatenate([b.times() for page in pages for b in page.batches])
    values = np.concatenate([b.value for page in pages for b in page.batches])
    assert len(times) == total
    assert (values == times).all()
    order = np.lexsort((times, tags))
    assert (order == np.arange(total)).all()
    progress = [page.progress for page in pages]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    history.close()


def test_pages_of_large_texts_are_short(tmp_path: Path) -> None:
    history, journal = opened(tmp_path), Journal()
    texts = [str(n) * n for n in (300_000, 1, 0, 900_000, 900_000, 5_000_000, 2, 3)]
    for at, text in enumerate(texts):
        journal.batch(["a"], [at], [text], data_type=DataType.TEXT)
    deliver(history, journal)
    pages = list(history.query(Query(("a",), 0, 100)))
    sizes = [sum(len(b.value.joined) for b in page.batches) for page in pages]
    assert sum(size > 2_000_000 for size in sizes) <= sum(len(text) > 2_000_000 for text in texts)
    found = [value for page in pages for batch in page.batches for value in batch.value.tolist()]
    assert found == texts
    history.close()


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_an_answer_cut_into_many_statements_is_the_same(
    tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, journal = opened(tmp_path, seal={"rows": 50, "age": "1h"}), Journal()
    for i in range(120):
        journal.batch(["a/x", "a/y", "b/z"], [i * 10, i * 10 + 1, 5], [float(i), -float(i), 1.0])
        journal.batch(["a/t"], [i], [str(i)], data_type=DataType.TEXT)
    deliver(history, journal)
    monkeypatch.setattr(plan, "CHUNK", chunk)
    for more in (
        {"last_before": True},
        {"limit": 13, "last_before": True},
        *(
            {"aggregate": a, "every": e, "limit": n}
            for a in Aggregate
            for e in (0, 70)
            for n in (0, 3)
        ),
    ):
        got = asked(history, start=155, end=900, **more)
        same(got, expected(journal.samples, EVERYTHING, 155, 900, **more))
    history.close()


def test_server_times_and_flags_come_back_as_they_came(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 6, "age": "1h"}), Journal()
    for at in (0, 100):
        journal.batch(["a"] * 2, [at, at + 1], [1.0, 2.0], server_time=[at + 7, at + 8])
        journal.batch(["a"], [at + 2], [3.0], flags=Flag.LATE | Flag.OVERFLOW)
        journal.batch(["a"] * 2, [at + 3, at + 4], [4.0, 5.0], server_time=[at + 9])
        journal.batch(["b"], [at], [6.0])
        deliver(history, journal)
    (page,) = history.query(Query(("**",), 0, 1000))
    found = []
    for batch in page.batches:
        servers = [None] * len(batch) if batch.server_time is None else batch.server_time.tolist()
        found += [
            (page.tags[tag - 1].path, time, server, int(batch.flags))
            for tag, time, server in zip(batch.tags(), batch.times(), servers, strict=True)
        ]
    wanted = sorted(journal.samples, key=lambda s: (s.path, s.time))
    assert found == [(s.path, s.time, s.server_time, s.flags) for s in wanted]
    history.close()


def test_only_good_and_uncertain_samples_count_and_the_rest_makes_a_window_uncertain(
    tmp_path: Path,
) -> None:
    history, journal = opened(tmp_path), Journal()
    journal.batch(
        ["a"] * 6,
        [0, 1, 10, 11, 20, 30],
        [1.0, 3.0, 5.0, 100.0, 100.0, 7.0],
        [codes.GOOD, codes.GOOD, codes.GOOD, codes.BAD, codes.BAD, codes.UNCERTAIN],
    )
    deliver(history, journal)
    key = ("a", DataType.FLOAT64)
    average = asked(history, start=0, end=100, aggregate=Aggregate.AVERAGE, every=10)[key]
    assert average == [(0, 2.0, codes.GOOD), (10, 5.0, SUBNORMAL), (30, 7.0, SUBNORMAL)]
    last = asked(history, start=0, end=100, aggregate=Aggregate.LAST, every=10)[key]
    assert last == [(0, 3.0, codes.GOOD), (10, 5.0, codes.GOOD), (30, 7.0, codes.UNCERTAIN)]
    history.close()


def test_a_path_that_changed_its_type_is_two_tags(tmp_path: Path) -> None:
    history, journal = opened(tmp_path), Journal()
    journal.batch(["a"], [1], [1.5])
    journal.batch(["a"], [2], [2], data_type=DataType.INT64)
    deliver(history, journal)
    assert asked(history, "a") == {
        ("a", DataType.FLOAT64): [(1, 1.5, 0)],
        ("a", DataType.INT64): [(2, 2, 0)],
    }
    history.close()


def test_two_values_at_one_instant_are_both_kept_in_the_order_they_came(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 3, "age": "1h"}), Journal()
    for value in range(10):
        journal.batch(["a"], [5], [float(value)])
        deliver(history, journal)
    wanted = [(5, float(value), 0) for value in range(10)]
    assert asked(history)[("a", DataType.FLOAT64)] == wanted
    last = asked(history, start=0, end=10, aggregate=Aggregate.LAST)
    assert last[("a", DataType.FLOAT64)] == [(0, 9.0, 0)]
    history.close()


def test_questions_without_sense_are_refused_in_words(tmp_path: Path) -> None:
    history, journal = opened(tmp_path), Journal()
    journal.batch(["a/t"], [1], ["on"], data_type=DataType.TEXT)
    journal.batch(["a/x"] * 3, [1, 2, 3], [1.0, 2.0, 3.0])
    deliver(history, journal)
    for query, words in (
        (Query(("a/t",), 0, 10, 0, Aggregate.AVERAGE), "a/t is text, which has no average"),
        (Query(("a//t",), 0, 10), None),
        (Query(("a//*",), 0, 10), "empty level"),
        (Query(("**",), 0, 10, -1), "between 1 ns and 146 years"),
    ):
        if words is None:
            assert [len(page.tags) for page in history.query(query)] == [0]
            continue
        with pytest.raises(Refused, match=words):
            list(history.query(query))
    (page,) = history.query(Query(("**",), 0, 10, 0, Aggregate.AVERAGE))
    assert [tag.path for tag in page.tags] == ["a/x"], "what has no average is left out"
    (page,) = history.query(Query(("nobody",), 0, 10))
    assert (len(page.tags), page.progress) == (0, 1.0)
    history.close()


def test_an_enormous_limit_is_no_limit_while_there_are_fewer_samples(tmp_path: Path) -> None:
    history, journal = opened(tmp_path), Journal()
    journal.batch(["a"] * 3, [1, 2, 3], [1.0, 2.0, 3.0])
    deliver(history, journal)
    assert len(asked(history, limit=2**64 - 1)[("a", DataType.FLOAT64)]) == 3
    history.close()


def test_times_at_the_ends_of_the_calendar_break_no_question(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 3, "age": "1h"}), Journal()
    for at in (-(2**63), -(2**63) + 1, -1, 0, 2**63 - 2, 2**63 - 1):
        journal.batch(["a"], [at], [1.0])
        deliver(history, journal)
    key = ("a", DataType.FLOAT64)
    ends = {"start": -(2**63), "end": 2**63 - 1}
    first, last = -(2**62), 2**63 - 3
    times = [at for at, _, _ in asked(history, **ends)[key]]
    assert times == [first, first, -1, 0, last, last]
    for every in (0, 1, 10**9 + 7, 2**62):
        got = asked(history, every=every, aggregate=Aggregate.SUM, **ends)[key]
        assert sum(value for _, value, _ in got) == 6
    assert len(asked(history, limit=2, last_before=True, **ends)[key]) == 2
    history.close()


def test_a_history_that_closes_ends_the_answers_under_way(tmp_path: Path) -> None:
    history, _ = bulk(tmp_path, batches=30, rows=10_000, tags=7, seal=90_000)
    pages = history.query(Query(("**",), 0, FAR))
    next(pages)
    history.close()
    with contextlib.suppress(ConnectionError):
        list(pages)
    with pytest.raises(ConnectionError):
        list(history.query(Query(("**",), 0, FAR)))
    history = opened(tmp_path)
    assert len(asked(history)) == 7
    history.close()


def test_queries_need_no_network_and_reach_no_other_file(tmp_path: Path) -> None:
    history = opened(tmp_path)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    reader = history._reader
    for sql in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.parquet'",
        f"ATTACH '{tmp_path}/other.db'",
        "INSTALL httpfs",
        "SET threads = 64",
    ):
        with pytest.raises(duckdb.Error):
            list(reader.rows(sql, {}, {}))
    history.close()


def test_a_path_with_quotes_and_sql_in_it_is_only_a_path(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 2, "age": "1h"}), Journal()
    odd = ["a/'; DROP TABLE x; --", 'b/"x"', "c/%s", "d/$path", "e/über 日本"]
    for at in range(3):
        journal.batch(odd, [at] * len(odd), [1.0] * len(odd))
        deliver(history, journal)
    for path in odd:
        assert asked(history, path) == expected(journal.samples, path.__eq__, -FAR, FAR)
    history.close()


def test_any_tool_reads_the_files_alone_or_together(tmp_path: Path) -> None:
    history, journal = opened(tmp_path, seal={"rows": 7, "age": "1h"}), Journal()
    for at in range(6):
        journal.batch(["a/x", "a/y"], [at, at], [float(at), -1.0], [codes.GOOD, codes.BAD])
        journal.batch(["a/t"], [at], ["on"], data_type=DataType.TEXT)
    deliver(history, journal)
    history.close()
    assert len(files(tmp_path)) == 3
    every = duckdb.sql(
        f"SELECT path, epoch_ns(time), coalesce(float64::VARCHAR, text), quality, position "
        f"FROM '{tmp_path}/samples/*.parquet' ORDER BY position, path"
    ).fetchall()
    wanted = [(s.path, s.time, str(s.value), s.quality, s.position) for s in journal.samples]
    assert every == wanted
    table = pq.read_table(files(tmp_path)[0])
    assert table.column_names == [
        *("path", "time", "float64", "int64", "uint64", "bool", "text", "blob"),
        *("quality", "server_time", "flags", "position"),
    ]
    times = table.column("time").cast("int64").to_pylist()
    rows = list(zip(table.column("path").to_pylist(), times, strict=True))
    assert rows == sorted(rows)


def test_each_sample_is_in_an_answer_once_while_it_is_delivered_sealed_and_merged(
    tmp_path: Path,
) -> None:
    history, journal = opened(tmp_path, seal={"rows": 40, "age": "1h"}, threads=1), Journal()
    for at in range(2000):
        journal.batch(["a/x", "a/y"], [at], [float(at), 0.5])
    given = [0]

    def feed() -> None:
        while given[0] < 2000:
            deliver(history, journal, journal.records[given[0] : given[0] + 7])
            given[0] = min(given[0] + 7, 2000)
            time.sleep(0.002)

    feeder = threading.Thread(target=feed)
    feeder.start()
    answers, before, after = 0, 0, 0
    while after < 2000:
        before = given[0]
        got = asked(history, "a/x").get(("a/x", DataType.FLOAT64), [])
        after = given[0]
        assert got == [(at, float(at), 0) for at in range(len(got))]
        assert before <= len(got) <= min(after + 7, 2000)
        answers += 1
    feeder.join()
    assert answers > 10
    assert len(files(tmp_path)) > 3
    history.close()
