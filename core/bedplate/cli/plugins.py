"""`bedplate plugins`: every candidate with what became of it and why. Needs no running kernel, imports no plugin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command, group
from bedplate.cli.install import back, use
from bedplate.cli.parameters import given_plugins
from bedplate.cli.permitted import show
from bedplate.cli.publishers import publishers
from bedplate.cli.trusting import trust, trusted, untrust
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from rich.text import Text

LAST = ("version", "distribution", "verdict")


class _Listing(click.Group):
    """A word that is none of its commands is the name of a plugin."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return "list", self.commands["list"], args
        return super().resolve_command(ctx, args)


@group(local=True, cls=_Listing)
@click.pass_context
def plugins(ctx: click.Context, invocation: Invocation) -> int | None:
    """Every candidate ends as one line; those that are refused say why. Nothing of theirs is imported.

    With names, those alone: bedplate plugins modbus.
    """
    return None if ctx.invoked_subcommand else _list(invocation, ())


@command(local=True, name="list")
@click.argument("names", nargs=-1)
@click.option(
    "--of",
    type=click.Path(path_type=Path),
    help="Also those that this deployment file names, and its home.",
)
@given_plugins
def list_(
    invocation: Invocation, names: tuple[str, ...], of: Path | None, plugins: tuple[Path, ...]
) -> int:
    """What `plugins` alone does; NAMES: of these alone."""
    return _list(invocation, names, of, plugins)


def _list(
    invocation: Invocation,
    names: tuple[str, ...],
    of: Path | None = None,
    given: tuple[Path, ...] = (),
) -> int:
    from bedplate.admission.reading import places_of
    from bedplate.admission.survey import survey

    if of and not of.is_file():
        raise BedplateError(f"{of}: there is no such file")
    as_json = invocation.json
    every = survey(given, places=places_of(of)).candidates
    candidates = [c for c in every if not names or c.name in names or set(c.uses) & set(names)]
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
            "replay": {o.use: o.replay for o in c.offers},
            "idempotent": {o.use: o.idempotent for o in c.offers if "deliver" in o.capabilities},
            "requires_api": c.requires_api,
            "support": c.support,
            "permissions": list(c.permissions),
            "place": str(c.place or ""),
            "runs": c.runs,
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
    from bedplate.cli.screen import Column, Screen, table

    titles = ("use", "kind", "can", "version", "distribution", "verdict")
    columns = [Column(title, wraps=title in ("use", "can", "distribution")) for title in titles]
    screen = Screen()
    screen.show(table(columns, map(_row, facts)))
    if any(fact["place"] or fact["reason"] for fact in facts):
        screen.show("")
    for fact in facts:
        if fact["place"] and fact["runs"]:
            screen.show(f"{fact['name']}: in {fact['place']}, run by {fact['runs']}")
        if fact["reason"]:
            screen.show(f"{fact['name']}: {fact['reason']}")


def _row(fact: dict[str, Any]) -> tuple[Text, ...]:
    from rich.text import Text

    offers, kinds, can = (", ".join(fact[k]) for k in ("offers", "kinds", "capabilities"))
    cells = (offers or fact["name"], kinds, can, *(fact[k] for k in LAST))
    style = "red" if fact["verdict"] == "refused" else ""
    return tuple(Text(str(cell), style) for cell in cells)


for below in (list_, show, trust, untrust, trusted, publishers, back, use):
    plugins.add_command(below)
