"""`bedplate conformance`: judges a plugin from outside, in any language, over the contract."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command

if TYPE_CHECKING:
    from bedplate.testing.conformance.profile import Profile
    from bedplate.testing.conformance.verdict import Report

PLACEMENTS = ("process", "inline", "remote", "all")


@command(local=True)
@click.argument("target", metavar="TARGET", required=False)
@click.option("--use", help="One of the plugin's offers; by default all of them.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="What the author says of it; by default conformance.toml beside TARGET.",
)
@click.option(
    "--sim", metavar="'CMD {port}'", help="Command that starts a simulator of the device."
)
@click.option(
    "--placement",
    type=click.Choice(PLACEMENTS),
    help="Where to run it; by default process, with --level full all that apply.",
)
@click.option(
    "--level",
    type=click.Choice(("basic", "full")),
    default="basic",
    show_default=True,
    help="What it must reach: basic is every MUST, full every SHOULD too, in all placements.",
)
@click.option(
    "--confined",
    is_flag=True,
    help="Hold its processes to its manifest in every check, as the kernel does. PLG-042 does so anyway.",
)
@click.option("--only", metavar="ID", multiple=True, help="This check alone; may be given again.")
@click.option("--allow-writes", is_flag=True, help="Write to what the author says may be written.")
@click.option("--report", type=click.Path(path_type=Path), help="Write a report as JSON.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each check, and what was seen.")
@click.option("--list", "listing", is_flag=True, help="List the checks and leave.")
def conformance(invocation: Invocation, target: str | None, **options: Any) -> int:
    """TARGET is a Python file, the folder of a plugin, or the name of an installed one.

    Every check speaks the contract of protos/ with the running plugin, or looks at its process from outside, so that it
    holds for any language. The simulator is reached through a proxy that the kit cuts, slows and garbles: write {port}
    into the settings of conformance.toml.
    """
    if options["listing"]:
        _list(invocation)
        return Exit.DONE
    if not target:
        raise click.UsageError("name a Python file, a plugin folder or an installed plugin")
    return _examine(invocation, target, options)


def _examine(invocation: Invocation, target: str, options: dict[str, Any]) -> int:
    from bedplate.cli.judging import Judging
    from bedplate.errors import BedplateError
    from bedplate.testing.conformance.examination import Wish, examine, unknown_ids
    from bedplate.testing.conformance.target import config_beside, subjects

    only = tuple(one.upper() for one in options["only"])
    if unknown := unknown_ids(only):
        raise BedplateError(f"no check has the id {unknown[0]}; bedplate conformance --list")
    file = options["config"] or config_beside(target)
    profile = _profile(file, options)
    full = options["level"] == "full"
    placement = options["placement"] or ("all" if full else "process")
    placements = PLACEMENTS[:3] if placement == "all" else (placement,)
    beside = file.parent if file and not options["sim"] else Path()
    wish = Wish(placements, only, beside, options["confined"])
    reports = []
    for subject in subjects(target, options["use"] or ""):
        judging = Judging(invocation.screen, options["verbose"], silent=invocation.json)
        judging.begin(subject)
        report = asyncio.run(examine(subject, profile, wish, judging.heard))
        judging.end(report, options["level"])
        reports.append(report)
    _write(reports, options["report"], invocation.json)
    return Exit.DONE if all(_reached(one, full) for one in reports) else Exit.PROBLEMS


def _profile(file: Path | None, options: dict[str, Any]) -> Profile:
    from bedplate.testing.conformance.profile import read_profile

    profile = read_profile(file)
    more = {"sim": options["sim"]} if options["sim"] else {}
    if options["allow_writes"]:
        more["allow_writes"] = True
    return profile.model_copy(update=more)


def _reached(report: Report, full: bool) -> bool:
    """Whether it is as good as was wanted; where nothing is graded, whether nothing failed."""
    if not report.whole or "process" not in report.placements:
        return not report.of("failed", "not run")
    return report.grade in (("Full",) if full else ("Full", "Basic"))


def _write(reports: list[Report], file: Path | None, as_json: bool) -> None:
    told = [report.to_dict() for report in reports]
    text = json.dumps(told[0] if len(told) == 1 else told, indent=2, ensure_ascii=False)
    if as_json:
        click.echo(text)
    if file:
        from bedplate.errors import BedplateError

        try:
            file.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise BedplateError(f"{file}: {error.strerror}") from None


def _list(invocation: Invocation) -> None:
    from bedplate.cli.screen import Column, table
    from bedplate.testing.conformance.catalogue import catalogue

    if invocation.json:
        rows = [
            {"id": c.id, "level": c.level, "group": g, "title": c.title, "anchor": c.anchor}
            for g, c in catalogue()
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    columns = [Column("id"), Column("level"), Column("check", wraps=True), Column("anchor")]
    rows_ = [(c.id, c.level, c.title, c.anchor) for _, c in catalogue()]
    invocation.screen.show(table(columns, rows_))
    invocation.screen.show(f"\n{len(rows_)} checks; docs/reference/conformance.md says why")
