"""The first block of `bedplate status`: one cause, one line, and beside it the command that tells more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from bedplate.cli.screen import Column, indented, table
from bedplate.shown import age_text, plain

if TYPE_CHECKING:
    from bedplate.client.status import Cause, Status

HEAVY = {"faulted", "invalid", "unreachable", "away", "Bad", "NOT STORED"}  # values are missing
BESIDE = 50  # columns that the words need, or the command goes below them
LONGEST = 1000  # characters


def problems(status: Status, width: int) -> Iterator[Any]:
    """width: 0 when nobody counts columns."""
    if not status.problems:
        yield Text("  no problems", "green")
        return
    count = len(status.problems)
    yield Text(f"  {count} problem{'s' * (count > 1)}", "bold")
    if status.causes:
        yield from _causes(status, width)
    else:  # of a kernel of an earlier version
        rows = [(mark(heavy=True), Text(plain(text, LONGEST))) for text in status.problems]
        yield indented(table([Column(), Column(wraps=True)], rows))


def _causes(status: Status, width: int) -> Iterator[Any]:
    first = max(cell_len(one.subject) for one in status.causes)
    hints = max(cell_len(one.hint) for one in status.causes)
    beside = not width or width - first - hints - 11 >= BESIDE
    columns = [Column(), Column(), Column(wraps=True), *[Column()] * beside]
    rows = [_row(one, status.now, beside=beside) for one in status.causes]
    yield indented(table(columns, rows))


def _row(cause: Cause, now: int, *, beside: bool) -> tuple[Text, ...]:
    words, hint = Text(plain(_aged(cause, now), LONGEST)), Text(cause.hint, "dim")
    lines = (words, hint) if beside else (Text.assemble(words, "\n", hint),)
    return mark(cause.state in HEAVY and cause.whose != "reader"), Text(cause.subject), *lines


def _aged(cause: Cause, now: int) -> str:
    """How long it has been so, behind its state."""
    if not cause.text.startswith(f"{cause.state}:"):
        return cause.text
    ago = age_text((now - cause.since) / 1e9)
    return f"{cause.state} for {ago}{cause.text[len(cause.state) :]}"


def mark(heavy: bool) -> Text:
    return Text("✖", "red") if heavy else Text("▲", "yellow")
