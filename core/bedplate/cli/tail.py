"""`bedplate tail`: values, and events when asked, as they come, until Ctrl-C."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import selector, token, written

if TYPE_CHECKING:
    from bedplate.cli.screen import Screen
    from bedplate.client import Subscription, Update
    from bedplate.model import Event, TagInfo

WIDEST = 60  # columns that paths may take before they lose their beginning


@command()
@selector(required=True)
@click.option("--events", is_flag=True, help="Alarms and changes of state too.")
@click.option("--resume", type=token, metavar="TOKEN", help="Go on where an earlier tail ended.")
def tail(invocation: Invocation, selector: str, events: bool, resume: bytes | None) -> None:
    """Starts with the newest value of each tag; ends with Ctrl-C, and then says how to go on without a hole.

    Quote patterns, or your shell will look for files: bedplate tail 'filler/*'. With --json one object a line.
    """
    with invocation.client() as client:
        paths = [entry.path for entry in client.tags(selector)]
        first = resume is None
        running = client.subscribe(selector, events=events, resume=resume, current_first=first)
        try:
            with running:
                _follow(invocation, running, paths)
        finally:
            _say_how_to_go_on(selector, running)


def _say_how_to_go_on(selector: str, running: Subscription) -> None:
    if running.resume_token and sys.stderr.isatty():
        command = f"bedplate tail {shlex.quote(selector)} --resume {written(running.resume_token)}"
        print(f"\nto go on from here:  {command}", file=sys.stderr)


def _follow(invocation: Invocation, running: Subscription, paths: list[str]) -> None:
    if invocation.json:
        from bedplate.cli.output import write_lines

        for update in running:
            write_lines(_plain(update))
        return
    lines = Lines(invocation.screen, paths)
    for update in running:
        lines.write(update)


def _plain(update: Update) -> Iterator[Any]:
    from bedplate.cli.output import sample

    if update.lost:
        yield {"lost": update.lost}
    if update.not_stored:
        yield {"not_stored": update.not_stored}
    yield from (sample(tag.path, ns, value, code) for ns, tag, value, code in in_order(update))
    yield from update.events


def in_order(update: Update) -> list[tuple[int, TagInfo, Any, int]]:
    """(time, tag, value, quality) of all samples, by time."""
    rows = [
        (ns, series.tag, value, code)
        for series in update.values()
        for ns, value, code in zip(
            series.time.tolist(), series.value.tolist(), series.quality.tolist(), strict=True
        )
    ]
    return sorted(rows, key=lambda row: row[0])


class Lines:
    """One line a sample. The path column is as wide as the widest path that may come, if the screen bears it."""

    def __init__(self, screen: Screen, paths: list[str]) -> None:
        from bedplate.shown import cells

        self._screen = screen
        widest = max(map(cells, paths), default=20)
        self._width = min(widest, max(16, screen.width - 34), WIDEST) if screen.terminal else widest
        self._day = self._not_stored = ""

    def write(self, update: Update) -> None:
        from rich.text import Text

        if update.lost:
            self._screen.show(Text(f"{update.lost:,} records were lost before this", "red"))
        if update.not_stored != self._not_stored:
            self._not_stored = update.not_stored
            text = f"NOT STORED: {self._not_stored}" if self._not_stored else "stored again"
            self._screen.show(Text(text, "red" if self._not_stored else "green"))
        for row in in_order(update):
            self._new_day(row[0])
            self._screen.show(self._sample(*row), wrap=False)
        for event in update.events:
            self._new_day(event.time)
            self._screen.show(self._event(event), wrap=False)
        self._screen.flush()

    def _new_day(self, ns: int) -> None:
        """A line with the date before the first sample and at midnight, for the times do not tell it."""
        from rich.text import Text

        from bedplate.cli.samples import day

        if (date := day(ns)) != self._day:
            self._day = date
            self._screen.show(Text(date, "dim"))

    def _sample(self, ns: int, tag: TagInfo, value: Any, code: int) -> Any:
        from rich.text import Text

        from bedplate.cli.samples import clock, quality_text, unit
        from bedplate.cli.samples import value as shown

        text = shown(tag, value, code)
        line = Text.assemble((clock(ns), "dim"), f"  {self._path(tag.path)}  {text:>10}")
        line.append(f" {unit(tag)}" if tag.unit else "")
        marked = quality_text(code, quiet=True)
        return line.append("  ").append_text(marked) if marked.plain else line

    def _event(self, event: Event) -> Any:
        from rich.text import Text

        from bedplate.cli.samples import clock
        from bedplate.cli.standing import line_of

        place = f"  {self._path(event.source)}  "
        return Text.assemble((clock(event.time), "dim"), place, line_of(event))

    def _path(self, path: str) -> str:
        from bedplate.cli.screen import shortened
        from bedplate.shown import padded

        return padded(shortened(path, self._width), self._width)
