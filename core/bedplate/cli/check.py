"""`bedplate check`: reads a deployment file, contacts nothing, runs no plugin's code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@given_plugins
@click.option(
    "--schema", is_flag=True, help="Print the JSON Schema of deployment files, for editors."
)
def check(
    invocation: Invocation, file: Path | None, plugins: tuple[Path, ...], schema: bool
) -> int:
    """Reads FILE and says all that is wrong with it, every error at once with its line.

    Contacts nothing and runs no plugin's code (a --plugin file is asked for its settings in a process of its own).
    """
    from bedplate.admission.reading import read_deployment, survey_of
    from bedplate.config import editor_schema, unserved
    from bedplate.errors import ConfigError

    if schema:
        found = survey_of(file, plugins)
        click.echo(json.dumps(editor_schema(o.schema for o in found.offers.values()), indent=2))
        return Exit.DONE
    if file is None:
        raise click.UsageError("name a deployment file, such as plant.yaml")
    try:
        found, deployment = read_deployment(file, plugins)
    except ConfigError as error:
        _wrong(error, invocation.json)
        return Exit.PROBLEMS
    untrusted, changed = _trust(found, deployment)
    later = [*unserved(deployment), *untrusted]
    if invocation.json:
        click.echo(json.dumps(_told(file, deployment, later, changed)))
    else:
        for line in _lines(file, deployment, later, changed):
            click.echo(line)
    return Exit.DONE


def _told(file: Path, deployment: Any, later: list[Any], changed: list[str]) -> dict[str, Any]:
    return {
        "file": str(file),
        "problems": [],
        "notes": [_plain(p) for p in deployment.notes],
        "hints": [_plain(p) for p in deployment.hints],
        "later": [_plain(p) for p in later],
        "changed": changed,
        **_size(deployment),
    }


def _lines(file: Path, deployment: Any, later: list[Any], changed: list[str]) -> Iterator[str]:
    size = _size(deployment)
    counts = f"{size['components']} components, {size['tags']} tags"
    yield f"{file}: fine. {counts}. Nothing was contacted."
    if words := _pace(deployment):
        yield words
    if deployment.notes:
        yield "It was written for older plugins; what was taken for what it is now:"
        yield from (f"  {problem}" for problem in deployment.notes)
    if deployment.hints:
        yield "It works, and is probably not what you mean:"
        yield from (f"  {problem}" for problem in deployment.hints)
    yield from changed
    if later:
        reasons = "1 reason" if len(later) == 1 else f"{len(later)} reasons"
        yield f"`run` refuses it as it is, {reasons}:"
        yield from (f"  {problem}" for problem in later)


def _trust(found: Any, deployment: Any) -> tuple[list[Any], list[str]]:
    """What `policy: trusted` would refuse, and what it would not start because it has changed. Reads all its files."""
    from bedplate.admission.guard import Guard
    from bedplate.admission.reading import admit
    from bedplate.errors import AdmissionError, Problem

    try:
        offers = admit(found, deployment).offers.values()
    except AdmissionError as error:
        source = deployment.source
        line = source.lines.get("plugins.policy", 0)
        told = str(error).splitlines()
        return [Problem(source.file, line, "plugins.policy", text) for text in told], []
    guards = (offer.verify for offer in offers)
    return [], [g.objection for g in guards if isinstance(g, Guard) and g.objection]


def _pace(deployment: Any) -> str:
    """How long the journal has room while nobody reads it, and what is written in a year; "" when that is not known."""
    from bedplate.cli.planned import pace
    from bedplate.planning.room import room

    found = room(deployment)
    return pace(found.seconds, found.yearly, estimated=True) if found.samples_per_second else ""


def _size(deployment: Any) -> dict[str, int]:
    return {
        "components": len(deployment.components),
        "tags": sum(len(c.tags) for c in deployment.components),
    }


def _plain(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("file", "line", "path", "text", "reach")}


def _wrong(error: Any, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"problems": [_plain(p) for p in error.problems]}))
        return
    for problem in error.problems:
        click.echo(str(problem))
    count = len(error.problems)
    click.echo(
        f"{count} error{'s' if count > 1 else ''}. Nothing was contacted, nothing was changed."
    )
