"""History against DuckDB: sealing, bytes, queries.

    python plugins/history/tests/bench_history.py [--rows 50_000_000] [--rounds 9] [--folder …]

Data as in a plant of 1,000 tags at 10 Hz, seeded: 40 % noisy, 30 % quantised by an ADC, 20 % steps, 10 % counters and
bits, all float64; time stamps of each sample jitter by ±0.5 ms ("own"), or all tags of a scan share one ("shared").

ingest    records of 10,000 samples, encoded, in memory → all in synced segments and in the catalogue; against DuckDB
          INSERT of the same columns (tag, time, value, quality) from Arrow, a commit for each 10,000 rows, one thread;
          rounds of both interleaved, each into an empty folder. DuckDB does not decode, sort or map handles.
bytes     the segments (with catalogue) against the DuckDB file after a checkpoint, same rows.
queries   one tag over ten minutes, 100 windows, against bare DuckDB on the same files: over all of them, and over only
          those that the catalogue would have named; interleaved, another tag and time each round.

Medians of the rounds with (min–max); ratios are medians of the ratios of the rounds. Foreign CPU: what other processes
used of the machine meanwhile, in cores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from bedplate.contracts import Aggregate, Delivery, Query
from bedplate.model import Batch, Body, DataType, Record, TagInfo, TagTable
from bedplate.wire import encode_batch
from bedplate_history import History

TAGS = 1000
ROWS = 10_000  # a record: one second of the plant
BEGIN = 1_780_000_000_000_000_000
SCAN = 100_000_000
PATHS = [f"plant/line{n // 100}/machine{n // 10}/signal{n % 10}" for n in range(TAGS)]
TABLE = TagTable(7, [TagInfo(n + 1, path, DataType.FLOAT64) for n, path in enumerate(PATHS)])
HANDLES = np.tile(np.arange(1, TAGS + 1, dtype=np.uint32), ROWS // TAGS)


def columns(second: int, shared: bool) -> tuple[Any, Any]:
    """Times and values of one record."""
    rng = np.random.default_rng([1, second])
    scan = np.arange(second * 10, second * 10 + ROWS // TAGS)[:, None]
    tag, seconds = np.arange(TAGS), scan * 0.1
    jitter = rng.integers(-500_000, 500_000, (len(scan), 1 if shared else TAGS))
    times = np.broadcast_to(BEGIN + scan * SCAN + jitter, (len(scan), TAGS))
    values = np.empty((len(scan), TAGS))
    noisy, adc, steps, counters = tag[:400], tag[400:700], tag[700:900], tag[900:950]
    values[:, noisy] = 20 + 10 * np.sin(seconds / 60 + noisy) + rng.normal(0, 0.3, (len(scan), 400))
    swing = 2048 + 1500 * np.sin(seconds / 97 + adc) + rng.normal(0, 4, (len(scan), 300))
    values[:, adc] = swing.round() * (10 / 4096)
    values[:, steps] = ((scan + steps * 37) // 300 * 7919 % 50) / 2
    values[:, counters] = np.floor(seconds * (1 + counters % 7))
    values[:, 950:] = (scan // (20 + tag[950:] % 50)) % 2
    return np.ascontiguousarray(times).ravel(), values.ravel()


def record(second: int, shared: bool) -> Record:
    times, values = columns(second, shared)
    payload = encode_batch(Batch(DataType.FLOAT64, HANDLES, times, values))
    return Record(second + 1, "plant/live", 7, second + 1, int(times[-1]), Body.BATCH, payload)


def opened(folder: Path, **settings: Any) -> History:
    history = History()
    history.config = History.Config.model_validate({"folder": str(folder), **settings})
    history.tags, history.component, history.path, history.epoch = [], "history", "history", 7
    history.note = print
    history.open()
    return history


# measuring ------------------------------------------------------------------------------------------------------------


def machine_cpu() -> tuple[float, float]:
    """Seconds of CPU used so far by the whole machine and by this process."""
    user, nice, system, _idle, _iowait, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    busy = (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
    return busy, time.process_time()


@contextmanager
def foreign(label: str) -> Iterator[None]:
    busy, own, wall = *machine_cpu(), time.perf_counter()
    yield
    busy2, own2 = machine_cpu()
    cores = (busy2 - busy - own2 + own) / (time.perf_counter() - wall)
    print(f"{'':9} foreign CPU during {label}: {max(cores, 0):.2f} cores", flush=True)


def spread(values: Iterable[float], scale: float = 1, digits: int = 2) -> str:
    ordered = sorted(value * scale for value in values)
    middle = statistics.median(ordered)
    return f"{middle:.{digits}f} ({ordered[0]:.{digits}f}–{ordered[-1]:.{digits}f})"


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


# ingest and bytes -----------------------------------------------------------------------------------------------------


def ours(folder: Path, records: list[Record]) -> None:
    history = opened(folder)
    for start in range(0, len(records), 4):
        some = records[start : start + 4]
        history.deliver(Delivery(some, TABLE, some[-1].position))
    history.close()  # seals the rest


def theirs(file: Path, tables: list[Any]) -> None:
    connection = duckdb.connect(str(file), config={"threads": 1})
    connection.execute(
        "CREATE TABLE h(tag UINTEGER, time TIMESTAMP_NS, value DOUBLE, quality UINTEGER)"
    )
    for table in tables:
        connection.register("fresh", table)
        connection.execute("INSERT INTO h SELECT * FROM fresh")
    connection.close()


def arrow(one: Record, shared: bool) -> Any:
    times, values = columns(one.position - 1, shared)
    stamps = pa.array(times).view(pa.timestamp("ns"))
    return pa.table(
        {"tag": HANDLES, "time": stamps, "value": values, "quality": np.zeros(ROWS, np.uint32)}
    )


def size(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def ingest(place: Path, rows: int, rounds: int, shared: bool) -> None:
    records = [record(second, shared) for second in range(rows // ROWS)]
    tables = [arrow(one, shared) for one in records]
    ours_s, ours_cpu, theirs_s, theirs_cpu, ratios, bytes_ = [], [], [], [], [], []
    kind = "shared" if shared else "own"
    with foreign(f"ingest, {kind} time stamps"):
        for number in range(rounds + 1):
            folder, file = place / "ours", place / "theirs.db"
            pair = [lambda f=folder: ours(f, records), lambda f=file: theirs(f, tables)]
            first = number % 2
            results = {}
            for which in (first, 1 - first):
                results[which] = timed(pair[which])
            if number:  # the first warms up
                ours_s.append(results[0][0])
                ours_cpu.append(results[0][1])
                theirs_s.append(results[1][0])
                theirs_cpu.append(results[1][1])
                ratios.append(results[1][0] / results[0][0])
                bytes_.append((size(folder), file.stat().st_size))
            shutil.rmtree(folder)
            for left in place.glob("theirs.db*"):
                left.unlink()
    print(f"ingest    {kind} time stamps, {rows:,} rows, {rounds} rounds")
    rate = lambda seconds: spread([rows / s for s in seconds], 1e-6)  # noqa: E731
    print(f"          sealed {rate(ours_s)} M/s · DuckDB INSERT {rate(theirs_s)} M/s")
    print(f"          ratio {spread(ratios)}   (target ≥ 2)")
    cpu = lambda seconds: spread(seconds, 1e9 / rows, 0)  # noqa: E731
    print(f"          CPU ns/sample: sealed {cpu(ours_cpu)}, DuckDB INSERT {cpu(theirs_cpu)}")
    own, other = (statistics.median(column) for column in zip(*bytes_, strict=True))
    print(
        f"bytes     {own / rows:.2f} against {other / rows:.2f} a sample: {own / other:.2f}x (target ≤ 0.65)"
    )


# queries --------------------------------------------------------------------------------------------------------------


def build(folder: Path, rows: int) -> None:
    """The history that is asked; the newest of it unsealed."""
    history = opened(folder)
    for second in range(rows // ROWS):
        history.deliver(Delivery([record(second, False)], TABLE, second + 1))
    history.close()


BARE = """
SELECT epoch_ns(time) // $every * $every AS time, {what} FROM read_parquet($files)
WHERE path = $path AND time >= make_timestamp_ns($start::BIGINT)::TIMESTAMPTZ_NS
AND time < make_timestamp_ns($end::BIGINT)::TIMESTAMPTZ_NS GROUP BY 1 ORDER BY 1
"""
WHATS = {
    Aggregate.AVERAGE: "avg(float64)",
    Aggregate.MINIMUM: "min(float64)",
    Aggregate.MAXIMUM: "max(float64)",
    Aggregate.FIRST: "arg_min(float64, time)",
    Aggregate.LAST: "arg_max(float64, time)",
}


def queries(folder: Path, rows: int, rounds: int, tail: int) -> None:
    """tail: seconds that are delivered again as unsealed ones after the files."""
    history = opened(folder, seal={"age": "1h"})
    last = history.cursor()
    for second in range(last, last + tail):
        history.deliver(Delivery([record(second, False)], TABLE, second + 1))
    files = sorted(map(str, (folder / "samples").glob("*.parquet")))
    bare = duckdb.connect(config={"threads": 2})
    bare.execute("SET parquet_metadata_cache = true")
    rng = np.random.default_rng(11)
    width, every = 600_000_000_000, 6_000_000_000
    print(f"queries   one tag of {TAGS:,}, ten minutes, 100 windows; {rows:,} rows in {len(files)} files, "
          f"{tail * ROWS:,} more in memory; ms")  # fmt: skip
    with foreign("queries"):
        for aggregate, what in WHATS.items():
            spent: dict[str, list[float]] = {"ours": [], "all": [], "named": []}
            for number in range(rounds + 2):
                tag = int(rng.integers(TAGS))
                start = BEGIN + int(rng.integers(max(1, last - 600))) * 1_000_000_000
                start -= start % every
                with history._archive.lock:
                    named = history._archive.segments.within(start, start + width)
                names = [str(folder / "samples" / s.file) for s in named]
                some = {"path": PATHS[tag], "start": start, "end": start + width, "every": every}
                query = Query((PATHS[tag],), start, start + width, every, aggregate)
                sql = BARE.format(what=what)
                calls = {
                    "ours": lambda q=query: list(history.query(q)),
                    "all": lambda p=some, s=sql: bare.execute(
                        s, {**p, "files": files}
                    ).fetchnumpy(),
                    "named": lambda p=some, s=sql, n=names: bare.execute(
                        s, {**p, "files": n}
                    ).fetchnumpy(),
                }
                order = list(calls)[number % 3 :] + list(calls)[: number % 3]
                for name in order:
                    seconds, _ = timed(calls[name])
                    if number > 1:
                        spent[name].append(seconds)
            against = {
                name: spread([a / b for a, b in zip(spent["ours"], spent[name], strict=True)])
                for name in ("all", "named")
            }
            print(f"          {aggregate.name.lower():8} {spread(spent['ours'], 1e3, 1):18} "
                  f"bare, all files {spread(spent['all'], 1e3, 1):18} ratio {against['all']:18} "
                  f"bare, named files {spread(spent['named'], 1e3, 1):18} ratio {against['named']}")  # fmt: skip
        more(history, rounds, last)
    history.close()


def more(history: History, rounds: int, last: int) -> None:
    end = BEGIN + (last + 3600) * 1_000_000_000
    questions = {
        "raw, one tag, newest minute": Query((PATHS[7],), end - 3_660_000_000_000, end),
        "raw, one tag, all of it": Query((PATHS[7],), 0, end),
        "newest sample of every tag": Query(("**",), 0, end, limit=1),
        "average of every tag, all of it": Query(("**",), 0, end, 0, Aggregate.AVERAGE),
    }
    for name, query in questions.items():
        spent = [
            timed(lambda q=query: list(history.query(q)))[0] for _ in range(max(3, rounds // 3) + 1)
        ]
        print(f"          {name}: {spread(spent[1:], 1e3, 1)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=lambda text: int(text.replace("_", "")), default=50_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--ingest-rows", type=lambda t: int(t.replace("_", "")), default=6_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    arguments = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="bench-history-", dir=arguments.folder))
    try:
        for shared in (False, True):
            ingest(place, arguments.ingest_rows, arguments.rounds, shared)
        seconds, _ = timed(lambda: build(place / "asked", arguments.rows))
        print(f"build     {arguments.rows:,} rows with making the data: {seconds:.0f} s")
        queries(place / "asked", arguments.rows, arguments.rounds, tail=60)
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
