"""The screen of `bedplate gaps`, built from a report and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from bedplate.cli.samples import local
from bedplate.cli.screen import Column, Path, indented, shortened, table
from bedplate.shown import age_text, plain

if TYPE_CHECKING:
    from bedplate.client.gaps import Completeness, Gap, GapReport

QUIET = {"off", "maintenance"}  # nothing was expected
WORST = 20  # tags whose completeness is told


def blocks(report: GapReport, *, by_tag: bool = False, width: int = 0) -> Iterator[Any]:
    """What to print, from top to bottom. by_tag: completeness of each tag instead of each device · width: of the
    screen; 0 when nobody counts columns, then a gap is one line."""
    lines = [*_lines(report.gaps)]
    yield _header(report, lines)
    if report.omitted:
        yield Text(
            f"  {report.omitted:,} older ones are left out: ask for a shorter range", "yellow"
        )
    if lines:
        yield ""
        yield from _table(lines, report, width)
    complete = report.completeness if by_tag else _devices(report.completeness)
    if complete:
        yield ""
        yield indented(_complete(complete))


def _header(report: GapReport, lines: Sequence[Gap]) -> Text:
    since, until = local(report.since), local(report.until)
    text = f"{since:%a %Y-%m-%d %H:%M} to {until:%H:%M:%S}"
    if since.date() != until.date():
        text = f"{since:%a %Y-%m-%d %H:%M} to {until:%a %Y-%m-%d %H:%M:%S}"
    missed = [one for one in lines if one.reason not in QUIET]
    count = f"{len(missed)} gap{'s' * (len(missed) != 1)}" if missed else "no gaps"
    return Text.assemble((count, "bold" if missed else "green"), f" · {text}")


def _lines(gaps: Iterable[Gap]) -> Iterator[Gap]:
    """One for each cause: tags of a device that are missing together are one."""
    found: dict[tuple[Any, ...], list[Gap]] = {}
    for one in gaps:
        found.setdefault((one.component, one.since, one.until, one.reason, one.text), []).append(
            one
        )
    for together in found.values():
        first = together[0]
        tags = sum(one.tags for one in together)
        path = first.path if len(together) == 1 else f"{first.component}: {tags} tags"
        missing, filled = sum(g.missing for g in together), sum(g.filled for g in together)
        yield replace(first, path=path, tags=tags, missing=missing, filled=filled)


def _table(lines: Sequence[Gap], report: GapReport, width: int) -> Iterator[Any]:
    """Cells below their titles; why, in words, at the end of the line, or on one of its own."""
    rows = [TITLES, *(_cells(one, report) for one in lines)]
    widths = [max(cell_len(row[n]) for row in rows) for n in range(len(TITLES))]
    if width:
        widths[WHAT] = min(
            widths[WHAT], max(12, width - sum(widths) + widths[WHAT] - 2 * len(widths))
        )
    yield Text(_line(TITLES, widths), "dim")
    for row, one in zip(rows[1:], lines, strict=True):
        quiet = one.reason in QUIET
        line = Text(_line(row, widths), "dim" if quiet else "")
        words = _words(one)
        if not width:
            yield line + Text(f"  {words}")
        else:
            yield line
            if one.component not in shortened(one.path, widths[WHAT]):
                words = f"{one.component}: {words}"
            yield Padding(Text(words, "dim"), (0, 2, 0, 6), expand=False)


TITLES = ("from", "to", "for", "what", "reason", "missing")
WHAT, RIGHT = 3, {2, 5}


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = []
    for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        text = shortened(cell, width) if number == WHAT else cell
        space = " " * (width - cell_len(text))
        shown.append(space + text if number in RIGHT else text + space)
    return "  " + "  ".join(shown).rstrip()


def _cells(one: Gap, report: GapReport) -> tuple[str, ...]:
    lasts = max(0, (one.until or report.until) - one.since)
    return (
        _clock(one.since, report),
        _clock(one.until, report) if one.until else "lasts",
        age_text(lasts / 1e9),
        one.path,
        one.reason,
        f"{one.missing:,}" if one.missing else "–",
    )


def _words(one: Gap) -> str:
    words = plain(one.text, 300)
    return f"{words}; {one.filled:,} came afterwards" if one.filled else words


def _clock(ns: int, report: GapReport) -> str:
    """With its day, and without seconds, when that is not the day of now."""
    at = local(ns)
    return f"{at:%H:%M:%S}" if at.date() == local(report.until).date() else f"{at:%a %d. %H:%M}"


def _devices(tags: Sequence[Completeness]) -> list[Completeness]:
    """The same over all tags of each device."""
    found: dict[str, Completeness] = {}
    for one in tags:
        whole = found.get(one.component)
        due = one.expected + (whole.expected if whole else 0)
        came = one.received + (whole.received if whole else 0)
        ratio = came / due if due else 1.0
        found[one.component] = replace(
            one, path=one.component, expected=due, received=came, ratio=ratio
        )
    return list(found.values())


def _complete(found: Sequence[Completeness]) -> Any:
    worst = sorted(found, key=lambda one: (one.ratio, not one.expected))
    shown = [_share_row(one) for one in worst[:WORST]]
    if left := worst[WORST:]:
        shown.append(
            (Text(f"and {len(left):,} more", "dim"), share(left[0].ratio) + " or more", "")
        )
    columns = [
        Column("complete", gives=True),
        Column("", align="right"),
        Column("received of expected", align="right"),
    ]
    return table(columns, shown)


def _share_row(one: Completeness) -> tuple[Any, ...]:
    if not one.expected:
        return Path(one.path, "dim"), Text("–", "dim"), Text("nothing was expected", "dim")
    style = "" if one.ratio == 1.0 else "yellow"
    return Path(one.path), Text(share(one.ratio), style), f"{one.received:,} of {one.expected:,}"


def share(ratio: float) -> str:
    """99.99 %, 100 % only when nothing is missing."""
    if ratio >= 1.0:
        return "100 %"
    return f"{min(99.99, int(ratio * 10_000) / 100):.4g} %"
