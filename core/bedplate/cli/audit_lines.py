"""Lines of an audit log, from files or from a Bedplate, and how people see them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from bedplate.audit.chain import Link
from bedplate.audit.entry import time_ns_of
from bedplate.audit.feed import backwards, forwards
from bedplate.cli.frame import Invocation
from bedplate.cli.output import tree
from bedplate.cli.samples import clock, day
from bedplate.client.audit import NAMES, AuditEntry, moment_of
from bedplate.shown import plain

Source = Callable[..., Iterable[AuditEntry]]
LONGEST = 300  # characters of a text
COLOURS = {"refused": "red", "allowed": "", "noted": "dim"}


def of_client(invocation: Invocation) -> Source:
    """Over the API."""

    def source(**asked: Any) -> Iterator[AuditEntry]:
        with invocation.client() as client:
            yield from client.audit(**asked)

    return source


def of_files(place: Path) -> Source:
    """Of a folder, or a file that was exported."""

    def source(
        *, since: Any = None, until: Any = None, who: str = "", action: str = "", last: int = 0, after: int = 0,
        raw: bool = False,
    ) -> Iterator[AuditEntry]:  # fmt: skip
        now = time.time_ns()
        start, end = moment_of(since, now), moment_of(until, now) or 1 << 62
        refuse_empty(place)

        def wanted(entry: AuditEntry) -> bool:
            below = (
                entry.action.startswith(action) if action.endswith(".") else entry.action == action
            )
            mine = not who or entry.who == who
            return start <= entry.time < end and mine and (not action or below)

        if last:
            found = filter(wanted, _entries(backwards(place), after))
            yield from [entry for entry, _ in zip(found, range(last), strict=False)][::-1]
        else:
            yield from filter(wanted, _entries(forwards(place), after))

    return source


def refuse_empty(place: Path) -> None:
    from bedplate.audit.files import files_of

    if not place.exists() or not files_of(place):
        raise click.UsageError(f"{place} holds no audit log")


def _entries(lines: Iterable[tuple[Link, bytes]], after: int) -> Iterator[AuditEntry]:
    for one, line in lines:
        if one.index > after:
            fields = one.fields()
            told = {name: str(fields.get(name, "")) for name in NAMES}
            told |= {"line": line.decode("ascii")}
            yield AuditEntry(**told | {"index": one.index, "time": time_ns_of(fields["time"])})  # type: ignore[arg-type]


class Shown:
    """One line an entry, a line with the date before the first and at midnight; with --json one document a line."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._day = ""

    def write(self, entries: Iterable[AuditEntry]) -> int:
        """Returns the greatest index."""
        index = 0
        for entry in entries:
            index = max(index, entry.index)
            if self._invocation.json:
                row = tree(entry)
                row.pop("line")
                sys.stdout.write(json.dumps(row) + "\n")
            else:
                self._line(entry)
        sys.stdout.flush()
        return index

    def _line(self, entry: AuditEntry) -> None:
        screen = self._invocation.screen
        if (date := day(entry.time)) != self._day:
            self._day = date
            screen.show(Text(date, "dim"))
        line = Text.assemble((clock(entry.time), "dim"), (f"  {entry.index:>6}  ", "dim"))
        line.append(f"{plain(entry.verdict, 10):<8}", COLOURS.get(entry.verdict, ""))
        line.append(f"{plain(entry.action):<20}  {plain(entry.who) or '–':<14}")
        more = [plain(part, LONGEST) for part in (entry.resource, entry.rule, entry.text) if part]
        if entry.verdict == "refused" and entry.peer:
            more.append(plain(entry.peer))
        line.append(f"  {' · '.join(more)}" if more else "")
        screen.show(line, wrap=False)
