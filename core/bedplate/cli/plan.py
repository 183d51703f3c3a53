"""`bedplate plan`: what applying a file would change, which machines feel it, what data it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins

if TYPE_CHECKING:
    from bedplate.client import Client
    from bedplate.client.deployments import Plan


@command()
@click.argument("file", type=click.Path(path_type=Path))
@given_plugins
def plan(invocation: Invocation, file: Path, plugins: tuple[Path, ...]) -> int:
    """Compares FILE with what runs, and changes nothing. Where no Bedplate runs it compares with what was applied last
    from FILE, and with nothing when nothing was; only then --plugin counts.

    A component is untouched (its session, its counters go on), reconfigured (within its session, no value is missed),
    rewired (what it reads changes, it goes on where it was), restarted, created or removed.

    Exit codes: 0 nothing to change, 4 something, 1 it can't be applied.
    """
    shown = against_running(invocation, file)
    if shown is None:
        shown = _against_applied(file, plugins)
    show(invocation, shown, end=shown.next_words(file))
    return shown.code


class Shown:
    """A plan with what is told beside it. against: what it was compared with, in words · journal: how it will hold."""

    def __init__(self, plan: Plan, heading: str, journal: str = "", *, running: bool) -> None:
        self.plan, self.heading, self.journal, self.running = plan, heading, journal, running

    @property
    def code(self) -> int:
        if self.plan.problems:
            return Exit.PROBLEMS
        return Exit.CHANGES if self.plan.touched or self.plan.guard else Exit.DONE

    def next_words(self, file: Path) -> str:
        from bedplate.cli.called import program

        if self.plan.problems:
            count = len(self.plan.problems)
            return f"It can't be applied: {count} {'reason' if count == 1 else 'reasons'} above."
        if not self.running:
            return f"No Bedplate runs here. Next: {program()} run {file}"
        if not (self.plan.touched or self.plan.guard):
            return "Nothing to change."
        return f"Next: {program()} apply {file} --if-deployment {self.plan.against}"


def against_running(invocation: Invocation, file: Path | None, number: int = 0) -> Shown | None:
    """None when no Bedplate runs here and none was named."""
    from bedplate.errors import CallError

    try:
        with invocation.client() as client:
            return _asked(client, file, number)
    except CallError as error:
        if error.code == "UNAVAILABLE" and not invocation.endpoint:
            return None
        raise


def _asked(client: Client, file: Path | None, number: int) -> Shown:
    from bedplate.cli.planned import pace

    plan = client.plan(file, number=number)
    journal = client.status().journal
    what = file.name if file else f"deployment {number}"
    heading = f"{what} against deployment {plan.against}, which runs"
    words = pace(journal.room_seconds, journal.bytes_written_yearly, estimated=False)
    return Shown(plan, heading, words, running=True)


def _against_applied(file: Path, plugins: tuple[Path, ...]) -> Shown:
    from bedplate.cli.planned import pace
    from bedplate.client.deployments import Plan, PlannedStep
    from bedplate.errors import AdmissionError, ConfigError
    from bedplate.server.offline import offline

    try:
        found = offline(file, plugins)
    except ConfigError as error:
        plan = Plan(0, problems=tuple(map(str, error.problems)))
        return Shown(plan, f"{file.name}", running=False)
    except AdmissionError as error:
        return Shown(Plan(0, problems=tuple(str(error).splitlines())), file.name, running=False)
    steps = tuple(
        PlannedStep(s.component, str(s.step), s.why, s.gap_seconds, s.machines, s.process, s.was)
        for s in found.plan.steps
    )
    plan = Plan(found.plan.against, steps, (), found.plan.notices, found.plan.guard)
    against = f"deployment {plan.against}, applied last" if found.applied else "nothing"
    words = pace(found.room.seconds, found.room.yearly, estimated=True)
    return Shown(plan, f"{file.name} against {against}", words, running=False)


def show(invocation: Invocation, shown: Shown, end: str = "") -> None:
    """The plan and what to type next."""
    if invocation.json:
        from bedplate.cli.output import write_json

        facts: dict[str, Any] = {"running": shown.running, "journal": shown.journal}
        touched = len(shown.plan.touched)
        write_json({"plan": shown.plan, "touched": touched, **facts})
        return
    from bedplate.cli.planned import planned

    screen = invocation.screen
    for thing in planned(shown.plan, shown.heading):
        screen.show(thing)
    if shown.journal:
        screen.show(f"  {shown.journal}")
    if end:
        screen.show("")
        screen.show(end, wrap=False)
