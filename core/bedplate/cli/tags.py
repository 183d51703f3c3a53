"""`bedplate tags`: which tags there are, and what they say now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bedplate.client import TagEntry


@command()
@selector()
def tags(invocation: Invocation, selector: str | None) -> None:
    """SELECTOR is a path, any unique tail of one (filler/power), an asset (filler), or a pattern ('**/power'); all when
    it is left out. A Bad value is shown as –."""
    with invocation.client() as client:
        found = client.tags(*([selector] if selector else []), current=True)
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json([_plain(entry) for entry in found])
    else:
        _show(invocation, found)


def _plain(entry: TagEntry) -> dict[str, Any]:
    from bedplate.cli.output import sample, tree

    tag, now = entry.tag, entry.current
    fields = ("unit", "data_type", "description", "address", "writable", "counter", "states")
    about = {name: tree(getattr(tag, name)) for name in fields}
    about |= {"component": entry.component, "asset": entry.asset, "type": entry.type}
    if now is None:
        return {"path": tag.path, "time": None, "value": None, "quality": None, **about}
    return sample(tag.path, now.time, now.value, now.quality, stored=now.stored, **about)


def _show(invocation: Invocation, found: Sequence[TagEntry]) -> None:
    from bedplate.cli.screen import Column, table

    columns = [
        Column("tag", gives=True),
        Column("value", align="right", gives=True),
        Column("unit"),
        Column("quality", gives=True),
        Column("age", align="right"),
    ]
    now = time.time_ns()
    invocation.screen.show(table(columns, [_row(entry, now) for entry in found]))


def _row(entry: TagEntry, now: int) -> tuple[Any, ...]:
    from bedplate.cli.samples import quality_text, unit, value
    from bedplate.cli.screen import Path
    from bedplate.shown import NONE, age_text

    current = entry.current
    if current is None:
        return Path(entry.path), NONE, unit(entry.tag), "no value yet", ""
    return (
        Path(entry.path),
        value(entry.tag, current.value, current.quality),
        unit(entry.tag),
        quality_text(current.quality),
        age_text((now - current.time) / 1e9),
    )
