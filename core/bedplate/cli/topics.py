"""`bedplate help`: a command's help, or a page on what all commands share."""

from __future__ import annotations

import click

from bedplate.cli.exits import MEANING
from bedplate.cli.frame import Invocation, command

SELECTORS = """\
A SELECTOR says which tags are meant:

  line1/filler/power   a full path
  filler/power         any tail of whole levels that only one tag has
  filler               an asset: all that is below it
  'filler/*'           * stands for anything within one level
  '**/power'           ** stands for any number of levels, also none

A tail that several tags have is refused: the candidates are listed, and the
exit code is 2.
Quote patterns, or your shell will look for files of that name."""

TIMES = """\
Times are shown in the time zone of this machine; CSV and JSON have UTC.

  --last 5min                a number and ms, s, min (or m), h, d, w
  --from 06:00               today
  --from 2026-11-19T06:00    local time
  --from 2026-11-19T06:00Z   UTC; +01:00 instead of Z is an hour east of it
  --to …                     not included; now when it is left out

--last goes on from --from, or reaches back from --to."""

EXIT_CODES = "\n".join(f"{code:>5}  {meaning}" for code, meaning in MEANING.items())

TOPICS = {"exit-codes": EXIT_CODES, "selectors": SELECTORS, "times": TIMES}


@command(local=True)
@click.argument("subject", required=False, metavar="[COMMAND|TOPIC]")
@click.pass_context
def help_(ctx: click.Context, invocation: Invocation, subject: str | None) -> None:
    """Topics: exit-codes, selectors, times."""
    top = ctx.find_root()
    assert isinstance(top.command, click.Group)
    text = TOPICS.get(subject or "")
    if text is None and subject:
        found = top.command.get_command(top, subject)
        if found is None:
            names = ", ".join([*top.command.list_commands(top), *TOPICS])
            raise click.UsageError(f"no help on {subject!r}; there is {names}")
        with click.Context(found, info_name=subject, parent=top) as inner:
            text = found.get_help(inner)
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"subject": subject or "", "text": text or top.get_help()})
    else:
        click.echo(text or top.get_help())
