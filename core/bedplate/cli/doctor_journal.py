"""`bedplate doctor journal`: a journal looked at, taken out or put right without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command, group
from bedplate.cli.parameters import moment

folder_argument = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))


@group(local=True)
@click.pass_context
def journal(ctx: click.Context, invocation: Invocation) -> None:
    """FOLDER is the journal's own, or the one that holds it. Without a running Bedplate; `verify` and `export` change
    nothing, and may run beside one.
    """
    if not ctx.invoked_subcommand:
        click.echo(ctx.get_help())


@command(local=True)
@folder_argument
def verify(invocation: Invocation, folder: Path) -> int:
    """Read all of it: pages, records and their checksums, streams, gaps, cursors.

    Ends with 0 when it is sound, 1 when something is damaged that was not declared yet, 2 when there is no journal
    that this version reads.
    """
    from bedplate.cli.journal_output import as_json, told
    from bedplate.journal.survey import journal_file, survey

    found = survey(journal_file(folder))
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(as_json(found))
    else:
        for line in told(found):
            invocation.screen.show(line)
    return Exit.DONE if found.sound else Exit.PROBLEMS


@command(local=True)
@folder_argument
@click.argument("selectors", metavar="[SELECTOR]...", nargs=-1)
@click.option("--stream", "streams", multiple=True, help="Only this stream; may be given again.")
@click.option("--from", "start", type=moment, metavar="TIME", help="Received since then.")
@click.option("--to", "end", type=moment, metavar="TIME", help="Received until then, exclusive.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    help="jsonl: a record a line, events and gaps too (the default); csv: a sample a line.",
)
def export(
    invocation: Invocation, folder: Path, selectors: tuple[str, ...], form: str, **asked: Any
) -> int:
    """Its records on stdout, times in UTC, every digit. Selectors choose tags, full paths; events and gaps come with
    all of them.

    Ends with 0, or with 1 when something could not be read: what, is on stderr.
    """
    from bedplate.cli.journal_output import WRITERS, losses_told
    from bedplate.journal.survey import journal_file
    from bedplate.journal.taking_out import Choice, take_out

    ends = _ns(asked["start"], 0), _ns(asked["end"], 1 << 62)
    choice = Choice(selectors, asked["streams"], *ends)
    lost = WRITERS[form](take_out(journal_file(folder), choice))
    for line in losses_told(lost):
        click.echo(line, err=True)
    return Exit.PROBLEMS if lost else Exit.DONE


@command(local=True)
@folder_argument
def repair(invocation: Invocation, folder: Path) -> int:
    """Put it right: a broken file is moved aside, what can be read of it goes on in a new one, what can't is declared.

    The declaration is a GAP record in each stream, as of a kernel's start. A sound journal is left as it is.

    Refused while a Bedplate has it. Ends with 0 when nothing was lost, 1 when something was, 2 when refused.
    """
    from bedplate.cli.journal_output import losses_told
    from bedplate.clock import SystemClock
    from bedplate.errors import JournalError
    from bedplate.journal.repair import repair as put_right
    from bedplate.journal.survey import journal_file, survey

    found = survey(journal_file(folder))
    if found.owner:
        text = f"{found.path.parent} is in use by process {found.owner}: stop it first"
        raise JournalError(text)
    aside, losses = put_right(found, SystemClock()) if not found.sound else (None, [])
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"moved_aside": str(aside) if aside else None, "lost": losses})
        return Exit.PROBLEMS if losses else Exit.DONE
    if found.sound:
        invocation.screen.show("✔ it is sound: nothing was changed")
    if aside:
        invocation.screen.show(f"the broken file is now {aside}")
    for line in losses_told(losses):
        invocation.screen.show(f"lost and declared: {line}")
    return Exit.PROBLEMS if losses else Exit.DONE


for _one in (verify, export, repair):
    journal.add_command(_one)


def _ns(text: str | None, default: int) -> int:
    if text is None:
        return default
    import time

    from bedplate.client.span import moment as read

    return read(text, time.time_ns())
