"""Series of history as they are written: for people, for spreadsheets, for programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from rich.text import Text

from bedplate.cli.output import iso, json_value, sample, write_lines
from bedplate.cli.samples import clock, day, quality_text, unit, value
from bedplate.model import quality

if TYPE_CHECKING:
    from bedplate.cli.screen import Screen
    from bedplate.client import Series


def rows(series: Series) -> Iterator[tuple[int, Any, int]]:
    """(time, value, quality) in order."""
    return zip(series.time.tolist(), series.value.tolist(), series.quality.tolist(), strict=True)


class Writer(Protocol):
    """Takes series in the order they come; those of one tag may come in parts."""

    def write(self, series: Series) -> None: ...

    def end(self) -> None: ...


class People:
    """A heading per tag with times and values below; where nobody looks, one whole line a sample."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._tag = ""
        self._day = ""
        self._count = 0

    def write(self, series: Series) -> None:
        self._count += len(series)
        if self._screen.terminal:
            self._below_heading(series)
        else:
            self._whole_lines(series)

    def _below_heading(self, series: Series) -> None:
        if len(series) and series.path != self._tag:
            self._screen.show(("\n" if self._tag else "") + series.path)
            self._tag, self._day = series.path, ""
        for ns, one, code in rows(series):
            date = day(ns) if day(ns) != self._day else ""
            self._day = day(ns)
            line = Text.assemble(
                (f"  {date:<14}  {clock(ns)}", "dim"),
                f"  {value(series.tag, one, code):>12} {unit(series.tag)}  ",
                quality_text(code, quiet=True),
            )
            self._screen.show(line, wrap=False)

    def _whole_lines(self, series: Series) -> None:
        for ns, one, code in rows(series):
            text = f"{value(series.tag, one, code)} {unit(series.tag)}".rstrip()
            date = day(ns).split()[1]
            self._screen.stream.write(
                f"{date} {clock(ns)}  {series.path}  {text}  {quality.name(code)}\n"
            )

    def end(self) -> None:
        if not self._count:
            print("no samples in this range", file=sys.stderr)


class Spreadsheet:
    """RFC 4180 with a heading: time (ISO 8601, UTC), path, value, unit, quality."""

    def __init__(self, screen: Screen) -> None:
        self._csv = csv.writer(screen.stream)
        self._csv.writerow(("time", "path", "value", "unit", "quality"))

    def write(self, series: Series) -> None:
        self._csv.writerows(
            (iso(ns), series.path, json_value(one), series.unit, quality.name(code))
            for ns, one, code in rows(series)
        )

    def end(self) -> None:
        pass


class Programs:
    """JSON Lines: one object a sample."""

    def __init__(self, screen: Screen) -> None:
        pass

    def write(self, series: Series) -> None:
        write_lines(sample(series.path, ns, one, code) for ns, one, code in rows(series))

    def end(self) -> None:
        pass


WRITERS: dict[str, Callable[[Screen], Writer]] = {
    "table": People,
    "csv": Spreadsheet,
    "json": Programs,
}
