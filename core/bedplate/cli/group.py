"""The top of the command line: finds commands in the table, imports one when it is called, has help in five groups."""

from __future__ import annotations

import errno
from difflib import get_close_matches
from importlib import import_module
from inspect import cleandoc
from typing import Any

import click

from bedplate.cli.commands import COMMANDS, GROUPS
from bedplate.cli.faults import drop_output
from bedplate.cli.frame import Invocation, endpoint_option, json_option
from bedplate.version import __version__

ENTRIES = {entry.name: entry for entry in COMMANDS}


class Bedplate(click.Group):
    """The table of commands as a click group."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        if command.short_help != entry.summary:
            command.name, command.short_help = entry.name, entry.summary
            first = entry.summary if entry.summary.endswith("?") else f"{entry.summary}."
            command.help = f"{first}\n\n{cleandoc(command.help or '')}".rstrip()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in ENTRIES and not args[0].startswith("-"):
            near = get_close_matches(args[0], ENTRIES, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            drop_output()
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            drop_output()
        return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, ENTRIES))
        for group in GROUPS:
            rows = [(e.name.ljust(width), e.summary) for e in COMMANDS if e.group == group]
            if rows:
                with formatter.section(group.capitalize()):
                    formatter.write_dl(rows)


@click.group(
    cls=Bedplate,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done · 1 problems found · 2 not done · 3 a fault in Bedplate · 4 a plan with changes"
    " · 130 Ctrl-C · of a write: 5 mismatch · 6 unknown · 7 waits · 8 rejected · 9 too late · 10 cancelled",
)
@endpoint_option
@json_option
@click.version_option(__version__, message="bedplate %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Bedplate connects machines, keeps what they say, works on it, and shows who does what with it.

    Start with `bedplate status`; `bedplate help selectors` says how to name tags.
    """
    ctx.ensure_object(Invocation)
