"""`bedplate apply` and `bedplate rollback`: change what runs, and back by itself when it does not become healthy."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Function, Invocation, command
from bedplate.cli.parameters import length

if TYPE_CHECKING:
    from bedplate.cli.plan import Shown
    from bedplate.client.deployments import ApplyProgress, DeploymentStatus

FEW = 12  # touched components whose ends are each told in a line


def _how(function: Function) -> Function:
    """The options that both commands have."""
    yes = click.option("--yes", is_flag=True, help="Do not ask.")
    health = click.option(
        "--health",
        default="60s",
        show_default=True,
        type=length,
        help="Time within which what was touched has to be as healthy as before.",
    )
    return yes(health(function))


@command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--if-deployment",
    type=int,
    metavar="N",
    help="Only if this one runs; by default the one that the plan was made against.",
)
@_how
def apply(
    invocation: Invocation, file: Path, if_deployment: int | None, yes: bool, health: str
) -> int:
    """Shows the plan of FILE, asks, and does what it says, nothing else. What was touched has to be as healthy as
    before within --health; if not, or when a step fails, all goes back to how it was, by itself. From then on this is
    what boots. Ctrl-C leaves it to go on; `bedplate status` tells how it ended.

    Exit codes: 0 it runs, 1 it can't be applied or was undone, 2 not done.
    """
    from bedplate.cli.plan import against_running

    shown = _needs_one(against_running(invocation, file))
    against = shown.plan.against if if_deployment is None else if_deployment
    return _carry_out(invocation, shown, {"file": file}, against, yes, health)


@command()
@click.argument("number", type=int, required=False, metavar="[N]")
@click.option("--list", "only_list", is_flag=True, help="Show the deployments that were applied.")
@_how
def rollback(
    invocation: Invocation, number: int | None, only_list: bool, yes: bool, health: str
) -> int:
    """Applies deployment N again, by default the one before the one that runs, as `apply` does: plan, question, health,
    and back by itself. It gets a number of its own. The file on the disk is left as it is.
    """
    from bedplate.cli.plan import against_running
    from bedplate.errors import CallError

    with invocation.client() as client:
        kept, status = client.deployments(), client.status()
    running = status.deployment.number if status.deployment else 0
    if only_list:
        _show_list(invocation, kept, running)
        return Exit.DONE
    if number is None:
        number = next((one.number for one in kept if one.number < running), None)
        if number is None:
            raise CallError(f"nothing was applied before deployment {running}", code="NOT_FOUND")
    shown = _needs_one(against_running(invocation, None, number))
    return _carry_out(invocation, shown, {"number": number}, running, yes, health)


def _needs_one(shown: Shown | None) -> Shown:
    from bedplate.errors import CallError

    if shown is None:
        text = "no Bedplate of yours runs here, so there is nothing to change; bedplate run FILE"
        raise CallError(text, code="UNAVAILABLE")
    return shown


def _carry_out(
    invocation: Invocation, shown: Shown, what: dict[str, Any], against: int, yes: bool, health: str
) -> int:
    from bedplate.cli.plan import show
    from bedplate.client.span import length as nanoseconds

    within = nanoseconds(health) / 1e9
    if not invocation.json:
        show(invocation, shown)
    if shown.plan.problems:
        if invocation.json:
            show(invocation, shown)
        else:
            click.echo("\nIt can't be applied. Nothing was changed.")
        return Exit.PROBLEMS
    if (shown.plan.touched or shown.plan.guard) and not (yes or invocation.json) and not _sure():
        return Exit.NOT_DONE
    with invocation.client() as client:
        going = client.apply(**what, if_deployment=against, health=within)
        return _follow(invocation, going, len(shown.plan.touched), against)


def _sure() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to ask; --yes says that you are sure")
    click.echo("")
    if click.confirm("Apply it?", default=False):
        return True
    click.echo("Nothing was changed.")
    return False


def _follow(
    invocation: Invocation, going: Iterable[ApplyProgress], touched: int, against: int
) -> int:
    """Tells how it goes, to its end."""
    from bedplate.errors import CallError

    telling = _Telling(touched)
    try:
        for one in going:
            if invocation.json:
                from bedplate.cli.output import write_lines

                write_lines([one])
            else:
                telling.tell(one)
    except CallError as error:
        if error.code != "ABORTED":
            raise
        telling.undone(str(error), against)
        return Exit.PROBLEMS
    return Exit.DONE


class _Telling:
    """Lines for people; of many steps the counts."""

    def __init__(self, touched: int) -> None:
        self._touched, self._done, self._healthy = touched, 0, 0
        self._terminal = sys.stdout.isatty()
        self._told = ""

    def undone(self, why: str, number: int) -> None:
        """All is as it was. Why, if that was not told when it began to go back."""
        reason = "" if self._told else f"{why}\n"
        self._line(f"{reason}Undone: deployment {number} runs as before.")

    def tell(self, one: ApplyProgress) -> None:
        if one.state == "done":
            self._done += 1
        if one.state == "healthy":
            self._healthy += 1
        if one.state == "failed" or (one.state == "done" and self._touched <= FEW):
            text = f"  {one.text}" if one.text else ""
            self._line(f"  {one.step:<12}{one.component:<24} {one.state}{text}".rstrip())
        elif not one.component and one.state != "rolled back":
            self._told = one.text
            self._line(f"{one.state}: {one.text}")
        self._count(one)

    def _line(self, text: str) -> None:
        self.clear()
        click.echo(text)

    def _count(self, one: ApplyProgress) -> None:
        if self._terminal and one.component:
            text = f"  {self._done} of {self._touched} done, {self._healthy} healthy"
            click.echo(f"\r{text}\x1b[K", nl=False)

    def clear(self) -> None:
        if self._terminal:
            click.echo("\r\x1b[K", nl=False)


def _show_list(invocation: Invocation, kept: list[DeploymentStatus], running: int) -> None:
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"running": running, "deployments": kept})
        return
    from bedplate.cli.samples import local
    from bedplate.cli.screen import Column, table

    rows = [
        (
            str(one.number),
            f"{local(one.applied):%Y-%m-%d %H:%M}",
            one.by,
            "runs" if one.number == running else "",
        )
        for one in kept
    ]
    columns = [Column("deployment", align="right"), Column("applied"), Column("by"), Column()]
    invocation.screen.show(table(columns, rows) if rows else "nothing was applied yet")
