"""`bedplate plugins`: every candidate with what became of it and why. Needs no running kernel, imports no plugin."""

from __future__ import annotations

import json

import click


@click.command("plugins")
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """List the plugins of this machine and why one is refused. Exit code 1 when one is refused."""
    from bedplate.admission.survey import survey

    candidates = [
        c for c in survey().candidates if not names or c.name in names or set(c.uses) & set(names)
    ]
    facts = [
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
    if any(c.verdict == "refused" for c in candidates):
        raise SystemExit(1)


def _table(facts: list[dict[str, object]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("use", "kind", "can", "version", "distribution", "verdict"):
        table.add_column(column, overflow="fold")
    for fact in facts:
        offers, kinds, can = (", ".join(fact[k]) for k in ("offers", "kinds", "capabilities"))  # type: ignore[call-overload]
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
