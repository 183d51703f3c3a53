"""`bedplate plugins`: every candidate with what became of it and why. Needs no running kernel, imports no plugin."""

from __future__ import annotations

import json
from typing import Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command


@command(local=True)
@click.argument("names", nargs=-1)
def plugins(invocation: Invocation, names: tuple[str, ...]) -> int:
    """Every candidate ends as one line; those that are refused say why. Nothing of theirs is imported."""
    from bedplate.admission.survey import survey

    as_json = invocation.json

    candidates = [
        c for c in survey().candidates if not names or c.name in names or set(c.uses) & set(names)
    ]
    facts: list[dict[str, Any]] = [
        {
            "name": c.name,
            "distribution": c.distribution,
            "version": c.version,
            "verdict": c.verdict,
            "reason": c.reason,
            "offers": list(c.uses),
            "kinds": sorted({o.kind for o in c.offers}),
            "capabilities": list(c.capabilities),
            "requires_api": c.requires_api,
            "support": c.support,
            "permissions": list(c.permissions),
        }
        for c in candidates
    ]
    if as_json:
        click.echo(json.dumps(facts))
    else:
        _table(facts)
    refused = any(c.verdict == "refused" for c in candidates)
    return Exit.PROBLEMS if refused else Exit.DONE


def _table(facts: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("use", "kind", "can", "version", "distribution", "verdict"):
        table.add_column(column, overflow="fold")
    for fact in facts:
        offers, kinds, can = (", ".join(fact[k]) for k in ("offers", "kinds", "capabilities"))
        style = "red" if fact["verdict"] == "refused" else ""
        table.add_row(
            offers or str(fact["name"]), kinds, can, str(fact["version"]), str(fact["distribution"]), str(fact["verdict"]),
            style=style,
        )  # fmt: skip
    console = Console(highlight=False)
    console.print(table)
    for fact in facts:
        if fact["reason"]:
            console.print(f"{fact['name']}: {fact['reason']}", markup=False)
