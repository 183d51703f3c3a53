"""The screen of a plan: steps of a kind that are done for one reason are one line, however many they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from bedplate.cli.screen import Column, Path, indented, table
from bedplate.shown import age_text

if TYPE_CHECKING:
    from bedplate.client.deployments import Plan, PlannedStep

ORDER = ("remove", "reconfigure", "rewire", "restart", "create")
STYLE = {"remove": "red", "restart": "yellow", "rewire": "yellow", "create": "green"}
LONG = 366 * 86400.0  # s
VALUES = re.compile(r" \S+ → \S+")
NAMED = 3  # of many, the first so many


def planned(plan: Plan, heading: str) -> Iterator[Any]:
    """What to print, from top to bottom, without the last line: what to type next."""
    yield Text(heading, "bold")
    for problem in plan.problems:
        yield indented(_marked("✖", "red", problem))
    if plan.touched:
        yield ""
        yield indented(table(_columns(), [_row(group) for group in groups(plan.touched)]))
    if untouched := len(plan.steps) - len(plan.touched):
        yield "" if not plan.touched else Text()
        yield Text(f"  {untouched} untouched", "dim")
    if told := lost(plan.touched):
        yield Text(f"  {told}")
    for notice in plan.notices:
        yield indented(_marked("▲", "yellow", notice))
    if plan.guard:
        yield ""
        yield Text("  Who may write what changes:", "bold red")
        for text in plan.guard:
            yield indented(_marked("▲", "red", text))


def _columns() -> list[Column]:
    what = [Column("step"), Column("component"), Column("why", wraps=True)]
    return [*what, Column("gap", align="right"), Column("machines", gives=True)]


def _marked(mark: str, style: str, text: str) -> Any:
    return table([Column(), Column(wraps=True)], [(Text(mark, style), text)])


def groups(steps: Iterable[PlannedStep]) -> list[list[PlannedStep]]:
    """Steps of one kind with one reason, in the order of kinds. Where many differ in values alone, that is one reason
    too."""
    exact: dict[tuple[int, str], list[PlannedStep]] = {}
    for step in steps:
        exact.setdefault((ORDER.index(step.step), _reason(step)), []).append(step)
    alike = Counter((kind, _alike(why)) for kind, why in exact)
    found: dict[tuple[int, str], list[PlannedStep]] = {}
    for (kind, why), group in exact.items():
        many = alike[kind, _alike(why)] > NAMED
        found.setdefault((kind, _alike(why) if many else why), []).extend(group)
    return [found[key] for key in sorted(found, key=lambda key: key[0])]


def _reason(step: PlannedStep) -> str:
    return step.why.replace(step.component, "…")


def _alike(reason: str) -> str:
    """Without the values."""
    return VALUES.sub(" differs", reason)


def _row(group: Sequence[PlannedStep]) -> tuple[Any, ...]:
    first = group[0]
    step = Text(first.step, STYLE.get(first.step, ""))
    reasons = {_reason(one) for one in group}
    why = first.why if len(group) == 1 else reasons.pop()
    if reasons and len(group) > 1:
        why = _alike(why)
    return step, names([one.component for one in group]), why, _gap(group), _machines(group)


def names(ids: Sequence[str]) -> str:
    """A few by name, many by their number and what their names have in common."""
    if len(ids) <= NAMED:
        return ", ".join(ids)
    start = _common(ids)
    return (
        f"{len(ids)} × {start}…" if len(start) > 1 else f"{', '.join(ids[:2])}, {len(ids) - 2} more"
    )


def _common(ids: Sequence[str]) -> str:
    low, high = min(ids), max(ids)
    same = next((n for n, letter in enumerate(low) if high[n : n + 1] != letter), len(low))
    return low[:same].rstrip("0123456789")


def _gap(group: Sequence[PlannedStep]) -> str:
    most = max(one.gap_seconds for one in group)
    least = min(one.gap_seconds for one in group)
    if not most:
        return "–"
    return seconds(most) if most - least < 0.1 else f"≤ {seconds(most)}"


def seconds(length: float) -> str:
    """2.5 s, 40 s, 3 min."""
    return f"{length:.1f} s" if length < 10 else age_text(length)


def _machines(group: Sequence[PlannedStep]) -> Any:
    paths = [*dict.fromkeys(path for one in group for path in one.machines)]
    if len(paths) == 1:
        return Path(paths[0])
    if len(paths) <= NAMED:
        return ", ".join(paths)
    shared = _shared(paths)
    return f"{len(paths)} below {shared}" if shared else f"{len(paths)}: {', '.join(paths[:2])} …"


def _shared(paths: Sequence[str]) -> str:
    """The levels that all have."""
    levels = [path.split("/")[:-1] for path in paths]
    same = next((n for n, row in enumerate(zip(*levels, strict=False)) if len({*row}) > 1), None)
    return "/".join(levels[0][: min(map(len, levels)) if same is None else same])


def lost(steps: Sequence[PlannedStep]) -> str:
    """How many machines are not heard, and for how long."""
    silent = [one for one in steps if one.gap_seconds]
    if not silent:
        ran = any(one.step not in ("create", "remove") for one in steps)
        return "No value is missed." if ran else ""
    machines = [*dict.fromkeys(path for one in silent for path in one.machines[:1])]
    most = max(one.gap_seconds for one in silent)
    if len(machines) == 1:
        return f"{machines[0]} is not heard for about {seconds(most)}."
    return f"{len(machines)} machines are not heard for about {seconds(most)}, side by side."


def pace(seconds_of_room: float, yearly: float, estimated: bool) -> str:
    """What the journal holds and writes."""
    lasts = age_text(seconds_of_room) if seconds_of_room < LONG else "more than a year"
    words = [f"room for {lasts}"] if seconds_of_room else []
    if yearly >= 1e10:
        words.append(f"{yearly / 1e12:.2f} TB written a year")
    if not words:
        return ""
    how = ", as reckoned from tags and scan classes" if estimated else ""
    return f"journal: {' · '.join(words)}{how}"
