"""my-thing: writes what comes to a CSV file, and goes on where it stopped.

A program of its own beside Bedplate, and a client of bedplate.api.v1 only: it may run on another machine, in another
version, and end without anybody noticing.
"""

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import bedplate
from bedplate.client import Update

AGAIN_AFTER = 2.0  # s, when no Bedplate answers


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    book = Book(options.file)
    while True:
        try:
            follow(book, options.selectors, options.rows, options.endpoint)
            return 0
        except KeyboardInterrupt:
            return 130
        except bedplate.CallError as error:
            print(f"my-thing: {error}", file=sys.stderr)
            if error.code not in ("UNAVAILABLE", "ABORTED"):
                return 2
            time.sleep(AGAIN_AFTER)


class Book:
    """The file, and beside it the token of what is in it. After a crash the last update may stand there twice."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.mark = file.with_name(f"{file.name}.token")
        self.rows = 0

    @property
    def token(self) -> bytes | None:
        return self.mark.read_bytes() if self.mark.exists() else None

    def add(self, rows: Sequence[Sequence[object]], token: bytes) -> None:
        with self.file.open("a", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(rows)
        self.mark.write_bytes(token)
        self.rows += len(rows)


def follow(book: Book, selectors: Sequence[str], wanted: int, endpoint: str | None) -> None:
    """Until so many rows are written; 0: for ever. Raises bedplate.CallError."""
    with bedplate.connect(endpoint) as plant:
        with plant.subscribe(*selectors, resume=book.token) as updates:
            for update in updates:
                if update.lost:
                    print(f"my-thing: {update.lost} records were gone before", file=sys.stderr)
                book.add(rows_of(update), update.resume_token)
                if wanted and book.rows >= wanted:
                    return


def rows_of(update: Update) -> list[tuple[object, ...]]:
    """Path, time in UTC, value, quality: one row a sample."""
    found: list[tuple[object, ...]] = []
    for path, series in update.items():
        times = np.datetime_as_string(series.time, unit="ms").tolist()
        values, quality = series.value.tolist(), series.quality.tolist()
        found += zip([path] * len(times), times, values, quality, strict=True)
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="my-thing", description="Writes what comes to a file.")
    parser.add_argument("selectors", nargs="*", help="tags, such as '**/power'; none: all")
    parser.add_argument("--file", type=Path, default=Path("my-thing.csv"), help="where to")
    parser.add_argument("--rows", type=int, default=0, help="end after so many; 0: never")
    parser.add_argument("--endpoint", help="host:port; by default the Bedplate of this machine")
    return parser.parse_args(arguments)
