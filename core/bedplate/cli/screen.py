"""Where output for people goes: tables and lines on stdout, coloured and cut to the width on a terminal, plain and
whole everywhere else. Messages that are not the answer go to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDE = 2000  # columns where nobody counts them


class Screen:
    """One stream. terminal: whether a person looks at it; width: its columns."""

    def __init__(
        self, stream: TextIO | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.stream = stream or sys.stdout
        self.terminal = self.stream.isatty()
        colours = self.terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self.width = shutil.get_terminal_size().columns if self.terminal else WIDE
        self._colours = colours
        self._console = Console(
            file=StringIO(),  # what is printed is caught: rich ends the process when a reader goes away
            force_terminal=colours,
            color_system="auto" if colours else None,
            width=self.width,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    def show(self, what: Text | Table | Padding | str, *, wrap: bool = True) -> None:
        """Prints one thing and a line end; blanks at the ends of lines are left out where nobody sees them.

        wrap: long lines are broken between words; False leaves it to the terminal.
        """
        if not wrap and not self._colours:
            self.stream.write(f"{str(what).rstrip()}\n")
            return
        with self._console.capture() as caught:
            self._console.print(what, soft_wrap=not wrap)
        text = caught.get()
        if not self.terminal:
            text = "\n".join(line.rstrip() for line in text.split("\n"))
        self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. align: left or right; width: at least so many cells · gives: it gives way when the screen is
    narrow, by losing the end of its cells, or the beginning of those that are a Path · wraps: by going on below."""

    title: str = ""
    align: str = "left"
    width: int = 0
    gives: bool = False
    wraps: bool = False


def table(columns: Sequence[Column], rows: Iterable[Sequence[RenderableType]]) -> Table:
    """Rows below dim titles, two blanks between columns, no lines."""
    made = Table(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="dim",
        show_header=any(c.title for c in columns),
    )
    for column in columns:
        made.add_column(
            column.title,
            justify="right" if column.align == "right" else "left",
            min_width=max(column.width, cell_len(column.title)) or None,
            no_wrap=not (column.gives or column.wraps),
            overflow="fold" if column.wraps else "ellipsis",
        )
    for row in rows:
        made.add_row(*map(_cell, columns, row))
    return made


def _cell(column: Column, cell: RenderableType) -> RenderableType:
    if not column.gives or isinstance(cell, Path):
        return cell
    text = cell if isinstance(cell, Text) else Text(str(cell))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def indented(what: Table | Text) -> Padding:
    return Padding(what, (0, 0, 0, 2), expand=False)


class Path:
    """A path in a cell: where it does not fit, it loses its beginning, which the others share, not its end."""

    def __init__(self, text: str, style: str = "") -> None:
        self.text = text
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(shortened(self.text, options.max_width), self.style, no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = cell_len(self.text)
        return Measurement(min(width, 16), width)


def shortened(path: str, width: int) -> str:
    """The longest tail of whole levels that fits behind …/, or what fits of the last one."""
    if cell_len(path) <= width:
        return path
    levels = path.split("/")
    for drop in range(1, len(levels)):
        tail = "…/" + "/".join(levels[drop:])
        if cell_len(tail) <= width:
            return tail
    return chop_cells(levels[-1], max(1, width - 1))[0] + "…"
